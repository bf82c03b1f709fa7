// SPDX-License-Identifier: Apache-2.0
/* precision.c: arrays of floats as fewer bits, and back. */
#include "kernels/precision.h"

#include <string.h>

#include "kernels/half.h"

enum { PART = 1024 }; /* values at once: what is written must not be read as something else */

/* Written so that what is not a number is 0. */
static inline uint8_t byte_of(float v)
{
	const float at_least = v > 0 ? v : 0, cut = at_least < 1 ? at_least : 1;

	return (uint8_t)(cut * 255 + 0.5F);
}

void fx_precision_f16(void *values, size_t n)
{
	float in[PART];
	uint16_t out[PART];

	for (size_t i = 0; i < n; i += PART) {
		const size_t part = n - i < PART ? n - i : PART;

		memcpy(in, (const char *)values + i * sizeof *in, part * sizeof *in);
		for (size_t k = 0; k < part; k++)
			out[k] = fx_half(in[k]);
		memcpy((char *)values + i * sizeof *out, out, part * sizeof *out);
	}
}

void fx_precision_u8(void *values, size_t n)
{
	uint8_t *out = values;
	float in[PART];

	for (size_t i = 0; i < n; i += PART) {
		const size_t part = n - i < PART ? n - i : PART;

		memcpy(in, (const char *)values + i * sizeof *in, part * sizeof *in);
		for (size_t k = 0; k < part; k++)
			out[i + k] = byte_of(in[k]);
	}
}

void fx_precision_f16_u8(void *values, size_t n)
{
	uint8_t *out = values;
	uint16_t in[PART];

	for (size_t i = 0; i < n; i += PART) {
		const size_t part = n - i < PART ? n - i : PART;

		memcpy(in, (const char *)values + i * sizeof *in, part * sizeof *in);
		for (size_t k = 0; k < part; k++)
			out[i + k] = byte_of(fx_half_value(in[k]));
	}
}

void fx_precision_f32(const uint16_t *halves, size_t n, float *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = fx_half_value(halves[i]);
}
