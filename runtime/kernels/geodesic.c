// SPDX-License-Identifier: Apache-2.0
/* geodesic.c: shortest ways inside labelled objects. */
#include "kernels/geodesic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { BUCKETS_MAX = 1 << 20, SOON = 4 };

/* A voxel that waits in a band. */
struct entry {
	uint32_t voxel;
	union {
		float dist;    /* that it was entered with */
		uint32_t ball; /* that it was offered to */
	};
};

struct list {
	struct entry *entry;
	size_t len, cap;
};

/* A voxel, or the entry of a ball, that waits in order. */
struct waiting {
	double key;
	uint32_t voxel, ball;
};

struct heap {
	struct waiting *at;
	size_t len, cap;
};

struct fx_geodesic {
	const struct fx_lattice *l;
	size_t buckets;		   /* a power of two */
	double width, per_width;   /* of a bucket, nm; below the shortest step; and its inverse */
	struct list *bucket, seen; /* seen: voxels that from[] is set for */
	struct heap heap;
	size_t cap;    /* voxels that from[] has room for */
	uint8_t *from; /* 1 + number of the neighbour that the way comes from; 0: not met */
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

/* A very flat voxel gets coarser buckets: then a voxel may be worked on again. */
struct fx_geodesic *fx_geodesic_new(const struct fx_lattice *l)
{
	struct fx_geodesic *g = calloc(1, sizeof *g);
	const double ratio = (double)l->step_max / (double)l->step_min;

	if (!g)
		return NULL;
	g->buckets = 4;
	while (g->buckets < BUCKETS_MAX && (double)g->buckets < ratio * 1.01 + 3)
		g->buckets *= 2;
	g->width = fmax((double)l->step_min * 0.999,
			(double)l->step_max * 1.01 / (double)(g->buckets - 2));
	g->per_width = 1 / g->width;
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
		free(g->from);
		g->cap = 0;
		g->from = fx_calloc_huge(l->len, sizeof *g->from);
		if (!g->from)
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
	free(g->seen.entry);
	free(g->heap.at);
	free(g->from);
	free(g);
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
	return (int64_t)(dist * g->per_width);
}

static struct list *bucket_of(const struct fx_geodesic *g, int64_t band)
{
	return &g->bucket[(uint64_t)band & (g->buckets - 1)];
}

static void buckets_clear(struct fx_geodesic *g)
{
	for (size_t i = 0; i < g->buckets; i++)
		g->bucket[i].len = 0;
}

/* Asks memory for the flags and numbers around a voxel that comes soon, in nine rows of three. */
static inline void ask_for(const struct fx_lattice *l, const uint8_t *flags, const float *numbers,
			   uint32_t voxel)
{
	static const int middle[9] = { 1, 4, 7, 10, -1, 15, 18, 21, 24 }; /* -1: itself */

	for (int i = 0; i < 9; i++) {
		const uint32_t v = middle[i] < 0 ? voxel : neighbour(l, voxel, middle[i]);

		if (flags)
			__builtin_prefetch(flags + v);
		if (numbers)
			__builtin_prefetch(numbers + v);
	}
}

/* Offers way lengths to the neighbours; returns how many were entered, below 0 without memory. What
 * is not of the object is nearer already. */
static int field_relax(struct fx_geodesic *g, struct entry e, float *dist)
{
	const struct fx_lattice *l = g->l;
	int entered = 0;

	for (int i = 0; i < 26; i++) {
		const uint32_t v = neighbour(l, e.voxel, i);
		const float d = e.dist + l->step_nm[i];

		if (d >= dist[v])
			continue;
		dist[v] = d;
		if (!list_add(bucket_of(g, fx_geodesic_band(g, (double)d)),
			      (struct entry){ .voxel = v, .dist = d }))
			return FX_ENOMEM;
		entered++;
	}
	return entered;
}

int fx_geodesic_field(struct fx_geodesic *g, uint32_t source, float *dist, uint32_t *order,
		      size_t *len)
{
	size_t waiting = 1, reached = 0;
	int entered = 0;

	buckets_clear(g);
	dist[source] = 0;
	if (!list_add(bucket_of(g, 0), (struct entry){ .voxel = source, .dist = 0 }))
		return FX_ENOMEM;
	for (int64_t band = 0; waiting && entered >= 0; band++) {
		struct list *bucket = bucket_of(g, band);

		for (size_t i = 0; i < bucket->len && entered >= 0; i++, waiting--) {
			const struct entry e = bucket->entry[i];

			if (i + SOON < bucket->len)
				ask_for(g->l, NULL, dist, bucket->entry[i + SOON].voxel);
			if (e.dist > dist[e.voxel])
				continue;
			if (!g->from[e.voxel])
				order[reached++] = e.voxel;
			g->from[e.voxel] = 1;
			entered = field_relax(g, e, dist);
			waiting += entered > 0 ? (size_t)entered : 0;
		}
		bucket->len = 0;
	}
	for (size_t i = 0; i < reached; i++)
		g->from[order[i]] = 0;
	*len = reached;
	return entered < 0 ? FX_ENOMEM : FX_OK;
}

static bool waits_before(struct waiting a, struct waiting b)
{
	return a.key < b.key || (!(b.key < a.key) && a.voxel < b.voxel);
}

/* Four children a node: half as deep as with two, and those of a node lie side by side. */
static bool heap_push(struct heap *heap, struct waiting e)
{
	size_t i;

	if (heap->len == heap->cap &&
	    !fx_grow(&heap->at, &heap->cap, heap->len + 1, sizeof *heap->at))
		return false;
	for (i = heap->len++; i && waits_before(e, heap->at[(i - 1) / 4]); i = (i - 1) / 4)
		heap->at[i] = heap->at[(i - 1) / 4];
	heap->at[i] = e;
	return true;
}

static struct waiting heap_pop(struct heap *heap)
{
	const struct waiting top = heap->at[0], last = heap->at[--heap->len];
	size_t i = 0;

