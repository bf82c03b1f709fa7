// SPDX-License-Identifier: Apache-2.0
/* mosaic.c: one section from tiles that overlap: neighbours, and their places. */
#include "kernels/mosaic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/phase.h"

enum { ROUNDS = 12 };

static const double prior = 1e-4;	/* of the mean weight of links */
static const double early_prior = 0.01; /* while links are chosen: of two, the likelier one */
static const double clear_confidence = 0.5, clear_correlation = 0.5; /* no need to look on */
static const double least_part = 0.35;	/* of the nominal overlap: so much is left of it */
static const double least_scale = 0.25; /* voxels: links agree no better */
static const double far_voxels = 1.5, far_times = 5;

/* Nominal extent of a tile on axis `a`. */
static double tile_end(const struct fx_mosaic_tile *t, int a)
{
	return t->nominal[a] + (double)(a ? t->image.width : t->image.height);
}

static bool tiles_meet(const struct fx_mosaic_tile *t, const struct fx_mosaic_tile *u,
		       double overlap)
{
	for (int a = 0; a < 2; a++)
		if (fmin(tile_end(t, a), tile_end(u, a)) - fmax(t->nominal[a], u->nominal[a]) <
		    overlap)
			return false;
	return true;
}

/* Tiles by their upper edge, so that only those near to each other are compared. */
struct upper {
	double y;
	size_t tile;
};

static int by_upper(const void *va, const void *vb)
{
	const struct upper *const a = va, *const b = vb;

	if (a->y != b->y)
		return a->y < b->y ? -1 : 1;
	return a->tile < b->tile ? -1 : a->tile > b->tile;
}

static int by_tiles(const void *va, const void *vb)
{
	const struct fx_mosaic_link *const a = va, *const b = vb;

	if (a->a != b->a)
		return a->a < b->a ? -1 : 1;
	return a->b < b->b ? -1 : a->b > b->b;
}

int fx_mosaic_pairs(const struct fx_mosaic_tile *tiles, size_t len, const struct fx_mosaic *how,
		    struct fx_mosaic_link **links, size_t *links_len)
{
	struct upper *upper = fx_calloc(len, sizeof *upper);
	struct fx_mosaic_link *found = NULL;
	size_t found_len = 0, cap = 0;

	if (!upper)
		return FX_ENOMEM;
	for (size_t i = 0; i < len; i++)
		upper[i] = (struct upper){ tiles[i].nominal[0], i };
	if (len)
		qsort(upper, len, sizeof *upper, by_upper);
	for (size_t i = 0; i < len; i++)
		for (size_t j = i + 1; j < len && upper[j].y < tile_end(&tiles[upper[i].tile], 0);
		     j++) {
			const size_t a = upper[i].tile, b = upper[j].tile;

			if (!tiles_meet(&tiles[a], &tiles[b], how->overlap))
				continue;
			if (!fx_grow(&found, &cap, found_len + 1, sizeof *found)) {
				free(found);
				free(upper);
				return FX_ENOMEM;
			}
			found[found_len++] =
				(struct fx_mosaic_link){ .a = a < b ? a : b, .b = a < b ? b : a };
		}
	free(upper);
	if (found_len)
		qsort(found, found_len, sizeof *found, by_tiles);
	*links = found;
	*links_len = found_len;
	return FX_OK;
}

/* The part of `t` that `u` may lie on, from `lo` on. */
static struct fx_plane tile_part(const struct fx_mosaic_tile *t, const struct fx_mosaic_tile *u,
				 double reach, double lo[2])
{
	const size_t size[2] = { t->image.height, t->image.width };
	size_t from[2], to[2];

	for (int a = 0; a < 2; a++) {
		const double begin = floor(u->nominal[a] - t->nominal[a] - reach),
			     end = ceil(tile_end(u, a) - t->nominal[a] + reach);

		from[a] = begin > 0 ? (size_t)begin : 0;
		to[a] = end < (double)size[a] ? (size_t)end : size[a];
		lo[a] = (double)from[a];
	}
	return fx_plane_part(&t->image, from[0], from[1], to[0] - from[0], to[1] - from[1]);
}

/* Voxels of the nominal overlap. */
static double meet_area(const struct fx_mosaic_tile *t, const struct fx_mosaic_tile *u)
{
	double area = 1;

	for (int a = 0; a < 2; a++)
		area *= fmin(tile_end(t, a), tile_end(u, a)) - fmax(t->nominal[a], u->nominal[a]);
	return area;
}

