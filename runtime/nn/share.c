// SPDX-License-Identifier: Apache-2.0
/* share.c: what several layers use: pads, sums in parts, matrix products. */
#include "nn/op.h"

#include <string.h>

#include <cblas.h>

void fx_nn_zero_pads(const struct fx_nn_value *v, NN_REAL *array)
{
	const size_t spans = nn_spans(v), step = nn_step(v);
	size_t at = 0;

	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(v, i);

		memset(array + at, 0, (s.at - at) * sizeof *array);
		at = s.at + s.voxels * step;
	}
	memset(array + at, 0, (v->size - at) * sizeof *array);
}

void fx_nn_zero_slots(const struct fx_nn_value *v, NN_REAL *array)
{
	const size_t c = v->shape.c, step = nn_step(v);

	for (size_t i = 0; i < nn_spans(v) && c < step; i++) {
		const struct nn_span s = nn_span(v, i);

		for (size_t x = 0; x < s.voxels; x++)
			memset(array + s.at + x * step + c, 0, (step - c) * sizeof *array);
	}
}

void fx_nn_add_parts(NN_REAL *to, const NN_REAL *parts, size_t n)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++) {
		NN_REAL sum = 0;

		for (size_t p = 0; p < FX_NN_PARTS; p++)
			sum += parts[p * n + i];
		to[i] += sum;
	}
}

static void bias_part(NN_REAL *sum, const struct fx_nn_value *v, size_t part)
{
	const size_t c = v->shape.c, step = nn_step(v), spans = nn_spans(v);

	memset(sum, 0, c * sizeof *sum);
	for (size_t i = nn_part(spans, part); i < nn_part(spans, part + 1); i++) {
		const struct nn_span s = nn_span(v, i);
		const NN_REAL *g = v->grad + s.at;

		for (size_t x = 0; x < s.voxels; x++, g += step)
			for (size_t k = 0; k < c; k++)
				sum[k] += g[k];
	}
}

void fx_nn_bias_grads(NN_REAL *bias_grad, const struct fx_nn_value *v, NN_REAL *scratch)
{
#pragma omp parallel for schedule(static)
	for (size_t p = 0; p < FX_NN_PARTS; p++)
		bias_part(scratch + p * v->shape.c, v, p);
	fx_nn_add_parts(bias_grad, scratch, v->shape.c);
}

void fx_nn_mask_relu(const struct fx_nn_value *v)
{
	const size_t spans = nn_spans(v), step = nn_step(v);

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < spans; i++) {
		const struct nn_span s = nn_span(v, i);
		NN_REAL *g = v->grad + s.at;
		const NN_REAL *y = v->data + s.at;

		for (size_t k = 0; k < s.voxels * step; k++)
			g[k] = y[k] > 0 ? g[k] : 0;
	}
}

void fx_nn_gemm(bool ta, bool tb, size_t m, size_t n, size_t k, NN_REAL alpha, const NN_REAL *a,
		size_t lda, const NN_REAL *b, size_t ldb, NN_REAL beta, NN_REAL *c, size_t ldc)
{
	enum { ROWS = 256 };

#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < m; i += ROWS)
		NN_BLAS(gemm)
	(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
	 (int)(m - i < ROWS ? m - i : ROWS), (int)n, (int)k, alpha, a + (ta ? i : i * lda),
	 (int)lda, b, (int)ldb, beta, c + i * ldc, (int)ldc);
}
