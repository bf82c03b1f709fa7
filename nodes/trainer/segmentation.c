// SPDX-License-Identifier: Apache-2.0
/* trainer/segmentation: trains the U-Net of segmenter/unet on sections and their truth. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "nn/cropvolume.h"
#include "nn/unetfit.h"

enum { IMAGE, TRUTH, MORE_IMAGE, MORE_TRUTH, CURVES }; /* index into ports[] */
enum { UNKNOWN, EDGE };				       /* index into zeros[] */

static const char *const zeros[] = { "unknown", "boundary", NULL };

struct segmentation {
	const char *model, *start, *picture, *note, *width; /* options: set before init() */
	struct fx_vec side;
	int zero, aside_from, aside_to, flat, batch, steps, warmup, reports, seed;
	double rate, more_share, memory;
	struct fx_crop_spec crop; /* options: shares and deviations in it */

	char *checkpoint;		/* owned, from init() to finish(), as what follows */
	struct fx_cropvolume volume[2]; /* what is learnt from: the main one, and more */
	struct fx_unetfit fit;
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 1U << FX_IMAGE, false,
		    "sections or blocks as segmenter/unet will see them" },
	[TRUTH] = { "truth", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_U32 | FX_U64, 1U << FX_LABELS,
		    false, "their true bodies; may have fewer sections" },
	[MORE_IMAGE] = { "more_image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 1U << FX_IMAGE,
			 true, "a second volume to learn from, such as a phantom" },
	[MORE_TRUTH] = { "more_truth", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_U32 | FX_U64,
			 1U << FX_LABELS, true, "its true bodies" },
	[CURVES] = { "curves", FX_OUT, FX_RECORD, 0, 0, false,
		     "loss and scores on what was kept aside, one record a report" },
	{ 0 },
};

/* Numbers of crop and crop.augment as options. */
#define CROP(m)	   .name = #m, .offset = offsetof(struct segmentation, crop.m), .type = FX_OPT_REAL
#define AUGMENT(m) .name = #m, .offset = offsetof(struct segmentation, crop.augment.m)
#define GREY(m)	   AUGMENT(m), .type = FX_OPT_REAL

static const struct fx_option options[] = {
	{ FX_FIELD(struct segmentation, model), .path = FX_PATH_WRITE,
	  .help = "model file to write; until it is ready, MODEL.checkpoint holds what it takes "
		  "to go on after a break" },
	{ FX_FIELD(struct segmentation, start), .path = FX_PATH_READ, .def_str = "",
	  .help = "model file of the same widths to begin with; empty is none, random weights" },
	{ FX_FIELD(struct segmentation, zero), .def = UNKNOWN, .choices = zeros,
	  .help = "what label 0 of the truth is" },
	{ FX_FIELD(struct segmentation, aside_from), .def = 0, .min = 0, .max = 2097151,
	  .help = "first section whose truth is kept aside for the scores" },
	{ FX_FIELD(struct segmentation, aside_to), .def = 0, .min = 0, .max = 2097152,
	  .help = "section behind the last one kept aside; 0 is none" },
	{ FX_FIELD(struct segmentation, width), .def_str = "16 32 64 64",
	  .help = "channels of each level, 1 to 6 levels" },
	{ FX_FIELD(struct segmentation, flat), .def = 0, .min = 0, .max = 6,
	  .help = "so many of the upper levels do not mix sections, for thick sections" },
	{ FX_FIELD(struct segmentation, side), .def_str = "64 64 64", .min = 8, .max = 512,
	  .unit = "voxel", .help = "size of the crops z y x" },
	{ FX_FIELD(struct segmentation, batch), .def = 2, .min = 1, .max = FX_UNETFIT_BATCH_MAX,
	  .help = "crops of one step; as many cores can work at once" },
	{ FX_FIELD(struct segmentation, steps), .def = 2000, .min = 1, .max = 100000000,
	  .help = "steps of the optimiser" },
	{ FX_FIELD(struct segmentation, rate), .def = 0.0015, .min = 1e-8, .max = 1,
	  .help = "highest step width; it falls by half a cosine to 0" },
	{ FX_FIELD(struct segmentation, warmup), .def = 60, .min = 0, .max = 1000000,
	  .help = "steps until the step width is at its highest" },
	{ FX_FIELD(struct segmentation, seed), .def = 1, .min = 0, .max = 2147483647,
	  .help = "another seed draws other crops and other weights to begin with" },
	{ FX_FIELD(struct segmentation, more_share), .def = 0.2, .min = 0, .max = 1,
	  .help = "share of the crops that are of the second volume, when there is one" },
	{ CROP(warped), .def = 0.5, .min = 0, .max = 1,
	  .help = "share of the crops that are turned by any angle, scaled and bent" },
	{ CROP(scale), .def = 0.18, .min = 0, .max = 1,
	  .help = "those are scaled by up to this share" },
	{ CROP(bend), .def = 1, .min = 0, .max = 16, .unit = "voxel",
	  .help = "deviation of the bend of those" },
	{ GREY(contrast), .def = 0.3, .min = 0, .max = 4,
	  .help = "contrast of a crop is changed by up to this share" },
	{ GREY(offset), .def = 0.4, .min = 0, .max = 4,
	  .help = "brightness is shifted by up to so many deviations of the image" },
	{ GREY(gamma), .def = 0.25, .min = 0, .max = 4,
	  .help = "exponent of the brightness is changed by up to this share" },
	{ GREY(noise), .def = 0.2, .min = 0, .max = 4,
	  .help = "noise of up to so many deviations of the image is added" },
	{ GREY(blur), .def = 0.8, .min = 0, .max = 4, .unit = "voxel",
	  .help = "half of the crops are smoothed by up to this sigma" },
	{ GREY(drop), .def = 0.002, .min = 0, .max = 1, .help = "chance of a section to be lost" },
	{ GREY(shift), .def = 0.002, .min = 0, .max = 1,
	  .help = "chance of a section to lie aside, alone or with all behind it" },
	{ AUGMENT(shift_most), .type = FX_OPT_INT, .def = 3, .min = 0, .max = 32, .unit = "voxel",
	  .help = "by up to this" },
	{ FX_FIELD(struct segmentation, reports), .def = 30, .min = 1, .max = FX_UNETFIT_POINTS_MAX,
	  .help = "points of the curves, and checkpoints" },
	{ FX_FIELD(struct segmentation, picture), .path = FX_PATH_WRITE, .def_str = "",
	  .help = "png file to draw the curves to; empty is none" },
	{ FX_FIELD(struct segmentation, note), .def_str = "",
	  .help = "text kept in the model file, such as where the data are from" },
	{ FX_FIELD(struct segmentation, memory), .def = 4096, .min = 1, .max = 1 << 20,
	  .unit = "MiB", .help = "most voxels that are kept of each input" },
	{ 0 },
};

