// SPDX-License-Identifier: Apache-2.0
/* texture.h: a smooth random picture that is known at every place, also between voxels. Include
 * after support/test.h. */
#ifndef FX_TESTS_TEXTURE_H
#define FX_TESTS_TEXTURE_H

#include <math.h>

#include "base/chance.h"

/** Evenly spread between 0 and 1. */
static inline double texture_chance(uint64_t *seed)
{
	return (double)(test_random(seed) >> 11) / 9007199254740992.0;
}

/** Cubic B-spline of random numbers between -1 and 1 at whole places. */
static inline double texture_octave(uint64_t seed, double y, double x)
{
	const double at[2] = { floor(y), floor(x) };
	double w[2][4], v = 0;

	for (int a = 0; a < 2; a++) {
		const double t = (a ? x : y) - at[a], u = 1 - t;

		w[a][0] = u * u * u / 6;
		w[a][1] = (4 - 6 * t * t + 3 * t * t * t) / 6;
		w[a][2] = (4 - 6 * u * u + 3 * u * u * u) / 6;
		w[a][3] = t * t * t / 6;
	}
	for (int j = 0; j < 4; j++)
		for (int i = 0; i < 4; i++) {
			const uint64_t bits = fx_chance_bits(seed, (uint64_t)(int64_t)(at[0] + j),
							     (uint64_t)(int64_t)(at[1] + i));

			v += w[0][j] * w[1][i] * ((double)(bits >> 11) / 4503599627370496.0 - 1);
		}
	return v;
}

/** The picture @p seed at (@p y, @p x): structures of 4 to 30 voxels, about 128 with a standard
 * deviation of 35, within 0..255. */
static inline double texture_at(uint64_t seed, double y, double x)
{
	const double v = 128 + 80 * texture_octave(seed, y / 4, x / 4) +
			 80 * texture_octave(seed + 1, y / 9, x / 9) +
			 60 * texture_octave(seed + 2, y / 20, x / 20);

	return v < 0 ? 0 : v > 255 ? 255 : v;
}

/** Fills @p height x @p width voxels: voxel (y, x) is the picture at map * (y, x, 1), plus noise of
 * standard deviation @p noise. */
static inline void texture_fill(uint64_t picture, uint8_t *to, size_t height, size_t width,
				const double map[2][3], double noise, uint64_t seed)
{
	for (size_t y = 0; y < height; y++)
		for (size_t x = 0; x < width; x++) {
			const double py = map[0][0] * (double)y + map[0][1] * (double)x + map[0][2],
				     px = map[1][0] * (double)y + map[1][1] * (double)x + map[1][2];
			double n = -6, v;

			for (int k = 0; noise > 0 && k < 12; k++)
				n += texture_chance(&seed);
			v = texture_at(picture, py, px) + noise * n + 0.5;
			to[y * width + x] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
		}
}

#endif
