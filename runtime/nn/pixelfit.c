// SPDX-License-Identifier: Apache-2.0
/* pixelfit.c: trains a network on rows of features. */
#include "nn/pixelfit.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/alloc.h"
#include "formats/pngwrite.h"
#include "kernels/curve.h"

enum { WARMUP = 50, HISTOGRAM = 4096 };

static void measure(struct fx_pixelmodel_norm *norm, const struct fx_pixelfit_data *d)
{
	/* half of what the network sees is of each kind */
	for (size_t i = 0; i < FX_FEATURES; i++) {
		double mean = 0, square = 0;

		for (int kind = 0; kind < 2; kind++) {
			double sum = 0, sum2 = 0;

			for (size_t r = 0; r < d->len[kind]; r++) {
				const double v = (double)d->rows[kind][r * FX_FEATURES + i];

				sum += v;
				sum2 += v * v;
			}
			mean += sum / (double)d->len[kind] / 2;
			square += sum2 / (double)d->len[kind] / 2;
		}
		norm->mean[i] = mean;
		norm->sd[i] = sqrt(fmax(square - mean * mean, 0));
		if (!(norm->sd[i] > 1e-6))
			norm->sd[i] = 1;
	}
}

/* FNV-1a of all rows and settings. */
static uint64_t digest_of(const void *bytes, size_t size, uint64_t hash)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ b[i]) * 0x100000001b3U;
	return hash;
}

static void name_run(struct fx_pixelfit *f)
{
	const struct fx_pixelfit_spec *s = &f->spec;
	const uint64_t whole[] = { s->hidden, s->batch, s->steps, s->seed };
	const double real[] = { s->rate, s->contrast, s->offset };
	uint64_t hash = 0xcbf29ce484222325U;

	hash = digest_of(whole, sizeof whole, hash);
	hash = digest_of(real, sizeof real, hash);
	for (int kind = 0; kind < 2; kind++)
		hash = digest_of(s->data.rows[kind],
				 s->data.len[kind] * FX_FEATURES * sizeof(float), hash);
	snprintf(f->run, sizeof f->run, "%zu+%zu rows, digest %016" PRIx64, s->data.len[0],
		 s->data.len[1], hash);
}

static int build(struct fx_pixelfit *f, struct fx_error *err)
{
	const struct fx_nn_shape in = { 1, 1, 1, f->spec.batch, FX_FEATURES };
	struct fx_arch_values values;
	int result;

	f->arch = (struct fx_arch){ .kind = FX_ARCH_MLP,
				    .in = FX_FEATURES,
				    .width = { f->spec.hidden, f->spec.hidden },
				    .levels = 2,
				    .head = { 1 },
				    .heads = 1,
				    .names = { "boundary" } };
	fx_arch_build(&f->arch, f->net, in, &values);
	f->in = values.in;
	f->logit = values.heads[0];
	f->target =
		fx_nn_input(f->net, (struct fx_nn_shape){ 1, 1, 1, f->spec.batch, 1 }, FX_NN_DENSE);
	fx_nn_bce(f->net, f->logit, f->target, -1, 1, 1);
	result = fx_nn_plan(f->net, FX_NN_TRAIN, err);
	if (result == FX_OK)
		result = fx_optim_init(&f->optim, f->net, err);
	return result;
}

int fx_pixelfit_init(struct fx_pixelfit *f, const struct fx_pixelfit_spec *spec,
		     struct fx_error *err)
{
	if (!spec->data.len[0] || !spec->data.len[1])
		return fx_error_set(err, FX_EINVAL,
				    "%zu voxels inside of bodies and %zu at boundaries to learn "
				    "from: both are needed",
				    spec->data.len[0], spec->data.len[1]);
	f->spec = *spec;
	f->optim = (struct fx_optim){
		.kind = FX_OPTIM_ADAM, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .clip_norm = 1
	};
	f->rng = fx_pcg_seed(spec->seed, 1);
	f->net = fx_nn_new(spec->seed);
	f->rows = fx_calloc(spec->batch * FX_FEATURES, sizeof *f->rows);
	f->targets = fx_calloc(spec->batch, sizeof *f->targets);
	if (!f->net || !f->rows || !f->targets)
		return fx_error_set(err, FX_ENOMEM, "no memory for batches of %zu voxels",
				    spec->batch);
	measure(&f->norm, &spec->data);
	name_run(f);
	return build(f, err);
}

