// SPDX-License-Identifier: Apache-2.0
/* codec_zstd.h: bytes by Zstandard; grey values as differences. */
#ifndef FX_WIRE_CODEC_ZSTD_H
#define FX_WIRE_CODEC_ZSTD_H

#include "wire/wire.h"

/* Decodes exactly @p raw_size bytes into @p raw from hostile bytes. FX_ETYPE when they are anything
 * but one frame of that content, FX_ENOMEM. */
int fx__codec_decompress_zstd(const void *bytes, size_t size, void *raw, size_t raw_size);

#endif
