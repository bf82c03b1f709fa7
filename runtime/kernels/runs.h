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

enum { FX_RUNS_BITS = 64 };

/** Which of the @p len (at most FX_RUNS_BITS) elements from @p first on differ from the one before
 * them: bit k for element first + k, without branches. Element 0 of the array always does. One for
 * each of u8, u16, u32 and u64. */
#define FX_RUNS_BEGIN(name, type)                                                                  \
	static inline uint64_t name(const type *data, size_t first, size_t len)                    \
	{                                                                                          \
		uint64_t bits = first ? 0 : 1;                                                     \
                                                                                                   \
		for (size_t k = first ? 0 : 1; k < len; k++)                                       \
			bits |= (uint64_t)(data[first + k] != data[first + k - 1]) << k;           \
		return bits;                                                                       \
	}

FX_RUNS_BEGIN(fx_runs_begin_u8, uint8_t)
FX_RUNS_BEGIN(fx_runs_begin_u16, uint16_t)
FX_RUNS_BEGIN(fx_runs_begin_u32, uint32_t)
FX_RUNS_BEGIN(fx_runs_begin_u64, uint64_t)
#undef FX_RUNS_BEGIN

/** The same by type; only element 0 for any other type. */
static inline uint64_t fx_runs_begin(const void *data, enum fx_dtype dtype, size_t first,
				     size_t len)
{
	switch (dtype) {
	case FX_U8:
		return fx_runs_begin_u8(data, first, len);
	case FX_U16:
		return fx_runs_begin_u16(data, first, len);
	case FX_U32:
		return fx_runs_begin_u32(data, first, len);
	case FX_U64:
		return fx_runs_begin_u64(data, first, len);
	case FX_F16:
	case FX_F32:
		break;
	}
	return first ? 0 : 1;
}

#endif
