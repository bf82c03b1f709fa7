// SPDX-License-Identifier: Apache-2.0
/* unetfit_rate.c: how good a network is on sections that were kept aside, and the curves of it. */
#include "nn/unetfit_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <omp.h>

#include "base/alloc.h"
#include "formats/pngwrite.h"
#include "kernels/curve.h"
#include "kernels/fragments.h"
#include "kernels/logit.h"
#include "kernels/metrics.h"

enum { RIM = 8 }; /* voxels of a tile that are not trusted */

/* Tried in turn; all else is as segmenter/unet does by default. */
static const double thresholds[] = { 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8 };

/* What is kept aside, as the network sees it. */
struct slab {
	size_t lo[3], shape[3], tiles[3], core[3];
	size_t len;
	float *logit[7]; /* owned, as what follows: affinities z, y, x, distance, eroded ones */
	uint8_t *face[3], *flood[3]; /* heights of the affinities, and of the mean of both */
	uint32_t *fragments, *labels;
	const uint32_t *truth;
};

static void slab_fini(struct slab *s)
{
	for (int a = 0; a < 3; a++) {
		free(s->face[a]);
		free(s->flood[a]);
	}
	for (int k = 0; k < 7; k++)
		free(s->logit[k]);
	free(s->fragments);
	free(s->labels);
}

static int slab_init(struct slab *s, const struct fx_unetfit *f)
{
	const struct fx_crop_source *aside = &f->spec.aside;
	const size_t hi[3] = { f->spec.aside_hi, aside->shape[1], aside->shape[2] };
	bool good = true;

	s->lo[0] = f->spec.aside_lo;
	s->len = 1;
	for (int a = 0; a < 3; a++) {
		const size_t side = f->spec.crop.side[a];

		s->shape[a] = hi[a] - s->lo[a];
		s->core[a] = side > (size_t)2 * RIM ? side - (size_t)2 * RIM : side;
		s->tiles[a] = (s->shape[a] + s->core[a] - 1) / s->core[a];
		s->len *= s->shape[a];
	}
	for (int a = 0; a < 3; a++) {
		good = (s->face[a] = fx_calloc(s->len, 1)) && good;
		good = (s->flood[a] = fx_calloc(s->len, 1)) && good;
	}
	for (int k = 0; k < 7; k++)
		good = (s->logit[k] = fx_calloc(s->len, sizeof **s->logit)) && good;
	s->fragments = fx_calloc(s->len, sizeof *s->fragments);
	s->labels = fx_calloc(s->len, sizeof *s->labels);
	s->truth = aside->labels + s->lo[0] * hi[1] * hi[2];
	return good && s->fragments && s->labels ? FX_OK : FX_ENOMEM;
}

/* Where tile @p i is: its core's first voxel in the slab. */
static void tile_at(const struct slab *s, size_t i, size_t at[3])
{
	at[2] = i % s->tiles[2] * s->core[2];
	at[1] = i / s->tiles[2] % s->tiles[1] * s->core[1];
	at[0] = i / (s->tiles[2] * s->tiles[1]) * s->core[0];
}

/* @p channels numbers a voxel of a tile's core to maps of the slab. */
static void tile_keep(struct slab *s, const NN_REAL *from, size_t channels, const size_t side[3],
		      const size_t at[3], float *const *to)
{
	const size_t rim[3] = { (side[0] - s->core[0]) / 2, (side[1] - s->core[1]) / 2,
				(side[2] - s->core[2]) / 2 };

	for (size_t z = 0; z < s->core[0] && at[0] + z < s->shape[0]; z++)
		for (size_t y = 0; y < s->core[1] && at[1] + y < s->shape[1]; y++)
			for (size_t x = 0; x < s->core[2] && at[2] + x < s->shape[2]; x++) {
				const size_t i = ((at[0] + z) * s->shape[1] + at[1] + y) *
							 s->shape[2] +
						 at[2] + x,
					     p = ((z + rim[0]) * side[1] + y + rim[1]) * side[2] +
						 x + rim[2];

				for (size_t k = 0; k < channels; k++)
					to[k][i] = (float)from[channels * p + k];
			}
}

