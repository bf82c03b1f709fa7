// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/nn/unetfit.c, unetfit_rate.c and unetfit_spec.c: a small network learns, and goes
 * on after a break to the same bytes. */
#include "support/test.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "nn/unetfit_priv.h"
#include "support/images.h"
#include "support/tissue.h"

enum { Z = 20, Y = 48, X = 56, LEN = Z * Y * X };

struct place {
	char *folder; /* owned */
	float image[LEN];
	uint32_t labels[LEN], aside[LEN];
	struct fx_unetfit_spec spec;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);
	const size_t shape[3] = { Z, Y, X };

	assert_non_null(p);
	omp_set_num_threads(1); /* more would wait for each other most of the time */
	p->folder = test_tmp_dir();
	tissue_fill(p->image, p->labels, shape, 3);
	for (size_t i = 0; i < LEN; i++)
		if (i / (Y * X) >= 14) {
			p->aside[i] = p->labels[i];
			p->labels[i] = 0;
		}
	p->spec = (struct fx_unetfit_spec){
		.sources = { { p->image, p->labels, { Z, Y, X }, 1 } },
		.sources_len = 1,
		.aside = { p->image, p->aside, { Z, Y, X }, 1 },
		.aside_lo = 14,
		.aside_hi = 20,
		.crop = { .side = { 12, 12, 12 },
			  .voxel_nm = { 8, 8, 8 },
			  .cubic = true,
			  .warped = 0.5,
			  .bend = 0.5,
			  .augment = { .contrast = 0.1, .noise = 0.1 } },
		.width = { 8, 8 },
		.levels = 2,
		.batch = 2,
		.steps = 40,
		.warmup = 4,
		.seed = 1,
		.rate = 0.01,
	};
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

static struct fx_unetfit begin(const struct fx_unetfit_spec *spec)
{
	struct fx_unetfit f = { 0 };
	struct fx_error err = { 0 };

	if (fx_unetfit_init(&f, spec, &err) < 0)
		fail_msg("%s", err.text);
	return f;
}

static void step(struct fx_unetfit *f, int steps)
{
	for (int i = 0; i < steps; i++)
		assert_int_equal(fx_unetfit_step(f, NULL), FX_OK);
}

static void save(const struct fx_unetfit *f, const char *path, bool going_on)
{
	struct fx_error err = { 0 };

	if (fx_unetfit_save(f, path, going_on, "of a test", &err) < 0)
		fail_msg("%s", err.text);
}

static void assert_same_files(const char *a, const char *b)
{
	void *one, *two;
	size_t size, other;

	assert_int_equal(fx_file_read(a, 1 << 24, &one, &size, NULL), FX_OK);
	assert_int_equal(fx_file_read(b, 1 << 24, &two, &other, NULL), FX_OK);
	assert_int_equal(size, other);
	assert_memory_equal(one, two, size);
	free(one);
	free(two);
}

static void learns_and_rates(void **state)
{
	struct place *p = *state;
	struct fx_unetfit f = begin(&p->spec);
	const struct fx_unetfit_point *first = &f.points[0], *last = &f.points[1];

	assert_int_equal(fx_unetfit_rate(&f, NULL), FX_OK);
	step(&f, 40);
	assert_int_equal(fx_unetfit_rate(&f, NULL), FX_OK);
	assert_int_equal(f.points_len, 2);
	assert_true(last->step >= 40 && last->step <= 40);
	assert_true(isnan(first->loss)); /* of no step */
	assert_true(last->loss < 0.6 * first->aside_loss);
	assert_true(last->aside_loss < 0.6 * first->aside_loss);
	fx_unetfit_fini(&f);
}

static NN_REAL *weights_of(struct fx_nn *net, const char *name)
{
	const struct fx_nn_param *p = fx_nn_param(net, name);

	assert_non_null(p);
	return net->weights + p->at;
}

/* A network that passes brightness on: heads are @p gain times what is brighter than the mean, plus
 * @p bias. */
static void pass_brightness(struct fx_unetfit *f, NN_REAL gain, NN_REAL bias)
{
	static const char *const heads[] = { "affinity", "eroded", "distance" };
	struct fx_nn *net = f->lanes[0].net;
	char name[32];

	memset(net->weights, 0, net->weights_len * sizeof *net->weights);
	weights_of(net, "stem.weight")[13] = 1; /* the middle of channel 0 */
	for (size_t h = 0; h < 3; h++)
		for (size_t c = 0; c < (h < 2 ? 3 : 1); c++) {
			snprintf(name, sizeof name, "%s.weight", heads[h]);
			weights_of(net, name)[c * 8] = gain;
			snprintf(name, sizeof name, "%s.bias", heads[h]);
			weights_of(net, name)[c] = bias;
		}
	fx_nn_touch(net);
	fx_unetfit_spread(f);
}

/* Dark borders are worth 0.55: thresholds above that merge all. */
static void rates_what_the_network_says(void **state)
{
	struct place *p = *state;
	struct fx_unetfit f, blind;
	double all_one;

	p->spec.levels = 1;
	f = begin(&p->spec);
	pass_brightness(&f, 20, -0.2F);
	omp_set_num_threads(2);
	assert_int_equal(fx_unetfit_rate(&f, NULL), FX_OK);
	blind = begin(&p->spec);
	pass_brightness(&blind, 0, 5);
	assert_int_equal(fx_unetfit_rate(&blind, NULL), FX_OK);
	all_one = blind.points[0].aside_voi; /* the entropy of the truth */
	assert_true(all_one > 2.5);
	assert_true(f.points[0].aside_voi < 0.5 * all_one);
	assert_true(f.points[0].threshold < 0.55);
	fx_unetfit_fini(&f);
	fx_unetfit_fini(&blind);
}

