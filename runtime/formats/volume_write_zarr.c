// SPDX-License-Identifier: Apache-2.0
/* volume_write_zarr.c: writes OME-Zarr 0.4 (Zarr 2) and 0.5 (Zarr 3). Chunks of zeros are not
 * stored: that is what stands for a chunk that is not there. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/encode.h"
#include "formats/volume_write_ops.h"
#include "formats/zarrshards.h"

static const char *const codecs[] = { "blosc", "zstd", "gzip", "none", NULL };
static const enum fx_encoding encodings[] = { FX_ENCODE_BLOSC, FX_ENCODE_ZSTD, FX_ENCODE_GZIP,
					      FX_ENCODE_NONE };

static const char *const axes[3] = { "z", "y", "x" };

struct zarr {
	struct fx_volume_level levels[FX_LEVELS_MAX];
	size_t len;
	bool three; /* Zarr 3 */
	enum fx_encoding encoding;
	struct fx_zarr_shards shards;
};

static json_t *number_of(double v)
{
	return v == floor(v) && fabs(v) < 1e15 ? json_integer((json_int_t)v) : json_real(v);
}

static json_t *numbers_of(const double v[3])
{
	return json_pack("[o,o,o]", number_of(v[0]), number_of(v[1]), number_of(v[2]));
}

static json_t *sizes_of(const size_t v[3])
{
	return json_pack("[I,I,I]", (json_int_t)v[0], (json_int_t)v[1], (json_int_t)v[2]);
}

static bool known(const struct fx_volume_spec *s)
{
	return s->voxel_nm[0] > 0 && s->voxel_nm[1] > 0 && s->voxel_nm[2] > 0;
}

static json_t *axes_of(const struct fx_volume_spec *s)
{
	json_t *list = json_array();

	for (int a = 0; a < 3; a++) {
		json_t *axis = json_pack("{s:s, s:s}", "name", axes[a], "type", "space");

		if (known(s))
			json_object_set_new(axis, "unit", json_string("nanometer"));
		json_array_append_new(list, axis);
	}
	return list;
}

/* Voxel centres: those of a coarse voxel lie in the middle of the fine ones. */
static json_t *dataset_of(const struct zarr *z, const struct fx_volume_spec *s, size_t level)
{
	const struct fx_volume_level *l = &z->levels[level];
	double shift[3], any = 0;
	json_t *transforms =
		json_pack("[{s:s, s:o}]", "type", "scale", "scale", numbers_of(l->voxel_nm));
	char path[24];

	for (int a = 0; a < 3; a++) {
		shift[a] = ((double)s->offset[a] + ((double)l->factor[a] - 1) / 2) *
			   z->levels[0].voxel_nm[a];
		any += fabs(shift[a]);
	}
	if (any > 0)
		json_array_append_new(transforms, json_pack("{s:s, s:o}", "type", "translation",
							    "translation", numbers_of(shift)));
	snprintf(path, sizeof path, "%zu", level);
	return json_pack("{s:s, s:o}", "path", path, "coordinateTransformations", transforms);
}

static json_t *multiscales_of(const struct zarr *z, const struct fx_volume_spec *s)
{
	json_t *datasets = json_array(), *about;

	for (size_t i = 0; i < z->len; i++)
		json_array_append_new(datasets, dataset_of(z, s, i));
	about = json_pack("{s:s, s:s*}", "method", "fornix", "source", s->source);
	return json_pack("[{s:s*, s:s, s:o, s:o, s:s, s:o}]", "version", z->three ? NULL : "0.4",
			 "name", s->labels ? "labels" : "image", "axes", axes_of(s), "datasets",
			 datasets, "type", s->labels ? "mode" : "mean", "metadata", about);
}

/* Attributes of the group. */
static json_t *attributes_of(const struct zarr *z, const struct fx_volume_spec *s)
{
	json_t *ome = json_pack("{s:s*, s:o}", "version", z->three ? "0.5" : NULL, "multiscales",
				multiscales_of(z, s));

	if (s->labels)
		json_object_set_new(ome, "image-label",
				    json_pack("{s:s}", "version", z->three ? "0.5" : "0.4"));
	return z->three ? json_pack("{s:o}", "ome", ome) : ome;
}

static int write_json(const struct fx_volume_write *w, const char *name, json_t *json,
		      struct fx_error *err)
{
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	int result;

