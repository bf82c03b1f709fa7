// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/tiler/blocks.c against a cut of the whole volume. */
#include "support/test.h"

#include "support/node_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct fx_node_type fx_node_tiler_blocks;

enum { SIDE_MAX = 24 };

/* One random case: a volume, a grid, and what comes of it. */
struct scene {
	int64_t size[3], block[3], halo[3];
	enum fx_dtype dtype;
	bool open_end, missing[SIDE_MAX];
	int64_t end;		/* sections that come, of size[0] */
	struct fx_block *whole; /* owned */
};

static uint64_t below(uint64_t *seed, uint64_t n)
{
	return test_random(seed) % n;
}

static struct scene scene_new(uint64_t *seed, uint64_t missing_one_in)
{
	static const enum fx_dtype dtypes[] = { FX_U8, FX_U16, FX_U32, FX_U64, FX_F32 };
	struct scene c = { .dtype = dtypes[below(seed, 5)], .open_end = below(seed, 2) };

	for (int a = 0; a < 3; a++) {
		c.size[a] = 1 + (int64_t)below(seed, SIDE_MAX);
		c.block[a] = 1 + (int64_t)below(seed, 9) + (below(seed, 8) ? 0 : 40);
		c.halo[a] = below(seed, 3) ? (int64_t)below(seed, 7) : 0;
	}
	c.end = c.size[0];
	for (int64_t z = 0; z < c.size[0] && missing_one_in; z++)
		c.missing[z] = below(seed, missing_one_in) == 0;
	c.whole = fx_block_new(c.dtype, (size_t)c.size[0], (size_t)c.size[1], (size_t)c.size[2]);
	assert_non_null(c.whole);
	for (size_t i = 0; i < fx_block_size(c.whole); i++)
		((uint8_t *)c.whole->data)[i] = (uint8_t)below(seed, 256);
	return c;
}

static struct node_test *scene_live(const struct scene *c, const char *memory, const char *part,
				    const char *lives)
{
	const int64_t *b = c->block, *h = c->halo;
	char block[64], halo[64];
	const char *const options[] = { block, halo, memory, "-mask", part, lives, NULL };
	struct fx_mark open = { .kind = FX_MARK_OPEN, .voxel_nm = { 40, 4, 5 } };
	struct node_test *t;

	snprintf(block, sizeof block, "block=%d %d %d", (int)b[0], (int)b[1], (int)b[2]);
	snprintf(halo, sizeof halo, "halo=%d %d %d", (int)h[0], (int)h[1], (int)h[2]);
	t = node_test_new(&fx_node_tiler_blocks, options);
	memcpy(open.region.hi, c->size, sizeof open.region.hi);
	if (c->open_end)
		open.region.hi[0] = 0;
	open.dtype = c->dtype;
	assert_int_equal(node_test_mark(t, "image", &open), FX_OK);
	return t;
}

static struct node_test *scene_node(const struct scene *c, const char *memory)
{
	return scene_live(c, memory, "@0/1", NULL);
}

static struct fx_mark section_mark(const struct scene *c, enum fx_mark_kind kind, int64_t z)
{
	return (struct fx_mark){ .kind = kind,
				 .region = { { z, 0, 0 }, { z + 1, c->size[1], c->size[2] } } };
}

static struct fx_block *tile_of(const struct scene *c, int64_t z, int64_t y, int64_t x, int64_t h,
				int64_t w)
{
	struct fx_region r = { { z, y, x }, { z + 1, y + h, x + w } };
	struct fx_block *b;

	r.hi[1] = r.hi[1] < c->size[1] ? r.hi[1] : c->size[1];
	r.hi[2] = r.hi[2] < c->size[2] ? r.hi[2] : c->size[2];
	b = fx_block_crop(c->whole, r);
	assert_non_null(b);
	b->role = FX_LABELS;
	b->level = 2;
	return b;
}

/* How the tiles of a section are cut, and which have been given. */
struct feed {
	int64_t h, w, count, given;
	bool flip, done;
};

