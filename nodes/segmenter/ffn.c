// SPDX-License-Identifier: Apache-2.0
/* segmenter/ffn: one object after another, flooded by a network that moves along it. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "formats/ffnmodel.h"
#include "nn/ffnstate.h"
#include "node/segments.h"
#include "kernels/ffn_net.h"
#include "kernels/ffn_seeds.h"

enum { IMAGE, LABELS };	       /* index into ports[] */
enum { WINOGRAD, DIRECT };     /* index into kernels[] */
enum { TELL_NS = 1000000000 }; /* between two reports of progress */
static const char *const kernels[] = { "winograd", "direct", NULL };

struct ffn {
	const char *model, *resume; /* options */
	double init, pad, move, segment, disconnect, seed_sigma, seed_noise;
	struct fx_vec min_distance, trained_nm;
	int kernel, min_voxels, seed_random, seed_spacing, save_every;
	struct fx_ffn_model net_file; /* owned, from init() to finish() */
	struct fx_ffn_net *net;	      /* owned, from init() to finish() */
	double done[3], resumed;      /* voxels, evaluations, objects of complete blocks */
	bool told_voxel, told_small;
	int told_save;
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 1U << FX_IMAGE, false,
		    "brightness as the network was trained on (u16 and f32: whole range is 0 to "
		    "255)" },
	[LABELS] = { "labels", FX_OUT, FX_BLOCK, FX_U32, 1U << FX_LABELS, false,
		     "objects 1..n of every block on its own; 0 is unassigned" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct ffn, model), .path = FX_PATH_READ,
	  .help = "file of the network, .safetensors; fornix convert makes one of a checkpoint" },
	{ FX_FIELD(struct ffn, kernel), .def = WINOGRAD, .choices = kernels,
	  .help = "way to compute convolutions: winograd is faster, direct rounds less" },
	{ FX_FIELD(struct ffn, init), .def = 0.95, .min = 0.5, .max = 0.999,
	  .help = "probability that a seed begins with" },
	{ FX_FIELD(struct ffn, pad), .def = 0.05, .min = 0.001, .max = 0.5,
	  .help = "probability shown to the network where nothing is known yet" },
	{ FX_FIELD(struct ffn, move), .def = 0.9, .min = 0.5, .max = 0.999,
	  .help = "the field of view moves to where the object is at least this sure" },
	{ FX_FIELD(struct ffn, segment), .def = 0.6, .min = 0.001, .max = 0.999,
	  .help = "voxels at least this sure belong to the object" },
	{ FX_FIELD(struct ffn, disconnect), .def = 0, .min = -1, .max = 1,
	  .help = "sure part of a field above which voxels once below 0.5 stay so; below 0 never" },
	{ FX_FIELD(struct ffn, min_voxels), .def = 1000, .min = 0, .max = 1e9, .unit = "voxel",
	  .help = "smaller objects are dropped" },
	{ FX_FIELD(struct ffn, min_distance), .def_str = "1 1 1", .min = 0, .max = 64,
	  .unit = "voxel", .help = "no object begins this near to another one" },
	{ FX_FIELD(struct ffn, seed_sigma), .def = 49.0 / 6.0, .min = 0.5, .max = FX_FFN_SIGMA_MAX,
	  .unit = "voxel", .help = "smoothing of the edge strength that tells what is an edge" },
	{ FX_FIELD(struct ffn, seed_noise), .def = 1e-4, .min = 0, .max = 1, .unit = "voxel",
	  .help = "random part of the distance to edges, breaks ties between seeds" },
	{ FX_FIELD(struct ffn, seed_random), .def = 42, .min = 0, .max = 2147483647,
	  .help = "seed of the random numbers" },
	{ FX_FIELD(struct ffn, seed_spacing), .def = 3, .min = 1, .max = FX_FFN_SPACING_MAX,
	  .unit = "voxel", .help = "seeds are the deepest points within this along each axis" },
	{ FX_FIELD(struct ffn, trained_nm), .def_str = "0 0 0", .min = 0, .max = 1e6, .unit = "nm",
	  .help = "voxel size that the network was trained on; 0 is what its file tells" },
	{ FX_FIELD(struct ffn, resume), .path = FX_PATH_WRITE, .def_str = "",
	  .help = "folder of states from which a killed worker goes on; empty is none" },
	{ FX_FIELD(struct ffn, save_every), .def = 200, .min = 1, .max = 1e9,
	  .help = "evaluations of the network between two saves of the state" },
	{ 0 },
};

