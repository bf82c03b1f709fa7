// SPDX-License-Identifier: Apache-2.0
/* geodesic.c: shortest ways inside labelled objects. */
#include "kernels/geodesic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { BUCKETS_MAX = 1 << 20 };

struct entry {
	uint32_t voxel, source;
	double key;
};

struct list {
	struct entry *entry;
	size_t len, cap;
};

struct fx_geodesic {
	const struct fx_lattice *l;
	size_t buckets;
	double width; /* of a bucket, nm; below the shortest step */
	struct list *bucket, heap;
	size_t cap;		     /* voxels that the two arrays have room for */
	uint32_t *stamp, generation; /* voxel was met in the search of this number */
	uint8_t *from;		     /* number of the neighbour that the way comes from */
};

int fx_lattice_init(struct fx_lattice *l, const size_t shape[3], const double voxel_nm[3])
{
	int n = 0;

	memset(l, 0, sizeof *l);
	l->len = 1;
	for (int a = 0; a < 3; a++) {
		if (!shape[a] || shape[a] > UINT32_MAX - 2 || !(voxel_nm[a] > 0) ||
		    !fx_mul_size(l->len, shape[a] + 2, &l->len) || l->len >= UINT32_MAX)
			return FX_EINVAL;
		l->shape[a] = shape[a] + 2;
		l->voxel_nm[a] = voxel_nm[a];
	}
	l->step_min = INFINITY;
	for (int i = 0; i < 27; i++) {
		const int d[3] = { i / 9 - 1, i / 3 % 3 - 1, i % 3 - 1 };
		const double z = d[0] * voxel_nm[0], y = d[1] * voxel_nm[1], x = d[2] * voxel_nm[2];

		if (i == 13)
			continue;
		l->offset[n] =
			((ptrdiff_t)d[0] * (ptrdiff_t)l->shape[1] + d[1]) * (ptrdiff_t)l->shape[2] +
			d[2];
		memcpy(l->delta[n], d, sizeof d);
		l->step_nm[n] = (float)sqrt(z * z + y * y + x * x);
		l->step_min = fminf(l->step_min, l->step_nm[n]);
		l->step_max = fmaxf(l->step_max, l->step_nm[n]);
		n++;
	}
	return FX_OK;
}

uint32_t fx_lattice_index(const struct fx_lattice *l, size_t z, size_t y, size_t x)
{
	return (uint32_t)(((z + 1) * l->shape[1] + y + 1) * l->shape[2] + x + 1);
}

void fx_lattice_voxel(const struct fx_lattice *l, uint32_t index, size_t zyx[3])
{
	/* in 32 bits, which divide much faster */
	const uint32_t nx = (uint32_t)l->shape[2], ny = (uint32_t)l->shape[1], row = index / nx;

	zyx[2] = (size_t)(index - row * nx) - 1;
	zyx[1] = (size_t)(row % ny) - 1;
	zyx[0] = (size_t)(row / ny) - 1;
}

struct fx_geodesic *fx_geodesic_new(const struct fx_lattice *l)
{
	struct fx_geodesic *g = calloc(1, sizeof *g);
	const double ratio = (double)l->step_max / (double)l->step_min;

	if (!g)
		return NULL;
	/* a very flat voxel gets coarser buckets: then a voxel may be worked on again */
	g->buckets = ratio < BUCKETS_MAX ? (size_t)(ratio * 1.01) + 3 : BUCKETS_MAX;
	g->width = fmax((double)l->step_min * 0.999,
			(double)l->step_max * 1.01 / (double)(g->buckets - 2));
	g->bucket = fx_calloc(g->buckets, sizeof *g->bucket);
	if (!g->bucket || !fx_geodesic_fit(g, l)) {
		fx_geodesic_free(g);
		return NULL;
	}
	return g;
}

bool fx_geodesic_fit(struct fx_geodesic *g, const struct fx_lattice *l)
{
	if (l->len > g->cap) {
		free(g->stamp);
		free(g->from);
		g->cap = 0;
		g->stamp = fx_calloc(l->len, sizeof *g->stamp);
		g->from = fx_calloc(l->len, sizeof *g->from);
		if (!g->stamp || !g->from)
			return false;
		g->cap = l->len;
	}
	g->l = l;
	return true;
}

