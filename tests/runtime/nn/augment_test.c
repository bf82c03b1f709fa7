// SPDX-License-Identifier: Apache-2.0
/* Changes of training crops: symmetries, sections, grey values, and that labels go along. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "nn/augment.h"

enum { Z = 5, Y = 6, X = 7, N = Z * Y * X };

static const size_t crop_shape[3] = { Z, Y, X };

/* An image whose value at each voxel is that of its label. */
static void crop(float *image, uint32_t *labels)
{
	for (uint32_t i = 0; i < N; i++) {
		labels[i] = i + 1;
		image[i] = (float)labels[i];
	}
}

static void symmetries_are_48(void **unused)
{
	uint32_t seen[48];

	(void)unused;
	for (uint32_t k = 0; k < 48; k++) {
		const struct fx_symmetry s = fx_symmetry_get(k);

		/* each axis once */
		assert_int_equal(1 << s.from[0] | 1 << s.from[1] | 1 << s.from[2], 7);
		assert_true((s.from[0] == 0) == (k < 16));
		seen[k] = (uint32_t)(s.from[0] * 9 + s.from[1] * 3 + s.from[2]) << 3 |
			  (uint32_t)(s.flip[0] | s.flip[1] << 1 | s.flip[2] << 2);
		for (uint32_t j = 0; j < k; j++)
			assert_int_not_equal(seen[k], seen[j]);
		assert_true(k || seen[0] == 5 << 3); /* the identity: 0, 1, 2 and no flip */
	}
}

static void draws_are_even(void **unused)
{
	struct fx_pcg rng = fx_pcg_seed(4, 4);
	int z_first = 0;

	(void)unused;
	for (int i = 0; i < 3000; i++) {
		z_first += fx_symmetry_draw(true, &rng).from[0] == 0;
		assert_int_equal(fx_symmetry_draw(false, &rng).from[0], 0);
	}
	assert_in_range(z_first, 880, 1120);
}

/* Where labels are known they are those of the image's voxel. */
static void labels_go_along(void **unused)
{
	const struct fx_augment a = { .shift = 0.5, .shift_most = 2 };
	struct fx_pcg rng = fx_pcg_seed(8, 1);
	float image[N], scratch[N];
	uint32_t labels[N];
	int moved = 0, unknown = 0;

	(void)unused;
	for (int round = 0; round < 20; round++) {
		crop(image, labels);
		assert_int_equal(fx_augment(&a, image, labels, crop_shape, scratch, &rng), FX_OK);
		for (uint32_t i = 0; i < N; i++) {
			assert_true(labels[i] == 0 || image[i] == (float)labels[i]);
			assert_true(labels[i] == 0 || (labels[i] - 1) / (Y * X) == i / (Y * X));
			moved += labels[i] != 0 && labels[i] != i + 1;
			unknown += labels[i] == 0;
		}
	}
	assert_true(moved > 20 * N / 8 && unknown > 0 && unknown < 20 * N / 2);
}

static void lost_sections(void **unused)
{
	const struct fx_augment a = { .drop = 0.4 };
	struct fx_pcg rng = fx_pcg_seed(2, 1);
	float image[N], scratch[N];
	uint32_t labels[N];
	int lost = 0;

	(void)unused;
	for (int round = 0; round < 100; round++) {
		crop(image, labels);
		fx_augment(&a, image, labels, crop_shape, scratch, &rng);
		for (uint32_t z = 0; z < Z; z++) {
			const float first = image[z * Y * X], last = image[(z + 1) * Y * X - 1];

			assert_true(first == last || first == (float)(z * Y * X + 1));
			lost += first == last;
		}
		assert_int_equal(labels[N - 1], N);
	}
	assert_in_range(lost, 160, 240);
}

static void grey_values(void **unused)
{
	const struct fx_augment all = { .contrast = 0.3,
					.offset = 0.4,
					.gamma = 0.4,
					.noise = 0.2,
					.blur = 1 },
				linear = { .contrast = 0.3, .offset = 0.4 }, none = { 0 };
	struct fx_pcg rng = fx_pcg_seed(3, 1), again = rng;
	float one[N], two[N], scratch[N];
	uint32_t labels[N];

	(void)unused;
	crop(one, labels);
	crop(two, labels);
	fx_augment(&none, one, NULL, crop_shape, scratch, &rng);
	assert_memory_equal(one, two, sizeof one);
	rng = again;
	assert_int_equal(fx_augment(&all, one, labels, crop_shape, scratch, &rng), FX_OK);
	assert_int_equal(fx_augment(&all, two, labels, crop_shape, scratch, &again), FX_OK);
	assert_memory_equal(one, two, sizeof one);
	assert_int_equal(rng.state, again.state);
	for (int round = 0; round < 50; round++) {
		crop(one, labels);
		fx_augment(&linear, one, labels, crop_shape, scratch, &rng);
		assert_true(one[1] - one[0] > 0.76F && one[1] - one[0] < 1.31F);
		assert_true(fabsf(one[0] - (one[1] - one[0])) < 0.41F);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(symmetries_are_48), cmocka_unit_test(draws_are_even),
		cmocka_unit_test(labels_go_along),   cmocka_unit_test(lost_sections),
		cmocka_unit_test(grey_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
