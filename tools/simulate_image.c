// SPDX-License-Identifier: Apache-2.0
/* simulate_image.c: images as files in memory: PNG, and plain TIFF by hand. */
#include "simulate.h"

#include <stdlib.h>
#include <string.h>

#include "formats/pngwrite.h"

static uint8_t *put(uint8_t *to, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*to++ = (uint8_t)(v >> 8 * i);
	return to;
}

static uint8_t *entry(uint8_t *to, uint32_t tag, uint32_t type, uint32_t value)
{
	return put(put(put(put(to, tag, 2), type, 2), 1, 4), value, 4);
}

/* Header, directory, one strip of samples as they are, all little-endian. */
static int encode_tif(const void *voxels, size_t size, size_t h, size_t w, void **out,
		      size_t *out_size, struct fx_error *err)
{
	enum { SHORT = 3, LONG = 4, ENTRIES = 9, STRIP = 8 + 2 + ENTRIES * 12 + 4 };
	const size_t bytes = h * w * size; /* of voxels that are in memory, below 2^30 */
	uint8_t *const data = malloc(STRIP + bytes), *to;

	if (!data)
		return fx_error_set(err, FX_ENOMEM, "no memory to encode an image");
	*out = data;
	*out_size = STRIP + bytes;
	to = put(put(put(data, 0x4949, 2), 42, 2), 8, 4);
	to = put(to, ENTRIES, 2);
	to = entry(to, 256, LONG, (uint32_t)w);
	to = entry(to, 257, LONG, (uint32_t)h);
	to = entry(to, 258, SHORT, (uint32_t)size * 8); /* bits of a sample */
	to = entry(to, 259, SHORT, 1);			/* not compressed */
	to = entry(to, 262, SHORT, 1);			/* black is zero */
	to = entry(to, 273, LONG, STRIP);		/* where the strip is */
	to = entry(to, 277, SHORT, 1);			/* samples of a pixel */
	to = entry(to, 278, LONG, (uint32_t)h);		/* rows of the strip */
	to = entry(to, 279, LONG, (uint32_t)bytes);
	to = put(to, 0, 4);
	memcpy(to, voxels, bytes);
	return FX_OK;
}

int sim_image_encode(const void *voxels, enum fx_dtype dtype, size_t h, size_t w, bool tif,
		     void **out, size_t *size, struct fx_error *err)
{
	const size_t bytes = fx_dtype_size(dtype);
	const struct fx_png_picture p = { voxels, h, w, 1, 8 * (unsigned)bytes, true };

	return tif ? encode_tif(voxels, bytes, h, w, out, size, err) :
		     fx_png_encode(&p, out, size, err);
}
