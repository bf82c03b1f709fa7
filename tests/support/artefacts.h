// SPDX-License-Identifier: Apache-2.0
/* artefacts.h: sections of smooth texture that changes slowly along z, and what spoils them. All
 * are blocks of u8 on the heap, one section or more; a section is named by its z.
 * Include after support/test.h. */
#ifndef FX_TESTS_ARTEFACTS_H
#define FX_TESTS_ARTEFACTS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/block.h>

#include "kernels/gauss.h"

static inline uint8_t artefacts_grey(double v)
{
	return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : lrint(v));
}

/** About a normal deviate. */
static inline double artefacts_normal(uint64_t *seed)
{
	double sum = 0;

	for (int i = 0; i < 12; i++)
		sum += (double)(test_random(seed) >> 11) / 9007199254740992.0;
	return sum - 6;
}

/** A volume of texture: mean 128, standard deviation 30, structures of about 3 voxels, and white
 * noise of deviation @p noise. */
static inline struct fx_block *artefacts_volume(size_t z, size_t y, size_t x, double noise,
						uint64_t seed)
{
	static const double sigma[3] = { 2, 1.6, 1.6 };
	static const int order[3] = { 0, 0, 0 };
	struct fx_block *v = fx_block_new(FX_U8, z, y, x);
	const size_t n = z * y * x;
	float *raw = calloc(n, sizeof *raw), *smooth = calloc(n, sizeof *smooth);
	double square = 0;

	assert_true(v && raw && smooth);
	for (size_t i = 0; i < n; i++)
		raw[i] = (float)artefacts_normal(&seed);
	assert_int_equal(fx_gauss(smooth, raw, v->shape, sigma, order), 0);
	for (size_t i = 0; i < n; i++)
		square += (double)smooth[i] * (double)smooth[i];
	for (size_t i = 0; i < n; i++)
		((uint8_t *)v->data)[i] =
			artefacts_grey(128 + (double)smooth[i] / sqrt(square / (double)n) * 30 +
				       noise * artefacts_normal(&seed));
	free(raw);
	free(smooth);
	return v;
}

static inline uint8_t *artefacts_section(const struct fx_block *v, size_t z)
{
	return (uint8_t *)v->data + z * v->shape[1] * v->shape[2];
}

/** Blurs section @p z by a Gaussian of @p sigma voxels, and adds noise. */
static inline void artefacts_blur(struct fx_block *v, size_t z, double by, double noise)
{
	const size_t shape[3] = { 1, v->shape[1], v->shape[2] }, n = shape[1] * shape[2];
	const double sigma[3] = { 0, by, by };
	static const int order[3] = { 0, 0, 0 };
	uint8_t *p = artefacts_section(v, z);
	float *in = calloc(n, sizeof *in), *out = calloc(n, sizeof *out);
	uint64_t seed = z + 77;

	assert_true(in && out);
	for (size_t i = 0; i < n; i++)
		in[i] = p[i];
	assert_int_equal(fx_gauss(out, in, shape, sigma, order), 0);
	for (size_t i = 0; i < n; i++)
		p[i] = artefacts_grey((double)out[i] + noise * artefacts_normal(&seed));
	free(in);
	free(out);
}

/** Grey values of section @p z times @p gain plus @p offset plus noise of deviation @p noise. */
static inline void artefacts_grade(struct fx_block *v, size_t z, double gain, double offset,
				   double noise)
{
	uint8_t *p = artefacts_section(v, z);
	uint64_t seed = z + 99;

	for (size_t i = 0; i < v->shape[1] * v->shape[2]; i++)
		p[i] = artefacts_grey(p[i] * gain + offset + noise * artefacts_normal(&seed));
}

/** Bright rows, as charging makes them: one of ten begins a streak of three rows. */
static inline void artefacts_charge(struct fx_block *v, size_t z, double strength)
{
	uint8_t *p = artefacts_section(v, z);
	uint64_t seed = z + 55;
	double level = 0;

	for (size_t y = 0; y < v->shape[1]; y++) {
		level = test_random(&seed) % 10 == 0 ? strength : level * 0.6;
		for (size_t x = 0; x < v->shape[2]; x++)
			p[y * v->shape[2] + x] = artefacts_grey(p[y * v->shape[2] + x] + level);
	}
}

/** A dark band of @p width voxels across the section, from top to bottom, leaning. */
static inline void artefacts_fold(struct fx_block *v, size_t z, size_t width)
{
	uint8_t *p = artefacts_section(v, z);

	for (size_t y = 0; y < v->shape[1]; y++)
		for (size_t i = 0; i < width; i++) {
			const size_t x = v->shape[2] / 3 + y / 4 + i;

			if (x < v->shape[2])
				p[y * v->shape[2] + x] /= 6;
		}
}

#endif
