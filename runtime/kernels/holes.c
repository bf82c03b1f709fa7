// SPDX-License-Identifier: Apache-2.0
/* holes.c: holes of a mask. */
#include "kernels/holes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "kernels/components.h"

/* Whether each piece reaches a face. */
static void find_open(const size_t shape[3], const uint32_t *piece, bool *open)
{
	const size_t nx = shape[2];

	for (size_t row = 0; row < shape[0] * shape[1]; row++) {
		const size_t z = row / shape[1], y = row % shape[1];
		const bool whole = !z || !y || z + 1 == shape[0] || y + 1 == shape[1];

		for (size_t x = 0; x < nx; x += whole || nx == 1 ? 1 : nx - 1)
			open[piece[row * nx + x]] = true;
	}
	open[0] = false; /* the mask itself */
}

int fx_holes_fill(uint32_t *mask, const size_t shape[3])
{
	uint32_t *piece, count;
	bool *open;
	size_t len;
	int result;

	if (!fx_mul_size(shape[0], shape[1], &len) || !fx_mul_size(len, shape[2], &len))
		return FX_EINVAL;
	piece = fx_calloc(len, sizeof *piece);
	if (!piece)
		return FX_ENOMEM;
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		piece[i] = !mask[i];
	result = fx_components(piece, FX_U32, shape, 6, piece, &count);
	open = result == FX_OK ? fx_calloc((size_t)count + 1, sizeof *open) : NULL;
	if (result == FX_OK && !open)
		result = FX_ENOMEM;
	if (result == FX_OK) {
		find_open(shape, piece, open);
#pragma omp parallel for schedule(static)
		for (size_t i = 0; i < len; i++)
			mask[i] |= piece[i] && !open[piece[i]];
	}
	free(piece);
	free(open);
	return result;
}
