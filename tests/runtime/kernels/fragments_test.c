// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/fragments.c. */
#include "support/test.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/fragments.h"

enum { LEN = 40 };

static const struct fx_fragments_params cut = { 0.5, 1, 3 };

/* A line of two rooms: a wall of evidence @p wall at 20, with weak evidence elsewhere. */
static void rooms(uint8_t *boundary, uint8_t wall)
{
	memset(boundary, 10, LEN);
	boundary[20] = wall;
}

static void a_wall_cuts_along_any_axis(void **unused)
{
	static const size_t shapes[][3] = { { LEN, 1, 1 }, { 1, LEN, 1 }, { 1, 1, LEN } };
	static const double voxel[3] = { 8, 8, 8 };
	uint8_t boundary[LEN];
	uint32_t labels[LEN], count;

	(void)unused;
	rooms(boundary, 200);
	for (int axis = 0; axis < 3; axis++) {
		assert_int_equal(fx_fragments(labels, &count, boundary, shapes[axis], voxel, &cut),
				 FX_OK);
		assert_int_equal(count, 2);
		for (int i = 0; i < LEN; i++)
			assert_true(i == 20 || labels[i] == (i < 20 ? 1U : 2U));
		assert_in_range(labels[20], 1, 2);
	}
}

static void merging_needs_a_weak_wall(void **unused)
{
	const struct fx_agglomerate_params join = { .threshold = 0.9, .quantile = 0.5 };
	const struct fx_agglomerate_params keep = { .threshold = 0.7, .quantile = 0.5 };
	const double voxel[3] = { 8, 8, 8 };
	const size_t n[3] = { 1, LEN, 1 };
	uint8_t boundary[LEN];
	const struct fx_rag_evidence e = { .boundary = boundary };
	uint32_t labels[LEN], count;

	(void)unused;
	rooms(boundary, 200);
	assert_int_equal(fx_fragments(labels, &count, boundary, n, voxel, &cut), FX_OK);
	assert_int_equal(fx_fragments_merge(labels, &count, n, &e, &keep), FX_OK);
	assert_int_equal(count, 2);
	assert_int_not_equal(labels[0], labels[LEN - 1]);
	assert_int_equal(fx_fragments_merge(labels, &count, n, &e, &join), FX_OK);
	assert_int_equal(count, 1);
	for (int i = 0; i < LEN; i++)
		assert_int_equal(labels[i], 1);
}

static void nothing_below_the_limit_stays_unassigned(void **unused)
{
	static const struct fx_agglomerate_params join = { .threshold = 0.9, .quantile = 0.5 };
	const double voxel[3] = { 8, 8, 8 };
	const size_t n[3] = { 1, 4, 10 };
	uint8_t boundary[LEN];
	const struct fx_rag_evidence e = { .boundary = boundary };
	uint32_t labels[LEN], count = 5;

	(void)unused;
	memset(boundary, 128, LEN);
	assert_int_equal(fx_fragments(labels, &count, boundary, n, voxel, &cut), FX_OK);
	assert_int_equal(count, 0);
	assert_int_equal(fx_fragments_merge(labels, &count, n, &e, &join), FX_OK);
	assert_int_equal(count, 0);
	for (int i = 0; i < LEN; i++)
		assert_int_equal(labels[i], 0);
}

static void without_boundary_all_is_one(void **unused)
{
	const double voxel[3] = { 30, 8, 4 };
	const size_t n[3] = { 3, 11, 150 };
	size_t len = 3 * 11 * 150;
	uint8_t *boundary = calloc(len, 1);
	uint32_t *labels = malloc(len * sizeof *labels), count;

	(void)unused;
	assert_non_null(boundary);
	assert_non_null(labels);
	assert_int_equal(fx_fragments(labels, &count, boundary, n, voxel, &cut), FX_OK);
	assert_int_equal(count, 1);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(labels[i], 1);
	free(boundary);
	free(labels);
}

static void is_the_same_on_any_number_of_threads(void **unused)
{
	const double voxel[3] = { 8, 8, 8 };
	const size_t n[3] = { 9, 20, 21 };
	size_t len = 9 * 20 * 21;
	uint8_t *boundary = malloc(len);
	uint32_t *labels = malloc(2 * len * sizeof *labels), count[2];
	int threads = omp_get_max_threads();
	uint64_t seed = 2;

	(void)unused;
	assert_non_null(boundary);
	assert_non_null(labels);
	for (size_t i = 0; i < len; i++)
		boundary[i] = (uint8_t)(test_random(&seed) % 10 ? 40 : 255);
	for (int i = 0; i < 2; i++) {
		omp_set_num_threads(1 + 2 * i);
		assert_int_equal(
			fx_fragments(labels + (size_t)i * len, &count[i], boundary, n, voxel, &cut),
			FX_OK);
	}
	omp_set_num_threads(threads);
	assert_int_equal(count[0], count[1]);
	assert_true(count[0] > 3);
	assert_memory_equal(labels, labels + len, len * sizeof *labels);
	free(boundary);
	free(labels);
}

static void refuses_an_empty_shape(void **unused)
{
	const double voxel[3] = { 8, 8, 8 }, flat[3] = { 8, 8, -1 };
	const size_t n[3] = { 1, 0, 1 }, one[3] = { 1, 1, 1 };
	const uint8_t boundary = 0;
	uint32_t label, count;

	(void)unused;
	assert_int_equal(fx_fragments(&label, &count, &boundary, n, voxel, &cut), FX_EINVAL);
	assert_int_equal(fx_fragments(&label, &count, &boundary, one, flat, &cut), FX_EINVAL);
}

/* Two deep places in a line, a high face between them off the middle. */
static void faces_cut_between_deep_places(void **unused)
{
	static const size_t shapes[][3] = { { LEN, 1, 1 }, { 1, LEN, 1 }, { 1, 1, LEN } };
	static const struct fx_fragments_depths p = { 0.5, 1, 2 }, deep = { 3, 1, 2 };
	static const double voxel[3] = { 8, 8, 8 };
	uint8_t high[LEN] = { 0 }, none[LEN] = { 0 };
	uint32_t labels[LEN], count;
	float depth[LEN];

	(void)unused;
	high[13] = 200;
	for (int axis = 0; axis < 3; axis++) {
		const uint8_t *face[3] = { none, none, none };

		face[axis] = high;
		for (int i = 0; i < LEN; i++)
			depth[i] = i == 5 || i == 30 ? 6 : 0;
		assert_int_equal(
			fx_fragments_faces(labels, &count, depth, face, shapes[axis], voxel, &p),
			FX_OK);
		assert_int_equal(count, 2);
		for (int i = 0; i < LEN; i++)
			assert_int_equal(labels[i], i < 13 ? 1 : 2);
		assert_int_equal(
			fx_fragments_faces(labels, &count, depth, face, shapes[axis], voxel, &deep),
			FX_OK);
		assert_int_equal(count, 0);
		for (int i = 0; i < LEN; i++)
			assert_int_equal(labels[i], 0);
	}
	assert_int_equal(fx_fragments_faces(labels, &count, depth, NULL, shapes[0],
					    (const double[]){ 8, 0, 8 }, &p),
			 FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wall_cuts_along_any_axis),
		cmocka_unit_test(merging_needs_a_weak_wall),
		cmocka_unit_test(nothing_below_the_limit_stays_unassigned),
		cmocka_unit_test(without_boundary_all_is_one),
		cmocka_unit_test(is_the_same_on_any_number_of_threads),
		cmocka_unit_test(refuses_an_empty_shape),
		cmocka_unit_test(faces_cut_between_deep_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
