// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/crops.c. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "nn/crops.h"
#include "support/tissue.h"

enum { Z = 24, Y = 28, X = 32, LEN = Z * Y * X, SIDE = 12, CROP = SIDE * SIDE * SIDE };

struct place {
	float image[LEN];
	uint32_t labels[LEN];
	struct fx_crop_source source;
	struct fx_crop_spec spec;
	struct fx_crop crop;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	const size_t shape[3] = { Z, Y, X };

	assert_non_null(p);
	tissue_fill(p->image, p->labels, shape, 3);
	p->source = (struct fx_crop_source){ p->image, p->labels, { Z, Y, X }, 1 };
	p->spec = (struct fx_crop_spec){ .side = { SIDE, SIDE, SIDE },
					 .voxel_nm = { 8, 8, 8 },
					 .mean = 0.5,
					 .sd = 0.25,
					 .cubic = true };
	assert_int_equal(fx_crop_init(&p->crop, &p->spec), FX_OK);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	fx_crop_fini(&p->crop);
	free(p);
	return 0;
}

static size_t at(size_t z, size_t y, size_t x)
{
	return (z * Y + y) * X + x;
}

/* By looking for the nearest voxel of another body. */
static double depth(const struct place *p, int z, int y, int x)
{
	double best = HUGE_VAL;

	for (int c = 0; c < Z; c++)
		for (int b = 0; b < Y; b++)
			for (int a = 0; a < X; a++)
				if (p->labels[at((size_t)c, (size_t)b, (size_t)a)] !=
				    p->labels[at((size_t)z, (size_t)y, (size_t)x)])
					best = fmin(best, (c - z) * (c - z) + (b - y) * (b - y) +
								  (a - x) * (a - x));
	return tanh(sqrt(best) / 6);
}

static void a_crop_is_what_is_there(void **state)
{
	struct place *p = *state;
	struct fx_crop *c = &p->crop;
	const double middle[3] = { 11.5, 13.5, 15.5 };
	size_t i = 0;

	assert_int_equal(fx_crop_get(c, &p->spec, &p->source, middle), FX_OK);
	for (size_t z = 6; z < 18; z++)
		for (size_t y = 8; y < 20; y++)
			for (size_t x = 10; x < 22; x++, i++) {
				const uint32_t own = p->labels[at(z, y, x)];
				const float *near = &c->target[FX_HEAD_AFFINITY][3 * i],
					    *far = &c->target[FX_HEAD_LONG][6 * i];

				assert_true(fabsf(c->image[i] -
						  (p->image[at(z, y, x)] - 0.5F) * 4) < 1e-5F);
				assert_int_equal((int)near[0], own == p->labels[at(z - 1, y, x)]);
				assert_int_equal((int)near[1], own == p->labels[at(z, y - 1, x)]);
				assert_int_equal((int)near[2], own == p->labels[at(z, y, x - 1)]);
				assert_int_equal((int)far[1], own == p->labels[at(z, y - 4, x)]);
				/* 10 lower may be beyond the margin of 8 */
				assert_int_equal(c->weight[FX_HEAD_LONG][6 * i + 5] > 0, x >= 12);
				assert_true(x < 12 || (far[5] > 0.5F) ==
							      (own == p->labels[at(z, y, x - 10)]));
				/* eroded bodies: never more than the whole ones */
				assert_true(c->target[FX_HEAD_ERODED][3 * i] <= near[0]);
			}
	i = (size_t)(5 * SIDE + 6) * SIDE + 7;
	assert_true(fabs((double)c->target[FX_HEAD_DISTANCE][i] - depth(p, 11, 14, 17)) < 1e-5);
}

static void the_same_numbers_draw_the_same_crop(void **state)
{
	struct place *p = *state;
	struct fx_pcg a = fx_pcg_seed(1, 2), b = a;
	float image[CROP], target[CROP * 6];

	p->spec.warped = 1;
	p->spec.scale = 0.2;
	p->spec.bend = 1;
	p->spec.augment = (struct fx_augment){
		.contrast = 0.3, .noise = 0.1, .blur = 1, .drop = 0.1, .shift = 0.1, .shift_most = 2
	};
	assert_int_equal(fx_crop_draw(&p->crop, &p->spec, &p->source, 1, &a), FX_OK);
	memcpy(image, p->crop.image, sizeof image);
	memcpy(target, p->crop.target[FX_HEAD_LONG], sizeof target);
	assert_int_equal(fx_crop_draw(&p->crop, &p->spec, &p->source, 1, &a), FX_OK);
	assert_memory_not_equal(image, p->crop.image, sizeof image);
	assert_int_equal(fx_crop_draw(&p->crop, &p->spec, &p->source, 1, &b), FX_OK);
	assert_memory_equal(image, p->crop.image, sizeof image);
	assert_memory_equal(target, p->crop.target[FX_HEAD_LONG], sizeof target);
}

