// SPDX-License-Identifier: Apache-2.0
/* real.c: voxels that files have as float64 or float16, and that are f32 here. */
#include "formats/real.h"

#include <math.h>
#include <string.h>

#include "kernels/half.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");

static double number_of(enum fx_real real, uint64_t bits)
{
	double d;

	if (real == FX_REAL_F16)
		return (double)fx_half_value((uint16_t)bits);
	memcpy(&d, &bits, sizeof d);
	return d;
}

float fx_real_of_bits(enum fx_real real, uint64_t bits)
{
	return (float)number_of(real, bits);
}

bool fx_real_read(enum fx_real real, const void *from, size_t n, size_t stride, bool turn,
		  float *out)
{
	const uint8_t *at = from;
	bool rounded = false;

	for (size_t i = 0; i < n; i++, at += stride * real) {
		uint64_t bits = 0;
		double d;

		memcpy(&bits, at, real);
		if (turn)
			bits = __builtin_bswap64(bits) >> (64 - 8 * real);
		d = number_of(real, bits);
		out[i] = (float)d;
		rounded = rounded || (!isnan(d) && (double)out[i] != d);
	}
	return rounded;
}
