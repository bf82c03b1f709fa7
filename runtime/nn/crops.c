// SPDX-License-Identifier: Apache-2.0
/* crops.c: training crops of volumes with known bodies. */
#include "nn/crops.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/labeldist.h"
#include "kernels/warp.h"
#include "nn/unetmodel.h"

static const double RARE = 0.03; /* no class counts as less than this share */
static const size_t DISTANT[] = { 4, 10 };
enum { TRIES = 16 };

const struct fx_crop_head_kind fx_crop_heads[FX_HEADS] = {
	[FX_HEAD_AFFINITY] = { "affinity", 3, 1 },
	[FX_HEAD_ERODED] = { "eroded", 3, 0.5 },
	[FX_HEAD_DISTANCE] = { "distance", 1, 1 },
	[FX_HEAD_LONG] = { "long", 6, 0.3 },
};

int fx_crop_init(struct fx_crop *c, const struct fx_crop_spec *spec)
{
	const size_t core = spec->side[0] * spec->side[1] * spec->side[2];
	size_t wide = 1;
	bool good = true;

	for (int a = 0; a < 3; a++) {
		c->size[a] = spec->side[a] + (size_t)2 * FX_CROP_MARGIN;
		wide *= c->size[a];
	}
	c->image = fx_calloc(core, sizeof *c->image);
	c->wide = fx_calloc(wide, sizeof *c->wide);
	c->distance = fx_calloc(wide, sizeof *c->distance);
	c->labels = fx_calloc(wide, sizeof *c->labels);
	c->eroded = fx_calloc(wide, sizeof *c->eroded);
	for (int h = 0; h < FX_HEADS; h++) {
		const size_t n = core * fx_crop_heads[h].channels;

		c->target[h] = fx_calloc(n, sizeof **c->target);
		c->weight[h] = fx_calloc(n, sizeof **c->weight);
		good = good && c->target[h] && c->weight[h];
	}
	return good && c->image && c->wide && c->distance && c->labels && c->eroded ? FX_OK :
										      FX_ENOMEM;
}

void fx_crop_fini(struct fx_crop *c)
{
	for (int h = 0; h < FX_HEADS; h++) {
		free(c->target[h]);
		free(c->weight[h]);
	}
	free(c->image);
	free(c->wide);
	free(c->distance);
	free(c->labels);
	free(c->eroded);
	memset(c, 0, sizeof *c);
}

/* The part of the volume with margins that is the crop. */
static struct fx_affinity_box core_of(const struct fx_crop *c, const struct fx_crop_spec *spec)
{
	struct fx_affinity_box b;

	for (int a = 0; a < 3; a++) {
		b.shape[a] = c->size[a];
		b.lo[a] = FX_CROP_MARGIN;
		b.size[a] = spec->side[a];
	}
	return b;
}

/* One channel of affinities. */
static void affinity(struct fx_crop *c, const struct fx_affinity_box *core, enum fx_crop_head head,
		     size_t channel, const uint32_t *labels, size_t distance)
{
	const size_t n = core->size[0] * core->size[1] * core->size[2],
		     step = fx_crop_heads[head].channels;
	float *target = c->target[head] + channel, *weight = c->weight[head] + channel;

	fx_affinity_target(labels, core, (int)(channel % 3), distance, target, weight, step);
	fx_affinity_balance(target, weight, n, step, RARE);
}

/* Image and distance of the crop's row at @p zy. */
static void core_row(struct fx_crop *c, const struct fx_crop_spec *spec,
		     const struct fx_affinity_box *core, size_t zy)
{
	const double *v = spec->voxel_nm, finest = fmin(v[0], fmin(v[1], v[2]));
	const size_t n = core->size[2], z = zy / core->size[1] + core->lo[0],
		     y = zy % core->size[1] + core->lo[1],
		     from = (z * c->size[1] + y) * c->size[2] + core->lo[2];

	for (size_t x = 0; x < n; x++) {
		const uint32_t label = c->labels[from + x];
		const double d =
			label == FX_LABEL_ERODED ?
				0 :
				(double)c->distance[from + x] / (finest * FX_UNET_DISTANCE_UNIT);

		c->image[zy * n + x] = c->wide[from + x];
		c->target[FX_HEAD_DISTANCE][zy * n + x] = (float)tanh(d);
		c->weight[FX_HEAD_DISTANCE][zy * n + x] = label ? 1 : 0;
	}
}

/* All that is derived from the wide image and the labels. */
static int finish(struct fx_crop *c, const struct fx_crop_spec *spec)
{
	const struct fx_affinity_box core = core_of(c, spec);
	int err = fx_label_distance(c->labels, FX_U32, c->size, spec->voxel_nm, false, c->distance);

	if (err)
		return err;
	fx_labels_erode(c->eroded, c->labels, c->size);
	for (size_t a = 0; a < 3; a++) {
		affinity(c, &core, FX_HEAD_AFFINITY, a, c->labels, 1);
		affinity(c, &core, FX_HEAD_ERODED, a, c->eroded, 1);
	}
	for (size_t k = 0; k < 6; k++)
		affinity(c, &core, FX_HEAD_LONG, k, c->labels, DISTANT[k / 3]);
#pragma omp parallel for schedule(static)
	for (size_t zy = 0; zy < core.size[0] * core.size[1]; zy++)
		core_row(c, spec, &core, zy);
	return FX_OK;
}

