// SPDX-License-Identifier: Apache-2.0
/* segments.h: what segmenters send. Include after support/test.h and support/node_test.h. */
#ifndef FX_TESTS_SEGMENTS_H
#define FX_TESTS_SEGMENTS_H

#include <stdlib.h>

/** The only block of labels that @p t sent. */
static inline const struct fx_block *segments_of(const struct node_test *t)
{
	const struct fx_block *b;

	assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 1);
	b = node_test_get(t, "labels", FX_BLOCK, 0)->message;
	assert_int_equal(b->dtype, FX_U32);
	assert_int_equal(b->role, FX_LABELS);
	return b;
}

/** Largest label; asserts that all from 1 to it are there. */
static inline uint32_t segments_count(const struct fx_block *b)
{
	const uint32_t *v = b->data;
	const size_t len = fx_block_len(b);
	uint32_t max = 0;
	char *seen;

	for (size_t i = 0; i < len; i++)
		max = v[i] > max ? v[i] : max;
	assert_true(max <= len);
	seen = calloc((size_t)max + 1, 1);
	assert_non_null(seen);
	for (size_t i = 0; i < len; i++)
		seen[v[i]] = 1;
	for (uint32_t i = 1; i <= max; i++)
		assert_true(seen[i]);
	free(seen);
	return max;
}

#endif
