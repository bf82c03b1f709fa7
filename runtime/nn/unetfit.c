// SPDX-License-Identifier: Apache-2.0
/* unetfit.c: trains 3-D U-Nets: steps, and what is kept of them. */
#include "nn/unetfit_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <omp.h>

#include "base/alloc.h"

/* Hash of what the training depends on (FNV-1a, 8 bytes at a time). */
static uint64_t digest_of(const void *bytes, size_t size, uint64_t hash)
{
	const unsigned char *b = bytes;

	for (size_t i = 0; i < size; i += 8) {
		uint64_t word = 0;

		memcpy(&word, b + i, size - i < 8 ? size - i : 8);
		hash = (hash ^ word) * 0x100000001b3U;
		hash ^= hash >> 29;
	}
	return hash;
}

static uint64_t digest_source(const struct fx_crop_source *s, uint64_t hash)
{
	const size_t n = s->shape[0] * s->shape[1] * s->shape[2];

	hash = digest_of(s->shape, sizeof s->shape, hash);
	hash = digest_of(&s->share, sizeof s->share, hash);
	hash = digest_of(s->image, n * sizeof *s->image, hash);
	return digest_of(s->labels, n * sizeof *s->labels, hash);
}

static void name_run(struct fx_unetfit *f)
{
	snprintf(f->run, sizeof f->run, "%zu volumes, digest %016" PRIx64, f->spec.sources_len,
		 f->digest);
}

static void digest_run(struct fx_unetfit *f)
{
	const struct fx_unetfit_spec *s = &f->spec;
	const struct fx_augment *a = &s->crop.augment;
	const uint64_t whole[] = { s->batch,
				   s->steps,
				   s->warmup,
				   s->seed,
				   s->levels,
				   s->flat,
				   s->crop.side[0],
				   s->crop.side[1],
				   s->crop.side[2],
				   s->crop.cubic,
				   (uint64_t)a->shift_most };
	const double real[] = { s->rate,     s->crop.warped, s->crop.scale, s->crop.bend,
				a->contrast, a->offset,	     a->gamma,	    a->noise,
				a->blur,     a->drop,	     a->shift };
	uint64_t hash = 0xcbf29ce484222325U;

	hash = digest_of(whole, sizeof whole, hash);
	hash = digest_of(real, sizeof real, hash);
	hash = digest_of(s->width, sizeof s->width, hash);
	hash = digest_of(s->crop.voxel_nm, sizeof s->crop.voxel_nm, hash);
	for (size_t i = 0; i < s->sources_len; i++)
		hash = digest_source(&s->sources[i], hash);
	f->digest = hash;
	name_run(f);
}

/* Mean and deviation of the first source. */
static void measure(struct fx_unetfit *f)
{
	const struct fx_crop_source *s = &f->spec.sources[0];
	const size_t n = s->shape[0] * s->shape[1] * s->shape[2];
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++)
		sum += (double)s->image[i];
	f->spec.crop.mean = sum / (double)n;
	for (size_t i = 0; i < n; i++) {
		const double d = (double)s->image[i] - f->spec.crop.mean;

		squares += d * d;
	}
	f->spec.crop.sd = fmax(sqrt(squares / (double)n), 1e-6);
}

static int check(const struct fx_unetfit *f, struct fx_error *err)
{
	const struct fx_unetfit_spec *s = &f->spec;
	size_t multiple[3];

	fx_arch_multiple(&f->arch, multiple);
	for (int a = 0; a < 3; a++)
		if (s->crop.side[a] % multiple[a])
			return fx_error_set(err, FX_EINVAL,
					    "crops of %zu %zu %zu voxels: a network of %zu levels "
					    "wants multiples of %zu %zu %zu",
					    s->crop.side[0], s->crop.side[1], s->crop.side[2],
					    s->levels, multiple[0], multiple[1], multiple[2]);
	for (size_t i = 0; i < s->sources_len; i++) {
		const struct fx_crop_source *o = &s->sources[i];
		const size_t n = o->shape[0] * o->shape[1] * o->shape[2];
		size_t known = 0;

		while (known < n && !o->labels[known])
			known++;
		if (known == n)
			return fx_error_set(err, FX_EINVAL,
					    "volume %zu has no labels to learn from", i + 1);
	}
	return FX_OK;
}

