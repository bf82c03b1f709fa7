// SPDX-License-Identifier: Apache-2.0
/* Tests how many of the artefacts of a simulated microscope nodes/inspector/quality.c finds, and
 * how many that it tells of are there, on a phantom and on real sections. With FORNIX_FIGURES set,
 * on larger sections, and prints the table of docs/inspect.md. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/microscope.h"
#include "kernels/phantom.h"
#include "support/fib25.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_inspector_quality;

enum { SIDE_MAX = 250, KINDS = 6 };
enum kind { GOOD, DEFOCUS, CHARGING, FOLD, BLANK, DUPLICATE };

static const char *const names[KINDS] = { "good", "defocus", "charging",
					  "fold", "blank",   "duplicate" };

/* How much is looked at: little for a test, all for figures. */
struct size {
	size_t sections, side;
};

static struct size size_of(size_t sections, size_t side)
{
	const bool all = getenv("FORNIX_FIGURES") != NULL;

	return (struct size){ all ? SIDE_MAX : sections, all ? SIDE_MAX : side };
}

/* How often each kind was there, was called by its name, was called bad; how often a name was
 * given. */
struct table {
	int there[KINDS], named[KINDS], bad[KINDS], called[KINDS], right[KINDS];
	int good_called_bad;
};

/* What matters of a shot, the plainest first; a blur or streaks that nobody sees do not count. */
static enum kind kind_of(const struct fx_microscope_shot *s)
{
	return s->imaged != s->section ? DUPLICATE :
	       s->blank		       ? BLANK :
	       s->folded	       ? FOLD :
	       s->defocus > 0	       ? DEFOCUS :
	       s->charging > 0	       ? CHARGING :
					 GOOD;
}

static bool has(const struct fx_microscope_shot *s, enum kind k)
{
	return k == DEFOCUS   ? s->defocus > 0 :
	       k == CHARGING  ? s->charging > 0 :
	       k == FOLD      ? s->folded :
	       k == BLANK     ? s->blank :
	       k == DUPLICATE ? s->imaged != s->section :
				kind_of(s) == GOOD;
}

static enum kind called(const char *verdict)
{
	for (int k = 1; k < KINDS; k++)
		if (strcmp(verdict, names[k]) == 0)
			return (enum kind)k;
	return GOOD; /* noise, saturated: nothing of that was done */
}

static void count(struct table *t, const struct fx_microscope_shot *s, const char *verdict)
{
	const enum kind is = kind_of(s), said = called(verdict);
	const bool bad = strcmp(verdict, "good") != 0;

	t->there[is]++;
	t->named[is] += said == is;
	t->bad[is] += bad;
	t->good_called_bad += is == GOOD && bad;
	if (bad) {
		t->called[said]++;
		t->right[said] += said != GOOD && has(s, said);
	}
}

static void give(struct node_test *t, const struct fx_microscope_shot *s, const uint8_t *volume,
		 size_t z, size_t n)
{
	uint8_t *section = malloc(n * n);
	struct fx_specimen specimen = { section, FX_U8, n, n, NULL };
	const struct fx_mark done = { .kind = FX_MARK_DONE,
				      .region = { { (int64_t)z, 0, 0 },
						  { (int64_t)z + 1, (int64_t)n, (int64_t)n } } };
	struct fx_block *b = fx_block_new(FX_U8, 1, n, n);
	struct fx_error err = { 0 };

	assert_true(b && section);
	for (size_t y = 0; y < n; y++)
		memcpy(section + y * n, volume + ((size_t)s->imaged * SIDE_MAX + y) * SIDE_MAX, n);
	b->origin[0] = (int64_t)z;
	if (fx_microscope_expose(s, &specimen, (double[2]){ 0, 0 }, (size_t[2]){ n, n }, 0, b->data,
				 &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(node_test_block(t, "image", b), FX_OK);
	assert_int_equal(node_test_mark(t, "image", &done), FX_OK);
	fx_specimen_fini(&specimen);
	free(section);
}

static void run(struct table *table, const uint8_t *volume, struct size size)
{
	const size_t n = size.side;
	struct fx_microscope m = { .spec = { .seed = 1,
					     .height = n,
					     .width = n,
					     .drift = 0.5,
					     .rotation = 0.2,
					     .affine = 0.002,
					     .brightness = 0.03,
					     .noise = 4,
					     .defocus = 0.08,
					     .charging = 0.08,
					     .folds = 0.05,
					     .blank = 0.03,
					     .duplicate = 0.03 } };
	const char *const options[] = { "tiles=none", NULL };
	struct node_test *t = node_test_new(&fx_node_inspector_quality, options);
	const struct fx_mark open = { .kind = FX_MARK_OPEN,
				      .region = { .hi = { (int64_t)size.sections, (int64_t)n,
							  (int64_t)n } },
				      .voxel_nm = { 8, 8, 8 },
				      .dtype = FX_U8 };
	struct fx_microscope_shot shots[SIDE_MAX];

	assert_int_equal(node_test_mark(t, "image", &open), FX_OK);
	for (size_t z = 0; z < size.sections; z++) {
		fx_microscope_shoot(&m, (int64_t)z, 1, &shots[z]);
		give(t, &shots[z], volume, z, n);
	}
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "quality", FX_RECORD), size.sections);
	for (size_t z = 0; z < size.sections; z++) {
		const struct fx_record *r = node_test_get(t, "quality", FX_RECORD, z)->message;

		count(table, &shots[z], fx_record_text(r, "verdict"));
	}
	node_test_free(t);
}