static void goes_on_to_the_same_bytes_with_any_threads(void **state)
{
	struct place *p = *state;
	struct fx_unetfit whole = begin(&p->spec), half = begin(&p->spec), rest = begin(&p->spec);
	const char *broken = test_path(p->folder, "half"), *a = test_path(p->folder, "a"),
		   *b = test_path(p->folder, "b");
	struct fx_error err = { 0 };

	step(&whole, 3);
	assert_int_equal(fx_unetfit_rate(&whole, NULL), FX_OK);
	step(&whole, 3);
	assert_int_equal(fx_unetfit_rate(&whole, NULL), FX_OK);
	save(&whole, a, false);
	step(&half, 3);
	assert_int_equal(fx_unetfit_rate(&half, NULL), FX_OK);
	step(&half, 1);
	save(&half, broken, true);
	omp_set_num_threads(2);
	if (fx_unetfit_resume(&rest, broken, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(rest.optim.step, 4);
	assert_int_equal(rest.points_len, 1);
	step(&rest, 2);
	assert_int_equal(fx_unetfit_rate(&rest, NULL), FX_OK);
	save(&rest, b, false);
	assert_same_files(a, b);
	fx_unetfit_fini(&whole);
	fx_unetfit_fini(&half);
	fx_unetfit_fini(&rest);
}

static void other_checkpoints_are_refused(void **state)
{
	struct place *p = *state;
	struct fx_unetfit f = begin(&p->spec), g;
	struct fx_unetfit_spec other = p->spec;
	const char *path = test_path(p->folder, "c");
	struct fx_error err = { 0 };

	assert_int_equal(fx_unetfit_resume(&f, path, &err), FX_ENOENT);
	save(&f, path, true);
	other.rate *= 2;
	g = begin(&other);
	assert_int_equal(fx_unetfit_resume(&g, path, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "of another training"));
	test_write_file(path, "nonsense", 8);
	assert_int_equal(fx_unetfit_resume(&f, path, &err), FX_ETYPE);
	fx_unetfit_fini(&f);
	fx_unetfit_fini(&g);
}

static void begins_with_given_weights(void **state)
{
	struct place *p = *state;
	struct fx_unetfit f = begin(&p->spec), g;
	struct fx_unetfit_spec other = p->spec;
	const char *path = test_path(p->folder, "d");
	struct fx_error err = { 0 };
	char run[sizeof f.run];

	step(&f, 8);
	assert_int_equal(fx_unetfit_rate(&f, NULL), FX_OK);
	save(&f, path, false);
	other.seed = 9;
	g = begin(&other);
	memcpy(run, g.run, sizeof run);
	if (fx_unetfit_start(&g, path, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_not_equal(g.run, run);
	assert_memory_equal(g.lanes[0].net->weights, g.lanes[1].net->weights,
			    g.lanes[0].net->weights_len * sizeof(NN_REAL));
	assert_int_equal(fx_unetfit_rate(&g, NULL), FX_OK);
	assert_true(fabs(g.points[0].aside_loss - f.points[0].aside_loss) < 1e-6);
	fx_unetfit_fini(&g);
	other.width[1] = 16;
	g = begin(&other);
	assert_int_equal(fx_unetfit_start(&g, path, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "is trained"));
	fx_unetfit_fini(&f);
	fx_unetfit_fini(&g);
}

static void curves_are_drawn(void **state)
{
	struct place *p = *state;
	struct fx_unetfit f = { .points_len = 2,
				.points = { { 1, 2, 2, 3, 0.5 }, { 2, 1, 1, 2, 0.5 } } };
	const char *path = test_path(p->folder, "c.png");
	void *data;
	size_t size;

	assert_int_equal(fx_unetfit_draw(&f, path, NULL), FX_OK);
	assert_int_equal(fx_file_read(path, 1 << 24, &data, &size, NULL), FX_OK);
	assert_memory_equal(data, "\x89PNG", 4);
	free(data);
}

static void bad_settings_are_told(void **state)
{
	static const char *const widths[] = { "", "8 x", "0", "8 9999", "1 1 1 1 1 1 1" };
	struct place *p = *state;
	struct fx_unetfit f = { 0 };
	struct fx_error err = { 0 };

	for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
		assert_int_equal(fx_unetfit_width(&p->spec, widths[i], &err), FX_EINVAL);
	assert_int_equal(fx_unetfit_width(&p->spec, "4 8 16", &err), FX_OK);
	assert_int_equal(p->spec.levels, 3);
	assert_int_equal(p->spec.width[2], 16);
	p->spec.crop.side[1] = 10;
	assert_int_equal(fx_unetfit_init(&f, &p->spec, &err), FX_EINVAL);
	assert_string_equal(err.text, "crops of 12 10 12 voxels: a network of 3 levels wants "
				      "multiples of 4 4 4");
	fx_unetfit_fini(&f);
	p->spec.crop.side[1] = 12;
	memset(p->labels, 0, sizeof p->labels);
	assert_int_equal(fx_unetfit_init(&f, &p->spec, &err), FX_EINVAL);
	assert_string_equal(err.text, "volume 1 has no labels to learn from");
	fx_unetfit_fini(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(learns_and_rates, setup, teardown),
		cmocka_unit_test_setup_teardown(rates_what_the_network_says, setup, teardown),
		cmocka_unit_test_setup_teardown(goes_on_to_the_same_bytes_with_any_threads, setup,
						teardown),
		cmocka_unit_test_setup_teardown(other_checkpoints_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(begins_with_given_weights, setup, teardown),
		cmocka_unit_test_setup_teardown(curves_are_drawn, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_settings_are_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
