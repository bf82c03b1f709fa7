// SPDX-License-Identifier: Apache-2.0
/* zarr.c: the metadata of Zarr 2 and Zarr 3 arrays. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "formats/chunkjson.h"

/* Types of Zarr 2 without the letter of byte order, and of Zarr 3. */
static const struct {
	const char *old, *name;
	enum fx_dtype dtype;
	bool is_signed;
} dtypes[] = {
	{ "u1", "uint8", FX_U8, false },    { "b1", "bool", FX_U8, false },
	{ "i1", "int8", FX_U8, true },	    { "u2", "uint16", FX_U16, false },
	{ "i2", "int16", FX_U16, true },    { "u4", "uint32", FX_U32, false },
	{ "i4", "int32", FX_U32, true },    { "u8", "uint64", FX_U64, false },
	{ "i8", "int64", FX_U64, true },    { "f4", "float32", FX_F32, false },
	{ "f8", "float64", FX_F32, false }, { "f2", "float16", FX_F32, false },
};

enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

int fx__chunk_dtype(struct fx_chunkmeta *m, const char *old, const char *name, struct fx_error *err)
{
	for (size_t i = 0; i < DTYPES; i++)
		if ((old && strcmp(dtypes[i].old, old) == 0) ||
		    (name && strcmp(dtypes[i].name, name) == 0)) {
			m->dtype = dtypes[i].dtype;
			m->is_signed = dtypes[i].is_signed;
			if (m->dtype == FX_F32 && dtypes[i].old[1] != '4')
				m->real = (enum fx_real)(dtypes[i].old[1] - '0');
			return FX_OK;
		}
	return fx_error_set(err, FX_ETYPE,
			    "voxels of type %.32s are not accepted; integers of 8 to 64 bit, bool "
			    "and floats of 16 to 64 bit are",
			    old	 ? old :
			    name ? name :
				   "(none)");
}

int fx__chunk_sizes(const json_t *array, size_t *sizes, size_t *rank, struct fx_error *err)
{
	const size_t len = json_array_size(array);

	if (!len || len > FX_CHUNK_AXES || (*rank && *rank != len))
		return fx_error_set(err, FX_ETYPE, "has %zu axes; 2 to %d are accepted", len,
				    FX_CHUNK_AXES);
	for (size_t a = 0; a < len; a++) {
		const json_t *n = json_array_get(array, a);
		const json_int_t v = json_integer_value(n);

		if (!json_is_integer(n) || v < 0 || v > (json_int_t)1 << 40)
			return fx_error_set(err, FX_EINVAL, "has a size that is not 0 to 2^40");
		sizes[a] = (size_t)v;
	}
	*rank = len;
	return FX_OK;
}

static int parse_fill(struct fx_chunkmeta *m, const json_t *fill, struct fx_error *err)
{
	const char *text = json_string_value(fill);
	double real = json_is_number(fill) ? json_number_value(fill) : 0;
	uint64_t bits = 0;
	float f;

	if (text && strncmp(text, "0x", 2) == 0 && strlen(text) <= 18) {
		bits = strtoull(text, NULL, 16);
		f = m->real ? fx_real_of_bits(m->real, bits) : 0;
		memcpy(&bits, &f, m->real ? sizeof f : 0);
		memcpy(m->fill, &bits, sizeof m->fill);
		return FX_OK;
	}
	if (text)
		real = strcmp(text, "Infinity") == 0  ? (double)INFINITY :
		       strcmp(text, "-Infinity") == 0 ? -(double)INFINITY :
							(double)NAN;
	f = (float)real;
	if (m->dtype == FX_F32)
		memcpy(m->fill, &f, sizeof f);
	else if (json_is_integer(fill))
		bits = (uint64_t)json_integer_value(fill);
	else if (json_is_true(fill))
		bits = 1;
	else if (text || real < 0 || real >= 18446744073709551616.0 || floor(real) != real)
		return fx_error_set(err, FX_EINVAL, "\"fill_value\" is not a number of its type");
	else
		bits = (uint64_t)real; /* 0 for null */
	if (m->dtype != FX_F32)
		memcpy(m->fill, &bits, sizeof bits);
	return FX_OK;
}

int fx__chunk_codec(struct fx_codecs *c, enum fx_codec codec, const char *name,
		    struct fx_error *err)
{
	if (!codec)
		return fx_error_set(err, FX_ETYPE,
				    "compression \"%.32s\" is not supported; blosc, zstd, gzip, "
				    "zlib, lz4 and none are",
				    name ? name : "(none)");
	if (c->len == FX_CODECS_MAX)
		return fx_error_set(err, FX_ETYPE, "more than %d codecs", FX_CODECS_MAX);
	c->list[c->len++] = codec;
	return FX_OK;
}

