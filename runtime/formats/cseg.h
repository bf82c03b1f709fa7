// SPDX-License-Identifier: Apache-2.0
/* cseg.h: Neuroglancer's compressed_segmentation: labels in small blocks, each with a table of the
 * labels in it and an index of few bits for every voxel. One channel. */
#ifndef FX_FORMATS_CSEG_H
#define FX_FORMATS_CSEG_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

enum { FX_CSEG_BLOCK_MAX = 4096 /**< voxels in a block that is encoded */ };

/** Encodes @p labels (C order) of @p shape in blocks of @p block, both zyx; a block has at most
 * FX_CSEG_BLOCK_MAX voxels. Gives *words (free()) and their number; equal tables are stored once.
 * Fails when the tables do not fit in the 24-bit offsets of the format, about 64 MiB.
 * Source: neuroglancer, src/datasource/precomputed, compressed_segmentation specification. */
int fx_cseg_encode(const uint64_t *labels, const size_t shape[3], const size_t block[3],
		   uint32_t **words, size_t *words_len, struct fx_error *err);
/** Decodes @p size bytes into @p out, labels of @p shape and of @p dtype FX_U32 or FX_U64, which is
 * also what the tables hold. Any bytes are safe; FX_EINVAL when they are not of this format. */
int fx_cseg_decode(const void *bytes, size_t size, const size_t shape[3], const size_t block[3],
		   enum fx_dtype dtype, void *out, struct fx_error *err);

#endif