static int tile_run(struct slab *s, struct fx_unetfit_lane *l, const struct fx_unetfit *f, size_t i,
		    double *loss)
{
	const struct fx_crop_spec *spec = &f->spec.crop;
	NN_REAL *out = l->crop.target[FX_HEAD_AFFINITY]; /* free once it was put into the net */
	double middle[3];
	size_t at[3];

	tile_at(s, i, at);
	for (int a = 0; a < 3; a++)
		middle[a] = (double)(s->lo[a] + at[a]) + ((double)s->core[a] - 1) / 2;
	l->err = fx_crop_get(&l->crop, spec, &f->spec.aside, middle);
	if (l->err)
		return l->err;
	fx_unetfit_show(l);
	*loss = l->loss;
	fx_nn_get(l->net, l->head[FX_HEAD_AFFINITY], out);
	tile_keep(s, out, 3, spec->side, at, s->logit);
	fx_nn_get(l->net, l->head[FX_HEAD_DISTANCE], out);
	tile_keep(s, out, 1, spec->side, at, s->logit + 3);
	fx_nn_get(l->net, l->head[FX_HEAD_ERODED], out);
	tile_keep(s, out, 3, spec->side, at, s->logit + 4);
	return FX_OK;
}

/* All tiles; *loss is their mean. */
static int slab_run(struct slab *s, struct fx_unetfit *f, double *loss)
{
	const size_t tiles = s->tiles[0] * s->tiles[1] * s->tiles[2];
	double *losses = fx_calloc(tiles, sizeof *losses), sum = 0;
	int failed = 0;

	if (!losses)
		return FX_ENOMEM;
#pragma omp parallel for schedule(dynamic, 1) num_threads(fx_unetfit_threads(f)) reduction(+ : failed)
	for (size_t i = 0; i < tiles; i++)
		failed += tile_run(s, &f->lanes[omp_get_thread_num()], f, i, &losses[i]) < 0;
	for (size_t i = 0; i < tiles; i++)
		sum += losses[i];
	*loss = sum / (double)tiles;
	free(losses);
	return failed ? FX_ENOMEM : FX_OK;
}

/* VOI of the slab's fragments merged up to @p threshold. */
static int slab_voi(struct slab *s, uint32_t count, double threshold, double *voi)
{
	const struct fx_agglomerate_params join = { .threshold = threshold,
						    .quantile = FX_UNET_QUANTILE,
						    .prior_faces = FX_UNET_PRIOR_FACES,
						    .large_voxels = FX_UNET_LARGE_VOXELS,
						    .large_contact = FX_UNET_LARGE_CONTACT,
						    .dust_voxels = FX_UNET_DUST_VOXELS };
	const struct fx_rag_evidence evidence = { .face = { s->face[0], s->face[1], s->face[2] } };
	struct fx_seg_scores scores[FX_RULES];
	struct fx_error err = { 0 };
	int result;

	memcpy(s->labels, s->fragments, s->len * sizeof *s->labels);
	result = fx_fragments_merge(s->labels, &count, s->shape, &evidence, &join);
	if (result == FX_OK)
		result = fx_metrics_compare(s->labels, FX_U32, s->truth, FX_U32, s->len, scores,
					    &err);
	if (result == FX_OK)
		*voi = scores[FX_TRUTH_NONZERO].voi;
	return result;
}

static int slab_rate(struct slab *s, const struct fx_unetfit *f, struct fx_unetfit_point *p)
{
	const struct fx_fragments_depths seeds = { tanh(FX_UNET_SEED_DEPTH / FX_UNET_DISTANCE_UNIT),
						   FX_UNET_SEED_SMOOTH, FX_UNET_SEED_RADIUS };
	const uint8_t *const flood[3] = { s->flood[0], s->flood[1], s->flood[2] };
	uint32_t count = 0;
	int err;

	for (int a = 0; a < 3; a++) {
		fx_logit_heights(s->face[a], s->logit[a], s->len);
		fx_logit_heights(s->flood[a], s->logit[a + 4], s->len);
		fx_heights_mean(s->flood[a], s->flood[a], s->face[a], s->len);
	}
	fx_logit_tanh(s->logit[3], s->len);
	err = fx_fragments_faces(s->fragments, &count, s->logit[3], flood, s->shape,
				 f->spec.crop.voxel_nm, &seeds);
	for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds && !err; i++) {
		double voi = (double)NAN;

		err = slab_voi(s, count, thresholds[i], &voi);
		if (!err && !(voi >= p->aside_voi)) {
			p->aside_voi = voi;
			p->threshold = thresholds[i];
		}
	}
	return err;
}