/* Image and labels, with margins, as @p w places them. */
static void sample(struct fx_crop *c, const struct fx_crop_spec *spec,
		   const struct fx_crop_source *s, const struct fx_warp *w)
{
	const size_t n = c->size[0] * c->size[1] * c->size[2];
	const float mean = (float)spec->mean, sd = (float)spec->sd;

	fx_warp_image(c->wide, c->size, s->image, s->shape, w);
	fx_warp_labels(c->labels, c->size, s->labels, s->shape, w);
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++)
		c->wide[i] = (c->wide[i] - mean) / sd;
}

static const struct fx_crop_source *draw_source(const struct fx_crop_source *sources, size_t len,
						struct fx_pcg *rng)
{
	double all = 0, at;

	for (size_t i = 0; i < len; i++)
		all += sources[i].share;
	at = fx_pcg_range(rng, 0, all);
	for (size_t i = 0; i + 1 < len; i++)
		if ((at -= sources[i].share) < 0)
			return &sources[i];
	return &sources[len - 1];
}

/* A middle whose crop, unturned, fits; in a body if one is found. Halves make the voxels of crops
 * with even sides meet those of the source. */
static void draw_middle(double at[3], const struct fx_crop_spec *spec,
			const struct fx_crop_source *s, struct fx_pcg *rng)
{
	for (int try = 0; try < TRIES; try++) {
		size_t i = 0;

		for (int a = 0; a < 3; a++) {
			const size_t side = spec->side[a], n = s->shape[a],
				     room = n > side ? n - side + 1 : 1,
				     lo = n > side ? fx_pcg_below(rng, (uint32_t)room) :
						     (n - 1) / 2;

			at[a] = n > side ? (double)lo + ((double)side - 1) / 2 : (double)lo + 0.5;
			i = i * n + (size_t)fmin(at[a], (double)(n - 1));
		}
		if (s->labels[i])
			return;
	}
}

/* @p turn = a rotation drawn evenly (about z only unless @p all), by a quaternion (Shoemake,
 * Graphics Gems III, 1992). */
static void draw_rotation(double turn[3][3], bool all, struct fx_pcg *rng)
{
	const double u = fx_pcg_unit(rng), a = 6.283185307179586 * fx_pcg_unit(rng),
		     b = 6.283185307179586 * fx_pcg_unit(rng);
	const double q[4] = { all ? sqrt(1 - u) * sin(a) : sin(a / 2),
			      all ? sqrt(1 - u) * cos(a) : 0, all ? sqrt(u) * sin(b) : 0,
			      all ? sqrt(u) * cos(b) : cos(a / 2) };
	const double z = q[0], y = q[1], x = q[2], w = q[3];
	const double m[3][3] = {
		{ 1 - 2 * (y * y + x * x), 2 * (z * y - x * w), 2 * (z * x + y * w) },
		{ 2 * (z * y + x * w), 1 - 2 * (z * z + x * x), 2 * (y * x - z * w) },
		{ 2 * (z * x - y * w), 2 * (y * x + z * w), 1 - 2 * (z * z + y * y) },
	};

	memcpy(turn, m, sizeof m);
}

/* @p turn times a symmetry of the grid. */
static void draw_symmetry(double turn[3][3], bool cubic, struct fx_pcg *rng)
{
	const struct fx_symmetry s = fx_symmetry_draw(cubic, rng);
	double m[3][3];

	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++)
			m[a][b] = turn[a][s.from[b]] * (s.flip[b] ? -1 : 1);
	memcpy(turn, m, sizeof m);
}

static void draw_bend(struct fx_warp *w, double scale, double bend, struct fx_pcg *rng)
{
	const double most = log(1 + scale), factor = exp(fx_pcg_range(rng, -most, most));
	float *nodes = &w->bend[0][0][0][0];

	for (int a = 0; a < 3; a++)
		for (int b = 0; b < 3; b++)
			w->turn[a][b] *= factor;
	for (size_t i = 0; i < sizeof w->bend / sizeof *nodes; i++)
		nodes[i] = (float)(bend * fx_pcg_normal(rng));
}

int fx_crop_draw(struct fx_crop *c, const struct fx_crop_spec *spec,
		 const struct fx_crop_source *sources, size_t sources_len, struct fx_pcg *rng)
{
	const struct fx_crop_source *s = draw_source(sources, sources_len, rng);
	struct fx_warp w = { .turn = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };
	int err;

	draw_middle(w.at, spec, s, rng);
	if (fx_pcg_unit(rng) < spec->warped) {
		draw_rotation(w.turn, spec->cubic, rng);
		draw_bend(&w, spec->scale, spec->bend, rng);
	}
	draw_symmetry(w.turn, spec->cubic, rng);
	sample(c, spec, s, &w);
	err = fx_augment(&spec->augment, c->wide, c->labels, c->size, c->distance, rng);
	return err ? err : finish(c, spec);
}

int fx_crop_get(struct fx_crop *c, const struct fx_crop_spec *spec,
		const struct fx_crop_source *source, const double middle[3])
{
	struct fx_warp w = { .turn = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } } };

	memcpy(w.at, middle, sizeof w.at);
	sample(c, spec, source, &w);
	return finish(c, spec);
}
