// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/stitch.c and slab.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/map64.h"
#include "kernels/runs.h"
#include "kernels/stitch.h"

static const struct fx_stitch_rule half_mutual = { 0.5, FX_STITCH_MUTUAL };

/* A volume of convex cells (nearest of 40 seeds) with some background. */
static struct fx_block *cells_volume(size_t z, size_t y, size_t x, uint64_t seed)
{
	enum { SEEDS = 40 };
	struct fx_block *b = fx_block_new(FX_U32, z, y, x);
	double at[SEEDS][3];

	for (int i = 0; i < SEEDS; i++)
		for (int a = 0; a < 3; a++)
			at[i][a] = (double)(test_random(&seed) % (1000 * b->shape[a])) / 1000;
	for (size_t i = 0; i < fx_block_len(b); i++) {
		const double p[3] = { (double)(i / (y * x)), (double)(i / x % y), (double)(i % x) };
		double best = 1e30;

		for (uint32_t k = 0; k < SEEDS; k++) {
			double d = 0;

			for (int a = 0; a < 3; a++)
				d += (p[a] - at[k][a]) * (p[a] - at[k][a]);
			if (d < best) {
				best = d;
				((uint32_t *)b->data)[i] = k % 5 ? k : 0;
			}
		}
	}
	return b;
}

/* The block of grid cell g, with labels numbered anew, and with a share of noise of its own. */
static struct fx_block *cut(const struct fx_block *volume, const int64_t cell[3], int64_t halo,
			    const int64_t g[3], unsigned noise_percent)
{
	uint64_t seed = (uint64_t)(1 + g[0] * 10000 + g[1] * 100 + g[2]);
	struct fx_region core, all;
	struct fx_block *b;

	for (int a = 0; a < 3; a++) {
		const int64_t end = (int64_t)volume->shape[a];

		core.lo[a] = g[a] * cell[a];
		core.hi[a] = core.lo[a] + cell[a] < end ? core.lo[a] + cell[a] : end;
		all.lo[a] = core.lo[a] > halo ? core.lo[a] - halo : 0;
		all.hi[a] = core.hi[a] + halo < end ? core.hi[a] + halo : end;
	}
	b = fx_block_crop(volume, all);
	for (int a = 0; a < 3; a++) {
		b->halo_lo[a] = (uint32_t)(core.lo[a] - all.lo[a]);
		b->halo_hi[a] = (uint32_t)(all.hi[a] - core.hi[a]);
	}
	for (size_t i = 0; i < fx_block_len(b); i++) {
		uint32_t *v = &((uint32_t *)b->data)[i];

		if (test_random(&seed) % 100 < noise_percent)
			*v = (uint32_t)(test_random(&seed) % 60);
		*v = *v ? (*v * 7 + (uint32_t)(g[0] * 3 + g[1] * 5 + g[2])) % 1009 + 1 : 0;
	}
	return b;
}

/* Ids that were closed, and the smaller ids that they were closed with. */
static struct fx_map64 closed;

static void collect(const struct fx_stitch *s)
{
	size_t rows;
	const uint64_t(*row)[2] = fx_stitch_closed(s, &rows);

	for (size_t i = 0; i < rows; i++) {
		assert_null(fx_map64_find(&closed, row[i][0]));
		*fx_map64_at(&closed, row[i][0]) = row[i][1];
	}
}

static int by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Closes what is left, and gives all ids their numbers. */
static void finish(struct fx_stitch *s, struct fx_map64 *final, size_t *rows, uint64_t *segments)
{
	uint64_t *ids;

	assert_int_equal(fx_stitch_end(s), FX_OK);
	collect(s);
	assert_int_equal(fx_stitch_open_ids(s), 0);
	ids = calloc(closed.len, sizeof *ids);
	*rows = *segments = 0;
	for (size_t i = 0; i < closed.cap; i++)
		if (closed.slots[i].used)
			ids[(*rows)++] = closed.slots[i].key;
	qsort(ids, *rows, sizeof *ids, by_value);
	for (size_t i = 0; i < *rows; i++) {
		const uint64_t smaller = *fx_map64_find(&closed, ids[i]);

		*fx_map64_at(final, ids[i]) =
			smaller == ids[i] ? ++*segments : *fx_map64_find(final, smaller);
	}
	free(ids);
	fx_map64_fini(&closed);
}

