// SPDX-License-Identifier: Apache-2.0
/* moved.c: parts of a row of an image that is moved. */
#include "kernels/moved.h"

#include "kernels/cubic.h"

enum { PIECE = 64 };

bool fx_moved_inside(const struct fx_plane *p, const struct fx_affine2 *map, const double lo[2],
		     const double hi[2])
{
	const double bottom = (double)p->height - 1, right = (double)p->width - 1;

	for (int k = 0; k < 4; k++) {
		const double corner[2] = { k & 1 ? hi[0] : lo[0], k & 2 ? hi[1] : lo[1] };
		double to[2];

		fx_affine2_apply(map, corner, to);
		if (!(to[0] >= 0 && to[0] <= bottom && to[1] >= 0 && to[1] <= right))
			return false;
	}
	return true;
}

static void moved_weights(double t, float w[4])
{
	double weights[4];

	fx_cubic_weights(t, weights);
	for (int i = 0; i < 4; i++)
		w[i] = (float)weights[i];
}

static size_t moved_clip(ptrdiff_t i, size_t n)
{
	return i < 0 ? 0 : (size_t)i < n ? (size_t)i : n - 1;
}

/* One voxel of a u8 image. */
static float moved_at(const struct fx_plane *p, double y, double x)
{
	const ptrdiff_t y0 = fx_cubic_floor(y) - 1, x0 = fx_cubic_floor(x) - 1;
	const uint8_t *v = p->voxels;
	float wy[4], wx[4], sum = 0;

	if (y0 < 0 || x0 < 0 || y0 + 4 > (ptrdiff_t)p->height || x0 + 4 > (ptrdiff_t)p->width)
		return (float)fx_cubic_at(p, y, x);
	moved_weights(y - (double)(y0 + 1), wy);
	moved_weights(x - (double)(x0 + 1), wx);
	v += (size_t)y0 * p->stride + (size_t)x0;
	for (size_t j = 0; j < 4; j++, v += p->stride)
		sum += wy[j] * (wx[0] * v[0] + wx[1] * v[1] + wx[2] * v[2] + wx[3] * v[3]);
	return sum;
}

/* @p n voxels, at most PIECE, of a u8 image that is only shifted: first across rows, then along. */
static void moved_piece(const struct fx_plane *p, ptrdiff_t y, ptrdiff_t x, const float wy[4],
			const float wx[4], size_t n, float *to)
{
	const uint8_t *row[4];
	float line[PIECE + 3];

	for (ptrdiff_t j = 0; j < 4; j++)
		row[j] = (const uint8_t *)p->voxels + moved_clip(y - 1 + j, p->height) * p->stride;
	if (x >= 1 && (size_t)x + n + 2 <= p->width) {
		const size_t at = (size_t)x - 1;

		for (size_t i = 0; i < n + 3; i++)
			line[i] = wy[0] * row[0][at + i] + wy[1] * row[1][at + i] +
				  wy[2] * row[2][at + i] + wy[3] * row[3][at + i];
	} else {
		for (size_t i = 0; i < n + 3; i++) {
			const size_t at = moved_clip(x - 1 + (ptrdiff_t)i, p->width);

			line[i] = wy[0] * row[0][at] + wy[1] * row[1][at] + wy[2] * row[2][at] +
				  wy[3] * row[3][at];
		}
	}
	for (size_t i = 0; i < n; i++)
		to[i] = wx[0] * line[i] + wx[1] * line[i + 1] + wx[2] * line[i + 2] +
			wx[3] * line[i + 3];
}

static void moved_shifted(const struct fx_plane *p, double y, double x, size_t n, float *to)
{
	const ptrdiff_t y0 = fx_cubic_floor(y), x0 = fx_cubic_floor(x);
	float wy[4], wx[4];

	moved_weights(y - (double)y0, wy);
	moved_weights(x - (double)x0, wx);
	for (size_t i = 0; i < n; i += PIECE)
		moved_piece(p, y0, x0 + (ptrdiff_t)i, wy, wx, n - i < PIECE ? n - i : PIECE,
			    to + i);
}

void fx_moved_row(const struct fx_plane *p, const struct fx_affine2 *map, double y, double x,
		  size_t n, float *to)
{
	const bool shifted =
		map->m[0][0] == 1 && map->m[1][1] == 1 && map->m[0][1] == 0 && map->m[1][0] == 0;

	if (shifted && p->dtype == FX_U8) {
		moved_shifted(p, y + map->m[0][2], x + map->m[1][2], n, to);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		const double at[2] = { y, x + (double)i };
		double from[2];

		fx_affine2_apply(map, at, from);
		to[i] = p->dtype == FX_U8 ? moved_at(p, from[0], from[1]) :
					    (float)fx_cubic_at(p, from[0], from[1]);
	}
}
