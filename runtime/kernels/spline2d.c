// SPDX-License-Identifier: Apache-2.0
/* spline2d.c: interpolation of an image by cubic B-splines. */
#include "kernels/spline2d.h"

#include <stdint.h>
#include <string.h>

enum { STRIP = 64, ROWS = 8, HORIZON = 16 }; /* POLE^16 is below 1e-9 */

static const float POLE = -0.26794919243112270647F; /* sqrt(3) - 2 */

/* The index of the voxel that is mirrored at @p i: 0 1 2 ... n-1 n-2 ... 1 0 1 ... */
static int64_t mirror(int64_t i, int64_t n)
{
	const int64_t period = n > 1 ? 2 * n - 2 : 1;

	if (i >= 0 && i < n)
		return i;
	i %= period;
	if (i < 0)
		i += period;
	return i < n ? i : period - i;
}

/* Filters @p n values along an axis of stride @p stride, @p len neighbours of stride @p next at
 * once: 6 times the values, then one recursion there and one back. */
static inline __attribute__((always_inline)) void filter(float *c, size_t n, size_t stride,
							 size_t len, size_t next)
{
	float sum[STRIP] = { 0 };
	const float back = POLE / (POLE * POLE - 1);

	for (int64_t k = HORIZON; k >= 0; k--) {
		const float *from = c + (size_t)mirror(k, (int64_t)n) * stride;

		for (size_t j = 0; j < len; j++)
			sum[j] = sum[j] * POLE + 6 * from[j * next];
	}
	for (size_t j = 0; j < len; j++)
		c[j * next] = sum[j];
	for (size_t i = 1; i < n; i++) {
		float *const at = c + i * stride;

		for (size_t j = 0; j < len; j++)
			at[j * next] = 6 * at[j * next] + POLE * (at - stride)[j * next];
	}
	for (size_t j = 0; j < len; j++) {
		float *const at = c + (n - 1) * stride + j * next;

		*at = back * (*at + POLE * *(at - stride));
	}
	for (size_t i = n - 1; i-- > 0;) {
		float *const at = c + i * stride;

		for (size_t j = 0; j < len; j++)
			at[j * next] = POLE * ((at + stride)[j * next] - at[j * next]);
	}
}

static void filter_columns(float *c, size_t h, size_t w, size_t len)
{
	if (len == STRIP)
		filter(c, h, w, STRIP, 1);
	else
		filter(c, h, w, len, 1);
}

/* Several rows at once: each value of a row waits for the one before. */
static void filter_rows(float *c, size_t w, size_t len)
{
	if (len == ROWS)
		filter(c, w, 1, ROWS, w);
	else
		filter(c, w, 1, len, w);
}

void fx_spline2d_prepare(float *c, size_t h, size_t w)
{
	const size_t strips = h > 1 ? (w + STRIP - 1) / STRIP : 0;
	const size_t bands = w > 1 ? (h + ROWS - 1) / ROWS : 0;

#pragma omp parallel for schedule(static) if (h * w > 16384)
	for (size_t s = 0; s < strips; s++)
		filter_columns(c + s * STRIP, h, w, w - s * STRIP < STRIP ? w - s * STRIP : STRIP);
#pragma omp parallel for schedule(static) if (h * w > 16384)
	for (size_t b = 0; b < bands; b++)
		filter_rows(c + b * ROWS * w, w, h - b * ROWS < ROWS ? h - b * ROWS : ROWS);
}

/* Four numbers that are added and multiplied at once. */
typedef float four __attribute__((vector_size(16)));

static inline four load(const float *from)
{
	four v;

	memcpy(&v, from, sizeof v);
	return v;
}

/* Weights of the four coefficients around the phase @p t, 0 to 1: one cubic each. */
static inline four weigh(float t)
{
	const four cubic = { -1 / 6.0F, 0.5F, -0.5F, 1 / 6.0F }, square = { 0.5F, -1, 0.5F, 0 };
	const four linear = { -0.5F, 0, 0.5F, 0 }, constant = { 1 / 6.0F, 4 / 6.0F, 1 / 6.0F, 0 };

	return ((cubic * t + square) * t + linear) * t + constant;
}

/* The four by four coefficients from row @p y, column @p x on, some of them beyond the rim. */
static void gather(const float *c, int64_t h, int64_t w, int64_t y, int64_t x, four rows[4])
{
	for (int i = 0; i < 4; i++) {
		const float *const row = c + mirror(y + i, h) * w;
		float v[4];

		for (int j = 0; j < 4; j++)
			v[j] = row[mirror(x + j, w)];
		rows[i] = load(v);
	}
}

static int64_t below(double v)
{
	const int64_t i = (int64_t)v;

	return i - (v < (double)i);
}

float fx_spline2d_at(const float *c, size_t h, size_t w, double y, double x)
{
	const int64_t y0 = below(y) - 1, x0 = below(x) - 1;
	const four wy = weigh((float)(y - (double)(y0 + 1)));
	const four wx = weigh((float)(x - (double)(x0 + 1)));
	four rows[4], sum;

	if (y0 >= 0 && x0 >= 0 && y0 + 4 <= (int64_t)h && x0 + 4 <= (int64_t)w) {
		const float *const from = c + (size_t)y0 * w + (size_t)x0;

		for (size_t i = 0; i < 4; i++)
			rows[i] = load(from + i * w);
	} else {
		gather(c, (int64_t)h, (int64_t)w, y0, x0, rows);
	}
	sum = wx * (wy[0] * rows[0] + wy[1] * rows[1] + wy[2] * rows[2] + wy[3] * rows[3]);
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}
