// SPDX-License-Identifier: Apache-2.0
/* runs.h: label arrays read run by run, whatever their integer type. */
#ifndef FX_KERNELS_RUNS_H
#define FX_KERNELS_RUNS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <fornix/block.h>

/** Label @p i of an array of u8, u16, u32 or u64; 0 for any other type. */
static inline uint64_t fx_label_at(const void *data, enum fx_dtype dtype, size_t i)
{
	switch (dtype) {
	case FX_U8:
		return ((const uint8_t *)data)[i];
	case FX_U16:
		return ((const uint16_t *)data)[i];
	case FX_U32:
		return ((const uint32_t *)data)[i];
	case FX_U64:
		return ((const uint64_t *)data)[i];
	case FX_F16:
	case FX_F32:
		break;
	}
	return 0;
}

/** How many of the elements i..n-1, of @p size bytes each, equal element @p i; i < n, so at least
 * 1. Elements are equal along a run when its bytes equal those one element further on, which is
 * checked eight bytes at a time. */
static inline size_t fx_run_len(const void *data, size_t size, size_t i, size_t n)
{
	const unsigned char *const start = (const unsigned char *)data + i * size;
	const size_t end = (n - i - 1) * size; /* bytes that have one an element further on */
	size_t b = 0;

	for (; b + 8 <= end; b += 8) {
		uint64_t here, next;

		memcpy(&here, start + b, 8);
		memcpy(&next, start + b + size, 8);
		if (here != next)
			break;
	}
	while (b < end && start[b] == start[b + size])
		b++;
	return b / size + 1;
}

#endif
