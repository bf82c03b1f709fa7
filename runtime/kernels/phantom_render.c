// SPDX-License-Identifier: Apache-2.0
/* phantom_render.c: whose each voxel of the present section is, and what the microscope sees. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/phantom_priv.h"

enum { NEAR_MAX = 160, TILE = FX_NOISE_TILE, PART = TILE / 2 };

/* Grey levels, and nm. */
static const float zone = 80; /* d2 - d1 beyond which no membrane shows */
static const float membrane_grey = 88, membrane_width = 13.5f;
static const float mito_grey = 80, mito_rim = 64, mito_inset = 24;
static const float vesicle_cell = 58, vesicle_radius = 17, vesicle_grey = 92;

/* A site near a tile. */
struct near {
	float y, x, half_y, half_x, inverse, radius; /* inverse: 1 / |half|^2, or 0 */
	float distance;				     /* of its surface to the tile's middle */
	int32_t site, mate;			     /* mate: its place in the list, or -1 */
};

/* At most TILE x TILE voxels from (y, x). Nothing of a voxel depends on how tiles are cut: a
 * tile's list holds every site that can be first, or second within the zone, somewhere in it. */
struct tile {
	int64_t y, x;
	int h, w, near_len;
	float at_y[TILE][TILE], at_x[TILE][TILE]; /* places in the displaced plane, nm */
	struct near near[NEAR_MAX];
};

/* A part of a tile: rows from i, columns from j; the fewer sites are near, the faster. */
struct part {
	int i, j, h, w, near_len;
	struct near near[NEAR_MAX];
};

/* The two nearest sites of each voxel in a row; the second is never the mate of the first. */
struct row {
	float d1[PART], d2[PART], all[NEAR_MAX][PART];
	int32_t first[PART], second[PART];
};

/* Square root to 7e-4, exact at 0; unlike sqrtf() it has no errno, so loops become vectors. The
 * constants are Jan Kadlec's for one step of Newton's method from the usual guess by shifting. */
static inline float quick_root(float v)
{
	uint32_t bits;
	float y;

	memcpy(&bits, &v, sizeof bits);
	bits = 0x5f1ffff9 - (bits >> 1);
	memcpy(&y, &bits, sizeof y);
	return v * (y * (0.703952253f * (2.38924456f - v * y * y)));
}

/* ---- whose a voxel is ---- */

static void displace(const struct fx_phantom *p, struct tile *t)
{
	struct fx_noise_patch patch[2];

	for (int f = 0; f < 2; f++)
		fx_noise_patch(&p->warp[f], p->z, t->y, t->x, t->h, t->w, 2, &patch[f]);
	for (int i = 0; i < t->h; i++) {
		for (int j = 0; j < TILE; j++) {
			t->at_y[i][j] = (float)(t->y + i) * (float)p->spec.voxel_nm[1];
			t->at_x[i][j] = (float)(t->x + j) * (float)p->spec.voxel_nm[2];
		}
		for (int f = 0; f < 2; f++) {
			fx_noise_row(&p->warp[f], &patch[f], 0, t->y + i, t->x, t->w, t->at_y[i]);
			fx_noise_row(&p->warp[f], &patch[f], 1, t->y + i, t->x, t->w, t->at_x[i]);
		}
	}
}

void fx_phantom_warp(const struct fx_phantom *p, int64_t y, int64_t x, float out[2])
{
	struct tile t = { .y = y, .x = x, .h = 1, .w = 1 };

	displace(p, &t);
	out[0] = t.at_y[0][0];
	out[1] = t.at_x[0][0];
}

/* The middle of part @p part in the displaced plane, and the radius of a circle that holds it. */
static float enclose(const struct tile *t, const struct part *part, float middle[2])
{
	float lo[2] = { 1e30f, 1e30f }, hi[2] = { -1e30f, -1e30f };

	for (int i = part->i; i < part->i + part->h; i++) {
		const float *y = t->at_y[i] + part->j, *x = t->at_x[i] + part->j;

		for (int j = 0; j < part->w; j++) {
			lo[0] = y[j] < lo[0] ? y[j] : lo[0];
			hi[0] = y[j] > hi[0] ? y[j] : hi[0];
			lo[1] = x[j] < lo[1] ? x[j] : lo[1];
			hi[1] = x[j] > hi[1] ? x[j] : hi[1];
		}
	}
	middle[0] = (lo[0] + hi[0]) / 2;
	middle[1] = (lo[1] + hi[1]) / 2;
	return phantom_root((hi[0] - lo[0]) * (hi[0] - lo[0]) + (hi[1] - lo[1]) * (hi[1] - lo[1])) /
		       2 +
	       1;
}

