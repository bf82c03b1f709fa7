// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/segmenter/pixels.c with the model that is shipped, and with wrong ones. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "kernels/metrics.h"
#include "kernels/phantom.h"
#include "support/images.h"
#include "support/node_test.h"
#include "support/segments.h"
#include "support/pixels.h"

extern const struct fx_node_type fx_node_segmenter_pixels;

enum { DEPTH = 16, WIDE = 24, LONG = 72 };

/* Bright tubes along z, side by side along x, between dark membranes of 3 voxels, with noise. */
static struct fx_block *tubes(enum fx_dtype dtype)
{
	static const uint8_t membrane[] = { 110, 50, 110 };
	struct fx_block *b = fx_block_new(dtype, DEPTH, WIDE, LONG);
	uint64_t seed = 4;

	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++) {
		const size_t x = i % LONG % 24;
		const uint8_t v =
			(uint8_t)(x >= 21 ? membrane[x - 21] : 180 + test_random(&seed) % 20);

		if (dtype == FX_U8)
			((uint8_t *)b->data)[i] = v;
		else if (dtype == FX_U16)
			((uint16_t *)b->data)[i] = (uint16_t)(v * 257);
		else
			((float *)b->data)[i] = (float)v / 255;
	}
	b->origin[0] = 100;
	b->halo_lo[1] = 3;
	b->halo_hi[2] = 2;
	b->voxel_nm[0] = b->voxel_nm[1] = b->voxel_nm[2] = 8;
	return b;
}

/* Segments a block; free with node_test_free(). */
static struct node_test *segment_with(struct fx_block *b, const char *const *options)
{
	struct node_test *t = node_test_new(&fx_node_segmenter_pixels, options);

	if (node_test_result(t) < 0 || node_test_block(t, "image", b) < 0)
		fail_msg("%s", node_test_error(t));
	assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 1);
	assert_int_equal(node_test_count(t, "boundary", FX_BLOCK), 1);
	return t;
}

static struct node_test *segment(struct fx_block *b)
{
	return segment_with(b, NULL);
}

static void separates_three_tubes(void **unused)
{
	struct node_test *t = segment(tubes(FX_U8));
	const struct fx_block *b = segments_of(t),
			      *boundary = node_test_get(t, "boundary", FX_BLOCK, 0)->message;
	const uint32_t *v = b->data;
	const uint8_t *p = boundary->data;

	(void)unused;
	assert_int_equal(segments_count(b), 3);
	for (size_t i = 0; i < fx_block_len(b); i++) {
		const size_t x = i % LONG;

		assert_in_range(v[i], 1, 3);
		if (x % 24 < 20)
			assert_int_equal(v[i], v[x / 24 * 24 + 10]);
		if (x == 22 || x == 46)
			assert_true(p[i] > 200);
		if (x % 24 == 10)
			assert_true(p[i] < 50);
	}
	assert_int_not_equal(v[10], v[34]);
	assert_int_not_equal(v[34], v[58]);
	assert_int_equal(b->origin[0], 100);
	assert_int_equal(b->halo_lo[1], 3);
	assert_int_equal(boundary->halo_hi[2], 2);
	assert_int_equal(boundary->role, FX_PROBABILITY);
	assert_true(b->voxel_nm[1] == 8);
	assert_string_equal(node_test_warning(t), "");
	node_test_free(t);
}

static void any_dtype_gives_the_same(void **unused)
{
	struct node_test *u8 = segment(tubes(FX_U8)), *u16 = segment(tubes(FX_U16)),
			 *f32 = segment(tubes(FX_F32));
	const size_t size = fx_block_size(segments_of(u8));

	(void)unused;
	assert_memory_equal(segments_of(u8)->data, segments_of(f32)->data, size);
	assert_memory_equal(segments_of(u8)->data, segments_of(u16)->data, size);
	node_test_free(u8);
	node_test_free(u16);
	node_test_free(f32);
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

static void threads_do_not_matter(void **unused)
{
	static const char *const fragments[] = { "threshold=0", "dust_voxels=0",
						 "seed_boundary=0.9", NULL };
	struct node_test *one, *two;

	(void)unused;
	omp_set_num_threads(1);
	one = segment_with(noise(15, 20, 23), fragments);
	omp_set_num_threads(3);
	two = segment_with(noise(15, 20, 23), fragments);
	omp_set_num_threads(2);
	assert_memory_equal(segments_of(one)->data, segments_of(two)->data,
			    fx_block_size(segments_of(one)));
	assert_true(segments_count(segments_of(one)) > 1);
	node_test_free(one);
	node_test_free(two);
}

/* A block of one value has one label, or none. */
static void assert_constant(float value)
{
	struct fx_block *b = fx_block_new(FX_F32, 7, 12, 30);
	const uint32_t *v;
	struct node_test *t;

	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++)
		((float *)b->data)[i] = value;
	t = segment(b);
	v = segments_of(t)->data;
	assert_true(v[0] <= 1);
	for (size_t i = 0; i < fx_block_len(segments_of(t)); i++)
		assert_int_equal(v[i], v[0]);
	node_test_free(t);
}

