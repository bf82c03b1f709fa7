// SPDX-License-Identifier: Apache-2.0
/* segmenter/unet: segments by a U-Net that judges the faces between voxels. */
#include <fornix/node.h>

#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/datafile.h"
#include "kernels/logit.h"
#include "nn/unetmodel.h"
#include "node/segments.h"

enum { IMAGE, LABELS, BOUNDARY, AFFINITIES }; /* index into ports[] */
enum { AFFINITY, ERODED, MEAN, AUTO };	      /* index into kinds[] */

#define UNET_MODEL "models/em-unet.safetensors"

static const char *const kinds[] = { "affinity", "eroded", "mean", "auto", NULL };

struct unet {
	const char *model; /* options: set before init() */
	struct fx_vec tile, overlap;
	double seed_depth, seed_smooth, seed_radius;
	int height, evidence;
	struct fx_segments_join join;

	struct fx_unetmodel net; /* owned, from init() to finish() */
	bool warned;
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 1U << FX_IMAGE, false,
		    "brightness with dark membranes, stretched to the whole range (f32: 0 to 1)" },
	[LABELS] = { "labels", FX_OUT, FX_BLOCK, FX_U32, 1U << FX_LABELS, false,
		     "segments 1..n of every block on its own; 0 only where no seed was found" },
	[BOUNDARY] = { "boundary", FX_OUT, FX_BLOCK, FX_U8, 1U << FX_PROBABILITY, false,
		       "largest probability of a boundary to a lower neighbour, 255 is 1" },
	[AFFINITIES] = { "affinities", FX_OUT, FX_BLOCK, FX_U8, 1U << FX_AFFINITY, false,
			 "channels z y x: probability that a voxel and its lower neighbour are in "
			 "one body, 255 is 1" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct unet, model), .path = FX_PATH_READ, .def_str = "",
	  .help = "model file made by trainer/segmentation; empty is the one that came with "
		  "fornix" },
	{ FX_FIELD(struct unet, tile), .def_str = "192 192 192", .min = 1, .max = 1024,
	  .unit = "voxel",
	  .help = "larger blocks go through the network in overlapping tiles of at most this" },
	{ FX_FIELD(struct unet, overlap), .def_str = "32 32 32", .min = 0, .max = 512,
	  .unit = "voxel", .help = "least overlap of tiles, where they are blended" },
	{ FX_FIELD(struct unet, seed_depth), .def = FX_UNET_SEED_DEPTH, .min = 0, .max = 30,
	  .unit = "voxel",
	  .help = "seeds lie at least this far from other bodies, by the network" },
	{ FX_FIELD(struct unet, seed_smooth), .def = FX_UNET_SEED_SMOOTH, .min = 0, .max = 8,
	  .unit = "voxel",
	  .help = "smoothing of the distance from other bodies, the higher the fewer fragments" },
	{ FX_FIELD(struct unet, seed_radius), .def = FX_UNET_SEED_RADIUS, .min = 1, .max = 32,
	  .unit = "voxel", .help = "seeds are the deepest points within this radius" },
	{ FX_FIELD(struct unet, height), .def = AUTO, .choices = kinds,
	  .help = "what fragments are flooded along: the affinities, those of bodies eroded by a "
		  "voxel, or the mean of both; auto is the mean when the network has both" },
	{ FX_FIELD(struct unet, evidence), .def = AFFINITY, .choices = kinds,
	  .help = "what fragments are merged by, of the same kinds; auto is affinity" },
	{ FX_SEGMENTS_THRESHOLD(struct unet, join), .def = 0.7 },
	{ FX_SEGMENTS_QUANTILE(struct unet, join), .def = FX_UNET_QUANTILE },
	{ FX_SEGMENTS_PRIOR(struct unet, join), .def = FX_UNET_PRIOR_FACES },
	{ FX_SEGMENTS_LARGE(struct unet, join), .def = FX_UNET_LARGE_VOXELS },
	{ FX_SEGMENTS_CONTACT(struct unet, join), .def = FX_UNET_LARGE_CONTACT },
	{ FX_SEGMENTS_DUST(struct unet, join), .def = FX_UNET_DUST_VOXELS },
	{ 0 },
};

