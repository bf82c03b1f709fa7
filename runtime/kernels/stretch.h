// SPDX-License-Identifier: Apache-2.0
/* stretch.h: point transforms of grey values, as tables with one entry a grey value. */
#ifndef FX_KERNELS_STRETCH_H
#define FX_KERNELS_STRETCH_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

/** The line through (@p low, @p out_low) and (@p high, @p out_high), rounded and cut to 0..255, for
 * each of @p bins grey values. With high <= low: 0 below low, 128 at it, 255 above. */
void fx_stretch_table(double low, double high, double out_low, double out_high, uint8_t *table,
		      size_t bins);
/** (v - @p mean) / @p sd for each of @p bins grey values; @p sd above 0. */
void fx_zscore_table(double mean, double sd, float *table, size_t bins);
/** dst[i] = table[voxel i], of @p n voxels of type u8 or u16. */
void fx_table_u8(uint8_t *dst, const void *voxels, enum fx_dtype dtype, size_t n,
		 const uint8_t *table);
void fx_table_f32(float *dst, const void *voxels, enum fx_dtype dtype, size_t n,
		  const float *table);

#endif