/* Gives the next tile or the mark of section z. */
static void feed_step(struct node_test *t, const struct scene *c, struct feed *f, int64_t z)
{
	const int64_t across = (c->size[2] + f->w - 1) / f->w;

	if (f->given < f->count) {
		const int64_t i = f->flip ? f->count - 1 - f->given : f->given;

		f->given++;
		assert_int_equal(node_test_block(t, "image",
						 tile_of(c, z, i / across * f->h, i % across * f->w,
							 f->h, f->w)),
				 FX_OK);
	} else {
		const struct fx_mark m =
			section_mark(c, c->missing[z] ? FX_MARK_MISSING : FX_MARK_DONE, z);

		f->done = true;
		if (node_test_mark(t, "image", &m) != FX_OK)
			fail_msg("%s", node_test_error(t));
	}
}

static struct feed feed_new(uint64_t *seed, const struct scene *c, int64_t z)
{
	struct feed f = { .h = 1 + (int64_t)below(seed, 9), .flip = below(seed, 2) };

	f.w = below(seed, 2) ? c->size[2] : 1 + (int64_t)below(seed, 9);
	f.count = ((c->size[1] + f.h - 1) / f.h) * ((c->size[2] + f.w - 1) / f.w);
	if (c->missing[z])
		f.count = (int64_t)below(seed, 2); /* a section may break off */
	return f;
}

/* Gives all sections before c->end, mixed as far as the window allows. */
static void feed_all(struct node_test *t, const struct scene *c, uint64_t *seed)
{
	struct feed f[SIDE_MAX];
	int64_t front = 0;

	for (int64_t z = 0; z < c->end; z++)
		f[z] = feed_new(seed, c, z);
	while (front < c->end) {
		int64_t layer = (front - c->halo[0]) / c->block[0], lo, n, z;

		if (front < c->halo[0])
			layer = 0;
		lo = layer * c->block[0] - c->halo[0];
		n = (lo > 0 ? lo : 0) + c->block[0] + 2 * c->halo[0];
		if (!c->open_end && c->block[0] + 2 * c->halo[0] > c->size[0])
			n = c->size[0];
		n = n < c->end ? n : c->end;
		z = front + (int64_t)below(seed, (uint64_t)(n - front));
		if (!f[z].done)
			feed_step(t, c, &f[z], z);
		while (front < c->end && f[front].done)
			front++;
	}
}

/* The section that stands in for section z in a layer that reads up to hi; -1 is zeros. */
static int64_t stand_in(const struct scene *c, int64_t z, int64_t hi)
{
	for (int64_t i = z; i >= 0; i--)
		if (!c->missing[i])
			return i;
	for (int64_t i = z; i < hi; i++)
		if (!c->missing[i])
			return i;
	return -1;
}

static void check_voxels(const struct scene *c, const struct fx_block *b)
{
	const struct fx_region r = fx_block_region(b);
	const size_t bytes = fx_dtype_size(c->dtype), row = b->shape[2] * bytes;
	const uint8_t *got = b->data, *whole = c->whole->data;

	for (int64_t z = r.lo[0]; z < r.hi[0]; z++) {
		const int64_t from = stand_in(c, z, r.hi[0]);

		for (int64_t y = r.lo[1]; y < r.hi[1]; y++, got += row) {
			const size_t at = (size_t)((from * c->size[1] + y) * c->size[2] + r.lo[2]);

			if (from >= 0)
				assert_memory_equal(got, whole + at * bytes, row);
			for (size_t i = 0; i < row && from < 0; i++)
				assert_int_equal(got[i], 0);
		}
	}
}

static void check_block(const struct scene *c, const struct fx_block *b, const int64_t cell[3])
{
	const struct fx_region core = fx_block_core(b), all = fx_block_region(b);
	const int64_t size[3] = { c->end, c->size[1], c->size[2] };

	for (int a = 0; a < 3; a++) {
		const int64_t lo = cell[a] * c->block[a], hi = lo + c->block[a];

		assert_int_equal(core.lo[a], lo);
		assert_int_equal(core.hi[a], hi < size[a] ? hi : size[a]);
		assert_int_equal(all.lo[a], lo > c->halo[a] ? lo - c->halo[a] : 0);
		assert_int_equal(all.hi[a], core.hi[a] + c->halo[a] < size[a] ?
						    core.hi[a] + c->halo[a] :
						    size[a]);
	}
	assert_int_equal(b->dtype, c->dtype);
	assert_int_equal(b->channels, 1);
	assert_true(b->voxel_nm[0] == 40 && b->voxel_nm[1] == 4 && b->voxel_nm[2] == 5);
	check_voxels(c, b);
}

