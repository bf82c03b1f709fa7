// SPDX-License-Identifier: Apache-2.0
/* holes.c: holes of a mask. */
#include "kernels/holes.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "kernels/components.h"

static void holes_paint(uint32_t *mask, const size_t shape[3], const uint32_t *piece, bool *open)
{
	const size_t len = shape[0] * shape[1] * shape[2];

	open[0] = false;
	for (size_t i = 0; i < len; i++) {
		const size_t z = i / shape[2] / shape[1], y = i / shape[2] % shape[1],
			     x = i % shape[2];

		if (!z || !y || !x || z + 1 == shape[0] || y + 1 == shape[1] || x + 1 == shape[2])
			open[piece[i]] = true;
	}
	for (size_t i = 0; i < len; i++)
		if (piece[i] && !open[piece[i]])
			mask[i] = 1;
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
	for (size_t i = 0; i < len; i++)
		piece[i] = !mask[i];
	result = fx_components(piece, FX_U32, shape, 6, piece, &count);
	open = result == FX_OK ? fx_calloc((size_t)count + 1, sizeof *open) : NULL;
	if (open)
		holes_paint(mask, shape, piece, open);
	else if (result == FX_OK)
		result = FX_ENOMEM;
	free(piece);
	free(open);
	return result;
}
