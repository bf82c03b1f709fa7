// SPDX-License-Identifier: Apache-2.0
/* skeleton.c: skeleton files of Neuroglancer precomputed. */
#include "formats/skeleton.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { VERTEX_SIZE = 3 * 4 + 4 + 1 }; /* position, radius, type */

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

/* The file's edges as neighbours of each vertex, and the order in which vertices are reached. */
struct walk {
	size_t vertices, edges;
	const unsigned char *edge; /* of the file */
	uint32_t *begin, *other;   /* owned: neighbours of v are other[begin[v] .. begin[v + 1]] */
	uint32_t *order, *place;   /* owned: order[i] is a vertex, place its i, or UINT32_MAX */
	int32_t *parent;	   /* owned; of place i, a place */
};

static bool walk_neighbours(struct walk *w)
{
	for (size_t e = 0; e < 2 * w->edges; e++) {
		const uint32_t v = get_u32(w->edge + 4 * e);

		if (v >= w->vertices)
			return false;
		w->begin[v + 1]++;
	}
	for (size_t v = 0; v < w->vertices; v++)
		w->begin[v + 1] += w->begin[v];
	for (size_t e = 2 * w->edges; e-- > 0;) {
		const uint32_t v = get_u32(w->edge + 4 * e);

		/* begin[v + 1], the end of v, goes down to its begin */
		w->other[--w->begin[v + 1]] = get_u32(w->edge + 4 * (e ^ 1));
	}
	memmove(w->begin, w->begin + 1, w->vertices * sizeof *w->begin);
	w->begin[w->vertices] = (uint32_t)(2 * w->edges);
	return true;
}

/* Breadth first from the first vertex of each component; false when an edge closes a loop. */
static bool walk_all(struct walk *w)
{
	size_t len = 0, done = 0;

	memset(w->place, 0xff, w->vertices * sizeof *w->place);
	for (size_t root = 0; root < w->vertices; root++) {
		if (w->place[root] != UINT32_MAX)
			continue;
		w->parent[len] = -1;
		w->place[root] = (uint32_t)len;
		w->order[len++] = (uint32_t)root;
		for (; done < len; done++) {
			const uint32_t v = w->order[done];

			for (uint32_t i = w->begin[v]; i < w->begin[v + 1]; i++) {
				const uint32_t n = w->other[i];

				if (w->place[n] != UINT32_MAX)
					continue;
				w->parent[len] = (int32_t)done;
				w->place[n] = (uint32_t)len;
				w->order[len++] = n;
			}
		}
	}
	for (size_t i = 0; i < w->vertices; i++)
		len -= w->parent[i] < 0;
	return len == w->edges;
}

static struct fx_tree *walk_tree(const struct walk *w, const unsigned char *vertices)
{
	const unsigned char *const radius = w->edge + 8 * w->edges;
	struct fx_tree *t = fx_tree_new(0, w->vertices);

	for (size_t i = 0; t && i < w->vertices; i++) {
		const size_t v = w->order[i];

		for (size_t a = 0; a < 3; a++)
			t->nodes[i].pos_nm[2 - a] = get_f32(vertices + 12 * v + 4 * a);
		t->nodes[i].radius_nm = get_f32(radius + 4 * v);
		t->nodes[i].type = radius[4 * w->vertices + v];
		t->nodes[i].parent = w->parent[i];
	}
	return t;
}

static int skeleton_walk(struct walk *w, const unsigned char *vertices, struct fx_tree **out,
			 struct fx_error *err)
{
	struct fx_tree *t;

	w->begin = fx_calloc(w->vertices + 2, sizeof *w->begin);
	w->other = fx_calloc(2 * w->edges, sizeof *w->other);
	w->order = fx_calloc(w->vertices, sizeof *w->order);
	w->place = fx_calloc(w->vertices, sizeof *w->place);
	w->parent = fx_calloc(w->vertices, sizeof *w->parent);
	if (!w->begin || !w->other || !w->order || !w->place || !w->parent)
		return fx_error_set(err, FX_ENOMEM, "no memory for a skeleton");
	if (!walk_neighbours(w) || !walk_all(w))
		return fx_error_set(err, FX_EINVAL, "edges of the skeleton do not make trees");
	t = walk_tree(w, vertices);
	if (!t)
		return fx_error_set(err, FX_ENOMEM, "no memory for a skeleton");
	*out = t;
	return FX_OK;
}

int fx_skeleton_decode(const void *bytes, size_t size, struct fx_tree **out, struct fx_error *err)
{
	const unsigned char *const from = bytes;
	struct walk w = { 0 };
	int result;

	if (size >= 8) {
		w.vertices = get_u32(from);
		w.edges = get_u32(from + 4);
	}
	if (size < 8 || w.vertices > INT32_MAX || w.edges > INT32_MAX ||
	    (uint64_t)size != 8 + (uint64_t)w.vertices * VERTEX_SIZE + (uint64_t)w.edges * 8)
		return fx_error_set(
			err, FX_EINVAL,
			"%zu bytes do not fit the skeleton's %zu vertices and %zu edges", size,
			w.vertices, w.edges);
	w.edge = from + 8 + 12 * w.vertices;
	result = skeleton_walk(&w, from + 8, out, err);
	free(w.begin);
	free(w.other);
	free(w.order);
	free(w.place);
	free(w.parent);
	return result;
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
