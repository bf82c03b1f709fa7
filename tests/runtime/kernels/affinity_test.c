// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/affinity.c. */
#include "support/test.h"

#include <math.h>

#include "kernels/affinity.h"

enum { Z = 5, Y = 6, X = 7, LEN = Z * Y * X };

static void random_labels(uint32_t labels[LEN])
{
	uint64_t seed = 9;

	for (size_t i = 0; i < LEN; i++) {
		const uint32_t r = (uint32_t)(test_random(&seed) % 8);

		labels[i] = r == 7 ? FX_LABEL_ERODED : r > 3 ? 2 : r;
	}
}

static void eroded_labels_lose_their_outermost_voxels(void **unused)
{
	const uint32_t row[9] = { 1, 1, 1, 2, 2, 0, 3, 3, 3 },
		       want[9] = { 1, 1, FX_LABEL_ERODED, FX_LABEL_ERODED, 2, 0, 3, 3, 3 };
	uint32_t got[9];

	(void)unused;
	for (int axis = 0; axis < 3; axis++) {
		size_t n[3] = { 1, 1, 1 };

		n[axis] = 9;
		fx_labels_erode(got, row, n);
		assert_memory_equal(got, want, sizeof want);
	}
}

/* What the header says, voxel by voxel. */
static void expect(const uint32_t *labels, const size_t at[3], int axis, size_t distance,
		   float *target, float *weight)
{
	const size_t stride[3] = { Y * X, X, 1 }, i = at[0] * stride[0] + at[1] * stride[1] + at[2];
	const uint32_t own = labels[i],
		       other = at[axis] >= distance ? labels[i - distance * stride[axis]] : 0;

	*weight = own && other ? 1 : 0;
	*target = own == other && own != FX_LABEL_ERODED ? 1 : 0;
}

static void targets_tell_who_is_of_one_body(void **unused)
{
	const struct fx_affinity_box box = { { Z, Y, X }, { 1, 0, 2 }, { 3, 6, 4 } };
	uint32_t labels[LEN];
	float target[3 * 6 * 4 * 2], weight[3 * 6 * 4 * 2];
	size_t seen = 0;

	(void)unused;
	random_labels(labels);
	for (int axis = 0; axis < 3; axis++)
		for (size_t distance = 1; distance < 8; distance += 2) {
			size_t i = 0;

			fx_affinity_target(labels, &box, axis, distance, target, weight, 2);
			for (size_t z = 1; z < 4; z++)
				for (size_t y = 0; y < 6; y++)
					for (size_t x = 2; x < 6; x++, i += 2) {
						float t, w;

						expect(labels, (const size_t[]){ z, y, x }, axis,
						       distance, &t, &w);
						assert_true(fabsf(weight[i] - w) < 0.1F);
						if (w > 0) {
							assert_true(fabsf(target[i] - t) < 0.1F);
							seen++;
						}
					}
		}
	assert_true(seen > 100);
}

static void both_targets_weigh_half(void **unused)
{
	float target[10] = { 1, 1, 1, 1, 1, 1, 0, 0, 1, 0 },
	      weight[10] = { 1, 1, 1, 1, 1, 1, 1, 1, 0, 0 };
	double sum[2] = { 0 };

	(void)unused;
	fx_affinity_balance(target, weight, 10, 1, 0.01);
	for (int i = 0; i < 10; i++)
		sum[target[i] > 0.5F] += (double)weight[i];
	assert_true(fabs(sum[0] - 4) < 1e-5 && fabs(sum[1] - 4) < 1e-5);
	assert_true(fabsf(weight[8]) + fabsf(weight[9]) <= 0);
}

static void a_rare_target_is_not_blown_up(void **unused)
{
	float target[16] = { 1 }, weight[16];

	(void)unused;
	for (int i = 0; i < 16; i++)
		weight[i] = 1;
	fx_affinity_balance(target, weight, 16, 1, 0.25);
	assert_true(fabsf(weight[0] - 2) < 1e-6F); /* 0.5 / 0.25, not 0.5 / (1 / 16) */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eroded_labels_lose_their_outermost_voxels),
		cmocka_unit_test(targets_tell_who_is_of_one_body),
		cmocka_unit_test(both_targets_weigh_half),
		cmocka_unit_test(a_rare_target_is_not_blown_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