/* Most that is there is found, and nearly all that is called bad is. */
static void expect(const struct table *t)
{
	int there = 0, found = 0, called_bad = 0, right = 0;

	for (int k = 1; k < KINDS; k++) {
		there += t->there[k];
		found += t->bad[k];
		called_bad += t->called[k];
		right += t->right[k];
	}
	assert_true(there >= 8);
	assert_true(found * 100 >= there * 80);
	assert_true(right * 100 >= called_bad * 85);
	assert_true(t->good_called_bad * 100 <= t->there[GOOD] * 3);
	assert_int_equal(t->bad[BLANK], t->there[BLANK]);
	assert_int_equal(t->bad[DUPLICATE], t->there[DUPLICATE]);
}

static void print(const char *what, const struct table *t)
{
	for (int k = 1; k < KINDS && getenv("FORNIX_FIGURES"); k++)
		print_message("%s: %-9s there %2d, found %3.0f %%, called so %3.0f %%; called %2d, "
			      "right %3.0f %%\n",
			      what, names[k], t->there[k],
			      100.0 * t->bad[k] / (t->there[k] ? t->there[k] : 1),
			      100.0 * t->named[k] / (t->there[k] ? t->there[k] : 1), t->called[k],
			      100.0 * t->right[k] / (t->called[k] ? t->called[k] : 1));
	print_message("%s: %d good, %d called bad\n", what, t->there[GOOD], t->good_called_bad);
}

static void on_a_phantom(void **unused)
{
	const struct fx_phantom_spec spec = { .height = SIDE_MAX,
					      .width = SIDE_MAX,
					      .voxel_nm = { 8, 8, 8 },
					      .spacing_nm = 250,
					      .slope = 1,
					      .branch_nm = 5000,
					      .end_nm = 5000,
					      .mitochondria = 1,
					      .vesicles = 1,
					      .noise = 4,
					      .jitter = 1,
					      .node_nm = 100,
					      .piece_len = 1000,
					      .seed = 5 };
	const struct size size = size_of(64, 128);
	uint8_t *volume = malloc(size.sections * SIDE_MAX * SIDE_MAX);
	struct table table = { 0 };
	struct fx_error err = { 0 };
	struct fx_phantom *p;

	(void)unused;
	assert_non_null(volume);
	assert_int_equal(fx_phantom_new(&spec, &p, &err), FX_OK);
	for (size_t z = 0; z < size.sections; z++) {
		uint8_t *section = volume + z * SIDE_MAX * SIDE_MAX;

		assert_int_equal(fx_phantom_next(p, &err), FX_OK);
		assert_int_equal(
			fx_phantom_render(p, 0, 0, SIDE_MAX, SIDE_MAX, section, NULL, &err), FX_OK);
	}
	run(&table, volume, size);
	print("phantom", &table);
	expect(&table);
	fx_phantom_free(p);
	free(volume);
}

static void on_real_sections(void **unused)
{
	const char *data = test_data_dir();
	const struct size size = size_of(36, SIDE_MAX);
	struct table table = { 0 };
	uint8_t *volume;

	(void)unused;
	if (!data)
		test_skip("sections of FIB-25");
	volume = fib25_grey(data);
	run(&table, volume, size);
	print("FIB-25", &table);
	expect(&table);
	free(volume);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_a_phantom),
		cmocka_unit_test(on_real_sections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
