// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/pixelfit.c: it learns, and goes on after a break to the same bytes. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/file.h"
#include "support/images.h"
#include "support/pixels.h"

static const double voxel[3] = { 40, 8, 8 };
static const struct fx_pixelfit_data nothing;

struct place {
	char *folder; /* owned */
	float rows[2][PIXELS_ROWS * FX_FEATURES], aside[2][PIXELS_ROWS * FX_FEATURES];
	struct fx_pixelfit_data data, aside_data;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	assert_non_null(p);
	omp_set_num_threads(1); /* more would wait for each other most of the time */
	p->folder = test_tmp_dir();
	p->data = pixels_data(p->rows, 1);
	p->aside_data = pixels_data(p->aside, 2);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	fx_remove_tree(p->folder, NULL);
	free(p->folder);
	free(p);
	return 0;
}

static struct fx_pixelfit begin(const struct fx_pixelfit_spec *spec)
{
	struct fx_pixelfit f = { 0 };
	struct fx_error err = { 0 };

	if (fx_pixelfit_init(&f, spec, &err) < 0)
		fail_msg("%s", err.text);
	return f;
}

static void save(const struct fx_pixelfit *f, const char *path, bool going_on)
{
	struct fx_error err = { 0 };

	if (fx_pixelfit_save(f, path, going_on, voxel, "of a test", &err) < 0)
		fail_msg("%s", err.text);
}

static void learns_and_rates(void **state)
{
	struct place *p = *state;
	const struct fx_pixelfit_spec spec = pixels_spec(p->data);
	struct fx_pixelfit f = begin(&spec);
	struct fx_pixelfit_score before, after;

	assert_int_equal(fx_pixelfit_rate(&f, &p->aside_data, &before, NULL), FX_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(fx_pixelfit_go(&f, 50, &p->aside_data, NULL), FX_OK);
	assert_int_equal(f.points_len, 4);
	assert_true(f.points[3].step >= 200 && f.points[3].step <= 200);
	assert_true(f.points[3].loss < 0.6 * f.points[0].loss);
	after = f.points[3].aside;
	assert_true(after.loss < 0.5 * before.loss);
	assert_true(after.auc > 0.95 && after.auc <= 1);
	assert_true(fx_pixelfit_run(&f, 10) <= 0); /* there are no more steps */
	fx_pixelfit_fini(&f);
}

/* With half the rows of kind 1 as kind 0, by pairs. */
static void auc_is_the_share_of_right_pairs(void **state)
{
	struct place *p = *state;
	const struct fx_pixelfit_spec spec = pixels_spec(p->data);
	struct fx_pixelfit f = begin(&spec);
	struct fx_pixelfit_score score;
	const struct fx_pixelfit_data same = { { p->rows[0], p->rows[0] }, { 50, 50 } };

	fx_pixelfit_run(&f, 100);
	assert_int_equal(fx_pixelfit_rate(&f, &same, &score, NULL), FX_OK);
	assert_true(fabs(score.auc - 0.5) < 1e-9);
	fx_pixelfit_fini(&f);
}

static void goes_on_to_the_same_bytes(void **state)
{
	struct place *p = *state;
	const struct fx_pixelfit_spec spec = pixels_spec(p->data);
	struct fx_pixelfit whole = begin(&spec), half = begin(&spec), rest = begin(&spec);
	const char *broken = test_path(p->folder, "half"), *a = test_path(p->folder, "a"),
		   *b = test_path(p->folder, "b");
	struct fx_error err = { 0 };

	fx_pixelfit_go(&whole, 100, &p->aside_data, NULL);
	fx_pixelfit_run(&whole, 5);
	fx_pixelfit_go(&whole, 95, &nothing, NULL);
	assert_true(isnan(whole.points[1].aside.loss));
	save(&whole, a, false);
	fx_pixelfit_go(&half, 100, &p->aside_data, NULL);
	save(&half, broken, true);
	if (fx_pixelfit_resume(&rest, broken, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rest.optim.step, 100);
	assert_int_equal(rest.points_len, 1);
	omp_set_num_threads(2);
	fx_pixelfit_run(&rest, 5);
	omp_set_num_threads(1);
	fx_pixelfit_go(&rest, 95, &nothing, NULL);
	save(&rest, b, false);
	test_same_files(a, b);
	fx_pixelfit_fini(&whole);
	fx_pixelfit_fini(&half);
	fx_pixelfit_fini(&rest);
}

static void other_checkpoints_are_refused(void **state)
{
	struct place *p = *state;
	struct fx_pixelfit_spec spec = pixels_spec(p->data);
	struct fx_pixelfit f = begin(&spec), other;
	const char *path = test_path(p->folder, "checkpoint");
	const float first = f.net->weights[0];
	struct fx_error err = { 0 };

	assert_int_equal(fx_pixelfit_resume(&f, path, &err), FX_ENOENT);
	spec.seed++;
	other = begin(&spec);
	save(&other, path, true);
	assert_int_equal(fx_pixelfit_resume(&f, path, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "of another training"));
	save(&f, path, false); /* a model, no checkpoint */
	assert_int_equal(fx_pixelfit_resume(&f, path, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "opt.m."));
	test_write_file(path, "nonsense", 8);
	assert_int_equal(fx_pixelfit_resume(&f, path, &err), FX_ETYPE);
	assert_true(f.net->weights[0] >= first && f.net->weights[0] <= first);
	assert_int_equal(f.optim.step, 0);
	fx_pixelfit_fini(&f);
	fx_pixelfit_fini(&other);
}

static void rows_of_one_kind_are_refused(void **state)
{
	struct place *p = *state;
	struct fx_pixelfit_spec spec = pixels_spec(p->data);
	struct fx_pixelfit f = { 0 };
	struct fx_error err = { 0 };

	spec.data.len[1] = 0;
	assert_int_equal(fx_pixelfit_init(&f, &spec, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "300 voxels inside of bodies and 0 at boundaries"));
	fx_pixelfit_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(learns_and_rates, setup, teardown),
		cmocka_unit_test_setup_teardown(auc_is_the_share_of_right_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_to_the_same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(other_checkpoints_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(rows_of_one_kind_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
