// SPDX-License-Identifier: Apache-2.0
/* volume_write.c: writes a volume, part after part. */
#include "formats/volume_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/chunkmeta.h"
#include "formats/volume_write_ops.h"

enum {
	CHUNK = 64,
	SHARD = 8 /* chunks along an axis */,
	CHUNK_BYTES_MAX = 1 << 28,
	MEMORY = 256 << 20
};

static const struct {
	const char *name;
	enum fx_volume_format format;
	const struct fx_volume_write_ops *ops;
	const char *endings[3];
} formats[] = {
	{ "png", FX_VOLUME_PNG, &fx_volume_write_png, { NULL } },
	{ "tiff", FX_VOLUME_TIFF, &fx_volume_write_tiff, { ".tif", ".tiff" } },
	{ "hdf5", FX_VOLUME_HDF5, &fx_volume_write_hdf5, { ".h5", ".hdf5", ".hdf" } },
	{ "npy", FX_VOLUME_NPY, &fx_volume_write_npy, { ".npy" } },
	{ "zarr", FX_VOLUME_ZARR2, &fx_volume_write_zarr2, { ".zarr" } },
	{ "zarr3", FX_VOLUME_ZARR3, &fx_volume_write_zarr3, { NULL } },
	{ "precomputed", FX_VOLUME_PRECOMPUTED, &fx_volume_write_precomputed, { NULL } },
};

enum { FORMATS = sizeof formats / sizeof formats[0] };

enum fx_volume_format fx_volume_format_of(const char *name, const char *path)
{
	for (size_t i = 0; i < FORMATS; i++) {
		if (name && strcmp(formats[i].name, name) == 0)
			return formats[i].format;
		for (size_t k = 0; !name && k < 3 && formats[i].endings[k]; k++)
			if (fx_path_ends(path, formats[i].endings[k]))
				return formats[i].format;
	}
	return FX_VOLUME_UNKNOWN;
}

static const struct fx_volume_write_ops *ops_of(enum fx_volume_format format, const char **name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (formats[i].format == format) {
			*name = formats[i].name;
			return formats[i].ops;
		}
	return NULL;
}

const char *const *fx_volume_codecs(enum fx_volume_format format)
{
	static const char *const none[] = { NULL };
	const char *name;
	const struct fx_volume_write_ops *ops = ops_of(format, &name);

	return ops ? ops->codecs : none;
}

size_t fx_volume_codec_index(const struct fx_volume_write *w)
{
	size_t i = 0;

	while (w->spec.codec && w->ops->codecs[i] && strcmp(w->ops->codecs[i], w->spec.codec) != 0)
		i++;
	return i;
}

static int check_codec(const struct fx_volume_write *w, const char *name, struct fx_error *err)
{
	char list[128] = "";

	if (w->ops->codecs[fx_volume_codec_index(w)])
		return FX_OK;
	for (size_t i = 0, at = 0; w->ops->codecs[i] && at < sizeof list; i++)
		at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "",
				       w->ops->codecs[i]);
	return fx_error_set(err, FX_EINVAL, "%.32s is no way to compress %s; there are %s",
			    w->spec.codec, name, list);
}

static int check_chunk(struct fx_volume_write *w, struct fx_error *err)
{
	size_t bytes = fx_dtype_size(w->spec.dtype);

	for (int a = 0; a < 3; a++) {
		if (!w->spec.chunk[a])
			w->spec.chunk[a] = CHUNK;
		if (!fx_mul_size(bytes, w->spec.chunk[a], &bytes) || bytes > CHUNK_BYTES_MAX)
			return fx_error_set(err, FX_EINVAL, "chunks are above %d MiB",
					    CHUNK_BYTES_MAX >> 20);
	}
	return FX_OK;
}

/* Sizes of shards, where they count. */
static int check_shard(struct fx_volume_write *w, struct fx_error *err)
{
	struct fx_volume_spec *s = &w->spec;
	size_t chunks = 1;

	if (s->format != FX_VOLUME_ZARR3 && s->shard[0])
		return fx_error_set(err, FX_EINVAL, "the size of shards is chosen for zarr3 alone");
	for (int a = 0; a < 3 && s->format == FX_VOLUME_ZARR3 && s->sharded; a++) {
		if (!s->shard[a])
			s->shard[a] = SHARD * s->chunk[a];
		if (s->shard[a] % s->chunk[a] ||
		    !fx_mul_size(chunks, s->shard[a] / s->chunk[a], &chunks) ||
		    chunks > FX_SHARD_CHUNKS_MAX)
			return fx_error_set(err, FX_EINVAL,
					    "shards of %zu x %zu x %zu voxels are no multiple of "
					    "chunks, or of more than %d",
					    s->shard[0], s->shard[1], s->shard[2],
					    FX_SHARD_CHUNKS_MAX);
	}
	return FX_OK;
}

