// SPDX-License-Identifier: Apache-2.0
/* affinity.c: what a network should say of labels. */
#include "kernels/affinity.h"

#include <math.h>

void fx_labels_erode(uint32_t *to, const uint32_t *labels, const size_t shape[3])
{
	const size_t stride[3] = { shape[1] * shape[2], shape[2], 1 };

#pragma omp parallel for schedule(static)
	for (size_t z = 0; z < shape[0]; z++)
		for (size_t i = z * stride[0]; i < (z + 1) * stride[0]; i++) {
			const size_t at[3] = { z, i / stride[1] % shape[1], i % shape[2] };
			const uint32_t own = labels[i];
			bool edge = false;

			for (int a = 0; a < 3 && own; a++) {
				const uint32_t below = at[a] ? labels[i - stride[a]] : own,
					       above = at[a] + 1 < shape[a] ?
							       labels[i + stride[a]] :
							       own;

				edge |= (below && below != own) || (above && above != own);
			}
			to[i] = edge ? FX_LABEL_ERODED : own;
		}
}

void fx_affinity_target(const uint32_t *labels, const struct fx_affinity_box *box, int axis,
			size_t distance, float *target, float *weight, size_t step)
{
	const size_t *n = box->size,
		     stride[3] = { box->shape[1] * box->shape[2], box->shape[2], 1 };

#pragma omp parallel for schedule(static)
	for (size_t zy = 0; zy < n[0] * n[1]; zy++) {
		const size_t z = box->lo[0] + zy / n[1], y = box->lo[1] + zy % n[1];
		const uint32_t *row = labels + z * stride[0] + y * stride[1] + box->lo[2];

		for (size_t x = 0; x < n[2]; x++) {
			const size_t at[3] = { z, y, box->lo[2] + x }, i = (zy * n[2] + x) * step;
			const uint32_t other =
				at[axis] < distance ? 0 : *(row + x - distance * stride[axis]);

			target[i] = row[x] == other && other != FX_LABEL_ERODED;
			weight[i] = row[x] && other;
		}
	}
}

void fx_affinity_balance(const float *target, float *weight, size_t n, size_t step, double rare)
{
	double sum[2] = { 0 }, factor[2];

	for (size_t i = 0; i < n * step; i += step)
		sum[target[i] > 0.5F] += (double)weight[i];
	for (int k = 0; k < 2; k++)
		factor[k] = 0.5 / fmax(sum[k] / fmax(sum[0] + sum[1], 1), rare);
	for (size_t i = 0; i < n * step; i += step)
		weight[i] *= (float)factor[target[i] > 0.5F];
}
