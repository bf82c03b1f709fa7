// SPDX-License-Identifier: Apache-2.0
/* precomputed.c: Neuroglancer precomputed volumes. */
#include "formats/precomputed.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/cseg.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw chunks are little-endian");

enum { INFO_MAX = 16 << 20 };

static const int64_t size_max = INT64_C(1) << 40;

/* Names of voxel types in info files. */
static const struct {
	const char *name;
	enum fx_dtype dtype;
} dtypes[] = {
	{ "uint8", FX_U8 },   { "uint16", FX_U16 },  { "uint32", FX_U32 },
	{ "uint64", FX_U64 }, { "float32", FX_F32 },
};

enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

/* Three integers x y z within lo..hi to zyx. */
static bool triple_of(const json_t *array, int64_t lo, int64_t hi, int64_t zyx[3])
{
	if (json_array_size(array) != 3)
		return false;
	for (size_t a = 0; a < 3; a++) {
		const json_t *v = json_array_get(array, a);
		const double d = json_number_value(v);

		if (!json_is_number(v) || !(d >= (double)lo && d <= (double)hi) || d != floor(d))
			return false;
		zyx[2 - a] = (int64_t)d;
	}
	return true;
}

static bool sizes_of(const json_t *array, int64_t hi, size_t zyx[3])
{
	int64_t v[3];

	if (!triple_of(array, 1, hi, v))
		return false;
	for (int a = 0; a < 3; a++)
		zyx[a] = (size_t)v[a];
	return true;
}

static int parse_type(const json_t *info, struct fx_precomputed *p, struct fx_error *err)
{
	const char *type = json_string_value(json_object_get(info, "type"));
	const char *dtype = json_string_value(json_object_get(info, "data_type"));
	const json_t *channels = json_object_get(info, "num_channels");

	if (!type || (strcmp(type, "image") != 0 && strcmp(type, "segmentation") != 0))
		return fx_error_set(err, FX_ETYPE, "\"type\" is not image or segmentation");
	p->role = strcmp(type, "image") == 0 ? FX_IMAGE : FX_LABELS;
	for (size_t i = 0; dtype && i < DTYPES; i++)
		if (strcmp(dtypes[i].name, dtype) == 0)
			p->dtype = dtypes[i].dtype;
	if (!p->dtype)
		return fx_error_set(err, FX_ETYPE,
				    "\"data_type\" %.32s is not one of uint8, uint16, uint32, "
				    "uint64, float32",
				    dtype ? dtype : "(none)");
	if (channels && json_integer_value(channels) != 1)
		return fx_error_set(err, FX_ETYPE, "has several channels; 1 is accepted");
	return FX_OK;
}

static int parse_encoding(const json_t *scale, struct fx_precomputed *p, struct fx_error *err)
{
	const char *encoding = json_string_value(json_object_get(scale, "encoding"));
	const json_t *sharding = json_object_get(scale, "sharding");

	if (sharding && !json_is_null(sharding))
		return fx_error_set(err, FX_ETYPE, "is sharded, which is not supported");
	p->compressed = encoding && strcmp(encoding, "compressed_segmentation") == 0;
	if (!p->compressed && (!encoding || strcmp(encoding, "raw") != 0))
		return fx_error_set(err, FX_ETYPE,
				    "encoding %.32s is not one of raw, "
				    "compressed_segmentation",
				    encoding ? encoding : "(none)");
	if (!p->compressed)
		return FX_OK;
	if ((p->dtype != FX_U32 && p->dtype != FX_U64) ||
	    !sizes_of(json_object_get(scale, "compressed_segmentation_block_size"), 4096,
		      p->cseg_block))
		return fx_error_set(err, FX_EINVAL,
				    "compressed_segmentation needs uint32 or "
				    "uint64 and a compressed_segmentation_block_size");
	return FX_OK;
}

static bool key_is_safe(const char *key)
{
	return key && key[0] && key[0] != '/' && strlen(key) < 128 && !strstr(key, "..");
}

static bool parse_resolution(const json_t *array, double voxel_nm[3])
{
	for (size_t a = 0; a < 3; a++) {
		voxel_nm[2 - a] = json_number_value(json_array_get(array, a));
		if (!(voxel_nm[2 - a] > 0 && voxel_nm[2 - a] < 1e12))
			return false;
	}
	return true;
}

