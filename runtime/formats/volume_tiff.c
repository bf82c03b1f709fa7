// SPDX-License-Identifier: Apache-2.0
/* volume_tiff.c: a multi-page TIFF as a volume: page = z. */
#include "formats/volume_ops.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "formats/tiffmeta.h"
#include "formats/tiffread.h"

struct volume_tiff {
	char *path;		  /* owned */
	struct fx_tiffread *tiff; /* owned */
	size_t page, row;	  /* where the reader stands */
	bool lost;		  /* after an error it stands nowhere */
	void *rows;		  /* owned; one row */
};

static void volume_tiff_close(struct fx_volume *v)
{
	struct volume_tiff *t = v->impl;

	if (t) {
		fx_tiffread_close(t->tiff);
		free(t->rows);
		free(t->path);
	}
	free(t);
}

/* Of the first page, before others are looked at. */
static void volume_tiff_about(const struct fx_tiffread *tiff, struct fx_volume *v)
{
	double resolution[2];
	struct fx_tiffmeta m;

	fx_tiffmeta_parse(fx_tiffread_description(tiff, resolution), resolution, &m);
	memcpy(v->voxel_nm, m.voxel_nm, sizeof v->voxel_nm);
	memcpy(v->offset, m.offset, sizeof v->offset);
	v->labels = m.labels;
}

static int volume_tiff_open(const char *path, struct fx_volume *v, struct fx_error *err)
{
	struct volume_tiff *t = calloc(1, sizeof *t);
	int result;

	if (!t || !(t->path = fx_strdup(path))) {
		free(t);
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	}
	v->impl = t;
	result = fx_tiffread_open(path, &t->tiff, err);
	if (result == FX_OK) {
		volume_tiff_about(t->tiff, v);
		fx_tiffread_shape(t->tiff, &v->shape[1], &v->shape[2], &v->dtype);
		v->shape[0] = fx_tiffread_pages(t->tiff);
		t->lost = true; /* counting pages moves */
		result = fx_volume_check(path, v, err);
	}
	if (result == FX_OK && !(t->rows = malloc(v->shape[2] * fx_dtype_size(v->dtype))))
		result = fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	if (result < 0)
		volume_tiff_close(v);
	return result;
}

/* Brings the reader to a row of a page. */
static int volume_tiff_seek(struct fx_volume *v, size_t page, size_t row, struct fx_error *err)
{
	struct volume_tiff *t = v->impl;
	size_t height, width;
	enum fx_dtype dtype;
	int result = FX_OK;

	if (t->lost || t->page != page || t->row > row) {
		result = fx_tiffread_page(t->tiff, page, err);
		t->page = page;
		t->row = 0;
	}
	if (result < 0)
		return result;
	fx_tiffread_shape(t->tiff, &height, &width, &dtype);
	if (height != v->shape[1] || width != v->shape[2] || dtype != v->dtype)
		return fx_error_set(err, FX_EINVAL,
				    "page %zu is %zu x %zu %s, the first %zu x %zu %s", page,
				    height, width, fx_dtype_name(dtype), v->shape[1], v->shape[2],
				    fx_dtype_name(v->dtype));
	result = fx_tiffread_rows(t->tiff, row - t->row, NULL, err);
	t->row = row;
	return result;
}

static int volume_tiff_read(struct fx_volume *v, struct fx_block *b, struct fx_error *err)
{
	struct volume_tiff *t = v->impl;
	const size_t bytes = fx_dtype_size(v->dtype), len = b->shape[2] * bytes;
	char *to = b->data;
	int result = FX_OK;

	for (size_t z = 0; z < b->shape[0] && result == FX_OK; z++) {
		result = volume_tiff_seek(v, (size_t)b->origin[0] + z, (size_t)b->origin[1], err);
		for (size_t y = 0; y < b->shape[1] && result == FX_OK; y++, to += len) {
			result = fx_tiffread_rows(t->tiff, 1, t->rows, err);
			t->row++;
			if (result == FX_OK)
				memcpy(to, (char *)t->rows + (size_t)b->origin[2] * bytes, len);
		}
	}
	t->lost = result < 0;
	v->rounded = fx_tiffread_rounded(t->tiff);
	return result;
}

/* A page that others follow is whole; the last one may still be written. */
static int volume_tiff_there(struct fx_volume *v, size_t z, struct fx_volume_there *t,
			     struct fx_error *err)
{
	const struct volume_tiff *tiff = v->impl;
	int64_t about[3];
	const struct iovec part = { about, sizeof about };
	struct stat st;

	t->parts = t->there = 1;
	t->end = z + 1;
	if (z + 1 < v->shape[0])
		return FX_OK;
	if (stat(tiff->path, &st) != 0)
		return fx_error_set(err, FX_EIO, "%s: has gone", tiff->path);
	about[0] = st.st_size;
	about[1] = st.st_mtim.tv_sec;
	about[2] = st.st_mtim.tv_nsec;
	t->state = fx_checksum(&part, 1);
	return FX_OK;
}

const struct fx_volume_ops fx_volume_tiff = {
	.open = volume_tiff_open,
	.read = volume_tiff_read,
	.close = volume_tiff_close,
	.sets_all = true,
	.there = volume_tiff_there,
};
