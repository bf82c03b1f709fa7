// SPDX-License-Identifier: Apache-2.0
/* labelruns.c: rows of labels compared, and cut into runs of equal ones. */
#include "kernels/labelruns.h"

#if defined(__x86_64__) && !defined(FX_PORTABLE)
#define HAS_AVX2
#define AVX2 __attribute__((target("avx2")))
#endif

enum { WORD = 64 };

static void portable(const void *a, const void *b, bool wide, size_t len, uint64_t *bits)
{
	for (size_t x = 0; x < len; x += WORD) {
		const size_t end = len - x < WORD ? len : x + WORD;
		uint64_t word = 0;

		for (size_t i = x; i < end; i++)
			word |= (uint64_t)(fx_label_at(a, wide, i) == fx_label_at(b, wide, i))
				<< i % WORD;
		bits[x / WORD] = word;
	}
}

#ifdef HAS_AVX2
typedef double doubles __attribute__((vector_size(32)));
typedef float floats __attribute__((vector_size(32)));
typedef int64_t wide_vec __attribute__((vector_size(32), aligned(8), may_alias));
typedef int32_t narrow_vec __attribute__((vector_size(32), aligned(4), may_alias));

/* Four labels at once, which no vector type of the compiler turns into bits. */
AVX2 static void avx2_wide(const uint64_t *a, const uint64_t *b, size_t len, uint64_t *bits)
{
	for (size_t x = 0; x < len; x += WORD) {
		const size_t n = len - x < WORD ? len - x : WORD;
		uint64_t word = 0;
		size_t i = 0;

		for (; i + 4 <= n; i += 4) {
			const doubles same = (doubles)(*(const wide_vec *)(a + x + i) ==
						       *(const wide_vec *)(b + x + i));

			word |= (uint64_t)__builtin_ia32_movmskpd256(same) << i;
		}
		for (; i < n; i++)
			word |= (uint64_t)(a[x + i] == b[x + i]) << i;
		bits[x / WORD] = word;
	}
}

/* Eight. */
AVX2 static void avx2_narrow(const uint32_t *a, const uint32_t *b, size_t len, uint64_t *bits)
{
	for (size_t x = 0; x < len; x += WORD) {
		const size_t n = len - x < WORD ? len - x : WORD;
		uint64_t word = 0;
		size_t i = 0;

		for (; i + 8 <= n; i += 8) {
			const floats same = (floats)(*(const narrow_vec *)(a + x + i) ==
						     *(const narrow_vec *)(b + x + i));

			word |= (uint64_t)__builtin_ia32_movmskps256(same) << i;
		}
		for (; i < n; i++)
			word |= (uint64_t)(a[x + i] == b[x + i]) << i;
		bits[x / WORD] = word;
	}
}
#endif

void fx_label_same(const void *a, const void *b, bool wide, size_t len, uint64_t *bits)
{
#ifdef HAS_AVX2
	if (__builtin_cpu_supports("avx2")) {
		if (wide)
			avx2_wide(a, b, len, bits);
		else
			avx2_narrow(a, b, len, bits);
		return;
	}
#endif
	portable(a, b, wide, len, bits);
}

void fx_label_breaks(const void *row, bool wide, size_t len, uint64_t *bits)
{
	const size_t words = fx_label_words(len);
	uint64_t before = 1; /* the first label is as if it were the one before */

	if (!len)
		return;
	bits[words - 1] = 0;
	fx_label_same((const char *)row + (wide ? 8 : 4), row, wide, len - 1, bits);
	for (size_t w = 0; w < words; w++) {
		const uint64_t same = bits[w];

		bits[w] = ~(same << 1 | before);
		before = same >> (WORD - 1);
	}
	if (len % WORD)
		bits[words - 1] &= (UINT64_C(1) << len % WORD) - 1;
}

size_t fx_label_runs(const uint64_t *breaks, size_t len, uint32_t *end)
{
	size_t n = 0;

	for (size_t w = 0; w < fx_label_words(len); w++)
		for (uint64_t word = breaks[w]; word; word &= word - 1)
			end[n++] = (uint32_t)(w * WORD + (size_t)__builtin_ctzll(word));
	if (len)
		end[n++] = (uint32_t)len;
	return n;
}
