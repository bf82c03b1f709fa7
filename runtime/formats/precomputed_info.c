// SPDX-License-Identifier: Apache-2.0
/* precomputed_info.c: the info file of Neuroglancer precomputed volumes. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/precomputed.h"

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

	p->sharded = sharding && !json_is_null(sharding);
	if (p->sharded && fx_sharding_parse(sharding, &p->sharding, err) < 0)
		return FX_ETYPE;
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

/* The scale called @p key, or the first. */
static const json_t *find_scale(const json_t *info, const char *key)
{
	const json_t *scales = json_object_get(info, "scales");

	for (size_t i = 0; key && i < json_array_size(scales); i++) {
		const json_t *scale = json_array_get(scales, i);
		const char *name = json_string_value(json_object_get(scale, "key"));

		if (name && strcmp(name, key) == 0)
			return scale;
	}
	return key ? NULL : json_array_get(scales, 0);
}

int fx_precomputed_parse(const char *text, size_t len, const char *key, struct fx_precomputed *p,
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
		result = parse_scale(find_scale(info, key), &fresh, err);
	json_decref(info);
	if (result == FX_OK)
		*p = fresh;
	return result;
}

int fx_precomputed_read_scale(const char *folder, const char *key, struct fx_precomputed *p,
			      struct fx_error *err)
{
	char *path = fx_path_join(folder, "info");
	void *text;
	size_t len;
	int result;

	if (!path)
		return fx_error_set(err, FX_ENOMEM, "no memory for a path");
	result = fx_file_read(path, INFO_MAX, &text, &len, err);
	if (result == FX_OK) {
		result = fx_precomputed_parse(text, len, key, p, err);
		free(text);
		if (result < 0)
			fx_error_prefix(err, "%s", path);
	}
	free(path);
	return result;
}

int fx_precomputed_read_info(const char *folder, struct fx_precomputed *p, struct fx_error *err)
{
	return fx_precomputed_read_scale(folder, NULL, p, err);
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
	if (scale && p->sharded)
		json_object_set_new(scale, "sharding", fx_sharding_json(&p->sharding));
	return scale;
}

char *fx_precomputed_info(const struct fx_precomputed *p, size_t len, const char *skeletons)
{
	const char *dtype = "uint8";
	json_t *info, *scales = json_array();
	char *text;

	for (size_t i = 0; i < DTYPES; i++)
		if (dtypes[i].dtype == p->dtype)
			dtype = dtypes[i].name;
	for (size_t i = 0; i < len; i++)
		json_array_append_new(scales, scale_of(&p[i]));
	info = json_pack("{s:s, s:s, s:s, s:i, s:o}", "@type", "neuroglancer_multiscale_volume",
			 "type", p->role == FX_LABELS ? "segmentation" : "image", "data_type",
			 dtype, "num_channels", 1, "scales", scales);
	if (info && skeletons)
		json_object_set_new(info, "skeletons", json_string(skeletons));
	text = info ? json_dumps(info, JSON_INDENT(2)) : NULL;
	json_decref(info);
	return text;
}
