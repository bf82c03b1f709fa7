// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/agglomerator/boundary.c. */
#include "support/test.h"

#include <string.h>

#include "support/node_test.h"

extern const struct fx_node_type fx_node_agglomerator_boundary;

/* A line of labels at x, a digit each; of evidence, a tenth of the range each. */
static struct fx_block *line(int64_t x, const char *digits, enum fx_role role)
{
	const size_t n = strlen(digits);
	struct fx_block *b = fx_block_new(role == FX_LABELS ? FX_U64 : FX_U8, 1, 1, n);

	b->role = role;
	b->origin[2] = x;
	for (size_t i = 0; i < n; i++)
		if (role == FX_LABELS)
			((uint64_t *)b->data)[i] = (uint64_t)(digits[i] - '0');
		else
			((uint8_t *)b->data)[i] = (uint8_t)((digits[i] - '0') * 25);
	return b;
}

static void give_mark(struct node_test *t, const char *port, enum fx_mark_kind kind)
{
	const struct fx_mark m = { .kind = kind,
				   .region.hi = { 1, 1, 12 },
				   .voxel_nm = { 8, 8, 8 },
				   .dtype = strcmp(port, "labels") == 0 ? FX_U64 : FX_U8 };

	node_test_mark(t, port, &m);
	assert_int_equal(node_test_result(t), FX_OK);
}

static void give_rows(struct node_test *t, const char *kind, const uint64_t *rows, size_t n)
{
	struct fx_record *r = fx_record_new(kind);

	assert_int_equal(fx_record_table(r, n, 2), FX_OK);
	memcpy(r->table, rows, 2 * n * sizeof *rows);
	assert_int_equal(node_test_record(t, "labels", r), FX_OK);
}

/* 1 and 2 are one, by a stitcher; 3 touches 2 by a weak, 4 touches 3 by a strong boundary; 6 by a
 * weak one over the face between the blocks; 5 is alone. */
static struct node_test *live_with(const char *lives, bool stitched)
{
	static const uint64_t equal[2] = { 1, 2 },
			      final[12] = { 1, 1, 2, 1, 3, 2, 4, 3, 5, 4, 6, 5 };
	const char *const options[] = { "threshold=0.5", lives, NULL };
	struct node_test *t = node_test_new(&fx_node_agglomerator_boundary, options);

	give_mark(t, "labels", FX_MARK_OPEN);
	node_test_block(t, "labels", line(0, "112334", FX_LABELS));
	if (stitched)
		give_rows(t, "equivalence", equal, 1);
	node_test_block(t, "labels", line(6, "660550", FX_LABELS));
	give_mark(t, "evidence", FX_MARK_OPEN);
	node_test_block(t, "evidence", line(6, "100000", FX_PROBABILITY));
	node_test_block(t, "evidence", line(0, "102098", FX_PROBABILITY));
	give_mark(t, "evidence", FX_MARK_DONE);
	give_mark(t, "labels", FX_MARK_DONE);
	if (stitched)
		give_rows(t, "final-ids", final, 6);
	return t;
}

static struct node_test *live(const char *lives)
{
	return live_with(lives, true);
}

static const struct fx_record *record(const struct node_test *t, const char *port, size_t i)
{
	const struct sent *s = node_test_get(t, port, FX_RECORD, i);

	assert_non_null(s);
	return s->message;
}

static void merges_and_final_ids_are_told(void **unused)
{
	static const uint64_t edits[2] = { 1, 3 }, merges[6] = { 1, 2, 195313, 1, 3, 2 },
			      final[12] = { 1, 1, 2, 1, 3, 1, 4, 2, 5, 3, 6, 4 };
	struct node_test *t = live(NULL);
	const struct fx_record *r;

	(void)unused;
	assert_int_equal(node_test_sent(t, 0)->mark.kind, FX_MARK_OPEN);
	assert_int_equal(node_test_sent(t, 0)->mark.dtype, FX_U64);
	assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 2);
	assert_int_equal(node_test_count(t, "labels", FX_RECORD), 1);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "labels", FX_RECORD), 3);
	assert_string_equal(record(t, "labels", 0)->kind, "equivalence"); /* the stitcher's */
	r = record(t, "labels", 1);
	assert_string_equal(r->kind, "equivalence");
	assert_int_equal(r->rows, 1);
	assert_memory_equal(r->table, edits, sizeof edits);
	r = record(t, "labels", 2);
	assert_string_equal(r->kind, "final-ids");
	assert_int_equal(r->rows, 6);
	assert_memory_equal(r->table, final, sizeof final);
	r = record(t, "merges", 0);
	assert_string_equal(fx_record_text(r, "columns"), "a b score_ppm faces a_voxels b_voxels");
	assert_int_equal(r->rows, 1);
	assert_memory_equal(r->table, merges, sizeof merges);
	node_test_free(t);
}

/* Without a stitcher ids are what they are: 1 and 2 touch by a weak boundary. */
static void works_without_a_stitcher(void **unused)
{
	static const uint64_t final[12] = { 1, 1, 2, 1, 3, 1, 4, 2, 5, 3, 6, 4 };
	struct node_test *t = live_with(NULL, false);
	const struct fx_record *r;

	(void)unused;
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(record(t, "merges", 0)->rows, 2);
	r = record(t, "labels", 1);
	assert_string_equal(r->kind, "final-ids");
	assert_memory_equal(r->table, final, sizeof final);
	node_test_free(t);
}

static void another_life_sends_the_same(void **unused)
{
	struct node_test *t[3];

	(void)unused;
	node_test_lives(live, t);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

static void what_it_saved_is_checked(void **unused)
{
	const char *const options[] = { "+saved", NULL };
	struct node_test *t = node_test_new(&fx_node_agglomerator_boundary, options);

	(void)unused;
	give_mark(t, "labels", FX_MARK_OPEN);
	give_mark(t, "evidence", FX_MARK_OPEN);
	node_test_block(t, "labels", line(0, "112334", FX_LABELS));
	node_test_block(t, "evidence", line(0, "102098", FX_PROBABILITY));
	node_test_block(t, "labels", line(6, "660550", FX_LABELS));
	node_test_hostile(t);
	node_test_free(t);
}

static void errors_have_words(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_agglomerator_boundary, NULL);

	(void)unused;
	node_test_block(t, "labels", line(0, "112334", FX_LABELS));
	assert_int_equal(node_test_block(t, "evidence", line(2, "1000", FX_PROBABILITY)),
			 FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "overlap: all inputs must have blocks of one"));
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges_and_final_ids_are_told),
		cmocka_unit_test(works_without_a_stitcher),
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(what_it_saved_is_checked),
		cmocka_unit_test(errors_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
