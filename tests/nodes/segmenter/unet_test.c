// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/segmenter/unet.c with small nets made here. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "base/file.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/segments.h"
#include "support/unet.h"

extern const struct fx_node_type fx_node_segmenter_unet;

enum { DEPTH = 12, WIDE = 16, LONG = 48 };

/* The folder and the option "model=..." of one model file. */
struct fixture {
	char *folder, option[300];
};

static struct fixture fixture(const char *args)
{
	struct fixture f = { .folder = test_tmp_dir() };
	const char *path = test_path(f.folder, "net.safetensors");

	if (args)
		unet_random(path, args, 5);
	else
		unet_bright(path);
	snprintf(f.option, sizeof f.option, "model=%s", path);
	return f;
}

static void fixture_fini(struct fixture *f)
{
	fx_remove_tree(f->folder, NULL);
	free(f->folder);
}

/* Bright tubes along z, side by side along x, with dark membranes of 2 voxels. */
static struct fx_block *tubes(void)
{
	struct fx_block *b = fx_block_new(FX_U8, DEPTH, WIDE, LONG);

	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++)
		((uint8_t *)b->data)[i] = i % LONG % 16 >= 14 ? 30 : 250;
	b->origin[0] = 100;
	b->halo_lo[1] = 3;
	b->voxel_nm[0] = b->voxel_nm[1] = b->voxel_nm[2] = 8;
	return b;
}

static struct fx_block *noise(size_t z, size_t y, size_t x)
{
	struct fx_block *b = fx_block_new(FX_U8, z, y, x);
	uint64_t seed = 8;

	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++)
		((uint8_t *)b->data)[i] = (uint8_t)test_random(&seed);
	for (int a = 0; a < 3; a++)
		b->voxel_nm[a] = 8;
	return b;
}

/* Segments a block; free with node_test_free(). */
static struct node_test *segment(struct fx_block *b, const char *const *options)
{
	struct node_test *t = node_test_new(&fx_node_segmenter_unet, options);

	if (node_test_result(t) < 0 || node_test_block(t, "image", b) < 0)
		fail_msg("%s", node_test_error(t));
	return t;
}

static const struct fx_block *sent(const struct node_test *t, const char *port)
{
	assert_int_equal(node_test_count(t, port, FX_BLOCK), 1);
	return node_test_get(t, port, FX_BLOCK, 0)->message;
}

static void separates_three_tubes(void **unused)
{
	struct fixture f = fixture(NULL);
	const char *options[] = { f.option, NULL };
	struct node_test *t = segment(tubes(), options);
	const struct fx_block *labels = sent(t, "labels"), *boundary = sent(t, "boundary"),
			      *affinities = sent(t, "affinities");
	const uint32_t *v = labels->data;
	const uint8_t *p = boundary->data, *a = affinities->data;

	(void)unused;
	assert_int_equal(labels->dtype, FX_U32);
	assert_int_equal(labels->role, FX_LABELS);
	assert_int_equal(affinities->channels, 3);
	assert_int_equal(affinities->role, FX_AFFINITY);
	for (size_t i = 0; i < fx_block_len(labels); i++) {
		const size_t x = i % LONG;

		assert_in_range(v[i], 1, 3);
		if (x % 16 < 14)
			assert_int_equal(v[i], x / 16 + 1);
		assert_true(x % 16 < 14 ? p[i] < 20 : p[i] > 230 || i < LONG);
		for (size_t c = 0; c < 3; c++)
			assert_true((a[c * fx_block_len(labels) + i] > 200) == (x % 16 < 14));
	}
	assert_int_equal(labels->origin[0], 100);
	assert_int_equal(labels->halo_lo[1], 3);
	assert_int_equal(affinities->origin[0], 100);
	assert_int_equal(boundary->role, FX_PROBABILITY);
	assert_string_equal(node_test_warning(t), "");
	node_test_free(t);
	fixture_fini(&f);
}

