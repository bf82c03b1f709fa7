// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/inspector/quality.c. */
#include "support/test.h"

#include "support/artefacts.h"
#include "support/sections.h"

extern const struct fx_node_type fx_node_inspector_quality;

enum { SECTIONS = 18, SIDE = 96 };

static const struct cut whole = { 1000, 1000, false };

/* What is wrong with each section of spoiled(). */
static const char *const truth[SECTIONS] = {
	[1] = "blank", [8] = "defocus", [10] = "noise",	    [11] = "charging",
	[13] = "fold", [14] = "blank",	[15] = "saturated", [17] = "duplicate"
};

static struct fx_block *spoiled(void)
{
	struct fx_block *v = artefacts_volume(SECTIONS, SIDE, SIDE, 4, 11);

	artefacts_grade(v, 1, 0, 100, 4);
	artefacts_grade(v, 5, 0.8, 10, 0);
	artefacts_blur(v, 8, 2, 4);
	artefacts_grade(v, 10, 1, 0, 16);
	artefacts_charge(v, 11, 60);
	artefacts_fold(v, 13, 9);
	artefacts_grade(v, 14, 0.02, 120, 5);
	artefacts_grade(v, 15, 1, 100, 0);
	memcpy(artefacts_section(v, 17), artefacts_section(v, 16), SIDE * SIDE);
	return v;
}

static const struct fx_record *record(const struct node_test *t, size_t i)
{
	const struct sent *s = node_test_get(t, "quality", FX_RECORD, i);

	return s ? s->message : NULL;
}

static void tells_what_is_wrong(void **unused)
{
	const char *const options[] = { "tiles=none", NULL };
	struct node_test *t = node_test_new(&fx_node_inspector_quality, options);
	struct fx_block *v = spoiled();

	(void)unused;
	sections_open(t, "image", v);
	for (int64_t z = 0; z < SECTIONS; z++) {
		sections_give(t, "image", v, z, whole);
		assert_int_equal(node_test_count(t, "quality", FX_RECORD), z < 4 ? 0 : z + 1);
	}
	for (size_t z = 0; z < SECTIONS; z++) {
		const struct fx_record *r = record(t, z);
		const char *said = fx_record_text(r, "verdict");

		assert_string_equal(r->kind, "quality");
		assert_true(fx_record_number(r, "section", -1) == (double)z);
		assert_true(fx_record_number(r, "version", -1) == 1);
		if (strcmp(said, truth[z] ? truth[z] : "good") != 0)
			fail_msg("section %zu is called %s", z, said);
		assert_true((fx_record_number(r, "badness", -1) >= 1) == !!truth[z]);
		assert_int_equal(r->region.lo[0], z);
		assert_int_equal(r->region.hi[2], SIDE);
	}
	assert_int_equal(node_test_drain(t), FX_OK);
	fx_block_free(v);
	node_test_free(t);
}

/* A stain on one of 16 parts: the record of the section names the place. */
static void a_bad_part_has_a_place(void **unused)
{
	const char *const options[] = { "tile=48", "tile_deviations=8", NULL };
	struct node_test *t = node_test_new(&fx_node_inspector_quality, options);
	struct fx_block *v = artefacts_volume(7, 2 * SIDE, 2 * SIDE, 4, 11);
	struct fx_block *stain = artefacts_volume(7, 2 * SIDE, 2 * SIDE, 4, 11);
	const struct fx_record *r;

	(void)unused;
	artefacts_blur(stain, 6, 3, 4);
	for (size_t y = 48; y < 96; y++)
		memcpy(artefacts_section(v, 6) + y * 192 + 144,
		       artefacts_section(stain, 6) + y * 192 + 144, 48);
	sections_open(t, "image", v);
	for (int64_t z = 0; z < 7; z++)
		sections_give(t, "image", v, z, whole);
	assert_int_equal(node_test_count(t, "quality", FX_RECORD), 8);
	r = record(t, 6);
	assert_true(fx_record_number(r, "tile", -1) == 7);
	assert_string_equal(fx_record_text(r, "verdict"), "defocus");
	r = record(t, 7);
	assert_true(fx_record_number(r, "tile", 0) == -1);
	assert_string_equal(fx_record_text(r, "verdict"), "defocus");
	assert_int_equal(r->region.lo[1], 48);
	assert_int_equal(r->region.hi[1], 96);
	assert_int_equal(r->region.lo[2], 144);
	assert_int_equal(r->region.hi[2], 192);
	fx_block_free(v);
	fx_block_free(stain);
	node_test_free(t);
}

