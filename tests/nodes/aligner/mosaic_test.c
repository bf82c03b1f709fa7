// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/aligner/mosaic.c. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "support/mosaic.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_aligner_mosaic;

/* Options of one that makes sections, not attempts. */
#define SECTIONS(...) ((const char *const[]){ "-attempts", __VA_ARGS__, NULL })

enum { SIDE = 90, OVERLAP = 20, NEVER = -1 };

static struct fx_mark mark_of(const struct layout *l, enum fx_mark_kind kind, int64_t z)
{
	struct fx_mark m = { .kind = kind, .dtype = FX_U8, .voxel_nm = { 40, 8, 8 } };

	m.region.lo[0] = kind == FX_MARK_OPEN ? 0 : z;
	m.region.hi[0] = kind == FX_MARK_OPEN ? 0 : z + 1;
	for (int a = 0; a < 2; a++) {
		double end = 0;

		for (size_t i = 0; i < l->len; i++)
			end = fmax(end, l->nominal[i][a]);
		m.region.hi[1 + a] = (int64_t)ceil(end) + SIDE;
	}
	return m;
}

static int give_mark(struct node_test *t, const struct layout *l, enum fx_mark_kind kind, int64_t z)
{
	const struct fx_mark m = mark_of(l, kind, z);

	return node_test_mark(t, "tiles", &m);
}

static struct fx_record *record_of(const struct layout *l, size_t i, int64_t z, bool missing)
{
	struct fx_record *r = fx_record_new("tile");

	assert_non_null(r);
	r->region = mark_of(l, FX_MARK_DONE, z).region;
	fx_record_add_number(r, "section", (double)z);
	fx_record_add_number(r, "number", (double)z + 7);
	fx_record_add_number(r, "tile", (double)i);
	fx_record_add_number(r, "version", 1);
	fx_record_add_number(r, "y", l->nominal[i][0]);
	fx_record_add_number(r, "x", l->nominal[i][1]);
	if (missing) {
		fx_record_add_text(r, "missing", "never came");
	} else {
		fx_record_add_number(r, "height", SIDE);
		fx_record_add_number(r, "width", SIDE);
	}
	return r;
}

/* The rows of tile @p i from @p y on. */
static struct fx_block *rows_of(const struct layout *l, size_t i, int64_t z, size_t y, size_t rows)
{
	struct fx_block *b = fx_block_new(FX_U8, 1, rows, SIDE);

	assert_non_null(b);
	b->origin[0] = z;
	b->origin[1] = llround(l->nominal[i][0]) + (int64_t)y;
	b->origin[2] = llround(l->nominal[i][1]);
	memcpy(b->data, l->voxels[i] + y * SIDE, rows * SIDE);
	return b;
}

static void give_tile(struct node_test *t, const struct layout *l, size_t i, int64_t z)
{
	if (node_test_record(t, "tiles", record_of(l, i, z, false)) != FX_OK ||
	    node_test_block(t, "tiles", rows_of(l, i, z, 0, 50)) != FX_OK ||
	    node_test_block(t, "tiles", rows_of(l, i, z, 50, SIDE - 50)) != FX_OK)
		fail_msg("%s", node_test_error(t));
}

/* All tiles of a section, in a turned order, but @p missing. */
static void give_section(struct node_test *t, const struct layout *l, int64_t z, int missing)
{
	for (size_t k = 0; k < l->len; k++) {
		const size_t i = (k * 5 + 3) % l->len;

		if ((int)i == missing)
			assert_int_equal(node_test_record(t, "tiles", record_of(l, i, z, true)),
					 FX_OK);
		else
			give_tile(t, l, i, z);
	}
	if (give_mark(t, l, FX_MARK_DONE, z) != FX_OK)
		fail_msg("%s", node_test_error(t));
}

static const struct fx_record *place_record(struct node_test *t, const char *kind, size_t i)
{
	for (size_t k = 0; k < node_test_count(t, "places", FX_RECORD); k++) {
		const struct fx_record *r = node_test_get(t, "places", FX_RECORD, k)->message;

		if (strcmp(r->kind, kind) == 0 && !i--)
			return r;
	}
	fail_msg("no %s", kind);
	return NULL;
}

