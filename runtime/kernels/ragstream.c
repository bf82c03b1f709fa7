// SPDX-License-Identifier: Apache-2.0
/* ragstream.c: the graph of labels that touch, over blocks as they come. */
#include "kernels/ragstream.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/runs.h"

enum { RECENT = 4096 }; /* pairs whose edge is at hand: a power of two */

/* The core of a block, as it is walked: two planes of nodes, the evidence, layers of all faces. */
struct part {
	struct fx_region core;
	size_t shape[3];
	uint32_t *nodes; /* owned: of planes z and z - 1 by z % 2 */
	const uint8_t
		*value[3]; /* at the corner of the core, by axis; of a boundary all the same */
	uint8_t *own;	   /* owned: values that had to be made */
	size_t step[2];	   /* from plane to plane, and from row to row of values */
	uint8_t flip;	   /* 255 for values that say how sure it is that there is none */
	bool by_face;	   /* evidence belongs to faces */
	struct fx_ragstream_face *faces[3][2]; /* owned; the lower ones (upper is true) first */
	uint64_t pair[RECENT];		       /* pairs counted lately, 0 is none */
	uint32_t edge[RECENT];
};

static void face_free(struct fx_ragstream_face *f)
{
	if (!f)
		return;
	free(f->nodes);
	free(f->value);
	free(f);
}

void fx_ragstream_fini(struct fx_ragstream *s)
{
	while (s->faces) {
		struct fx_ragstream_face *next = s->faces->next;

		face_free(s->faces);
		s->faces = next;
	}
	fx_map64_fini(&s->index);
	fx_map64_fini(&s->pairs);
	free(s->ids);
	free(s->sizes);
	free(s->edges);
	free(s->hist);
	memset(s, 0, sizeof *s);
}

/* The node of a label, 0 without memory. */
static uint32_t stream_node(struct fx_ragstream *s, uint64_t label)
{
	uint64_t *at = fx_map64_at(&s->index, label);

	if (!at || s->nodes_len >= UINT32_MAX - 1)
		return 0;
	if (*at)
		return (uint32_t)*at;
	if (!fx_grow(&s->ids, &s->nodes_cap, s->nodes_len + 1, sizeof *s->ids) ||
	    !fx_grow(&s->sizes, &s->sizes_cap, s->nodes_len + 1, sizeof *s->sizes))
		return 0;
	s->ids[s->nodes_len] = label;
	s->sizes[s->nodes_len++] = 0;
	*at = s->nodes_len;
	return (uint32_t)s->nodes_len;
}

/* The edge of a pair, SIZE_MAX without memory. */
static size_t stream_edge(struct fx_ragstream *s, uint64_t pair)
{
	uint64_t *at = fx_map64_at(&s->pairs, pair);
	const size_t n = s->edges_len;

	if (!at || n >= UINT32_MAX)
		return SIZE_MAX;
	if (!*at) {
		if (!fx_grow(&s->edges, &s->edges_cap, n + 1, sizeof *s->edges) ||
		    !fx_grow(&s->hist, &s->hist_cap, n + 1, sizeof *s->hist))
			return SIZE_MAX;
		s->edges[n] = (struct fx_rag_edge){ (uint32_t)(pair >> 32), (uint32_t)pair };
		memset(s->hist[n], 0, sizeof s->hist[n]);
		*at = ++s->edges_len;
	}
	return (size_t)*at - 1;
}

