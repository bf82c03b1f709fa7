// SPDX-License-Identifier: Apache-2.0
/* codec_lz4.h: the dialects of LZ4. Private to codec.h. */
#ifndef FX_FORMATS_CODEC_LZ4_H
#define FX_FORMATS_CODEC_LZ4_H

#include "formats/codec.h"

/** fx_codec_decode() of the codecs with LZ4 in their names; -1 when the bytes are damaged. */
int fx__lz4_decode(enum fx_codec codec, size_t elem, const void *in, size_t in_size, void *out,
		   size_t cap, size_t *size);

#endif