static void errors_told(struct node_test *t, const struct layout *l, double *median, double *most)
{
	double places[LAYOUT_MAX][2];

	for (size_t i = 0; i < l->len; i++) {
		const struct fx_record *r = place_record(t, "mosaic-tile", i);

		assert_true(fx_record_number(r, "tile", -1) == (double)i);
		places[i][0] = fx_record_number(r, "y", -1);
		places[i][1] = fx_record_number(r, "x", -1);
	}
	layout_errors(l, places, median, most);
}

/* Blocks and mark of one section: where tiles are, and how wrong voxels are on average, the picture
 * being moved by the mean error of the places. */
static double picture_error(struct node_test *t, const struct layout *l)
{
	double off[2] = { 0, 0 }, sum = 0, n = 0;

	for (size_t i = 0; i < l->len; i++) {
		const struct fx_record *r = place_record(t, "mosaic-tile", i);

		off[0] += (l->real[i][0] - fx_record_number(r, "y", 0)) / (double)l->len;
		off[1] += (l->real[i][1] - fx_record_number(r, "x", 0)) / (double)l->len;
	}
	for (size_t k = 0; k < node_test_count(t, "image", FX_BLOCK); k++) {
		const struct fx_block *b = node_test_get(t, "image", FX_BLOCK, k)->message;
		const uint8_t *v = b->data;

		for (size_t i = 0; i < fx_block_len(b); i++) {
			const double y = (double)b->origin[1] + (double)(i / b->shape[2]),
				     x = (double)(i % b->shape[2]);

			if (!v[i])
				continue; /* no tile there */
			sum += fabs(texture_at(3, y + off[0], x + off[1]) - v[i]);
			n++;
		}
	}
	assert_true(n > 10000);
	return sum / n;
}

static void sections_of_tiles(void **state)
{
	struct layout layouts[] = { layout_grid(2, 3, SIDE, OVERLAP), layout_hexagon(1, SIDE, 20) };

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct layout *const l = &layouts[k];
		struct node_test *t = node_test_new(&fx_node_aligner_mosaic, SECTIONS("tile=0.02"));
		const struct fx_record *r;
		double median, most;

		layout_image(l, 5, false, 0);
		give_mark(t, l, FX_MARK_OPEN, 0);
		give_section(t, l, 0, NEVER);
		errors_told(t, l, &median, &most);
		r = place_record(t, "mosaic", 0);
		if (median > 0.1 || most > 0.3 || picture_error(t, l) > 1.5)
			fail_msg("median %.3f, most %.3f voxels, grey %.2f", median, most,
				 picture_error(t, l));
		assert_true(fx_record_number(r, "tiles", 0) == (double)l->len &&
			    fx_record_number(r, "missing", -1) == 0 &&
			    fx_record_number(r, "number", -1) == 7 &&
			    fx_record_number(r, "residual_max", 9) < 1 &&
			    fx_record_number(r, "off_max", 0) > 1);
		assert_int_equal(node_test_get(t, "image", FX_NOTHING, 1)->mark.kind, FX_MARK_DONE);
		assert_true(node_test_count(t, "image", FX_BLOCK) > 1);
		node_test_free(t);
		layout_fini(l);
	}
}