/* The shift within `reach`, unless a better one is known; whether it is clear. */
static int measure_within(const struct fx_mosaic_tile *ta, const struct fx_mosaic_tile *tb,
			  double reach, double confidence, struct fx_mosaic_link *link, bool *clear)
{
	struct fx_phase phase = FX_PHASE_DEFAULT;
	struct fx_shift s;
	double in_a[2], in_b[2], area, r2, weight;
	const struct fx_plane a = tile_part(ta, tb, reach, in_a),
			      b = tile_part(tb, ta, reach, in_b);
	int failed;

	for (int i = 0; i < 2; i++) {
		phase.expect[i] = tb->nominal[i] - ta->nominal[i] - in_a[i] + in_b[i];
		phase.limit[i] = reach + 1;
	}
	area = fmin((double)a.height * (double)a.width, (double)b.height * (double)b.width);
	phase.overlap = least_part * meet_area(ta, tb) / area;
	failed = fx_phase_shift(&a, &b, &phase, &s);
	if (failed < 0)
		return failed;
	r2 = s.correlation > 0 ? fmin(s.correlation * s.correlation, 1) : 0;
	weight = s.confidence >= confidence ? s.overlap * area * r2 / (1.25 - r2) : 0;
	*clear = s.confidence >= fmax(clear_confidence, confidence) &&
		 s.correlation >= clear_correlation;
	if (weight <= link->weight)
		return FX_OK;
	link->weight = weight;
	for (int i = 0; i < 2; i++)
		link->by[i] = s.by[i] + in_a[i] - in_b[i];
	return FX_OK;
}

/* Near first: what is looked for in a small part is found more surely. */
static int measure(const struct fx_mosaic_tile *tiles, const struct fx_mosaic *how,
		   struct fx_mosaic_link *link)
{
	const struct fx_mosaic_tile *const ta = &tiles[link->a], *const tb = &tiles[link->b];
	bool clear = false;
	int failed = FX_OK;

	link->weight = 0;
	for (double part = 0.25; part <= 1 && !clear && failed == FX_OK; part *= 2)
		failed = measure_within(ta, tb, fmax(part * how->reach, 1), how->confidence, link,
					&clear);
	return failed;
}

int fx_mosaic_measure(const struct fx_mosaic_tile *tiles, const struct fx_mosaic *how,
		      struct fx_mosaic_link *links, size_t links_len)
{
	int failed = FX_OK;

#pragma omp parallel for schedule(dynamic) reduction(min : failed)
	for (size_t i = 0; i < links_len; i++) {
		const int result = measure(tiles, how, &links[i]);

		failed = result < failed ? result : failed;
	}
	return failed;
}

/* The system of equations: unknown is how far each tile is from its nominal place, on one axis. */
struct system {
	const struct fx_mosaic_link *links;
	const double *weights; /* of links */
	size_t len, links_len;
	double pull;
	double *u, *right, *diagonal, *rest, *step, *times; /* of one memory, len each */
};

static void system_times(const struct system *s, const double *v, double *to)
{
	for (size_t i = 0; i < s->len; i++)
		to[i] = s->pull * v[i];
	for (size_t i = 0; i < s->links_len; i++) {
		const struct fx_mosaic_link *const l = &s->links[i];
		const double d = s->weights[i] * (v[l->b] - v[l->a]);

		to[l->b] += d;
		to[l->a] -= d;
	}
}

static double dot(const double *a, const double *b, size_t len)
{
	double sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += a[i] * b[i];
	return sum;
}

/* What is wanted on `axis`, from tiles and links. */
static void system_fill(struct system *s, const struct fx_mosaic_tile *tiles, int axis)
{
	for (size_t i = 0; i < s->len; i++) {
		s->right[i] = 0;
		s->diagonal[i] = s->pull;
		s->u[i] = 0;
	}
	for (size_t i = 0; i < s->links_len; i++) {
		const struct fx_mosaic_link *const l = &s->links[i];
		const double wanted =
			l->by[axis] - (tiles[l->b].nominal[axis] - tiles[l->a].nominal[axis]);

		s->right[l->b] += s->weights[i] * wanted;
		s->right[l->a] -= s->weights[i] * wanted;
		s->diagonal[l->a] += s->weights[i];
		s->diagonal[l->b] += s->weights[i];
	}
}

/* Conjugate gradients, each unknown scaled by its diagonal. */
static void system_solve(struct system *s)
{
	const size_t n = s->len;
	double *const z = s->times + n, rho = 0, first = 0;

	for (size_t i = 0; i < n; i++) {
		s->rest[i] = s->right[i];
		s->step[i] = s->rest[i] / s->diagonal[i];
		rho += s->rest[i] * s->step[i];
	}
	first = rho;
	for (size_t k = 0; k < 4 * n + 100 && rho > 1e-24 * first && rho > 0; k++) {
		double alpha, next;

		system_times(s, s->step, s->times);
		alpha = rho / dot(s->step, s->times, n);
		for (size_t i = 0; i < n; i++) {
			s->u[i] += alpha * s->step[i];
			s->rest[i] -= alpha * s->times[i];
			z[i] = s->rest[i] / s->diagonal[i];
		}
		next = dot(s->rest, z, n);
		for (size_t i = 0; i < n; i++)
			s->step[i] = z[i] + next / rho * s->step[i];
		rho = next;
	}
}