/* Where the next entry goes: at the end, or in a full list over the farthest when it is nearer. */
static struct near *make_room(struct tile *t, float distance)
{
	struct near *farthest = t->near;

	if (t->near_len < NEAR_MAX)
		return &t->near[t->near_len++];
	for (int k = 1; k < NEAR_MAX; k++)
		if (t->near[k].distance > farthest->distance)
			farthest = &t->near[k];
	return farthest->distance > distance ? farthest : NULL;
}

/* Lists what is near the tile. A surface is as far from any place in it as from its middle, give
 * or take the tile's radius. */
static void list_near(const struct fx_phantom *p, struct tile *t)
{
	const struct part whole = { .h = t->h, .w = t->w };
	float middle[2], off[2], far = 0.5f * (float)p->spec.spacing_nm, gap, limit;
	const float radius = enclose(t, &whole, middle);
	struct phantom_walk w;
	int32_t i;

	while ((gap = fx_phantom_gap(p, middle[0], middle[1], -1, -1, far)) >= far && far < 1e8f)
		far *= 4;
	limit = gap + 2 * radius + zone;
	t->near_len = 0;
	phantom_walk_start(&w, p, middle[0], middle[1], p->reach + limit);
	while ((i = phantom_walk_next(&w)) >= 0) {
		const struct phantom_site *s = &p->sites[i];
		const bool may = phantom_may_reach(s, middle[0], middle[1], limit);
		const float d =
			may ? phantom_axis(s, middle[0], middle[1], off) - s->radius : 1e30f;
		const float hh = s->half[0] * s->half[0] + s->half[1] * s->half[1];
		struct near *n = d <= limit ? make_room(t, d) : NULL;

		if (n)
			*n = (struct near){
				s->pos[0], s->pos[1], s->half[0], s->half[1], hh > 0 ? 1 / hh : 0,
				s->radius, d,	      i,	  -1
			};
	}
}

/* The entries of the tile's list that are near a part of it, in the same order. */
static void narrow(const struct fx_phantom *p, const struct tile *t, struct part *part)
{
	float middle[2], off[2], gap = 1e30f, limit;
	const float radius = enclose(t, part, middle);

	for (int k = 0; k < t->near_len; k++) {
		const struct phantom_site *s = &p->sites[t->near[k].site];
		const float d = phantom_axis(s, middle[0], middle[1], off) - s->radius;

		part->near[k].distance = d;
		gap = d < gap ? d : gap;
	}
	limit = gap + 2 * radius + zone;
	part->near_len = 0;
	for (int k = 0; k < t->near_len; k++) {
		const float d = part->near[k].distance;

		if (d > limit)
			continue;
		part->near[part->near_len] = t->near[k];
		part->near[part->near_len++].distance = d;
	}
	for (int k = 0; k < part->near_len; k++) {
		const int32_t mate = p->sites[part->near[k].site].mate;

		for (int l = 0; mate >= 0 && l < part->near_len; l++)
			if (part->near[l].site == mate)
				part->near[k].mate = l;
	}
}

/* All loops run over the full width, so that they become vectors; what lies behind part.w is not
 * used. The clamp of t to -1..1 is written without a branch for the same reason. */
static inline __attribute__((always_inline)) void measure_one(const struct near *n, const float *y,
							      const float *x, float *restrict out)
{
	const float at_y = n->y, at_x = n->x, radius = n->radius;
	const float half_y = n->half_y, half_x = n->half_x, inverse = n->inverse;

	for (int j = 0; j < PART; j++) {
		const float dy = y[j] - at_y, dx = x[j] - at_x;
		const float t = (dy * half_y + dx * half_x) * inverse;
		const float on = 0.5f * (fabsf(t + 1) - fabsf(t - 1));
		const float oy = dy - on * half_y, ox = dx - on * half_x;

		out[j] = quick_root(oy * oy + ox * ox) - radius;
	}
}

