// SPDX-License-Identifier: Apache-2.0
/* normalizer/zscore: grey values to mean 0 and standard deviation 1. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "kernels/histogram.h"
#include "kernels/stretch.h"
#include "node/sectionwise.h"

enum { IMAGE, OUT }; /* index into ports[] */

struct zscore {
	double sd_floor, memory; /* options: set before init() */
	bool ignore_zero;
	int window, hold;
	struct fx_sections held;       /* owned, from OPEN to finish() */
	struct fx_histogram histogram; /* owned, the same */
	float *table;		       /* owned, the same; one entry a grey value */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16, 0, false, "sections as 2-D tiles" },
	[OUT] = { "out", FX_OUT, FX_BLOCK, FX_F32, 0, false,
		  "the same tiles, (value - mean) / deviation" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct zscore, sd_floor), .def = 1, .min = 1e-6, .max = 65535,
	  .help = "smallest standard deviation that is divided by, in grey values" },
	{ FX_FIELD(struct zscore, window), .def = 1, .min = 1, .max = 256,
	  .help = "sections that mean and deviation are taken of: this one and those before" },
	{ FX_FIELD(struct zscore, ignore_zero), .def = false,
	  .help = "leave value 0 (padding) out of mean and deviation; it becomes 0" },
	{ FX_FIELD(struct zscore, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete at a time" },
	{ FX_FIELD(struct zscore, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "incomplete sections beyond this lie in scratch files" },
	{ 0 },
};

static int zscore_learn(struct fx_node *node, void *state, const struct fx_section *section)
{
	struct zscore *s = state;
	struct fx_histogram *h = &s->histogram;
	double mean, sd;

	(void)node;
	memset(h->last, 0, h->bins * sizeof *h->last);
	fx_histogram_count(h->last, section->voxels.data, s->held.dtype,
			   s->held.height * s->held.width);
	if (s->ignore_zero)
		h->last[0] = 0;
	fx_histogram_push(h);
	fx_histogram_moments(h->sum, h->bins, &mean, &sd);
	fx_zscore_table(mean, sd > s->sd_floor ? sd : s->sd_floor, s->table, h->bins);
	if (s->ignore_zero)
		s->table[0] = 0;
	return FX_OK;
}

static void zscore_map(const void *state, const struct fx_section *section,
		       const struct fx_tile *tile, void *dst)
{
	const struct zscore *s = state;
	float *to = dst;

	for (size_t y = 0; y < tile->height; y++)
		fx_table_f32(to + y * tile->width, fx_section_row(&s->held, section, tile, y),
			     s->held.dtype, tile->width, s->table);
}

static const struct fx_sectionwise how = {
	.out = OUT,
	.dtype = FX_F32,
	.learn = zscore_learn,
	.map = zscore_map,
};

static int zscore_process(struct fx_node *node, void *state)
{
	struct zscore *s = state;

	return fx_sectionwise_put(node, IMAGE, &s->held);
}

static int zscore_prepare(struct fx_node *node, struct zscore *s, enum fx_dtype dtype)
{
	const size_t bins = fx_histogram_bins(dtype);

	if (!bins)
		return fx_fail(node, FX_ETYPE, "a stream of %s, but this takes u8 and u16",
			       fx_dtype_name(dtype));
	if (!s->table && (!(s->table = calloc(bins, sizeof *s->table)) ||
			  fx_histogram_init(&s->histogram, bins, (size_t)s->window) < 0))
		return fx_fail(node, FX_ENOMEM, "no memory for the histograms of %d sections",
			       s->window);
	return FX_OK;
}

static int zscore_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct zscore *s = state;

	(void)port;
	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN) {
		const int failed = zscore_prepare(node, s, m->dtype);

		return failed < 0 ? failed :
				    fx_sectionwise_open(node, &how, &s->held, m, s->memory,
							(size_t)s->hold);
	}
	return fx_sectionwise_close(node, s, &how, &s->held, m);
}

static int zscore_drain(struct fx_node *node, void *state)
{
	struct zscore *s = state;

	return fx_sectionwise_drain(node, &how, &s->held);
}

static int zscore_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct zscore *s = state;

	fx_sectionwise_save(node, &s->held, to);
	if (s->held.size)
		fx_histogram_pack(&s->histogram, to);
	return FX_OK;
}

static int zscore_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct zscore *s = state;
	int failed = fx_sectionwise_load(node, IMAGE, &s->held, s->memory, (size_t)s->hold, from);

	if (failed == FX_OK && s->held.size) {
		failed = zscore_prepare(node, s, s->held.dtype);
		if (failed == FX_OK)
			failed = fx_histogram_unpack(&s->histogram, from);
	}
	return failed;
}

static void zscore_finish(void *state)
{
	struct zscore *s = state;

	fx_sections_fini(&s->held);
	fx_histogram_fini(&s->histogram);
	free(s->table);
}

FX_NODE(normalizer_zscore) = {
	.abi = FX_NODE_ABI,
	.name = "normalizer/zscore",
	.summary = "bring grey values to mean 0 and standard deviation 1",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct zscore),
	.process = zscore_process,
	.mark = zscore_mark,
	.drain = zscore_drain,
	.finish = zscore_finish,
	.save = zscore_save,
	.load = zscore_load,
};