/* All blocks in order, each layer followed by its DONE; returns the number of MISSING sections. */
static int64_t check_all(const struct scene *c, const struct node_test *t)
{
	const int64_t n[3] = { (c->end + c->block[0] - 1) / c->block[0],
			       (c->size[1] + c->block[1] - 1) / c->block[1],
			       (c->size[2] + c->block[2] - 1) / c->block[2] };
	int64_t i = 0, layers = 0, missing = 0;

	for (size_t j = 0; j < node_test_sent_len(t); j++) {
		const struct sent *s = node_test_sent(t, j);
		const int64_t cell[3] = { i / (n[1] * n[2]), i / n[2] % n[1], i % n[2] };

		if (s->kind == FX_BLOCK) {
			check_block(c, s->message, cell);
			i++;
		} else if (s->mark.kind == FX_MARK_DONE) {
			layers++;
			assert_int_equal(i, layers * n[1] * n[2]);
			assert_int_equal(s->mark.region.lo[0], (layers - 1) * c->block[0]);
			assert_int_equal(s->mark.region.hi[2], c->size[2]);
		} else if (s->mark.kind == FX_MARK_MISSING) {
			missing += s->mark.region.hi[0] - s->mark.region.lo[0];
		}
	}
	assert_int_equal(layers, n[0]);
	return missing;
}

static void run_scene(struct scene *c, uint64_t *seed, const char *memory)
{
	struct node_test *t = scene_node(c, memory);
	int64_t missing = c->open_end ? 0 : c->size[0] - c->end;

	feed_all(t, c, seed);
	if (!c->open_end && c->end == c->size[0]) /* nothing is kept back for drain() */
		check_all(c, t);
	assert_int_equal(node_test_drain(t), FX_OK);
	for (int64_t z = 0; z < c->end; z++)
		missing += c->missing[z];
	assert_int_equal(check_all(c, t), missing);
	node_test_free(t);
	fx_block_free(c->whole);
}

static void equals_a_cut_of_the_whole(void **unused)
{
	uint64_t seed = 1;

	(void)unused;
	for (int i = 0; i < 60; i++) {
		struct scene c = scene_new(&seed, 0);

		run_scene(&c, &seed, "memory=1024");
	}
}

static void fills_missing_sections(void **unused)
{
	uint64_t seed = 2;

	(void)unused;
	for (int i = 0; i < 80; i++) {
		struct scene c = scene_new(&seed, 1 + below(&seed, 4));

		run_scene(&c, &seed, "memory=1024");
	}
}

static void works_in_a_scratch_file(void **unused)
{
	uint64_t seed = 3;

	(void)unused;
	for (int i = 0; i < 10; i++) {
		struct scene c = scene_new(&seed, 5);

		run_scene(&c, &seed, "memory=0");
	}
}

static void ends_where_the_stream_ends(void **unused)
{
	uint64_t seed = 4;

	(void)unused;
	for (int i = 0; i < 30; i++) {
		struct scene c = scene_new(&seed, 6);

		c.end = (int64_t)below(&seed, (uint64_t)c.size[0] + 1);
		run_scene(&c, &seed, "memory=1024");
	}
}

/* The window is read from the journal once more. */
static void another_life_sends_the_same(void **unused)
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };
	uint64_t seed = 5;

	(void)unused;
	for (int i = 0; i < 9; i++) {
		struct scene c = scene_new(&seed, i % 3 ? 3 : 0);
		struct node_test *t[3];

		c.end = i % 4 ? c.size[0] : (int64_t)below(&seed, (uint64_t)c.size[0]);
		for (size_t k = 0; k < 3; k++) {
			uint64_t same = seed;

			t[k] = scene_live(&c, i % 2 ? "memory=0" : "memory=1024",
					  i % 3 ? "@0/1" : "@1/2", lives[k]);
			feed_all(t[k], &c, &same);
		}
		for (size_t k = 0; k < 3; k++) {
			if (i == 3 && k)
				node_test_hostile(t[k]);
			else
				assert_int_equal(node_test_drain(t[k]), FX_OK);
			if (i != 3)
				node_test_same(t[0], t[k]);
		}
		for (size_t k = 0; k < 3; k++)
			node_test_free(t[k]);
		fx_block_free(c.whole);
	}
}