static int check_spec(struct fx_volume_write *w, const char *name, struct fx_error *err)
{
	const struct fx_volume_spec *s = &w->spec;
	size_t bytes = fx_dtype_size(s->dtype);
	int result;

	for (int a = 0; a < 3; a++)
		if (!s->shape[a] || s->shape[a] > (size_t)1 << 40 ||
		    !fx_mul_size(bytes, s->shape[a], &bytes) || bytes >= (size_t)1 << 62)
			return fx_error_set(err, FX_EINVAL, "a volume of %zu x %zu x %zu",
					    s->shape[0], s->shape[1], s->shape[2]);
	if (!(s->dtype & w->ops->dtypes))
		return fx_error_set(err, FX_ETYPE, "%s does not hold voxels of %s", name,
				    fx_dtype_name(s->dtype));
	if (s->labels && s->dtype == FX_F32)
		return fx_error_set(err, FX_ETYPE, "voxels of f32 cannot be labels");
	if (s->levels > FX_LEVELS_MAX)
		return fx_error_set(err, FX_EINVAL, "%zu levels; there are at most %d", s->levels,
				    FX_LEVELS_MAX);
	if (s->sharded && s->format != FX_VOLUME_PRECOMPUTED && s->format != FX_VOLUME_ZARR3)
		return fx_error_set(err, FX_EINVAL,
				    "%s is not written in shards; zarr3 and precomputed are", name);
	if (!w->ops->level_done && s->levels > 1)
		return fx_error_set(err, FX_EINVAL,
				    "%s has no levels; zarr, zarr3 and "
				    "precomputed have",
				    name);
	result = check_chunk(w, err);
	if (result == FX_OK)
		result = check_shard(w, err);
	return result == FX_OK ? check_codec(w, name, err) : result;
}

static void set_defaults(struct fx_volume_write *w)
{
	struct fx_volume_level levels[FX_LEVELS_MAX];
	struct fx_volume_spec *s = &w->spec;

	if (!s->codec) /* of precomputed, labels have another */
		s->codec = w->ops->codecs[s->format == FX_VOLUME_PRECOMPUTED && s->labels];
	s->memory = s->memory ? s->memory : MEMORY;
	s->levels = w->ops->level_done ? fx_volume_levels(s, levels) : 1;
	w->step[0] = w->ops->in_chunks ? s->chunk[0] : 1;
	w->step[1] = w->ops->in_chunks ? s->chunk[1] : 1;
	w->step[2] = s->shape[2];
}

static int take_spec(struct fx_volume_write *w, const struct fx_volume_spec *spec,
		     struct fx_error *err)
{
	const char *name = NULL;

	w->spec = *spec;
	w->ops = ops_of(spec->format, &name);
	if (!w->ops)
		return fx_error_set(err, FX_EINVAL, "no such format");
	return check_spec(w, name, err) < 0 ? fx_error_prefix(err, "%s", spec->path) : FX_OK;
}

int fx_volume_write_check(const struct fx_volume_spec *spec, struct fx_error *err)
{
	struct fx_volume_spec s = *spec;
	struct fx_volume_write w = { 0 };

	for (int a = 0; a < 3; a++)
		s.shape[a] = s.shape[a] ? s.shape[a] : 1;
	return take_spec(&w, &s, err);
}

int fx_volume_write_reserve(struct fx_volume_write *w, const struct fx_volume_spec *spec,
			    struct fx_error *err)
{
	const char *name;
	const struct fx_volume_write_ops *ops = ops_of(spec->format, &name);

	if (!ops)
		return fx_error_set(err, FX_EINVAL, "no such format");
	return fx_outplace_begin(&w->place, spec->path, ops->is_folder, spec->replace, err);
}

int fx_volume_write_open(struct fx_volume_write *w, const struct fx_volume_spec *spec,
			 struct fx_error *err)
{
	int result = take_spec(w, spec, err);

	if (result < 0)
		return result;
	set_defaults(w);
	if (!w->place.partial)
		result = fx_outplace_begin(&w->place, spec->path, w->ops->is_folder, spec->replace,
					   err);
	if (result == FX_OK)
		result = w->ops->open(w, err);
	if (result < 0)
		fx_volume_write_fini(w);
	return result;
}

int fx_volume_write_put(struct fx_volume_write *w, const struct fx_block *part,
			struct fx_error *err)
{
	const size_t *shape = w->spec.shape;
	const int64_t hi[2] = { part->origin[0] + (int64_t)part->shape[0],
				part->origin[1] + (int64_t)part->shape[1] };
	int result;