static int segmentation_init(struct fx_node *node, void *state)
{
	struct segmentation *s = state;
	struct fx_unetfit_spec spec;
	struct fx_error err = { 0 };

	if (!*s->model || fx_is_dir(s->model))
		return fx_fail(node, FX_EINVAL, "model \"%s\" must name a file", s->model);
	if (s->aside_to && s->aside_from >= s->aside_to)
		return fx_fail(node, FX_EINVAL, "aside_from %d must be below aside_to %d",
			       s->aside_from, s->aside_to);
	if (fx_unetfit_width(&spec, s->width, &err) < 0)
		return fx_fail_error(node, &err);
	for (int v = 0; v < 2; v++)
		s->volume[v].image.most = s->volume[v].truth.most = (size_t)(s->memory * 1048576);
	s->checkpoint = fx_asprintf("%s.checkpoint", s->model);
	if (!s->checkpoint)
		return fx_fail(node, FX_ENOMEM, "no memory for a path");
	if (fx_make_parents(s->model, &err) < 0 || fx_make_parents(s->picture, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

/* Sections beyond the truth have nothing to teach. */
static bool segmentation_beyond(struct fx_node *node, unsigned port, const struct fx_block *b)
{
	const struct fx_mark *truth = fx_opened(node, port == MORE_IMAGE ? MORE_TRUTH : TRUTH);

	return (port == IMAGE || port == MORE_IMAGE) && truth && truth->region.hi[0] &&
	       fx_block_core(b).lo[0] >= truth->region.hi[0];
}

static int segmentation_process(struct fx_node *node, void *state)
{
	struct segmentation *s = state;
	struct fx_gather *const to[] = { &s->volume[0].image, &s->volume[0].truth,
					 &s->volume[1].image, &s->volume[1].truth };
	struct fx_error err = { 0 };
	int result = FX_OK;

	for (unsigned port = IMAGE; port <= MORE_TRUTH && result == FX_OK; port++) {
		struct fx_block *b;

		if (fx_waiting(node, port) != FX_BLOCK)
			continue;
		b = fx_take(node, port);
		if (!segmentation_beyond(node, port, b))
			result = fx_gather_add(to[port], b, &err);
		fx_block_free(b);
	}
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int segmentation_mark(struct fx_node *node, void *state, unsigned port,
			     const struct fx_mark *m)
{
	(void)state;
	return port == IMAGE ? fx_send_mark(node, CURVES, m) : FX_OK;
}

static struct fx_unetfit_spec segmentation_spec(const struct segmentation *s)
{
	struct fx_unetfit_spec spec = {
		.batch = (size_t)s->batch,
		.steps = (uint64_t)s->steps,
		.warmup = (uint64_t)s->warmup,
		.seed = (uint64_t)s->seed,
		.rate = s->rate,
		.flat = (size_t)s->flat,
		.crop = s->crop,
	};

	for (int a = 0; a < 3; a++)
		spec.crop.side[a] = (size_t)s->side.v[a];
	return spec;
}

/* Joins what came, and begins, or goes on from a checkpoint of the same training. */
static int segmentation_begin(struct fx_node *node, struct segmentation *s)
{
	const size_t volumes = s->volume[1].image.len || s->volume[1].truth.len ? 2 : 1;
	const struct fx_cropvolume_rules rules[2] = {
		{ s->zero == EDGE, s->aside_from, s->aside_to }, { s->zero == EDGE, 0, 0 }
	};
	struct fx_unetfit_spec spec = segmentation_spec(s);
	struct fx_error err = { 0 };
	int result = fx_unetfit_width(&spec, s->width, &err);

	for (size_t i = 0; i < volumes && result == FX_OK; i++)
		result = fx_cropvolume_close(&s->volume[i], &rules[i], &err);
	if (result < 0)
		return fx_fail_error(node, &err);
	fx_unetfit_data(&spec, s->volume, volumes, s->more_share);
	if (fx_unetfit_init(&s->fit, &spec, &err) < 0 ||
	    (*s->start && fx_unetfit_start(&s->fit, s->start, &err) < 0))
		return fx_fail_error(node, &err);
	result = fx_unetfit_resume(&s->fit, s->checkpoint, &err);
	if (result == FX_OK)
		fx_log(FX_LOG_INFO, "going on from %s, step %llu", s->checkpoint,
		       (unsigned long long)s->fit.optim.step);
	else if (result == FX_ETYPE)
		fx_warn(node, "%s; the training begins anew", err.text);
	if (result == FX_OK || result == FX_ENOENT || result == FX_ETYPE)
		return FX_OK;
	return fx_fail_error(node, &err);
}

/* Tells of a point of the curves. */
static int segmentation_report(struct fx_node *node, const struct segmentation *s, size_t point)
{
	const struct fx_unetfit_point *p = &s->fit.points[point];
	struct fx_record *r = fx_unetfit_record(p);

	fx_log(FX_LOG_INFO,
	       "step %.0f of %d: loss %.4f, aside: loss %.4f, VOI %.3f at threshold %.1f", p->step,
	       s->steps, p->loss, p->aside_loss, p->aside_voi, p->threshold);
	return fx_send_record(node, CURVES, r);
}

/* Trains to the end, or until the run is to stop. */
static int segmentation_train(struct fx_node *node, struct segmentation *s)
{
	const uint64_t total = (uint64_t)s->steps, reports = (uint64_t)s->reports,
		       each = (total + reports - 1) / reports, start = s->fit.optim.step;
	struct fx_error err = { 0 };
	int result = FX_OK;

	for (size_t i = 0; i < s->fit.points_len && result == FX_OK; i++)
		result = segmentation_report(node, s, i); /* before a kill, maybe */
	while (result == FX_OK && s->fit.optim.step < total && !fx_stopping(node)) {
		const uint64_t step = s->fit.optim.step + 1;
		const bool report = step % each == 0 || step == total;

		fx_progress(node, (double)(step - 1 - start), (double)(total - start), "steps");
		if (fx_unetfit_step(&s->fit, &err) < 0 ||
		    (report && fx_unetfit_rate(&s->fit, &err) < 0) ||
		    (report && fx_unetfit_save(&s->fit, s->checkpoint, true, s->note, &err) < 0))
			return fx_fail_error(node, &err);
		result = report ? segmentation_report(node, s, s->fit.points_len - 1) : FX_OK;
	}
	if (result == FX_OK && s->fit.optim.step < total &&
	    fx_unetfit_save(&s->fit, s->checkpoint, true, s->note, &err) < 0)
		return fx_fail_error(node, &err);
	return result;
}

static int segmentation_drain(struct fx_node *node, void *state)
{
	struct segmentation *s = state;
	struct fx_error err = { 0 };
	int result = segmentation_begin(node, s);

	if (result < 0 || (result = segmentation_train(node, s)) < 0)
		return result;
	if (s->fit.optim.step < (uint64_t)s->steps) {
		fx_warn(node, "stopped at step %llu of %d: the same command goes on from %s",
			(unsigned long long)s->fit.optim.step, s->steps, s->checkpoint);
		return FX_OK;
	}
	if ((*s->picture && fx_unetfit_draw(&s->fit, s->picture, &err) < 0) ||
	    fx_unetfit_save(&s->fit, s->model, false, s->note, &err) < 0)
		return fx_fail_error(node, &err);
	unlink(s->checkpoint);
	return FX_OK;
}

static void segmentation_finish(void *state)
{
	struct segmentation *s = state;

	fx_unetfit_fini(&s->fit);
	for (int v = 0; v < 2; v++)
		fx_cropvolume_fini(&s->volume[v]);
	free(s->checkpoint);
}

FX_NODE(trainer_segmentation) = {
	.abi = FX_NODE_ABI,
	.name = "trainer/segmentation",
	.summary = "train the U-Net of segmenter/unet on sections and their truth",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct segmentation),
	.init = segmentation_init,
	.process = segmentation_process,
	.mark = segmentation_mark,
	.drain = segmentation_drain,
	.finish = segmentation_finish,
};