void fx_pixelfit_fini(struct fx_pixelfit *f)
{
	fx_optim_fini(&f->optim);
	fx_nn_free(f->net);
	free(f->rows);
	free(f->targets);
	f->net = NULL;
	f->rows = f->targets = NULL;
}

/* A row as the network sees it: all but the brightness do not depend on an offset. */
static void put_row(struct fx_pixelfit *f, size_t at, const float *row, double gain, double offset)
{
	NN_REAL *to = f->rows + at * FX_FEATURES;

	for (size_t i = 0; i < FX_FEATURES; i++) {
		const double v =
			gain * (double)row[i] + (i % FX_FEATURES_PER_SCALE == 0 ? offset : 0);

		to[i] = (NN_REAL)((v - f->norm.mean[i]) / f->norm.sd[i]);
	}
}

static void draw_batch(struct fx_pixelfit *f)
{
	const struct fx_pixelfit_spec *s = &f->spec;
	const double most = log(1 + s->contrast);

	for (size_t at = 0; at < s->batch; at++) {
		const size_t kind = at % 2, r = fx_pcg_below(&f->rng, (uint32_t)s->data.len[kind]);
		const double gain = exp(fx_pcg_range(&f->rng, -most, most)),
			     offset = fx_pcg_range(&f->rng, -s->offset, s->offset);

		/* contrast turns about the middle grey */
		put_row(f, at, s->data.rows[kind] + r * FX_FEATURES, gain,
			0.5 * (1 - gain) + offset);
		f->targets[at] = (NN_REAL)kind;
	}
	fx_nn_put(f->net, f->in, f->rows);
	fx_nn_put(f->net, f->target, f->targets);
}

double fx_pixelfit_run(struct fx_pixelfit *f, uint64_t steps)
{
	const struct fx_schedule schedule = { .rate = f->spec.rate,
					      .warmup = WARMUP,
					      .total = f->spec.steps };
	const uint64_t start = f->optim.step,
		       end = start + steps < f->spec.steps ? start + steps : f->spec.steps;
	double loss = 0;

	for (uint64_t step = start; step < end; step++) {
		draw_batch(f);
		fx_nn_zero_grads(f->net);
		loss += fx_nn_forward(f->net);
		fx_nn_backward(f->net);
		fx_optim_step(&f->optim, f->net, fx_schedule_rate(&schedule, step));
		f->optim.step = step + 1;
	}
	return end > start ? loss / (double)(end - start) : 0;
}

/* Counts of logits from -16 to 16, and the sum of the losses, of the rows of one kind. */
static double rate_kind(struct fx_pixelfit *f, const struct fx_pixelfit_data *d, int kind,
			uint64_t counts[HISTOGRAM])
{
	const size_t batch = f->spec.batch;
	double loss = 0;

	for (size_t at = 0; at < d->len[kind]; at += batch) {
		const size_t n = d->len[kind] - at < batch ? d->len[kind] - at : batch;

		for (size_t i = 0; i < n; i++)
			put_row(f, i, d->rows[kind] + (at + i) * FX_FEATURES, 1, 0);
		fx_nn_put(f->net, f->in, f->rows);
		fx_nn_forward(f->net);
		fx_nn_get(f->net, f->logit, f->targets);
		for (size_t i = 0; i < n; i++) {
			const double z = (double)f->targets[i], wrong = kind ? -z : z,
				     bin = (fmin(fmax(z, -16), 15.99) + 16) * (HISTOGRAM / 32);

			loss += fmax(wrong, 0) + log1p(exp(-fabs(wrong)));
			counts[(size_t)bin]++;
		}
	}
	return loss / (double)d->len[kind];
}

