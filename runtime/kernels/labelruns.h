// SPDX-License-Identifier: Apache-2.0
/* labelruns.h: rows of labels compared, and cut into runs of equal ones. */
#ifndef FX_KERNELS_LABELRUNS_H
#define FX_KERNELS_LABELRUNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Labels have 64 bits with `wide`, else 32. Bits of rows: label x is bit x % 64 of word x / 64;
 * bits behind the row are 0. */

/** Words that hold the bits of a row of @p len labels. */
static inline size_t fx_label_words(size_t len)
{
	return (len + 63) / 64;
}

/** Label @p i of @p labels. */
static inline uint64_t fx_label_at(const void *labels, bool wide, size_t i)
{
	return wide ? ((const uint64_t *)labels)[i] : ((const uint32_t *)labels)[i];
}

/** Sets the bits of those of @p len labels of @p a and @p b that are equal. */
void fx_label_same(const void *a, const void *b, bool wide, size_t len, uint64_t *bits);
/** Sets the bits of those of @p len labels that differ from the one before; not that of the first.
 */
void fx_label_breaks(const void *row, bool wide, size_t len, uint64_t *bits);
/** From the breaks of a row: end[k] is the place behind run k. @p end has room for @p len. Returns
 * how many runs there are. */
size_t fx_label_runs(const uint64_t *breaks, size_t len, uint32_t *end);

#endif
