// SPDX-License-Identifier: Apache-2.0
/* segmenter/pixels: segments by a small network that judges every voxel by 20 features. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/datafile.h"
#include "kernels/fragments.h"
#include "nn/pixelmodel.h"

enum { IMAGE, LABELS, BOUNDARY }; /* index into ports[] */

#define PIXELS_MODEL "models/em-pixels.safetensors"

static const double SCALE_MAX = 1.5; /* voxel edges this much off the model's are told */

struct pixels {
	const char *model;				/* options: set before init() */
	double seed_boundary, seed_smooth, seed_radius; /* fragments */
	double threshold, quantile, prior_faces, large_voxels, large_contact; /* agglomeration */
	int dust_voxels;

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
	{ FX_FIELD(struct pixels, model), .def_str = "",
	  .help = "model file made by trainer/pixels; empty is the one that came with "
		  "fornix" },
	{ FX_FIELD(struct pixels, seed_boundary), .def = 0.5, .min = 0, .max = 1,
	  .help = "seeds lie where the boundary probability is below this" },
	{ FX_FIELD(struct pixels, seed_smooth), .def = 2, .min = 0, .max = 8, .unit = "voxel",
	  .help = "smoothing of the distance to the boundary, the higher the fewer fragments" },
	{ FX_FIELD(struct pixels, seed_radius), .def = 4, .min = 1, .max = 32, .unit = "voxel",
	  .help = "seeds are the deepest points within this radius" },
	{ FX_FIELD(struct pixels, threshold), .def = 0.6, .min = 0, .max = 1,
	  .help = "fragments merge while the probability on their contact is below this" },
	{ FX_FIELD(struct pixels, quantile), .def = 0.25, .min = -1, .max = 1,
	  .help = "which quantile of a contact's probabilities counts; below 0 is the mean" },
	{ FX_FIELD(struct pixels, prior_faces), .def = 10, .min = 0, .max = 1e6,
	  .help = "faces of full probability added to every contact, makes small contacts merge "
		  "late" },
	{ FX_FIELD(struct pixels, large_voxels), .def = 5000, .min = 0, .max = 1e9, .unit = "voxel",
	  .help = "segments of this size merge only over a large contact; 0 is no such rule" },
	{ FX_FIELD(struct pixels, large_contact), .def = 0.3, .min = 0, .max = 100,
	  .help = "a contact is large above this times the smaller one's size to the power 2/3" },
	{ FX_FIELD(struct pixels, dust_voxels), .def = 500, .min = 0, .max = 1e6, .unit = "voxel",
	  .help = "smaller segments join the neighbour of the weakest boundary" },
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

/* Once, when the voxels are not what the model knows. */
static void pixels_check_scale(struct fx_node *node, struct pixels *s, const double voxel_nm[3])
{
	const double *m = s->net.voxel_nm, *v = voxel_nm;

	if (s->warned || !(fx_pixelmodel_scale(&s->net, v) > SCALE_MAX))
		return;
	s->warned = true;
	fx_warn(node,
		"voxels of %g x %g x %g nm (z y x), but the model was trained on %g x %g x %g nm: "
		"train one on such data with graphs/train-pixels.yaml",
		v[0], v[1], v[2], m[0], m[1], m[2]);
}

static int pixels_boundary(const struct pixels *s, uint8_t *boundary, const struct fx_block *image)
{
	struct fx_features f = { 0 };
	int err = fx_features_init(&f, image->data, image->dtype, image->shape, image->voxel_nm);

	if (!err)
		err = fx_voxelmlp_boundary(&s->net.mlp, &f, boundary);
	fx_features_fini(&f);
	return err;
}

static int pixels_labels(const struct pixels *s, uint32_t *labels, const uint8_t *boundary,
			 const struct fx_block *image)
{
	const struct fx_fragments_params cut = { s->seed_boundary, s->seed_smooth, s->seed_radius };
	const struct fx_agglomerate_params join = {
		.threshold = s->threshold,
		.quantile = s->quantile,
		.prior_faces = s->prior_faces,
		.large_voxels = s->large_voxels,
		.large_contact = s->large_contact,
		.dust_voxels = s->dust_voxels,
	};
	const struct fx_rag_evidence evidence = { .boundary = boundary };
	uint32_t count = 0;
	int err = fx_fragments(labels, &count, boundary, image->shape, image->voxel_nm, &cut);

	return err ? err : fx_fragments_merge(labels, &count, image->shape, &evidence, &join);
}

/* A block for output @p port with place and voxel size of @p like. */
static struct fx_block *pixels_block(struct fx_node *node, unsigned port, enum fx_dtype dtype,
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

static int pixels_failed(struct fx_node *node, int err, const struct fx_block *image)
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

static int pixels_process(struct fx_node *node, void *state)
{
	struct pixels *s = state;
	struct fx_block *image = fx_take(node, IMAGE);
	struct fx_block *labels = pixels_block(node, LABELS, FX_U32, FX_LABELS, image);
	struct fx_block *boundary = pixels_block(node, BOUNDARY, FX_U8, FX_PROBABILITY, image);
	int err = labels && boundary ? FX_OK : FX_ENOMEM;

	pixels_check_scale(node, s, image->voxel_nm);
	if (!err)
		err = pixels_boundary(s, boundary->data, image);
	if (!err)
		err = pixels_labels(s, labels->data, boundary->data, image);
	if (err) {
		err = pixels_failed(node, err, image);
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
