// SPDX-License-Identifier: Apache-2.0
/* phantom_noise.c: smooth random fields without stored state. */
#include "kernels/phantom_noise.h"

#include <math.h>

double fx_noise_normal(uint64_t *state)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += fx_noise_next(state);
	return sum - 6;
}

double fx_noise_exp(double v)
{
	double e = 1 + v / 65536;

	for (int i = 0; i < 16; i++)
		e *= e;
	return e;
}

/* Weights of the four lattice values around the phase @p t, 0 to 1: uniform cubic B-spline. */
static void spline(float t, float w[4])
{
	const float u = 1 - t;

	w[0] = u * u * u / 6;
	w[1] = (4 - 6 * t * t + 3 * t * t * t) / 6;
	w[2] = (4 - 6 * u * u + 3 * u * u * u) / 6;
	w[3] = t * t * t / 6;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

float fx_noise_line(uint64_t key, double at)
{
	const double cell = floor(at);
	float w[4], sum = 0;

	spline((float)(at - cell), w);
	for (int i = 0; i < 4; i++)
		sum += w[i] * fx_noise_unit(fx_noise_at(key, 0, 0, (int64_t)cell + i));
	return sum * 1.5f;
}

void fx_noise_space(uint64_t seed, const double zyx[3], float out[2])
{
	float w[3][4];
	int64_t cell[3];

	for (int a = 0; a < 3; a++) {
		cell[a] = (int64_t)floor(zyx[a]);
		spline((float)(zyx[a] - (double)cell[a]), w[a]);
	}
	out[0] = out[1] = 0;
	for (int i = 0; i < 64; i++) {
		const int z = i / 16, y = i / 4 % 4, x = i % 4;
		const uint64_t bits = fx_noise_at(seed, cell[0] + z, cell[1] + y, cell[2] + x);
		const float weight = w[0][z] * w[1][y] * w[2][x] * 2;

		out[0] += weight * fx_noise_unit(bits);
		out[1] += weight * fx_noise_unit(bits >> 32);
	}
}

void fx_noise_patch(const struct fx_noise_field *f, int64_t z, int64_t y, int64_t x, int h, int w,
		    int components, struct fx_noise_patch *patch)
{
	const int64_t z_lo = floor_div(z, f->step[0]);
	const int64_t y_hi = floor_div(y + h - 1, f->step[1]) + 4;
	const int64_t x_hi = floor_div(x + w - 1, f->step[2]) + 4;
	float wz[4];

	spline((float)(z - z_lo * f->step[0]) / (float)f->step[0], wz);
	patch->lo[0] = floor_div(y, f->step[1]);
	patch->lo[1] = floor_div(x, f->step[2]);
	for (int64_t i = patch->lo[0]; i < y_hi; i++) {
		for (int64_t j = patch->lo[1]; j < x_hi; j++) {
			float v[2] = { 0, 0 };

			for (int k = 0; k < 4; k++) {
				const uint64_t bits = fx_noise_at(f->seed, z_lo + k, i, j);

				v[0] += wz[k] * fx_noise_unit(bits);
				v[1] += wz[k] * fx_noise_unit(bits >> 32);
			}
			for (int c = 0; c < components; c++)
				patch->v[c][i - patch->lo[0]][j - patch->lo[1]] =
					v[c] * f->scale[c];
		}
	}
}

void fx_noise_row(const struct fx_noise_field *f, const struct fx_noise_patch *patch, int c,
		  int64_t y, int64_t x, int w, float *out)
{
	const int64_t row = floor_div(y, f->step[1]), x_last = floor_div(x + w - 1, f->step[2]);
	const float per_voxel = 1 / (float)f->step[2], sixth = 1.0f / 6;
	float wy[4], column[FX_NOISE_LATTICE];
	int64_t phase = x - floor_div(x, f->step[2]) * f->step[2];
	int j = (int)(floor_div(x, f->step[2]) - patch->lo[1]);

	spline((float)(y - row * f->step[1]) / (float)f->step[1], wy);
	for (int k = j; k < (int)(x_last - patch->lo[1]) + 4; k++) {
		const float(*v)[FX_NOISE_LATTICE] = patch->v[c] + (row - patch->lo[0]);

		column[k] = wy[0] * v[0][k] + wy[1] * v[1][k] + wy[2] * v[2][k] + wy[3] * v[3][k];
	}
	for (int i = 0; i < w; j++, phase = 0) {
		const float *v = column + j;
		const float a = (v[0] + 4 * v[1] + v[2]) * sixth;
		const float b = (v[2] - v[0]) * 0.5f;
		const float d = (v[0] - 2 * v[1] + v[2]) * 0.5f;
		const float e = (v[3] - v[0] + 3 * (v[1] - v[2])) * sixth;

		const int n = (int)(f->step[2] - phase < w - i ? f->step[2] - phase : w - i);

		for (int k = 0; k < n; k++) {
			const float t = (float)((int)phase + k) * per_voxel;

			out[i + k] += a + t * (b + t * (d + t * e));
		}
		i += n;
	}
}