static void place_all(struct system *s, struct fx_mosaic_tile *tiles, double pull)
{
	double sum = 0, most = 0;
	size_t n = 0;

	for (size_t i = 0; i < s->links_len; i++) {
		sum += s->weights[i];
		n += s->weights[i] > 0;
		most = fmax(most, s->weights[i]);
	}
	s->pull = n && most > 0 ? pull * sum / (double)n : 1;
	for (int axis = 0; axis < 2; axis++) {
		system_fill(s, tiles, axis);
		system_solve(s);
		for (size_t i = 0; i < s->len; i++)
			tiles[i].place[axis] = tiles[i].nominal[axis] + s->u[i];
	}
}

static double link_residual(const struct fx_mosaic_tile *tiles, const struct fx_mosaic_link *l)
{
	double d[2];

	for (int a = 0; a < 2; a++)
		d[a] = tiles[l->b].place[a] - tiles[l->a].place[a] - l->by[a];
	return hypot(d[0], d[1]);
}

static int by_value(const void *va, const void *vb)
{
	const double a = *(const double *)va, b = *(const double *)vb;

	return a < b ? -1 : a > b;
}

/* Median residual of links with weight; `work` has room for all. */
static double median_residual(const struct fx_mosaic_link *links, size_t len, double *work)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (links[i].weight > 0)
			work[n++] = links[i].residual;
	if (!n)
		return 0;
	qsort(work, n, sizeof *work, by_value);
	return work[n / 2];
}

static void reweigh(const struct fx_mosaic_tile *tiles, struct fx_mosaic_link *links, size_t len,
		    double scale, double *weights)
{
	for (size_t i = 0; i < len; i++) {
		double e, g;

		links[i].residual = link_residual(tiles, &links[i]);
		e = links[i].residual / scale;
		g = 1 / (1 + e * e);
		weights[i] = links[i].weight * g * g;
	}
}

/* Leaves out what does not agree. */
static void choose(struct fx_mosaic_link *links, size_t len, double *weights, double *work)
{
	const double median = median_residual(links, len, work),
		     most = fmax(far_voxels, far_times * median);

	for (size_t i = 0; i < len; i++) {
		links[i].used = links[i].weight > 0 && links[i].residual <= most;
		weights[i] = links[i].used ? links[i].weight : 0;
	}
}

static void tell_residuals(struct fx_mosaic_tile *tiles, size_t len, struct fx_mosaic_link *links,
			   size_t links_len)
{
	for (size_t i = 0; i < len; i++) {
		tiles[i].residual = 0;
		tiles[i].links = 0;
	}
	for (size_t i = 0; i < links_len; i++) {
		struct fx_mosaic_link *const l = &links[i];
		const double e = link_residual(tiles, l);

		l->residual = e;
		for (int end = 0; end < 2 && l->used; end++) {
			struct fx_mosaic_tile *const t = &tiles[end ? l->b : l->a];

			t->residual += e * e;
			t->links++;
		}
	}
	for (size_t i = 0; i < len; i++)
		if (tiles[i].links)
			tiles[i].residual = sqrt(tiles[i].residual / (double)tiles[i].links);
}

int fx_mosaic_solve(struct fx_mosaic_tile *tiles, size_t len, const struct fx_mosaic *how,
		    struct fx_mosaic_link *links, size_t links_len)
{
	double *memory = fx_calloc(7 * len, sizeof *memory),
	       *weights = fx_calloc(2 * links_len, sizeof *weights), scale = how->reach;
	struct system s = {
		.links = links, .weights = weights, .len = len, .links_len = links_len
	};

	if (!memory || !weights) {
		free(memory);
		free(weights);
		return FX_ENOMEM;
	}
	s.u = memory;
	s.right = memory + len;
	s.diagonal = memory + 2 * len;
	s.rest = memory + 3 * len;
	s.step = memory + 4 * len;
	s.times = memory + 5 * len;
	for (size_t i = 0; i < links_len; i++)
		weights[i] = links[i].weight;
	place_all(&s, tiles, early_prior);
	for (int round = 0; round < ROUNDS; round++) {
		reweigh(tiles, links, links_len, scale, weights);
		place_all(&s, tiles, early_prior);
		scale = fmax(least_scale, scale / 2);
	}
	reweigh(tiles, links, links_len, scale, weights);
	choose(links, links_len, weights, weights + links_len);
	place_all(&s, tiles, prior);
	tell_residuals(tiles, len, links, links_len);
	free(memory);
	free(weights);
	return FX_OK;
}