static void constant_blocks_are_one_segment(void **unused)
{
	static const float values[] = { 0, 0.5F, 1, 1e30F, NAN, -INFINITY };

	(void)unused;
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		assert_constant(values[i]);
}

static void tiny_blocks_are_segmented(void **unused)
{
	static const size_t shapes[][3] = { { 1, 1, 1 },  { 1, 1, 50 },	 { 1, 50, 1 },
					    { 50, 1, 1 }, { 1, 20, 20 }, { 2, 3, 2 } };

	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		struct node_test *t = segment(noise(shapes[s][0], shapes[s][1], shapes[s][2]));

		segments_count(segments_of(t));
		node_test_free(t);
	}
}

/* A block of a phantom, stretched as normalizer/stretch would. */
static struct fx_block *phantom(struct fx_block **truth)
{
	const struct fx_phantom_spec spec = { .voxel_nm = { 8, 8, 8 },
					      .height = 64,
					      .width = 64,
					      .spacing_nm = 280,
					      .slope = 1,
					      .branch_nm = 1500,
					      .end_nm = 4000,
					      .noise = 7,
					      .node_nm = 80,
					      .piece_len = 4096,
					      .seed = 6 };
	struct fx_block *b = fx_block_new(FX_U8, 20, 64, 64);
	struct fx_phantom *grown;
	uint8_t *v;

	*truth = fx_block_new(FX_U32, 20, 64, 64);
	assert_non_null(b);
	assert_non_null(*truth);
	v = b->data;
	assert_int_equal(fx_phantom_new(&spec, &grown, NULL), FX_OK);
	for (size_t z = 0; z < 20; z++) {
		assert_int_equal(fx_phantom_next(grown, NULL), FX_OK);
		assert_int_equal(fx_phantom_render(grown, 0, 0, 64, 64, v + z * 4096,
						   (uint32_t *)(*truth)->data + z * 4096, NULL),
				 FX_OK);
	}
	fx_phantom_free(grown);
	for (int a = 0; a < 3; a++)
		b->voxel_nm[a] = 8;
	return b;
}

static void the_shipped_model_segments_a_phantom(void **unused)
{
	struct fx_block *truth, *image = phantom(&truth);
	struct node_test *t = segment(image);
	struct fx_seg_scores scores[FX_RULES];

	(void)unused;
	assert_int_equal(fx_metrics_compare(segments_of(t)->data, FX_U32, truth->data, FX_U32,
					    fx_block_len(truth), scores, NULL),
			 FX_OK);
	if (!(scores[FX_TRUTH_NONZERO].voi < 1.5))
		fail_msg("VOI %g", scores[FX_TRUTH_NONZERO].voi);
	assert_true(scores[FX_TRUTH_NONZERO].truth_labels > 5);
	fx_block_free(truth);
	node_test_free(t);
}

static void other_voxels_are_told_once(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_segmenter_pixels, NULL);
	struct fx_block *a = noise(4, 8, 8), *b = noise(4, 8, 8);

	(void)unused;
	a->voxel_nm[0] = 40;
	assert_int_equal(node_test_block(t, "image", b), FX_OK);
	assert_string_equal(node_test_warning(t), "");
	assert_int_equal(node_test_block(t, "image", a), FX_OK);
	assert_non_null(strstr(node_test_warning(t), "voxels of 40 x 8 x 8 nm"));
	node_test_free(t);
}

static void refuses_a_voxel_without_extent(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_segmenter_pixels, NULL);
	struct fx_block *b = tubes(FX_U8);

	(void)unused;
	b->voxel_nm[0] = 0;
	assert_int_equal(node_test_block(t, "image", b), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "16x24x72"));
	node_test_free(t);
}

static void assert_refused(const char *model, const char *says)
{
	const char *options[] = { model, NULL };
	struct node_test *t = node_test_new(&fx_node_segmenter_pixels, options);

	assert_true(node_test_result(t) < 0);
	if (!strstr(node_test_error(t), says))
		fail_msg("\"%s\" does not say \"%s\"", node_test_error(t), says);
	node_test_free(t);
}

static void other_models_are_taken_or_refused(void **unused)
{
	char *folder = test_tmp_dir();
	const char *good = test_path(folder, "good"), *bad = test_path(folder, "bad");
	char option[300];
	const char *options[] = { option, NULL };
	struct node_test *t;

	(void)unused;
	pixels_model(good, 5);
	test_write_file(bad, "no model", 8);
	snprintf(option, sizeof option, "model=%s", good);
	t = segment_with(tubes(FX_U8), options);
	node_test_free(t);
	snprintf(option, sizeof option, "model=%s", bad);
	assert_refused(option, bad);
	snprintf(option, sizeof option, "model=%s/none", folder);
	assert_refused(option, "none");
	fx_remove_tree(folder, NULL);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separates_three_tubes),
		cmocka_unit_test(any_dtype_gives_the_same),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(constant_blocks_are_one_segment),
		cmocka_unit_test(tiny_blocks_are_segmented),
		cmocka_unit_test(the_shipped_model_segments_a_phantom),
		cmocka_unit_test(other_voxels_are_told_once),
		cmocka_unit_test(refuses_a_voxel_without_extent),
		cmocka_unit_test(other_models_are_taken_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
