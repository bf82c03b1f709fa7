// SPDX-License-Identifier: Apache-2.0
/* segments.c: what segmenters share that cut a block into fragments and merge them. */
#include "node/segments.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/components.h"
#include "nn/modelmeta.h"

static const double SCALE_MAX = 1.5; /* voxel edges this much off the model's are told */

struct fx_agglomerate_params fx_segments_agglomerate(const struct fx_segments_join *join)
{
	return (struct fx_agglomerate_params){ .threshold = join->threshold,
					       .quantile = join->quantile,
					       .prior_faces = join->prior_faces,
					       .large_voxels = join->large_voxels,
					       .large_contact = join->large_contact,
					       .dust_voxels = join->dust_voxels };
}

/* Heap memory of a block is zeroed, and has one channel at first. */
static struct fx_block *segments_heap(const struct fx_block *like, enum fx_dtype dtype,
				      uint32_t channels)
{
	struct fx_block *b = NULL;

	if (channels == 1)
		return fx_block_new_like(like, dtype);
	if (channels && like->shape[0] <= SIZE_MAX / channels)
		b = fx_block_new(dtype, like->shape[0] * channels, like->shape[1], like->shape[2]);
	if (b) {
		b->shape[0] = like->shape[0];
		b->channels = channels;
	}
	return b;
}

struct fx_block *fx_segments_block(struct fx_node *node, unsigned port, enum fx_dtype dtype,
				   uint32_t channels, enum fx_role role,
				   const struct fx_block *like)
{
	struct fx_block *b = fx_connected(node, port) ?
				     fx_new_block(node, port, dtype, channels, like->shape) :
				     segments_heap(like, dtype, channels);

	if (!b)
		return NULL;
	b->role = role;
	b->level = like->level;
	memcpy(b->origin, like->origin, sizeof b->origin);
	memcpy(b->halo_lo, like->halo_lo, sizeof b->halo_lo);
	memcpy(b->halo_hi, like->halo_hi, sizeof b->halo_hi);
	memcpy(b->voxel_nm, like->voxel_nm, sizeof b->voxel_nm);
	return b;
}

/* Voxel @p i of channel 2 is not zero. */
static bool excluded_at(const struct fx_block *image, size_t i)
{
	const size_t size = fx_dtype_size(image->dtype);
	const uint8_t *v = (const uint8_t *)image->data + (fx_block_len(image) + i) * size;

	for (size_t k = 0; k < size; k++)
		if (v[k])
			return true;
	return false;
}

int fx_segments_excluded(const struct fx_block *image, uint8_t **excluded)
{
	const size_t len = fx_block_len(image);
	bool any = false;

	*excluded = NULL;
	if (image->channels < 2)
		return FX_OK;
	*excluded = fx_alloc_aligned(len);
	if (!*excluded)
		return FX_ENOMEM;
	for (size_t i = 0; i < len; i++) {
		(*excluded)[i] = excluded_at(image, i);
		any |= (*excluded)[i];
	}
	if (!any) {
		free(*excluded);
		*excluded = NULL;
	}
	return FX_OK;
}

int fx_segments_exclude(uint32_t *labels, uint32_t *count, const uint8_t *excluded,
			const size_t shape[3])
{
	const size_t len = shape[0] * shape[1] * shape[2];

	if (!excluded)
		return FX_OK;
	for (size_t i = 0; i < len; i++)
		labels[i] = excluded[i] ? 0 : labels[i];
	return fx_components(labels, FX_U32, shape, 6, labels, count);
}

/* Segments of the size of @p image, cut and merged along @p boundary (255 is membrane), which is
 * made so where voxels are excluded. */
static int segments_of_boundary(uint32_t *labels, uint8_t *boundary, const uint8_t *excluded,
				const struct fx_block *image, const struct fx_segments_cut *cut,
				const struct fx_segments_join *join)
{
	const struct fx_fragments_params c = { cut->seed_boundary, cut->seed_smooth,
					       cut->seed_radius };
	const struct fx_agglomerate_params j = fx_segments_agglomerate(join);
	const struct fx_rag_evidence evidence = { .boundary = boundary };
	uint32_t count = 0;
	int err;

	for (size_t i = 0; excluded && i < fx_block_len(image); i++)
		boundary[i] = excluded[i] ? 255 : boundary[i];
	err = fx_fragments(labels, &count, boundary, image->shape, image->voxel_nm, &c);
	if (!err)
		err = fx_segments_exclude(labels, &count, excluded, image->shape);
	return err ? err : fx_fragments_merge(labels, &count, image->shape, &evidence, &j);
}

bool fx_segments_warn_scale(struct fx_node *node, const struct fx_block *image,
			    const double model_nm[3], const char *graph)
{
	const double *m = model_nm, *v = image->voxel_nm;

	if (!(fx_model_scale(m, v) > SCALE_MAX))
		return false;
	fx_warn(node,
		"voxels of %g x %g x %g nm (z y x), but the model was trained on %g x %g x %g nm: "
		"train one on such data with %s",
		v[0], v[1], v[2], m[0], m[1], m[2], graph);
	return true;
}

int fx_segments_failed(struct fx_node *node, int err, const struct fx_block *image)
{
	const size_t *n = image->shape;
	const double *v = image->voxel_nm;

	if (err == FX_ENOMEM)
		return fx_fail(node, err, "no memory to segment a block of %zux%zux%zu voxels",
			       n[0], n[1], n[2]);
	return fx_fail(node, err,
		       "cannot segment a block of %zux%zux%zu voxels of %g,%g,%g nm: voxel edges "
		       "must be above 0 and voxels fewer than 2^32",
		       n[0], n[1], n[2], v[0], v[1], v[2]);
}

int fx_segments_send(struct fx_node *node, unsigned port, struct fx_block **b)
{
	struct fx_block *sent = *b;

	if (!fx_connected(node, port))
		return FX_OK;
	*b = NULL;
	return fx_send(node, port, sent);
}

int fx_segments_by_boundary(struct fx_node *node, struct fx_block *image,
			    const struct fx_segments_way *way)
{
	struct fx_block *labels = fx_segments_block(node, way->labels, FX_U32, 1, FX_LABELS, image),
			*boundary = fx_segments_block(node, way->boundary, FX_U8, 1, FX_PROBABILITY,
						      image);
	uint8_t *excluded = NULL;
	int err = labels && boundary ? way->map(way->state, boundary->data, image) : FX_ENOMEM;

	if (!err)
		err = fx_segments_excluded(image, &excluded);
	if (!err)
		err = segments_of_boundary(labels->data, boundary->data, excluded, image, way->cut,
					   way->join);
	if (err) {
		err = fx_segments_failed(node, err, image);
		goto done;
	}
	err = fx_segments_send(node, way->labels, &labels);
	if (!err)
		err = fx_segments_send(node, way->boundary, &boundary);
done:
	free(excluded);
	fx_block_free(image);
	fx_block_free(labels);
	fx_block_free(boundary);
	return err;
}
