// SPDX-License-Identifier: Apache-2.0
/* resample.c: an image moved, by cubic convolution, once. */
#include "kernels/resample.h"

#include <stdbool.h>

#include "kernels/cubic.h"

static void resample_put(enum fx_dtype dtype, void *to, size_t i, double v)
{
	if (dtype == FX_U8)
		((uint8_t *)to)[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
	else if (dtype == FX_U16)
		((uint16_t *)to)[i] = (uint16_t)(v < 0 ? 0 : v > 65535 ? 65535 : v + 0.5);
	else
		((float *)to)[i] = (float)v;
}

/* The place in the image; false when it is outside. */
static bool resample_place(const struct fx_plane *from, const struct fx_affine2 *back,
			   const struct fx_mesh *bend, size_t y, size_t x, double p[2])
{
	double by[2] = { 0, 0 };

	p[0] = (double)y;
	p[1] = (double)x;
	if (bend)
		fx_mesh_at(bend, p, by);
	p[0] += by[0];
	p[1] += by[1];
	fx_affine2_apply(back, p, p);
	return p[0] >= -0.5 && p[1] >= -0.5 && p[0] <= (double)from->height - 0.5 &&
	       p[1] <= (double)from->width - 0.5;
}

void fx_resample(const struct fx_plane *from, const struct fx_affine2 *back,
		 const struct fx_mesh *bend, size_t y, size_t x, size_t height, size_t width,
		 void *to, uint8_t *outside)
{
#pragma omp parallel for schedule(static)
	for (size_t j = 0; j < height; j++)
		for (size_t i = 0; i < width; i++) {
			const size_t at = j * width + i;
			double p[2];
			const bool in = resample_place(from, back, bend, y + j, x + i, p);

			resample_put(from->dtype, to, at, in ? fx_cubic_at(from, p[0], p[1]) : 0);
			if (outside)
				outside[at] = !in;
		}
}