static int ffn_init(struct fx_node *node, void *state)
{
	struct ffn *s = state;
	struct fx_ffn_weights w = { 0 };
	struct fx_error err = { 0 };

	_Static_assert(sizeof s->net_file.weight == sizeof w.weight, "both have the same layers");
	if (fx_ffn_model_read(&s->net_file, s->model, &err) ||
	    (*s->resume && fx_make_dirs(s->resume, &err)))
		return fx_fail_error(node, &err);
	w.depth = s->net_file.depth;
	w.features = s->net_file.features;
	memcpy(w.weight, s->net_file.weight, sizeof s->net_file.weight);
	memcpy(w.bias, s->net_file.bias, sizeof s->net_file.bias);
	s->net = fx_ffn_net_new(&w, s->net_file.fov,
				s->kernel == DIRECT ? FX_CONV3D_DIRECT : FX_CONV3D_WINOGRAD, 0,
				&err);
	return s->net ? FX_OK : fx_fail_error(node, &err);
}

static struct fx_ffn_config ffn_config(const struct ffn *s)
{
	struct fx_ffn_config c = { .init = s->init,
				   .pad = s->pad,
				   .move = s->move,
				   .segment = s->segment,
				   .disconnect = s->disconnect,
				   .min_voxels = (size_t)s->min_voxels };

	for (int i = 0; i < 3; i++) {
		c.fov[i] = s->net_file.fov[i];
		c.deltas[i] = s->net_file.deltas[i];
		c.min_distance[i] = (size_t)s->min_distance.v[i];
	}
	return c;
}

static void ffn_warn(struct fx_node *node, struct ffn *s, const struct fx_block *image)
{
	const size_t *n = image->shape, *fov = s->net_file.fov;
	const double *had = image->voxel_nm, *file = s->net_file.voxel_nm, *set = s->trained_nm.v;

	for (int i = 0; i < 3 && !s->told_voxel; i++) {
		const double want = set[i] > 0 ? set[i] : file[i];

		if (!(want > 0) || (had[i] < 1.25 * want && want < 1.25 * had[i]))
			continue;
		fx_warn(node,
			"the network %s was trained on voxels of %g nm along %c, these have %g nm: "
			"resample the data, or take another network",
			s->model, want, "zyx"[i], had[i]);
		s->told_voxel = true;
	}
	if (!s->told_small && (n[0] < fov[0] || n[1] < fov[1] || n[2] < fov[2])) {
		fx_warn(node,
			"a block of %zux%zux%zu voxels is smaller than the field of view of "
			"%zux%zux%zu: nothing is found in it",
			n[0], n[1], n[2], fov[0], fov[1], fov[2]);
		s->told_small = true;
	}
}

static void ffn_save(struct fx_node *node, struct ffn *s, const struct fx_ffn *f, const char *path,
		     uint64_t key)
{
	struct fx_error err = { 0 };

	if (path && fx_ffn_state_write(f, key, path, &err) && !s->told_save++)
		fx_warn(node, "the state of the flood is not saved: %s", err.text);
}

static void ffn_restore(struct ffn *s, struct fx_ffn *f, const char *path, uint64_t key)
{
	struct fx_error err = { 0 };
	const int result = path ? fx_ffn_state_read(f, key, path, &err) : FX_ENOENT;

	if (!result)
		fx_log(FX_LOG_INFO, "goes on with %s", path);
	else if (result != FX_ENOENT)
		fx_log(FX_LOG_WARN, "%s: begins anew", err.text);
	s->resumed += (double)f->counts.evaluations;
}

static double ffn_volume(struct fx_region r)
{
	return (double)(r.hi[0] - r.lo[0]) * (double)(r.hi[1] - r.lo[1]) *
	       (double)(r.hi[2] - r.lo[2]);
}

/* Voxels count by the core: those of all blocks are the volume. */
static void ffn_tell(struct fx_node *node, struct ffn *s, struct fx_ffn *f,
		     const struct fx_block *image, bool last)
{
	const struct fx_mark *open = fx_opened(node, IMAGE);
	const double core = ffn_volume(fx_block_core(image));
	const double done[] = { s->done[0] + core * fx_ffn_settled(f) / (double)f->len,
				s->done[1] + (double)f->counts.evaluations,
				s->done[2] + (double)f->counts.accepted };

	fx_progress(node, done[0], open ? ffn_volume(open->region) : 0, "voxels");
	fx_progress(node, done[1], 0, "evaluations");
	fx_progress(node, done[2], 0, "objects");
	fx_progress(node, (double)(f->seeds_len - f->seed), 0, "seeds left");
	if (s->resumed > 0)
		fx_progress(node, s->resumed, 0, "evaluations resumed");
	if (last)
		memcpy(s->done, done, sizeof done);
}