static inline __attribute__((always_inline)) void measure(const struct part *part, const float *y,
							  const float *x, struct row *restrict r)
{
	float d1[PART], d2[PART];
	int32_t first[PART], second[PART], mate[PART];

	for (int j = 0; j < PART; j++) {
		d1[j] = d2[j] = 1e30f;
		first[j] = second[j] = 0;
	}
	for (int k = 0; k < part->near_len; k++) {
		measure_one(&part->near[k], y, x, r->all[k]);
		for (int j = 0; j < PART; j++) {
			const float d = r->all[k][j];
			const int32_t nearer = -(d < d1[j]);

			first[j] = (k & nearer) | (first[j] & ~nearer);
			d1[j] = d < d1[j] ? d : d1[j];
		}
	}
	for (int j = 0; j < PART; j++)
		mate[j] = part->near[first[j]].mate;
	for (int k = 0; k < part->near_len; k++)
		for (int j = 0; j < PART; j++) {
			const int32_t own = (first[j] == k) | (mate[j] == k);
			const float d = r->all[k][j] + (float)own * 1e30f;
			const int32_t nearer = -(d < d2[j]);

			second[j] = (k & nearer) | (second[j] & ~nearer);
			d2[j] = d < d2[j] ? d : d2[j];
		}
	memcpy(r->d1, d1, sizeof d1);
	memcpy(r->d2, d2, sizeof d2);
	memcpy(r->first, first, sizeof first);
	memcpy(r->second, second, sizeof second);
}

static void measure_c(const struct part *t, const float *y, const float *x, struct row *r)
{
	measure(t, y, x, r);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void measure_avx2(const struct part *t, const float *y,
							 const float *x, struct row *r)
{
	measure(t, y, x, r);
}
#endif

/* The same operations in the same order, more of them at a time: the same bits. */
static void measure_row(const struct tile *t, const struct part *part, int i, struct row *r)
{
	const float *y = t->at_y[i] + part->j, *x = t->at_x[i] + part->j;

#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2")) {
		measure_avx2(part, y, x, r);
		return;
	}
#endif
	measure_c(part, y, x, r);
}

int32_t fx_phantom_owner(const struct fx_phantom *p, int64_t y, int64_t x)
{
	struct tile t = { .y = y, .x = x, .h = 1, .w = 1 };
	struct part part = { .h = 1, .w = 1 };
	struct row r;

	displace(p, &t);
	list_near(p, &t);
	narrow(p, &t, &part);
	if (part.near_len == 0)
		return -1;
	measure_row(&t, &part, 0, &r);
	return part.near[r.first[0]].site;
}

/* ---- what it looks like ---- */