int fx_pixelfit_rate(struct fx_pixelfit *f, const struct fx_pixelfit_data *d,
		     struct fx_pixelfit_score *score, struct fx_error *err)
{
	uint64_t(*counts)[HISTOGRAM] = fx_calloc(2, sizeof *counts);
	double below = 0, pairs = 0;

	if (!counts)
		return fx_error_set(err, FX_ENOMEM, "no memory for a score");
	score->loss = (rate_kind(f, d, 0, counts[0]) + rate_kind(f, d, 1, counts[1])) / 2;
	for (size_t i = 0; i < HISTOGRAM; i++) {
		pairs += (double)counts[1][i] * (below + (double)counts[0][i] / 2);
		below += (double)counts[0][i];
	}
	score->auc = pairs / ((double)d->len[0] * (double)d->len[1]);
	free(counts);
	return FX_OK;
}

int fx_pixelfit_go(struct fx_pixelfit *f, uint64_t steps, const struct fx_pixelfit_data *aside,
		   struct fx_error *err)
{
	struct fx_pixelfit_point p = { .aside = { (double)NAN, (double)NAN } };
	int result = FX_OK;

	p.loss = fx_pixelfit_run(f, steps);
	p.step = (double)f->optim.step;
	if (aside->len[0] && aside->len[1])
		result = fx_pixelfit_rate(f, aside, &p.aside, err);
	if (result == FX_OK && f->points_len < FX_PIXELFIT_POINTS_MAX)
		f->points[f->points_len++] = p;
	return result;
}

int fx_pixelfit_draw(const struct fx_pixelfit *f, const char *path, struct fx_error *err)
{
	const size_t n = f->points_len;
	double numbers[3][FX_PIXELFIT_POINTS_MAX];
	const struct fx_curve curves[] = { { "loss", 0x1f77b4, numbers[1] },
					   { "loss aside", 0xd62728, numbers[2] } };
	struct fx_picture p;
	int result;

	for (size_t i = 0; i < n; i++) {
		numbers[0][i] = f->points[i].step;
		numbers[1][i] = f->points[i].loss;
		numbers[2][i] = f->points[i].aside.loss;
	}
	p = fx_curve_draw(curves, 2, numbers[0], n);
	if (!p.rgb)
		return fx_error_set(err, FX_ENOMEM, "%s: no memory for a picture", path);
	result = fx_png_write(path, p.rgb, p.h, p.w, 3, err);
	fx_picture_fini(&p);
	return result;
}

/* The curves as JSON: [[step, loss, aside loss, auc], ...]. Owned by the caller; NULL without
 * memory. */
static char *print_points(const struct fx_pixelfit *f)
{
	json_t *all = json_array();
	char *text;

	for (size_t i = 0; i < f->points_len; i++) {
		const struct fx_pixelfit_point *p = &f->points[i];
		const double numbers[] = { p->step, p->loss, p->aside.loss, p->aside.auc };
		json_t *row = json_array();

		for (size_t k = 0; k < 4; k++)
			json_array_append_new(row, isfinite(numbers[k]) ? json_real(numbers[k]) :
									  json_null());
		json_array_append_new(all, row);
	}
	text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(all);
	return text;
}

static void parse_points(struct fx_pixelfit *f, const char *text)
{
	json_t *all = json_loads(text ? text : "[]", 0, NULL), *row;
	size_t i;

	f->points_len = 0;
	json_array_foreach(all, i, row)
	{
		double numbers[4];

		for (size_t k = 0; k < 4; k++) {
			const json_t *v = json_array_get(row, k);

			numbers[k] = json_is_number(v) ? json_number_value(v) : (double)NAN;
		}
		if (f->points_len < FX_PIXELFIT_POINTS_MAX)
			f->points[f->points_len++] = (struct fx_pixelfit_point){
				numbers[0], numbers[1], { numbers[2], numbers[3] }
			};
	}
	json_decref(all);
}

