// SPDX-License-Identifier: Apache-2.0
/* segmenter/watershed: segments from dark membranes: ridge filters, watershed, agglomeration. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/boundary.h"
#include "kernels/fragments.h"

enum { IMAGE, LABELS, BOUNDARY }; /* index into ports[] */

struct watershed {
	/* options: boundary evidence */
	double sigma_fine, sigma_coarse, sigma_brightness, dark, gain, offset;
	/* options: fragments */
	double seed_boundary, seed_smooth, seed_radius;
	/* options: agglomeration */
	double threshold, quantile, prior_faces;
	int dust_voxels;
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 1U << FX_IMAGE, false,
		    "brightness with dark membranes, stretched to the whole range (f32: 0 to 1)" },
	[LABELS] = { "labels", FX_OUT, FX_BLOCK, FX_U32, 1U << FX_LABELS, false,
		     "segments 1..n of every block on its own; 0 only where all is boundary" },
	[BOUNDARY] = { "boundary", FX_OUT, FX_BLOCK, FX_U8, 1U << FX_PROBABILITY, false,
		       "boundary evidence, 255 is membrane" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct watershed, sigma_fine), .def = 1.4, .min = 0.5, .max = 8, .unit = "voxel",
	  .help = "scale of the first ridge filter, in voxels of the finest axis" },
	{ FX_FIELD(struct watershed, sigma_coarse), .def = 0, .min = 0, .max = 8, .unit = "voxel",
	  .help = "scale of the second ridge filter, the larger response counts; 0 is none" },
	{ FX_FIELD(struct watershed, sigma_brightness), .def = 0.7, .min = 0, .max = 8,
	  .unit = "voxel", .help = "smoothing of the brightness that is evidence of an interior" },
	{ FX_FIELD(struct watershed, dark), .def = 0.15, .min = 0, .max = 10,
	  .help = "weight of the smoothed brightness against the ridge" },
	{ FX_FIELD(struct watershed, gain), .def = 4, .min = 0.01, .max = 100,
	  .help = "boundary evidence per unit of ridge" },
	{ FX_FIELD(struct watershed, offset), .def = 0.4, .min = -10, .max = 10,
	  .help = "boundary evidence of black without any ridge" },
	{ FX_FIELD(struct watershed, seed_boundary), .def = 0.5, .min = 0, .max = 1,
	  .help = "seeds lie where the boundary evidence is below this" },
	{ FX_FIELD(struct watershed, seed_smooth), .def = 1, .min = 0, .max = 8, .unit = "voxel",
	  .help = "smoothing of the distance to the boundary, the higher the fewer fragments" },
	{ FX_FIELD(struct watershed, seed_radius), .def = 3, .min = 1, .max = 32, .unit = "voxel",
	  .help = "seeds are the deepest points within this radius" },
	{ FX_FIELD(struct watershed, threshold), .def = 0.42, .min = 0, .max = 1,
	  .help = "fragments merge while the evidence on their contact is below this" },
	{ FX_FIELD(struct watershed, quantile), .def = 0.2, .min = -1, .max = 1,
	  .help = "which quantile of a contact's evidence counts; below 0 is the mean" },
	{ FX_FIELD(struct watershed, prior_faces), .def = 40, .min = 0, .max = 1e6,
	  .help = "faces of full evidence added to every contact, makes small contacts merge "
		  "late" },
	{ FX_FIELD(struct watershed, dust_voxels), .def = 200, .min = 0, .max = 1e6,
	  .unit = "voxel", .help = "smaller segments join the neighbour of the weakest boundary" },
	{ 0 },
};

static void watershed_brightness(float *out, const struct fx_block *image)
{
	size_t len = fx_block_len(image);
	const uint8_t *u8 = image->data;
	const uint16_t *u16 = image->data;

	if (image->dtype == FX_F32)
		memcpy(out, image->data, len * sizeof *out);
	else if (image->dtype == FX_U16)
		for (size_t i = 0; i < len; i++)
			out[i] = (float)u16[i] / 65535;
	else
		for (size_t i = 0; i < len; i++)
			out[i] = (float)u8[i] / 255;
}

static int watershed_boundary(const struct watershed *s, uint8_t *boundary,
			      const struct fx_block *image)
{
	const struct fx_boundary_params p = {
		.sigma_fine = s->sigma_fine,
		.sigma_coarse = s->sigma_coarse,
		.sigma_brightness = s->sigma_brightness,
		.dark = s->dark,
		.gain = s->gain,
		.offset = s->offset,
	};
	float *brightness = fx_alloc_aligned(fx_block_len(image) * sizeof *brightness);
	int err;

	if (!brightness)
		return FX_ENOMEM;
	watershed_brightness(brightness, image);
	err = fx_boundary_ridge(boundary, brightness, image->shape, image->voxel_nm, &p);
	free(brightness);
	return err;
}

static int watershed_labels(const struct watershed *s, uint32_t *labels, const uint8_t *boundary,
			    const struct fx_block *image)
{
	const struct fx_fragments_params cut = { s->seed_boundary, s->seed_smooth, s->seed_radius };
	const struct fx_agglomerate_params join = {
		.threshold = s->threshold,
		.quantile = s->quantile,
		.prior_faces = s->prior_faces,
		.dust_voxels = s->dust_voxels,
	};
	const struct fx_rag_evidence evidence = { .boundary = boundary };
	uint32_t count = 0;
	int err = fx_fragments(labels, &count, boundary, image->shape, image->voxel_nm, &cut);

	return err ? err : fx_fragments_merge(labels, &count, image->shape, &evidence, &join);
}

/* A block for output @p port with place and voxel size of @p like. */
static struct fx_block *watershed_block(struct fx_node *node, unsigned port, enum fx_dtype dtype,
					enum fx_role role, const struct fx_block *like)
{
	struct fx_block *b = fx_connected(node, port) ?
				     fx_new_block(node, port, dtype, 1, like->shape) :
				     fx_block_new_like(like, dtype);

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

static int watershed_failed(struct fx_node *node, int err, const struct fx_block *image)
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

static int watershed_process(struct fx_node *node, void *state)
{
	const struct watershed *s = state;
	struct fx_block *image = fx_take(node, IMAGE);
	struct fx_block *labels = watershed_block(node, LABELS, FX_U32, FX_LABELS, image);
	struct fx_block *boundary = watershed_block(node, BOUNDARY, FX_U8, FX_PROBABILITY, image);
	int err = labels && boundary ? FX_OK : FX_ENOMEM;

	if (!err)
		err = watershed_boundary(s, boundary->data, image);
	if (!err)
		err = watershed_labels(s, labels->data, boundary->data, image);
	if (err) {
		err = watershed_failed(node, err, image);
		goto done;
	}
	err = fx_send(node, LABELS, labels);
	labels = NULL;
	if (!err && fx_connected(node, BOUNDARY)) {
		err = fx_send(node, BOUNDARY, boundary);
		boundary = NULL;
	}
done:
	fx_block_free(image);
	fx_block_free(labels);
	fx_block_free(boundary);
	return err;
}

FX_NODE(segmenter_watershed) = {
	.abi = FX_NODE_ABI,
	.name = "segmenter/watershed",
	.summary = "segment blocks along dark membranes by ridge filters, watershed, agglomeration",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct watershed),
	.stateless = true,
	.process = watershed_process,
};