	json_decref(json);
	if (!text)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->place.path);
	result = fx_volume_write_file(w, name, text, strlen(text), err);
	free(text);
	return result;
}

static json_t *compressor_2(enum fx_encoding e)
{
	switch (e) {
	case FX_ENCODE_BLOSC:
		return json_pack("{s:s, s:s, s:i, s:i, s:i}", "id", "blosc", "cname", "zstd",
				 "clevel", 5, "shuffle", 1, "blocksize", 0);
	case FX_ENCODE_ZSTD:
		return json_pack("{s:s, s:i}", "id", "zstd", "level", 5);
	case FX_ENCODE_GZIP:
		return json_pack("{s:s, s:i}", "id", "gzip", "level", 5);
	default:
		return json_null();
	}
}

static json_t *array_2(const struct zarr *z, const struct fx_volume_spec *s, size_t level)
{
	char dtype[8];

	snprintf(dtype, sizeof dtype, "%c%c%zu", s->dtype == FX_U8 ? '|' : '<',
		 s->dtype == FX_F32 ? 'f' : 'u', fx_dtype_size(s->dtype));
	return json_pack("{s:i, s:o, s:o, s:s, s:o, s:i, s:s, s:n, s:s}", "zarr_format", 2, "shape",
			 sizes_of(z->levels[level].shape), "chunks", sizes_of(s->chunk), "dtype",
			 dtype, "compressor", compressor_2(z->encoding), "fill_value", 0, "order",
			 "C", "filters", "dimension_separator", "/");
}

static json_t *codecs_3(enum fx_encoding e, enum fx_dtype dtype)
{
	json_t *list =
		json_pack("[{s:s, s:{s:s}}]", "name", "bytes", "configuration", "endian", "little");
	json_t *more = NULL;

	if (e == FX_ENCODE_BLOSC)
		more = json_pack("{s:s, s:{s:s, s:i, s:s, s:i, s:i}}", "name", "blosc",
				 "configuration", "cname", "zstd", "clevel", 5, "shuffle",
				 "shuffle", "typesize", (int)fx_dtype_size(dtype), "blocksize", 0);
	else if (e == FX_ENCODE_ZSTD)
		more = json_pack("{s:s, s:{s:i, s:b}}", "name", "zstd", "configuration", "level", 5,
				 "checksum", 0);
	else if (e == FX_ENCODE_GZIP)
		more = json_pack("{s:s, s:{s:i}}", "name", "gzip", "configuration", "level", 5);
	if (more)
		json_array_append_new(list, more);
	return list;
}

/* Shards have the codecs of their chunks inside. */
static json_t *outer_codecs_3(const struct zarr *z, const struct fx_volume_spec *s)
{
	json_t *inner = codecs_3(z->encoding, s->dtype);

	if (!s->sharded)
		return inner;
	return json_pack("[{s:s, s:{s:o, s:o, s:[{s:s, s:{s:s}}, {s:s}], s:s}}]", "name",
			 "sharding_indexed", "configuration", "chunk_shape", sizes_of(s->chunk),
			 "codecs", inner, "index_codecs", "name", "bytes", "configuration",
			 "endian", "little", "name", "crc32c", "index_location", "end");
}

static json_t *array_3(const struct zarr *z, const struct fx_volume_spec *s, size_t level)
{
	char dtype[12];

	snprintf(dtype, sizeof dtype, "%s%zu", s->dtype == FX_F32 ? "float" : "uint",
		 8 * fx_dtype_size(s->dtype));
	return json_pack(
		"{s:i, s:s, s:o, s:s, s:{s:s, s:{s:o}}, s:{s:s, s:{s:s}}, s:i, s:o, "
		"s:[s,s,s], s:{}}",
		"zarr_format", 3, "node_type", "array", "shape", sizes_of(z->levels[level].shape),
		"data_type", dtype, "chunk_grid", "name", "regular", "configuration", "chunk_shape",
		sizes_of(s->sharded ? s->shard : s->chunk), "chunk_key_encoding", "name", "default",
		"configuration", "separator", "/", "fill_value", 0, "codecs", outer_codecs_3(z, s),
		"dimension_names", axes[0], axes[1], axes[2], "attributes");
}

