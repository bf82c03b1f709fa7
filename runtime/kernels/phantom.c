// SPDX-License-Identifier: Apache-2.0
/* phantom.c: how neurites move, swell, branch, end and begin from section to section. */
#include "kernels/phantom.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/phantom_priv.h"

/* Lengths in nm unless they are in units of the spacing. */
static const double step_max = 10;   /* of z in one step of the simulation */
static const float soft = 30;	     /* surfaces nearer than this repel */
static const float part_over = 300;  /* depth over which two branches come to repel */
static const float pair_over = 600;  /* depth after which two branches are strangers */
static const float steepest = 3.2f;  /* slope */
static const float margin_units = 2; /* spacings around the section in which sites live */
static const double tract_nm = 1800; /* width of bundles that run alike */

static float clamp(float v, float lo, float hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static double draw(struct fx_phantom *p)
{
	return fx_noise_next(&p->random);
}

static bool happens(struct fx_phantom *p, double probability)
{
	return draw(p) < probability;
}

/* ---- tables ---- */

static bool take_slot(int32_t **stack, size_t *stack_len, size_t *len, int32_t *slot)
{
	if (*stack_len > 0) {
		*slot = (*stack)[--*stack_len];
		return true;
	}
	if (*len >= INT32_MAX)
		return false;
	*slot = (int32_t)(*len)++;
	return true;
}

static int32_t new_neurite(struct fx_phantom *p)
{
	int32_t i;
	double shade;

	if (!fx_grow(&p->neurites, &p->neurites_cap, p->neurites_len + 1, sizeof *p->neurites) ||
	    !take_slot(&p->free_neurites, &p->free_neurites_len, &p->neurites_len, &i))
		return -1;
	shade = 150 + 13 * fx_noise_normal(&p->random);
	if (happens(p, 0.12))
		shade -= 38;
	p->neurites[i] = (struct phantom_neurite){ .id = p->next_id++,
						   .shade = clamp((float)shade, 96, 182) };
	return i;
}

/* A site of @p neurite at (y, x); its index or -1 without memory. Other fields are for the caller.
 */
static int32_t new_site(struct fx_phantom *p, int32_t neurite, float y, float x)
{
	int32_t i;

	if (!fx_grow(&p->sites, &p->sites_cap, p->sites_len + 1, sizeof *p->sites) ||
	    !take_slot(&p->free_sites, &p->free_sites_len, &p->sites_len, &i))
		return -1;
	p->sites[i] = (struct phantom_site){ .state = PHANTOM_LIVING,
					     .neurite = neurite,
					     .mate = -1,
					     .key = fx_noise_mix(p->random ^ (uint64_t)i),
					     .pos = { y, x },
					     .node = -1,
					     .from = -1 };
	p->neurites[neurite].sites++;
	p->alive++;
	return i;
}

static int free_site(struct fx_phantom *p, size_t i, bool tip, struct fx_error *err)
{
	struct phantom_site *s = &p->sites[i];
	const int32_t neurite = s->neurite;
	const int code = fx_phantom_trace_end(p, i, tip, err);

	if (code < 0)
		return code;
	if (s->mate >= 0)
		p->sites[s->mate].mate = -1;
	s->state = PHANTOM_FREE;
	p->alive--;
	if (!fx_grow(&p->free_sites, &p->free_sites_cap, p->free_sites_len + 1,
		     sizeof *p->free_sites) ||
	    !fx_grow(&p->free_neurites, &p->free_neurites_cap, p->free_neurites_len + 1,
		     sizeof *p->free_neurites))
		return fx_error_set(err, FX_ENOMEM, "no memory for the neurites of the phantom");
	p->free_sites[p->free_sites_len++] = (int32_t)i;
	if (--p->neurites[neurite].sites == 0) {
		free(p->neurites[neurite].nodes);
		p->neurites[neurite] = (struct phantom_neurite){ 0 };
		p->free_neurites[p->free_neurites_len++] = neurite;
	}
	return FX_OK;
}

/* ---- how a site moves ---- */

/* Vector from the axis of @p b to the axis of @p a where they are about nearest: the middle of
 * each against the other's axis. */
static float apart(const struct phantom_site *a, const struct phantom_site *b, float out[2])
{
	float other[2];
	const float d = phantom_axis(b, a->pos[0], a->pos[1], out);
	const float e = phantom_axis(a, b->pos[0], b->pos[1], other);

	if (d <= e)
		return d;
	out[0] = -other[0];
	out[1] = -other[1];
	return e;
}

/* Adds the push of @p b on @p a: the thinner one gives way. */
static void push(struct phantom_site *a, const struct phantom_site *b, float share)
{
	const float ra = fmaxf(a->radius, 1), rb = fmaxf(b->radius, 1);
	float off[2];
	const float d = apart(a, b, off);
	const float overlap = fmaxf(a->radius, 0) + fmaxf(b->radius, 0) + soft - d;
	float force;

	if (overlap <= 0 || d <= 0)
		return;
	force = share * fminf(overlap / 60, 1.5f) * rb * rb / (ra * ra + rb * rb);
	a->push[0] += force * off[0] / d;
	a->push[1] += force * off[1] / d;
}

static void push_all(const struct fx_phantom *p, size_t i, struct phantom_site *s)
{
	const float far = 0.6f * (float)p->spec.spacing_nm;
	const float limit = s->extent + soft > far ? s->extent + soft : far;
	struct phantom_walk w;
	int32_t j;

	s->push[0] = s->push[1] = 0;
	s->gap = far;
	phantom_walk_start(&w, p, s->pos[0], s->pos[1], p->reach + limit);
	while ((j = phantom_walk_next(&w)) >= 0) {
		const struct phantom_site *t = &p->sites[j];
		const float share = j == s->mate ? s->since_branch / part_over : 1;
		float off[2];

		if ((size_t)j == i || !phantom_may_reach(t, s->pos[0], s->pos[1], limit))
			continue;
		push(s, t, share < 1 ? share : 1);
		if (j != s->mate)
			s->gap = fminf(s->gap,
				       phantom_axis(t, s->pos[0], s->pos[1], off) - t->radius);
	}
}

/* The slope that the site would take if it were alone: its own, its wandering, its bundle's. */
static void wander(const struct fx_phantom *p, const struct phantom_site *s, float out[2])
{
	const double at[3] = { p->depth / (2 * tract_nm), (double)s->pos[0] / tract_nm,
			       (double)s->pos[1] / tract_nm };
	const float strength = (float)p->spec.slope;
	float bundle[2];

	fx_noise_space(p->spec.seed ^ 0x7ac7, at, bundle);
	for (int a = 0; a < 2; a++) {
		const float own = fx_noise_line(s->key + (uint64_t)a, (double)s->age / 700);

		out[a] = s->wish[a] + strength * (0.7f * own + 1.6f * bundle[a]);
	}
}

/* The section of an oblique tube is longer along its slope; beside this some are flat. */
static void shape(struct phantom_site *s, float spacing)
{
	const float slope = phantom_root(s->slope[0] * s->slope[0] + s->slope[1] * s->slope[1]);
	const float longer = phantom_root(1 + slope * slope) - 1;
	const float r = s->radius > 0 ? s->radius : 0, limit = 1.4f * spacing;
	float length;

	for (int a = 0; a < 2; a++) {
		s->half[a] =
			r * s->flat * fx_noise_line(s->key + 3 + (uint64_t)a, (double)s->age / 600);
		if (slope > 0)
			s->half[a] += r * longer * s->slope[a] / slope;
	}
	length = phantom_root(s->half[0] * s->half[0] + s->half[1] * s->half[1]);
	for (int a = 0; a < 2 && length > limit; a++)
		s->half[a] *= limit / length;
}

static void move(struct fx_phantom *p, struct phantom_site *s, float dz)
{
	const float spacing = (float)p->spec.spacing_nm, before = s->radius;
	const float lag = dz / (dz + 120);
	float aim = -spacing, want[2], speed;

	wander(p, s, want);
	for (int a = 0; a < 2; a++)
		want[a] += s->push[a];
	speed = phantom_root(want[0] * want[0] + want[1] * want[1]);
	for (int a = 0; a < 2; a++) {
		s->motion[a] = speed > steepest ? want[a] * steepest / speed : want[a];
		s->slope[a] += (s->motion[a] - s->slope[a]) * lag;
		s->pos[a] += s->motion[a] * dz;
	}
	if (s->state == PHANTOM_LIVING)
		aim = s->rest * (1 + 0.6f * fx_noise_line(s->key + 2, (double)s->age / 420));
	s->radius += clamp((aim - s->radius) * dz / 60, -0.4f * dz, 0.5f * dz);
	s->swell = (s->radius - before) / dz;
	s->age += dz;
	s->since_branch += dz;
	shape(s, spacing);
}

/* ---- what happens to a site ---- */

static void grow_mito(struct fx_phantom *p, struct phantom_site *s, float dz)
{
	struct phantom_mito *m = &s->mito;
	float room;

	if (s->age > m->middle + m->half_length)
		m->half_length = 0;
	if (m->half_length > 0 || s->radius < 0.3f * (float)p->spec.spacing_nm || s->radius < 60 ||
	    !happens(p, p->spec.mitochondria * (double)dz / 900))
		return;
	m->half_length = (float)(220 + 420 * draw(p));
	m->middle = s->age + m->half_length;
	m->radius = fminf((float)(0.45 + 0.2 * draw(p)) * s->radius, 190);
	room = 0.7f * (1 - m->radius / s->radius);
	for (int a = 0; a < 2; a++)
		m->offset[a] = room * (float)(2 * draw(p) - 1);
}

static int branch(struct fx_phantom *p, size_t i, struct fx_error *err)
{
	const float angle_y = (float)(2 * draw(p) - 1), angle_x = (float)(2 * draw(p) - 1);
	const float norm = phantom_root(angle_y * angle_y + angle_x * angle_x) + 1e-3f;
	const float to[2] = { angle_y / norm, angle_x / norm };
	const float off = 0.3f * p->sites[i].radius;
	const int32_t j = new_site(p, p->sites[i].neurite, p->sites[i].pos[0] + off * to[0],
				   p->sites[i].pos[1] + off * to[1]);
	struct phantom_site *s = &p->sites[i], *t;

	if (j < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory for the neurites of the phantom");
	t = &p->sites[j];
	t->rest = s->rest * (float)(0.45 + 0.4 * draw(p));
	t->radius = 0.8f * s->radius;
	s->rest *= 0.92f;
	for (int a = 0; a < 2; a++) {
		t->wish[a] = s->wish[a] + (float)p->spec.slope * 0.7f * to[a];
		s->wish[a] -= (float)p->spec.slope * 0.2f * to[a];
		t->slope[a] = s->slope[a];
	}
	t->gap = s->gap;
	t->flat = s->flat;
	t->vesicles = s->vesicles;
	t->mate = (int32_t)i;
	t->from = (int32_t)i;
	s->mate = j;
	s->since_branch = 0;
	s->wants_node = true;
	return FX_OK;
}

static bool outside(const struct fx_phantom *p, const struct phantom_site *s)
{
	return s->pos[0] < p->domain_lo[0] || s->pos[0] > p->domain_hi[0] ||
	       s->pos[1] < p->domain_lo[1] || s->pos[1] > p->domain_hi[1];
}

static int live(struct fx_phantom *p, size_t i, float dz, struct fx_error *err)
{
	struct phantom_site *s = &p->sites[i];
	const float spacing = (float)p->spec.spacing_nm;
	const bool hidden = (s->gap + s->radius) / 2 < p->thin;

	if (hidden || outside(p, s))
		return free_site(p, i, hidden, err);
	if (s->mate >= 0 && s->since_branch > pair_over) {
		p->sites[s->mate].mate = -1;
		s->mate = -1;
	}
	grow_mito(p, s, dz);
	if (s->state == PHANTOM_ENDING || s->mate >= 0)
		return FX_OK;
	if (s->rest < 0.5f * spacing && s->age > 400 && happens(p, (double)dz / p->spec.end_nm))
		s->state = PHANTOM_ENDING;
	else if (s->radius > 0.25f * spacing && s->age > 300 &&
		 happens(p, (double)dz / p->spec.branch_nm))
		return branch(p, i, err);
	return FX_OK;
}

/* ---- how neurites begin ---- */

/* Tries to begin a neurite at a random place; it needs a gap of @p need. With @p full it has its
 * radius from the start. */
static int begin(struct fx_phantom *p, float need, bool full, struct fx_error *err)
{
	const float spacing = (float)p->spec.spacing_nm;
	const float y = p->domain_lo[0] + (float)draw(p) * (p->domain_hi[0] - p->domain_lo[0]);
	const float x = p->domain_lo[1] + (float)draw(p) * (p->domain_hi[1] - p->domain_lo[1]);
	const float size = (float)fx_noise_exp(0.62 * fx_noise_normal(&p->random) - 0.1);
	const float rest = spacing * clamp(0.33f * size, 0.15f, 1.5f);
	const float steep = (float)p->spec.slope * (float)(0.2 + 1.6 * draw(p) * draw(p));
	const float gap = fx_phantom_gap(p, y, x, -1, -1, 2 * spacing);
	struct phantom_site *s;
	int32_t neurite, i;

	if (gap < (full ? fmaxf(need, 0.8f * rest) : need))
		return FX_OK;
	neurite = new_neurite(p);
	i = neurite < 0 ? -1 : new_site(p, neurite, y, x);
	if (i < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory for the neurites of the phantom");
	s = &p->sites[i];
	s->rest = rest;
	s->radius = full ? fminf(rest, gap) : 4 * p->thin - gap;
	s->gap = gap;
	for (int a = 0; a < 2; a++)
		s->wish[a] = steep * (float)(0.8 * fx_noise_normal(&p->random));
	s->flat = 2.2f * (float)(draw(p) * draw(p));
	s->vesicles = happens(p, 0.45 * p->spec.vesicles);
	s->since_branch = pair_over;
	fx_phantom_grid_add(p, i);
	return FX_OK;
}

static double crowd(const struct fx_phantom *p)
{
	const double h = (double)(p->domain_hi[0] - p->domain_lo[0]);
	const double w = (double)(p->domain_hi[1] - p->domain_lo[1]);

	return h * w / (p->spec.spacing_nm * p->spec.spacing_nm);
}

static int begin_some(struct fx_phantom *p, double tries, float need, bool full,
		      struct fx_error *err)
{
	size_t n = (size_t)tries;

	n += happens(p, tries - (double)n);
	for (size_t i = 0; i < n; i++) {
		const int code = begin(p, need, full, err);

		if (code < 0)
			return code;
	}
	return FX_OK;
}

/* ---- time ---- */

static int step(struct fx_phantom *p, float dz, struct fx_error *err)
{
	const size_t n = p->sites_len;
	int code = FX_OK;

#pragma omp parallel for schedule(static) if (n > 400)
	for (size_t i = 0; i < n; i++)
		if (p->sites[i].state != PHANTOM_FREE) {
			struct phantom_site s = p->sites[i];

			push_all(p, i, &s);
			memcpy(p->sites[i].push, s.push, sizeof s.push);
			p->sites[i].gap = s.gap;
		}
#pragma omp parallel for schedule(static) if (n > 400)
	for (size_t i = 0; i < n; i++)
		if (p->sites[i].state != PHANTOM_FREE)
			move(p, &p->sites[i], dz);
	p->depth += (double)dz;
	for (size_t i = 0; i < n && code == FX_OK; i++)
		if (p->sites[i].state != PHANTOM_FREE)
			code = live(p, i, dz, err);
	if (code < 0)
		return code;
	fx_phantom_grid_build(p);
	return begin_some(p, crowd(p) * (double)dz / 60, 0.09f * (float)p->spec.spacing_nm, false,
			  err);
}

/* ---- a phantom ---- */

static int check(double v, double lo, double hi, const char *what, struct fx_error *err)
{
	if (v >= lo && v <= hi)
		return FX_OK;
	return fx_error_set(err, FX_EINVAL, "%s of the phantom is %g, but %g to %g is possible",
			    what, v, lo, hi);
}

static int check_spec(const struct fx_phantom_spec *s, struct fx_error *err)
{
	const double voxel = fmax(s->voxel_nm[1], s->voxel_nm[2]);
	const struct {
		double v, lo, hi;
		const char *what;
	} limits[] = {
		{ (double)s->height, 1, 1 << 20, "height" },
		{ (double)s->width, 1, 1 << 20, "width" },
		{ s->voxel_nm[0], 1, 200, "voxel size" },
		{ s->voxel_nm[1], 1, 200, "voxel size" },
		{ s->voxel_nm[2], 1, 200, "voxel size" },
		{ s->spacing_nm, 6 * voxel, 1e5, "spacing" },
		{ s->slope, 0, 4, "slope" },
		{ s->branch_nm, 100, 1e9, "branch distance" },
		{ s->end_nm, 100, 1e9, "end distance" },
		{ s->mitochondria, 0, 4, "share of mitochondria" },
		{ s->vesicles, 0, 2, "share of vesicles" },
		{ s->noise, 0, 100, "noise" },
		{ s->jitter, 0, 50, "jitter" },
		{ s->node_nm, 1, 1e5, "node distance" },
		{ (double)s->piece_len, 2, 1e6, "length of a piece of a centre line" },
	};

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (check(limits[i].v, limits[i].lo, limits[i].hi, limits[i].what, err) < 0)
			return FX_EINVAL;
	return FX_OK;
}

/* A smooth field that changes over @p nm, with @p scale, on the voxels of the phantom. */
static struct fx_noise_field field(const struct fx_phantom *p, uint64_t key, double nm,
				   double scale)
{
	struct fx_noise_field f = { .seed = fx_noise_mix(p->spec.seed ^ key),
				    .scale = { (float)scale, (float)scale } };

	for (int a = 0; a < 3; a++)
		f.step[a] = (int64_t)fmax(2, floor(nm / p->spec.voxel_nm[a] + 0.5));
	return f;
}

static void set_up(struct fx_phantom *p, const struct fx_phantom_spec *spec)
{
	const double size[2] = { (double)spec->height * spec->voxel_nm[1],
				 (double)spec->width * spec->voxel_nm[2] };
	const float margin = margin_units * (float)spec->spacing_nm;

	p->spec = *spec;
	p->z = -1;
	p->random = fx_noise_mix(spec->seed ^ 0xf0a2);
	p->next_id = 1;
	p->thin = 0.75f * (float)fmax(spec->voxel_nm[1], spec->voxel_nm[2]);
	for (int a = 0; a < 2; a++) {
		p->domain_lo[a] = -margin;
		p->domain_hi[a] = (float)size[a] + margin;
	}
	/* slopes of the displacement stay below 1 in sum, so it has no folds */
	p->warp[0] = field(p, 1, 1.15 * spec->spacing_nm, 0.36 * spec->spacing_nm);
	p->warp[1] = field(p, 2, 0.36 * spec->spacing_nm, 0.085 * spec->spacing_nm);
	p->mottle = field(p, 3, 46, 1);
	p->tile[1] = FX_NOISE_TILE;
	while (p->tile[1] > 8 && p->tile[1] * spec->voxel_nm[2] > 1.2 * spec->spacing_nm)
		p->tile[1] /= 2;
	p->tile[0] = FX_NOISE_TILE / 2;
	while (p->tile[0] > 4 && p->tile[0] * spec->voxel_nm[1] > 0.6 * spec->spacing_nm)
		p->tile[0] /= 2;
}

/* Fills the space with neurites, lets them come to rest, and numbers them from 1. */
static int burn_in(struct fx_phantom *p, struct fx_error *err)
{
	const float spacing = (float)p->spec.spacing_nm;
	int code = begin_some(p, 24 * crowd(p), 0.16f * spacing, true, err);
	double z = 0;

	for (; code == FX_OK && z < 1.5 * p->spec.spacing_nm; z += step_max)
		code = step(p, (float)step_max, err);
	p->next_id = 1;
	for (size_t i = 0; i < p->neurites_len; i++)
		if (p->neurites[i].sites > 0)
			p->neurites[i].id = p->next_id++;
	return code;
}

int fx_phantom_new(const struct fx_phantom_spec *spec, struct fx_phantom **out,
		   struct fx_error *err)
{
	struct fx_phantom *p;
	int code;

	if (check_spec(spec, err) < 0)
		return FX_EINVAL;
	p = calloc(1, sizeof *p);
	if (!p)
		return fx_error_set(err, FX_ENOMEM, "no memory for a phantom");
	set_up(p, spec);
	code = fx_phantom_grid_init(p);
	if (code < 0)
		fx_error_set(err, code, "no memory for the phantom's grid");
	else
		code = burn_in(p, err);
	if (code < 0) {
		fx_phantom_free(p);
		return code;
	}
	*out = p;
	return FX_OK;
}

void fx_phantom_free(struct fx_phantom *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->neurites_len; i++)
		free(p->neurites[i].nodes);
	for (size_t i = p->done_first; i < p->done_len; i++)
		fx_tree_free(p->done[i]);
	free(p->done);
	free(p->neurites);
	free(p->sites);
	free(p->free_sites);
	free(p->free_neurites);
	free(p->grid.head);
	free(p);
}

int fx_phantom_next(struct fx_phantom *p, struct fx_error *err)
{
	const int steps = (int)ceil(p->spec.voxel_nm[0] / step_max);
	int code = FX_OK;

	if (p->z >= 0)
		for (int i = 0; i < steps && code == FX_OK; i++)
			code = step(p, (float)(p->spec.voxel_nm[0] / steps), err);
	p->z++;
	return code < 0 ? code : fx_phantom_trace(p, err);
}

int fx_phantom_finish(struct fx_phantom *p, struct fx_error *err)
{
	int code = FX_OK;

	for (size_t i = 0; i < p->sites_len && code == FX_OK; i++)
		if (p->sites[i].state != PHANTOM_FREE)
			code = free_site(p, i, false, err);
	return code;
}

size_t fx_phantom_count(const struct fx_phantom *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->neurites_len; i++)
		n += p->neurites[i].sites > 0;
	return n;
}

size_t fx_phantom_bytes(const struct fx_phantom *p)
{
	size_t bytes = sizeof *p + p->sites_cap * sizeof *p->sites +
		       p->neurites_cap * sizeof *p->neurites + p->done_cap * sizeof *p->done +
		       (p->free_sites_cap + p->free_neurites_cap) * sizeof *p->free_sites +
		       (size_t)p->grid.n[0] * (size_t)p->grid.n[1] * sizeof *p->grid.head;

	for (size_t i = 0; i < p->neurites_len; i++)
		bytes += p->neurites[i].cap * sizeof *p->neurites[i].nodes;
	return bytes;
}