void fx_geodesic_free(struct fx_geodesic *g)
{
	if (!g)
		return;
	for (size_t i = 0; g->bucket && i < g->buckets; i++)
		free(g->bucket[i].entry);
	free(g->bucket);
	free(g->heap.entry);
	free(g->stamp);
	free(g->from);
	free(g);
}

/* A number that no voxel is stamped with. */
static uint32_t next_generation(struct fx_geodesic *g)
{
	if (++g->generation == 0) {
		memset(g->stamp, 0, g->cap * sizeof *g->stamp);
		g->generation = 1;
	}
	return g->generation;
}

static uint32_t neighbour(const struct fx_lattice *l, uint32_t voxel, int i)
{
	return (uint32_t)((ptrdiff_t)voxel + l->offset[i]);
}

static bool list_add(struct list *list, struct entry e)
{
	if (list->len == list->cap &&
	    !fx_grow(&list->entry, &list->cap, list->len + 1, sizeof *list->entry))
		return false;
	list->entry[list->len++] = e;
	return true;
}

int64_t fx_geodesic_band(const struct fx_geodesic *g, double dist)
{
	return (int64_t)(dist / g->width);
}

static struct list *bucket_of(const struct fx_geodesic *g, int64_t band)
{
	return &g->bucket[(uint64_t)band % g->buckets];
}

static void buckets_clear(struct fx_geodesic *g)
{
	for (size_t i = 0; i < g->buckets; i++)
		g->bucket[i].len = 0;
}

/* Offers way lengths to the neighbours; returns how many were entered, below 0 without memory. */
static int field_relax(struct fx_geodesic *g, const uint32_t *ids, uint32_t id, struct entry e,
		       float *dist)
{
	const struct fx_lattice *l = g->l;
	int entered = 0;

	for (int i = 0; i < 26; i++) {
		const uint32_t v = neighbour(l, e.voxel, i);
		const float d = (float)e.key + l->step_nm[i];

		if (ids[v] != id || d >= dist[v])
			continue;
		dist[v] = d;
		if (!list_add(bucket_of(g, fx_geodesic_band(g, (double)d)),
			      (struct entry){ v, 0, (double)d }))
			return FX_ENOMEM;
		entered++;
	}
	return entered;
}

int fx_geodesic_field(struct fx_geodesic *g, const uint32_t *ids, uint32_t id, uint32_t source,
		      float *dist, uint32_t *order, size_t *len)
{
	const uint32_t stamp = next_generation(g);
	size_t waiting = 1, reached = 0;

	buckets_clear(g);
	dist[source] = 0;
	if (!list_add(bucket_of(g, 0), (struct entry){ source, 0, 0 }))
		return FX_ENOMEM;
	for (int64_t band = 0; waiting; band++) {
		struct list *bucket = bucket_of(g, band);

		for (size_t i = 0; i < bucket->len; i++, waiting--) {
			const struct entry e = bucket->entry[i];
			int entered;

			if (e.key > (double)dist[e.voxel])
				continue;
			if (g->stamp[e.voxel] != stamp)
				order[reached++] = e.voxel;
			g->stamp[e.voxel] = stamp;
			entered = field_relax(g, ids, id, e, dist);
			if (entered < 0)
				return FX_ENOMEM;
			waiting += (size_t)entered;
		}
		bucket->len = 0;
	}
	*len = reached;
	return FX_OK;
}

static bool entry_before(struct entry a, struct entry b)
{
	return a.key < b.key || (!(b.key < a.key) && a.voxel < b.voxel);
}

static bool heap_push(struct list *heap, struct entry e)
{
	size_t i;

	if (!list_add(heap, e))
		return false;
	for (i = heap->len - 1; i && entry_before(e, heap->entry[(i - 1) / 2]); i = (i - 1) / 2)
		heap->entry[i] = heap->entry[(i - 1) / 2];
	heap->entry[i] = e;
	return true;
}

static struct entry heap_pop(struct list *heap)
{
	const struct entry top = heap->entry[0], last = heap->entry[--heap->len];
	size_t i = 0;

	for (size_t child = 1; child < heap->len; child = 2 * i + 1) {
		if (child + 1 < heap->len &&
		    entry_before(heap->entry[child + 1], heap->entry[child]))
			child++;
		if (!entry_before(heap->entry[child], last))
			break;
		heap->entry[i] = heap->entry[child];
		i = child;
	}
	if (heap->len)
		heap->entry[i] = last;
	return top;
}

