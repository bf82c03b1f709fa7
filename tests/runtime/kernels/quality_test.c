// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/quality.c. */
#include "support/test.h"

#include "kernels/quality.h"

#include "support/artefacts.h"

enum { SIDE = 120 };

static struct fx_quality measure(const struct fx_block *v, size_t parts)
{
	struct fx_quality_sums sums = { 0 };
	struct fx_quality q;

	for (size_t i = 0; i < parts; i++) {
		const struct fx_picture p = { .voxels = v->data,
					      .dtype = v->dtype,
					      .stride = v->shape[2],
					      .x = i * v->shape[2] / parts,
					      .height = v->shape[1],
					      .width = v->shape[2] / parts };

		fx_quality_count(&sums, &p);
	}
	fx_quality_measure(&q, &sums);
	return q;
}

static void tells_noise_from_structure(void **unused)
{
	static const double noises[] = { 4, 8, 16 };

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct fx_block *v = artefacts_volume(1, SIDE, SIDE, noises[i], 5);
		const struct fx_quality q = measure(v, 1);

		assert_true(fabs(sqrt(q.noise) - noises[i]) < 0.12 * noises[i]);
		assert_true(fabs(q.signal - 900) < 180);
		assert_true(fabs(q.mean - 128) < 4);
		fx_block_free(v);
	}
}

static void focus_falls_with_blur_alone(void **unused)
{
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 3, 5);
	const double sharp = measure(v, 1).focus;
	double last = sharp;

	(void)unused;
	artefacts_grade(v, 0, 0.6, 20, 12);
	assert_true(fabs(measure(v, 1).focus - sharp) < 0.06 * sharp);
	for (int i = 0; i < 3; i++) {
		double focus;

		artefacts_blur(v, 0, 1.2, 3);
		focus = measure(v, 1).focus;
		assert_true(focus < 0.9 * last);
		last = focus;
	}
	fx_block_free(v);
}

static void stripes_are_of_rows(void **unused)
{
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 3, 5);
	const struct fx_quality good = measure(v, 1);
	struct fx_quality q;

	(void)unused;
	artefacts_charge(v, 0, 40);
	q = measure(v, 1);
	assert_true(q.stripes > 4 * good.stripes);
	assert_true(fabs(q.noise - good.noise) < 0.2 * good.noise);
	fx_block_free(v);
}

/* One short streak on one row. */
static void a_streak_begins_sharply(void **unused)
{
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 3, 5);
	const double good = measure(v, 1).streak;

	(void)unused;
	for (size_t x = 30; x < 80; x++)
		artefacts_section(v, 0)[50 * SIDE + x] =
			artefacts_grey(artefacts_section(v, 0)[50 * SIDE + x] + 40.0);
	assert_true(good > 1.5 && measure(v, 1).streak > 2 * good);
	fx_block_free(v);
}

static void extremes_are_counted(void **unused)
{
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 3, 5);
	struct fx_quality q;

	(void)unused;
	memset(v->data, 0, SIDE * SIDE / 4);
	memset((uint8_t *)v->data + SIDE * SIDE / 2, 255, SIDE * SIDE / 8);
	q = measure(v, 1);
	assert_true(fabs(q.low - 0.25) < 0.001 && fabs(q.high - 0.125) < 0.001);
	memset(v->data, 9, SIDE * SIDE);
	q = measure(v, 1);
	assert_true(q.focus == 0 && q.snr <= 1 && q.sd == 0 && q.mean == 9);
	fx_block_free(v);
}

/* u16 is u8 times 257 but for a factor, and parts add up to nearly the whole. */
static void types_and_parts_agree(void **unused)
{
	struct fx_block *v = artefacts_volume(1, SIDE, SIDE, 3, 5),
			*w = fx_block_new(FX_U16, 1, SIDE, SIDE);
	const struct fx_quality a = measure(v, 1), parts = measure(v, 3);
	struct fx_quality b;

	(void)unused;
	assert_non_null(w);
	for (size_t i = 0; i < SIDE * SIDE; i++)
		((uint16_t *)w->data)[i] = (uint16_t)(((uint8_t *)v->data)[i] * 257);
	b = measure(w, 1);
	assert_true(fabs(a.focus - b.focus) < 1e-9 && fabs(a.snr - b.snr) < 1e-6 * a.snr);
	assert_true(fabs(b.noise - a.noise * 257 * 257) < 1e-6 * b.noise);
	assert_true(fabs(a.focus - parts.focus) < 0.03 && a.mean == parts.mean);
	fx_block_free(v);
	fx_block_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_noise_from_structure),
		cmocka_unit_test(focus_falls_with_blur_alone),
		cmocka_unit_test(stripes_are_of_rows),
		cmocka_unit_test(a_streak_begins_sharply),
		cmocka_unit_test(extremes_are_counted),
		cmocka_unit_test(types_and_parts_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