static void name_arch(struct fx_unetfit *f)
{
	f->arch = (struct fx_arch){ .kind = FX_ARCH_UNET,
				    .in = 1,
				    .levels = f->spec.levels,
				    .flat = f->spec.flat,
				    .heads = FX_HEADS };
	memcpy(f->arch.width, f->spec.width, sizeof f->arch.width);
	for (int h = 0; h < FX_HEADS; h++) {
		f->arch.head[h] = fx_crop_heads[h].channels;
		snprintf(f->arch.names[h], sizeof f->arch.names[h], "%s", fx_crop_heads[h].name);
	}
}

/* The network of one lane, with its losses. */
static int lane_init(struct fx_unetfit_lane *l, const struct fx_unetfit *f, struct fx_error *err)
{
	const size_t *side = f->spec.crop.side;
	const struct fx_nn_shape in = { 1, side[0], side[1], side[2], 1 };
	struct fx_arch_values values;

	l->net = fx_nn_new(f->spec.seed);
	if (!l->net || fx_crop_init(&l->crop, &f->spec.crop) < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory for crops of %zu %zu %zu voxels",
				    side[0], side[1], side[2]);
	l->net->winograd = true;
	fx_arch_build(&f->arch, l->net, in, &values);
	l->in = values.in;
	for (int h = 0; h < FX_HEADS; h++) {
		const struct fx_crop_head_kind *kind = &fx_crop_heads[h];
		struct fx_nn_shape out = in;

		out.c = kind->channels;
		l->head[h] = values.heads[h];
		l->target[h] = fx_nn_input(l->net, out, FX_NN_PADDED);
		l->weight[h] = fx_nn_input(l->net, out, FX_NN_PADDED);
		if (h == FX_HEAD_DISTANCE)
			fx_nn_mse(l->net, fx_nn_tanh(l->net, l->head[h]), l->target[h],
				  l->weight[h], kind->scale);
		else
			fx_nn_bce(l->net, l->head[h], l->target[h], l->weight[h], 1, kind->scale);
	}
	return fx_nn_plan(l->net, FX_NN_TRAIN, err);
}

int fx_unetfit_init(struct fx_unetfit *f, const struct fx_unetfit_spec *spec, struct fx_error *err)
{
	int result;

	f->spec = *spec;
	f->optim = (struct fx_optim){
		.kind = FX_OPTIM_ADAM, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .clip_norm = 1
	};
	name_arch(f);
	if ((result = check(f, err)) < 0)
		return result;
	measure(f);
	digest_run(f);
	f->lanes = fx_calloc(spec->batch, sizeof *f->lanes);
	if (!f->lanes)
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu crops", spec->batch);
	for (size_t i = 0; i < spec->batch && result == FX_OK; i++)
		result = lane_init(&f->lanes[i], f, err);
	return result < 0 ? result : fx_optim_init(&f->optim, f->lanes[0].net, err);
}

void fx_unetfit_fini(struct fx_unetfit *f)
{
	for (size_t i = 0; f->lanes && i < f->spec.batch; i++) {
		fx_crop_fini(&f->lanes[i].crop);
		fx_nn_free(f->lanes[i].net);
	}
	free(f->lanes);
	fx_optim_fini(&f->optim);
	f->lanes = NULL;
}

/* The weights of @p s, which must be of the architecture that is trained. */
static int start_from(struct fx_unetfit *f, const struct fx_safetensors *s, struct fx_error *err)
{
	char own[FX_ARCH_TEXT_MAX], other[FX_ARCH_TEXT_MAX];
	const struct fx_nn *net = f->lanes[0].net;
	struct fx_arch arch;
	int result = fx_arch_of(&arch, s, err);

	if (result == FX_OK)
		result = fx_arch_print(&f->arch, own, err);
	if (result == FX_OK)
		result = fx_arch_print(&arch, other, err);
	if (result == FX_OK && (arch.kind != f->arch.kind || strcmp(own, other)))
		result = fx_error_set(err, FX_ETYPE, "a network %s %s, but %s %s is trained",
				      fx_arch_name(&arch), other, fx_arch_name(&f->arch), own);
	if (result == FX_OK)
		result = fx_nn_load(f->lanes[0].net, s, err);
	if (result < 0)
		return result;
	fx_unetfit_spread(f);
	f->digest = digest_of(net->weights, net->weights_len * sizeof *net->weights, f->digest);
	name_run(f);
	return FX_OK;
}