/* A step costs what its end costs, wherever it begins: the first voxel that offers one has the
 * cheapest way, so that each voxel is offered once. */
static int way_relax(struct fx_geodesic *g, const uint32_t *ids, uint32_t id, const float *penalty,
		     struct entry e)
{
	const struct fx_lattice *l = g->l;
	uint32_t *stamp = g->stamp;
	const uint32_t generation = g->generation;

	for (int i = 0; i < 26; i++) {
		const uint32_t v = neighbour(l, e.voxel, i);

		if (ids[v] != id || stamp[v] == generation)
			continue;
		stamp[v] = generation;
		g->from[v] = (uint8_t)(25 - i); /* offsets are symmetric */
		if (!heap_push(&g->heap, (struct entry){ v, 0, e.key + (double)penalty[v] }))
			return FX_ENOMEM;
	}
	return FX_OK;
}

static int way_back(const struct fx_geodesic *g, uint32_t start, uint32_t goal, uint32_t **way,
		    size_t *len)
{
	size_t n = 1;
	uint32_t v = goal, *out;

	for (; v != start; v = neighbour(g->l, v, g->from[v]))
		n++;
	out = fx_calloc(n, sizeof *out);
	if (!out)
		return FX_ENOMEM;
	v = goal;
	for (size_t i = 0; i < n; i++) {
		out[i] = v;
		if (v != start)
			v = neighbour(g->l, v, g->from[v]);
	}
	*way = out;
	*len = n;
	return FX_OK;
}

int fx_geodesic_way(struct fx_geodesic *g, const uint32_t *ids, uint32_t id, const float *penalty,
		    uint32_t start, const uint8_t *flags, uint8_t goal, uint32_t **way, size_t *len)
{
	next_generation(g);
	g->heap.len = 0;
	g->stamp[start] = g->generation;
	if (!heap_push(&g->heap, (struct entry){ start, 0, 0 }))
		return FX_ENOMEM;
	while (g->heap.len) {
		const struct entry e = heap_pop(&g->heap);

		if (flags[e.voxel] & goal)
			return way_back(g, start, e.voxel, way, len);
		if (way_relax(g, ids, id, penalty, e) != FX_OK)
			return FX_ENOMEM;
	}
	return FX_ENOENT;
}

/* Squared distances along each axis from the centre of a ball to the voxel @p at and those next to
 * it. */
struct around {
	double z[3], y[3], x[3];
};

static void around_axis(const struct fx_lattice *l, const struct fx_ball *ball, const size_t at[3],
			int axis, double out[3])
{
	for (int i = 0; i < 3; i++) {
		const double d = (double)((int64_t)at[axis] + i - 1 - ball->centre[axis]) *
				 l->voxel_nm[axis];

		out[i] = d * d;
	}
}

static struct around ball_around(const struct fx_lattice *l, const struct fx_ball *ball,
				 uint32_t voxel)
{
	struct around a;
	size_t at[3];

	fx_lattice_voxel(l, voxel, at);
	around_axis(l, ball, at, 0, a.z);
	around_axis(l, ball, at, 1, a.y);
	around_axis(l, ball, at, 2, a.x);
	return a;
}

/* How deep a voxel lies in a ball, nm; below 0 outside. */
static float ball_depth(const struct fx_ball *ball, double squared)
{
	return (float)((double)ball->radius_nm - sqrt(squared));
}

/* Deepest first. */
static int depth_order(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;

	if (a->key > b->key || a->key < b->key)
		return a->key > b->key ? -1 : 1;
	if (a->voxel != b->voxel)
		return a->voxel < b->voxel ? -1 : 1;
	return (a->source > b->source) - (a->source < b->source);
}

/* One flood: the objects of a call of fx_geodesic_roll(). */
struct roll {
	struct fx_geodesic *g;
	const uint32_t *ids;
	uint32_t id;
	const struct fx_ball *balls;
	float *depth;
	uint32_t *ball;
	double deepest; /* of the entries */
	int64_t band;
	size_t waiting;
};

