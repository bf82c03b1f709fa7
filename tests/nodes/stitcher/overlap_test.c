// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/stitcher/overlap.c. */
#include "support/test.h"

#include <string.h>

#include "support/node_test.h"

extern const struct fx_node_type fx_node_stitcher_overlap;

/* Block 0 or 1 of two along x with cores of 8 and a halo of 2; label 3 crosses the face in the
 * upper row, label 5 lies alone. */
static struct fx_block *block_of_two(int which, uint32_t crossing, uint32_t halo)
{
	struct fx_block *b = fx_block_new(FX_U32, 1, 2, 8 + halo);
	uint32_t *v = b->data;

	b->role = FX_LABELS;
	b->origin[2] = which ? 8 - halo : 0;
	b->halo_lo[2] = which ? halo : 0;
	b->halo_hi[2] = which ? 0 : halo;
	b->voxel_nm[0] = 40;
	for (size_t x = 0; x < 8 + halo; x++)
		v[x] = crossing;
	v[8 + halo + (which ? 8 + halo - 1 : 0)] = 5;
	return b;
}

static void stitch(const int order[2], uint64_t final[2][16])
{
	const struct fx_mark open = { .kind = FX_MARK_OPEN,
				      .region.hi = { 1, 2, 16 },
				      .dtype = FX_U32 };
	const struct fx_mark done = { .kind = FX_MARK_DONE, .region.hi = { 1, 2, 16 } };
	struct node_test *t = node_test_new(&fx_node_stitcher_overlap, NULL);
	const struct fx_record *pairs, *ids;

	node_test_mark(t, "labels", &open);
	for (int i = 0; i < 2; i++)
		assert_int_equal(node_test_block(t, "labels",
						 block_of_two(order[i], 3 + (uint32_t)order[i], 2)),
				 FX_OK);
	node_test_mark(t, "labels", &done);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_sent(t, 0)->mark.kind, FX_MARK_OPEN);
	assert_int_equal(node_test_sent(t, 0)->mark.dtype, FX_U64);
	assert_int_equal(node_test_sent(t, 6)->mark.kind, FX_MARK_DONE);
	assert_string_equal(node_test_warning(t), "");
	assert_int_equal(node_test_count(t, "labels", FX_RECORD), 2);
	pairs = node_test_get(t, "labels", FX_RECORD, 0)->message;
	ids = node_test_get(t, "labels", FX_RECORD, 1)->message;
	assert_string_equal(pairs->kind, "equivalence");
	assert_int_equal(pairs->rows, 1);
	assert_string_equal(ids->kind, "final-ids");
	assert_int_equal(ids->rows, 4);
	for (size_t i = 0; i < 2; i++) {
		const struct fx_block *b = node_test_get(t, "labels", FX_BLOCK, i)->message;

		assert_int_equal(b->dtype, FX_U64);
		assert_int_equal(b->role, FX_LABELS);
		assert_int_equal(b->shape[2], 8);
		assert_int_equal(b->halo_lo[2] + b->halo_hi[2], 0);
		assert_int_equal(b->origin[2], order[i] * 8);
		assert_true(b->voxel_nm[0] > 39);
		for (size_t v = 0; v < 16; v++)
			for (size_t row = 0; row < ids->rows; row++)
				if (ids->table[2 * row] == ((uint64_t *)b->data)[v])
					final[v / 8][(size_t)b->origin[2] + v % 8] =
						ids->table[2 * row + 1];
	}
	node_test_free(t);
}

static void two_blocks_in_both_orders(void **unused)
{
	const int forth[2] = { 0, 1 }, back[2] = { 1, 0 };
	uint64_t a[2][16] = { { 0 } }, b[2][16] = { { 0 } }, want[2][16] = { { 0 } };

	(void)unused;
	for (int x = 0; x < 16; x++)
		want[0][x] = 1;
	want[1][0] = 2;
	want[1][15] = 3;
	stitch(forth, a);
	stitch(back, b);
	assert_memory_equal(a, want, sizeof want);
	assert_memory_equal(b, want, sizeof want);
}

static void without_halo_it_warns_once_and_joins_nothing(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_stitcher_overlap, NULL);
	struct fx_block *third = block_of_two(1, 3, 0);

	(void)unused;
	node_test_block(t, "labels", block_of_two(0, 3, 0));
	assert_string_equal(node_test_warning(t), "");
	node_test_block(t, "labels", block_of_two(1, 3, 0));
	third->origin[2] = 16;
	node_test_block(t, "labels", third);
	assert_string_equal(node_test_warning(t),
			    "block at 0 0 8 has no halo on axis x: segments end at its face; give "
			    "the tiler a halo");
	node_test_drain(t);
	assert_int_equal(node_test_count(t, "labels", FX_RECORD), 1); /* final ids alone */
	node_test_free(t);
}

static void done_ends_the_wait_for_a_neighbour(void **unused)
{
	const struct fx_mark done = { .kind = FX_MARK_DONE, .region.hi = { 1, 2, 16 } };

	(void)unused;
	for (int with_done = 0; with_done < 2; with_done++) {
		struct node_test *t = node_test_new(&fx_node_stitcher_overlap, NULL);

		node_test_block(t, "labels", block_of_two(0, 3, 2));
		if (with_done)
			node_test_mark(t, "labels", &done);
		node_test_block(t, "labels", block_of_two(1, 3, 2));
		assert_int_equal(node_test_count(t, "labels", FX_RECORD), !with_done);
		node_test_free(t);
	}
}