static uint64_t *add(struct fx_stitch *s, const struct fx_block *b, size_t *pairs_len)
{
	const struct fx_stitch_pairs *pairs;
	uint64_t *core = calloc(fx_block_len(b), sizeof *core);
	struct fx_error err = { 0 };

	if (fx_stitch_add(s, b, core, &pairs, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < pairs->len; i++)
		assert_true(pairs->ids[i][0] < pairs->ids[i][1]);
	if (pairs_len)
		*pairs_len = pairs->len;
	collect(s);
	return core;
}

/* Stitches the whole grid in an order given by seed (0: raster) and gives the final volume. */
static struct fx_block *stitched(const struct fx_block *volume, const int64_t cell[3], int64_t halo,
				 unsigned noise_percent, uint64_t seed, uint64_t *segments)
{
	struct fx_stitch *s = fx_stitch_new(&half_mutual);
	struct fx_block *out =
		fx_block_new(FX_U64, volume->shape[0], volume->shape[1], volume->shape[2]);
	struct fx_map64 final = { 0 };
	int64_t grid[3], order[512];
	size_t rows, n = 1;

	for (int a = 0; a < 3; a++) {
		grid[a] = ((int64_t)volume->shape[a] + cell[a] - 1) / cell[a];
		n *= (size_t)grid[a];
	}
	assert_true(n <= 512);
	for (size_t i = 0; i < n; i++)
		order[i] = (int64_t)i;
	for (size_t i = n; seed && i > 1; i--) {
		const size_t j = test_random(&seed) % i;
		const int64_t swap = order[j];

		order[j] = order[i - 1];
		order[i - 1] = swap;
	}
	for (size_t i = 0; i < n; i++) {
		const int64_t g[3] = { order[i] / (grid[1] * grid[2]), order[i] / grid[2] % grid[1],
				       order[i] % grid[2] };
		struct fx_block *b = cut(volume, cell, halo, g, noise_percent);
		uint64_t *core = add(s, b, NULL);
		const struct fx_region r = fx_block_core(b);
		struct fx_block *piece = fx_block_crop(out, r);

		memcpy(piece->data, core, fx_block_size(piece));
		fx_block_paste(out, piece);
		fx_block_free(piece);
		fx_block_free(b);
		free(core);
	}
	assert_int_equal(fx_stitch_open_size(s), 0);
	assert_int_equal(fx_stitch_open_ids(s), 0); /* nothing can come: all are closed */
	finish(s, &final, &rows, segments);
	for (size_t i = 0; i < fx_block_len(out); i++) {
		uint64_t *v = &((uint64_t *)out->data)[i];

		if (*v) {
			assert_non_null(fx_map64_find(&final, *v));
			*v = *fx_map64_find(&final, *v);
		}
	}
	fx_map64_fini(&final);
	fx_stitch_free(s);
	return out;
}

/* Labels numbered in the order of their first voxels. */
static uint64_t in_raster_order(const struct fx_block *volume, struct fx_block *out)
{
	struct fx_map64 known = { 0 };
	uint64_t n = 0;

	for (size_t i = 0; i < fx_block_len(volume); i++) {
		const uint64_t label = fx_label_at(volume->data, volume->dtype, i);
		uint64_t *id = label ? fx_map64_at(&known, label) : NULL;

		if (id && !*id)
			*id = ++n;
		((uint64_t *)out->data)[i] = id ? *id : 0;
	}
	fx_map64_fini(&known);
	return n;
}

static void any_grid_gives_the_whole_in_raster_order(void **unused)
{
	static const int64_t cells[][3] = {
		{ 19, 23, 29 }, { 10, 12, 15 }, { 7, 23, 8 }, { 5, 6, 7 }, { 64, 64, 64 }
	};
	struct fx_block *volume = cells_volume(19, 23, 29, 5);
	struct fx_block *want = fx_block_new(FX_U64, 19, 23, 29);
	const uint64_t n = in_raster_order(volume, want);

	(void)unused;
	assert_true(n > 20);
	for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
		for (int64_t halo = 1; halo < 9; halo += 3) {
			uint64_t segments;
			struct fx_block *out = stitched(volume, cells[i], halo, 0, 0, &segments);

			assert_int_equal(segments, n);
			assert_memory_equal(out->data, want->data, fx_block_size(want));
			fx_block_free(out);
		}
	fx_block_free(volume);
	fx_block_free(want);
}

/* Blocks that disagree in a quarter of their voxels. */
static void any_order_gives_the_same(void **unused)
{
	static const int64_t cell[3] = { 6, 8, 7 };
	struct fx_block *volume = cells_volume(17, 16, 20, 9), *first;
	uint64_t segments, again;

	(void)unused;
	first = stitched(volume, cell, 3, 25, 0, &segments);
	for (uint64_t order = 1; order < 6; order++) {
		struct fx_block *out = stitched(volume, cell, 3, 25, order, &again);

		assert_int_equal(again, segments);
		assert_memory_equal(out->data, first->data, fx_block_size(first));
		fx_block_free(out);
	}
	fx_block_free(first);
	fx_block_free(volume);
}

/* A row of labels along x that starts at lo, with a halo at one end or both. */
static struct fx_block *row(int64_t lo, const char *labels, uint32_t halo_lo, uint32_t halo_hi)
{
	struct fx_block *b = fx_block_new(FX_U16, 1, 1, strlen(labels));

	b->origin[2] = lo;
	b->halo_lo[2] = halo_lo;
	b->halo_hi[2] = halo_hi;
	for (size_t i = 0; labels[i]; i++)
		((uint16_t *)b->data)[i] = labels[i] == '.' ? 0 : (uint16_t)labels[i];
	return b;
}

/* Number of pairs that two rows give under a rule, in either order; the face lies at x = 8, the
 * strip is 4..11. */
static size_t pairs_of(const char *below, const char *above, struct fx_stitch_rule rule)
{
	size_t pairs[2], none;

	for (int order = 0; order < 2; order++) {
		struct fx_stitch *s = fx_stitch_new(&rule);
		struct fx_block *b[2] = { row(0, below, 0, 4), row(4, above, 4, 0) };

		free(add(s, b[order], &none));
		assert_int_equal(none, 0);
		free(add(s, b[!order], &pairs[order]));
		fx_block_free(b[0]);
		fx_block_free(b[1]);
		fx_stitch_free(s);
		fx_map64_fini(&closed);
	}
	assert_int_equal(pairs[0], pairs[1]);
	return pairs[0];
}

static void the_rule_is_as_stated(void **unused)
{
	const struct fx_stitch_rule either = { 0.5, FX_STITCH_EITHER },
				    all = { 1, FX_STITCH_MUTUAL },
				    either_less = { 0.4, FX_STITCH_EITHER },
				    overlap = { 0.5, FX_STITCH_OVERLAP },
				    overlap_less = { 0.4, FX_STITCH_OVERLAP },
				    touch = { 1, FX_STITCH_TOUCH };

	(void)unused;
	/* 6 of 8 shared; a runs on in its core, which is not in the strip */
	assert_int_equal(pairs_of("aaaaaaaaaa..", "bbbbbbbb....", half_mutual), 1);
	assert_int_equal(pairs_of("aaaaaaaaaa..", "..bbbbbbbb..", all), 0);
	/* n_ab = 2 of 4 and 4: half is enough; 1 of 4 and 4 is not */
	assert_int_equal(pairs_of("aaaaaaaaaa..", "....bbbb....", half_mutual), 1);
	assert_int_equal(pairs_of("aaaaaa..aa..", "...bb.bb....", half_mutual), 0);
	assert_int_equal(pairs_of("......aaa...", "....bbb.....", half_mutual), 0);
	/* two pieces above one below: the better match only, unless either is enough */
	assert_int_equal(pairs_of("aaaaaaaaaaaa", "bbbbbccc....", half_mutual), 1);
	assert_int_equal(pairs_of("aaaaaaaaaaaa", "bbbbbccc....", either), 2);
	/* b shares 2 voxels of 5 and 5 with x, and both have a better match */
	assert_int_equal(pairs_of("aaaaaaabbbbb", "xxxxxyyyyyyy", either_less), 2);
	assert_int_equal(pairs_of("aaaaaaabbbbb", "xxxxxyyyyyyy", overlap), 2);
	assert_int_equal(pairs_of("aaaaaaabbbbb", "xxxxxyyyyyyy", overlap_less), 3);
	assert_int_equal(pairs_of("aaaaaaabbbbb", "xxxxxyyyyyyy", touch), 3);
	/* nothing matches background */
	assert_int_equal(pairs_of("aaaaaaaa....", "....bbbb....", half_mutual), 0);
	/* c and d lie in the halos alone: no id, but c takes the match from a */
	assert_int_equal(pairs_of("aaaaaaaacccc", "....bbbb....", half_mutual), 0);
	assert_int_equal(pairs_of("aaaaa...cccc", "dddd........", half_mutual), 0);
}

/* Every pair that shares voxels is told, with what was decided, in either order. */
static void decisions_are_told(void **unused)
{
	const uint64_t first = UINT64_C(1) << 40; /* z 0 */
	const struct fx_stitch_meeting want[3] = {
		{ { first + 0, first + 8 }, 3, { 3, 5 }, 1 },
		{ { first + 7, first + 8 }, 2, { 5, 5 }, 0 },
		{ { first + 7, first + 9 }, 3, { 5, 3 }, 1 },
	};

	(void)unused;
	for (int order = 0; order < 2; order++) {
		struct fx_stitch *s = fx_stitch_new(&half_mutual);
		struct fx_block *b[2] = { row(0, "aaaaaaabbbbb", 0, 4),
					  row(4, "xxxxxyyyyyyy", 4, 0) };
		const struct fx_stitch_pairs *pairs;
		uint64_t core[8];

		assert_int_equal(fx_stitch_add(s, b[order], core, &pairs, NULL), FX_OK);
		assert_int_equal(pairs->seen_len, 0);
		assert_int_equal(fx_stitch_add(s, b[!order], core, &pairs, NULL), FX_OK);
		assert_int_equal(pairs->len, 2);
		assert_int_equal(pairs->seen_len, 3);
		assert_memory_equal(pairs->seen, want, sizeof want);
		fx_block_free(b[0]);
		fx_block_free(b[1]);
		fx_stitch_free(s);
	}
}

/* The id of the block below is the larger one when its first voxel comes later: sizes go with ids.
 */
static void sizes_go_with_their_ids(void **unused)
{
	struct fx_stitch *s = fx_stitch_new(&half_mutual);
	struct fx_block *b[2] = { fx_block_new(FX_U8, 1, 2, 12), fx_block_new(FX_U8, 1, 2, 12) };
	const struct fx_stitch_pairs *pairs = NULL;
	const uint64_t first = UINT64_C(1) << 40;
	uint64_t core[16];

	(void)unused;
	b[0]->halo_hi[2] = b[1]->halo_lo[2] = 4;
	b[1]->origin[2] = 4;
	memset((uint8_t *)b[0]->data + 12, 1, 12);
	memset(b[1]->data, 2, 24);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fx_stitch_add(s, b[i], core, &pairs, NULL), FX_OK);
		fx_block_free(b[i]);
	}
	assert_int_equal(pairs->seen_len, 1);
	assert_int_equal(pairs->seen[0].id[0], first + 8);
	assert_int_equal(pairs->seen[0].id[1], first + (1 << 20));
	assert_int_equal(pairs->seen[0].shared, 8);
	assert_int_equal(pairs->seen[0].voxels[0], 16);
	assert_int_equal(pairs->seen[0].voxels[1], 8);
	fx_stitch_free(s);
}