static int zarr2_storage(const json_t *root, struct fx_chunkmeta *m, struct fx_error *err)
{
	const char *order = json_string_value(json_object_get(root, "order"));
	const char *sep = json_string_value(json_object_get(root, "dimension_separator"));
	const json_t *filters = json_object_get(root, "filters");
	const json_t *compressor = json_object_get(root, "compressor");
	const char *id = json_string_value(json_object_get(compressor, "id"));

	if (json_array_size(filters)) {
		const json_t *filter = json_object_get(json_array_get(filters, 0), "id");

		return fx_error_set(err, FX_ETYPE,
				    "has the filter \"%.32s\": filters are not supported, only "
				    "compressors are: blosc, zstd, gzip, zlib, lz4",
				    json_is_string(filter) ? json_string_value(filter) : "?");
	}
	if (!order || (strcmp(order, "C") != 0 && strcmp(order, "F") != 0))
		return fx_error_set(err, FX_EINVAL, "\"order\" is not C or F");
	for (size_t a = 0; a < m->rank; a++)
		m->order[a] = *order == 'F' ? m->rank - 1 - a : a;
	m->separator = sep && strcmp(sep, "/") == 0 ? '/' : '.';
	if (!compressor || json_is_null(compressor))
		return FX_OK;
	return fx__chunk_codec(&m->codecs, fx_codec_named(id), id, err);
}

static int zarr2_root(const json_t *root, struct fx_chunkmeta *m, struct fx_error *err)
{
	const char *dtype = json_string_value(json_object_get(root, "dtype"));
	int result;

	if (json_integer_value(json_object_get(root, "zarr_format")) != 2)
		return fx_error_set(err, FX_ETYPE, "\"zarr_format\" is not 2");
	if (!dtype || !*dtype || !strchr("<>|", *dtype))
		return fx_error_set(err, FX_ETYPE, "\"dtype\" is not one of simple voxels");
	m->big = *dtype == '>';
	result = fx__chunk_dtype(m, dtype + 1, NULL, err);
	if (result == FX_OK)
		result = fx__chunk_sizes(json_object_get(root, "shape"), m->shape, &m->rank, err);
	if (result == FX_OK)
		result = fx__chunk_sizes(json_object_get(root, "chunks"), m->chunk, &m->rank, err);
	if (result == FX_OK)
		result = parse_fill(m, json_object_get(root, "fill_value"), err);
	return result == FX_OK ? zarr2_storage(root, m, err) : result;
}

static const json_t *configured(const json_t *object, const char *key)
{
	return json_object_get(json_object_get(object, "configuration"), key);
}

static int zarr3_transpose(const json_t *codec, struct fx_chunkmeta *m, struct fx_error *err)
{
	const json_t *order = configured(codec, "order");
	size_t rank = m->rank, p[FX_CHUNK_AXES] = { 0 }, next[FX_CHUNK_AXES] = { 0 };
	unsigned seen = 0;

	if (fx__chunk_sizes(order, p, &rank, NULL) < 0)
		return fx_error_set(err, FX_ETYPE, "\"transpose\" has no order of all axes");
	for (size_t a = 0; a < rank; a++) {
		seen |= p[a] < rank ? 1u << p[a] : 0;
		next[a] = p[a] < rank ? m->order[p[a]] : 0;
	}
	if (seen != (1u << rank) - 1)
		return fx_error_set(err, FX_EINVAL, "\"transpose\" does not name each axis once");
	memcpy(m->order, next, sizeof next);
	return FX_OK;
}

static int zarr3_codecs(const json_t *codecs, struct fx_chunkmeta *m, bool inner,
			struct fx_error *err);

/* The codecs of an index of a shard: little-endian bytes, and a checksum maybe. */
static int zarr3_index_codecs(const json_t *codecs, struct fx_chunkmeta *m, struct fx_error *err)
{
	struct fx_chunkmeta index = { .format = FX_CHUNKS_ZARR3, .rank = m->rank, .dtype = FX_U64 };
	int result = zarr3_codecs(codecs, &index, true, err);

	if (result == FX_OK && index.big)
		result = fx_error_set(err, FX_ETYPE, "an index of shards is big-endian");
	for (size_t i = 0; i < index.codecs.len && result == FX_OK; i++)
		if (index.codecs.list[i] != FX_CODEC_CRC32C)
			result = fx_error_set(err, FX_ETYPE, "an index of shards is compressed");
	m->index_codecs = index.codecs;
	return result;
}

static int zarr3_shard(const json_t *codec, struct fx_chunkmeta *m, struct fx_error *err)
{
	const char *where = json_string_value(configured(codec, "index_location"));
	int result;

	m->sharded = true;
	m->index_first = where && strcmp(where, "start") == 0;
	memcpy(m->shard, m->chunk, sizeof m->shard);
	for (size_t a = 0; a < m->rank; a++)
		if (m->order[a] != a)
			return fx_error_set(err, FX_ETYPE, "shards are transposed");
	result = fx__chunk_sizes(configured(codec, "chunk_shape"), m->chunk, &m->rank, err);
	if (result == FX_OK)
		result = zarr3_index_codecs(configured(codec, "index_codecs"), m, err);
	return result == FX_OK ? zarr3_codecs(configured(codec, "codecs"), m, true, err) : result;
}

