// SPDX-License-Identifier: Apache-2.0
/* frameheader.h: what a message of a detector says about its voxels: JSON in several dialects. */
#ifndef FX_FORMATS_FRAMEHEADER_H
#define FX_FORMATS_FRAMEHEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <fornix/block.h>

#include "formats/codec.h"

enum {
	FX_FRAME_PARTS = 8,	       /**< most parts of a message */
	FX_FRAME_HEADER_MAX = 1 << 20, /**< bytes of a part with JSON */
};

enum fx_frame_kind {
	FX_FRAME_OTHER = 1, /**< about a series; no voxels */
	FX_FRAME_IMAGE,
	FX_FRAME_END, /**< of the series */
};

struct fx_frameheader {
	enum fx_frame_kind kind;
	char series[64]; /**< "" when it does not tell */
	int64_t frame;	 /**< counted from 0; -1 when it does not tell */
	int64_t section; /**< frame unless told */
	int64_t tile;	 /**< 0 unless told */
	int64_t version; /**< 1 unless told */
	int64_t frames;	 /**< END: how many there were; -1 when it does not tell */
	size_t height, width;
	enum fx_dtype dtype;
	enum fx_codec codec;
	size_t part; /**< IMAGE: the part with the voxels */
};

/** Reads the parts of one message, which are hostile: those of `fornix simulate`, of
 * streaming-receiver (htype image), of DECTRIS' stream (dimage-1.0) and of odin-data's live view. A
 * first part that is no JSON object is a topic. FX_ETYPE when it is none of these, FX_EINVAL when a
 * value is not valid; @p err says which. A size is at most 2^20. */
int fx_frameheader_parse(const struct iovec *parts, size_t len, struct fx_frameheader *h,
			 struct fx_error *err);
/** Bytes of the voxels. */
size_t fx_frameheader_size(const struct fx_frameheader *h);
/** Decodes the voxels to exactly fx_frameheader_size() bytes at @p to. FX_EINVAL. */
int fx_frame_decode(const struct fx_frameheader *h, const void *bytes, size_t size, void *to,
		    struct fx_error *err);

#endif
