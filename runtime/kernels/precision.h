// SPDX-License-Identifier: Apache-2.0
/* precision.h: arrays of floats as fewer bits, and back. */
#ifndef FX_KERNELS_PRECISION_H
#define FX_KERNELS_PRECISION_H

#include <stddef.h>
#include <stdint.h>

/** Replaces @p n floats at @p values by halves (IEEE 754 binary16) that follow each other from
 * there on: the nearest, the even one of two; infinity from 65520 on. */
void fx_precision_f16(void *values, size_t n);
/** ... by bytes: 255 v rounded, what is below 0 or not a number is 0, what is above 1 is 255. */
void fx_precision_u8(void *values, size_t n);
/** The same of halves. */
void fx_precision_f16_u8(void *values, size_t n);
/** @p n halves as floats, exactly. */
void fx_precision_f32(const uint16_t *halves, size_t n, float *out);

#endif
