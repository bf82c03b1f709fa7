// SPDX-License-Identifier: Apache-2.0
/* lz4block.h: one buffer of known size as one LZ4 block. */
#ifndef FX_FORMATS_LZ4BLOCK_H
#define FX_FORMATS_LZ4BLOCK_H

#include <stddef.h>

#include <fornix/error.h>

/** Compresses @p size bytes (at most 2,113,929,216, the limit of LZ4) into fresh memory. Gives *out
 * (free()) and *out_size. FX_EINVAL when it is too large, FX_ENOMEM. */
int fx_lz4_pack(const void *data, size_t size, void **out, size_t *out_size, struct fx_error *err);
/** Fills exactly @p size bytes of @p data from a packed buffer; FX_EINVAL when it is damaged or
 * holds another number of bytes (@p data is then undefined). */
int fx_lz4_unpack(const void *packed, size_t packed_size, void *data, size_t size,
		  struct fx_error *err);

#endif
