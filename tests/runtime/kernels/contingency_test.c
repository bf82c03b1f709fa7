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
		cmocka_unit_test(relabelling_joins_and_names_the_unknown),
		cmocka_unit_test(images_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
