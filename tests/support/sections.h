// SPDX-License-Identifier: Apache-2.0
/* sections.h: gives a volume to a node as sections of tiles, and puts together what it sends.
 * Include after support/test.h. */
#ifndef FX_TESTS_SECTIONS_H
#define FX_TESTS_SECTIONS_H

#include <string.h>

#include "support/node_test.h"

/** Tiles of @p height x @p width, given backwards when @p flip. */
struct cut {
	int64_t height, width;
	bool flip;
};

static inline void sections_open(struct node_test *t, const char *port, const struct fx_block *v)
{
	const struct fx_mark m = { .kind = FX_MARK_OPEN,
				   .region = fx_block_region(v),
				   .voxel_nm = { 40, 8, 8 },
				   .dtype = v->dtype };

	if (node_test_mark(t, port, &m) != FX_OK)
		fail_msg("%s", node_test_error(t));
}

static inline struct fx_mark sections_mark(const struct fx_block *v, enum fx_mark_kind kind,
					   int64_t z)
{
	struct fx_mark m = { .kind = kind, .region = fx_block_region(v) };

	m.region.lo[0] = z;
	m.region.hi[0] = z + 1;
	return m;
}

/** The tiles of section @p z of @p v. */
static inline void sections_tiles(struct node_test *t, const char *port, const struct fx_block *v,
				  int64_t z, struct cut cut)
{
	const int64_t h = (int64_t)v->shape[1], w = (int64_t)v->shape[2],
		      across = (w + cut.width - 1) / cut.width,
		      n = (h + cut.height - 1) / cut.height * across;

	for (int64_t i = 0; i < n; i++) {
		const int64_t at = cut.flip ? n - 1 - i : i, y = at / across * cut.height,
			      x = at % across * cut.width;
		struct fx_region r = { { z, y, x }, { z + 1, y + cut.height, x + cut.width } };

		r = fx_region_intersect(r, fx_block_region(v));
		if (node_test_block(t, port, fx_block_crop(v, r)) != FX_OK)
			fail_msg("%s", node_test_error(t));
	}
}

/** Section @p z of @p v and its DONE. */
static inline void sections_give(struct node_test *t, const char *port, const struct fx_block *v,
				 int64_t z, struct cut cut)
{
	const struct fx_mark done = sections_mark(v, FX_MARK_DONE, z);

	sections_tiles(t, port, v, z, cut);
	if (node_test_mark(t, port, &done) != FX_OK)
		fail_msg("%s", node_test_error(t));
}

/** The volume that @p t sent on "out", in the place of @p v; what was not sent is 0. Each section's
 * DONE must come right behind its tiles. */
static inline struct fx_block *sections_sent(const struct node_test *t, const struct fx_block *v,
					     enum fx_dtype dtype)
{
	struct fx_block *all = fx_block_new_like(v, dtype);
	const size_t area = v->shape[1] * v->shape[2];
	size_t got = 0;

	assert_non_null(all);
	for (size_t i = 0; i < node_test_sent_len(t); i++) {
		const struct sent *s = node_test_sent(t, i);

		if (s->kind == FX_BLOCK) {
			const struct fx_block *b = s->message;

			assert_int_equal(b->dtype, dtype);
			assert_true(b->voxel_nm[0] == 40 && b->voxel_nm[2] == 8);
			fx_block_paste(all, b);
			got += fx_block_len(b);
		} else if (s->mark.kind == FX_MARK_DONE) {
			assert_int_equal(got, area);
			got = 0;
		} else if (s->mark.kind == FX_MARK_OPEN) {
			assert_int_equal(s->mark.dtype, dtype);
		}
	}
	assert_int_equal(got, 0);
	return all;
}

/** What a node of @p type with @p options makes of @p v, cut as @p cut. */
static inline struct fx_block *sections_run(const struct fx_node_type *type,
					    const char *const *options, const struct fx_block *v,
					    enum fx_dtype dtype, struct cut cut)
{
	struct node_test *t = node_test_new(type, options);
	struct fx_block *all;