static void ids_are_the_places_of_first_voxels(void **unused)
{
	struct fx_stitch *s = fx_stitch_new(&half_mutual);
	struct fx_block *b = row(6, "hhaba", 2, 0);
	struct fx_map64 final = { 0 };
	uint64_t *core, segments;
	size_t rows;

	(void)unused;
	b->origin[0] = 3;
	b->origin[1] = 5;
	core = add(s, b, NULL);
	assert_int_equal(core[0], (uint64_t)4 << 40 | 5 << 20 | 8);
	assert_int_equal(core[1], core[0] + 1);
	assert_int_equal(core[2], core[0]);
	finish(s, &final, &rows, &segments);
	assert_int_equal(rows, 2); /* h is not in the core */
	assert_int_equal(segments, 2);
	fx_map64_fini(&final);
	free(core);
	fx_block_free(b);
	fx_stitch_free(s);
}

static void refuse(struct fx_stitch *s, struct fx_block *b, const char *text)
{
	const struct fx_stitch_pairs *pairs;
	uint64_t core[64];
	struct fx_error err = { 0 };

	assert_true(fx_stitch_add(s, b, core, &pairs, &err) < 0);
	assert_string_equal(err.text, text);
	fx_block_free(b);
}

static void wrong_blocks_are_refused(void **unused)
{
	struct fx_stitch *s = fx_stitch_new(&half_mutual);
	struct fx_block *b = row(0, "aaaaaa", 0, 2), *image = fx_block_new(FX_F32, 1, 1, 1);

	(void)unused;
	free(add(s, b, NULL));
	refuse(s, b, "the block with core at 0 0 0 came twice");
	b = fx_block_new(FX_U8, 1, 2, 6);
	b->origin[2] = 2;
	b->halo_lo[2] = 2;
	refuse(s, b,
	       "blocks that meet at 0 0 4 have faces of different shape: blocks must lie on "
	       "one grid");
	refuse(s, row(0, "aaaa", 2, 2), "block at 0 0 2 is all halo on axis x");
	refuse(s, row(-1, "aaaa", 0, 2),
	       "voxels -1..0 on axis x: labels can be stitched within 0..1048575");
	refuse(s, row(1048573, "aaaa", 0, 0),
	       "voxels 1048573..1048576 on axis x: labels can be stitched within 0..1048575");
	refuse(s, image, "labels of f32: must be u8, u16, u32 or u64");
	fx_stitch_free(s);
}