/* Floods all of a block. FX_END when the run was ended before: the state is saved. */
static int ffn_run(struct fx_node *node, struct ffn *s, struct fx_ffn *f,
		   const struct fx_block *image)
{
	const size_t masked = image->channels > 1 ? fx_block_size(image) : 0;
	const uint64_t key = fx_ffn_key(
		f, fx_ffn_hash(s->net_file.hash ^ (uint64_t)s->kernel, image->data, masked));
	char *path = *s->resume ? fx_ffn_state_path(s->resume, image->origin, key) : NULL;
	int64_t told = 0, saved;
	int did = FX_OK;

	ffn_restore(s, f, path, key);
	saved = (int64_t)f->counts.evaluations;
	while (did >= 0 && did != FX_FFN_FINISHED && !fx_stopping(node)) {
		if (fx_now_ns() - told > TELL_NS) {
			ffn_tell(node, s, f, image, false);
			told = fx_now_ns();
		}
		did = fx_ffn_step(f);
		fx_progress(node, s->done[1] + (double)f->counts.evaluations, 0, "evaluations");
		if ((int64_t)f->counts.evaluations - saved >= s->save_every) {
			ffn_save(node, s, f, path, key);
			saved = (int64_t)f->counts.evaluations;
		}
	}
	if (did >= 0)
		ffn_tell(node, s, f, image, true);
	if (did == FX_FFN_FINISHED && path)
		fx_ffn_state_remove(path);
	else if (did >= 0)
		ffn_save(node, s, f, path, key);
	free(path);
	return did < 0 ? did : did == FX_FFN_FINISHED ? FX_OK : FX_END;
}

static int ffn_segment(struct fx_node *node, struct ffn *s, struct fx_block *labels,
		       const uint8_t *excluded, const struct fx_block *image)
{
	const struct fx_ffn_seeding seeding = { s->seed_sigma, s->seed_noise,
						(uint32_t)s->seed_random, (size_t)s->seed_spacing,
						excluded };
	const struct fx_ffn_eval eval = { fx_ffn_net_run, s->net };
	const struct fx_ffn_config config = ffn_config(s);
	const size_t margin[3] = { config.fov[0] / 2, config.fov[1] / 2, config.fov[2] / 2 };
	const size_t len_all = fx_block_len(image), *n = image->shape;
	float *grey = fx_alloc_aligned(len_all * sizeof *grey);
	struct fx_error err = { .text = "no memory, or voxels without extent" };
	struct fx_ffn_pos *seeds = NULL;
	struct fx_ffn f = { 0 };
	uint32_t count = 0;
	size_t len = 0;
	int result = grey ? FX_OK : FX_ENOMEM;

	memset(labels->data, 0, fx_block_size(labels));
	for (size_t i = 0; excluded && i < len_all; i++)
		((uint32_t *)labels->data)[i] = excluded[i]; /* as if of object 1 */
	if (!result) {
		fx_ffn_normalise(grey, image->data, image->dtype, len_all, s->net_file.mean,
				 s->net_file.stddev);
		result = fx_ffn_seeds(&seeds, &len, grey, n, image->voxel_nm, margin, &seeding);
	}
	if (!result)
		result = fx_ffn_init(&f, &config, &eval, grey, labels->data, n, seeds, len, &err);
	f.next_id += excluded != NULL;
	result = result ? result : ffn_run(node, s, &f, image);
	if (!result)
		result = fx_segments_exclude(labels->data, &count, excluded, n);
	fx_ffn_fini(&f);
	free(seeds);
	free(grey);
	return result ? fx_fail(node, result, "cannot flood a block of %zux%zux%zu voxels: %s",
				n[0], n[1], n[2], err.text) :
			FX_OK;
}

static int ffn_process(struct fx_node *node, void *state)
{
	struct ffn *s = state;
	struct fx_block *image = fx_take(node, IMAGE);
	struct fx_block *labels = fx_segments_block(node, LABELS, FX_U32, 1, FX_LABELS, image);
	uint8_t *excluded = NULL;
	int err = labels ? fx_segments_excluded(image, &excluded) : FX_ENOMEM;

	ffn_warn(node, s, image);
	err = err ? fx_fail(node, err, "no memory for the labels") :
		    ffn_segment(node, s, labels, excluded, image);
	free(excluded);
	fx_block_free(image);
	if (!err)
		return fx_send(node, LABELS, labels);
	fx_block_free(labels);
	return err;
}

static void ffn_finish(void *state)
{
	struct ffn *s = state;
	fx_ffn_net_free(s->net);
	fx_ffn_model_fini(&s->net_file);
}

FX_NODE(segmenter_ffn) = {
	.abi = FX_NODE_ABI,
	.name = "segmenter/ffn",
	.summary = "flood objects one by one with a network that moves along them (FFN)",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct ffn),
	.stateless = true,
	.init = ffn_init,
	.process = ffn_process,
	.finish = ffn_finish,
};