/* In the order of writing: transpose; bytes or shards; compression. */
static int zarr3_codecs(const json_t *codecs, struct fx_chunkmeta *m, bool inner,
			struct fx_error *err)
{
	bool bytes = false;
	int result = FX_OK;

	for (size_t i = 0; i < json_array_size(codecs) && result == FX_OK; i++) {
		const json_t *codec = json_array_get(codecs, i);
		const json_t *named =
			json_is_string(codec) ? codec : json_object_get(codec, "name");
		const char *name = json_string_value(named);
		const char *endian = json_string_value(configured(codec, "endian"));

		if (name && strcmp(name, "transpose") == 0 && !bytes) {
			result = zarr3_transpose(codec, m, err);
		} else if (name && strcmp(name, "bytes") == 0 && !bytes) {
			m->big = endian && strcmp(endian, "big") == 0;
			bytes = true;
		} else if (name && strcmp(name, "sharding_indexed") == 0 && !inner && !bytes) {
			result = zarr3_shard(codec, m, err);
			bytes = true;
			inner = true;
		} else if (bytes && !(m->sharded && !inner)) {
			result = fx__chunk_codec(&m->codecs, fx_codec_named(name), name, err);
		} else {
			result = fx_error_set(
				err, FX_ETYPE,
				"codec \"%.32s\" is not supported here; transpose, "
				"bytes, sharding_indexed, blosc, zstd, gzip, zlib, lz4 "
				"and crc32c are",
				name ? name : "(none)");
		}
	}
	if (result == FX_OK && !bytes)
		result = fx_error_set(err, FX_ETYPE, "has no codec that makes bytes");
	return result;
}

static int zarr3_names(const json_t *root, struct fx_chunkmeta *m, struct fx_error *err)
{
	const json_t *keys = json_object_get(root, "chunk_key_encoding");
	const char *name = json_string_value(json_object_get(keys, "name"));
	const char *sep = json_string_value(configured(keys, "separator"));

	m->prefix = name && strcmp(name, "default") == 0;
	if (!name || (!m->prefix && strcmp(name, "v2") != 0))
		return fx_error_set(err, FX_ETYPE, "\"chunk_key_encoding\" is not default or v2");
	m->separator = m->prefix ? '/' : '.';
	if (sep && (strcmp(sep, "/") == 0 || strcmp(sep, ".") == 0))
		m->separator = *sep;
	return FX_OK;
}

static int zarr3_root(const json_t *root, struct fx_chunkmeta *m, struct fx_error *err)
{
	const json_t *grid = json_object_get(root, "chunk_grid");
	const char *kind = json_string_value(json_object_get(grid, "name"));
	const char *node = json_string_value(json_object_get(root, "node_type"));
	int result;

	if (json_integer_value(json_object_get(root, "zarr_format")) != 3 || !node ||
	    strcmp(node, "array") != 0)
		return fx_error_set(err, FX_ETYPE, "is not an array of Zarr 3");
	if (!kind || strcmp(kind, "regular") != 0)
		return fx_error_set(err, FX_ETYPE, "\"chunk_grid\" is not regular");
	result = fx__chunk_dtype(m, NULL, json_string_value(json_object_get(root, "data_type")),
				 err);
	if (result == FX_OK)
		result = fx__chunk_sizes(json_object_get(root, "shape"), m->shape, &m->rank, err);
	if (result == FX_OK)
		result = fx__chunk_sizes(configured(grid, "chunk_shape"), m->chunk, &m->rank, err);
	for (size_t a = 0; a < FX_CHUNK_AXES; a++)
		m->order[a] = a;
	if (result == FX_OK)
		result = parse_fill(m, json_object_get(root, "fill_value"), err);
	if (result == FX_OK)
		result = zarr3_names(root, m, err);
	return result == FX_OK ? zarr3_codecs(json_object_get(root, "codecs"), m, false, err) :
				 result;
}

int fx__chunk_parse(const char *text, size_t size, struct fx_chunkmeta *m,
		    int (*root)(const json_t *json, struct fx_chunkmeta *m, struct fx_error *err),
		    struct fx_error *err)
{
	json_error_t where;
	json_t *json = size <= FX_CHUNK_META_MAX ? json_loadb(text, size, 0, &where) : NULL;
	int result;

	memset(m, 0, sizeof *m);
	if (!json_is_object(json))
		result = fx_error_set(err, FX_EINVAL, "its metadata are not a JSON object");
	else
		result = root(json, m, err);
	if (result == FX_OK)
		result = fx_chunkmeta_check(m, err);
	json_decref(json);
	return result;
}

int fx_zarr2_parse(const char *text, size_t size, struct fx_chunkmeta *m, struct fx_error *err)
{
	const int result = fx__chunk_parse(text, size, m, zarr2_root, err);

	m->format = FX_CHUNKS_ZARR2;
	return result;
}

int fx_zarr3_parse(const char *text, size_t size, struct fx_chunkmeta *m, struct fx_error *err)
{
	const int result = fx__chunk_parse(text, size, m, zarr3_root, err);

	m->format = FX_CHUNKS_ZARR3;
	return result;
}