static int write_group(const struct fx_volume_write *w, struct fx_error *err)
{
	const struct zarr *z = w->impl;
	json_t *attributes = attributes_of(z, &w->spec);
	int result;

	if (z->three)
		return write_json(w, "zarr.json",
				  json_pack("{s:i, s:s, s:o}", "zarr_format", 3, "node_type",
					    "group", "attributes", attributes),
				  err);
	result = write_json(w, ".zattrs", attributes, err);
	return result == FX_OK ?
		       write_json(w, ".zgroup", json_pack("{s:i}", "zarr_format", 2), err) :
		       result;
}

static int write_arrays(const struct fx_volume_write *w, struct fx_error *err)
{
	const struct zarr *z = w->impl;
	int result = FX_OK;

	for (size_t i = 0; i < z->len && result == FX_OK; i++) {
		char name[32];

		snprintf(name, sizeof name, "%zu/%s", i, z->three ? "zarr.json" : ".zarray");
		result = write_json(
			w, name, z->three ? array_3(z, &w->spec, i) : array_2(z, &w->spec, i), err);
	}
	return result;
}

static int zarr_open(struct fx_volume_write *w, bool three, struct fx_error *err)
{
	struct zarr *z = calloc(1, sizeof *z);
	int result;

	if (!z)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	w->impl = z;
	z->three = three;
	z->encoding = encodings[fx_volume_codec_index(w)];
	z->len = fx_volume_levels(&w->spec, z->levels);
	result = write_group(w, err);
	return result == FX_OK ? write_arrays(w, err) : result;
}

static int zarr2_open(struct fx_volume_write *w, struct fx_error *err)
{
	return zarr_open(w, false, err);
}

static int zarr3_open(struct fx_volume_write *w, struct fx_error *err)
{
	return zarr_open(w, true, err);
}

static int zarr_chunk(struct fx_volume_write *w, size_t level, const size_t grid[3],
		      const struct fx_block *voxels, struct fx_error *err)
{
	struct zarr *z = w->impl;
	char name[96];
	void *bytes;
	size_t size;
	int result;

	if (fx_volume_all_zero(voxels))
		return FX_OK;
	snprintf(name, sizeof name, "%zu/%s%zu/%zu/%zu", level, z->three ? "c/" : "", grid[0],
		 grid[1], grid[2]);
	result = fx_encode(z->encoding, fx_dtype_size(voxels->dtype), voxels->data,
			   fx_block_size(voxels), &bytes, &size, err);
	if (result < 0)
		return result;
	if (w->spec.sharded)
		result = fx_zarr_shards_put(&z->shards, w, level, z->levels[level].shape, grid,
					    bytes, size, err);
	else
		result = fx_volume_write_file(w, name, bytes, size, err);
	free(bytes);
	return result;
}

static int zarr_put(struct fx_volume_write *w, size_t level, const struct fx_block *part,
		    struct fx_error *err)
{
	const struct zarr *z = w->impl;
	const struct fx_chunk_cut cut = { w, level, z->levels[level].shape, true, zarr_chunk };

	return fx_volume_cut(w, &cut, part, err);
}

static char *zarr_level_done(struct fx_volume_write *w, size_t level, struct fx_error *err)
{
	struct zarr *z = w->impl;
	char name[24], *path;

	if (fx_zarr_shards_end(&z->shards, w, err) < 0)
		return NULL;
	snprintf(name, sizeof name, "%zu", level);
	path = fx_path_join(w->place.partial, name);
	if (!path)
		fx_error_set(err, FX_ENOMEM, "%s: no memory", w->spec.path);
	return path;
}

static int zarr_finish(struct fx_volume_write *w, struct fx_error *err)
{
	(void)w;
	(void)err;
	return FX_OK;
}

static void zarr_free(struct fx_volume_write *w)
{
	struct zarr *z = w->impl;

	fx_zarr_shards_fini(&z->shards);
	free(z);
}

const struct fx_volume_write_ops fx_volume_write_zarr2 = {
	.is_folder = true,
	.in_chunks = true,
	.dtypes = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F32,
	.codecs = codecs,
	.open = zarr2_open,
	.put = zarr_put,
	.level_done = zarr_level_done,
	.finish = zarr_finish,
	.free_impl = zarr_free,
};

const struct fx_volume_write_ops fx_volume_write_zarr3 = {
	.is_folder = true,
	.in_chunks = true,
	.dtypes = FX_U8 | FX_U16 | FX_U32 | FX_U64 | FX_F32,
	.codecs = codecs,
	.open = zarr3_open,
	.put = zarr_put,
	.level_done = zarr_level_done,
	.finish = zarr_finish,
	.free_impl = zarr_free,
};