/* Of a tile that never came the place stays empty, and the record says so. */
static void missing_tiles_are_holes(void **state)
{
	struct layout l = layout_grid(1, 3, SIDE, OVERLAP);
	struct node_test *t = node_test_new(&fx_node_aligner_mosaic, SECTIONS(NULL));
	const struct fx_block *b;

	(void)state;
	layout_image(&l, 3, false, 0);
	give_mark(t, &l, FX_MARK_OPEN, 0);
	give_section(t, &l, 4, 2);
	assert_true(fx_record_number(place_record(t, "mosaic", 0), "missing", 0) == 1);
	assert_string_equal(fx_record_text(place_record(t, "mosaic-tile", 2), "missing"),
			    "never came");
	b = node_test_get(t, "image", FX_BLOCK, 0)->message;
	assert_int_equal(b->origin[0], 4);
	for (size_t i = 0; i < fx_block_len(b); i++)
		if (i % b->shape[2] > 170 && ((const uint8_t *)b->data)[i])
			fail_msg("a voxel where no tile is");
	assert_int_equal(give_mark(t, &l, FX_MARK_MISSING, 5), FX_OK);
	give_tile(t, &l, 0, 6);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "image", FX_NOTHING), 4);
	assert_int_equal(node_test_get(t, "image", FX_NOTHING, 3)->mark.region.lo[0], 6);
	assert_int_equal(node_test_get(t, "image", FX_NOTHING, 3)->mark.kind, FX_MARK_MISSING);
	node_test_free(t);
	layout_fini(&l);
}

static struct node_test *live_in(const char *how, const char *memory)
{
	struct layout l = layout_grid(2, 2, SIDE, OVERLAP);
	struct node_test *t = node_test_new(&fx_node_aligner_mosaic, SECTIONS(memory, how));

	layout_image(&l, 4, false, 5);
	give_mark(t, &l, FX_MARK_OPEN, 0);
	give_section(t, &l, 0, NEVER);
	give_mark(t, &l, FX_MARK_MISSING, 1);
	give_tile(t, &l, 0, 2);
	give_section(t, &l, 2, 3); /* tile 0 again, in a newer version */
	give_tile(t, &l, 1, 3);
	layout_fini(&l);
	return t;
}

static struct node_test *live(const char *how)
{
	return live_in(how, "memory=512");
}

static void another_life_sends_the_same(void **state)
{
	struct node_test *t[3], *in_file = live_in(NULL, "memory=0");

	(void)state;
	node_test_lives(live, t);
	assert_int_equal(node_test_drain(in_file), FX_OK);
	node_test_same(t[0], in_file); /* tiles may lie in files */
	node_test_hostile(t[0]);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
	node_test_free(in_file);
}

static int give_attempt(struct node_test *t, const struct layout *l, int64_t z, int version)
{
	struct fx_record *r = fx_record_new("attempt");

	assert_non_null(r);
	r->region = mark_of(l, FX_MARK_DONE, z).region;
	fx_record_add_number(r, "section", (double)z);
	fx_record_add_number(r, "version", version);
	return node_test_record(t, "tiles", r);
}

static struct node_test *attempts(const char *how)
{
	struct layout l = layout_grid(1, 2, SIDE, OVERLAP);
	struct node_test *t = node_test_new(&fx_node_aligner_mosaic,
					    (const char *const[]){ "-image", how, NULL });

	layout_image(&l, 4, false, 5);
	give_mark(t, &l, FX_MARK_OPEN, 0);
	for (int64_t i = 0; i < 6; i++) {
		const int64_t z = i < 2 ? 0 : i < 4 ? 2 : 0; /* tiles of 0, of 2, of 0 once more */

		if (i == 5) /* the newer one is dark */
			memset(l.voxels[1], 1, (size_t)SIDE * SIDE);
		give_tile(t, &l, (size_t)(i % 2), z);
		if (i % 2)
			assert_int_equal(give_attempt(t, &l, z, i == 5 ? 2 : 1), FX_OK);
		if (i == 1)
			give_mark(t, &l, FX_MARK_MISSING, 1);
	}
	layout_fini(&l);
	return t;
}