static int parse_scale(const json_t *scale, struct fx_precomputed *p, struct fx_error *err)
{
	const char *key = json_string_value(json_object_get(scale, "key"));
	const json_t *offset = json_object_get(scale, "voxel_offset");
	const json_t *chunks = json_array_get(json_object_get(scale, "chunk_sizes"), 0);
	size_t bytes = fx_dtype_size(p->dtype);

	if (!key_is_safe(key))
		return fx_error_set(err, FX_EINVAL, "its first scale has no usable \"key\"");
	snprintf(p->key, sizeof p->key, "%s", key);
	if (!sizes_of(json_object_get(scale, "size"), size_max, p->size))
		return fx_error_set(err, FX_EINVAL, "\"size\" is not three sizes of 1 to 2^40");
	if (offset && !triple_of(offset, -size_max, size_max, p->offset))
		return fx_error_set(err, FX_EINVAL, "\"voxel_offset\" is not three integers");
	if (!sizes_of(chunks, FX_PRECOMPUTED_CHUNK_MAX, p->chunk) ||
	    !fx_mul_size(bytes, p->chunk[0], &bytes) || !fx_mul_size(bytes, p->chunk[1], &bytes) ||
	    !fx_mul_size(bytes, p->chunk[2], &bytes) || bytes > FX_PRECOMPUTED_CHUNK_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "\"chunk_sizes\" are not three sizes of at most 256 MiB");
	if (!parse_resolution(json_object_get(scale, "resolution"), p->voxel_nm))
		return fx_error_set(err, FX_EINVAL, "\"resolution\" is not three lengths in nm");
	return parse_encoding(scale, p, err);
}

int fx_precomputed_parse(const char *text, size_t len, struct fx_precomputed *p,
			 struct fx_error *err)
{
	json_error_t where;
	json_t *info = json_loadb(text, len, 0, &where);
	struct fx_precomputed fresh = { 0 };
	int result;

	if (!info)
		return fx_error_set(err, FX_EINVAL, "line %d: %s", where.line, where.text);
	result = parse_type(info, &fresh, err);
	if (result == FX_OK)
		result = parse_scale(json_array_get(json_object_get(info, "scales"), 0), &fresh,
				     err);
	json_decref(info);
	if (result == FX_OK)
		*p = fresh;
	return result;
}

int fx_precomputed_read_info(const char *folder, struct fx_precomputed *p, struct fx_error *err)
{
	char *path = fx_path_join(folder, "info");
	void *text;
	size_t len;
	int result;

	if (!path)
		return fx_error_set(err, FX_ENOMEM, "no memory for a path");
	result = fx_file_read(path, INFO_MAX, &text, &len, err);
	if (result == FX_OK) {
		result = fx_precomputed_parse(text, len, p, err);
		free(text);
		if (result < 0)
			fx_error_prefix(err, "%s", path);
	}
	free(path);
	return result;
}

static json_t *xyz_integers(int64_t z, int64_t y, int64_t x)
{
	return json_pack("[I,I,I]", (json_int_t)x, (json_int_t)y, (json_int_t)z);
}

static json_t *xyz_sizes(const size_t zyx[3])
{
	return xyz_integers((int64_t)zyx[0], (int64_t)zyx[1], (int64_t)zyx[2]);
}

static json_t *number_of(double v)
{
	return v == floor(v) && fabs(v) < 1e15 ? json_integer((json_int_t)v) : json_real(v);
}

static json_t *scale_of(const struct fx_precomputed *p)
{
	json_t *scale = json_pack(
		"{s:s, s:o, s:o, s:[o], s:[o,o,o], s:s}", "key", p->key, "size", xyz_sizes(p->size),
		"voxel_offset", xyz_integers(p->offset[0], p->offset[1], p->offset[2]),
		"chunk_sizes", xyz_sizes(p->chunk), "resolution", number_of(p->voxel_nm[2]),
		number_of(p->voxel_nm[1]), number_of(p->voxel_nm[0]), "encoding",
		p->compressed ? "compressed_segmentation" : "raw");

	if (scale && p->compressed &&
	    json_object_set_new(scale, "compressed_segmentation_block_size",
				xyz_sizes(p->cseg_block)) != 0) {
		json_decref(scale);
		return NULL;
	}
	return scale;
}

char *fx_precomputed_info(const struct fx_precomputed *p, const char *skeletons)
{
	const char *dtype = "uint8";
	json_t *info;
	char *text;

	for (size_t i = 0; i < DTYPES; i++)
		if (dtypes[i].dtype == p->dtype)
			dtype = dtypes[i].name;
	info = json_pack("{s:s, s:s, s:s, s:i, s:[o]}", "@type", "neuroglancer_multiscale_volume",
			 "type", p->role == FX_LABELS ? "segmentation" : "image", "data_type",
			 dtype, "num_channels", 1, "scales", scale_of(p));
	if (info && skeletons)
		json_object_set_new(info, "skeletons", json_string(skeletons));
	text = info ? json_dumps(info, JSON_INDENT(2)) : NULL;
	json_decref(info);
	return text;
}

