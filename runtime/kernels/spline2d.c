// SPDX-License-Identifier: Apache-2.0
/* spline2d.c: interpolation of an image by cubic B-splines. */
#include "kernels/spline2d.h"

#include <stdint.h>
#include <string.h>

enum { STRIP = 64, HORIZON = 16 }; /* POLE^16 is below 1e-9 */

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

/* Filters @p n values along an axis of stride @p stride, @p len neighbours at once: 6 times the
 * values, then one recursion there and one back. */
static void filter(float *c, size_t n, size_t stride, size_t len)
{
	float sum[STRIP] = { 0 };
	const float back = POLE / (POLE * POLE - 1);

	if (n < 2)
		return;
	for (int64_t k = HORIZON; k >= 0; k--) {
		const float *from = c + (size_t)mirror(k, (int64_t)n) * stride;

		for (size_t j = 0; j < len; j++)
			sum[j] = sum[j] * POLE + 6 * from[j];
	}
	memcpy(c, sum, len * sizeof *c);
	for (size_t i = 1; i < n; i++)
		for (size_t j = 0; j < len; j++)
			c[i * stride + j] = 6 * c[i * stride + j] + POLE * c[(i - 1) * stride + j];
	for (size_t j = 0; j < len; j++)
		c[(n - 1) * stride + j] =
			back * (c[(n - 1) * stride + j] + POLE * c[(n - 2) * stride + j]);
	for (size_t i = n - 1; i-- > 0;)
		for (size_t j = 0; j < len; j++)
			c[i * stride + j] = POLE * (c[(i + 1) * stride + j] - c[i * stride + j]);
}

void fx_spline2d_prepare(float *c, size_t h, size_t w)
{
	const size_t strips = (w + STRIP - 1) / STRIP;

#pragma omp parallel for schedule(static) if (h * w > 16384)
	for (size_t s = 0; s < strips; s++)
		filter(c + s * STRIP, h, w, w - s * STRIP < STRIP ? w - s * STRIP : STRIP);
#pragma omp parallel for schedule(static) if (h * w > 16384)
	for (size_t y = 0; y < h; y++)
		filter(c + y * w, w, 1, 1);
}

/* Weights of the four coefficients around the phase @p t, 0 to 1. */
static void weigh(float t, float w[4])
{
	const float u = 1 - t;

	w[0] = u * u * u / 6;
	w[1] = (4 - 3 * t * t * (2 - t)) / 6;
	w[2] = (4 - 3 * u * u * (2 - u)) / 6;
	w[3] = t * t * t / 6;
}

static int64_t below(double v)
{
	const int64_t i = (int64_t)v;

	return i - (v < (double)i);
}

float fx_spline2d_at(const float *c, size_t h, size_t w, double y, double x)
{
	const int64_t rows = (int64_t)h, columns = (int64_t)w;
	const int64_t y0 = below(y) - 1, x0 = below(x) - 1;
	float wy[4], wx[4], sum = 0;

	weigh((float)(y - (double)(y0 + 1)), wy);
	weigh((float)(x - (double)(x0 + 1)), wx);
	if (y0 >= 0 && x0 >= 0 && y0 + 4 <= rows && x0 + 4 <= columns) {
		const float *row = c + (size_t)y0 * w + (size_t)x0;

		for (int i = 0; i < 4; i++, row += w)
			sum += wy[i] *
			       (wx[0] * row[0] + wx[1] * row[1] + wx[2] * row[2] + wx[3] * row[3]);
		return sum;
	}
	for (int i = 0; i < 4; i++) {
		const float *row = c + (size_t)mirror(y0 + i, rows) * w;
		float part = 0;

		for (int j = 0; j < 4; j++)
			part += wx[j] * row[mirror(x0 + j, columns)];
		sum += wy[i] * part;
	}
	return sum;
}
