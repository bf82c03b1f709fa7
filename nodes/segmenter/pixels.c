// SPDX-License-Identifier: Apache-2.0
/* segmenter/pixels: segments by a small network that judges every voxel by 20 features. */
#include <fornix/node.h>

#include <stdlib.h>

#include "base/datafile.h"
#include "nn/pixelmodel.h"
#include "node/segments.h"

enum { IMAGE, LABELS, BOUNDARY }; /* index into ports[] */

#define PIXELS_MODEL "models/em-pixels.safetensors"

struct pixels {
	const char *model;	      /* options: set before init() */
	struct fx_segments_cut cut;   /* fragments */
	struct fx_segments_join join; /* agglomeration */

	struct fx_pixelmodel net; /* owned, from init() to finish() */
	bool warned;
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 1U << FX_IMAGE, false,
		    "brightness with dark membranes, stretched to the whole range (f32: 0 to 1)" },
	[LABELS] = { "labels", FX_OUT, FX_BLOCK, FX_U32, 1U << FX_LABELS, false,
		     "segments 1..n of every block on its own; 0 only where all is boundary" },
	[BOUNDARY] = { "boundary", FX_OUT, FX_BLOCK, FX_U8, 1U << FX_PROBABILITY, false,
		       "probability of a boundary, 255 is 1" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct pixels, model), .path = FX_PATH_READ, .def_str = "",
	  .help = "model file made by trainer/pixels; empty is the one that came with "
		  "fornix" },
	{ FX_SEGMENTS_BOUNDARY(struct pixels, cut), .def = 0.5 },
	{ FX_SEGMENTS_SMOOTH(struct pixels, cut), .def = 2 },
	{ FX_SEGMENTS_RADIUS(struct pixels, cut), .def = 4 },
	{ FX_SEGMENTS_THRESHOLD(struct pixels, join), .def = 0.6 },
	{ FX_SEGMENTS_QUANTILE(struct pixels, join), .def = 0.25 },
	{ FX_SEGMENTS_PRIOR(struct pixels, join), .def = 10 },
	{ FX_SEGMENTS_LARGE(struct pixels, join), .def = 5000 },
	{ FX_SEGMENTS_CONTACT(struct pixels, join), .def = 0.3 },
	{ FX_SEGMENTS_DUST(struct pixels, join), .def = 500 },
	{ 0 },
};

static int pixels_init(struct fx_node *node, void *state)
{
	struct pixels *s = state;
	struct fx_error err = { 0 };
	char *shipped = *s->model ? NULL : fx_datafile_path(PIXELS_MODEL);
	const char *path = *s->model ? s->model : shipped;
	int result;

	if (!path)
		return fx_fail(node, FX_ENOENT,
			       "there is no %s beside the program: name a file by the option model",
			       PIXELS_MODEL);
	result = fx_pixelmodel_read(&s->net, path, &err);
	free(shipped);
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int pixels_boundary(const void *state, uint8_t *boundary, const struct fx_block *image)
{
	const struct pixels *s = state;
	struct fx_features f = { 0 };
	int err = fx_features_init(&f, image->data, image->dtype, image->shape, image->voxel_nm);

	if (!err)
		err = fx_voxelmlp_boundary(&s->net.mlp, &f, boundary);
	fx_features_fini(&f);
	return err;
}

static int pixels_process(struct fx_node *node, void *state)
{
	struct pixels *s = state;
	const struct fx_segments_way way = { .labels = LABELS,
					     .boundary = BOUNDARY,
					     .map = pixels_boundary,
					     .state = s,
					     .cut = &s->cut,
					     .join = &s->join };
	struct fx_block *image = fx_take(node, IMAGE);

	if (!s->warned)
		s->warned = fx_segments_warn_scale(node, image, s->net.voxel_nm,
						   "graphs/train-pixels.yaml");
	return fx_segments_by_boundary(node, image, &way);
}

static void pixels_finish(void *state)
{
	struct pixels *s = state;

	fx_pixelmodel_fini(&s->net);
}

FX_NODE(segmenter_pixels) = {
	.abi = FX_NODE_ABI,
	.name = "segmenter/pixels",
	.summary = "segment blocks by a small network over 20 features of every voxel",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct pixels),
	.stateless = true,
	.init = pixels_init,
	.process = pixels_process,
	.finish = pixels_finish,
};
