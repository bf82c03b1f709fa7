// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/warp.c. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "kernels/warp.h"

enum { Z = 7, Y = 9, X = 11, LEN = Z * Y * X, SIDE = 5, BOX = SIDE * SIDE * SIDE };
static const size_t shape[3] = { Z, Y, X }, size[3] = { SIDE, SIDE, SIDE };
static const struct fx_warp still = { .at = { 3, 4, 5 },
				      .turn = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };

struct volumes {
	float image[LEN];
	uint32_t labels[LEN];
};

static struct volumes random_volumes(void)
{
	struct volumes v;
	uint64_t seed = 5;

	for (size_t i = 0; i < LEN; i++) {
		v.image[i] = (float)(test_random(&seed) % 1000) / 1000;
		v.labels[i] = (uint32_t)(test_random(&seed) % 50) + 1;
	}
	return v;
}

static size_t at(int z, int y, int x)
{
	return (size_t)((z * Y + y) * X + x);
}

static void unmoved_it_is_the_box_around_the_middle(void **unused)
{
	const struct volumes v = random_volumes();
	float image[BOX];
	uint32_t labels[BOX];
	size_t i = 0;

	(void)unused;
	fx_warp_image(image, size, v.image, shape, &still);
	fx_warp_labels(labels, size, v.labels, shape, &still);
	for (int z = 1; z < 6; z++)
		for (int y = 2; y < 7; y++)
			for (int x = 3; x < 8; x++, i++) {
				assert_true(fabsf(image[i] - v.image[at(z, y, x)]) < 1e-6F);
				assert_int_equal(labels[i], v.labels[at(z, y, x)]);
			}
}

/* Result z runs along source x, result x along source z backwards. */
static void turned_and_doubled(void **unused)
{
	const struct volumes v = random_volumes();
	struct fx_warp w = { .at = { 3, 4, 5 },
			     .turn = { { 0, 0, -1 }, { 0, 1, 0 }, { 2, 0, 0 } } };
	float image[BOX];
	uint32_t labels[BOX];
	size_t i = 0;

	(void)unused;
	fx_warp_image(image, size, v.image, shape, &w);
	fx_warp_labels(labels, size, v.labels, shape, &w);
	for (int z = -2; z <= 2; z++)
		for (int y = -2; y <= 2; y++)
			for (int x = -2; x <= 2; x++, i++) {
				assert_true(fabsf(image[i] - v.image[at(3 - x, 4 + y, 5 + 2 * z)]) <
					    1e-6F);
				assert_int_equal(labels[i], v.labels[at(3 - x, 4 + y, 5 + 2 * z)]);
			}
}

static void between_voxels_it_is_linear(void **unused)
{
	struct volumes v = random_volumes();
	struct fx_warp w = still;
	float image[BOX];

	(void)unused;
	for (int z = 0; z < Z; z++)
		for (int y = 0; y < Y; y++)
			for (int x = 0; x < X; x++)
				v.image[at(z, y, x)] = (float)(z + 2 * y - 3 * x);
	w.at[0] += 0.25;
	w.at[2] -= 0.5;
	fx_warp_image(image, size, v.image, shape, &w);
	assert_true(fabsf(image[BOX / 2] - (3.25F + 8 - 13.5F)) < 1e-5F);
}

static void labels_are_of_the_nearest_voxel(void **unused)
{
	const struct volumes v = random_volumes();
	struct fx_warp w = still;
	uint32_t labels[BOX];

	(void)unused;
	w.at[0] += 0.4;
	w.at[1] += 0.6;
	w.at[2] -= 0.6;
	fx_warp_labels(labels, size, v.labels, shape, &w);
	assert_int_equal(labels[BOX / 2], v.labels[at(3, 5, 4)]);
	assert_int_equal(labels[0], v.labels[at(1, 3, 2)]);
}

/* The nodes' displacement counts in full at the nodes and in equal parts between them. */
static void bends(void **unused)
{
	struct volumes v = random_volumes();
	struct fx_warp w = still;
	float image[BOX];

	(void)unused;
	for (int z = 0; z < Z; z++)
		for (int y = 0; y < Y; y++)
			for (int x = 0; x < X; x++)
				v.image[at(z, y, x)] = (float)x;
	w.bend[0][0][4][2] = 2; /* the corner of the last x: SIDE voxels, as many nodes */
	fx_warp_image(image, size, v.image, shape, &w);
	assert_true(fabsf(image[4] - 9) < 1e-5F);
	assert_true(fabsf(image[3] - 6) < 1e-5F);
	assert_true(fabsf(image[SIDE + 4] - 7) < 1e-5F);
	fx_warp_image(image, (const size_t[]){ 1, 1, 9 }, v.image, shape, &w);
	assert_true(fabsf(image[8] - 11) < 1.1F); /* one voxel thick: the first nodes count */
	assert_true(fabsf(image[7] - 9) < 1e-5F); /* half way: 5 + 3 + 1 */
}

static void outside_is_the_nearest_face_and_no_label(void **unused)
{
	const struct volumes v = random_volumes();
	struct fx_warp w = still;
	float image[BOX];
	uint32_t labels[BOX];

	(void)unused;
	w.at[0] = -9;
	fx_warp_image(image, size, v.image, shape, &w);
	fx_warp_labels(labels, size, v.labels, shape, &w);
	for (size_t i = 0; i < BOX; i++) {
		const int y = (int)(i / SIDE % SIDE) + 2, x = (int)(i % SIDE) + 3;

		assert_true(fabsf(image[i] - v.image[at(0, y, x)]) < 1e-6F);
		assert_int_equal(labels[i], 0);
	}
	w.at[0] = (double)NAN;
	fx_warp_labels(labels, size, v.labels, shape, &w);
	assert_int_equal(labels[0], 0);
}

static void threads_change_nothing(void **unused)
{
	const struct volumes v = random_volumes();
	struct fx_warp w = still;
	float one[BOX], two[BOX];

	(void)unused;
	w.turn[0][1] = 0.3;
	w.bend[2][1][3][0] = 1.5F;
	omp_set_num_threads(1);
	fx_warp_image(one, size, v.image, shape, &w);
	omp_set_num_threads(2);
	fx_warp_image(two, size, v.image, shape, &w);
	assert_memory_equal(one, two, sizeof one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unmoved_it_is_the_box_around_the_middle),
		cmocka_unit_test(turned_and_doubled),
		cmocka_unit_test(between_voxels_it_is_linear),
		cmocka_unit_test(labels_are_of_the_nearest_voxel),
		cmocka_unit_test(bends),
		cmocka_unit_test(outside_is_the_nearest_face_and_no_label),
		cmocka_unit_test(threads_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
