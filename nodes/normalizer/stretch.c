// SPDX-License-Identifier: Apache-2.0
/* normalizer/stretch: stretches grey values so that two percentiles become 0 and 255. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "kernels/histogram.h"
#include "kernels/stretch.h"
#include "node/sectionwise.h"

enum { IMAGE, OUT }; /* index into ports[] */

struct stretch {
	double low, high, memory; /* options: set before init() */
	bool clip, ignore_zero;
	int window, hold;
	struct fx_sections held;       /* owned, from OPEN to finish() */
	struct fx_histogram histogram; /* owned, the same */
	uint8_t *table;		       /* owned, the same; one entry a grey value */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16, 0, false, "sections as 2-D tiles" },
	[OUT] = { "out", FX_OUT, FX_BLOCK, FX_U8, 0, false, "the same tiles, 0 to 255" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct stretch, low), .unit = "%", .def = 1, .min = 0, .max = 100,
	  .help = "percentile that becomes 0" },
	{ FX_FIELD(struct stretch, high), .unit = "%", .def = 99, .min = 0, .max = 100,
	  .help = "percentile that becomes 255" },
	{ FX_FIELD(struct stretch, clip), .def = true,
	  .help = "cut what lies outside of the percentiles; off, they become low and high of 255 "
		  "and leave it room" },
	{ FX_FIELD(struct stretch, window), .def = 1, .min = 1, .max = 256,
	  .help = "sections that the percentiles are taken of: this one and those before" },
	{ FX_FIELD(struct stretch, ignore_zero), .def = false,
	  .help = "leave value 0 (padding) out of the percentiles; it stays 0" },
	{ FX_FIELD(struct stretch, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete at a time" },
	{ FX_FIELD(struct stretch, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "incomplete sections beyond this lie in scratch files" },
	{ 0 },
};

static int stretch_init(struct fx_node *node, void *state)
{
	const struct stretch *s = state;

	if (s->low >= s->high)
		return fx_fail(node, FX_EINVAL, "low %g must be below high %g", s->low, s->high);
	return FX_OK;
}

static int stretch_learn(struct fx_node *node, void *state, const struct fx_section *section)
{
	struct stretch *s = state;
	struct fx_histogram *h = &s->histogram;
	double low, high;

	(void)node;
	memset(h->last, 0, h->bins * sizeof *h->last);
	fx_histogram_count(h->last, section->voxels.data, s->held.dtype,
			   s->held.height * s->held.width);
	if (s->ignore_zero)
		h->last[0] = 0;
	fx_histogram_push(h);
	low = fx_histogram_percentile(h->sum, h->bins, s->low);
	high = fx_histogram_percentile(h->sum, h->bins, s->high);
	fx_stretch_table(low, high, s->clip ? 0 : 255 * s->low / 100,
			 s->clip ? 255 : 255 * s->high / 100, s->table, h->bins);
	if (s->ignore_zero)
		s->table[0] = 0;
	return FX_OK;
}

static void stretch_map(const void *state, const struct fx_section *section,
			const struct fx_tile *tile, void *dst)
{
	const struct stretch *s = state;
	uint8_t *to = dst;

	for (size_t y = 0; y < tile->height; y++)
		fx_table_u8(to + y * tile->width, fx_section_row(&s->held, section, tile, y),
			    s->held.dtype, tile->width, s->table);
}

static const struct fx_sectionwise how = {
	.out = OUT,
	.dtype = FX_U8,
	.learn = stretch_learn,
	.map = stretch_map,
};

static int stretch_process(struct fx_node *node, void *state)
{
	struct stretch *s = state;

	return fx_sectionwise_put(node, IMAGE, &s->held);
}

static int stretch_prepare(struct fx_node *node, struct stretch *s, enum fx_dtype dtype)
{
	const size_t bins = fx_histogram_bins(dtype);

	if (!bins)
		return fx_fail(node, FX_ETYPE, "a stream of %s, but this takes u8 and u16",
			       fx_dtype_name(dtype));
	if (!s->table && (!(s->table = calloc(bins, 1)) ||
			  fx_histogram_init(&s->histogram, bins, (size_t)s->window) < 0))
		return fx_fail(node, FX_ENOMEM, "no memory for the histograms of %d sections",
			       s->window);
	return FX_OK;
}

static int stretch_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct stretch *s = state;

	(void)port;
	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN) {
		const int failed = stretch_prepare(node, s, m->dtype);

		return failed < 0 ? failed :
				    fx_sectionwise_open(node, &how, &s->held, m, s->memory,
							(size_t)s->hold);
	}
	return fx_sectionwise_close(node, s, &how, &s->held, m);
}

static int stretch_drain(struct fx_node *node, void *state)
{
	struct stretch *s = state;

	return fx_sectionwise_drain(node, &how, &s->held);
}

static int stretch_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct stretch *s = state;

	fx_sectionwise_save(node, &s->held, to);
	if (s->held.size)
		fx_histogram_pack(&s->histogram, to);
	return FX_OK;
}

static int stretch_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct stretch *s = state;
	int failed = fx_sectionwise_load(node, IMAGE, &s->held, s->memory, (size_t)s->hold, from);

	if (failed == FX_OK && s->held.size) {
		failed = stretch_prepare(node, s, s->held.dtype);
		if (failed == FX_OK)
			failed = fx_histogram_unpack(&s->histogram, from);
	}
	return failed;
}

static void stretch_finish(void *state)
{
	struct stretch *s = state;

	fx_sections_fini(&s->held);
	fx_histogram_fini(&s->histogram);
	free(s->table);
}

FX_NODE(normalizer_stretch) = {
	.abi = FX_NODE_ABI,
	.name = "normalizer/stretch",
	.summary = "stretch grey values so that two percentiles become 0 and 255",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct stretch),
	.init = stretch_init,
	.process = stretch_process,
	.mark = stretch_mark,
	.drain = stretch_drain,
	.finish = stretch_finish,
	.save = stretch_save,
	.load = stretch_load,
};