static void expect_same_sent(const struct sent *a, const struct sent *b)
{
	const struct fx_block *x = a->message, *y = b->message;

	assert_int_equal(a->kind, b->kind);
	if (!a->kind) {
		assert_int_equal(a->mark.kind, b->mark.kind);
		assert_memory_equal(&a->mark.region, &b->mark.region, sizeof a->mark.region);
		return;
	}
	assert_memory_equal(x->origin, y->origin, sizeof x->origin);
	assert_memory_equal(x->shape, y->shape, sizeof x->shape);
	assert_memory_equal(x->halo_lo, y->halo_lo, sizeof x->halo_lo);
	assert_memory_equal(x->halo_hi, y->halo_hi, sizeof x->halo_hi);
	assert_memory_equal(x->data, y->data, fx_block_size(x));
}

/* What parts send is what one sends: up to each mark, one part's after the other's. */
static void expect_parts(struct node_test *whole, struct node_test *const *t, size_t parts)
{
	const struct sent *marks[4];
	size_t at[4] = { 0 };

	for (size_t i = 0, k = 0; i < node_test_sent_len(whole);) {
		const struct sent *s = node_test_sent(t[k], at[k]++);

		if (s->kind) {
			expect_same_sent(node_test_sent(whole, i++), s);
			continue;
		}
		marks[k++] = s;
		if (k < parts)
			continue;
		while (k)
			expect_same_sent(node_test_sent(whole, i), marks[--k]);
		i++;
	}
	for (size_t k = 0; k < parts; k++)
		assert_int_equal(at[k], node_test_sent_len(t[k]));
}

static void parts_send_together_what_one_sends(void **unused)
{
	uint64_t seed = 7;

	(void)unused;
	for (int i = 0; i < 60; i++) {
		struct scene c = scene_new(&seed, i % 2 ? 4 : 0);
		const size_t parts = 2 + (size_t)i % 3;
		struct node_test *t[5];

		c.end = i % 4 ? c.size[0] : (int64_t)below(&seed, (uint64_t)c.size[0]);
		for (size_t k = 0; k <= parts; k++) {
			uint64_t same = seed;
			char part[8] = "@0/1";

			if (k < parts)
				snprintf(part, sizeof part, "@%d/%d", (int)k, (int)parts);
			t[k] = scene_live(&c, i % 5 ? "memory=1024" : "memory=0", part, NULL);
			feed_all(t[k], &c, &same);
			assert_int_equal(node_test_drain(t[k]), FX_OK);
		}
		expect_parts(t[parts], t, parts);
		for (size_t k = 0; k <= parts; k++)
			node_test_free(t[k]);
		fx_block_free(c.whole);
	}
}

static struct scene small_scene(void)
{
	struct scene c = { .size = { 9, 6, 7 },
			   .block = { 3, 4, 4 },
			   .halo = { 1, 1, 1 },
			   .dtype = FX_U16,
			   .end = 9 };

	c.whole = fx_block_new(FX_U16, 9, 6, 7);
	assert_non_null(c.whole);
	return c;
}

static void give_section(struct node_test *t, const struct scene *c, int64_t z)
{
	const struct fx_mark done = section_mark(c, FX_MARK_DONE, z);

	assert_int_equal(node_test_block(t, "image", tile_of(c, z, 0, 0, 6, 7)), FX_OK);
	assert_int_equal(node_test_mark(t, "image", &done), FX_OK);
}

static void a_layer_leaves_with_its_last_section(void **unused)
{
	struct scene c = small_scene();
	struct node_test *t = scene_node(&c, "memory=1");
	const struct fx_block *b;

	(void)unused;
	for (int64_t z = 0; z < 3; z++)
		give_section(t, &c, z);
	assert_int_equal(node_test_count(t, "blocks", FX_BLOCK), 0);
	give_section(t, &c, 3);
	assert_int_equal(node_test_count(t, "blocks", FX_BLOCK), 4);
	b = node_test_get(t, "blocks", FX_BLOCK, 0)->message;
	assert_int_equal(b->role, FX_LABELS);
	assert_int_equal(b->level, 2);
	node_test_free(t);
	fx_block_free(c.whole);
}

static void a_gap_is_missing_at_the_end(void **unused)
{
	struct scene c = small_scene();
	struct node_test *t = scene_node(&c, "memory=1");

	(void)unused;
	memset(c.whole->data, 7, fx_block_size(c.whole));
	give_section(t, &c, 0);
	give_section(t, &c, 2);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_string_equal(node_test_warning(t), "the stream ended at section 3 of 9");
	c.end = 3;
	c.missing[1] = true;
	assert_int_equal(check_all(&c, t), 7);
	node_test_free(t);
	fx_block_free(c.whole);
}

