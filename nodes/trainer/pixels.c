// SPDX-License-Identifier: Apache-2.0
/* trainer/pixels: trains the network of segmenter/pixels on sections and their truth. */
#include <fornix/node.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "block/pair.h"
#include "kernels/pixelsample.h"
#include "nn/pixelfit.h"

enum { IMAGE, TRUTH, CURVES }; /* index into ports[] */
enum { UNKNOWN, EDGE };	       /* index into zeros[] */

static const char *const zeros[] = { "unknown", "boundary", NULL };

struct pixels {
	const char *model, *picture, *note; /* options: set before init() */
	int zero, voxels, hidden, batch, steps, reports, seed, aside_from, aside_to;
	double rate, contrast, offset, memory;

	char *checkpoint;	      /* owned, from init() to finish(), as what follows */
	struct fx_pairs pairs;	      /* blocks whose partner has not come */
	struct fx_pixelsample sample; /* what is learnt from */
	struct fx_pixelfit fit;
	double voxel_nm[3]; /* of the last image */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 1U << FX_IMAGE, false,
		    "blocks as segmenter/pixels will see them, a halo of 13 voxels is best" },
	[TRUTH] = { "truth", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_U32 | FX_U64, 1U << FX_LABELS,
		    false,
		    "true bodies in blocks of the same grid, a halo of 1 is best; may have fewer "
		    "sections" },
	[CURVES] = { "curves", FX_OUT, FX_RECORD, 0, 0, false,
		     "loss and score on what was kept aside, one record a report" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct pixels, model), .path = FX_PATH_WRITE,
	  .help = "model file to write; until it is ready, MODEL.checkpoint holds what it takes "
		  "to go on after a break" },
	{ FX_FIELD(struct pixels, voxels), .def = 400000, .min = 1, .max = 20000000,
	  .unit = "voxel",
	  .help = "voxels to learn from inside of bodies, and as many at their "
		  "boundaries" },
	{ FX_FIELD(struct pixels, zero), .def = UNKNOWN, .choices = zeros,
	  .help = "what label 0 of the truth is" },
	{ FX_FIELD(struct pixels, aside_from), .def = 0, .min = 0, .max = 2097151,
	  .help = "first section that is kept aside for the score" },
	{ FX_FIELD(struct pixels, aside_to), .def = 0, .min = 0, .max = 2097152,
	  .help = "section behind the last one kept aside; 0 is none" },
	{ FX_FIELD(struct pixels, hidden), .def = 48, .min = 1, .max = 1024,
	  .help = "width of both hidden layers" },
	{ FX_FIELD(struct pixels, batch), .def = 1024, .min = 2, .max = 65536, .unit = "voxel",
	  .help = "voxels of one step" },
	{ FX_FIELD(struct pixels, steps), .def = 8000, .min = 1, .max = 100000000,
	  .help = "steps of the optimiser" },
	{ FX_FIELD(struct pixels, rate), .def = 0.003, .min = 1e-8, .max = 1,
	  .help = "highest step width; it falls by half a cosine to 0" },
	{ FX_FIELD(struct pixels, contrast), .def = 0.15, .min = 0, .max = 4,
	  .help = "contrast of every voxel's surroundings is changed by up to this share" },
	{ FX_FIELD(struct pixels, offset), .def = 0.05, .min = 0, .max = 1,
	  .help = "brightness is shifted by up to this, black to white being 1" },
	{ FX_FIELD(struct pixels, seed), .def = 1, .min = 0, .max = 2147483647,
	  .help = "another seed draws other voxels and other weights to begin with" },
	{ FX_FIELD(struct pixels, reports), .def = 40, .min = 1, .max = FX_PIXELFIT_POINTS_MAX,
	  .help = "points of the curves, and checkpoints" },
	{ FX_FIELD(struct pixels, picture), .path = FX_PATH_WRITE, .def_str = "",
	  .help = "png file to draw the curves to; empty is none" },
	{ FX_FIELD(struct pixels, note), .def_str = "",
	  .help = "text kept in the model file, such as where the data are from" },
	{ FX_FIELD(struct pixels, memory), .def = 4096, .min = 1, .max = 1 << 20, .unit = "MiB",
	  .help = "most that blocks of one input may wait for those of the other" },
	{ 0 },
};

