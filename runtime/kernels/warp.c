// SPDX-License-Identifier: Apache-2.0
/* warp.c: samples a box of a volume turned, scaled and bent. */
#include "kernels/warp.h"

#include <math.h>
#include <stdbool.h>

/* A row of the result: its first voxel's place without bend, and the bend of its nodes. */
struct row {
	double start[3], step[3];
	float bend[FX_WARP_NODES][3];
	double nodes_per_voxel;
};

/* Node below @p i of @p n voxels, and how far behind it @p i is. */
static size_t node_below(size_t i, size_t n, float *beyond)
{
	const double at = n > 1 ? (double)i * (FX_WARP_NODES - 1) / (double)(n - 1) : 0;
	const size_t node = (size_t)fmin(at, FX_WARP_NODES - 2);

	*beyond = (float)(at - (double)node);
	return node;
}

static struct row row_of(const struct fx_warp *w, const size_t size[3], size_t z, size_t y)
{
	const double from_middle[3] = { (double)z - ((double)size[0] - 1) / 2,
					(double)y - ((double)size[1] - 1) / 2,
					-((double)size[2] - 1) / 2 };
	struct row r = { .nodes_per_voxel =
				 size[2] > 1 ? (FX_WARP_NODES - 1) / ((double)size[2] - 1) : 0 };
	float fz, fy;
	const size_t nz = node_below(z, size[0], &fz), ny = node_below(y, size[1], &fy);

	for (int a = 0; a < 3; a++) {
		r.step[a] = w->turn[a][2];
		r.start[a] = w->at[a];
		for (int b = 0; b < 3; b++)
			r.start[a] += w->turn[a][b] * from_middle[b];
		for (size_t nx = 0; nx < FX_WARP_NODES; nx++) {
			const float lo = w->bend[nz][ny][nx][a] * (1 - fy) +
					 w->bend[nz][ny + 1][nx][a] * fy,
				    hi = w->bend[nz + 1][ny][nx][a] * (1 - fy) +
					 w->bend[nz + 1][ny + 1][nx][a] * fy;

			r.bend[nx][a] = lo * (1 - fz) + hi * fz;
		}
	}
	return r;
}

/* Where voxel @p x of the row is in the source. */
static inline void row_at(const struct row *r, size_t x, double at[3])
{
	const double along = (double)x * r->nodes_per_voxel;
	const size_t node = (size_t)fmin(along, FX_WARP_NODES - 2);
	const double beyond = along - (double)node;

	for (int a = 0; a < 3; a++)
		at[a] = r->start[a] + (double)x * r->step[a] +
			(double)r->bend[node][a] * (1 - beyond) +
			(double)r->bend[node + 1][a] * beyond;
}

static float sample(const float *from, const size_t shape[3], const double at[3])
{
	const size_t stride[3] = { shape[1] * shape[2], shape[2], 1 };
	size_t base = 0, next[3];
	float f[3];

	for (int a = 0; a < 3; a++) {
		const double clamped = fmin(fmax(at[a], 0), (double)(shape[a] - 1));
		const size_t i = (size_t)clamped;

		f[a] = (float)(clamped - (double)i);
		base += i * stride[a];
		next[a] = i + 1 < shape[a] ? stride[a] : 0;
	}
	from += base;
	float c[4];
	for (int k = 0; k < 4; k++) {
		const float *p = from + (k & 2 ? next[0] : 0) + (k & 1 ? next[1] : 0);

		c[k] = p[0] + (p[next[2]] - p[0]) * f[2];
	}
	c[0] += (c[1] - c[0]) * f[1];
	c[2] += (c[3] - c[2]) * f[1];
	return c[0] + (c[2] - c[0]) * f[0];
}

static uint32_t nearest(const uint32_t *from, const size_t shape[3], const double at[3])
{
	size_t i = 0;

	for (int a = 0; a < 3; a++) {
		const double r = floor(at[a] + 0.5);

		if (!(r >= 0 && r < (double)shape[a]))
			return 0;
		i = i * shape[a] + (size_t)r;
	}
	return from[i];
}

void fx_warp_image(float *to, const size_t size[3], const float *from, const size_t shape[3],
		   const struct fx_warp *w)
{
#pragma omp parallel for schedule(static)
	for (size_t zy = 0; zy < size[0] * size[1]; zy++) {
		const struct row r = row_of(w, size, zy / size[1], zy % size[1]);

		for (size_t x = 0; x < size[2]; x++) {
			double at[3];

			row_at(&r, x, at);
			to[zy * size[2] + x] = sample(from, shape, at);
		}
	}
}

void fx_warp_labels(uint32_t *to, const size_t size[3], const uint32_t *from, const size_t shape[3],
		    const struct fx_warp *w)
{
#pragma omp parallel for schedule(static)
	for (size_t zy = 0; zy < size[0] * size[1]; zy++) {
		const struct row r = row_of(w, size, zy / size[1], zy % size[1]);

		for (size_t x = 0; x < size[2]; x++) {
			double at[3];

			row_at(&r, x, at);
			to[zy * size[2] + x] = nearest(from, shape, at);
		}
	}
}
