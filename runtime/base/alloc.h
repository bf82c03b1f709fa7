// SPDX-License-Identifier: Apache-2.0
/* alloc.h: checked sizes and aligned memory. */
#ifndef FX_BASE_ALLOC_H
#define FX_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/** *out = a * b; false (and *out untouched) on overflow. */
bool fx_mul_size(size_t a, size_t b, size_t *out);
/** 64-byte aligned memory of @p size bytes, not zeroed; NULL without memory. Free with free(). */
void *fx_alloc_aligned(size_t size);
/** calloc() of n elements; never NULL for n == 0 unless without memory. Free with free(). */
void *fx_calloc(size_t n, size_t size);
/** The same for large arrays that are read here and there: asks for huge pages, which the system
 * may have. */
void *fx_calloc_huge(size_t n, size_t size);
/** Grows *array (elements of @p size bytes, *cap of them allocated) so that @p need fit, at least
 * doubling; false without memory, with everything as before. */
bool fx_grow(void *array, size_t *cap, size_t need, size_t size);
/** strdup() that takes NULL (and gives NULL). */
char *fx_strdup(const char *s);
/** printf into fresh memory; NULL without memory. */
char *fx_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