static int pixels_init(struct fx_node *node, void *state)
{
	struct pixels *s = state;
	struct fx_error err = { 0 };

	if (!*s->model || fx_is_dir(s->model))
		return fx_fail(node, FX_EINVAL, "model \"%s\" must name a file", s->model);
	if (s->aside_to && s->aside_from >= s->aside_to)
		return fx_fail(node, FX_EINVAL, "aside_from %d must be below aside_to %d",
			       s->aside_from, s->aside_to);
	s->pairs.most = (size_t)(s->memory * 1048576);
	s->sample.seed = (uint64_t)s->seed;
	s->sample.zero_is_edge = s->zero == EDGE;
	s->sample.aside_lo = s->aside_from;
	s->sample.aside_hi = s->aside_to;
	fx_pixelsample_init(&s->sample, (size_t)s->voxels);
	s->checkpoint = fx_asprintf("%s.checkpoint", s->model);
	if (!s->checkpoint)
		return fx_fail(node, FX_ENOMEM, "no memory for a path");
	if (fx_make_parents(s->model, &err) < 0 || fx_make_parents(s->picture, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

/* Sections beyond the truth have nothing to teach. */
static bool pixels_beyond(struct fx_node *node, const struct fx_block *image)
{
	const struct fx_mark *truth = fx_opened(node, TRUTH);

	return truth && truth->region.hi[0] && fx_block_core(image).lo[0] >= truth->region.hi[0];
}

static int pixels_take(struct fx_node *node, struct pixels *s, unsigned port)
{
	struct fx_block *b = fx_take(node, port), *pair[2];
	struct fx_error err = { 0 };
	int result;

	if (port == IMAGE)
		memcpy(s->voxel_nm, b->voxel_nm, sizeof s->voxel_nm);
	if (port == IMAGE && pixels_beyond(node, b)) {
		fx_block_free(b);
		return FX_OK;
	}
	result = fx_pairs_put(&s->pairs, port, b, pair, &err);
	if (result < 0)
		return fx_fail_error(node, &err);
	if (pair[IMAGE] && (result = fx_pixelsample_add(&s->sample, pair[IMAGE], pair[TRUTH])) < 0)
		fx_fail(node, result, "cannot learn from a block: %s",
			result == FX_ENOMEM ? "no memory" : "its shape or voxel size is wrong");
	fx_block_free(pair[IMAGE]);
	fx_block_free(pair[TRUTH]);
	return result;
}

static int pixels_process(struct fx_node *node, void *state)
{
	int result = FX_OK;

	for (unsigned port = IMAGE; port <= TRUTH && result == FX_OK; port++)
		if (fx_waiting(node, port) == FX_BLOCK)
			result = pixels_take(node, state, port);
	return result;
}

static int pixels_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	(void)state;
	return port == IMAGE ? fx_send_mark(node, CURVES, m) : FX_OK;
}

static struct fx_pixelfit_data pixels_data(const struct pixels *s, enum fx_pixelsample_set set)
{
	const struct fx_reservoir *r = s->sample.rows[set];

	return (struct fx_pixelfit_data){ { r[0].rows, r[1].rows }, { r[0].len, r[1].len } };
}

/* Begins, or goes on from a checkpoint of the same training. */
static int pixels_begin(struct fx_node *node, struct pixels *s)
{
	const struct fx_pixelfit_spec spec = {
		.data = pixels_data(s, FX_SAMPLE_TRAIN),
		.hidden = (size_t)s->hidden,
		.batch = (size_t)s->batch,
		.steps = (uint64_t)s->steps,
		.seed = (uint64_t)s->seed,
		.rate = s->rate,
		.contrast = s->contrast,
		.offset = s->offset,
	};
	struct fx_error err = { 0 };
	int result = fx_pixelfit_init(&s->fit, &spec, &err);

	if (result < 0)
		return fx_fail_error(node, &err);
	result = fx_pixelfit_resume(&s->fit, s->checkpoint, &err);
	if (result == FX_OK)
		fx_log(FX_LOG_INFO, "going on from %s, step %llu", s->checkpoint,
		       (unsigned long long)s->fit.optim.step);
	else if (result == FX_ETYPE)
		fx_warn(node, "%s; the training begins anew", err.text);
	return result == FX_ENOMEM ? fx_fail_error(node, &err) : FX_OK;
}

/* Tells of a point of the curves. */
static int pixels_report(struct fx_node *node, const struct pixels *s, size_t point)
{
	const struct fx_pixelfit_point *p = &s->fit.points[point];
	const double numbers[] = { p->loss, p->aside.loss, p->aside.auc };
	static const char *const names[] = { "loss", "aside_loss", "aside_auc" };
	struct fx_record *r = fx_record_new("training");
	int result = r ? FX_OK : FX_ENOMEM;
	char name[64];

	for (int i = 0; i < 3 && result == FX_OK; i++) {
		snprintf(name, sizeof name, "curve.%09.0f.%s", p->step, names[i]);
		result = fx_record_add_number(r, name, numbers[i]);
	}
	if (result == FX_OK)
		return fx_send_record(node, CURVES, r);
	fx_record_free(r);
	return fx_fail(node, result, "no memory for a report");
}

/* Trains to the end, or until the run is to stop. */
static int pixels_train(struct fx_node *node, struct pixels *s)
{
	const struct fx_pixelfit_data aside = pixels_data(s, FX_SAMPLE_ASIDE);
	const uint64_t total = (uint64_t)s->steps, reports = (uint64_t)s->reports,
		       each = (total + reports - 1) / reports, start = s->fit.optim.step;
	const int64_t start_ns = fx_now_ns();
	const struct fx_pixelfit_point *p;
	struct fx_error err = { 0 };
	int result = FX_OK;

	for (size_t i = 0; i < s->fit.points_len && result == FX_OK; i++)
		result = pixels_report(node, s, i); /* what a life before a kill may have told */
	while (result == FX_OK && s->fit.optim.step < total) {
		double spent;

		if (fx_pixelfit_go(&s->fit, each, &aside, &err) < 0 ||
		    fx_pixelfit_save(&s->fit, s->checkpoint, true, s->voxel_nm, s->note, &err) < 0)
			return fx_fail_error(node, &err);
		spent = (double)(fx_now_ns() - start_ns) / 1e9;
		p = &s->fit.points[s->fit.points_len - 1];
		fx_log(FX_LOG_INFO,
		       "step %.0f of %d: loss %.4f, aside: loss %.4f, auc %.4f; %.0f s left",
		       p->step, s->steps, p->loss, p->aside.loss, p->aside.auc,
		       spent * (double)(total - s->fit.optim.step) /
			       (double)(s->fit.optim.step - start));
		result = pixels_report(node, s, s->fit.points_len - 1);
		if (fx_stopping(node))
			break;
	}
	return result;
}

static int pixels_drain(struct fx_node *node, void *state)
{
	struct pixels *s = state;
	struct fx_error err = { 0 };
	int result = fx_pixelsample_close(&s->sample);

	if (result < 0)
		return fx_fail(node, result, "no memory for what is learnt from");
	if (s->pairs.len)
		fx_warn(node, "%zu blocks have no partner: are image and truth on the same grid?",
			s->pairs.len);
	if ((result = pixels_begin(node, s)) < 0 || (result = pixels_train(node, s)) < 0)
		return result;
	if (s->fit.optim.step < (uint64_t)s->steps) {
		fx_warn(node, "stopped at step %llu of %d: the same command goes on from %s",
			(unsigned long long)s->fit.optim.step, s->steps, s->checkpoint);
		return FX_OK;
	}
	if ((*s->picture && fx_pixelfit_draw(&s->fit, s->picture, &err) < 0) ||
	    fx_pixelfit_save(&s->fit, s->model, false, s->voxel_nm, s->note, &err) < 0)
		return fx_fail_error(node, &err);
	unlink(s->checkpoint);
	return FX_OK;
}

static void pixels_finish(void *state)
{
	struct pixels *s = state;

	fx_pixelfit_fini(&s->fit);
	fx_pixelsample_fini(&s->sample);
	fx_pairs_fini(&s->pairs);
	free(s->checkpoint);
}

FX_NODE(trainer_pixels) = {
	.abi = FX_NODE_ABI,
	.name = "trainer/pixels",
	.summary = "train the network of segmenter/pixels on sections and their truth",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct pixels),
	.init = pixels_init,
	.process = pixels_process,
	.mark = pixels_mark,
	.drain = pixels_drain,
	.finish = pixels_finish,
};
