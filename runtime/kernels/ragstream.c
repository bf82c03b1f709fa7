// SPDX-License-Identifier: Apache-2.0
/* ragstream.c: the graph of labels that touch, over blocks as they come. */
#include "kernels/ragstream.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/runs.h"

/* The core of a block: a node for every voxel, and the evidence. */
struct part {
	struct fx_region core;
	size_t shape[3];
	uint32_t *nodes;   /* owned */
	uint8_t *value[3]; /* owned: by axis; of a boundary the first alone */
	bool by_face;	   /* evidence belongs to faces: value[axis] */
};

/* The edge that was counted last. */
struct last {
	uint64_t pair;
	uint32_t *hist;
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

/* The edge of a pair, whose histogram @p last holds until the next one is made. */
static bool stream_edge(struct fx_ragstream *s, uint64_t pair, struct last *last)
{
	uint64_t *at = fx_map64_at(&s->pairs, pair);
	const size_t n = s->edges_len;

	if (!at)
		return false;
	if (!*at) {
		if (!fx_grow(&s->edges, &s->edges_cap, n + 1, sizeof *s->edges) ||
		    !fx_grow(&s->hist, &s->hist_cap, n + 1, sizeof *s->hist))
			return false;
		s->edges[n] = (struct fx_rag_edge){ (uint32_t)(pair >> 32), (uint32_t)pair };
		memset(s->hist[n], 0, sizeof s->hist[n]);
		*at = ++s->edges_len;
	}
	last->pair = pair;
	last->hist = s->hist[*at - 1];
	return true;
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

/* Counts the faces between two lines of nodes; the larger value counts, of @p a alone when @p bv is
 * NULL. */
static bool stream_line(struct fx_ragstream *s, const uint32_t *a, const uint32_t *b,
			const uint8_t *av, const uint8_t *bv, size_t n, struct last *last)
{
	for (size_t i = first_difference(a, b, 0, n); i < n; i = first_difference(a, b, i + 1, n)) {
		const uint32_t lo = a[i] < b[i] ? a[i] : b[i], hi = a[i] < b[i] ? b[i] : a[i];
		const uint64_t pair = (uint64_t)lo << 32 | hi;
		const uint8_t value = bv && bv[i] > av[i] ? bv[i] : av[i];

		if (!lo || (pair != last->pair && !stream_edge(s, pair, last))) {
			if (lo)
				return false;
			continue;
		}
		last->hist[value * FX_RAG_BINS / 256]++;
	}
	return true;
}

/* All faces within a part. */
static bool stream_inner(struct fx_ragstream *s, const struct part *p)
{
	const size_t n = p->shape[2], step[3] = { p->shape[1] * n, n, 1 };
	struct last last = { 0 };

	for (size_t row = 0; row < p->shape[0] * p->shape[1]; row++)
		for (int axis = 0; axis < 3; axis++) {
			const size_t from = axis == 2, i = row * n + from;
			const uint8_t *v = p->value[p->by_face ? axis : 0];

			if (axis == 0 ? row < p->shape[1] : axis == 1 && row % p->shape[1] == 0)
				continue;
			if (!stream_line(s, p->nodes + i, p->nodes + i - step[axis], v + i,
					 p->by_face ? NULL : v + i - step[axis], n - from, &last))
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

static bool part_nodes(struct fx_ragstream *s, struct part *p, const struct fx_block *b)
{
	const size_t n = p->shape[2];

	for (size_t row = 0; row < p->shape[0] * p->shape[1]; row++) {
		const size_t z = row / p->shape[1] + b->halo_lo[0],
			     y = row % p->shape[1] + b->halo_lo[1];

		if (!part_row(s, b, (z * b->shape[1] + y) * b->shape[2] + b->halo_lo[2], n,
			      p->nodes + row * n, row > 0))
			return false;
	}
	return true;
}

static uint8_t evidence_at(const struct fx_block *e, size_t i)
{
	const float *real = e->data;

	if (e->dtype == FX_U8)
		return ((const uint8_t *)e->data)[i];
	return real[i] > 0 ? (uint8_t)((real[i] < 1 ? real[i] : 1) * 255 + 0.5F) : 0;
}

/* The evidence over the core, as what is said of a boundary. */
static void part_value(const struct part *p, const struct fx_block *e, int channel, uint8_t *to)
{
	const size_t n = p->shape[2];

	for (size_t row = 0; row < p->shape[0] * p->shape[1]; row++) {
		const size_t z = row / p->shape[1] + (size_t)(p->core.lo[0] - e->origin[0]),
			     y = row % p->shape[1] + (size_t)(p->core.lo[1] - e->origin[1]);
		const size_t first = (size_t)channel * fx_block_len(e) +
				     (z * e->shape[1] + y) * e->shape[2] +
				     (size_t)(p->core.lo[2] - e->origin[2]);

		for (size_t x = 0; x < n; x++) {
			const uint8_t v = evidence_at(e, first + x);

			*to++ = p->by_face ? 255 - v : v;
		}
	}
}

static void part_fini(struct part *p)
{
	free(p->nodes);
	for (int i = 0; i < 3; i++)
		free(p->value[i]);
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

static bool part_init(struct fx_ragstream *s, struct part *p, const struct fx_block *labels,
		      const struct fx_block *e)
{
	size_t len = 1;

	p->core = fx_block_core(labels);
	p->by_face = e->role == FX_AFFINITY;
	for (int a = 0; a < 3; a++) {
		p->shape[a] = (size_t)(p->core.hi[a] - p->core.lo[a]);
		len *= p->shape[a];
	}
	p->nodes = fx_calloc(len, sizeof *p->nodes);
	for (int c = 0; c < (p->by_face ? 3 : 1); c++) {
		p->value[c] = fx_alloc_aligned(len);
		if (!p->value[c])
			return false;
		part_value(p, e, c, p->value[c]);
	}
	return p->nodes && part_nodes(s, p, labels);
}

/* The layer at one face of a part; NULL without memory. */
static struct fx_ragstream_face *face_cut(const struct part *p, int axis, bool upper)
{
	struct fx_ragstream_face *f = calloc(1, sizeof *f);
	const size_t n = p->shape[0] * p->shape[1] * p->shape[2] / p->shape[axis];
	const size_t inner = axis == 0 ? p->shape[1] * p->shape[2] : axis == 1 ? p->shape[2] : 1;
	const uint8_t *v = p->value[p->by_face ? axis : 0];
	const size_t at = upper ? 0 : p->shape[axis] - 1;

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
	if (!f->nodes || !f->value) {
		face_free(f);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		const size_t from = (i / inner * p->shape[axis] + at) * inner + i % inner;

		f->nodes[i] = p->nodes[from];
		f->value[i] = upper || !p->by_face ? v[from] : 0;
	}
	return f;
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
static int stream_face(struct fx_ragstream *s, const struct part *p, int axis, bool upper,
		       struct fx_error *err)
{
	struct fx_ragstream_face *f = face_cut(p, axis, upper), **at = &s->faces;
	struct last last = { 0 };
	int rc = FX_OK;

	if (!f)
		return fx_error_set(err, FX_ENOMEM, "no memory for the faces of a block");
	while (*at && ((*at)->axis != axis || memcmp((*at)->corner, f->corner, sizeof f->corner)))
		at = &(*at)->next;
	if (!*at) {
		f->next = s->faces;
		s->faces = f;
		s->open_size += face_size(f);
		return FX_OK;
	}
	if ((*at)->upper == upper || memcmp((*at)->cross, f->cross, sizeof f->cross) != 0)
		rc = fx_error_set(err, FX_EINVAL,
				  "blocks that meet at %" PRId64 " %" PRId64 " %" PRId64
				  " came twice or have faces of different shape: blocks must lie "
				  "on one grid",
				  f->corner[0], f->corner[1], f->corner[2]);
	else if (!stream_line(s, f->nodes, (*at)->nodes, f->value, (*at)->value, face_len(f),
			      &last))
		rc = fx_error_set(err, FX_ENOMEM, "no memory for contacts");
	if (rc == FX_OK)
		face_drop(s, at);
	face_free(f);
	return rc;
}

int fx_ragstream_add(struct fx_ragstream *s, const struct fx_block *labels,
		     const struct fx_block *evidence, struct fx_error *err)
{
	struct part p = { 0 };
	int rc = part_check(labels, evidence, err);

	if (rc < 0)
		return rc;
	if (!part_init(s, &p, labels, evidence) || !stream_inner(s, &p))
		rc = fx_error_set(err, FX_ENOMEM, "no memory for %zu labels, %zu contacts",
				  s->nodes_len, s->edges_len);
	for (int a = 0; a < 3 && rc == FX_OK; a++) {
		if (p.core.lo[a] > 0)
			rc = stream_face(s, &p, a, true, err);
		if (rc == FX_OK && p.core.hi[a] != s->extent[a])
			rc = stream_face(s, &p, a, false, err);
	}
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
