// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/inspector/tissue.c. */
#include "support/test.h"

#include "support/artefacts.h"
#include "support/sections.h"

extern const struct fx_node_type fx_node_inspector_tissue;

enum { SECTIONS = 3, SIDE = 240, RESIN = 72, VESSEL = 40, SPOT = 9 };

enum place { TISSUE, OUTSIDE, INSIDE };

/* What is at a place: resin on the left, a vessel, and a spot as small as a neurite. */
static enum place place_of(size_t y, size_t x)
{
	const double from_vessel = hypot((double)y - 120, (double)x - 160),
		     from_spot = hypot((double)y - 40, (double)x - 200);

	return x < RESIN ? OUTSIDE : from_vessel < VESSEL || from_spot < SPOT ? INSIDE : TISSUE;
}

/* How far it is from being anything else. */
static bool is_sure(size_t y, size_t x)
{
	const double from_vessel = hypot((double)y - 120, (double)x - 160);

	return fabs((double)x - RESIN) > 20 && fabs(from_vessel - VESSEL) > 20;
}

static struct fx_block *scene(void)
{
	struct fx_block *v = artefacts_volume(SECTIONS, SIDE, SIDE, 5, 31);
	uint64_t seed = 1;

	for (size_t i = 0; i < fx_block_len(v); i++)
		if (place_of(i / SIDE % SIDE, i % SIDE) != TISSUE)
			((uint8_t *)v->data)[i] = artefacts_grey(190 + 5 * artefacts_normal(&seed));
	return v;
}

static void check(const char *exclude, bool outside, bool large)
{
	const char *const options[] = { exclude, "radius=160", NULL };
	struct fx_block *v = scene();
	struct fx_block *mask = sections_run(&fx_node_inspector_tissue, options, v, FX_U8,
					     (struct cut){ 50, 70, true });

	for (size_t i = 0; i < fx_block_len(mask); i++) {
		const size_t y = i / SIDE % SIDE, x = i % SIDE;
		const bool want = x < RESIN					   ? outside :
				  hypot((double)y - 120, (double)x - 160) < VESSEL ? large :
										     false;

		if (is_sure(y, x) && ((const uint8_t *)mask->data)[i] != want)
			fail_msg("%s: y %zu x %zu is %d", exclude, y, x, !want);
	}
	fx_block_free(mask);
	fx_block_free(v);
}

static void masks_what_is_asked_for(void **unused)
{
	(void)unused;
	check("exclude=both", true, true);
	check("exclude=outside", true, false);
	check("exclude=large", false, true);
}

static void tells_shares(void **unused)
{
	const char *const options[] = { "radius=160", NULL };
	struct node_test *t = node_test_new(&fx_node_inspector_tissue, options);
	struct fx_block *v = scene();
	const struct fx_record *r;

	(void)unused;
	sections_open(t, "image", v);
	sections_give(t, "image", v, 0, (struct cut){ 100, 1000, false });
	assert_int_equal(node_test_count(t, "records", FX_RECORD), 1);
	r = node_test_get(t, "records", FX_RECORD, 0)->message;
	assert_string_equal(r->kind, "tissue");
	assert_true(fabs(fx_record_number(r, "outside", 0) - 0.3) < 0.05);
	assert_true(fabs(fx_record_number(r, "large", 0) - 0.075) < 0.03);
	assert_int_equal(
		((const struct fx_block *)node_test_get(t, "mask", FX_BLOCK, 0)->message)->role,
		FX_MASK);
	node_test_free(t);
	fx_block_free(v);
}

/* A section of resin alone is no tissue, since sections before told what tissue is. */
static void learns_from_sections_before(void **unused)
{
	struct fx_block *v = artefacts_volume(5, SIDE, SIDE, 5, 31), *mask;
	uint64_t seed = 1;

	(void)unused;
	for (size_t i = 4 * SIDE * SIDE; i < fx_block_len(v); i++)
		((uint8_t *)v->data)[i] = artefacts_grey(190 + 5 * artefacts_normal(&seed));
	mask = sections_run(&fx_node_inspector_tissue, NULL, v, FX_U8,
			    (struct cut){ 1000, 1000, false });
	for (size_t i = 0; i < fx_block_len(mask); i++)
		assert_int_equal(((const uint8_t *)mask->data)[i], i >= 4 * SIDE * SIDE);
	fx_block_free(mask);
	fx_block_free(v);
}

static void another_life_sends_the_same(void **unused)
{
	struct fx_block *v = artefacts_volume(6, 40, 70, 4, 5);

	(void)unused;
	sections_check_lives(&fx_node_inspector_tissue, NULL, v);
	fx_block_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks_what_is_asked_for),
		cmocka_unit_test(tells_shares),
		cmocka_unit_test(learns_from_sections_before),
		cmocka_unit_test(another_life_sends_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