int fx_unetfit_start(struct fx_unetfit *f, const char *path, struct fx_error *err)
{
	struct fx_safetensors s = { 0 };
	int result = fx_safetensors_read(&s, path, FX_UNETMODEL_SIZE_MAX, err);

	if (result == FX_OK && (result = start_from(f, &s, err)) < 0)
		fx_error_prefix(err, "%s", path);
	fx_safetensors_fini(&s);
	return result;
}

int fx_unetfit_threads(const struct fx_unetfit *f)
{
	const int most = omp_get_max_threads();

	return f->spec.batch < (size_t)most ? (int)f->spec.batch : most;
}

/* Numbers of their own for every crop of the training. */
static struct fx_pcg crop_rng(const struct fx_unetfit *f, uint64_t crop)
{
	struct fx_pcg mix = fx_pcg_seed(f->spec.seed, crop);
	const uint64_t high = fx_pcg_next(&mix), low = fx_pcg_next(&mix);

	return fx_pcg_seed(high << 32 | low, crop);
}

void fx_unetfit_show(struct fx_unetfit_lane *l)
{
	fx_nn_put(l->net, l->in, l->crop.image);
	for (int h = 0; h < FX_HEADS; h++) {
		fx_nn_put(l->net, l->target[h], l->crop.target[h]);
		fx_nn_put(l->net, l->weight[h], l->crop.weight[h]);
	}
	l->loss = fx_nn_forward(l->net);
}

/* One crop forward and back. */
static void lane_step(struct fx_unetfit_lane *l, const struct fx_unetfit *f, uint64_t crop)
{
	struct fx_pcg rng = crop_rng(f, crop);

	l->err = fx_crop_draw(&l->crop, &f->spec.crop, f->spec.sources, f->spec.sources_len, &rng);
	if (l->err)
		return;
	fx_unetfit_show(l);
	fx_nn_zero_grads(l->net);
	fx_nn_backward(l->net);
}

/* Gradients of all lanes, averaged, to the first. */
static void gather(struct fx_unetfit *f)
{
	const size_t batch = f->spec.batch, n = f->lanes[0].net->weights_len;
	NN_REAL *sum = f->lanes[0].net->grads;

	for (size_t i = 1; i < batch; i++)
		for (size_t k = 0; k < n; k++)
			sum[k] += f->lanes[i].net->grads[k];
	for (size_t k = 0; k < n; k++)
		sum[k] /= (NN_REAL)batch;
}

void fx_unetfit_spread(struct fx_unetfit *f)
{
	const struct fx_nn *first = f->lanes[0].net;

	for (size_t i = 1; i < f->spec.batch; i++) {
		memcpy(f->lanes[i].net->weights, first->weights,
		       first->weights_len * sizeof *first->weights);
		fx_nn_touch(f->lanes[i].net);
	}
}

int fx_unetfit_step(struct fx_unetfit *f, struct fx_error *err)
{
	const struct fx_schedule schedule = { .rate = f->spec.rate,
					      .warmup = f->spec.warmup,
					      .total = f->spec.steps };
	const size_t batch = f->spec.batch;
	const uint64_t step = f->optim.step;
	double sum = 0;

#pragma omp parallel for schedule(static, 1) num_threads(fx_unetfit_threads(f))
	for (size_t i = 0; i < batch; i++)
		lane_step(&f->lanes[i], f, step * batch + i);
	for (size_t i = 0; i < batch; i++) {
		if (f->lanes[i].err)
			return fx_error_set(err, f->lanes[i].err, "cannot draw a crop: no memory");
		sum += f->lanes[i].loss;
	}
	gather(f);
	fx_optim_step(&f->optim, f->lanes[0].net, fx_schedule_rate(&schedule, step));
	f->optim.step = step + 1;
	fx_unetfit_spread(f);
	f->loss_sum += sum / (double)batch;
	f->loss_steps++;
	return FX_OK;
}

/* The curves as JSON: [[step, loss, aside loss, VOI, threshold], ...]. Owned by the caller; NULL
 * without memory. */
static char *print_points(const struct fx_unetfit *f)
{
	json_t *all = json_array();
	char *text;

	for (size_t i = 0; i < f->points_len; i++) {
		const struct fx_unetfit_point *p = &f->points[i];
		const double numbers[] = { p->step, p->loss, p->aside_loss, p->aside_voi,
					   p->threshold };
		json_t *row = json_array();

		for (size_t k = 0; k < 5; k++)
			json_array_append_new(row, isfinite(numbers[k]) ? json_real(numbers[k]) :
									  json_null());
		json_array_append_new(all, row);
	}
	text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(9));
	json_decref(all);
	return text;
}

