// SPDX-License-Identifier: Apache-2.0
/* normalizer/clahe: contrast-limited adaptive histogram equalisation of whole sections. */
#include <fornix/node.h>

#include "kernels/clahe.h"
#include "kernels/histogram.h"
#include "node/sectionwise.h"

enum { IMAGE, OUT }; /* index into ports[] */

struct clahe {
	double limit, memory; /* options: set before init() */
	bool ignore_zero;
	int side, hold;
	struct fx_sections held; /* owned, from OPEN to finish() */
	struct fx_clahe clahe;	 /* owned, the same */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16, 0, false, "sections as 2-D tiles" },
	[OUT] = { "out", FX_OUT, FX_BLOCK, FX_U8, 0, false, "the same tiles, 0 to 255" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct clahe, side), .unit = "voxel", .def = 128, .min = 8, .max = 16384,
	  .help = "about the side of the regions that are equalised on their own" },
	{ FX_FIELD(struct clahe, limit), .def = 3, .min = 1, .max = 65536,
	  .help = "contrast limit: a grey value counts at most this often the mean of all" },
	{ FX_FIELD(struct clahe, ignore_zero), .def = false,
	  .help = "leave value 0 (padding) out of the histograms; it stays 0" },
	{ FX_FIELD(struct clahe, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete at a time" },
	{ FX_FIELD(struct clahe, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "incomplete sections beyond this lie in scratch files" },
	{ 0 },
};

/* Range of the grey values that count, for the bins of u16. */
static void clahe_range(const struct clahe *s, const uint16_t *v, double *low, double *high)
{
	const size_t n = s->held.height * s->held.width;
	unsigned min = UINT16_MAX, max = 0;

	for (size_t i = 0; i < n; i++) {
		if (v[i] == 0 && s->ignore_zero)
			continue;
		min = v[i] < min ? v[i] : min;
		max = v[i] > max ? v[i] : max;
	}
	*low = min;
	*high = max;
}

static int clahe_learn(struct fx_node *node, void *state, const struct fx_section *section)
{
	struct clahe *s = state;
	double low = 0, high = 255;

	(void)node;
	if (s->held.dtype == FX_U16)
		clahe_range(s, section->voxels.data, &low, &high);
	fx_clahe_learn(&s->clahe, section->voxels.data, low, high, s->limit, s->ignore_zero);
	return FX_OK;
}

static void clahe_map(const void *state, const struct fx_section *section,
		      const struct fx_tile *tile, void *dst)
{
	const struct clahe *s = state;
	uint8_t *to = dst;

	for (size_t y = 0; y < tile->height; y++)
		fx_clahe_apply(&s->clahe, fx_section_row(&s->held, section, tile, y), tile->y + y,
			       tile->x, tile->width, s->ignore_zero, to + y * tile->width);
}

static const struct fx_sectionwise how = {
	.out = OUT,
	.dtype = FX_U8,
	.learn = clahe_learn,
	.map = clahe_map,
};

static int clahe_process(struct fx_node *node, void *state)
{
	struct clahe *s = state;

	return fx_sectionwise_put(node, IMAGE, &s->held);
}

static int clahe_prepare(struct fx_node *node, struct clahe *s)
{
	if (fx_clahe_init(&s->clahe, s->held.height, s->held.width, (size_t)s->side,
			  s->held.dtype) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory for the maps of the regions");
	return FX_OK;
}

static int clahe_open(struct fx_node *node, struct clahe *s, const struct fx_mark *m)
{
	int failed;

	if (!fx_histogram_bins(m->dtype))
		return fx_fail(node, FX_ETYPE, "a stream of %s, but this takes u8 and u16",
			       fx_dtype_name(m->dtype));
	failed = fx_sectionwise_open(node, &how, &s->held, m, s->memory, (size_t)s->hold);
	return failed < 0 ? failed : clahe_prepare(node, s);
}

static int clahe_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct clahe *s = state;

	(void)port;
	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN)
		return clahe_open(node, s, m);
	return fx_sectionwise_close(node, s, &how, &s->held, m);
}

static int clahe_drain(struct fx_node *node, void *state)
{
	struct clahe *s = state;

	return fx_sectionwise_drain(node, &how, &s->held);
}

static int clahe_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct clahe *s = state;

	fx_sectionwise_save(node, &s->held, to);
	return FX_OK;
}

static int clahe_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct clahe *s = state;
	const int failed =
		fx_sectionwise_load(node, IMAGE, &s->held, s->memory, (size_t)s->hold, from);

	return failed == FX_OK && s->held.size ? clahe_prepare(node, s) : failed;
}

static void clahe_finish(void *state)
{
	struct clahe *s = state;

	fx_sections_fini(&s->held);
	fx_clahe_fini(&s->clahe);
}

FX_NODE(normalizer_clahe) = {
	.abi = FX_NODE_ABI,
	.name = "normalizer/clahe",
	.summary = "even out local contrast by contrast-limited adaptive histogram equalisation",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct clahe),
	.process = clahe_process,
	.mark = clahe_mark,
	.drain = clahe_drain,
	.finish = clahe_finish,
	.save = clahe_save,
	.load = clahe_load,
};