	for (size_t child = 1; child < heap->len; child = 4 * i + 1) {
		const size_t end = child + 4 < heap->len ? child + 4 : heap->len;

		for (size_t k = child + 1; k < end; k++)
			if (waits_before(heap->at[k], heap->at[child]))
				child = k;
		if (!waits_before(heap->at[child], last))
			break;
		heap->at[i] = heap->at[child];
		i = child;
	}
	if (heap->len)
		heap->at[i] = last;
	return top;
}

/* Enters a voxel that the way comes to from its neighbour number @p from - 1. */
static bool way_enter(struct fx_geodesic *g, uint8_t *flags, struct waiting e, int from)
{
	flags[e.voxel] |= FX_VOXEL_OFFERED;
	g->from[e.voxel] = (uint8_t)from;
	return list_add(&g->seen, (struct entry){ .voxel = e.voxel }) && heap_push(&g->heap, e);
}

/* A step costs what its end costs, wherever it begins: the first voxel that offers one has the
 * cheapest way, so that each voxel is offered once. */
static int way_relax(struct fx_geodesic *g, uint8_t *flags, const float *penalty, struct waiting e)
{
	const struct fx_lattice *l = g->l;

	for (int i = 0; i < 26; i++) {
		const uint32_t v = neighbour(l, e.voxel, i);

		if ((flags[v] & (FX_VOXEL_IN | FX_VOXEL_OFFERED)) != FX_VOXEL_IN)
			continue;
		/* offsets are symmetric */
		if (!way_enter(g, flags, (struct waiting){ e.key + (double)penalty[v], v, 0 },
			       26 - i))
			return FX_ENOMEM;
	}
	return FX_OK;
}

static int way_back(const struct fx_geodesic *g, uint32_t start, uint32_t goal, uint32_t **way,
		    size_t *len)
{
	size_t n = 1;
	uint32_t v = goal, *out;

	for (; v != start; v = neighbour(g->l, v, g->from[v] - 1))
		n++;
	out = fx_calloc(n, sizeof *out);
	if (!out)
		return FX_ENOMEM;
	v = goal;
	for (size_t i = 0; i < n; i++) {
		out[i] = v;
		if (v != start)
			v = neighbour(g->l, v, g->from[v] - 1);
	}
	*way = out;
	*len = n;
	return FX_OK;
}

int fx_geodesic_way(struct fx_geodesic *g, uint8_t *flags, const float *penalty, uint32_t start,
		    uint8_t goal, uint32_t **way, size_t *len)
{
	int result = FX_OK;
	bool found = false;

	g->heap.len = g->seen.len = 0;
	if (!way_enter(g, flags, (struct waiting){ 0, start, 0 }, 1))
		result = FX_ENOMEM;
	while (result == FX_OK && !found && g->heap.len) {
		const struct waiting e = heap_pop(&g->heap);

		if (g->heap.len)
			ask_for(g->l, flags, penalty, g->heap.at[0].voxel);
		found = flags[e.voxel] & goal;
		result = found ? way_back(g, start, e.voxel, way, len) :
				 way_relax(g, flags, penalty, e);
	}
	for (size_t i = 0; i < g->seen.len; i++) {
		g->from[g->seen.entry[i].voxel] = 0;
		flags[g->seen.entry[i].voxel] &= (uint8_t)~FX_VOXEL_OFFERED;
	}
	return result == FX_OK && !found ? FX_ENOENT : result;
}

/* Squared distances along each axis from the centre of a ball to the voxel @p at and those next to
 * it. */
struct around {
	float z[3], y[3], x[3];
};

static void around_axis(const struct fx_lattice *l, const struct fx_ball *ball, const size_t at[3],
			int axis, float out[3])
{
	for (int i = 0; i < 3; i++) {
		const float d = (float)((int64_t)at[axis] + i - 1 - ball->centre[axis]) *
				(float)l->voxel_nm[axis];

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

/* One flood: the object of a call of fx_geodesic_roll(). */
struct roll {
	struct fx_geodesic *g;
	uint8_t *flags;
	const struct fx_ball *balls;
	struct fx_clearing *by;
	int64_t band;
	size_t waiting;
};

/* Offers a voxel, as far from the centre of a ball as this, to the ball: it is not for that when it
 * is not of the object, cleared, or was offered to a nearer one. */
static int roll_offer(struct roll *r, uint32_t voxel, uint32_t ball, float squared)
{
	const uint8_t flags = r->flags[voxel];
	int64_t band;

	if (!(flags & FX_VOXEL_IN) || flags & FX_VOXEL_CLEARED ||
	    (flags & FX_VOXEL_OFFERED && squared >= r->by[voxel].squared_nm))
		return FX_OK;
	r->flags[voxel] = flags | FX_VOXEL_OFFERED;
	r->by[voxel] = (struct fx_clearing){ squared, ball };
	band = fx_geodesic_band(r->g, (double)sqrtf(squared));
	if (!list_add(bucket_of(r->g, band > r->band ? band : r->band),
		      (struct entry){ .voxel = voxel, .ball = ball }))
		return FX_ENOMEM;
	r->waiting++;
	return FX_OK;
}

static int roll_spread(struct roll *r, struct entry e)
{
	const struct fx_lattice *l = r->g->l;
	const struct fx_ball *ball = &r->balls[e.ball];
	const float reach = ball->radius_nm * ball->radius_nm;
	struct around a;
	int result = FX_OK;

	/* cleared, or offered to a nearer ball since */
	if (r->flags[e.voxel] & FX_VOXEL_CLEARED || r->by[e.voxel].ball != e.ball)
		return FX_OK;
	r->flags[e.voxel] ^= FX_VOXEL_OFFERED | FX_VOXEL_CLEARED;
	a = ball_around(l, ball, e.voxel);
	for (int i = 0; result == FX_OK && i < 26; i++) {
		const uint32_t v = neighbour(l, e.voxel, i);
		const int *d = l->delta[i];
		float squared;

		if ((r->flags[v] & (FX_VOXEL_IN | FX_VOXEL_CLEARED)) != FX_VOXEL_IN)
			continue;
		squared = a.z[d[0] + 1] + a.y[d[1] + 1] + a.x[d[2] + 1];
		if (squared <= reach)
			result = roll_offer(r, v, e.ball, squared);
	}
	return result;
}

/* Nearest first. */
static int entry_order(const void *pa, const void *pb)
{
	const struct waiting *a = pa, *b = pb;

	if (a->key < b->key || a->key > b->key)
		return a->key < b->key ? -1 : 1;
	if (a->voxel != b->voxel)
		return a->voxel < b->voxel ? -1 : 1;
	return (a->ball > b->ball) - (a->ball < b->ball);
}

/* The voxels where balls come in, in order, where the heap has been. */
static int roll_entries(const struct roll *r, const struct fx_ball_entry *entries, size_t len)
{
	struct heap *list = &r->g->heap;

	list->len = 0;
	if (!fx_grow(&list->at, &list->cap, len, sizeof *list->at))
		return FX_ENOMEM;
	for (size_t i = 0; i < len; i++) {
		const struct fx_ball_entry e = entries[i];
		const struct fx_ball *ball = &r->balls[e.ball];
		const struct around a = ball_around(r->g->l, ball, e.voxel);
		const float squared = a.z[1] + a.y[1] + a.x[1];

		if (ball->radius_nm >= 0 && squared <= ball->radius_nm * ball->radius_nm)
			list->at[list->len++] =
				(struct waiting){ (double)squared, e.voxel, e.ball };
	}
	if (list->len)
		qsort(list->at, list->len, sizeof *list->at, entry_order);
	return FX_OK;
}

/* Offers the entries that lie in the band at hand. */
static int roll_enter(struct roll *r, size_t *next)
{
	const struct heap *list = &r->g->heap;
	int result = FX_OK;

	if (!r->waiting && *next < list->len)
		r->band = fx_geodesic_band(r->g, sqrt(list->at[*next].key));
	for (; result == FX_OK && *next < list->len; (*next)++) {
		const struct waiting e = list->at[*next];

		if (fx_geodesic_band(r->g, sqrt(e.key)) > r->band)
			break;
		result = roll_offer(r, e.voxel, e.ball, (float)e.key);
	}
	return result;
}

int fx_geodesic_roll(struct fx_geodesic *g, uint8_t *flags, const struct fx_ball *balls,
		     const struct fx_ball_entry *entries, size_t len, struct fx_clearing *by)
{
	struct roll r = { g, flags, balls, by, 0, 0 };
	int result = roll_entries(&r, entries, len);
	size_t next = 0;

	buckets_clear(g);
	for (; result == FX_OK && (r.waiting || next < g->heap.len); r.band++) {
		struct list *bucket;

		result = roll_enter(&r, &next);
		bucket = bucket_of(g, r.band);
		for (size_t i = 0; result == FX_OK && i < bucket->len; i++) {
			if (i + SOON < bucket->len)
				ask_for(g->l, flags, NULL, bucket->entry[i + SOON].voxel);
			result = roll_spread(&r, bucket->entry[i]);
		}
		r.waiting -= bucket->len;
		bucket->len = 0;
	}
	return result;
}
