// SPDX-License-Identifier: Apache-2.0
/* alloc.c: checked sizes and aligned memory. */
#include "base/alloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

bool fx_mul_size(size_t a, size_t b, size_t *out)
{
	if (b && a > SIZE_MAX / b)
		return false;
	*out = a * b;
	return true;
}

void *fx_alloc_aligned(size_t size)
{
	if (size > SIZE_MAX - 63)
		return NULL;
	size = (size + 63) & ~(size_t)63;
	return aligned_alloc(64, size ? size : 64);
}

void *fx_calloc(size_t n, size_t size)
{
	return calloc(n ? n : 1, size);
}

void *fx_calloc_huge(size_t n, size_t size)
{
	const size_t page = 2 << 20;
	char *const p = fx_calloc(n, size);
	size_t bytes;

	if (p && fx_mul_size(n, size, &bytes) && bytes >= 2 * page) {
		const size_t skip = (page - (uintptr_t)p % page) % page;

		(void)madvise(p + skip, (bytes - skip) / page * page, MADV_HUGEPAGE);
	}
	return p;
}

bool fx_grow(void *array, size_t *cap, size_t need, size_t size)
{
	void *old, *grown;
	size_t n = *cap < 8 ? 8 : *cap, bytes;

	if (need <= *cap)
		return true;
	while (n < need) {
		if (n > SIZE_MAX / 2)
			return false;
		n *= 2;
	}
	if (!fx_mul_size(n, size, &bytes))
		return false;
	memcpy(&old, array, sizeof old);
	grown = realloc(old, bytes);
	if (!grown)
		return false;
	memcpy(array, &grown, sizeof grown);
	*cap = n;
	return true;
}

char *fx_strdup(const char *s)
{
	size_t size = s ? strlen(s) + 1 : 0;
	char *copy = s ? malloc(size) : NULL;

	if (copy)
		memcpy(copy, s, size);
	return copy;
}

char *fx_asprintf(const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	text = len < 0 ? NULL : malloc((size_t)len + 1);
	if (!text)
		return NULL;
	va_start(args, fmt);
	vsnprintf(text, (size_t)len + 1, fmt, args);
	va_end(args);
	return text;
}