/* First i from @p i on where a and b differ, or n. */
static size_t first_difference(const uint32_t *a, const uint32_t *b, size_t i, size_t n)
{
	for (; i + 4 <= n; i += 4) {
		uint64_t x[2], y[2];

		memcpy(x, a + i, sizeof x);
		memcpy(y, b + i, sizeof y);
		if ((x[0] ^ y[0]) | (x[1] ^ y[1]))
			break;
	}
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

/* Counts a face between two nodes. */
static bool stream_count(struct fx_ragstream *s, struct part *p, uint32_t a, uint32_t b,
			 uint8_t value)
{
	const uint64_t pair = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
	const size_t slot = (size_t)(pair * 0x9e3779b97f4a7c15u >> 32) & (RECENT - 1);

	if (p->pair[slot] != pair) {
		const size_t edge = stream_edge(s, pair);

		if (edge == SIZE_MAX)
			return false;
		p->pair[slot] = pair;
		p->edge[slot] = (uint32_t)edge;
	}
	s->hist[p->edge[slot]][value * FX_RAG_BINS / 256]++;
	return true;
}

/* Counts the faces between two lines of nodes; the larger value counts, of @p a alone when @p bv is
 * NULL. */
static bool stream_line(struct fx_ragstream *s, struct part *p, const uint32_t *a,
			const uint32_t *b, const uint8_t *av, const uint8_t *bv, uint8_t flip,
			size_t n)
{
	for (size_t i = first_difference(a, b, 0, n); i < n; i = first_difference(a, b, i + 1, n)) {
		const uint8_t v = av[i] ^ flip;
		const uint8_t value = bv && bv[i] > v ? bv[i] : v;

		if (a[i] && b[i] && !stream_count(s, p, a[i], b[i], value))
			return false;
	}
	return true;
}

/* All faces of a row towards lower neighbours in this part. */
static bool stream_row(struct fx_ragstream *s, struct part *p, size_t z, size_t y)
{
	const size_t n = p->shape[2], plane = p->shape[1] * n;
	const uint32_t *row = p->nodes + z % 2 * plane + y * n;
	const uint32_t *lower[3] = { p->nodes + (z + 1) % 2 * plane + y * n, row - n, row };

	for (int axis = 0; axis < 3; axis++) {
		const uint8_t *v = p->value[axis] + z * p->step[0] + y * p->step[1];
		const size_t from = axis == 2, back = axis == 2 ? 1 : p->step[axis];

		if ((axis == 0 && !z) || (axis == 1 && !y))
			continue;
		if (!stream_line(s, p, row + from, lower[axis], v + from,
				 p->by_face ? NULL : v + from - back, p->flip, n - from))
			return false;
	}
	return true;
}

/* One row of labels to nodes; most are those of the row above. */
static bool part_row(struct fx_ragstream *s, const struct fx_block *b, size_t first, size_t n,
		     uint32_t *nodes, bool has_above)
{
	const size_t size = fx_dtype_size(b->dtype), end = first + n;

	for (size_t i = first; i < end;) {
		const size_t stop = i + fx_run_len(b->data, size, i, end);
		const uint64_t label = fx_label_at(b->data, b->dtype, i);
		uint32_t *at = nodes + (i - first), node = 0;

		if (label && has_above && at[-(ptrdiff_t)n] &&
		    s->ids[at[-(ptrdiff_t)n] - 1] == label)
			node = at[-(ptrdiff_t)n];
		else if (label && !(node = stream_node(s, label)))
			return false;
		if (node)
			s->sizes[node - 1] += stop - i;
		for (; i < stop; i++)
			*at++ = node;
	}
	return true;
}

static uint8_t evidence_of(float value)
{
	return value > 0 ? (uint8_t)((value < 1 ? value : 1) * 255 + 0.5F) : 0;
}

/* Where the values are: in the block itself, or made of it. */
static bool part_values(struct part *p, const struct fx_block *e)
{
	const size_t len = fx_block_len(e);
	const uint8_t *from = e->data;
	size_t corner = 0;

	if (e->dtype == FX_F32) {
		p->own = fx_alloc_aligned(len * e->channels);
		if (!p->own)
			return false;
		for (size_t i = 0; i < len * e->channels; i++)
			p->own[i] = evidence_of(((const float *)e->data)[i]);
		from = p->own;
	}
	for (int a = 0; a < 3; a++)
		corner = corner * e->shape[a] + (size_t)(p->core.lo[a] - e->origin[a]);
	for (size_t a = 0; a < 3; a++)
		p->value[a] = from + (p->by_face ? a * len : 0) + corner;
	p->step[0] = e->shape[1] * e->shape[2];
	p->step[1] = e->shape[2];
	p->flip = p->by_face ? 255 : 0;
	return true;
}

static void part_fini(struct part *p)
{
	for (int i = 0; i < 6; i++)
		face_free(p->faces[i / 2][i % 2]);
	free(p->nodes);
	free(p->own);
}

static int part_check(const struct fx_block *labels, const struct fx_block *e, struct fx_error *err)
{
	const bool by_face = e->role == FX_AFFINITY;
	const struct fx_region core = fx_block_core(labels), all = fx_block_region(e);

	if (labels->dtype != FX_U8 && labels->dtype != FX_U16 && labels->dtype != FX_U32 &&
	    labels->dtype != FX_U64)
		return fx_error_set(err, FX_ETYPE, "labels of %s: must be u8, u16, u32 or u64",
				    fx_dtype_name(labels->dtype));
	if ((e->dtype != FX_U8 && e->dtype != FX_F32) || e->channels != (by_face ? 3 : 1))
		return fx_error_set(err, FX_ETYPE,
				    "evidence of %" PRIu32 " channels of %s: must be a boundary "
				    "with 1 or affinities with 3 channels, of u8 or f32",
				    e->channels, fx_dtype_name(e->dtype));
	for (int a = 0; a < 3; a++)
		if (core.lo[a] >= core.hi[a] || core.lo[a] < all.lo[a] || core.hi[a] > all.hi[a])
			return fx_error_set(
				err, FX_EINVAL,
				"evidence %" PRId64 "..%" PRId64
				" on axis %c does not cover labels %" PRId64 "..%" PRId64,
				all.lo[a], all.hi[a] - 1, "zyx"[a], core.lo[a], core.hi[a] - 1);
	return FX_OK;
}

/* An empty layer for one face of a part; NULL without memory. */
static struct fx_ragstream_face *face_new(const struct part *p, int axis, bool upper)
{
	const size_t n = p->shape[0] * p->shape[1] * p->shape[2] / p->shape[axis];
	struct fx_ragstream_face *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->axis = axis;
	f->upper = upper;
	for (int a = 0; a < 3; a++) {
		f->corner[a] = p->core.lo[a];
		f->cross[a] = (int64_t)p->shape[a];
	}
	f->corner[axis] = upper ? p->core.lo[axis] : p->core.hi[axis];
	f->cross[axis] = 1;
	f->nodes = fx_calloc(n, sizeof *f->nodes);
	f->value = fx_calloc(n, 1);
	if (f->nodes && f->value)
		return f;
	face_free(f);
	return NULL;
}

/* Layers for the faces that are not the volume's own. */
static bool part_init(const struct fx_ragstream *s, struct part *p, const struct fx_block *labels,
		      const struct fx_block *e)
{
	p->core = fx_block_core(labels);
	p->by_face = e->role == FX_AFFINITY;
	for (int a = 0; a < 3; a++)
		p->shape[a] = (size_t)(p->core.hi[a] - p->core.lo[a]);
	for (int a = 0; a < 3; a++)
		for (int high = 0; high < 2; high++) {
			if (high ? p->core.hi[a] == s->extent[a] : p->core.lo[a] <= 0)
				continue;
			p->faces[a][high] = face_new(p, a, !high);
			if (!p->faces[a][high])
				return false;
		}
	p->nodes = fx_calloc(2 * p->shape[1] * p->shape[2], sizeof *p->nodes);
	return p->nodes && part_values(p, e);
}

/* Puts @p n voxels of a row, from x on, into a layer. */
static void face_put(const struct part *p, struct fx_ragstream_face *f, size_t z, size_t y,
		     size_t x, size_t n, size_t at)
{
	const size_t plane = p->shape[1] * p->shape[2];
	const uint8_t *v = p->value[f->axis] + z * p->step[0] + y * p->step[1] + x;

	memcpy(f->nodes + at, p->nodes + z % 2 * plane + y * p->shape[2] + x, n * sizeof *f->nodes);
	for (size_t i = 0; i < n; i++)
		f->value[at + i] = f->upper || !p->by_face ? v[i] ^ p->flip : 0;
}

/* What a row has in the layers. */
static void part_layers(const struct part *p, size_t z, size_t y)
{
	const size_t n = p->shape[2], at[2] = { z, y };

	for (int high = 0; high < 2; high++) {
		for (int axis = 0; axis < 2; axis++)
			if (p->faces[axis][high] && at[axis] == (high ? p->shape[axis] - 1 : 0))
				face_put(p, p->faces[axis][high], z, y, 0, n, at[!axis] * n);
		if (p->faces[2][high])
			face_put(p, p->faces[2][high], z, y, high ? n - 1 : 0, 1,
				 z * p->shape[1] + y);
	}
}

/* Walks the core row by row. */
static bool part_walk(struct fx_ragstream *s, struct part *p, const struct fx_block *b)
{
	const size_t n = p->shape[2];

	for (size_t z = 0; z < p->shape[0]; z++)
		for (size_t y = 0; y < p->shape[1]; y++) {
			const size_t row = (z + b->halo_lo[0]) * b->shape[1] + y + b->halo_lo[1];
			uint32_t *nodes = p->nodes + (z % 2 * p->shape[1] + y) * n;

			if (!part_row(s, b, row * b->shape[2] + b->halo_lo[2], n, nodes, y > 0) ||
			    !stream_row(s, p, z, y))
				return false;
			part_layers(p, z, y);
		}
	return true;
}

static size_t face_len(const struct fx_ragstream_face *f)
{
	return (size_t)f->cross[0] * (size_t)f->cross[1] * (size_t)f->cross[2];
}

static size_t face_size(const struct fx_ragstream_face *f)
{
	return sizeof *f + face_len(f) * (sizeof *f->nodes + 1);
}

static void face_drop(struct fx_ragstream *s, struct fx_ragstream_face **at)
{
	struct fx_ragstream_face *f = *at;

	*at = f->next;
	s->open_size -= face_size(f);
	face_free(f);
}

/* Counts the faces towards a neighbour that came, or leaves the layer for it. */
static int stream_face(struct fx_ragstream *s, struct part *p, struct fx_ragstream_face **layer,
		       struct fx_error *err)
{
	struct fx_ragstream_face *f = *layer, **at = &s->faces;

	while (*at &&
	       ((*at)->axis != f->axis || memcmp((*at)->corner, f->corner, sizeof f->corner) != 0))
		at = &(*at)->next;
	if (!*at) {
		*layer = NULL;
		f->next = s->faces;
		s->faces = f;
		s->open_size += face_size(f);
		return FX_OK;
	}
	if ((*at)->upper == f->upper || memcmp((*at)->cross, f->cross, sizeof f->cross) != 0)
		return fx_error_set(err, FX_EINVAL,
				    "blocks that meet at %" PRId64 " %" PRId64 " %" PRId64
				    " came twice or have faces of different shape: blocks must lie "
				    "on one grid",
				    f->corner[0], f->corner[1], f->corner[2]);
	if (!stream_line(s, p, f->nodes, (*at)->nodes, f->value, (*at)->value, 0, face_len(f)))
		return fx_error_set(err, FX_ENOMEM, "no memory for contacts");
	face_drop(s, at);
	return FX_OK;
}

int fx_ragstream_add(struct fx_ragstream *s, const struct fx_block *labels,
		     const struct fx_block *evidence, struct fx_error *err)
{
	struct part p = { 0 };
	int rc = part_check(labels, evidence, err);

	if (rc < 0)
		return rc;
	if (!part_init(s, &p, labels, evidence) || !part_walk(s, &p, labels))
		rc = fx_error_set(err, FX_ENOMEM, "no memory for %zu labels, %zu contacts",
				  s->nodes_len, s->edges_len);
	for (int i = 0; i < 6 && rc == FX_OK; i++)
		if (p.faces[i / 2][i % 2])
			rc = stream_face(s, &p, &p.faces[i / 2][i % 2], err);
	part_fini(&p);
	return rc;
}

void fx_ragstream_done(struct fx_ragstream *s, struct fx_region r)
{
	for (struct fx_ragstream_face **at = &s->faces; *at;) {
		struct fx_region awaited;

		for (int a = 0; a < 3; a++) {
			awaited.lo[a] = (*at)->corner[a] - (a == (*at)->axis && (*at)->upper);
			awaited.hi[a] = awaited.lo[a] + (*at)->cross[a];
		}
		if (fx_region_empty(fx_region_intersect(awaited, r)))
			at = &(*at)->next;
		else
			face_drop(s, at);
	}
}
