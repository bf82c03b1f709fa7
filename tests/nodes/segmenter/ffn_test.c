// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/segmenter/ffn.c with a network that adds 6 times the normalised image to the logits:
 * bright voxels are sure, dark ones are not. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/ffnmodel.h"
#include "formats/safetensors.h"
#include "kernels/ffn_seeds.h"
#include "kernels/ffn_state.h"
#include "support/ffn_toy.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/outputs.h"
#include "support/segments.h"

extern const struct fx_node_type fx_node_segmenter_ffn;

enum { Z = 16, Y = 18, X = 30, LEN = Z * Y * X };

static char *dir, *model, *option; /* folder of the test, file of the network, "model=FILE" */

static int make_model(void **unused)
{
	float values[TEST_FFN_VALUES];
	const struct fx_ffn_model m = test_ffn_toy(values);

	(void)unused;
	dir = test_tmp_dir();
	model = fx_path_join(dir, "toy.safetensors");
	option = fx_asprintf("model=%s", model);
	return fx_ffn_model_write(&m, model, "test", NULL);
}

static int remove_model(void **unused)
{
	(void)unused;
	fx_remove_tree(dir, NULL);
	free(dir);
	free(model);
	free(option);
	return 0;
}

/* 1 and 2: two boxes; 0 elsewhere. */
static uint32_t truth(size_t i)
{
	const size_t z = i / (Y * X), y = i / X % Y, x = i % X;

	if (z < 3 || z >= 13 || y < 3 || y >= 15)
		return 0;
	return x >= 3 && x < 13 ? 1 : x >= 17 && x < 27 ? 2 : 0;
}

static void set(struct fx_block *b, size_t i, uint8_t v)
{
	if (b->dtype == FX_U8)
		((uint8_t *)b->data)[i] = v;
	else if (b->dtype == FX_U16)
		((uint16_t *)b->data)[i] = (uint16_t)(v * 257);
	else
		((float *)b->data)[i] = (float)v / 255;
}

/* The boxes bright on dark, a little noisy. */
static struct fx_block *boxes(enum fx_dtype dtype)
{
	struct fx_block *b = fx_block_new(dtype, Z, Y, X);
	uint64_t seed = 2;

	assert_non_null(b);
	for (size_t i = 0; i < LEN; i++)
		set(b, i, (uint8_t)((truth(i) ? 180 : 70) + test_random(&seed) % 10));
	b->origin[1] = 300;
	b->halo_lo[2] = 2;
	b->voxel_nm[0] = b->voxel_nm[1] = b->voxel_nm[2] = 8;
	return b;
}

static struct node_test *node(const char *a, const char *b)
{
	const char *options[] = { option, "seed_spacing=6", a ? a : "min_voxels=300", b, NULL };

	return node_test_new(&fx_node_segmenter_ffn, options);
}

static const struct fx_block *run(struct node_test *t, struct fx_block *b)
{
	if (node_test_result(t) || node_test_block(t, "image", b))
		fail_msg("%s", node_test_error(t));
	assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 1);
	return node_test_get(t, "labels", FX_BLOCK, 0)->message;
}

static void boxes_are_objects(void **unused)
{
	static const enum fx_dtype dtypes[] = { FX_U8, FX_U16, FX_F32 };
	static const char *const ways[] = { "kernel=winograd", "kernel=direct", NULL };

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct node_test *t = node("min_voxels=300", ways[i]);
		const struct fx_block *b = run(t, boxes(dtypes[i]));
		const uint32_t *v = b->data;
		const uint32_t first = v[(8 * Y + 9) * X + 8];
		size_t found = 0;

		assert_in_range(first, 1, 2);
		for (size_t k = 0; k < LEN; k++) { /* corners may be out of reach */
			const uint32_t want = truth(k) == 1 ? first : 3 - first;

			assert_true(v[k] == 0 || (truth(k) && v[k] == want));
			found += v[k] != 0;
		}
		assert_in_range(found, 2 * 1000, 2 * 1200);
		assert_int_equal(b->dtype, FX_U32);
		assert_int_equal(b->role, FX_LABELS);
		assert_int_equal(b->origin[1], 300);
		assert_int_equal(b->halo_lo[2], 2);
		assert_true(b->voxel_nm[2] == 8);
		assert_string_equal(node_test_warning(t), "");
		node_test_free(t);
	}
}

