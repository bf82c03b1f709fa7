// SPDX-License-Identifier: Apache-2.0
/* real.h: voxels that files have as float64 or float16, and that are f32 here. */
#ifndef FX_FORMATS_REAL_H
#define FX_FORMATS_REAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What a file has, by its bytes; FX_REAL_NOT: voxels of which there are such here. */
enum fx_real { FX_REAL_NOT = 0, FX_REAL_F16 = 2, FX_REAL_F64 = 8 };

/** Makes @p n floats of every @p stride-th voxel from @p from on (any alignment; @p turn: of the
 * other byte order than the machine): the nearest, infinity where float32 ends, which float16 never
 * needs. True when some is not exactly what it was. */
bool fx_real_read(enum fx_real real, const void *from, size_t n, size_t stride, bool turn,
		  float *out);
/** The same of bits that metadata state. */
float fx_real_of_bits(enum fx_real real, uint64_t bits);

#endif
