// SPDX-License-Identifier: Apache-2.0
/* volume.c: a volume by its path. */
#include "formats/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "block/heap.h"
#include "formats/volume_ops.h"

int fx_volume_check(const char *path, const struct fx_volume *v, struct fx_error *err)
{
	size_t bytes = fx_dtype_size(v->dtype);

	for (int a = 0; a < 3; a++)
		if (!v->shape[a] || v->shape[a] > (size_t)1 << 40 ||
		    !fx_mul_size(bytes, v->shape[a], &bytes) || bytes >= (size_t)1 << 62)
			return fx_error_set(err, FX_EINVAL,
					    "%s: shape %zu x %zu x %zu is not "
					    "accepted",
					    path, v->shape[0], v->shape[1], v->shape[2]);
	return FX_OK;
}

int64_t fx_volume_offset(double nm, double voxel_nm)
{
	const double voxels = voxel_nm > 0 ? nm / voxel_nm : 0;

	return voxels > -1e12 && voxels < 1e12 ? llrint(voxels) : 0;
}

char *fx__volume_file(const char *path, const char **inside)
{
	char *file = fx_strdup(path), *colon = file ? strrchr(file, ':') : NULL;
	struct stat st;

	*inside = NULL;
	if (!colon || stat(path, &st) == 0)
		return file;
	*colon = 0;
	if (stat(file, &st) == 0 && S_ISREG(st.st_mode))
		*inside = path + (colon - file) + 1;
	else
		*colon = ':';
	return file;
}

enum { MAGIC = 256 };

/* By its first bytes, zeros where it is shorter. */
static const struct fx_volume_ops *sniff_file(const char magic[MAGIC])
{
	if (memcmp(magic, "\x93NUMPY", 6) == 0)
		return &fx_volume_npy;
	if (memcmp(magic, "II", 2) == 0 || memcmp(magic, "MM", 2) == 0)
		return &fx_volume_tiff;
	if (memcmp(magic, "\x89HDF\r\n\x1a\n", 8) == 0)
		return &fx_volume_hdf5;
	return fx__volume_is_mrc(magic) ? &fx_volume_mrc : NULL;
}

static const struct fx_volume_ops *sniff_folder(const char *path)
{
	if (fx__volume_is_chunks(path))
		return &fx_volume_chunks;
	return fx__volume_is_images(path) ? &fx_volume_images : &fx_volume_precomputed;
}

static int volume_sniff(const char *path, const struct fx_volume_ops **ops, struct fx_error *err)
{
	const char *inside;
	char magic[MAGIC] = { 0 }, *file = fx__volume_file(path, &inside);
	struct stat st;
	const int fd = file ? open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	int failed;

	free(file);
	if (fd < 0)
		return fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO,
				    "%s: cannot open: %s", path, strerror(errno));
	failed = fstat(fd, &st) != 0 ||
		 (S_ISREG(st.st_mode) && pread(fd, magic, sizeof magic, 0) < 8);
	close(fd);
	if (!failed && S_ISDIR(st.st_mode))
		*ops = sniff_folder(path);
	else if (!failed)
		*ops = sniff_file(magic);
	if (!*ops || (inside && *ops != &fx_volume_hdf5))
		return fx_error_set(err, FX_ETYPE,
				    "%s: not a TIFF, a .npy, MRC or HDF5 file, or a folder of "
				    "images or that is precomputed, Zarr or N5",
				    path);
	return FX_OK;
}

int fx_volume_open(const char *path, struct fx_volume *v, struct fx_error *err)
{
	const struct fx_volume_ops *ops = NULL;
	int result = volume_sniff(path, &ops, err);

	memset(v, 0, sizeof *v);
	if (result == FX_OK && ops)
		result = ops->open(path, v, err);
	if (result < 0) {
		memset(v, 0, sizeof *v);
		return result;
	}
	v->ops = ops;
	for (int a = 0; a < 3; a++)
		v->chunk[a] = v->chunk[a] ? v->chunk[a] : a ? v->shape[a] : 1;
	return result;
}

/* A block for @p r; its voxels are zeroed unless read() sets them all. */
static struct fx_block *new_block(const struct fx_volume *v, const struct fx_region *r)
{
	const size_t n[3] = { (size_t)(r->hi[0] - r->lo[0]), (size_t)(r->hi[1] - r->lo[1]),
			      (size_t)(r->hi[2] - r->lo[2]) };
	size_t size = fx_dtype_size(v->dtype);
	struct fx_block *b;
	void *data;

	if (!v->ops->sets_all)
		return fx_block_new(v->dtype, n[0], n[1], n[2]);
	if (!fx_mul_size(size, n[0], &size) || !fx_mul_size(size, n[1], &size) ||
	    !fx_mul_size(size, n[2], &size))
		return NULL;
	b = fx_block_new(v->dtype, 1, 1, 1);
	data = b ? fx_alloc_aligned(size) : NULL;
	if (!data) {
		fx_block_free(b);
		return NULL;
	}
	free(b->data);
	fx__block_heap(b, data);
	memcpy(b->shape, n, sizeof b->shape);
	return b;
}

int fx_volume_read(struct fx_volume *v, struct fx_region r, struct fx_block **out,
		   struct fx_error *err)
{
	struct fx_block *b;
	int result;

	for (int a = 0; a < 3; a++)
		if (r.lo[a] < 0 || r.lo[a] >= r.hi[a] || r.hi[a] > (int64_t)v->shape[a])
			return fx_error_set(err, FX_EINVAL, "region outside the volume");
	b = new_block(v, &r);
	if (!b)
		return fx_error_set(err, FX_ENOMEM, "no memory for a part of a volume");
	memcpy(b->origin, r.lo, sizeof b->origin);
	memcpy(b->voxel_nm, v->voxel_nm, sizeof b->voxel_nm);
	result = v->ops->read(v, b, err);
	if (result < 0)
		fx_block_free(b);
	else
		*out = b;
	return result;
}

int fx_volume_there(struct fx_volume *v, size_t z, struct fx_volume_there *t, struct fx_error *err)
{
	memset(t, 0, sizeof *t);
	if (z >= v->shape[0])
		return fx_error_set(err, FX_EINVAL, "section %zu is outside of the volume", z);
	if (!v->ops->there)
		return fx_error_set(err, FX_ETYPE, "a volume of this format does not grow");
	return v->ops->there(v, z, t, err);
}

int fx_volume_attribute(struct fx_volume *v, const char *name, double *number, struct fx_error *err)
{
	if (!v->ops->attribute)
		return fx_error_set(err, FX_ENOENT, "a volume of this format has no attributes");
	return v->ops->attribute(v, name, number, err);
}

void fx_volume_forget(struct fx_volume *v)
{
	if (v->ops && v->ops->forget)
		v->ops->forget(v);
}

void fx_volume_keep(struct fx_volume *v, size_t bytes)
{
	if (v->ops->keep)
		v->ops->keep(v, bytes);
}

void fx_volume_close(struct fx_volume *v)
{
	if (v->ops)
		v->ops->close(v);
	memset(v, 0, sizeof *v);
}