static void refuses_tile(const struct scene *c, struct fx_block *tile, const char *text)
{
	struct node_test *t = scene_node(c, "memory=1");

	give_section(t, c, 0);
	assert_true(node_test_block(t, "image", tile) < 0);
	if (!strstr(node_test_error(t), text))
		fail_msg("\"%s\" lacks \"%s\"", node_test_error(t), text);
	node_test_free(t);
}

static void says_what_is_wrong_with_a_tile(void **unused)
{
	struct scene c = small_scene();
	struct fx_block *b;

	(void)unused;
	refuses_tile(&c, tile_of(&c, 0, 0, 0, 1, 1), "section 0 comes twice");
	b = tile_of(&c, 1, 0, 0, 2, 7);
	b->origin[1] = 5;
	refuses_tile(&c, b, "section 1 with y 5..6 is outside of the volume's 0..5");
	b = tile_of(&c, 1, 0, 0, 2, 7);
	b->origin[0] = 9;
	refuses_tile(&c, b, "section 9 is outside of the volume's 0..8");
	refuses_tile(&c, tile_of(&c, 6, 0, 0, 2, 7), "section 6 comes too early: section 1");
	refuses_tile(&c, fx_block_new(FX_U8, 1, 1, 1), "a tile of u8 in a stream of u16");
	refuses_tile(&c, fx_block_new(FX_U16, 2, 1, 1), "a tile has one section");
	fx_block_free(c.whole);
}

static void says_what_is_wrong_with_a_section(void **unused)
{
	struct scene c = small_scene();
	struct node_test *t = scene_node(&c, "memory=1");
	struct fx_mark m = section_mark(&c, FX_MARK_DONE, 0);

	(void)unused;
	node_test_block(t, "image", tile_of(&c, 0, 0, 0, 5, 7));
	assert_true(node_test_mark(t, "image", &m) < 0);
	assert_string_equal(node_test_error(t),
			    "section 0 is called done with 35 of its 42 voxels");
	assert_true(node_test_block(t, "image", tile_of(&c, 0, 0, 0, 2, 7)) < 0);
	assert_non_null(strstr(node_test_error(t), "section 0 got more voxels than its 42"));
	m.region.hi[1] = 5;
	assert_true(node_test_mark(t, "image", &m) < 0);
	assert_non_null(strstr(node_test_error(t), "a part of section 0"));
	node_test_free(t);
	fx_block_free(c.whole);
}

static void refuses_bad_streams(void **unused)
{
	const char *const options[] = { "block=1.5 2 2", "-mask", NULL };
	struct node_test *t = node_test_new(&fx_node_tiler_blocks, options);
	struct fx_mark open = { .kind = FX_MARK_OPEN,
				.region = { .hi = { 4, 4, 4 } },
				.dtype = FX_U8 };

	(void)unused;
	assert_true(node_test_block(t, "image", fx_block_new(FX_U8, 1, 1, 1)) < 0);
	assert_true(node_test_mark(t, "image", &open) < 0);
	assert_non_null(strstr(node_test_error(t), "block 1.5 is not a whole number"));
	assert_int_equal(node_test_drain(t), FX_OK);
	node_test_free(t);
	t = node_test_new(&fx_node_tiler_blocks, options + 1);
	open.region.hi[1] = 0;
	assert_true(node_test_mark(t, "image", &open) < 0);
	assert_non_null(strstr(node_test_error(t), "extent on axis y"));
	open.region.hi[1] = open.region.hi[2] = (int64_t)1 << 40;
	assert_int_equal(node_test_mark(t, "image", &open), FX_ENOMEM);
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_a_cut_of_the_whole),
		cmocka_unit_test(fills_missing_sections),
		cmocka_unit_test(works_in_a_scratch_file),
		cmocka_unit_test(ends_where_the_stream_ends),
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(parts_send_together_what_one_sends),
		cmocka_unit_test(a_layer_leaves_with_its_last_section),
		cmocka_unit_test(a_gap_is_missing_at_the_end),
		cmocka_unit_test(says_what_is_wrong_with_a_tile),
		cmocka_unit_test(says_what_is_wrong_with_a_section),
		cmocka_unit_test(refuses_bad_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
