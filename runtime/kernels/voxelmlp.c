// SPDX-License-Identifier: Apache-2.0
/* voxelmlp.c: linear layers in register blocks of 6 outputs x 16 voxels. */
#include "kernels/voxelmlp.h"

#include <math.h>
#include <omp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "base/alloc.h"

/* A product and its sum are one rounding wherever the CPU has FMA. */
#ifdef __clang__
#pragma clang fp contract(fast)
#else
#pragma GCC optimize("fp-contract=fast")
#endif

enum { GROUP = 6, TILE = 16 };

#define TARGET
#define LANES	4
#define NAME(x) portable_##x
#include "kernels/voxelmlp_tmpl.c"
#undef TARGET

#ifdef __x86_64__
#define TARGET	__attribute__((target("avx2,fma")))
#define LANES	8
#define NAME(x) avx2_##x
#include "kernels/voxelmlp_tmpl.c"
#undef TARGET
#endif

typedef void group_fn(float *, size_t, const float *, size_t, size_t, const float *, size_t, bool);

static group_fn *choose_group(void)
{
#ifdef __x86_64__
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		return avx2_group;
#endif
	return portable_group;
}

int fx_voxelmlp_add(struct fx_voxelmlp *m, const float *weight, const float *bias, size_t in,
		    size_t out)
{
	const size_t groups = (out + GROUP - 1) / GROUP, n = m->layers;
	float *to;

	if (!in || !out || in > FX_VOXELMLP_WIDTH_MAX || out > FX_VOXELMLP_WIDTH_MAX ||
	    n == FX_VOXELMLP_LAYERS_MAX || (n && m->out[n - 1] != in))
		return FX_EINVAL;
	to = fx_calloc(groups * (in + 1) * GROUP, sizeof *to);
	if (!to)
		return FX_ENOMEM;
	for (size_t o = 0; o < out; o++) {
		float *row = to + o / GROUP * (in + 1) * GROUP + o % GROUP;

		row[0] = bias[o];
		for (size_t i = 0; i < in; i++)
			row[(i + 1) * GROUP] = weight[o * in + i];
	}
	m->in[n] = in;
	m->out[n] = out;
	m->packed[n] = to;
	m->layers++;
	return FX_OK;
}

void fx_voxelmlp_fini(struct fx_voxelmlp *m)
{
	for (size_t i = 0; i < m->layers; i++)
		free(m->packed[i]);
	memset(m, 0, sizeof *m);
}

static size_t widest(const struct fx_voxelmlp *m)
{
	size_t most = 1;

	for (size_t i = 0; i < m->layers; i++)
		most = m->out[i] > most ? m->out[i] : most;
	return most;
}

size_t fx_voxelmlp_scratch(const struct fx_voxelmlp *m)
{
	return 2 * TILE * widest(m);
}

void fx_voxelmlp_run(const struct fx_voxelmlp *m, float *out, const float *in, size_t n,
		     size_t stride, float *scratch)
{
	group_fn *const group = choose_group();
	const size_t half = TILE * widest(m);

	for (size_t x = 0; x < n; x += TILE) {
		const float *from = in + x;
		size_t from_step = stride;

		for (size_t i = 0; i < m->layers; i++) {
			const bool last = i + 1 == m->layers;
			float *to = last ? out + x : scratch + i % 2 * half;
			const size_t to_step = last ? stride : TILE;

			for (size_t o = 0; o < m->out[i]; o += GROUP)
				group(to + o * to_step, to_step, from, from_step, m->in[i],
				      m->packed[i] + o * (m->in[i] + 1), m->out[i] - o, !last);
			from = to;
			from_step = to_step;
		}
	}
}

static void logistic_row(uint8_t *out, const float *logit, size_t n)
{
	for (size_t x = 0; x < n; x++) {
		const float p = 1 / (1 + expf(-logit[x]));

		out[x] = (uint8_t)(p >= 0 ? p * 255 + 0.5F : 0);
	}
}

int fx_voxelmlp_boundary(const struct fx_voxelmlp *m, const struct fx_features *f,
			 uint8_t *boundary)
{
	const size_t rows = f->shape[0] * f->shape[1], n = f->shape[2],
		     stride = (n + TILE - 1) / TILE * TILE,
		     part = (FX_FEATURES + 1) * stride + fx_features_scratch(f) +
			    fx_voxelmlp_scratch(m);
	float *scratch;

	if (!m->layers || m->in[0] != FX_FEATURES || m->out[m->layers - 1] != 1)
		return FX_EINVAL;
	scratch = fx_calloc(part * (size_t)omp_get_max_threads(), sizeof *scratch);
	if (!scratch)
		return FX_ENOMEM;
#pragma omp parallel for schedule(static)
	for (size_t row = 0; row < rows; row++) {
		float *in = scratch + part * (size_t)omp_get_thread_num(),
		      *out = in + FX_FEATURES * stride, *rest = out + stride;

		fx_features_row(f, row / f->shape[1], row % f->shape[1], in, stride, rest);
		fx_voxelmlp_run(m, out, in, n, stride, rest + fx_features_scratch(f));
		logistic_row(boundary + row * n, out, n);
	}
	free(scratch);
	return FX_OK;
}
