// SPDX-License-Identifier: Apache-2.0
/* segments.h: what segmenters send. Include after support/test.h and support/node_test.h. */
#ifndef FX_TESTS_SEGMENTS_H
#define FX_TESTS_SEGMENTS_H

#include <stdlib.h>
#include <string.h>

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

/** @p image (freed) with a mask as channel 2: planes @p lo to @p hi - 1 along z are excluded. */
static inline struct fx_block *segments_mask(struct fx_block *image, size_t lo, size_t hi)
{
	const size_t *n = image->shape, size = fx_dtype_size(image->dtype);
	struct fx_block *b = fx_block_new(image->dtype, 2 * n[0], n[1], n[2]);
	void *data;

	assert_non_null(b);
	data = b->data;
	memcpy(data, image->data, fx_block_size(image));
	for (size_t i = lo * n[1] * n[2]; i < hi * n[1] * n[2]; i++)
		((uint8_t *)data)[(fx_block_len(image) + i + 1) * size - 1] = 1;
	b->channels = 2;
	b->shape[0] = n[0];
	memcpy(b->origin, image->origin, sizeof b->origin);
	memcpy(b->voxel_nm, image->voxel_nm, sizeof b->voxel_nm);
	memcpy(b->halo_lo, image->halo_lo, sizeof b->halo_lo);
	memcpy(b->halo_hi, image->halo_hi, sizeof b->halo_hi);
	fx_block_free(image);
	return b;
}

/** There are @p count labels: half of them below the excluded planes, half above, none inside. */
static inline void segments_check_masked(const struct fx_block *b, size_t lo, size_t hi,
					 uint32_t count)
{
	const size_t area = b->shape[1] * b->shape[2], len = fx_block_len(b);
	const uint32_t *v = b->data;
	uint8_t *side = calloc((size_t)count + 1, 1);
	uint32_t sides[4] = { 0 };

	assert_non_null(side);
	assert_int_equal(segments_count(b), count);
	for (size_t i = 0; i < len; i++) {
		const size_t z = i / area;

		if (z >= lo && z < hi)
			assert_int_equal(v[i], 0);
		else
			side[v[i]] |= z < lo ? 1 : 2;
	}
	for (uint32_t i = 1; i <= count; i++)
		sides[side[i]]++;
	assert_int_equal(sides[1], count / 2);
	assert_int_equal(sides[2], count / 2);
	free(side);
}

#endif