static void what_cannot_come_is_dropped(void **unused)
{
	struct fx_region before = { { 0, 0, 0 }, { 1, 1, 8 } },
			 after = { { 0, 0, 8 }, { 1, 1, 9 } };
	struct fx_stitch *s = fx_stitch_new(&half_mutual);
	struct fx_block *b = row(0, "aaaaaaaaaaaa", 0, 4);

	(void)unused;
	free(add(s, b, NULL));
	assert_true(fx_stitch_open_size(s) > 0);
	assert_int_equal(fx_stitch_done(s, before), FX_OK);
	assert_true(fx_stitch_open_size(s) > 0);
	assert_int_equal(fx_stitch_open_ids(s), 1);
	assert_int_equal(fx_stitch_done(s, after), FX_OK);
	assert_int_equal(fx_stitch_open_size(s), 0);
	assert_int_equal(fx_stitch_open_ids(s), 0);
	collect(s);
	assert_int_equal(closed.len, 1);
	fx_map64_fini(&closed);
	fx_block_free(b);
	fx_stitch_free(s);
}

/* What is held for a long row of blocks in order is one face, compactly, and the ids in it,
 * whatever small objects there were. */
static void memory_is_the_open_surface(void **unused)
{
	(void)unused;
	for (uint32_t small = 0; small < 60; small += 30) {
		struct fx_stitch *s = fx_stitch_new(&half_mutual);
		size_t most = 0;

		for (int64_t i = 0; i < 50; i++) {
			struct fx_block *b = fx_block_new(FX_U32, 16, 16, i ? 24 : 20);
			const size_t len = fx_block_len(b);
			uint32_t *labels = b->data;

			b->origin[2] = i ? 16 * i - 4 : 0;
			b->halo_lo[2] = i ? 4 : 0;
			b->halo_hi[2] = 4;
			for (size_t v = 0; v < len; v++)
				labels[v] = v < len / 2 ? 1 : 2;
			for (uint32_t v = 0; v < small; v++)
				labels[len / 40 * v] = 3 + v;
			free(add(s, b, NULL));
			if (fx_stitch_open_size(s) > most)
				most = fx_stitch_open_size(s);
			assert_true(fx_stitch_open_ids(s) < 20);
			fx_block_free(b);
		}
		assert_true(small || most < 1024); /* raw: 16 x 16 x 8 labels of 4 bytes */
		assert_true(closed.len >= 50 * (size_t)small / 2);
		fx_map64_fini(&closed);
		fx_stitch_free(s);
	}
}

static int nothing_closed(void **unused)
{
	(void)unused;
	fx_map64_fini(&closed);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(any_grid_gives_the_whole_in_raster_order, nothing_closed),
		cmocka_unit_test_teardown(any_order_gives_the_same, nothing_closed),
		cmocka_unit_test_teardown(the_rule_is_as_stated, nothing_closed),
		cmocka_unit_test_teardown(decisions_are_told, nothing_closed),
		cmocka_unit_test_teardown(sizes_go_with_their_ids, nothing_closed),
		cmocka_unit_test_teardown(ids_are_the_places_of_first_voxels, nothing_closed),
		cmocka_unit_test_teardown(wrong_blocks_are_refused, nothing_closed),
		cmocka_unit_test_teardown(what_cannot_come_is_dropped, nothing_closed),
		cmocka_unit_test_teardown(memory_is_the_open_surface, nothing_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