	if (node_test_result(t) != FX_OK)
		fail_msg("%s", node_test_error(t));
	sections_open(t, "image", v);
	for (size_t z = 0; z < v->shape[0]; z++)
		sections_give(t, "image", v, (int64_t)z, cut);
	assert_int_equal(node_test_drain(t), FX_OK);
	all = sections_sent(t, v, dtype);
	node_test_free(t);
	return all;
}

static inline void sections_equal(const struct fx_block *a, const struct fx_block *b)
{
	assert_int_equal(fx_block_size(a), fx_block_size(b));
	assert_memory_equal(a->data, b->data, fx_block_size(a));
}

/** The result does not depend on how sections are cut, nor on where they are held. */
static inline void sections_check_cuts(const struct fx_node_type *type, const char *const *options,
				       const char *const *in_file, const struct fx_block *v,
				       enum fx_dtype dtype)
{
	static const struct cut cuts[] = { { 1, 1000, true }, { 5, 7, false }, { 13, 3, true } };
	struct fx_block *whole =
		sections_run(type, options, v, dtype, (struct cut){ 1000, 1000, 0 });

	for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
		struct fx_block *cut =
			sections_run(type, i == 1 ? in_file : options, v, dtype, cuts[i]);

		sections_equal(whole, cut);
		fx_block_free(cut);
	}
	fx_block_free(whole);
}

/** A node of @p type in the way of living @p lives ("+saved", ...), NULL: one life, gets the six
 * sections of @p v: two at a time, one that is missing, one that does not become whole. */
static inline struct node_test *sections_live(const struct fx_node_type *type,
					      const char *const *options, const struct fx_block *v,
					      const char *lives)
{
	const struct cut cut = { 7, 1000, false };
	const struct fx_mark done = sections_mark(v, FX_MARK_DONE, 1),
			     missing = sections_mark(v, FX_MARK_MISSING, 2),
			     last = sections_mark(v, FX_MARK_DONE, 4);
	const char *all[8] = { NULL };
	struct node_test *t;
	size_t n = 0;

	for (; options && options[n]; n++)
		all[n] = options[n];
	all[n] = lives;
	t = node_test_new(type, all);
	sections_open(t, "image", v);
	sections_tiles(t, "image", v, 1, cut);
	sections_give(t, "image", v, 0, cut);
	sections_tiles(t, "image", v, 2, cut);
	assert_int_equal(node_test_mark(t, "image", &done), FX_OK);
	assert_int_equal(node_test_mark(t, "image", &missing), FX_OK);
	sections_tiles(t, "image", v, 4, cut);
	sections_give(t, "image", v, 3, cut);
	assert_int_equal(node_test_mark(t, "image", &last), FX_OK);
	sections_tiles(t, "image", v, 5, cut);
	return t;
}

/** Another life sends the same. */
static inline void sections_check_lives(const struct fx_node_type *type, const char *const *options,
					const struct fx_block *v)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	struct node_test *t[3];

	for (size_t i = 0; i < 3; i++)
		t[i] = sections_live(type, options, v, lives[i]);
	node_test_hostile(t[2]);
	node_test_free(t[2]);
	t[2] = sections_live(type, options, v, lives[2]);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(node_test_drain(t[i]), FX_OK);
		node_test_same(t[0], t[i]);
	}
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

/** A volume of smooth, noisy grey values from 40 to about 40 + @p range. */
static inline struct fx_block *sections_volume(enum fx_dtype dtype, size_t z, size_t y, size_t x,
					       uint64_t range)
{
	struct fx_block *v = fx_block_new(dtype, z, y, x);
	uint64_t seed = 7;

	assert_non_null(v);
	for (size_t i = 0; i < fx_block_len(v); i++) {
		const uint64_t value = 40 + (i / x % y * range / 2 / y) +
				       test_random(&seed) % (range / 2) + i / (x * y) * 3;

		if (dtype == FX_U8)
			((uint8_t *)v->data)[i] = (uint8_t)value;
		else
			((uint16_t *)v->data)[i] = (uint16_t)value;
	}
	return v;
}

#endif
