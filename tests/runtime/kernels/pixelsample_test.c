// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/pixelsample.c. */
#include "support/test.h"

#include <string.h>

#include <fornix/error.h>

#include "kernels/pixelsample.h"

enum { Z = 8, Y = 12, X = 40, CUT = 24, MOST = 100 };

/* Two bodies side by side, membrane dark; unknown below y 2. */
static struct fx_block *volume(enum fx_dtype dtype)
{
	struct fx_block *b = fx_block_new(dtype, Z, Y, X);

	assert_non_null(b);
	for (size_t i = 0; i < fx_block_len(b); i++) {
		const size_t x = i % X, y = i / X % Y;

		if (dtype == FX_U8)
			((uint8_t *)b->data)[i] = x == 19 || x == 20 ? 30 : (uint8_t)(150 + x);
		else
			((uint16_t *)b->data)[i] = y < 2 ? 0 : x < 20 ? 5 : 9;
	}
	return b;
}

/* The part of @p v with core x lo..hi and @p halo around it. */
static struct fx_block *part(const struct fx_block *v, int64_t lo, int64_t hi, int64_t halo)
{
	const int64_t from = lo > halo ? lo - halo : 0, to = hi + halo < X ? hi + halo : X;
	struct fx_block *b = fx_block_crop(v, (struct fx_region){ { 0, 0, from }, { Z, Y, to } });

	assert_non_null(b);
	b->halo_lo[2] = (uint32_t)(lo - from);
	b->halo_hi[2] = (uint32_t)(to - hi);
	return b;
}

static void add(struct fx_pixelsample *s, struct fx_block *image, struct fx_block *labels)
{
	assert_int_equal(fx_pixelsample_add(s, image, labels), FX_OK);
	fx_block_free(image);
	fx_block_free(labels);
}

/* Samples in one block, or in two, the second one first. */
static struct fx_pixelsample sample(bool cut)
{
	struct fx_pixelsample s = { .seed = 2, .aside_lo = 6, .aside_hi = 8 };
	struct fx_block *image = volume(FX_U8), *labels = volume(FX_U16);

	fx_pixelsample_init(&s, MOST);
	if (cut) {
		add(&s, part(image, CUT, X, 16), part(labels, CUT, X, 1));
		add(&s, part(image, 0, CUT, 16), part(labels, 0, CUT, 1));
	} else {
		add(&s, part(image, 0, X, 0), part(labels, 0, X, 0));
	}
	assert_int_equal(fx_pixelsample_close(&s), FX_OK);
	fx_block_free(image);
	fx_block_free(labels);
	return s;
}

static void blocks_do_not_matter(void **unused)
{
	struct fx_pixelsample a = sample(false), b = sample(true);

	(void)unused;
	for (int set = 0; set < FX_SAMPLE_SETS; set++)
		for (int kind = 0; kind < 2; kind++) {
			const struct fx_reservoir *p = &a.rows[set][kind], *q = &b.rows[set][kind];

			assert_int_equal(p->len, set == FX_SAMPLE_TRAIN ? MOST : MOST / 8);
			assert_int_equal(p->len, q->len);
			assert_memory_equal(p->keys, q->keys, p->len * sizeof *p->keys);
			assert_memory_equal(p->rows, q->rows, p->len * FX_FEATURES * sizeof(float));
		}
	fx_pixelsample_fini(&a);
	fx_pixelsample_fini(&b);
}

/* Section, row and column of every key that may be there. */
static void check_places(const struct fx_reservoir *r, bool aside, bool edge)
{
	for (size_t i = 0; i < r->len; i++) {
		bool found = false;

		for (uint64_t z = aside ? 6 : 0; z < (aside ? 8 : 6); z++)
			for (uint64_t y = 2; y < Y; y++)
				for (uint64_t x = 0; x < X; x++)
					found = found ||
						(edge == (x == 19 || x == 20) &&
						 fx_reservoir_key(2, z << 42 | y << 21 | x) ==
							 r->keys[i]);
		assert_true(found);
	}
}

static void kinds_and_sections_are_kept_apart(void **unused)
{
	struct fx_pixelsample s = sample(false);
	const struct fx_reservoir *inside = &s.rows[FX_SAMPLE_TRAIN][0],
				  *edge = &s.rows[FX_SAMPLE_TRAIN][1];

	(void)unused;
	for (int set = 0; set < FX_SAMPLE_SETS; set++)
		for (int kind = 0; kind < 2; kind++)
			check_places(&s.rows[set][kind], set == FX_SAMPLE_ASIDE, kind == 1);
	for (size_t i = 0; i < MOST; i++) /* of the finest Hessian the largest eigenvalue */
		assert_true(edge->rows[i * FX_FEATURES + 2] > 0.1F);
	for (size_t i = 0; i < MOST; i++)
		assert_true(inside->rows[i * FX_FEATURES] > 0.3F);
	fx_pixelsample_fini(&s);
}

/* Rows 0 and 1 have label 0: 480 voxels of the 6 sections; 2 columns of 10 rows are edges. */
static void label_zero_may_be_an_edge(void **unused)
{
	(void)unused;
	for (int zero = 0; zero < 2; zero++) {
		struct fx_pixelsample s = { .aside_lo = 6, .aside_hi = 8, .zero_is_edge = zero };

		fx_pixelsample_init(&s, 10000);
		add(&s, volume(FX_U8), volume(FX_U16));
		assert_int_equal(fx_pixelsample_close(&s), FX_OK);
		assert_int_equal(s.rows[FX_SAMPLE_TRAIN][1].len, 120 + 480 * zero);
		assert_int_equal(s.rows[FX_SAMPLE_TRAIN][0].len, 6 * 38 * 10);
		fx_pixelsample_fini(&s);
	}
}

static void blocks_apart_give_nothing(void **unused)
{
	struct fx_pixelsample s = { 0 };
	struct fx_block *image = volume(FX_U8), *labels = volume(FX_U16);

	(void)unused;
	fx_pixelsample_init(&s, 1);
	add(&s, part(image, 0, 10, 0), part(labels, 10, X, 0));
	assert_int_equal(fx_pixelsample_close(&s), FX_OK);
	assert_int_equal(s.rows[0][0].len + s.rows[0][1].len, 0);
	fx_pixelsample_fini(&s);
	fx_block_free(image);
	fx_block_free(labels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_do_not_matter),
		cmocka_unit_test(kinds_and_sections_are_kept_apart),
		cmocka_unit_test(label_zero_may_be_an_edge),
		cmocka_unit_test(blocks_apart_give_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
