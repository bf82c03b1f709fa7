// SPDX-License-Identifier: Apache-2.0
/* curve.h: curves of a training as a picture. */
#ifndef FX_KERNELS_CURVE_H
#define FX_KERNELS_CURVE_H

#include <stddef.h>

#include "kernels/render.h"

/** Numbers over steps. */
struct fx_curve {
	const char *name;     /**< letters a to z, digits and blanks */
	uint32_t colour;      /**< 0xRRGGBB */
	const double *values; /**< one for each step that is drawn; not finite: a gap */
};

/** Draws @p len curves over @p points steps with axes, the numbers at their ends, and
 * the names, on white. The y axis spans all values. rgb is NULL without memory; fx_picture_fini().
 * The same numbers give the same pixels. */
struct fx_picture fx_curve_draw(const struct fx_curve *curves, size_t len, const double *steps,
				size_t points);

#endif