static void missing_passes_and_errors_have_words(void **unused)
{
	const struct fx_mark missing = { .kind = FX_MARK_MISSING, .reason = "torn" };
	struct node_test *t = node_test_new(&fx_node_stitcher_overlap, NULL);
	struct fx_block *b = block_of_two(0, 3, 2);

	(void)unused;
	node_test_mark(t, "labels", &missing);
	assert_string_equal(node_test_sent(t, 0)->mark.reason, "torn");
	b->origin[0] = -5;
	assert_int_equal(node_test_block(t, "labels", b), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "voxels -5..-5 on axis z"));
	node_test_free(t);
}

static void options_reach_the_rule(void **unused)
{
	const char *const strict[] = { "overlap=1", NULL };
	struct node_test *t = node_test_new(&fx_node_stitcher_overlap, strict);
	struct fx_block *b = block_of_two(1, 3, 2);

	(void)unused;
	((uint32_t *)b->data)[0] = 0;
	((uint32_t *)b->data)[1] = 9;
	node_test_block(t, "labels", block_of_two(0, 3, 2));
	node_test_block(t, "labels", b);
	/* the strip is x 6..9: 3 has 4 voxels of the first, 2 of the second block: all shared */
	assert_int_equal(node_test_count(t, "labels", FX_RECORD), 1);
	b = block_of_two(1, 3, 2);
	node_test_free(t);
	t = node_test_new(&fx_node_stitcher_overlap, strict);
	((uint32_t *)b->data)[2] = 0;
	((uint32_t *)b->data)[3] = 9;
	node_test_block(t, "labels", b);
	b = block_of_two(0, 3, 2);
	((uint32_t *)b->data)[6] = 0;
	node_test_block(t, "labels", b);
	assert_int_equal(node_test_count(t, "labels", FX_RECORD), 0); /* 1 of 2 and 3 */
	node_test_free(t);
}

static void decisions_are_records(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_stitcher_overlap, NULL);
	struct fx_block *b = block_of_two(1, 3, 2);
	const struct fx_record *r;

	(void)unused;
	((uint32_t *)b->data)[0] = 9;
	node_test_block(t, "labels", block_of_two(0, 3, 2));
	assert_int_equal(node_test_count(t, "merges", FX_RECORD), 0);
	node_test_block(t, "labels", b);
	assert_int_equal(node_test_count(t, "merges", FX_RECORD), 1);
	r = node_test_get(t, "merges", FX_RECORD, 0)->message;
	assert_string_equal(r->kind, "merges");
	assert_string_equal(fx_record_text(r, "columns"), "a b shared a_voxels b_voxels joined");
	assert_int_equal(r->rows, 1); /* 9 lies in the halo alone */
	assert_int_equal(r->columns, 6);
	assert_int_equal(r->table[2], 3);
	assert_int_equal(r->table[3], 4);
	assert_int_equal(r->table[4], 3);
	assert_int_equal(r->table[5], 1);
	node_test_free(t);
}

/* Blocks of 3 x 3 x 3 cells of 4 voxels with a halo of 1, labels in stripes that cross faces. */
static struct node_test *live(const char *lives)
{
	const char *const options[] = { lives, NULL };
	struct node_test *t = node_test_new(&fx_node_stitcher_overlap, options);
	struct fx_mark m = { .kind = FX_MARK_OPEN,
			     .region.hi = { 12, 12, 12 },
			     .voxel_nm = { 8, 8, 8 },
			     .dtype = FX_U32 };
	struct fx_block *whole = fx_block_new(FX_U32, 12, 12, 12);

	for (size_t i = 0; i < 12 * 12 * 12; i++)
		((uint32_t *)whole->data)[i] = (uint32_t)((i / 144 + i / 12 % 12) / 3 + i % 12 / 5);
	node_test_mark(t, "labels", &m);
	m.kind = FX_MARK_DONE;
	for (int64_t z = 0; z < 12; z += 4) {
		for (int64_t i = 0; i < 9; i++) {
			const int64_t lo[3] = { z, i / 3 * 4, i % 3 * 4 };
			struct fx_region r;
			struct fx_block *b;

			for (int a = 0; a < 3; a++) {
				r.lo[a] = lo[a] ? lo[a] - 1 : 0;
				r.hi[a] = lo[a] + 5 < 12 ? lo[a] + 5 : 12;
			}
			b = fx_block_crop(whole, r);
			b->role = FX_LABELS;
			for (int a = 0; a < 3; a++) {
				b->halo_lo[a] = (uint32_t)(lo[a] - r.lo[a]);
				b->halo_hi[a] = (uint32_t)(r.hi[a] - lo[a] - 4);
			}
			if (node_test_block(t, "labels", b) != FX_OK)
				fail_msg("%s", node_test_error(t));
		}
		m.region.lo[0] = z;
		m.region.hi[0] = z + 4;
		node_test_mark(t, "labels", &m);
	}
	fx_block_free(whole);
	return t;
}

static void another_life_sends_the_same(void **unused)
{
	struct node_test *t[3];

	(void)unused;
	node_test_lives(live, t);
	assert_true(node_test_count(t[0], "labels", FX_RECORD) > 9);
	node_test_hostile(t[1]);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(two_blocks_in_both_orders),
		cmocka_unit_test(without_halo_it_warns_once_and_joins_nothing),
		cmocka_unit_test(done_ends_the_wait_for_a_neighbour),
		cmocka_unit_test(missing_passes_and_errors_have_words),
		cmocka_unit_test(options_reach_the_rule),
		cmocka_unit_test(decisions_are_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