static float clamp(float v, float lo, float hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

/* Direction from the axis of @p n, at distance @p d, to (y, x). */
static void direction(const struct near *n, float y, float x, float d, float out[2])
{
	const float dy = y - n->y, dx = x - n->x, scale = 1 / (d + 1e-3f);
	const float t = clamp((dy * n->half_y + dx * n->half_x) * n->inverse, -1, 1);

	out[0] = (dy - t * n->half_y) * scale;
	out[1] = (dx - t * n->half_x) * scale;
}

/* How dark the membrane between two cells is, 0 to 1, where their surfaces are d and e away. The
 * difference / |its gradient in space| is the distance to the membrane, so that one that lies
 * obliquely in the section looks wide. */
static float membrane(const struct fx_phantom *p, const struct near *m, const struct near *n,
		      float y, float x, float d, float e)
{
	const struct phantom_site *a = &p->sites[m->site], *b = &p->sites[n->site];
	float u[2], v[2], across = 0, along = b->swell - a->swell, q;

	direction(m, y, x, d + m->radius, u);
	direction(n, y, x, e + n->radius, v);
	for (int i = 0; i < 2; i++) {
		across += (u[i] - v[i]) * (u[i] - v[i]);
		along += v[i] * b->motion[i] - u[i] * a->motion[i];
	}
	across = across < 0.4f ? 0.4f : across;
	q = (e - d) * (e - d) / ((across + along * along) * (membrane_width * membrane_width));
	return 1 / (1 + q * q);
}

/* Puts the mitochondrion of @p s, if one is here, over @p grey. @p inset: nm from the membrane. */
static float add_mito(const struct phantom_site *s, float y, float x, float inset, float texture,
		      float grey)
{
	const struct phantom_mito *m = &s->mito;
	const float along = (s->age - m->middle) / fmaxf(m->half_length, 1);
	struct phantom_site oval = *s;
	float off[2], depth, inside;

	if (m->half_length <= 0 || along * along >= 1)
		return grey;
	for (int a = 0; a < 2; a++) {
		oval.pos[a] += m->offset[a] * fmaxf(s->radius, 0);
		oval.half[a] *= 0.8f;
	}
	depth = m->radius * phantom_root(1 - along * along) - phantom_axis(&oval, y, x, off);
	depth = fminf(depth, inset - mito_inset);
	inside = clamp(0.5f + depth / 8, 0, 1);
	depth = clamp((depth - 9) / 8, 0, 1);
	return grey + inside * (mito_rim + depth * (mito_grey + texture - mito_rim) - grey);
}

/* Dots of about one size, one in each cell of a random lattice, wholly inside of it. */
static float add_vesicle(const struct fx_phantom *p, int64_t y, int64_t x, float grey)
{
	const float free = vesicle_cell - 2 * vesicle_radius;
	float at[3] = { (float)p->z, (float)y, (float)x }, cell[3], sum = 0;
	uint64_t bits = p->spec.seed ^ 0x7e51;

	for (int a = 0; a < 3; a++) {
		at[a] *= (float)p->spec.voxel_nm[a];
		at[a] += vesicle_cell * fx_noise_unit(bits);
		cell[a] = floorf(at[a] / vesicle_cell);
		bits = fx_noise_mix(bits ^ (uint64_t)(int64_t)cell[a]);
	}
	if (bits & 1)
		return grey;
	for (int a = 0; a < 3; a++) {
		const float middle =
			vesicle_radius + free * (float)(bits >> (8 + 16 * a) & 0xffff) * 0x1p-16f;
		const float d = at[a] - cell[a] * vesicle_cell - middle;

		sum += d * d;
	}
	return grey + (vesicle_grey - grey) *
			      clamp(1.3f - sum / (vesicle_radius * vesicle_radius), 0, 0.85f);
}

/* The grey value of column @p j of the part, in row @p i of the tile. */
static float look(const struct fx_phantom *p, const struct tile *t, const struct part *part,
		  const struct row *r, int i, int j, float texture)
{
	const struct near *first = &part->near[r->first[j]];
	const struct phantom_site *s = &p->sites[first->site];
	const float y = t->at_y[i][part->j + j], x = t->at_x[i][part->j + j];
	const float delta = r->d2[j] - r->d1[j];
	const float beside = first->mate < 0 ? 1e30f : r->all[first->mate][j] - r->d1[j];
	const float inset = (beside < delta ? beside : delta) / 2;
	float grey = p->neurites[s->neurite].shade + 7 * texture, dark = 0;

	if (s->vesicles && inset > 20 && s->radius > 60)
		grey = add_vesicle(p, t->y + i, t->x + part->j + j, grey);
	if (s->mito.half_length > 0)
		grey = add_mito(s, y, x, inset, 8 * texture, grey);
	if (delta < zone)
		dark = membrane(p, first, &part->near[r->second[j]], y, x, r->d1[j], r->d2[j]);
	if (beside < zone) {
		const float closed = clamp((s->since_branch - 250) / 350, 0, 1);
		const float more = closed * membrane(p, first, &part->near[first->mate], y, x,
						     r->d1[j], r->all[first->mate][j]);

		dark = more > dark ? more : dark;
	}
	return grey + dark * (membrane_grey - grey);
}

/* The part of a section that is being rendered; grey has a rim of one voxel on every side. */
struct canvas {
	size_t y, x, h, w;
	float *grey;
	uint32_t *truth;
};

static void draw_row(const struct fx_phantom *p, const struct tile *t, const struct part *part,
		     const struct row *r, int i, const struct fx_noise_patch *mottle, float *grey)
{
	float texture[PART] = { 0 };

	fx_noise_row(&p->mottle, mottle, 0, t->y + i, t->x + part->j, part->w, texture);
	for (int j = 0; j < part->w; j++)
		grey[j] = look(p, t, part, r, i, j, 2 * texture[j]);
}

static void label_row(const struct fx_phantom *p, const struct tile *t, const struct part *part,
		      const struct row *r, int i, const struct canvas *c)
{
	const int64_t y = t->y + i - (int64_t)c->y;

	for (int j = 0; j < part->w; j++) {
		const int64_t x = t->x + part->j + j - (int64_t)c->x;

		if (y < 0 || x < 0 || y >= (int64_t)c->h || x >= (int64_t)c->w)
			continue;
		c->truth[(size_t)y * c->w + (size_t)x] =
			p->neurites[p->sites[part->near[r->first[j]].site].neurite].id;
	}
}

static void draw_part(const struct fx_phantom *p, const struct tile *t, struct part *part,
		      const struct fx_noise_patch *mottle, const struct canvas *c)
{
	struct row r;

	narrow(p, t, part);
	for (int i = part->i; i < part->i + part->h; i++) {
		const size_t row = (size_t)(t->y + i - (int64_t)c->y + 1) * (c->w + 2);
		const size_t column = (size_t)(t->x + part->j - (int64_t)c->x + 1);

		measure_row(t, part, i, &r);
		if (c->grey)
			draw_row(p, t, part, &r, i, mottle, c->grey + row + column);
		if (c->truth)
			label_row(p, t, part, &r, i, c);
	}
}

static int at_most(int64_t v, int limit)
{
	return v < limit ? (int)v : limit;
}

static void draw_tile(const struct fx_phantom *p, struct tile *t, const struct canvas *c)
{
	const int h = (p->tile[0] + 1) / 2, w = (p->tile[1] + 1) / 2;
	struct fx_noise_patch mottle;
	struct part part;

	displace(p, t);
	list_near(p, t);
	fx_noise_patch(&p->mottle, p->z, t->y, t->x, t->h, t->w, 1, &mottle);
	for (part.i = 0; part.i < t->h; part.i += h)
		for (part.j = 0; part.j < t->w; part.j += w) {
			part.h = at_most(t->h - part.i, h);
			part.w = at_most(t->w - part.j, w);
			draw_part(p, t, &part, &mottle, c);
		}
}

static void draw_tiles(const struct fx_phantom *p, const struct canvas *c)
{
	const int th = p->tile[0], tw = p->tile[1];
	const int64_t y_end = (int64_t)(c->y + c->h) + 1, x_end = (int64_t)(c->x + c->w) + 1;
	const int64_t rows = (y_end - (int64_t)c->y + 1 + th - 1) / th;

#pragma omp parallel for schedule(static) if (c->h * c->w > 16384)
	for (int64_t k = 0; k < rows; k++) {
		struct tile t = { .y = (int64_t)c->y - 1 + k * th };

		t.h = at_most(y_end - t.y, th);
		for (t.x = (int64_t)c->x - 1; t.x < x_end; t.x += tw) {
			t.w = at_most(x_end - t.x, tw);
			draw_tile(p, &t, c);
		}
	}
}

int fx_phantom_render(const struct fx_phantom *p, size_t y, size_t x, size_t h, size_t w,
		      uint8_t *image, uint32_t *truth, struct fx_error *err)
{
	struct canvas c = { y, x, h, w, NULL, truth };
	size_t len;

	if (p->z < 0 || h == 0 || w == 0 || y > p->spec.height || h > p->spec.height - y ||
	    x > p->spec.width || w > p->spec.width - x)
		return fx_error_set(
			err, FX_EINVAL,
			"%zu x %zu voxels at %zu, %zu are not in a section of %zu x %zu", h, w, y,
			x, p->spec.height, p->spec.width);
	if (image) {
		if (!fx_mul_size(h + 2, w + 2, &len) || !fx_mul_size(len, sizeof(float), &len) ||
		    !(c.grey = fx_alloc_aligned(len)))
			return fx_error_set(err, FX_ENOMEM, "no memory to render %zu x %zu voxels",
					    h, w);
	}
	draw_tiles(p, &c);
	if (image)
		fx_phantom_expose(p, y, x, h, w, c.grey, image);
	free(c.grey);
	return FX_OK;
}