void fx_precomputed_set_key(struct fx_precomputed *p)
{
	snprintf(p->key, sizeof p->key, "%g_%g_%g", p->voxel_nm[2], p->voxel_nm[1], p->voxel_nm[0]);
}

struct fx_region fx_precomputed_chunk_region(const struct fx_precomputed *p, const int64_t grid[3])
{
	struct fx_region r = { 0 };

	for (int a = 0; a < 3; a++) {
		const int64_t size = (int64_t)p->size[a], chunk = (int64_t)p->chunk[a];

		if (grid[a] < 0 || grid[a] > (size - 1) / chunk)
			return (struct fx_region){ 0 };
		r.lo[a] = p->offset[a] + grid[a] * chunk;
		r.hi[a] = p->offset[a] +
			  (size - grid[a] * chunk < chunk ? size : (grid[a] + 1) * chunk);
	}
	return r;
}

void fx_precomputed_chunk_name(const struct fx_precomputed *p, struct fx_region r, char *name,
			       size_t size)
{
	snprintf(name, size,
		 "%s/%" PRId64 "-%" PRId64 "_%" PRId64 "-%" PRId64 "_%" PRId64 "-%" PRId64, p->key,
		 r.lo[2], r.hi[2], r.lo[1], r.hi[1], r.lo[0], r.hi[0]);
}

int fx_precomputed_encode(const struct fx_precomputed *p, const struct fx_block *b,
			  const void **bytes, size_t *size, void **owned, struct fx_error *err)
{
	uint32_t *words;
	size_t len;
	int result;

	if (!p->compressed) {
		*bytes = b->data;
		*size = fx_block_size(b);
		*owned = NULL;
		return FX_OK;
	}
	result = fx_cseg_encode(b->data, b->shape, p->cseg_block, &words, &len, err);
	if (result < 0)
		return result;
	*bytes = *owned = words;
	*size = len * sizeof *words;
	return FX_OK;
}

/* No file means zeros, unless the chunk is there in a form that cannot be read. */
static int chunk_absent(const char *path, struct fx_error *err)
{
	static const char *const endings[] = { "gz", "br" };

	for (size_t i = 0; i < 2; i++) {
		char *packed = fx_asprintf("%s.%s", path, endings[i]);
		const bool there = packed && access(packed, F_OK) == 0;

		free(packed);
		if (there)
			return fx_error_set(err, FX_ETYPE,
					    "%s.%s: compressed chunks are not read: unpack the "
					    "files or write the volume without compression",
					    path, endings[i]);
	}
	return FX_OK;
}

static int chunk_load(const struct fx_precomputed *p, const char *path, struct fx_block *b,
		      struct fx_error *err)
{
	/* tables and headers of small blocks of random labels take more than the labels do */
	const size_t size_limit = 4 * (size_t)FX_PRECOMPUTED_CHUNK_MAX;
	void *bytes;
	size_t size;
	int result = fx_file_read(path, size_limit, &bytes, &size, err);

	if (result == FX_ENOENT)
		return chunk_absent(path, err);
	if (result < 0)
		return result;
	if (p->compressed)
		result = fx_cseg_decode(bytes, size, b->shape, p->cseg_block, p->dtype, b->data,
					err);
	else if (size == fx_block_size(b))
		memcpy(b->data, bytes, size);
	else
		result = fx_error_set(err, FX_EINVAL, "%zu bytes, raw chunk must have %zu", size,
				      fx_block_size(b));
	free(bytes);
	return result < 0 ? fx_error_prefix(err, "%s", path) : FX_OK;
}

int fx_precomputed_read_chunk(const char *folder, const struct fx_precomputed *p,
			      const int64_t grid[3], struct fx_block **out, struct fx_error *err)
{
	const struct fx_region r = fx_precomputed_chunk_region(p, grid);
	char name[300], *path;
	struct fx_block *b;
	int result;

	if (fx_region_empty(r))
		return fx_error_set(err, FX_EINVAL, "%s: no such chunk", folder);
	fx_precomputed_chunk_name(p, r, name, sizeof name);
	path = fx_path_join(folder, name);
	b = fx_block_new(p->dtype, (size_t)(r.hi[0] - r.lo[0]), (size_t)(r.hi[1] - r.lo[1]),
			 (size_t)(r.hi[2] - r.lo[2]));
	result = path && b ? chunk_load(p, path, b, err) :
			     fx_error_set(err, FX_ENOMEM, "%s: no memory for a chunk", folder);
	free(path);
	if (result < 0) {
		fx_block_free(b);
		return result;
	}
	b->role = p->role;
	memcpy(b->origin, r.lo, sizeof b->origin);
	memcpy(b->voxel_nm, p->voxel_nm, sizeof b->voxel_nm);
	*out = b;
	return FX_OK;
}