/* What is not asked for is not made, and the rest stays the same. */
static void labels_do_not_need_other_ports(void **unused)
{
	struct fixture f = fixture(NULL);
	const char *all[] = { f.option, NULL },
		   *some[] = { f.option, "-boundary", "-affinities", NULL };
	struct node_test *a = segment(tubes(), all), *b = segment(tubes(), some);

	(void)unused;
	assert_int_equal(node_test_count(b, "boundary", FX_BLOCK), 0);
	assert_int_equal(node_test_count(b, "affinities", FX_BLOCK), 0);
	assert_memory_equal(sent(a, "labels")->data, sent(b, "labels")->data,
			    fx_block_size(sent(a, "labels")));
	node_test_free(a);
	node_test_free(b);
	fixture_fini(&f);
}

static void threads_do_not_matter(void **unused)
{
	static const char *const heights[] = { "height=affinity", "height=eroded", "height=mean" };
	struct fixture f = fixture(UNET_ARGS);

	(void)unused;
	for (int i = 0; i < 3; i++) {
		const char *options[] = { f.option,	   heights[i],
					  "threshold=0",   "tile=512 512 32",
					  "overlap=0 0 8", "seed_depth=0",
					  "dust_voxels=0", NULL };
		struct node_test *one, *two;

		omp_set_num_threads(1);
		one = segment(noise(9, 16, 43), options);
		omp_set_num_threads(3);
		two = segment(noise(9, 16, 43), options);
		omp_set_num_threads(1);
		assert_memory_equal(sent(one, "labels")->data, sent(two, "labels")->data,
				    fx_block_size(sent(one, "labels")));
		assert_memory_equal(sent(one, "boundary")->data, sent(two, "boundary")->data,
				    fx_block_size(sent(one, "boundary")));
		assert_true(segments_count(sent(one, "labels")) > 1);
		node_test_free(one);
		node_test_free(two);
	}
	fixture_fini(&f);
}

static void evidence_decides_what_merges(void **unused)
{
	struct fixture f = fixture(UNET_ARGS);
	const char *plain[] = { f.option,	 "threshold=0.5",  "seed_depth=0",
				"dust_voxels=0", "large_voxels=0", NULL },
		   *eroded[] = { f.option,
				 "threshold=0.5",
				 "seed_depth=0",
				 "dust_voxels=0",
				 "large_voxels=0",
				 "evidence=eroded",
				 NULL };
	struct node_test *one = segment(noise(9, 16, 43), plain),
			 *two = segment(noise(9, 16, 43), eroded);

	(void)unused;
	assert_memory_not_equal(sent(one, "labels")->data, sent(two, "labels")->data,
				fx_block_size(sent(one, "labels")));
	node_test_free(one);
	node_test_free(two);
	fixture_fini(&f);
}

static void constant_blocks_are_segmented(void **unused)
{
	static const float values[] = { 0, 0.5F, 1, 1e30F, NAN, -INFINITY };
	static const char *const nets[] = { NULL, UNET_ARGS, UNET_FLAT_ARGS };

	(void)unused;
	for (size_t k = 0; k < 18; k++) {
		struct fixture f = fixture(nets[k / 6]);
		const char *options[] = { f.option, NULL };
		struct fx_block *b = fx_block_new(FX_F32, 7, 12, 30);
		struct node_test *t;

		assert_non_null(b);
		for (size_t i = 0; i < fx_block_len(b); i++)
			((float *)b->data)[i] = values[k % 6];
		t = segment(b, options);
		segments_count(sent(t, "labels"));
		if (!nets[k / 6]) /* all inside, or no seed at all */
			assert_true(segments_count(sent(t, "labels")) ==
				    (k % 6 == 2 || k % 6 == 3 ? 1 : 0));
		node_test_free(t);
		fixture_fini(&f);
	}
}