static void small_objects_are_dropped(void **unused)
{
	struct node_test *t = node("min_voxels=1000000", NULL);
	const struct fx_block *b = run(t, boxes(FX_U8));

	(void)unused;
	for (size_t i = 0; i < LEN; i++)
		assert_int_equal(((const uint32_t *)b->data)[i], 0);
	node_test_free(t);
}

/* Labels of a block of one value are all 0. */
static void assert_nothing(size_t z, size_t y, size_t x, float value, const char *warning)
{
	struct node_test *t = node(NULL, NULL);
	struct fx_block *b = fx_block_new(FX_F32, z, y, x);
	const struct fx_block *labels;

	assert_non_null(b);
	for (size_t i = 0; i < z * y * x; i++)
		((float *)b->data)[i] = value;
	b->voxel_nm[0] = b->voxel_nm[1] = b->voxel_nm[2] = 8;
	labels = run(t, b);
	for (size_t i = 0; i < z * y * x; i++)
		assert_int_equal(((const uint32_t *)labels->data)[i], 0);
	if (warning)
		assert_non_null(strstr(node_test_warning(t), warning));
	node_test_free(t);
}

static void blocks_without_structure_have_nothing(void **unused)
{
	(void)unused;
	assert_nothing(15, 16, 17, 0, NULL);
	assert_nothing(15, 16, 17, 0.9F, NULL);
	assert_nothing(15, 16, 17, NAN, NULL);
	assert_nothing(15, 16, 17, 1e30F, NULL);
	assert_nothing(8, 30, 30, 0.9F,
		       "8x30x30 voxels is smaller than the field of view of 9x9x9");
	assert_nothing(1, 1, 1, 0, "smaller than the field of view");
}

static void other_voxels_are_told(void **unused)
{
	struct fx_block *b = boxes(FX_U8);
	struct node_test *t = node(NULL, NULL);

	(void)unused;
	b->voxel_nm[0] = 20;
	run(t, b);
	assert_non_null(strstr(node_test_warning(t), "8 nm along z, these have 20 nm"));
	node_test_free(t);
	t = node("trained_nm=8 8 16", NULL);
	run(t, boxes(FX_U8));
	assert_non_null(strstr(node_test_warning(t), "16 nm along x, these have 8 nm"));
	node_test_free(t);
	t = node(NULL, NULL);
	b = boxes(FX_U8);
	b->voxel_nm[1] = 0;
	assert_int_equal(node_test_block(t, "image", b), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "voxels without extent"));
	node_test_free(t);
}

/* The node refuses @p m as changed by the caller, or the file of @p path. */
static void refuse(const char *path, const char *says)
{
	char *name = fx_asprintf("model=%s", path);
	const char *options[] = { name, NULL };
	struct node_test *t = node_test_new(&fx_node_segmenter_ffn, options);

	assert_int_not_equal(node_test_result(t), FX_OK);
	if (!strstr(node_test_error(t), says))
		fail_msg("\"%s\" does not say \"%s\"", node_test_error(t), says);
	node_test_free(t);
	free(name);
}

static void wrong_models_are_refused(void **unused)
{
	const char *path = test_path(dir, "wrong.safetensors");
	float values[TEST_FFN_VALUES];
	struct fx_ffn_model m = test_ffn_toy(values);
	const struct fx_tensor one = {
		.name = "w", .dtype = FX_TENSOR_F32, .rank = 1, .shape = { 2 }, .data = values
	};
	struct fx_tensor_meta meta[] = { { "arch", "unet" },	  { "depth", "2" },
					 { "features", "4" },	  { "fov_zyx", "9,9,9" },
					 { "deltas_zyx", "2,2" }, { "image_mean", "1" },
					 { "image_stddev", "0" } };

	(void)unused;
	refuse(test_path(dir, "none"), "none");
	test_write_file(path, "{}", 2);
	refuse(path, "wrong.safetensors");
	assert_int_equal(fx_safetensors_write(path, &one, 1, meta, 1, NULL), FX_OK);
	refuse(path, "its architecture is unet: only ffn.convstack3d");
	meta[0].value = "ffn.convstack3d";
	assert_int_equal(fx_safetensors_write(path, &one, 1, meta, 3, NULL), FX_OK);
	refuse(path, "has no metadata fov_zyx");
	assert_int_equal(fx_safetensors_write(path, &one, 1, meta, 7, NULL), FX_OK);
	refuse(path, "metadata deltas_zyx is \"2,2\": three numbers");
	meta[4].value = "5,5,5";
	assert_int_equal(fx_safetensors_write(path, &one, 1, meta, 7, NULL), FX_OK);
	refuse(path, "metadata image_stddev is \"0\"");
	meta[6].value = "1";
	assert_int_equal(fx_safetensors_write(path, &one, 1, meta, 7, NULL), FX_OK);
	refuse(path, "field of view of 9 moves by 5");
	meta[4].value = "2,2,2";
	assert_int_equal(fx_safetensors_write(path, &one, 1, meta, 7, NULL), FX_OK);
	refuse(path, "has no tensor conv0_a.weight");
	values[40] = NAN;
	assert_int_equal(fx_ffn_model_write(&m, path, "test", NULL), FX_OK);
	refuse(path, "tensor conv0_a.weight has values that are not finite");
}