/* The affinities of eroded bodies are wanted. */
static bool unet_eroded(const struct unet *s)
{
	return s->height != AFFINITY || s->evidence != AFFINITY;
}

static int unet_init(struct fx_node *node, void *state)
{
	struct unet *s = state;
	struct fx_error err = { 0 };
	char *shipped = *s->model ? NULL : fx_datafile_path(UNET_MODEL);
	const char *path = *s->model ? s->model : shipped;
	int result;

	if (!path)
		return fx_fail(node, FX_ENOENT,
			       "there is no %s beside the program: name a file by the option model",
			       UNET_MODEL);
	result = fx_unetmodel_read(&s->net, path, &err);
	if (s->height == AUTO)
		s->height = s->net.eroded ? MEAN : AFFINITY;
	if (s->evidence == AUTO)
		s->evidence = AFFINITY;
	if (result == FX_OK && unet_eroded(s) && !s->net.eroded)
		result = fx_error_set(&err, FX_EINVAL,
				      "%s: the network has no head \"eroded\": options height and "
				      "evidence must be affinity",
				      path);
	free(shipped);
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

/* What is made of a block: floats that the network gives, and heights of faces. */
struct unet_maps {
	size_t len;
	float *logits;	/* owned: 4 or 7 maps of len */
	uint8_t *bytes; /* owned: 3 maps of len for each kind: one kind, or all */
};

static void unet_maps_fini(struct unet_maps *m)
{
	free(m->logits);
	free(m->bytes);
}

static int unet_maps_init(struct unet_maps *m, size_t len, bool eroded)
{
	size_t floats, bytes;

	m->len = len;
	if (!fx_mul_size(len, (eroded ? 7 : 4) * sizeof *m->logits, &floats) ||
	    !fx_mul_size(len, eroded ? 9 : 3, &bytes))
		return FX_ENOMEM;
	m->logits = fx_alloc_aligned(floats);
	m->bytes = fx_alloc_aligned(bytes);
	return m->logits && m->bytes ? FX_OK : FX_ENOMEM;
}

/* Heights of the faces below along @p axis. */
static uint8_t *unet_face(const struct unet_maps *m, int kind, size_t axis)
{
	return m->bytes + ((size_t)kind * 3 + axis) * m->len;
}

/* Runs the network and turns its logits into heights and depths. */
static int unet_judge(struct unet *s, struct unet_maps *m, const struct fx_block *image,
		      struct fx_error *err)
{
	const struct fx_unet_image in = { image->data,
					  image->dtype,
					  { image->shape[0], image->shape[1], image->shape[2] } };
	const size_t maps = unet_eroded(s) ? 7 : 4;
	struct fx_unet_logits out = { { NULL } };
	struct fx_unet_tiles tiles;
	int result;

	for (int a = 0; a < 3; a++) {
		tiles.most[a] = (size_t)s->tile.v[a];
		tiles.overlap[a] = (size_t)s->overlap.v[a];
	}
	for (size_t c = 0; c < maps; c++)
		out.out[c] = m->logits + c * m->len;
	result = fx_unetmodel_run(&s->net, &in, &tiles, &out, err);
	if (result < 0)
		return result;
	for (size_t a = 0; a < 3; a++) {
		fx_logit_heights(unet_face(m, AFFINITY, a), out.out[a], m->len);
		if (maps == 4)
			continue;
		fx_logit_heights(unet_face(m, ERODED, a), out.out[a + 4], m->len);
		fx_heights_mean(unet_face(m, MEAN, a), unet_face(m, ERODED, a),
				unet_face(m, AFFINITY, a), m->len);
	}
	fx_logit_tanh(out.out[3], m->len);
	return FX_OK;
}

static int unet_labels(const struct unet *s, uint32_t *labels, const struct unet_maps *m,
		       const uint8_t *excluded, const struct fx_block *image)
{
	const struct fx_fragments_depths seeds = { tanh(s->seed_depth / FX_UNET_DISTANCE_UNIT),
						   s->seed_smooth, s->seed_radius };
	const struct fx_agglomerate_params join = fx_segments_agglomerate(&s->join);
	struct fx_rag_evidence evidence = { 0 };
	const uint8_t *flood[3];
	uint32_t count = 0;
	int err;

	for (size_t a = 0; a < 3; a++) {
		flood[a] = unet_face(m, s->height, a);
		evidence.face[a] = unet_face(m, s->evidence, a);
	}
	for (size_t i = 0; excluded && i < m->len; i++) /* no seed there */
		m->logits[3 * m->len + i] = excluded[i] ? -1 : m->logits[3 * m->len + i];
	err = fx_fragments_faces(labels, &count, m->logits + 3 * m->len, flood, image->shape,
				 image->voxel_nm, &seeds);
	if (!err)
		err = fx_segments_exclude(labels, &count, excluded, image->shape);
	return err ? err : fx_fragments_merge(labels, &count, image->shape, &evidence, &join);
}

/* Probabilities of faces, when somebody wants them. */
static int unet_send_affinities(struct fx_node *node, const struct unet_maps *m,
				const struct fx_block *image)
{
	struct fx_block *b;
	uint8_t *to;

	if (!fx_connected(node, AFFINITIES))
		return FX_OK;
	b = fx_segments_block(node, AFFINITIES, FX_U8, 3, FX_AFFINITY, image);
	if (b) {
		to = b->data;
		for (size_t i = 0; i < 3 * m->len; i++)
			to[i] = (uint8_t)(255 - m->bytes[i]);
	}
	return fx_send(node, AFFINITIES, b);
}

/* The largest height of each voxel's faces, when somebody wants it. */
static int unet_send_boundary(struct fx_node *node, const struct unet_maps *m,
			      const struct fx_block *image)
{
	const uint8_t *const face[3] = { unet_face(m, AFFINITY, 0), unet_face(m, AFFINITY, 1),
					 unet_face(m, AFFINITY, 2) };
	struct fx_block *b;

	if (!fx_connected(node, BOUNDARY))
		return FX_OK;
	b = fx_segments_block(node, BOUNDARY, FX_U8, 1, FX_PROBABILITY, image);
	if (b)
		fx_faces_boundary(b->data, face, image->shape);
	return fx_send(node, BOUNDARY, b);
}

static int unet_process(struct fx_node *node, void *state)
{
	struct unet *s = state;
	struct unet_maps m = { 0 };
	struct fx_error why = { 0 };
	struct fx_block *image = fx_take(node, IMAGE);
	struct fx_block *labels = fx_segments_block(node, LABELS, FX_U32, 1, FX_LABELS, image);
	uint8_t *excluded = NULL;
	int err = labels ? unet_maps_init(&m, fx_block_len(image), unet_eroded(s)) : FX_ENOMEM;

	if (!err)
		err = fx_segments_excluded(image, &excluded);
	if (!s->warned)
		s->warned = fx_segments_warn_scale(node, image, s->net.voxel_nm,
						   "graphs/train-unet.yaml");
	if (!err)
		err = unet_judge(s, &m, image, &why);
	if (!err)
		err = unet_labels(s, labels->data, &m, excluded, image);
	if (err) {
		err = why.code ? fx_fail_error(node, &why) : fx_segments_failed(node, err, image);
		goto done;
	}
	err = fx_segments_send(node, LABELS, &labels);
	if (!err)
		err = unet_send_boundary(node, &m, image);
	if (!err)
		err = unet_send_affinities(node, &m, image);
done:
	free(excluded);
	unet_maps_fini(&m);
	fx_block_free(image);
	fx_block_free(labels);
	return err;
}

static void unet_finish(void *state)
{
	struct unet *s = state;

	fx_unetmodel_fini(&s->net);
}

FX_NODE(segmenter_unet) = {
	.abi = FX_NODE_ABI,
	.name = "segmenter/unet",
	.summary = "segment blocks by a U-Net that judges the faces between voxels",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct unet),
	.stateless = true,
	.init = unet_init,
	.process = unet_process,
	.finish = unet_finish,
};