int fx_pixelfit_save(const struct fx_pixelfit *f, const char *path, bool going_on,
		     const double voxel_nm[3], const char *note, struct fx_error *err)
{
	char args[FX_ARCH_TEXT_MAX], norm[FX_PIXELMODEL_TEXT_MAX], voxel[96], seed[24], step[24];
	char *curve = print_points(f);
	const struct fx_tensor_meta meta[] = {
		{ "arch", fx_arch_name(&f->arch) },
		{ "arch_args", args },
		{ "features", FX_PIXELMODEL_FEATURES },
		{ "input_norm", norm },
		{ "voxel_nm", voxel },
		{ "seed", seed },
		{ "step", step },
		{ "run", f->run },
		{ "curve", curve },
		{ "note", note },
	};
	const size_t len = sizeof meta / sizeof *meta - (*note ? 0 : 1);
	int result;

	snprintf(voxel, sizeof voxel, "%.9g %.9g %.9g", voxel_nm[0], voxel_nm[1], voxel_nm[2]);
	snprintf(seed, sizeof seed, "%" PRIu64, f->spec.seed);
	snprintf(step, sizeof step, "%" PRIu64, f->optim.step);
	if (!curve)
		result = fx_error_set(err, FX_ENOMEM, "no memory for the curves");
	else if (fx_pixelmodel_norm_print(&f->norm, norm) < 0)
		result = fx_error_set(err, FX_EINVAL, "features that are not finite");
	else if ((result = fx_arch_print(&f->arch, args, err)) == FX_OK)
		result = fx_nn_save(f->net, going_on ? &f->optim : NULL, going_on ? &f->rng : NULL,
				    meta, len, path, err);
	free(curve);
	return result;
}

/* What is wrong is told by a net of its own, so that ours stays as it was. */
static int resume_from(struct fx_pixelfit *f, const struct fx_safetensors *s, struct fx_error *err)
{
	const char *run = fx_safetensors_meta(s, "run");
	struct fx_pixelfit other = { 0 };
	int result;

	if (!run || strcmp(run, f->run))
		return fx_error_set(err, FX_ETYPE, "it is of another training (%.90s, here %s)",
				    run ? run : "unknown", f->run);
	result = fx_pixelfit_init(&other, &f->spec, err);
	if (result == FX_OK)
		result = fx_nn_load(other.net, s, err);
	if (result == FX_OK)
		result = fx_nn_resume(other.net, &other.optim, &other.rng, s, err);
	if (result == FX_OK && other.optim.step > f->spec.steps)
		result = fx_error_set(err, FX_EINVAL, "it has more steps than the training");
	if (result < 0) {
		fx_pixelfit_fini(&other);
		return result == FX_ENOMEM ? result : FX_ETYPE;
	}
	parse_points(&other, fx_safetensors_meta(s, "curve"));
	fx_pixelfit_fini(f);
	*f = other;
	return FX_OK;
}

int fx_pixelfit_resume(struct fx_pixelfit *f, const char *path, struct fx_error *err)
{
	struct fx_safetensors s = { 0 };
	int result;

	if (access(path, R_OK) != 0)
		return fx_error_set(err, FX_ENOENT, "%s: no checkpoint", path);
	result = fx_safetensors_read(&s, path, FX_PIXELMODEL_SIZE_MAX, err);
	if (result == FX_OK && (result = resume_from(f, &s, err)) < 0)
		fx_error_prefix(err, "%s", path);
	fx_safetensors_fini(&s);
	return result < 0 && result != FX_ENOMEM ? FX_ETYPE : result;
}