static void tiny_blocks_are_segmented(void **unused)
{
	static const size_t shapes[][3] = { { 1, 1, 1 },  { 1, 1, 50 },	 { 3, 5, 7 },
					    { 50, 1, 1 }, { 1, 20, 20 }, { 2, 3, 2 } };
	struct fixture f = fixture(UNET_ARGS);
	const char *options[] = { f.option, "seed_depth=0", NULL };

	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		struct node_test *t =
			segment(noise(shapes[s][0], shapes[s][1], shapes[s][2]), options);

		segments_count(sent(t, "labels"));
		node_test_free(t);
	}
	fixture_fini(&f);
}

static void other_voxels_are_told_once(void **unused)
{
	struct fixture f = fixture(NULL);
	const char *options[] = { f.option, NULL };
	struct fx_block *a = noise(4, 8, 8);
	struct node_test *t = segment(noise(4, 8, 8), options);

	(void)unused;
	assert_string_equal(node_test_warning(t), "");
	a->voxel_nm[0] = 40;
	assert_int_equal(node_test_block(t, "image", a), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "voxels of 40 x 8 x 8 nm"));
	assert_non_null(strstr(node_test_warning(t), "trained on 8 x 8 x 8 nm"));
	node_test_free(t);
	fixture_fini(&f);
}

static void refuses_a_voxel_without_extent(void **unused)
{
	struct fixture f = fixture(NULL);
	const char *options[] = { f.option, NULL };
	struct node_test *t = node_test_new(&fx_node_segmenter_unet, options);
	struct fx_block *b = tubes();

	(void)unused;
	b->voxel_nm[0] = 0;
	assert_int_equal(node_test_block(t, "image", b), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "12x16x48"));
	node_test_free(t);
	fixture_fini(&f);
}

static void assert_refused(const char *model, const char *height, const char *says)
{
	const char *options[] = { model, height, NULL };
	struct node_test *t = node_test_new(&fx_node_segmenter_unet, options);

	assert_true(node_test_result(t) < 0);
	if (!strstr(node_test_error(t), says))
		fail_msg("\"%s\" does not say \"%s\"", node_test_error(t), says);
	node_test_free(t);
}

static void wrong_models_are_refused(void **unused)
{
	struct fixture f = fixture(UNET_FLAT_ARGS);
	char *shipped = fx_datafile_path("models/em-unet.safetensors");
	const char *bad = test_path(f.folder, "bad");
	char option[300];

	(void)unused;
	test_write_file(bad, "no model", 8);
	snprintf(option, sizeof option, "model=%s", bad);
	assert_refused(option, NULL, bad);
	assert_refused("model=/none/at/all.safetensors", NULL, "/none/at/all.safetensors");
	assert_refused(f.option, "height=eroded", "has no head \"eroded\"");
	assert_refused(f.option, "evidence=mean", "has no head \"eroded\"");
	if (shipped) /* where there is one, it runs */
		node_test_free(segment(tubes(), NULL));
	else
		assert_refused("model=", NULL, "there is no models/em-unet.safetensors");
	free(shipped);
	fixture_fini(&f);
}

static void nothing_passes_a_mask(void **unused)
{
	struct fixture f = fixture(NULL);
	const char *const options[] = { f.option, "seed_depth=0", "prior_faces=0", "dust_voxels=0",
					NULL };
	struct node_test *t = segment(segments_mask(tubes(), 5, 7), options),
			 *none = segment(segments_mask(tubes(), 4, 4), options),
			 *plain = segment(tubes(), options);

	(void)unused;
	segments_check_masked(sent(t, "labels"), 5, 7, 6);
	node_test_same(none, plain);
	node_test_free(t);
	node_test_free(none);
	node_test_free(plain);
	fixture_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separates_three_tubes),
		cmocka_unit_test(labels_do_not_need_other_ports),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(evidence_decides_what_merges),
		cmocka_unit_test(constant_blocks_are_segmented),
		cmocka_unit_test(tiny_blocks_are_segmented),
		cmocka_unit_test(other_voxels_are_told_once),
		cmocka_unit_test(refuses_a_voxel_without_extent),
		cmocka_unit_test(wrong_models_are_refused),
		cmocka_unit_test(nothing_passes_a_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