/* Every attempt of a section is made of its tiles, as sections are; the record follows. */
static void attempts_are_made_as_they_come(void **state)
{
	static const int64_t want[3][2] = { { 0, 1 }, { 2, 1 }, { 0, 2 } }; /* section, version */
	struct node_test *t[3];
	const struct fx_block *b[3];

	(void)state;
	node_test_lives(attempts, t);
	assert_int_equal(node_test_count(t[0], "attempts", FX_RECORD), 3);
	assert_int_equal(node_test_count(t[0], "attempts", FX_BLOCK), 3);
	assert_int_equal(node_test_count(t[0], "attempts", FX_NOTHING), 2); /* OPEN, MISSING */
	for (size_t i = 0; i < 3; i++) {
		const struct fx_record *r = node_test_get(t[0], "attempts", FX_RECORD, i)->message;

		b[i] = node_test_get(t[0], "attempts", FX_BLOCK, i)->message;
		assert_string_equal(r->kind, "attempt");
		assert_true(fx_record_number(r, "version", -1) == (double)want[i][1] &&
			    r->region.lo[0] == want[i][0] && b[i]->origin[0] == want[i][0]);
		assert_true(fx_record_number(place_record(t[0], "mosaic", i), "version", -1) ==
			    (double)want[i][1]);
	}
	assert_memory_equal(b[0]->data, b[1]->data, fx_block_size(b[0]));
	assert_memory_not_equal(b[0]->data, b[2]->data, fx_block_size(b[0]));
	node_test_hostile(t[0]);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

static struct node_test *opened(const struct layout *l)
{
	struct node_test *t = node_test_new(&fx_node_aligner_mosaic, SECTIONS(NULL));

	assert_int_equal(give_mark(t, l, FX_MARK_OPEN, 0), FX_OK);
	return t;
}

static void bad_streams_are_one_sentence(void **state)
{
	struct layout l = layout_grid(1, 2, SIDE, OVERLAP);
	struct node_test *t = node_test_new(&fx_node_aligner_mosaic, SECTIONS(NULL));

	(void)state;
	layout_image(&l, 3, false, 0);
	node_test_block(t, "tiles", rows_of(&l, 0, 0, 0, 5));
	node_test_fails(t, "before the stream is opened");
	t = opened(&l);
	node_test_block(t, "tiles", rows_of(&l, 0, 0, 0, 5));
	node_test_fails(t, "without a record of their tile");
	t = opened(&l);
	node_test_record(t, "tiles", record_of(&l, 0, 0, false));
	node_test_block(t, "tiles", fx_block_new(FX_U8, 1, SIDE + 1, SIDE));
	node_test_fails(t, "tile 0 of section 0: 91 x 90 u8 do not fit to 90 x 90 u8");
	t = opened(&l);
	node_test_record(t, "tiles", record_of(&l, 0, 0, false));
	node_test_block(t, "tiles", rows_of(&l, 0, 0, 0, 5));
	node_test_record(t, "tiles", record_of(&l, 1, 0, false));
	node_test_fails(t, "tile 0 of section 0 is not whole");
	t = opened(&l);
	give_tile(t, &l, 0, 0);
	node_test_record(t, "tiles", record_of(&l, 1, 1, false));
	node_test_fails(t, "a tile of section 1 before section 0 is done");
	t = opened(&l);
	give_mark(t, &l, FX_MARK_DONE, 3);
	node_test_fails(t, "section 3 is done, but it has no tiles");
	t = opened(&l);
	node_test_record(t, "tiles", fx_record_new("else"));
	node_test_fails(t, "a record else of section 0 that is not of a tile");
	t = opened(&l);
	give_mark(t, &l, FX_MARK_OPEN, 0);
	node_test_fails(t, "opened twice");
	t = opened(&l);
	give_tile(t, &l, 0, 0);
	give_attempt(t, &l, 0, 1);
	node_test_fails(t, "the output image needs tiles of sections");
	t = node_test_new(&fx_node_aligner_mosaic, NULL);
	give_mark(t, &l, FX_MARK_OPEN, 0);
	give_tile(t, &l, 0, 0);
	give_mark(t, &l, FX_MARK_DONE, 0);
	node_test_fails(t, "the output attempts needs attempts of tiles");
	t = node_test_new(&fx_node_aligner_mosaic, (const char *const[]){ "-image", NULL });
	give_mark(t, &l, FX_MARK_OPEN, 0);
	give_attempt(t, &l, 3, 1);
	node_test_fails(t, "an attempt of section 3 has no tiles");
	layout_fini(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sections_of_tiles),
		cmocka_unit_test(missing_tiles_are_holes),
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(attempts_are_made_as_they_come),
		cmocka_unit_test(bad_streams_are_one_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
