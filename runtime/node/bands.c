// SPDX-License-Identifier: Apache-2.0
/* bands.c: a source sends a section as tiles. */
#include "node/bands.h"

#include <string.h>

static int band_send(struct fx_node *node, unsigned port, const struct fx_bands *b, size_t y,
		     size_t rows)
{
	const size_t row_size = b->width * fx_dtype_size(b->dtype);
	struct fx_block *t =
		fx_new_block(node, port, b->dtype, 1, (const size_t[3]){ 1, rows, b->width });
	struct fx_error err = { 0 };

	if (!t)
		return fx_fail(node, FX_ENOMEM, "no memory for a tile");
	t->role = b->role;
	t->origin[0] = b->z;
	t->origin[1] = b->y + (int64_t)y;
	t->origin[2] = b->x;
	memcpy(t->voxel_nm, b->voxel_nm, sizeof t->voxel_nm);
	if (b->voxels)
		memcpy(t->data, (const char *)b->voxels + y * row_size, rows * row_size);
	else if (b->rows(b->from, rows, t->data, &err) < 0) {
		fx_block_free(t);
		return fx_fail_error(node, &err);
	}
	return fx_send(node, port, t);
}

int fx_bands_send(struct fx_node *node, unsigned port, const struct fx_bands *b, double tile_mib)
{
	const size_t row_size = b->width * fx_dtype_size(b->dtype);
	const size_t fit = (size_t)(tile_mib * (1 << 20)) / row_size, rows_max = fit ? fit : 1;
	int result = FX_OK;

	for (size_t y = 0; result == FX_OK && y < b->height; y += rows_max) {
		const size_t left = b->height - y;

		result = band_send(node, port, b, y, left < rows_max ? left : rows_max);
	}
	return result;
}