/* In the toy tissue dark means beside another body: however a crop is turned, a voxel that is cut
 * off a neighbour is dark. */
static void image_and_labels_turn_together(void **state)
{
	struct place *p = *state;
	size_t cut = 0, dark = 0;

	for (uint64_t k = 0; k < 12; k++) {
		struct fx_pcg rng = fx_pcg_seed(4, k);
		const float *near = p->crop.target[FX_HEAD_AFFINITY],
			    *weight = p->crop.weight[FX_HEAD_AFFINITY];

		p->spec.warped = k < 6 ? 0 : 1;
		assert_int_equal(fx_crop_draw(&p->crop, &p->spec, &p->source, 1, &rng), FX_OK);
		for (size_t i = 0; i < 3 * CROP; i++)
			if (weight[i] > 0 && near[i] < 0.5F) {
				cut++;
				dark += p->crop.image[i / 3] < 0;
				assert_true(k >= 6 || p->crop.image[i / 3] < 0);
			}
	}
	assert_true(cut > 1000);
	assert_true((double)dark > 0.9 * (double)cut);
}

static void thick_sections_keep_their_axis(void **state)
{
	struct place *p = *state;

	/* brightness tells the section */
	for (size_t i = 0; i < LEN; i++)
		p->image[i] = (float)(i / (Y * X));
	p->spec.cubic = false;
	p->spec.warped = 0.5;
	for (uint64_t k = 0; k < 10; k++) {
		struct fx_pcg rng = fx_pcg_seed(5, k);

		assert_int_equal(fx_crop_draw(&p->crop, &p->spec, &p->source, 1, &rng), FX_OK);
		for (size_t i = 0; i < CROP; i++)
			assert_true(fabsf(p->crop.image[i] -
					  p->crop.image[i / (SIDE * SIDE) * SIDE * SIDE]) < 1e-3F);
	}
}

static void a_share_of_the_crops_is_of_each_source(void **state)
{
	struct place *p = *state;
	float *white = calloc(LEN, sizeof *white);
	struct fx_crop_source two[2] = { p->source, p->source };
	int of_white = 0;

	assert_non_null(white);
	for (size_t i = 0; i < LEN; i++)
		white[i] = 7;
	two[0].share = 0.75;
	two[1].share = 0.25;
	two[1].image = white;
	for (uint64_t k = 0; k < 80; k++) {
		struct fx_pcg rng = fx_pcg_seed(6, k);

		assert_int_equal(fx_crop_draw(&p->crop, &p->spec, two, 2, &rng), FX_OK);
		of_white += p->crop.image[0] > 20;
	}
	assert_true(of_white > 8 && of_white < 32);
	free(white);
}

static void a_volume_may_be_smaller_than_a_crop(void **state)
{
	struct place *p = *state;
	struct fx_crop_source thin = { p->image, p->labels, { 1, 3, X }, 1 };
	struct fx_pcg rng = fx_pcg_seed(7, 0);
	double known = 0;

	p->spec.warped = 1;
	assert_int_equal(fx_crop_draw(&p->crop, &p->spec, &thin, 1, &rng), FX_OK);
	for (size_t i = 0; i < CROP; i++) {
		assert_true(isfinite(p->crop.image[i]));
		known += (double)p->crop.weight[FX_HEAD_DISTANCE][i];
	}
	assert_true(known > 0 && known < CROP / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_crop_is_what_is_there, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_numbers_draw_the_same_crop, setup,
						teardown),
		cmocka_unit_test_setup_teardown(image_and_labels_turn_together, setup, teardown),
		cmocka_unit_test_setup_teardown(thick_sections_keep_their_axis, setup, teardown),
		cmocka_unit_test_setup_teardown(a_share_of_the_crops_is_of_each_source, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_volume_may_be_smaller_than_a_crop, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
