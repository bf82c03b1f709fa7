// SPDX-License-Identifier: Apache-2.0
/* segmenter/watershed: segments from dark membranes: ridge filters, watershed, agglomeration. */
#include <fornix/node.h>

#include <stdlib.h>

#include "base/alloc.h"
#include "block/voxel.h"
#include "kernels/boundary.h"
#include "node/segments.h"

enum { IMAGE, LABELS, BOUNDARY }; /* index into ports[] */

struct watershed {
	/* options: boundary evidence */
	double sigma_fine, sigma_coarse, sigma_brightness, dark, gain, offset;
	struct fx_segments_cut cut;   /* options: fragments */
	struct fx_segments_join join; /* options: agglomeration */
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
	{ FX_SEGMENTS_BOUNDARY(struct watershed, cut), .def = 0.5 },
	{ FX_SEGMENTS_SMOOTH(struct watershed, cut), .def = 1 },
	{ FX_SEGMENTS_RADIUS(struct watershed, cut), .def = 3 },
	{ FX_SEGMENTS_THRESHOLD(struct watershed, join), .def = 0.42 },
	{ FX_SEGMENTS_QUANTILE(struct watershed, join), .def = 0.2 },
	{ FX_SEGMENTS_PRIOR(struct watershed, join), .def = 40 },
	{ FX_SEGMENTS_DUST(struct watershed, join), .def = 200 },
	{ 0 },
};

static int watershed_boundary(const void *state, uint8_t *boundary, const struct fx_block *image)
{
	const struct watershed *s = state;
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
	for (size_t i = 0; i < fx_block_len(image); i++)
		brightness[i] = fx_voxel_brightness(image->data, image->dtype, i);
	err = fx_boundary_ridge(boundary, brightness, image->shape, image->voxel_nm, &p);
	free(brightness);
	return err;
}

static int watershed_process(struct fx_node *node, void *state)
{
	const struct watershed *s = state;
	const struct fx_segments_way way = { .labels = LABELS,
					     .boundary = BOUNDARY,
					     .map = watershed_boundary,
					     .state = s,
					     .cut = &s->cut,
					     .join = &s->join };
	struct fx_block *image = fx_take(node, IMAGE);

	return fx_segments_by_boundary(node, image, &way);
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
