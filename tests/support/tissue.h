// SPDX-License-Identifier: Apache-2.0
/* tissue.h: a toy volume of bodies with dark borders. Include after support/test.h. */
#ifndef FX_TESTS_TISSUE_H
#define FX_TESTS_TISSUE_H

#include <stdlib.h>

enum { TISSUE_BODIES = 12 };

/** Labels 1..TISSUE_BODIES of the voxels nearest to so many random points; the image is 0.2 beside
 * another body and 0.8 elsewhere, plus a little noise. */
static inline void tissue_fill(float *image, uint32_t *labels, const size_t shape[3], uint64_t seed)
{
	int64_t at[TISSUE_BODIES][3];
	size_t i = 0;

	for (int b = 0; b < TISSUE_BODIES; b++)
		for (int a = 0; a < 3; a++)
			at[b][a] = (int64_t)(test_random(&seed) % shape[a]);
	for (int64_t z = 0; z < (int64_t)shape[0]; z++)
		for (int64_t y = 0; y < (int64_t)shape[1]; y++)
			for (int64_t x = 0; x < (int64_t)shape[2]; x++, i++) {
				int64_t best = INT64_MAX;

				for (int b = 0; b < TISSUE_BODIES; b++) {
					const int64_t dz = z - at[b][0], dy = y - at[b][1],
						      dx = x - at[b][2],
						      d = dz * dz + dy * dy + dx * dx;

					if (d < best) {
						best = d;
						labels[i] = (uint32_t)b + 1;
					}
				}
			}
	for (i = 0; i < shape[0] * shape[1] * shape[2]; i++) {
		const size_t stride[3] = { shape[1] * shape[2], shape[2], 1 };
		const size_t p[3] = { i / stride[0], i / stride[1] % shape[1], i % shape[2] };
		int edge = 0;

		for (int a = 0; a < 3; a++)
			edge |= (p[a] && labels[i - stride[a]] != labels[i]) ||
				(p[a] + 1 < shape[a] && labels[i + stride[a]] != labels[i]);
		image[i] = (edge ? 0.2F : 0.8F) + (float)(test_random(&seed) % 100) / 1000;
	}
}

#endif
