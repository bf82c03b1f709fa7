// SPDX-License-Identifier: Apache-2.0
/* encode.h: bytes to compressed bytes, for what is written in chunks. */
#ifndef FX_FORMATS_ENCODE_H
#define FX_FORMATS_ENCODE_H

#include <stddef.h>

#include <fornix/error.h>

/** What a chunk is compressed with. */
enum fx_encoding {
	FX_ENCODE_NONE,
	FX_ENCODE_BLOSC, /**< Blosc 1, zstd inside at level 5, bytes shuffled */
	FX_ENCODE_ZSTD,	 /**< level 5 */
	FX_ENCODE_GZIP,	 /**< level 5, without a time, so that equal bytes stay equal */
	FX_ENCODE_ZLIB,	 /**< level 5 */
};

/** Compresses @p size bytes (at most 2^31 - 1) of voxels of @p elem bytes: *out (free()),
 * *out_size. FX_ENCODE_NONE gives a copy. FX_ENOMEM, FX_EINVAL. */
int fx_encode(enum fx_encoding encoding, size_t elem, const void *bytes, size_t size, void **out,
	      size_t *out_size, struct fx_error *err);

#endif
