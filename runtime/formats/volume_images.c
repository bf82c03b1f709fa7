// SPDX-License-Identifier: Apache-2.0
/* volume_images.c: a folder of numbered PNG or TIFF images as a volume: image = z. */
#include "formats/volume_ops.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/image.h"
#include "formats/sequence.h"

struct volume_images {
	char *folder; /* owned */
	struct fx_sequence list;
	size_t at;	       /* section that is open; SIZE_MAX: none */
	struct fx_image png;   /* it is one of these: */
	struct fx_volume tiff; /* of one page */
	void *row;	       /* owned */
};

bool fx__volume_is_images(const char *folder)
{
	struct fx_sequence list = { 0 };
	char *info = fx_path_join(folder, "info");
	const bool other = !info || access(info, F_OK) == 0;
	const int result = other ? FX_OK : fx_sequence_scan(&list, folder, "*", NULL);
	const bool is = result == FX_EINVAL || list.len > 0; /* two of one number: told later */

	fx_sequence_fini(&list);
	free(info);
	return is;
}

static void section_close(struct volume_images *i)
{
	fx_image_close(&i->png);
	fx_volume_close(&i->tiff);
	i->at = SIZE_MAX;
}

static void volume_images_close(struct fx_volume *v)
{
	struct volume_images *i = v->impl;

	if (i) {
		section_close(i);
		fx_sequence_fini(&i->list);
		free(i->row);
		free(i->folder);
	}
	free(i);
}

static int section_open(struct volume_images *i, size_t z, struct fx_error *err)
{
	const char *name = i->list.files[z].name;
	char *path = fx_path_join(i->folder, name);
	int result;

	section_close(i);
	if (!path)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", i->folder);
	result = fx_path_ends(name, ".png") ? fx_image_open(path, &i->png, err) :
					      fx_volume_open(path, &i->tiff, err);
	if (result == FX_OK && !i->png.png && !i->png.tiff && i->tiff.shape[0] != 1)
		result = fx_error_set(err, FX_ETYPE, "%s: has %zu pages; a section has one", path,
				      i->tiff.shape[0]);
	if (result == FX_OK)
		i->at = z;
	free(path);
	return result;
}

static void section_shape(const struct volume_images *i, size_t shape[2], enum fx_dtype *dtype)
{
	const bool tiff = i->tiff.ops != NULL;

	shape[0] = tiff ? i->tiff.shape[1] : i->png.height;
	shape[1] = tiff ? i->tiff.shape[2] : i->png.width;
	*dtype = tiff ? i->tiff.dtype : i->png.dtype;
}

/* All from the first number to the last are there. */
static int check_numbers(const struct volume_images *i, struct fx_error *err)
{
	const struct fx_sequence_file *files = i->list.files;

	if (!i->list.len)
		return fx_error_set(err, FX_ENOENT, "%s: holds no numbered image", i->folder);
	for (size_t k = 1; k < i->list.len; k++)
		if (files[k].number != files[k - 1].number + 1)
			return fx_error_set(err, FX_ENOENT,
					    "%s: %s is followed by %s: the sections between are "
					    "missing",
					    i->folder, files[k - 1].name, files[k].name);
	return FX_OK;
}

static int images_start(struct volume_images *i, struct fx_volume *v, struct fx_error *err)
{
	int result = fx_sequence_scan(&i->list, i->folder, "*", err);

	if (result == FX_OK)
		result = check_numbers(i, err);
	if (result == FX_OK)
		result = section_open(i, 0, err);
	if (result < 0)
		return result;
	v->shape[0] = i->list.len;
	section_shape(i, v->shape + 1, &v->dtype);
	memcpy(v->voxel_nm, i->tiff.voxel_nm, sizeof v->voxel_nm);
	result = fx_volume_check(i->folder, v, err);
	if (result == FX_OK && !(i->row = malloc(v->shape[2] * fx_dtype_size(v->dtype))))
		result = fx_error_set(err, FX_ENOMEM, "%s: no memory", i->folder);
	return result;
}

static int volume_images_open(const char *path, struct fx_volume *v, struct fx_error *err)
{
	struct volume_images *i = calloc(1, sizeof *i);
	int result;

	v->impl = i;
	if (!i || !(i->folder = fx_strdup(path))) {
		free(i);
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	}
	i->at = SIZE_MAX;
	result = images_start(i, v, err);
	if (result < 0)
		volume_images_close(v);
	return result;
}

/* Section z is open, is like the first, and has its rows before y read. */
static int section_seek(struct fx_volume *v, size_t z, size_t y, struct fx_error *err)
{
	struct volume_images *i = v->impl;
	size_t shape[2];
	enum fx_dtype dtype;
	int result = FX_OK;

	if (i->at != z || i->png.row > y)
		result = section_open(i, z, err);
	if (result < 0)
		return result;
	section_shape(i, shape, &dtype);
	if (shape[0] != v->shape[1] || shape[1] != v->shape[2] || dtype != v->dtype)
		return fx_error_set(
			err, FX_EINVAL, "%s: %s is %zu x %zu %s, the first section %zu x %zu %s",
			i->folder, i->list.files[z].name, shape[0], shape[1], fx_dtype_name(dtype),
			v->shape[1], v->shape[2], fx_dtype_name(v->dtype));
	while (!i->tiff.ops && i->png.row < y && result == FX_OK)
		result = fx_image_read(&i->png, 1, i->row, err);
	return result;
}

/* The part of one section that is in b; `to` is where it goes. */
static int read_section(struct fx_volume *v, const struct fx_block *b, size_t z, char *to,
			struct fx_error *err)
{
	struct volume_images *i = v->impl;
	const size_t bytes = fx_dtype_size(v->dtype), len = b->shape[2] * bytes;
	struct fx_block *part = NULL;
	struct fx_region r = fx_block_region(b);
	int result = section_seek(v, z, (size_t)b->origin[1], err);

	if (result == FX_OK && i->tiff.ops) {
		r.lo[0] = 0;
		r.hi[0] = 1;
		result = fx_volume_read(&i->tiff, r, &part, err);
		v->rounded = v->rounded || i->tiff.rounded;
		if (result == FX_OK)
			memcpy(to, part->data, fx_block_size(part));
		fx_block_free(part);
		return result;
	}
	for (size_t y = 0; y < b->shape[1] && result == FX_OK; y++, to += len) {
		result = fx_image_read(&i->png, 1, i->row, err);
		if (result == FX_OK)
			memcpy(to, (char *)i->row + (size_t)b->origin[2] * bytes, len);
	}
	return result;
}

static int volume_images_read(struct fx_volume *v, struct fx_block *b, struct fx_error *err)
{
	struct volume_images *i = v->impl;
	const size_t section = b->shape[1] * b->shape[2] * fx_dtype_size(v->dtype);
	int result = FX_OK;

	for (size_t z = 0; z < b->shape[0] && result == FX_OK; z++)
		result = read_section(v, b, (size_t)b->origin[0] + z, (char *)b->data + z * section,
				      err);
	if (result < 0)
		section_close(i);
	return result;
}

const struct fx_volume_ops fx_volume_images = {
	.open = volume_images_open,
	.read = volume_images_read,
	.close = volume_images_close,
	.sets_all = true,
};
