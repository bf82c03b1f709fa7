// SPDX-License-Identifier: Apache-2.0
/* volume_write_png.c: writes a volume as a folder of PNG, one a section. */
#include <stdio.h>
#include <stdlib.h>

#include "formats/pngwrite.h"
#include "formats/volume_write_ops.h"

enum { SIDE_MAX = 1 << 20 };

static const char *const codecs[] = { "deflate", "fast", NULL };

static int png_open(struct fx_volume_write *w, struct fx_error *err)
{
	if (w->spec.shape[1] > SIDE_MAX || w->spec.shape[2] > SIDE_MAX)
		return fx_error_set(err, FX_ETYPE, "%s: sections of %zu x %zu are above 2^20",
				    w->spec.path, w->spec.shape[1], w->spec.shape[2]);
	w->step[1] = w->spec.shape[1];
	return FX_OK;
}

static int png_put(struct fx_volume_write *w, size_t level, const struct fx_block *part,
		   struct fx_error *err)
{
	const size_t bytes = fx_dtype_size(part->dtype);
	int result = FX_OK;

	(void)level;
	for (size_t z = 0; z < part->shape[0] && result == FX_OK; z++) {
		const struct fx_png_picture p = {
			.pixels = (const char *)part->data +
				  z * part->shape[1] * part->shape[2] * bytes,
			.h = part->shape[1],
			.w = part->shape[2],
			.channels = 1,
			.bits = 8 * (unsigned)bytes,
			.fast = fx_volume_codec_index(w) == 1,
		};
		char name[32];
		void *data;
		size_t size;

		result = fx_png_encode(&p, &data, &size, err);
		if (result < 0)
			return fx_error_prefix(err, "%s", w->spec.path);
		snprintf(name, sizeof name, "z%06zu.png", (size_t)part->origin[0] + z);
		result = fx_volume_write_file(w, name, data, size, err);
		free(data);
	}
	return result;
}

static int png_finish(struct fx_volume_write *w, struct fx_error *err)
{
	(void)w;
	(void)err;
	return FX_OK;
}

const struct fx_volume_write_ops fx_volume_write_png = {
	.is_folder = true,
	.dtypes = FX_U8 | FX_U16,
	.codecs = codecs,
	.open = png_open,
	.put = png_put,
	.finish = png_finish,
};
