// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/segmenter/watershed.c. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "support/node_test.h"
#include "support/segments.h"

extern const struct fx_node_type fx_node_segmenter_watershed;

enum { DEPTH = 10, WIDE = 24, LONG = 60 };

/* Bright tubes along z, side by side along x, between dark membranes of 2 voxels, with noise. */
static struct fx_block *tubes(enum fx_dtype dtype)
{
	struct fx_block *b = fx_block_new(dtype, DEPTH, WIDE, LONG);
	uint64_t seed = 4;

	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++) {
		size_t x = i % LONG;
		uint8_t v = (uint8_t)(x % 20 >= 18 ? 40 : 170 + test_random(&seed) % 20);

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
	struct node_test *t = node_test_new(&fx_node_segmenter_watershed, options);

	assert_int_equal(node_test_block(t, "image", b), FX_OK);
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
	const struct fx_block *b = segments_of(t);
	const uint32_t *v = b->data;

	(void)unused;
	assert_int_equal(segments_count(b), 3);
	for (size_t i = 0; i < fx_block_len(b); i++) {
		size_t x = i % LONG;

		assert_in_range(v[i], 1, 3);
		if (x % 20 < 18)
			assert_int_equal(v[i], v[x / 20 * 20 + 9]);
	}
	assert_int_not_equal(v[9], v[29]);
	assert_int_not_equal(v[29], v[49]);
	assert_int_equal(b->origin[0], 100);
	assert_int_equal(b->halo_lo[1], 3);
	assert_int_equal(b->halo_hi[2], 2);
	assert_true(b->voxel_nm[1] == 8);
	node_test_free(t);
}

static void boundary_is_high_on_membranes(void **unused)
{
	struct node_test *t = segment(tubes(FX_U8));
	const struct fx_block *b = node_test_get(t, "boundary", FX_BLOCK, 0)->message;
	const uint8_t *v = b->data;

	(void)unused;
	assert_int_equal(b->dtype, FX_U8);
	assert_int_equal(b->origin[0], 100);
	for (size_t row = 0; row < DEPTH * WIDE; row++) {
		assert_true(v[row * LONG + 18] > 150);
		assert_true(v[row * LONG + 9] < 100);
	}
	node_test_free(t);
}

static void any_dtype_gives_the_same(void **unused)
{
	struct node_test *u8 = segment(tubes(FX_U8)), *u16 = segment(tubes(FX_U16)),
			 *f32 = segment(tubes(FX_F32));
	size_t size = fx_block_size(segments_of(u8));

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
	return b;
}

static void threads_do_not_matter(void **unused)
{
	static const char *const fragments[] = { "threshold=0", "dust_voxels=0", NULL };
	int threads = omp_get_max_threads();
	struct node_test *one, *two;

	(void)unused;
	omp_set_num_threads(1);
	one = segment_with(noise(15, 20, 23), fragments);
	omp_set_num_threads(2);
	two = segment_with(noise(15, 20, 23), fragments);
	omp_set_num_threads(threads);
	assert_true(segments_count(segments_of(one)) > 3);
	assert_memory_equal(segments_of(one)->data, segments_of(two)->data,
			    fx_block_size(segments_of(one)));
	node_test_free(one);
	node_test_free(two);
}

/* All voxels of a block of one value get one label, @p want. */
static void assert_constant(float value, uint32_t want)
{
	struct fx_block *b = fx_block_new(FX_F32, 7, 12, 30);
	const uint32_t *v;
	struct node_test *t;

	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++)
		((float *)b->data)[i] = value;
	t = segment(b);
	v = segments_of(t)->data;
	for (size_t i = 0; i < fx_block_len(segments_of(t)); i++)
		assert_int_equal(v[i], want);
	node_test_free(t);
}

static void constant_blocks_are_one_segment(void **unused)
{
	(void)unused;
	assert_constant(0.5F, 1);
	assert_constant(1, 1);
	assert_constant(1e30F, 1);
	assert_constant(NAN, 1);
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

static void boundary_may_be_unconnected(void **unused)
{
	static const char *const options[] = { "-boundary", NULL };
	struct node_test *t = node_test_new(&fx_node_segmenter_watershed, options);

	(void)unused;
	assert_int_equal(node_test_block(t, "image", tubes(FX_U8)), FX_OK);
	assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 1);
	assert_int_equal(node_test_count(t, "boundary", FX_BLOCK), 0);
	node_test_free(t);
}

static void refuses_a_voxel_without_extent(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_segmenter_watershed, NULL);
	struct fx_block *b = tubes(FX_U8);

	(void)unused;
	b->voxel_nm[0] = 0;
	assert_int_equal(node_test_block(t, "image", b), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "10x24x60"));
	node_test_free(t);
}

static void nothing_passes_a_mask(void **unused)
{
	struct node_test *t = segment(segments_mask(tubes(FX_U16), 4, 6)),
			 *none = segment(segments_mask(tubes(FX_U16), 4, 4)),
			 *plain = segment(tubes(FX_U16));

	(void)unused;
	segments_check_masked(segments_of(t), 4, 6, 6);
	node_test_same(none, plain); /* an empty mask changes nothing */
	node_test_free(t);
	node_test_free(none);
	node_test_free(plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(separates_three_tubes),
		cmocka_unit_test(boundary_is_high_on_membranes),
		cmocka_unit_test(any_dtype_gives_the_same),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(constant_blocks_are_one_segment),
		cmocka_unit_test(tiny_blocks_are_segmented),
		cmocka_unit_test(boundary_may_be_unconnected),
		cmocka_unit_test(refuses_a_voxel_without_extent),
		cmocka_unit_test(nothing_passes_a_mask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
