// SPDX-License-Identifier: Apache-2.0
/* n5.c: the metadata of N5 data sets. Their axes are x first. */
#include <jansson.h>
#include <string.h>

#include "formats/chunkjson.h"

static int n5_codec(const json_t *root, struct fx_chunkmeta *m, struct fx_error *err)
{
	const json_t *compression = json_object_get(root, "compression");
	const char *type = json_string_value(json_object_get(compression, "type"));

	if (!type) /* as the first version had it */
		type = json_string_value(json_object_get(root, "compressionType"));
	if (!type)
		return fx_error_set(err, FX_EINVAL, "has no \"compression\"");
	if (strcmp(type, "raw") == 0)
		return FX_OK;
	return fx__chunk_codec(&m->codecs,
			       strcmp(type, "lz4") == 0 ? FX_CODEC_LZ4_JAVA : fx_codec_named(type),
			       type, err);
}

static void turn(size_t *sizes, size_t rank)
{
	for (size_t a = 0; a < rank / 2; a++) {
		const size_t t = sizes[a];

		sizes[a] = sizes[rank - 1 - a];
		sizes[rank - 1 - a] = t;
	}
}

/* Three numbers, x y z, times @p unit nm. */
static bool n5_triple(const json_t *array, double unit, double voxel_nm[3])
{
	double v[3];

	if (json_array_size(array) != 3)
		return false;
	for (size_t a = 0; a < 3; a++) {
		v[2 - a] = json_number_value(json_array_get(array, a)) * unit;
		if (!(v[2 - a] > 0 && v[2 - a] < 1e12))
			return false;
	}
	memcpy(voxel_nm, v, sizeof v);
	return true;
}

static void n5_voxel(const json_t *root, struct fx_chunkmeta *m)
{
	const json_t *pixel = json_object_get(root, "pixelResolution");
	const json_t *scale = json_object_get(json_object_get(root, "transform"), "scale");
	const char *unit = json_string_value(json_object_get(pixel, "unit"));
	double v[3];

	if (n5_triple(json_object_get(pixel, "dimensions"), fx__chunk_unit(unit), m->voxel_nm) ||
	    n5_triple(json_object_get(root, "resolution"), 1, m->voxel_nm) ||
	    !n5_triple(scale, 1, v))
		return;
	for (int a = 0; a < 3; a++) /* this one is z y x */
		m->voxel_nm[a] = v[2 - a];
}

static int n5_root(const json_t *root, struct fx_chunkmeta *m, struct fx_error *err)
{
	int result =
		fx__chunk_dtype(m, NULL, json_string_value(json_object_get(root, "dataType")), err);

	m->format = FX_CHUNKS_N5;
	m->big = true;
	m->separator = '/';
	if (result == FX_OK)
		result = fx__chunk_sizes(json_object_get(root, "dimensions"), m->shape, &m->rank,
					 err);
	if (result == FX_OK)
		result = fx__chunk_sizes(json_object_get(root, "blockSize"), m->chunk, &m->rank,
					 err);
	turn(m->shape, m->rank);
	turn(m->chunk, m->rank);
	for (size_t a = 0; a < FX_CHUNK_AXES; a++)
		m->order[a] = a;
	n5_voxel(root, m);
	return result == FX_OK ? n5_codec(root, m, err) : result;
}

int fx_n5_parse(const char *text, size_t size, struct fx_chunkmeta *m, struct fx_error *err)
{
	return fx__chunk_parse(text, size, m, n5_root, err);
}
