// SPDX-License-Identifier: Apache-2.0
/* optim.c: SGD, Adam and AdamW. */
#include "nn/optim.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/op.h"

int fx_optim_init(struct fx_optim *o, const struct fx_nn *net, struct fx_error *err)
{
	const bool sgd = o->kind == FX_OPTIM_SGD;

	if (!(o->beta1 >= 0 && o->beta1 < 1) || !(o->decay >= 0) || !(o->clip_norm >= 0) ||
	    !(o->clip_each >= 0) || (!sgd && (!(o->beta2 >= 0 && o->beta2 < 1) || !(o->eps > 0))))
		return fx_error_set(err, FX_EINVAL,
				    "optimiser: betas of 0 to below 1, eps above 0 and decay and "
				    "clips of at least 0 are valid");
	if (!net->grads)
		return fx_error_set(err, FX_EINVAL,
				    "optimiser: the network is not planned for training");
	o->len = net->weights_len;
	o->m = fx_calloc(o->len, sizeof *o->m);
	o->v = sgd ? NULL : fx_calloc(o->len, sizeof *o->v);
	if (o->m && (sgd || o->v))
		return FX_OK;
	fx_optim_fini(o);
	return fx_error_set(err, FX_ENOMEM, "no memory for the moments of %zu weights",
			    net->weights_len);
}

void fx_optim_fini(struct fx_optim *o)
{
	free(o->m);
	free(o->v);
	o->m = o->v = NULL;
	o->len = 0;
}

static double squares(const NN_REAL *g, size_t n)
{
	double part[FX_NN_PARTS], sum = 0;

#pragma omp parallel for schedule(static)
	for (size_t p = 0; p < FX_NN_PARTS; p++) {
		part[p] = 0;
		for (size_t i = nn_part(n, p); i < nn_part(n, p + 1); i++)
			part[p] += (double)g[i] * (double)g[i];
	}
	for (size_t p = 0; p < FX_NN_PARTS; p++)
		sum += part[p];
	return sum;
}

static void clip(const struct fx_optim *o, NN_REAL *g, size_t n, double norm)
{
	const double over = o->clip_norm / (norm + 1e-6);
	const NN_REAL scale = o->clip_norm > 0 && over < 1 ? (NN_REAL)over : 1,
		      each = o->clip_each > 0 ? (NN_REAL)o->clip_each : (NN_REAL)INFINITY;

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++) {
		const NN_REAL x = g[i] * scale;

		g[i] = x > each ? each : x < -each ? -each : x;
	}
}

/* Factors of one step, equal for all weights of a tensor. */
struct factors {
	NN_REAL b1, b2, eps, rate, root2, added, shrink;
	bool first;
};

static void sgd_range(const struct factors *f, NN_REAL *w, const NN_REAL *g, NN_REAL *m, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const NN_REAL slope = g[i] + f->added * w[i];

		m[i] = f->first ? slope : f->b1 * m[i] + slope;
		w[i] -= f->rate * m[i];
	}
}

static void adam_range(const struct factors *f, NN_REAL *w, const NN_REAL *g, NN_REAL *m,
		       NN_REAL *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const NN_REAL slope = g[i] + f->added * w[i];

		m[i] = f->b1 * m[i] + (1 - f->b1) * slope;
		v[i] = f->b2 * v[i] + (1 - f->b2) * slope * slope;
		w[i] = w[i] * f->shrink - f->rate * m[i] / (NN_FN(sqrt)(v[i]) / f->root2 + f->eps);
	}
}

static struct factors step_factors(const struct fx_optim *o, double rate, bool decays)
{
	const double n = (double)o->step, decay = decays ? o->decay : 0;
	const bool adam = o->kind != FX_OPTIM_SGD, apart = o->kind == FX_OPTIM_ADAMW;

	return (struct factors){
		.b1 = (NN_REAL)o->beta1,
		.b2 = (NN_REAL)o->beta2,
		.eps = (NN_REAL)o->eps,
		.rate = (NN_REAL)(adam ? rate / (1 - pow(o->beta1, n)) : rate),
		.root2 = (NN_REAL)(adam ? sqrt(1 - pow(o->beta2, n)) : 1),
		.added = (NN_REAL)(apart ? 0 : decay),
		.shrink = (NN_REAL)(apart ? 1 - rate * decay : 1),
		.first = o->step == 1,
	};
}

static void step_param(const struct fx_optim *o, struct fx_nn *net, const struct fx_nn_param *p,
		       const struct factors *f)
{
	enum { CHUNK = 1 << 14 };

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < p->len; i += CHUNK) {
		const size_t at = p->at + i, n = p->len - i < CHUNK ? p->len - i : CHUNK;

		if (o->kind == FX_OPTIM_SGD)
			sgd_range(f, net->weights + at, net->grads + at, o->m + at, n);
		else
			adam_range(f, net->weights + at, net->grads + at, o->m + at, o->v + at, n);
	}
}

double fx_optim_step(struct fx_optim *o, struct fx_nn *net, double rate)
{
	const double norm = sqrt(squares(net->grads, net->weights_len));

	if (!isfinite(norm))
		return norm;
	if (o->clip_norm > 0 || o->clip_each > 0)
		clip(o, net->grads, net->weights_len, norm);
	o->step++;
	for (size_t i = 0; i < net->params_len; i++) {
		const struct factors f = step_factors(o, rate, net->params[i].decays);

		step_param(o, net, &net->params[i], &f);
	}
	net->stale = true;
	return norm;
}

double fx_schedule_rate(const struct fx_schedule *s, uint64_t step)
{
	double along;

	if (step < s->warmup)
		return s->rate * (double)(step + 1) / (double)s->warmup;
	if (!s->total)
		return s->rate;
	if (step >= s->total || s->total <= s->warmup)
		return s->floor;
	along = (double)(step - s->warmup) / (double)(s->total - s->warmup);
	return s->floor + (s->rate - s->floor) * 0.5 * (1 + cos(3.14159265358979323846 * along));
}
