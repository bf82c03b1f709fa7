// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/labeledge.c. */
#include "support/test.h"

#include "kernels/labeledge.h"

enum { Z = 3, Y = 4, X = 5 };

static void put(struct fx_block *b, size_t i, uint64_t v)
{
	if (b->dtype == FX_U8)
		((uint8_t *)b->data)[i] = (uint8_t)v;
	else if (b->dtype == FX_U16)
		((uint16_t *)b->data)[i] = (uint16_t)v;
	else if (b->dtype == FX_U32)
		((uint32_t *)b->data)[i] = (uint32_t)v;
	else
		((uint64_t *)b->data)[i] = v;
}

/* What neighbours say, by distance. */
static uint8_t by_hand(const uint64_t *v, size_t i)
{
	if (!v[i])
		return FX_LABEL_UNKNOWN;
	for (size_t k = 0; k < Z * Y * X; k++) {
		const long dz = (long)(k / (Y * X)) - (long)(i / (Y * X)),
			   dy = (long)(k / X % Y) - (long)(i / X % Y),
			   dx = (long)(k % X) - (long)(i % X);

		if (dz * dz + dy * dy + dx * dx == 1 && v[k] && v[k] != v[i])
			return FX_LABEL_EDGE;
	}
	return FX_LABEL_INSIDE;
}

static void same_as_by_hand(void **unused)
{
	static const enum fx_dtype dtypes[] = { FX_U8, FX_U16, FX_U32, FX_U64 };
	size_t seen[256] = { 0 };

	(void)unused;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct fx_block *b = fx_block_new(dtypes[seed % 4], Z, Y, X);
		uint64_t random = seed, v[Z * Y * X];
		uint8_t edge[X];

		assert_non_null(b);
		for (size_t i = 0; i < Z * Y * X; i++) {
			v[i] = test_random(&random) % 10;
			v[i] = v[i] > 2 ? 2 : v[i];
			put(b, i, v[i]);
		}
		for (size_t i = 0; i < Z * Y * X; i++) {
			if (i % X == 0)
				fx_label_edge_row(edge, b, i / X / Y, i / X % Y);
			assert_int_equal(edge[i % X], by_hand(v, i));
			seen[edge[i % X]]++;
		}
		fx_block_free(b);
	}
	assert_true(seen[FX_LABEL_INSIDE] && seen[FX_LABEL_EDGE] && seen[FX_LABEL_UNKNOWN]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_as_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
