// SPDX-License-Identifier: Apache-2.0
/* fragments.c: the chain from a boundary map to segments. */
#include "kernels/fragments.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/edt.h"
#include "kernels/faceflood.h"
#include "kernels/gauss.h"
#include "kernels/watershed.h"

/* Deeper inside than this (finest voxels), a voxel is as good a seed as any: what is wider has
 * one plateau, hence one seed. */
static const float DISTANCE_MAX = 30;

static bool fragments_len(const size_t shape[3], const double voxel[3], size_t *len)
{
	for (int axis = 0; axis < 3; axis++)
		if (!shape[axis] || !(voxel[axis] > 0) || !isfinite(voxel[axis]))
			return false;
	return fx_mul_size(shape[0], shape[1], len) && fx_mul_size(*len, shape[2], len) &&
	       *len <= FX_WATERSHED_LEN_MAX;
}

static void mask_interior(uint8_t *mask, const uint8_t *boundary, size_t len, double limit)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		mask[i] = boundary[i] < limit;
}

static void cut_distance(float *dist, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		dist[i] = dist[i] < DISTANCE_MAX ? dist[i] : DISTANCE_MAX;
}

/* Zero outside of the mask; the smoothed distance elsewhere, rounded so that a plateau stays one
 * in spite of rounding errors. */
static void cut_smoothed(float *dist, const uint8_t *mask, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		dist[i] = mask[i] ? floorf(dist[i] * 1024 + 0.5F) / 1024 : 0;
}

/* Smoothed distance of the mask's voxels from the rest, to @p smooth; @p dist is scratch. */
static int interior_depth(float *smooth, float *dist, const uint8_t *mask, size_t len,
			  const size_t shape[3], const double edge[3], double sigma)
{
	static const int order[3] = { 0, 0, 0 };
	double axis_sigma[3];
	int err = fx_edt(dist, mask, shape, edge);

	if (err)
		return err;
	cut_distance(dist, len);
	for (int axis = 0; axis < 3; axis++)
		axis_sigma[axis] = sigma / edge[axis];
	err = fx_gauss(smooth, dist, shape, axis_sigma, order);
	if (!err)
		cut_smoothed(smooth, mask, len);
	return err;
}

/* Edges in units of the finest, and the box of a seed in voxels. */
static void seed_box(size_t radius[3], double edge[3], const double voxel[3], double seed_radius)
{
	const double finest = fmin(voxel[0], fmin(voxel[1], voxel[2]));

	for (int axis = 0; axis < 3; axis++) {
		edge[axis] = voxel[axis] / finest;
		radius[axis] = (size_t)fmax(seed_radius / edge[axis] + 0.5, 1);
	}
}

int fx_fragments(uint32_t *labels, uint32_t *count, const uint8_t *boundary, const size_t shape[3],
		 const double voxel[3], const struct fx_fragments_params *p)
{
	double edge[3];
	uint8_t *mask = NULL;
	float *dist = NULL, *smooth = NULL;
	size_t len, radius[3];
	int err = FX_ENOMEM;

	if (!fragments_len(shape, voxel, &len))
		return FX_EINVAL;
	seed_box(radius, edge, voxel, p->seed_radius);
	mask = fx_alloc_aligned(len);
	dist = fx_alloc_aligned(len * sizeof *dist);
	smooth = fx_alloc_aligned(len * sizeof *smooth);
	if (!mask || !dist || !smooth)
		goto done;
	mask_interior(mask, boundary, len, p->seed_boundary * 255);
	err = interior_depth(smooth, dist, mask, len, shape, edge, p->seed_smooth);
	if (!err)
		err = fx_seeds_maxima(labels, count, smooth, shape, radius, 0);
	if (!err)
		err = fx_watershed_flood(labels, boundary, shape);
done:
	free(mask);
	free(dist);
	free(smooth);
	return err;
}

/* Rounded, so that a plateau stays one in spite of rounding errors; not a number counts as 0. */
static void round_depth(float *depth, size_t len)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		depth[i] = depth[i] > 0 ? floorf(depth[i] * 1024 + 0.5F) / 1024 : 0;
}

int fx_fragments_faces(uint32_t *labels, uint32_t *count, const float *depth,
		       const uint8_t *const face[3], const size_t shape[3], const double voxel[3],
		       const struct fx_fragments_depths *p)
{
	static const int order[3] = { 0, 0, 0 };
	double edge[3], sigma[3];
	size_t len, radius[3];
	float *smooth;
	int err;

	if (!fragments_len(shape, voxel, &len))
		return FX_EINVAL;
	seed_box(radius, edge, voxel, p->seed_radius);
	for (int axis = 0; axis < 3; axis++)
		sigma[axis] = p->seed_smooth / edge[axis];
	smooth = fx_alloc_aligned(len * sizeof *smooth);
	if (!smooth)
		return FX_ENOMEM;
	err = fx_gauss(smooth, depth, shape, sigma, order);
	if (!err) {
		round_depth(smooth, len);
		err = fx_seeds_maxima(labels, count, smooth, shape, radius,
				      (float)fmax(p->seed_depth, 0));
	}
	free(smooth);
	return err ? err : fx_faces_flood(labels, face, shape);
}

static void relabel(uint32_t *labels, size_t len, const uint32_t *root)
{
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < len; i++)
		labels[i] = root[labels[i]];
}

int fx_fragments_merge(uint32_t *labels, uint32_t *count, const size_t shape[3],
		       const struct fx_rag_evidence *evidence,
		       const struct fx_agglomerate_params *p)
{
	struct fx_rag rag = { 0 };
	uint32_t *root = fx_calloc((size_t)*count + 1, sizeof *root);
	int err = root ? fx_rag_build(&rag, labels, *count, shape, evidence) : FX_ENOMEM;

	if (!err)
		err = fx_agglomerate(root, count, &rag, p);
	if (!err)
		relabel(labels, shape[0] * shape[1] * shape[2], root);
	fx_rag_fini(&rag);
	free(root);
	return err;
}
