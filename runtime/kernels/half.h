// SPDX-License-Identifier: Apache-2.0
/* half.h: numbers of 16 bits (IEEE 754 binary16), as bits. */
#ifndef FX_KERNELS_HALF_H
#define FX_KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

static inline uint32_t fx__float_bits(float v)
{
	uint32_t bits;

	memcpy(&bits, &v, sizeof bits);
	return bits;
}

static inline float fx__float_of(uint32_t bits)
{
	float v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

/** The nearest half, the even one of two; infinity from 65520 on; not a number stays that. */
static inline uint16_t fx_half(float v)
{
	const uint32_t bits = fx__float_bits(v), sign = bits >> 16 & 0x8000,
		       size = bits & 0x7fffffff;
	uint32_t half;

	if (size > 0x7f800000)
		half = 0x7e00;
	else if (size >= 0x477ff000)
		half = 0x7c00;
	else if (size < 0x38800000) /* below 2^-14: the last bit of 0.5 + v is that of the half */
		half = fx__float_bits(fx__float_of(size) + 0.5F) - fx__float_bits(0.5F);
	else
		half = (size - 0x38000000 + 0xfff + (size >> 13 & 1)) >> 13;
	return (uint16_t)(sign | half);
}

/** The number that the bits @p half stand for: every half is one exactly. */
static inline float fx_half_value(uint16_t half)
{
	const uint32_t sign = (uint32_t)(half & 0x8000) << 16, size = (uint32_t)(half & 0x7fff)
								      << 13;
	const float least = fx__float_of(0x38800000); /* 2^-14 */

	if (size >= 0x7c00U << 13)
		return fx__float_of(sign | size | 0x7f800000);
	if (size < 0x400U << 13)
		return fx__float_of(sign | fx__float_bits(fx__float_of(size + 0x38800000) - least));
	return fx__float_of(sign | (size + 0x38000000));
}

#endif
