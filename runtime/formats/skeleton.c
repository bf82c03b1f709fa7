// SPDX-License-Identifier: Apache-2.0
/* skeleton.c: skeleton files of Neuroglancer precomputed. */
#include "formats/skeleton.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/forest.h"

enum { VERTEX_SIZE = 3 * 4 + 4 + 1, ATTRIBUTE_MAX = 64 }; /* position, radius, type */

static unsigned char *put_u32(unsigned char *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (unsigned char)(v >> 8 * i);
	return to + 4;
}

static unsigned char *put_f32(unsigned char *to, double v)
{
	const float f = (float)v;
	uint32_t bits;

	memcpy(&bits, &f, sizeof bits);
	return put_u32(to, bits);
}

static uint32_t get_u32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
	       (uint32_t)from[3] << 24;
}

static double get_f32(const unsigned char *from)
{
	const uint32_t bits = get_u32(from);
	float f;

	memcpy(&f, &bits, sizeof f);
	return (double)f;
}

int fx_skeleton_encode(const struct fx_tree *t, void **bytes, size_t *size, struct fx_error *err)
{
	size_t edges = 0;
	unsigned char *to, *begin;

	for (size_t i = 0; i < t->len; i++) {
		if (t->nodes[i].parent >= 0 && (size_t)t->nodes[i].parent >= i)
			return fx_error_set(
				err, FX_EINVAL,
				"tree of segment %llu: node %zu comes before its parent",
				(unsigned long long)t->segment, i);
		edges += t->nodes[i].parent >= 0;
	}
	*size = 8 + t->len * VERTEX_SIZE + edges * 8;
	to = begin = t->len <= INT32_MAX ? malloc(*size) : NULL;
	if (!to)
		return fx_error_set(err, FX_ENOMEM, "no memory for a skeleton of %zu nodes",
				    t->len);
	to = put_u32(put_u32(to, (uint32_t)t->len), (uint32_t)edges);
	for (size_t i = 0; i < t->len; i++)
		for (int a = 2; a >= 0; a--)
			to = put_f32(to, t->nodes[i].pos_nm[a]);
	for (size_t i = 0; i < t->len; i++)
		if (t->nodes[i].parent >= 0)
			to = put_u32(put_u32(to, (uint32_t)t->nodes[i].parent), (uint32_t)i);
	for (size_t i = 0; i < t->len; i++)
		to = put_f32(to, t->nodes[i].radius_nm);
	for (size_t i = 0; i < t->len; i++)
		*to++ = t->nodes[i].type >= 0 && t->nodes[i].type <= 255 ?
				(unsigned char)t->nodes[i].type :
				0;
	*bytes = begin;
	return FX_OK;
}

/* Bytes of a vertex attribute's values; 0 when the type is none. */
static size_t type_size(const char *type)
{
	static const struct {
		const char *name;
		size_t size;
	} types[] = { { "uint8", 1 },  { "int8", 1 },  { "uint16", 2 }, { "int16", 2 },
		      { "uint32", 4 }, { "int32", 4 }, { "float32", 4 } };

	for (size_t i = 0; type && i < sizeof types / sizeof types[0]; i++)
		if (strcmp(types[i].name, type) == 0)
			return types[i].size;
	return 0;
}

static int parse_attribute(const json_t *json, struct fx_skeleton_info *info, struct fx_error *err)
{
	const char *id = json_string_value(json_object_get(json, "id"));
	const char *type = json_string_value(json_object_get(json, "data_type"));
	const json_int_t n = json_integer_value(json_object_get(json, "num_components"));

	if (!id || !type_size(type) || n < 1 || n > ATTRIBUTE_MAX)
		return fx_error_set(err, FX_ETYPE,
				    "a vertex attribute has no usable id, data_type "
				    "or num_components");
	if (strcmp(id, "radius") == 0 && strcmp(type, "float32") == 0 && n == 1) {
		info->has_radius = true;
		info->radius_at = info->size;
	}
	if (strcmp(id, "vertex_types") == 0 && type_size(type) == 1 && n == 1) {
		info->has_type = true;
		info->type_at = info->size;
	}
	info->size += type_size(type) * (size_t)n;
	return FX_OK;
}

static int parse_info(const json_t *json, struct fx_skeleton_info *info, struct fx_error *err)
{
	const char *type = json_string_value(json_object_get(json, "@type"));
	const json_t *transform = json_object_get(json, "transform");
	const json_t *attributes = json_object_get(json, "vertex_attributes");
	const json_t *sharding = json_object_get(json, "sharding");
	int result = FX_OK;

	if (!type || strcmp(type, "neuroglancer_skeletons") != 0)
		return fx_error_set(err, FX_ETYPE, "\"@type\" is not neuroglancer_skeletons");
	if (transform && json_array_size(transform) != 12)
		return fx_error_set(err, FX_EINVAL, "\"transform\" is not 12 numbers");
	for (size_t i = 0; i < 12; i++) {
		const json_t *v = json_array_get(transform, i);

		info->transform[i] = transform ? json_number_value(v) : i % 5 == 0;
		if (transform && (!json_is_number(v) || fabs(info->transform[i]) > 1e15))
			return fx_error_set(err, FX_EINVAL, "\"transform\" is not 12 numbers");
	}
	if (json_array_size(attributes) > ATTRIBUTE_MAX)
		return fx_error_set(err, FX_ETYPE, "more than %d vertex attributes", ATTRIBUTE_MAX);
	for (size_t i = 0; i < json_array_size(attributes) && result == FX_OK; i++)
		result = parse_attribute(json_array_get(attributes, i), info, err);
	info->sharded = sharding && !json_is_null(sharding);
	if (result == FX_OK && info->sharded)
		result = fx_sharding_parse(sharding, &info->sharding, err);
	return result;
}

