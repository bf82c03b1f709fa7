// SPDX-License-Identifier: Apache-2.0
/* volume_write_tiff.c: writes a volume as a TIFF whose pages are sections. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tiffio.h>

#include "formats/volume_write_ops.h"

enum { STRIP = 1 << 20 };

/* Beyond so many bytes of voxels a classic TIFF might not hold what is made of them. */
static const double classic_max = 3.9e9;

static const char *const codecs[] = { "deflate", "lzw", "zstd", "none", NULL };
static const uint16_t compressions[] = { COMPRESSION_ADOBE_DEFLATE, COMPRESSION_LZW,
					 COMPRESSION_ZSTD, COMPRESSION_NONE };

struct tiff {
	TIFF *file;	/* owned */
	char text[160]; /* libtiff's first message */
	bool big;
};

static int tiff_message(TIFF *file, void *user, const char *module, const char *fmt, va_list ap)
	__attribute__((format(printf, 4, 0)));

static int tiff_message(TIFF *file, void *user, const char *module, const char *fmt, va_list ap)
{
	struct tiff *t = user;

	(void)file;
	(void)module;
	if (!t->text[0])
		vsnprintf(t->text, sizeof t->text, fmt, ap);
	return 1;
}

static int tiff_broken(const struct fx_volume_write *w, struct fx_error *err)
{
	const struct tiff *t = w->impl;

	return fx_error_set(err, FX_EIO, "%s: cannot write: %s", w->spec.path,
			    t->text[0] ? t->text : "no reason given");
}

static int tiff_open(struct fx_volume_write *w, struct fx_error *err)
{
	const struct fx_volume_spec *s = &w->spec;
	const double bytes = (double)s->shape[0] * (double)s->shape[1] * (double)s->shape[2] *
			     (double)fx_dtype_size(s->dtype);
	struct tiff *t = calloc(1, sizeof *t);
	TIFFOpenOptions *options = TIFFOpenOptionsAlloc();

	w->impl = t;
	if (t && options) {
		t->big = bytes + (double)s->shape[0] * 1024 > classic_max;
		TIFFOpenOptionsSetErrorHandlerExtR(options, tiff_message, t);
		TIFFOpenOptionsSetWarningHandlerExtR(options, tiff_message, t);
		t->file = TIFFOpenExt(w->place.partial, t->big ? "wl8" : "wl4", options);
	}
	if (options)
		TIFFOpenOptionsFree(options);
	if (!t)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", s->path);
	return t->file ? FX_OK : tiff_broken(w, err);
}

/* As ImageJ writes it, with lines that it passes over, where it could read the file; a resolution
 * is a fraction of 32-bit numbers, so the voxel size stands there as text as well. */
static void describe(const struct fx_volume_write *w, char *text, size_t size)
{
	const struct fx_volume_spec *s = &w->spec;
	const struct tiff *t = w->impl;
	const double *v = s->voxel_nm;
	size_t at = 0;

	text[0] = 0;
	if (!t->big && s->dtype & (FX_U8 | FX_U16 | FX_F32))
		at = (size_t)snprintf(text, size,
				      "ImageJ=1.53t\nimages=%zu\nslices=%zu\nloop=false\n",
				      s->shape[0], s->shape[0]);
	if (at && v[0] > 0)
		at += (size_t)snprintf(text + at, size - at, "unit=nm\nspacing=%.17g\n", v[0]);
	if (v[0] > 0)
		at += (size_t)snprintf(text + at, size - at, "voxel_nm=%.17g %.17g %.17g\n", v[0],
				       v[1], v[2]);
	if (s->offset[0] || s->offset[1] || s->offset[2])
		at += (size_t)snprintf(text + at, size - at, "offset=%lld %lld %lld\n",
				       (long long)s->offset[0], (long long)s->offset[1],
				       (long long)s->offset[2]);
	if (s->labels)
		snprintf(text + at, size - at, "labels=true\n");
}

static bool page_begin(struct fx_volume_write *w, size_t z)
{
	const struct fx_volume_spec *s = &w->spec;
	struct tiff *t = w->impl;
	const size_t row = s->shape[2] * fx_dtype_size(s->dtype);
	const size_t rows = row < STRIP ? STRIP / row : 1;
	char text[512];
	bool good = TIFFSetField(t->file, TIFFTAG_IMAGEWIDTH, (uint32_t)s->shape[2]) &&
		    TIFFSetField(t->file, TIFFTAG_IMAGELENGTH, (uint32_t)s->shape[1]) &&
		    TIFFSetField(t->file, TIFFTAG_BITSPERSAMPLE, 8 * fx_dtype_size(s->dtype)) &&
		    TIFFSetField(t->file, TIFFTAG_SAMPLESPERPIXEL, 1) &&
		    TIFFSetField(t->file, TIFFTAG_SAMPLEFORMAT,
				 s->dtype == FX_F32 ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT) &&
		    TIFFSetField(t->file, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK) &&
		    TIFFSetField(t->file, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) &&
		    TIFFSetField(t->file, TIFFTAG_COMPRESSION,
				 compressions[fx_volume_codec_index(w)]) &&
		    TIFFSetField(t->file, TIFFTAG_ROWSPERSTRIP,
				 (uint32_t)(rows < s->shape[1] ? rows : s->shape[1]));

	if (good && s->voxel_nm[1] > 0 && s->voxel_nm[2] > 0)
		good = TIFFSetField(t->file, TIFFTAG_RESOLUTIONUNIT, RESUNIT_NONE) &&
		       TIFFSetField(t->file, TIFFTAG_XRESOLUTION, 1 / s->voxel_nm[2]) &&
		       TIFFSetField(t->file, TIFFTAG_YRESOLUTION, 1 / s->voxel_nm[1]);
	describe(w, text, sizeof text);
	if (good && z == 0 && text[0])
		good = TIFFSetField(t->file, TIFFTAG_IMAGEDESCRIPTION, text);
	return good;
}

static int tiff_put(struct fx_volume_write *w, size_t level, const struct fx_block *part,
		    struct fx_error *err)
{
	const size_t row = w->spec.shape[2] * fx_dtype_size(w->spec.dtype);
	const struct tiff *t = w->impl;
	char *from =
		part->data; /* libtiff takes no const; it turns bytes only for the other order */

	(void)level;
	for (size_t z = 0; z < part->shape[0]; z++) {
		if (part->origin[1] == 0 && !page_begin(w, (size_t)part->origin[0] + z))
			return tiff_broken(w, err);
		for (size_t y = 0; y < part->shape[1]; y++, from += row)
			if (TIFFWriteScanline(t->file, from,
					      (uint32_t)part->origin[1] + (uint32_t)y, 0) < 0)
				return tiff_broken(w, err);
		if ((size_t)part->origin[1] + part->shape[1] == w->spec.shape[1] &&
		    !TIFFWriteDirectory(t->file))
			return tiff_broken(w, err);
	}
	return FX_OK;
}

static int tiff_finish(struct fx_volume_write *w, struct fx_error *err)
{
	struct tiff *t = w->impl;
	const int good = TIFFFlush(t->file);

	TIFFClose(t->file);
	t->file = NULL;
	return good ? FX_OK : tiff_broken(w, err);
}

static void tiff_free(struct fx_volume_write *w)
{
	struct tiff *t = w->impl;

	if (t->file)
		TIFFClose(t->file);
	free(t);
}

const struct fx_volume_write_ops fx_volume_write_tiff = {
	.dtypes = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F32,
	.codecs = codecs,
	.open = tiff_open,
	.put = tiff_put,
	.finish = tiff_finish,
	.free_impl = tiff_free,
};