int fx_unetfit_rate(struct fx_unetfit *f, struct fx_error *err)
{
	struct fx_unetfit_point p = { .step = (double)f->optim.step,
				      .loss = f->loss_steps ? f->loss_sum / (double)f->loss_steps :
							      (double)NAN,
				      .aside_loss = (double)NAN,
				      .aside_voi = (double)NAN,
				      .threshold = (double)NAN };
	struct slab s = { 0 };
	int result = FX_OK;

	if (f->spec.aside_hi > f->spec.aside_lo) {
		result = slab_init(&s, f);
		if (result == FX_OK)
			result = slab_run(&s, f, &p.aside_loss);
		if (result == FX_OK)
			result = slab_rate(&s, f, &p);
		slab_fini(&s);
	}
	if (result < 0)
		return fx_error_set(err, result, "no memory for a score");
	if (f->points_len < FX_UNETFIT_POINTS_MAX)
		f->points[f->points_len++] = p;
	f->loss_sum = 0;
	f->loss_steps = 0;
	return FX_OK;
}

struct fx_record *fx_unetfit_record(const struct fx_unetfit_point *p)
{
	const double numbers[] = { p->loss, p->aside_loss, p->aside_voi, p->threshold };
	static const char *const names[] = { "loss", "aside_loss", "aside_voi", "threshold" };
	struct fx_record *r = fx_record_new("training");
	int result = r ? FX_OK : FX_ENOMEM;
	char name[64];

	for (int i = 0; i < 4 && result == FX_OK; i++) {
		snprintf(name, sizeof name, "curve.%09.0f.%s", p->step, names[i]);
		if (isfinite(numbers[i]))
			result = fx_record_add_number(r, name, numbers[i]);
	}
	if (result == FX_OK)
		return r;
	fx_record_free(r);
	return NULL;
}

/* Both pictures, one above the other. FX_ENOMEM. */
static int stack(struct fx_picture *to, const struct fx_picture *above,
		 const struct fx_picture *below)
{
	const size_t row = above->w * 3;

	to->rgb = above->rgb && below->rgb ? fx_calloc(above->h + below->h, row) : NULL;
	if (!to->rgb)
		return FX_ENOMEM;
	to->w = above->w;
	to->h = above->h + below->h;
	memcpy(to->rgb, above->rgb, above->h * row);
	memcpy(to->rgb + above->h * row, below->rgb, below->h * row);
	return FX_OK;
}

int fx_unetfit_draw(const struct fx_unetfit *f, const char *path, struct fx_error *err)
{
	double n[4][FX_UNETFIT_POINTS_MAX];
	const struct fx_curve losses[] = { { "loss", 0x1f77b4, n[1] },
					   { "loss aside", 0xd62728, n[2] } },
			      vois[] = { { "voi aside", 0x2ca02c, n[3] } };
	struct fx_picture above, below, both = { 0 };
	int result;

	for (size_t i = 0; i < f->points_len; i++) {
		n[0][i] = f->points[i].step;
		n[1][i] = f->points[i].loss;
		n[2][i] = f->points[i].aside_loss;
		n[3][i] = f->points[i].aside_voi;
	}
	above = fx_curve_draw(losses, 2, n[0], f->points_len);
	below = fx_curve_draw(vois, 1, n[0], f->points_len);
	result = stack(&both, &above, &below);
	result = result < 0 ? fx_error_set(err, result, "%s: no memory for a picture", path) :
			      fx_png_write(path, both.rgb, both.h, both.w, 3, err);
	fx_picture_fini(&above);
	fx_picture_fini(&below);
	fx_picture_fini(&both);
	return result;
}