/* Floods the boxes for some steps as the node does, and leaves the state for it; the voxel 0 has
 * the label 77, by which the state is known again. */
static char *leave_state(const char *folder)
{
	const struct fx_ffn_config c = { .fov = { 9, 9, 9 },
					 .deltas = { 3, 3, 3 },
					 .init = 0.95,
					 .pad = 0.05,
					 .move = 0.9,
					 .segment = 0.6,
					 .min_voxels = 300,
					 .min_distance = { 1, 1, 1 } };
	const struct fx_ffn_seeding seeding = { 49.0 / 6.0, 1e-4, 42, 6, NULL };
	const size_t shape[3] = { Z, Y, X }, margin[3] = { 4, 4, 4 };
	const double voxel[3] = { 8, 8, 8 };
	const struct fx_ffn_eval none = { 0 };
	struct fx_block *b = boxes(FX_U8);
	float *image = malloc(LEN * sizeof *image);
	int32_t *segments = calloc(LEN, sizeof *segments);
	struct fx_ffn_model m = { 0 };
	struct fx_ffn_pos *seeds;
	struct fx_ffn f = { 0 };
	void *bytes;
	size_t len, size;
	uint64_t key;
	char *path;

	assert_true(image && segments);
	assert_int_equal(fx_ffn_model_read(&m, model, NULL), FX_OK);
	fx_ffn_normalise(image, b->data, FX_U8, LEN, 128, 32);
	assert_int_equal(fx_ffn_seeds(&seeds, &len, image, shape, voxel, margin, &seeding), FX_OK);
	assert_int_equal(fx_ffn_init(&f, &c, &none, image, segments, shape, seeds, len, NULL),
			 FX_OK);
	segments[0] = 77;
	key = fx_ffn_key(&f, m.hash ^ 0);
	assert_int_equal(fx_ffn_save(&f, key, &bytes, &size), FX_OK);
	path = fx_asprintf("%s/flood-0-300-0-%016llx", folder, (unsigned long long)key);
	test_write_file(path, bytes, size);
	fx_ffn_fini(&f);
	fx_ffn_model_fini(&m);
	fx_block_free(b);
	free(bytes);
	free(seeds);
	free(image);
	free(segments);
	return path;
}

static void a_state_is_taken_up_and_removed(void **unused)
{
	char *folder = fx_path_join(dir, "states"), *resume = fx_asprintf("resume=%s", folder);
	struct node_test *t = node("min_voxels=300", resume);
	const struct fx_block *b;
	char *path = leave_state(folder);

	(void)unused;
	assert_int_equal(access(path, F_OK), 0);
	b = run(t, boxes(FX_U8));
	assert_int_equal(((const uint32_t *)b->data)[0], 77);
	assert_true(node_test_progress(t, "evaluations resumed", NULL) == -1); /* none was in it */
	assert_int_not_equal(access(path, F_OK), 0);
	node_test_free(t);
	t = node("min_voxels=300", resume);
	b = run(t, boxes(FX_U8));
	assert_int_equal(((const uint32_t *)b->data)[0], 0);
	node_test_free(t);
	free(leave_state(folder)); /* of another block or of other options: not taken */
	t = node("min_voxels=299", resume);
	b = run(t, boxes(FX_U8));
	assert_int_equal(((const uint32_t *)b->data)[0], 0);
	node_test_free(t);
	free(path);
	free(folder);
	free(resume);
}

