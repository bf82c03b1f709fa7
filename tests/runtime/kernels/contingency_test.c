// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/contingency.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/contingency.h"
#include "kernels/runs.h"

static void runs_end_where_labels_change(void **unused)
{
	uint64_t seed = 3;

	(void)unused;
	for (int round = 0; round < 300; round++) {
		const size_t size = (size_t)1 << test_random(&seed) % 4;
		const size_t n = 1 + test_random(&seed) % 70, cut = test_random(&seed) % n;
		unsigned char data[70 * 8];
		size_t i = test_random(&seed) % n;

		memset(data, 0x5a, sizeof data);
		data[cut * size + test_random(&seed) % size] = 0x5b;
		if (i == cut)
			assert_int_equal(fx_run_len(data, size, i, n), 1);
		else
			assert_int_equal(fx_run_len(data, size, i, n), i < cut ? cut - i : n - i);
	}
}

/* Labels 0..labels-1 in runs; one byte of each voxel is enough for any type. */
static void fill_runs(struct fx_block *b, uint64_t *seed, uint64_t labels)
{
	const size_t size = fx_dtype_size(b->dtype);
	const size_t low = size - 1; /* its last byte is the lowest on a big-endian machine */
	const uint16_t one = 1;
	uint8_t label = 0;

	for (size_t i = 0; i < fx_block_len(b); i++) {
		if (test_random(seed) % 8 == 0)
			label = (uint8_t)(test_random(seed) % labels);
		((uint8_t *)b->data)[i * size + (*(const uint8_t *)&one ? 0 : low)] = label;
	}
}

/* Every combination of types, against counting voxel by voxel. */
static void counts_equal_counting_one_by_one(void **unused)
{
	enum { N = 999, LABELS = 5 };
	const enum fx_dtype types[] = { FX_U8, FX_U16, FX_U32, FX_U64 };
	uint64_t seed = 11;

	(void)unused;
	for (int round = 0; round < 16; round++) {
		struct fx_block *s = fx_block_new(types[round / 4], 1, 1, N);
		struct fx_block *t = fx_block_new(types[round % 4], 1, 1, N);
		uint64_t want[LABELS][LABELS] = { 0 };
		struct fx_contingency c = { 0 };
		struct fx_pair *pairs;

		fill_runs(s, &seed, LABELS);
		fill_runs(t, &seed, LABELS);
		for (size_t i = 0; i < N; i++)
			want[fx_label_at(t->data, t->dtype, i)]
			    [fx_label_at(s->data, s->dtype, i)]++;
		assert_int_equal(fx_contingency_add(&c, s->data, s->dtype, t->data, t->dtype, N),
				 0);
		pairs = fx_contingency_sorted(&c);
		for (size_t i = 0, k = 0; i < (size_t)LABELS * LABELS; i++)
			if (want[i / LABELS][i % LABELS]) {
				assert_true(k < c.len);
				assert_int_equal(pairs[k].truth, i / LABELS);
				assert_int_equal(pairs[k].seg, i % LABELS);
				assert_int_equal(pairs[k++].count, want[i / LABELS][i % LABELS]);
			}
		free(pairs);
		fx_contingency_fini(&c);
		fx_block_free(s);
		fx_block_free(t);
	}
}

static void blocks_meet_in_their_cores(void **unused)
{
	struct fx_block *s = fx_block_new(FX_U32, 4, 5, 6), *t = fx_block_new(FX_U16, 3, 9, 9);
	struct fx_contingency c = { 0 };
	uint64_t voxels = 0;

	(void)unused;
	s->halo_lo[2] = 2; /* core: z 0..3, y 0..4, x 2..5 */
	t->origin[0] = 2;  /* core: z 2..4, y 3..11, x 0..8 */
	t->origin[1] = 3;
	for (size_t i = 0; i < fx_block_len(s); i++)
		((uint32_t *)s->data)[i] = (uint32_t)(i % 6); /* its x */
	assert_int_equal(fx_contingency_add_blocks(&c, s, t, &voxels), 0);
	assert_int_equal(voxels, 2 * 2 * 4);
	assert_int_equal(c.len, 4); /* x 2..5 with truth 0 */
	t->origin[0] = 4;
	assert_int_equal(fx_contingency_add_blocks(&c, s, t, &voxels), 0);
	assert_int_equal(voxels, 16);
	assert_int_equal(fx_contingency_add_blocks(&c, s, NULL, &voxels), 0);
	assert_int_equal(voxels, 16 + 4 * 5 * 4);
	fx_contingency_fini(&c);
	fx_block_free(s);
	fx_block_free(t);
}

/* The place of each pair lies in it, and does not depend on how the volume is cut, or relabelled.
 */