int fx_skeleton_parse_info(const char *text, size_t len, struct fx_skeleton_info *info,
			   struct fx_error *err)
{
	json_error_t where;
	json_t *json = json_loadb(text, len, 0, &where);
	int result;

	memset(info, 0, sizeof *info);
	if (!json)
		return fx_error_set(err, FX_EINVAL, "line %d: %s", where.line, where.text);
	result = parse_info(json, info, err);
	json_decref(json);
	return result;
}

/* A skeleton file and what is made of it. */
struct reading {
	const struct fx_skeleton_info *info;
	size_t vertices, edges;
	const unsigned char *at, *values; /* positions; attributes */
	uint32_t *pairs, *order;	  /* owned */
	int32_t *parent;		  /* owned */
};

static void read_node(const struct reading *r, size_t v, struct fx_tree_node *n)
{
	const struct fx_skeleton_info *info = r->info;
	double p[3];

	for (size_t a = 0; a < 3; a++)
		p[a] = get_f32(r->at + 12 * v + 4 * a);
	for (size_t a = 0; a < 3; a++) {
		const double *t = info->transform + 4 * a;

		n->pos_nm[2 - a] = t[0] * p[0] + t[1] * p[1] + t[2] * p[2] + t[3];
	}
	if (info->has_radius)
		n->radius_nm = get_f32(r->values + info->radius_at * r->vertices + 4 * v);
	if (info->has_type)
		n->type = r->values[info->type_at * r->vertices + v];
}

static int read_tree(struct reading *r, const unsigned char *edges, struct fx_tree **out,
		     struct fx_error *err)
{
	struct fx_tree *t;
	int result;

	r->pairs = fx_calloc(2 * r->edges, sizeof *r->pairs);
	r->order = fx_calloc(r->vertices, sizeof *r->order);
	r->parent = fx_calloc(r->vertices, sizeof *r->parent);
	t = fx_tree_new(0, r->vertices);
	if (!r->pairs || !r->order || !r->parent || !t) {
		fx_tree_free(t);
		return fx_error_set(err, FX_ENOMEM, "no memory for a skeleton");
	}
	for (size_t e = 0; e < 2 * r->edges; e++)
		r->pairs[e] = get_u32(edges + 4 * e);
	result = fx_forest_walk(r->vertices, r->pairs, r->edges, r->order, r->parent, err);
	if (result < 0) {
		fx_tree_free(t);
		return result;
	}
	for (size_t i = 0; i < r->vertices; i++) {
		read_node(r, r->order[i], &t->nodes[i]);
		t->nodes[i].parent = r->parent[i];
	}
	*out = t;
	return FX_OK;
}

int fx_skeleton_decode_as(const struct fx_skeleton_info *info, const void *bytes, size_t size,
			  struct fx_tree **out, struct fx_error *err)
{
	const unsigned char *const from = bytes;
	struct reading r = { .info = info };
	int result;

	if (size >= 8) {
		r.vertices = get_u32(from);
		r.edges = get_u32(from + 4);
	}
	if (size < 8 || r.vertices > INT32_MAX || r.edges > INT32_MAX ||
	    (uint64_t)size != 8 + (uint64_t)r.vertices * (12 + info->size) + (uint64_t)r.edges * 8)
		return fx_error_set(
			err, FX_EINVAL,
			"%zu bytes do not fit the skeleton's %zu vertices and %zu edges", size,
			r.vertices, r.edges);
	r.at = from + 8;
	r.values = r.at + 12 * r.vertices + 8 * r.edges;
	result = read_tree(&r, r.at + 12 * r.vertices, out, err);
	free(r.pairs);
	free(r.order);
	free(r.parent);
	return result;
}

int fx_skeleton_decode(const void *bytes, size_t size, struct fx_tree **out, struct fx_error *err)
{
	static const struct fx_skeleton_info own = { .transform = { 1, 0, 0, 0, 0, 1, 0, 0, 0, 0,
								    1 },
						     .size = 5,
						     .has_radius = true,
						     .has_type = true,
						     .type_at = 4 };

	return fx_skeleton_decode_as(&own, bytes, size, out, err);
}

char *fx_skeleton_info(void)
{
	json_t *info = json_pack(
		"{s:s, s:[i,i,i,i,i,i,i,i,i,i,i,i], s:[{s:s,s:s,s:i},{s:s,s:s,s:i}]}", "@type",
		"neuroglancer_skeletons", "transform", 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0,
		"vertex_attributes", "id", "radius", "data_type", "float32", "num_components", 1,
		"id", "vertex_types", "data_type", "uint8", "num_components", 1);
	char *text = info ? json_dumps(info, JSON_INDENT(2)) : NULL;

	json_decref(info);
	return text;
}