	if (part->origin[0] != w->next[0] || part->origin[1] != w->next[1] || part->origin[2] ||
	    part->shape[2] != shape[2] || part->dtype != w->spec.dtype || part->channels != 1 ||
	    hi[0] > (int64_t)shape[0] || hi[1] > (int64_t)shape[1] ||
	    (hi[1] < (int64_t)shape[1] &&
	     (hi[1] % (int64_t)w->step[1] || part->shape[0] > w->step[0])) ||
	    (hi[0] < (int64_t)shape[0] && hi[0] % (int64_t)w->step[0]))
		return fx_error_set(err, FX_EINVAL, "%s: a part came out of its order",
				    w->place.path);
	result = w->ops->put(w, 0, part, err);
	w->next[1] = hi[1] < (int64_t)shape[1] ? hi[1] : 0;
	w->next[0] = w->next[1] ? w->next[0] : hi[0];
	return result;
}

int fx_volume_write_close(struct fx_volume_write *w, struct fx_error *err)
{
	int result = FX_OK;

	if (w->next[0] != (int64_t)w->spec.shape[0])
		return fx_error_set(err, FX_EINVAL, "%s: not all sections came", w->place.path);
	if (w->ops->level_done)
		result = fx_volume_pyramid(w, err);
	if (result == FX_OK)
		result = w->ops->finish(w, err);
	if (result == FX_OK)
		result = fx_outplace_commit(&w->place, err);
	return result;
}

void fx_volume_write_fini(struct fx_volume_write *w)
{
	if (w->ops && w->impl)
		w->ops->free_impl(w);
	fx_outplace_fini(&w->place);
	memset(w, 0, sizeof *w);
}

int fx_volume_write_at(const struct fx_volume_write *w, const char *name, uint64_t at,
		       const void *data, size_t size, struct fx_error *err)
{
	char *path = fx_path_join(w->place.partial, name);
	const int flags = O_WRONLY | O_CREAT | (at ? 0 : O_TRUNC) | O_CLOEXEC;
	int fd = path ? open(path, flags, 0666) : -1, failed;

	if (path && fd < 0 && errno == ENOENT && fx_make_parents(path, NULL) == FX_OK)
		fd = open(path, flags, 0666);
	failed = fd < 0 ? -errno : fx_pwrite_all(fd, data, size, (off_t)at);
	if (fd >= 0 && close(fd) != 0 && !failed)
		failed = -errno;
	free(path);
	return failed ? fx_error_set(err, FX_EIO, "%s: cannot write %s: %s", w->place.path, name,
				     strerror(-failed)) :
			FX_OK;
}

int fx_volume_write_file(const struct fx_volume_write *w, const char *name, const void *data,
			 size_t size, struct fx_error *err)
{
	return fx_volume_write_at(w, name, 0, data, size, err);
}

bool fx_volume_all_zero(const struct fx_block *b)
{
	const unsigned char *v = b->data;
	const size_t size = fx_block_size(b);

	return size == 0 || (v[0] == 0 && memcmp(v, v + 1, size - 1) == 0);
}

/* One chunk of the part; its voxels in `to`, which has room for a whole one. */
static void cut_one(const struct fx_chunk_cut *c, const struct fx_block *part, const size_t at[3],
		    struct fx_block *to)
{
	for (int a = 0; a < 3; a++) {
		const size_t chunk = c->w->spec.chunk[a], left = c->shape[a] - at[a];

		to->origin[a] = (int64_t)at[a];
		to->shape[a] = c->full || left > chunk ? chunk : left;
	}
	if (c->full)
		memset(to->data, 0, fx_block_size(to));
	fx_block_paste(to, part);
}

int fx_volume_cut(struct fx_volume_write *w, const struct fx_chunk_cut *c,
		  const struct fx_block *part, struct fx_error *err)
{
	const size_t *n = w->spec.chunk;
	struct fx_block *b = fx_block_new(part->dtype, n[0], n[1], n[2]);
	size_t at[3];
	int result = FX_OK;

	if (!b)
		return fx_error_set(err, FX_ENOMEM, "no memory for a chunk");
	for (at[0] = (size_t)part->origin[0]; at[0] < (size_t)part->origin[0] + part->shape[0];
	     at[0] += n[0])
		for (at[1] = (size_t)part->origin[1];
		     at[1] < (size_t)part->origin[1] + part->shape[1]; at[1] += n[1])
			for (at[2] = 0; at[2] < part->shape[2] && result == FX_OK; at[2] += n[2]) {
				const size_t grid[3] = { at[0] / n[0], at[1] / n[1], at[2] / n[2] };

				cut_one(c, part, at, b);
				result = c->chunk(w, c->level, grid, b, err);
			}
	memcpy(b->shape, n, sizeof b->shape);
	fx_block_free(b);
	return result;
}