static void places_do_not_depend_on_blocks(void **unused)
{
	struct fx_block *s = fx_block_new(FX_U16, 6, 9, 70), *t = fx_block_new(FX_U64, 6, 9, 70);
	struct fx_contingency whole = { .placed = true }, cut = { .placed = true };
	struct fx_contingency one = { 0 }, joined = { 0 };
	struct fx_map64 ids = { 0 };
	uint64_t seed = 5, voxels = 0, unknown;

	(void)unused;
	fill_runs(s, &seed, 5);
	fill_runs(t, &seed, 5);
	assert_int_equal(fx_contingency_add_blocks(&whole, s, t, &voxels), FX_OK);
	for (int64_t i = 0; i < 12; i++) {
		const struct fx_region r = { { i / 6 * 3, i / 2 % 3 * 3, i % 2 * 33 },
					     { i / 6 * 3 + 3, i / 2 % 3 * 3 + 3,
					       i % 2 ? 70 : 33 } };
		struct fx_block *part = fx_block_crop(s, r);

		assert_int_equal(fx_contingency_add_blocks(&cut, part, t, &voxels), FX_OK);
		fx_block_free(part);
	}
	for (uint64_t i = 1; i < 5; i++)
		*fx_map64_at(&ids, i) = i < 3 ? 1 : i;
	assert_int_equal(fx_contingency_relabel(&cut, &ids, &joined, &unknown), FX_OK);
	for (uint64_t i = 0; i < 25; i++) {
		const struct fx_place *a = fx_contingency_place(&whole, i / 5, i % 5);
		const struct fx_place *b = fx_contingency_place(&cut, i / 5, i % 5);
		const size_t at = (size_t)((a->at[0] * 9 + a->at[1]) * 70 + a->at[2]);

		assert_memory_equal(a, b, sizeof *a);
		assert_int_equal(((uint16_t *)s->data)[at], i / 5);
		assert_int_equal(((uint64_t *)t->data)[at], i % 5);
		b = fx_contingency_place(&joined, i / 5 == 2 ? 1 : i / 5, i % 5);
		assert_true(b->row <= a->row);
	}
	assert_null(fx_contingency_place(&joined, 2, 1));
	assert_null(fx_contingency_place(&one, 2, 1));
	assert_int_equal(fx_contingency_add_blocks(&one, s, t, &voxels), FX_OK);
	assert_null(fx_contingency_place(&one, 2, 1));
	fx_contingency_fini(&whole);
	fx_contingency_fini(&cut);
	fx_contingency_fini(&one);
	fx_contingency_fini(&joined);
	fx_map64_fini(&ids);
	fx_block_free(s);
	fx_block_free(t);
}

static void relabelling_joins_and_names_the_unknown(void **unused)
{
	struct fx_contingency c = { 0 }, out = { 0 };
	struct fx_map64 ids = { 0 };
	uint64_t unknown = 0;
	struct fx_pair *pairs;

	(void)unused;
	fx_contingency_count(&c, 10, 1, 3);
	fx_contingency_count(&c, 20, 1, 4);
	fx_contingency_count(&c, 0, 1, 5);
	*fx_map64_at(&ids, 10) = 1;
	assert_int_equal(fx_contingency_relabel(&c, &ids, &out, &unknown), FX_ENOENT);
	assert_int_equal(unknown, 20);
	fx_contingency_fini(&out);
	*fx_map64_at(&ids, 20) = 1;
	assert_int_equal(fx_contingency_relabel(&c, &ids, &out, &unknown), 0);
	pairs = fx_contingency_sorted(&out);
	assert_int_equal(out.len, 2);
	assert_int_equal(pairs[0].count, 5);
	assert_int_equal(pairs[1].seg, 1);
	assert_int_equal(pairs[1].count, 7);
	free(pairs);
	fx_contingency_fini(&c);
	fx_contingency_fini(&out);
	fx_map64_fini(&ids);
}

static void images_are_refused(void **unused)
{
	const float f[2] = { 0 };
	struct fx_contingency c = { 0 };

	(void)unused;
	assert_int_equal(fx_contingency_add(&c, f, FX_F32, f, FX_U32, 2), FX_ETYPE);
	assert_int_equal(fx_contingency_add(&c, f, FX_U32, f, FX_F16, 2), FX_ETYPE);
	assert_int_equal(c.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_end_where_labels_change),
		cmocka_unit_test(counts_equal_counting_one_by_one),
		cmocka_unit_test(blocks_meet_in_their_cores),
		cmocka_unit_test(places_do_not_depend_on_blocks),
		cmocka_unit_test(relabelling_joins_and_names_the_unknown),
		cmocka_unit_test(images_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
