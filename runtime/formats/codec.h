// SPDX-License-Identifier: Apache-2.0
/* codec.h: compressed bytes to bytes, as chunked volumes and detectors have them. Sizes are known
 * before: nothing is written beyond them. */
#ifndef FX_FORMATS_CODEC_H
#define FX_FORMATS_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum fx_codec {
	FX_CODEC_NONE,
	FX_CODEC_BLOSC,	   /**< a frame of Blosc 1 with any compressor that the library has */
	FX_CODEC_ZSTD,	   /**< frames of Zstandard */
	FX_CODEC_DEFLATE,  /**< one zlib or gzip stream, told by its head */
	FX_CODEC_LZ4,	   /**< as numcodecs: u32le size, then an LZ4 block */
	FX_CODEC_LZ4_RAW,  /**< an LZ4 block alone */
	FX_CODEC_LZ4_JAVA, /**< blocks of LZ4BlockOutputStream, as N5 has them */
	FX_CODEC_CRC32C,   /**< the bytes, then their CRC-32C, u32le */
	FX_CODEC_CRC32,	   /**< likewise CRC-32 before (numcodecs) */
	FX_CODEC_BSLZ4,	   /**< bitshuffle with LZ4 behind a head of 12 bytes, as HDF5 has it */
	FX_CODEC_LZ4_HDF5, /**< LZ4 behind a head of 12 bytes, as HDF5 has it */
};

enum { FX_CODECS_MAX = 4, FX_CODEC_EXPAND = 1 << 16 };

/** What was applied when bytes were written, in that order. */
struct fx_codecs {
	enum fx_codec list[FX_CODECS_MAX];
	size_t len;
	size_t elem; /**< bytes of one voxel: bitshuffle */
};

/** The codec with the name @p name of Zarr 2, Zarr 3 or N5; FX_CODEC_NONE when there is none. */
enum fx_codec fx_codec_named(const char *name);
/** Undoes one codec: @p out gets at most @p cap bytes, *size tells how many. FX_EINVAL when the
 * bytes are damaged or are more, FX_ENOMEM. @p elem: bytes of a voxel, 1, 2, 4 or 8. */
int fx_codec_decode(enum fx_codec codec, size_t elem, const void *in, size_t in_size, void *out,
		    size_t cap, size_t *size, struct fx_error *err);
/** Undoes all: *out is @p in itself or new memory (*owned, free()) with *out_size bytes, at most
 * @p size. Bytes between two codecs are at most @p size and a bit (FX_CODEC_EXPAND). */
int fx_codecs_decode(const struct fx_codecs *c, const void *in, size_t in_size, size_t size,
		     const void **out, size_t *out_size, void **owned, struct fx_error *err);
/** CRC-32C (Castagnoli). */
uint32_t fx_crc32c(const void *bytes, size_t size);

/** Undoes bitshuffle (Masui et al., 2015) of @p len voxels of @p elem bytes, a multiple of 8. */
void fx_bitunshuffle(const void *in, void *out, size_t len, size_t elem);

#endif
