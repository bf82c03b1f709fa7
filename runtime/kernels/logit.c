// SPDX-License-Identifier: Apache-2.0
/* logit.c: logits of faces as heights, depths and boundaries. */
#include "kernels/logit.h"

#include <string.h>

enum { SPAN = 1 << 14 };

static const float LARGEST = 30; /* the sigmoid of more is 1 in float */

/* 1 / (1 + exp(-x)): 2^n times a polynomial of what is left, minimax on |f| <= ln 2 / 2. */
static inline float sigmoid(float x)
{
	const float cut = x > -LARGEST ? x : -LARGEST, v = cut < LARGEST ? -cut : -LARGEST,
		    scaled = v * 1.44269504F;
	const int32_t n = (int32_t)(scaled + 64.5F) - 64;
	const float f = v - (float)n * 0.693359375F + (float)n * 2.12194440e-4F;
	const float p =
		1 + f * (1 + f * (0.5F + f * (0.16666654F +
					      f * (0.041665795F +
						   f * (0.0083334519F + f * 0.0013981999F)))));
	const int32_t bits = (n + 127) * (1 << 23);
	float power;

	memcpy(&power, &bits, sizeof power);
	return 1 / (1 + p * power);
}

static void heights_span(uint8_t *restrict out, const float *restrict logit, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(int32_t)(255.5F - 255 * sigmoid(logit[i]));
}

void fx_logit_heights(uint8_t *out, const float *logit, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i += SPAN)
		heights_span(out + i, logit + i, len - i < SPAN ? len - i : SPAN);
}

static void tanh_span(float *v, size_t len)
{
	for (size_t i = 0; i < len; i++)
		v[i] = 2 * sigmoid(2 * v[i]) - 1;
}

void fx_logit_tanh(float *v, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i += SPAN)
		tanh_span(v + i, len - i < SPAN ? len - i : SPAN);
}

static void larger(uint8_t *restrict to, const uint8_t *restrict v, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = v[i] > to[i] ? v[i] : to[i];
}

void fx_faces_boundary(uint8_t *boundary, const uint8_t *const face[3], const size_t shape[3])
{
	const size_t n = shape[2];

#pragma omp parallel for schedule(static)
	for (size_t row = 0; row < shape[0] * shape[1]; row++) {
		const size_t at = row * n;

		memcpy(boundary + at, face[2] + at, n);
		boundary[at] = 0;
		if (row % shape[1])
			larger(boundary + at, face[1] + at, n);
		if (row >= shape[1])
			larger(boundary + at, face[0] + at, n);
	}
}

void fx_heights_mean(uint8_t *out, const uint8_t *a, const uint8_t *b, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)((a[i] + b[i] + 1) / 2);
}