static int roll_offer(struct roll *r, uint32_t voxel, uint32_t ball, float depth)
{
	int64_t band;

	/* deep enough already, or cleared by an earlier call */
	if (depth < 0 || depth <= r->depth[voxel] ||
	    (r->depth[voxel] >= 0 && r->g->stamp[voxel] != r->g->generation))
		return FX_OK;
	r->g->stamp[voxel] = r->g->generation;
	r->depth[voxel] = depth;
	r->ball[voxel] = ball;
	band = fx_geodesic_band(r->g, r->deepest - (double)depth);
	if (!list_add(bucket_of(r->g, band > r->band ? band : r->band),
		      (struct entry){ voxel, ball, (double)depth }))
		return FX_ENOMEM;
	r->waiting++;
	return FX_OK;
}

/* Whether a ball of radius @p radius can be no news to a voxel of depth @p depth, judged without a
 * root: some that are none pass, no news is lost. */
static bool roll_is_shallow(double radius, float depth, double squared)
{
	const double reach = radius - (depth > 0 ? (double)depth : 0);

	return reach <= 0 || squared > reach * reach * (1 + 1e-5);
}

static int roll_spread(struct roll *r, struct entry e)
{
	const struct fx_lattice *l = r->g->l;
	const struct fx_ball *ball = &r->balls[e.source];
	const uint32_t *ids = r->ids, *balls = r->ball, *stamp = r->g->stamp;
	const uint32_t id = r->id, source = e.source, generation = r->g->generation;
	const float *depth = r->depth;
	const double radius = (double)ball->radius_nm;
	struct around a;
	int result = FX_OK;

	if (e.key < (double)depth[e.voxel])
		return FX_OK;
	a = ball_around(l, ball, e.voxel);
	for (int i = 0; result == FX_OK && i < 26; i++) {
		const uint32_t v = neighbour(l, e.voxel, i);
		const int *d = l->delta[i];
		double squared;

		/* the ball is there, or an earlier call cleared the voxel */
		if (ids[v] != id ||
		    (depth[v] >= 0 && (balls[v] == source || stamp[v] != generation)))
			continue;
		squared = a.z[d[0] + 1] + a.y[d[1] + 1] + a.x[d[2] + 1];
		if (!roll_is_shallow(radius, depth[v], squared))
			result = roll_offer(r, v, source, ball_depth(ball, squared));
	}
	return result;
}

/* The entries in order of depth, in the list that the heap has no need of now. */
static int roll_entries(struct roll *r, const struct fx_ball_entry *entries, size_t len)
{
	struct list *list = &r->g->heap;

	list->len = 0;
	for (size_t i = 0; i < len; i++) {
		const struct fx_ball_entry e = entries[i];
		const struct fx_ball *ball = &r->balls[e.ball];
		const struct around a = ball_around(r->g->l, ball, e.voxel);
		const float depth = ball_depth(ball, a.z[1] + a.y[1] + a.x[1]);

		if (!list_add(list, (struct entry){ e.voxel, e.ball, (double)depth }))
			return FX_ENOMEM;
	}
	if (len)
		qsort(list->entry, len, sizeof *list->entry, depth_order);
	r->deepest = len ? list->entry[0].key : 0;
	return FX_OK;
}

int fx_geodesic_roll(struct fx_geodesic *g, const uint32_t *ids, uint32_t id,
		     const struct fx_ball *balls, const struct fx_ball_entry *entries, size_t len,
		     float *depth_nm, uint32_t *ball)
{
	struct roll r = { g, ids, id, balls, depth_nm, ball, 0, 0, 0 };
	int result = roll_entries(&r, entries, len);
	size_t next = 0;

	next_generation(g);
	buckets_clear(g);
	for (; result == FX_OK && (r.waiting || next < len); r.band++) {
		struct list *bucket = bucket_of(g, r.band);

		for (; result == FX_OK && next < len; next++) {
			const struct entry e = g->heap.entry[next];

			if (fx_geodesic_band(g, r.deepest - e.key) > r.band)
				break;
			result = roll_offer(&r, e.voxel, e.source, (float)e.key);
		}
		for (size_t i = 0; result == FX_OK && i < bucket->len; i++)
			result = roll_spread(&r, bucket->entry[i]);
		r.waiting -= bucket->len;
		bucket->len = 0;
	}
	return result;
}