static void parse_points(struct fx_unetfit *f, const char *text)
{
	json_t *all = json_loads(text ? text : "[]", 0, NULL), *row;
	size_t i;

	f->points_len = 0;
	json_array_foreach(all, i, row)
	{
		double n[5];

		for (size_t k = 0; k < 5; k++) {
			const json_t *v = json_array_get(row, k);

			n[k] = json_is_number(v) ? json_number_value(v) : (double)NAN;
		}
		if (f->points_len < FX_UNETFIT_POINTS_MAX)
			f->points[f->points_len++] =
				(struct fx_unetfit_point){ n[0], n[1], n[2], n[3], n[4] };
	}
	json_decref(all);
}

int fx_unetfit_save(const struct fx_unetfit *f, const char *path, bool going_on, const char *note,
		    struct fx_error *err)
{
	const double *v = f->spec.crop.voxel_nm;
	char args[FX_ARCH_TEXT_MAX], norm[96], voxel[96], seed[24], step[24], loss[64];
	char *curve = print_points(f);
	const struct fx_tensor_meta meta[] = {
		{ "arch", fx_arch_name(&f->arch) },
		{ "arch_args", args },
		{ "features", FX_UNETMODEL_FEATURES },
		{ "input_norm", norm },
		{ "voxel_nm", voxel },
		{ "seed", seed },
		{ "step", step },
		{ "run", f->run },
		{ "curve", curve },
		{ "loss_since", loss },
		{ "note", note },
	};
	const size_t len = sizeof meta / sizeof *meta - (*note ? 0 : 1);
	int result;

	snprintf(norm, sizeof norm, "{\"mean\":%.17g,\"sd\":%.17g}", f->spec.crop.mean,
		 f->spec.crop.sd);
	snprintf(voxel, sizeof voxel, "%.9g %.9g %.9g", v[0], v[1], v[2]);
	snprintf(seed, sizeof seed, "%" PRIu64, f->spec.seed);
	snprintf(step, sizeof step, "%" PRIu64, f->optim.step);
	snprintf(loss, sizeof loss, "%.17g %" PRIu64, f->loss_sum, f->loss_steps);
	if (!curve)
		result = fx_error_set(err, FX_ENOMEM, "no memory for the curves");
	else if ((result = fx_arch_print(&f->arch, args, err)) == FX_OK)
		result = fx_nn_save(f->lanes[0].net, going_on ? &f->optim : NULL, NULL, meta, len,
				    path, err);
	free(curve);
	return result;
}

/* The loss since the last point: "SUM STEPS". */
static void parse_loss(struct fx_unetfit *f, const char *text)
{
	if (!text || sscanf(text, "%lf %" SCNu64, &f->loss_sum, &f->loss_steps) != 2) {
		f->loss_sum = 0;
		f->loss_steps = 0;
	}
}

static int resume_from(struct fx_unetfit *f, const struct fx_safetensors *s, struct fx_error *err)
{
	const char *run = fx_safetensors_meta(s, "run");
	int result;

	if (!run || strcmp(run, f->run))
		return fx_error_set(err, FX_ETYPE, "it is of another training (%.90s, here %s)",
				    run ? run : "unknown", f->run);
	result = fx_nn_load(f->lanes[0].net, s, err);
	if (result == FX_OK)
		result = fx_nn_resume(f->lanes[0].net, &f->optim, NULL, s, err);
	if (result == FX_OK && f->optim.step > f->spec.steps)
		result = fx_error_set(err, FX_EINVAL, "it has more steps than the training");
	if (result < 0)
		return result == FX_ETYPE ? FX_EINVAL : result;
	parse_points(f, fx_safetensors_meta(s, "curve"));
	parse_loss(f, fx_safetensors_meta(s, "loss_since"));
	fx_unetfit_spread(f);
	return FX_OK;
}

int fx_unetfit_resume(struct fx_unetfit *f, const char *path, struct fx_error *err)
{
	struct fx_safetensors s = { 0 };
	int result;

	if (access(path, R_OK) != 0)
		return fx_error_set(err, FX_ENOENT, "%s: no checkpoint", path);
	result = fx_safetensors_read(&s, path, FX_UNETMODEL_SIZE_MAX, err);
	if (result < 0)
		result = result == FX_ENOMEM ? result : FX_ETYPE;
	else if ((result = resume_from(f, &s, err)) < 0)
		fx_error_prefix(err, "%s", path);
	fx_safetensors_fini(&s);
	return result;
}