static void states_are_saved_on_the_way(void **unused)
{
	char *folder = fx_path_join(dir, "saves"), *resume = fx_asprintf("resume=%s", folder);
	struct node_test *t = node(resume, "save_every=1");
	char events[4096];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	(void)unused;
	assert_true(watch >= 0 && inotify_add_watch(watch, folder, IN_MOVED_TO) >= 0);
	run(t, boxes(FX_U8));
	assert_true(read(watch, events, sizeof events) > 0);
	assert_true(rmdir(folder) == 0); /* nothing is left in it */
	assert_string_equal(node_test_warning(t), "");
	assert_int_equal(node_test_block(t, "image", boxes(FX_U8)), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "the state of the flood is not saved"));
	close(watch);
	node_test_free(t);
	free(folder);
	free(resume);
}

static void progress_is_told_in_voxels(void **unused)
{
	const struct fx_mark open = { .kind = FX_MARK_OPEN, .region = { .hi = { 100, 200, 300 } } };
	struct node_test *t = node("min_voxels=300", NULL);
	double total, evaluations;

	(void)unused;
	assert_int_equal(node_test_mark(t, "image", &open), FX_OK);
	run(t, boxes(FX_U8));
	/* the core is counted: two columns are halo */
	assert_true(node_test_progress(t, "voxels", &total) == Z * Y * (X - 2));
	assert_true(total == 100.0 * 200 * 300);
	assert_true(node_test_progress(t, "objects", &total) == 2);
	assert_true(total == 0);
	assert_true(node_test_progress(t, "seeds left", NULL) == 0);
	assert_true(node_test_progress(t, "evaluations resumed", NULL) == -1);
	evaluations = node_test_progress(t, "evaluations", NULL);
	assert_true(evaluations > 20);
	assert_int_equal(node_test_block(t, "image", boxes(FX_U8)), FX_OK);
	assert_true(node_test_progress(t, "voxels", NULL) == 2 * Z * Y * (X - 2));
	assert_true(node_test_progress(t, "evaluations", NULL) == 2 * evaluations);
	node_test_free(t);
}

/* Ended before it was done, it leaves a state, and sends nothing. */
static void an_ended_run_is_saved(void **unused)
{
	char *folder = fx_path_join(dir, "ended"), *resume = fx_asprintf("resume=%s", folder);
	struct node_test *t = node("min_voxels=300", resume);

	(void)unused;
	node_test_stop(t);
	assert_int_not_equal(node_test_block(t, "image", boxes(FX_U8)), FX_OK);
	assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 0);
	assert_int_equal(test_count_files(folder, ""), 1);
	node_test_free(t);
	t = node("min_voxels=300", resume);
	run(t, boxes(FX_U8));
	assert_int_equal(rmdir(folder), 0);
	node_test_free(t);
	free(resume);
	free(folder);
}

static void nothing_passes_a_mask(void **unused)
{
	static const char few[] = "min_voxels=300", near[] = "seed_spacing=2";
	struct node_test *t = node(few, near), *none = node(few, near), *plain = node(few, near);

	(void)unused;
	segments_check_masked(run(t, segments_mask(boxes(FX_U8), 8, 9)), 8, 9, 4);
	run(none, segments_mask(boxes(FX_U8), 4, 4));
	run(plain, boxes(FX_U8));
	node_test_same(none, plain);
	node_test_free(t);
	node_test_free(none);
	node_test_free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boxes_are_objects),
		cmocka_unit_test(small_objects_are_dropped),
		cmocka_unit_test(blocks_without_structure_have_nothing),
		cmocka_unit_test(other_voxels_are_told),
		cmocka_unit_test(wrong_models_are_refused),
		cmocka_unit_test(a_state_is_taken_up_and_removed),
		cmocka_unit_test(states_are_saved_on_the_way),
		cmocka_unit_test(progress_is_told_in_voxels),
		cmocka_unit_test(an_ended_run_is_saved),
		cmocka_unit_test(nothing_passes_a_mask),
	};

	return cmocka_run_group_tests(tests, make_model, remove_model);
}
