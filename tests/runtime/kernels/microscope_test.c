// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/microscope.c: what happens to which section. */
#include "support/test.h"

#include <math.h>
#include <string.h>

#include "kernels/microscope.h"

enum { SECTIONS = 20000 };

static struct fx_microscope_spec rates(double rate)
{
	return (struct fx_microscope_spec){ .seed = 5,
					    .height = 300,
					    .width = 400,
					    .drift = 1,
					    .rotation = 1,
					    .affine = 0.01,
					    .brightness = 0.05,
					    .defocus = rate,
					    .charging = rate,
					    .folds = rate,
					    .blank = rate,
					    .missing = rate,
					    .duplicate = rate };
}

/* @p found of SECTIONS is a part @p rate, within 4 deviations of chance. */
static void as_often(const char *what, int found, double rate)
{
	const double wanted = rate * SECTIONS, deviation = sqrt(wanted * (1 - rate));

	if (fabs(found - wanted) > 4 * deviation)
		fail_msg("%s: %d times, but %.0f were wanted", what, found, wanted);
}

static void rates_are_kept(void **unused)
{
	const double rate = 0.03;
	struct fx_microscope m = { .spec = rates(rate) };
	int missing = 0, blank = 0, defocus = 0, charging = 0, folded = 0, twice = 0, partly = 0;

	(void)unused;
	for (int64_t z = 0; z < SECTIONS; z++) {
		struct fx_microscope_shot s;

		fx_microscope_shoot(&m, z, 1, &s);
		missing += s.missing;
		blank += s.blank;
		defocus += s.defocus > 0;
		partly += s.partly;
		charging += s.charging > 0;
		folded += s.folded;
		twice += s.imaged != z;
		assert_true(s.imaged == z || (s.imaged == z - 1 && !s.missing));
		assert_true(!s.blank || (!s.folded && s.defocus == 0 && s.charging == 0));
	}
	as_often("missing", missing, rate);
	as_often("blank", blank, rate);
	as_often("defocus", defocus, rate * (1 - rate));
	as_often("charging", charging, rate * (1 - rate));
	as_often("folded", folded, rate * (1 - rate));
	as_often("twice", twice, rate * (1 - rate) * (1 - rate) * (1 - rate));
	assert_true(partly > defocus / 3 && partly < defocus * 2 / 3);
}

static bool same_place(const struct fx_microscope_shot *a, const struct fx_microscope_shot *b)
{
	return memcmp(a->affine, b->affine, sizeof a->affine) == 0;
}

static void order_and_other_rates_change_nothing(void **unused)
{
	struct fx_microscope m = { .spec = rates(0.2) }, other = { .spec = rates(0.2) };
	struct fx_microscope_shot a[40], b;

	(void)unused;
	other.spec.defocus = other.spec.blank = 0;
	for (int64_t z = 0; z < 40; z++)
		fx_microscope_shoot(&m, z, 1, a + z);
	for (int64_t z = 39; z >= 0; z--) {
		fx_microscope_shoot(&m, z, 1, &b);
		assert_memory_equal(a + z, &b, sizeof b);
		fx_microscope_shoot(&other, z, 1, &b);
		assert_true(same_place(a + z, &b) && a[z].key == b.key);
		assert_true(a[z].blank ||
			    (a[z].charging <= b.charging && a[z].charging >= b.charging));
	}
	other.spec = rates(0.2);
	other.spec.seed = 6;
	fx_microscope_shoot(&other, 3, 1, &b);
	assert_false(same_place(a + 3, &b));
}

static void again_is_the_same_place_and_other_luck(void **unused)
{
	struct fx_microscope m = { .spec = rates(0.5) };
	int better = 0, folds = 0;

	(void)unused;
	for (int64_t z = 0; z < 60; z++) {
		struct fx_microscope_shot a, b;

		fx_microscope_shoot(&m, z, 2, &a);
		fx_microscope_shoot(&m, z, 3, &b);
		assert_true(a.imaged == z && b.imaged == z);
		assert_true(same_place(&a, &b) && a.missing == b.missing && a.key != b.key);
		better += a.defocus > 0 && b.defocus == 0;
		folds += a.folded && b.folded;
		if (a.folded && b.folded)
			assert_memory_equal(&a.fold, &b.fold, sizeof a.fold);
	}
	assert_true(better > 3 && folds > 3);
}

static void a_duplicate_is_the_one_before_in_all(void **unused)
{
	struct fx_microscope m = { .spec = rates(0.3) };
	int found = 0;

	(void)unused;
	for (int64_t z = 1; z < 60; z++) {
		struct fx_microscope_shot a, b;

		fx_microscope_shoot(&m, z - 1, 1, &a);
		fx_microscope_shoot(&m, z, 1, &b);
		if (b.imaged == z)
			continue;
		assert_false(a.missing);
		assert_int_equal(a.imaged, z - 1);
		a.section = z;
		assert_memory_equal(&a, &b, sizeof a);
		found++;
	}
	assert_true(found > 3);
}

/* The walk has steps of the deviation asked for, and it is the place of the middle. */
static void geometry_is_as_asked_for(void **unused)
{
	struct fx_microscope m = { .spec = rates(0) };
	double last[2] = { 0 }, steps = 0, turns = 0;
	const double middle[2] = { 149.5, 199.5 };

	(void)unused;
	for (int64_t z = 0; z < 2000; z++) {
		struct fx_microscope_shot s;
		double at[2];

		fx_microscope_shoot(&m, z, 1, &s);
		for (int i = 0; i < 2; i++) {
			at[i] = s.affine[i][0] * middle[0] + s.affine[i][1] * middle[1] +
				s.affine[i][2] - middle[i];
			steps += (at[i] - last[i]) * (at[i] - last[i]) / 4000;
			last[i] = at[i];
		}
		turns += pow((s.affine[1][0] - s.affine[0][1]) / 2, 2) / 2000;
	}
	assert_true(fabs(sqrt(steps) - 1) < 0.05);
	assert_true(fabs(sqrt(turns) - sqrt(pow(0.0174533, 2) + 0.00005)) < 0.001);
}

static void wrong_numbers_are_refused(void **unused)
{
	struct fx_microscope_spec s = rates(0.1);
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_microscope_check(&s, &err), FX_OK);
	s.folds = 1.5;
	assert_int_equal(fx_microscope_check(&s, &err), FX_EINVAL);
	assert_string_equal(err.text, "folds is 1.5: 0 to 1 are possible");
	s.folds = (double)NAN;
	assert_int_equal(fx_microscope_check(&s, &err), FX_EINVAL);
	s = rates(0);
	s.width = (size_t)1 << 40;
	assert_int_equal(fx_microscope_check(&s, &err), FX_EINVAL);
	s.width = 0;
	assert_int_equal(fx_microscope_check(&s, &err), FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_are_kept),
		cmocka_unit_test(order_and_other_rates_change_nothing),
		cmocka_unit_test(again_is_the_same_place_and_other_luck),
		cmocka_unit_test(a_duplicate_is_the_one_before_in_all),
		cmocka_unit_test(geometry_is_as_asked_for),
		cmocka_unit_test(wrong_numbers_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
