// SPDX-License-Identifier: Apache-2.0
/* stretch.c: point transforms of grey values. */
#include "kernels/stretch.h"

#include <math.h>

static uint8_t stretch_one(double v, double low, double high, double out_low, double out_high)
{
	double out;

	if (high <= low)
		return v < low ? 0 : v > low ? 255 : 128;
	out = floor(out_low + (v - low) / (high - low) * (out_high - out_low) + 0.5);
	return out <= 0 ? 0 : out >= 255 ? 255 : (uint8_t)out;
}

void fx_stretch_table(double low, double high, double out_low, double out_high, uint8_t *table,
		      size_t bins)
{
	for (size_t b = 0; b < bins; b++)
		table[b] = stretch_one((double)b, low, high, out_low, out_high);
}

void fx_zscore_table(double mean, double sd, float *table, size_t bins)
{
	for (size_t b = 0; b < bins; b++)
		table[b] = (float)(((double)b - mean) / sd);
}

void fx_table_u8(uint8_t *dst, const void *voxels, enum fx_dtype dtype, size_t n,
		 const uint8_t *table)
{
	const uint8_t *v8 = voxels;
	const uint16_t *v16 = voxels;

	for (size_t i = 0; i < n; i++)
		dst[i] = table[dtype == FX_U8 ? v8[i] : v16[i]];
}

void fx_table_f32(float *dst, const void *voxels, enum fx_dtype dtype, size_t n, const float *table)
{
	const uint8_t *v8 = voxels;
	const uint16_t *v16 = voxels;

	for (size_t i = 0; i < n; i++)
		dst[i] = table[dtype == FX_U8 ? v8[i] : v16[i]];
}