/* Versions as acquire/watch sends them: no DONE, a record behind the tiles. */
static void takes_attempts(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_inspector_quality, NULL);
	struct fx_block *v = artefacts_volume(7, SIDE, SIDE, 4, 11);
	const struct fx_mark missing = sections_mark(v, FX_MARK_MISSING, 3);
	size_t n = 0;

	(void)unused;
	sections_open(t, "image", v);
	for (int64_t z = 0; z < 14; z++) {
		struct fx_record *r = fx_record_new("attempt");

		if (z == 6)
			artefacts_blur(v, 6, 2, 4);
		if (z == 4)
			assert_int_equal(node_test_mark(t, "image", &missing), FX_OK);
		sections_tiles(t, "image", v, z % 7, (struct cut){ 10, 20, z % 2 });
		r->region = sections_mark(v, FX_MARK_DONE, z % 7).region;
		assert_int_equal(fx_record_add_number(r, "version", (double)(z / 7 + 1)), FX_OK);
		assert_int_equal(node_test_record(t, "image", r), FX_OK);
	}
	for (size_t i = 0; i < node_test_sent_len(t); i++) {
		const struct sent *s = node_test_sent(t, i);
		const struct fx_record *r = s->message;

		if (s->kind == FX_RECORD && fx_record_number(r, "tile", 0) < 0) {
			assert_true(fx_record_number(r, "section", -1) == (double)(n % 7));
			assert_true(fx_record_number(r, "version", -1) == (double)(n / 7 + 1));
			assert_string_equal(fx_record_text(r, "verdict"),
					    n % 7 == 6 ? "defocus" : "good");
			n++;
		} else if (s->mark.kind == FX_MARK_MISSING) {
			assert_int_equal(n, 4);
		}
	}
	assert_int_equal(n, 14);
	fx_block_free(v);
	node_test_free(t);
}

/* What stays different is usual after a while. */
static void learns_anew(void **unused)
{
	const char *const options[] = { "relearn=3", "learn=2", "tiles=none", NULL };
	struct node_test *t = node_test_new(&fx_node_inspector_quality, options);
	struct fx_block *v = artefacts_volume(12, SIDE, SIDE, 4, 11);

	(void)unused;
	sections_open(t, "image", v);
	for (int64_t z = 0; z < 12; z++) {
		if (z >= 5)
			artefacts_blur(v, (size_t)z, 2, 4);
		sections_give(t, "image", v, z, whole);
	}
	assert_int_equal(node_test_count(t, "quality", FX_RECORD), 12);
	for (size_t z = 0; z < 12; z++)
		assert_string_equal(fx_record_text(record(t, z), "verdict"),
				    z >= 5 && z < 8 ? "defocus" : "good");
	fx_block_free(v);
	node_test_free(t);
}

static void another_life_says_the_same(void **unused)
{
	const char *const options[] = { "tile=32", "tiles=all", "learn=2", NULL };
	struct fx_block *v = artefacts_volume(6, 40, 70, 4, 5);

	(void)unused;
	artefacts_blur(v, 4, 3, 4);
	sections_check_lives(&fx_node_inspector_quality, options, v);
	fx_block_free(v);
}

static void refuses_other_voxels(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_inspector_quality, NULL);
	const struct fx_mark open = { .kind = FX_MARK_OPEN,
				      .region = { .hi = { 4, 4, 4 } },
				      .dtype = FX_F32 };

	(void)unused;
	assert_int_equal(node_test_mark(t, "image", &open), FX_ETYPE);
	assert_non_null(strstr(node_test_error(t), "a stream of f32, but this takes u8 and u16"));
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_what_is_wrong),
		cmocka_unit_test(a_bad_part_has_a_place),
		cmocka_unit_test(takes_attempts),
		cmocka_unit_test(learns_anew),
		cmocka_unit_test(another_life_says_the_same),
		cmocka_unit_test(refuses_other_voxels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
