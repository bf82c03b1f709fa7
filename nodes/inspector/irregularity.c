// SPDX-License-Identifier: Apache-2.0
/* inspector/irregularity: masks where a section does not continue those before it. */
#include <fornix/node.h>

#include <math.h>
#include <string.h>

#include "kernels/irregular.h"
#include "node/sectionwise.h"

enum { IMAGE, MASK, RECORDS }; /* index into ports[] */

struct irregularity {
	double shift, similar, memory; /* options: set before init() */
	int step, patch, reach, window, hold;
	struct fx_sections held;   /* owned, from OPEN to finish() */
	struct fx_irregular cells; /* owned, the same */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16, 0, false,
		    "sections as 2-D tiles, aligned" },
	[MASK] = { "mask", FX_OUT, FX_BLOCK, FX_U8, 1U << FX_MASK, false,
		   "the same tiles: 1 where a section is irregular" },
	[RECORDS] = { "records", FX_OUT, FX_RECORD, 0, 0, false,
		      "a record \"irregularity\" for every section: its shift, how alike it is" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct irregularity, step), .unit = "voxel", .def = 32, .min = 2, .max = 4096,
	  .help = "side of the cells that are judged; odd numbers count as the next one" },
	{ FX_FIELD(struct irregularity, patch), .unit = "voxel", .def = 64, .min = 8, .max = 8192,
	  .help = "side of what is compared around a cell" },
	{ FX_FIELD(struct irregularity, reach), .unit = "voxel", .def = 8, .min = 1, .max = 256,
	  .help = "how far a patch is looked for along each axis" },
	{ FX_FIELD(struct irregularity, shift), .unit = "voxel", .def = 4, .min = 0.5, .max = 256,
	  .help = "a cell that is farther off is irregular" },
	{ FX_FIELD(struct irregularity, similar), .unit = "%", .def = 40, .min = 0, .max = 100,
	  .help = "a cell less alike than this, of what is usual, is irregular" },
	{ FX_FIELD(struct irregularity, window), .def = 32, .min = 3, .max = 256,
	  .help = "sections that tell what is usual" },
	{ FX_FIELD(struct irregularity, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete at a time" },
	{ FX_FIELD(struct irregularity, memory), .unit = "MiB", .def = 1024, .min = 0,
	  .max = 1048576, .help = "incomplete sections beyond this lie in scratch files" },
	{ 0 },
};

static int irregularity_tell(struct fx_node *node, int64_t z, const struct irregularity *s,
			     const struct fx_irregular_summary *m)
{
	const double shift = fmax(fabs(m->y), fabs(m->x));
	const char *verdict = m->share < 0.5 ? "regular" : shift > s->shift ? "shift" : "cut";
	const struct {
		const char *name;
		double number;
	} numbers[] = {
		{ "section", (double)z },
		{ "shift_y", m->y },
		{ "shift_x", m->x },
		{ "shift_max", m->farthest },
		{ "similarity", m->similarity },
		{ "irregular", m->share },
	};
	struct fx_record *r = fx_record_new("irregularity");
	int err = r ? fx_record_add_text(r, "verdict", verdict) : FX_ENOMEM;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !err; i++)
		err = fx_record_add_number(r, numbers[i].name, numbers[i].number);
	if (err) {
		fx_record_free(r);
		return fx_fail(node, err, "no memory for a record");
	}
	r->region = (struct fx_region){ { z, s->held.y, s->held.x },
					{ z + 1, s->held.y + (int64_t)s->held.height,
					  s->held.x + (int64_t)s->held.width } };
	return fx_send_record(node, RECORDS, r);
}

static int irregularity_learn(struct fx_node *node, void *state, const struct fx_section *section)
{
	struct irregularity *s = state;
	struct fx_irregular_summary summary;

	fx_irregular_next(&s->cells, section->voxels.data, s->held.dtype, &summary);
	return irregularity_tell(node, section->z, s, &summary);
}

static void irregularity_map(const void *state, const struct fx_section *section,
			     const struct fx_tile *tile, void *dst)
{
	const struct irregularity *s = state;
	const size_t step = s->cells.rules.step;
	uint8_t *to = dst;

	(void)section;
	for (size_t y = 0; y < tile->height; y++) {
		const uint8_t *row = s->cells.cells + (tile->y + y) / step * s->cells.columns;

		for (size_t x = 0; x < tile->width; x++)
			*to++ = row[(tile->x + x) / step];
	}
}

static const struct fx_sectionwise how = {
	.out = MASK,
	.dtype = FX_U8,
	.mask = true,
	.learn = irregularity_learn,
	.map = irregularity_map,
};

static int irregularity_process(struct fx_node *node, void *state)
{
	struct irregularity *s = state;

	return fx_sectionwise_put(node, IMAGE, &s->held);
}

static int irregularity_prepare(struct fx_node *node, struct irregularity *s)
{
	const size_t step = ((size_t)s->step + 1) / 2 * 2, patch = (size_t)s->patch;
	const struct fx_irregular_rules rules = { .step = step,
						  .patch = patch > step ? patch : step,
						  .reach = (size_t)s->reach,
						  .shift = s->shift,
						  .similar = s->similar / 100,
						  .window = (size_t)s->window };

	if (s->held.dtype != FX_U8 && s->held.dtype != FX_U16)
		return fx_fail(node, FX_ETYPE, "a stream of %s, but this takes u8 and u16",
			       fx_dtype_name(s->held.dtype));
	if (fx_irregular_init(&s->cells, &rules, s->held.height, s->held.width) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory for three sections of %zu x %zu",
			       s->held.height, s->held.width);
	return FX_OK;
}

static int irregularity_open(struct fx_node *node, struct irregularity *s, const struct fx_mark *m)
{
	int failed = fx_sectionwise_open(node, &how, &s->held, m, s->memory, (size_t)s->hold);

	if (failed >= 0)
		failed = fx_send_mark(node, RECORDS, m);
	return failed < 0 ? failed : irregularity_prepare(node, s);
}

static int irregularity_mark(struct fx_node *node, void *state, unsigned port,
			     const struct fx_mark *m)
{
	struct irregularity *s = state;

	(void)port;
	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN)
		return irregularity_open(node, s, m);
	return fx_sectionwise_close(node, s, &how, &s->held, m);
}

static int irregularity_drain(struct fx_node *node, void *state)
{
	struct irregularity *s = state;

	return fx_sectionwise_drain(node, &how, &s->held);
}

static int irregularity_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct irregularity *s = state;

	fx_sectionwise_save(node, &s->held, to);
	if (s->held.size)
		fx_irregular_pack(&s->cells, to);
	return FX_OK;
}

static int irregularity_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct irregularity *s = state;
	int failed = fx_sectionwise_load(node, IMAGE, &s->held, s->memory, (size_t)s->hold, from);

	if (failed == FX_OK && s->held.size) {
		failed = irregularity_prepare(node, s);
		if (failed == FX_OK)
			failed = fx_irregular_unpack(&s->cells, from);
	}
	return failed;
}

static void irregularity_finish(void *state)
{
	struct irregularity *s = state;

	fx_sections_fini(&s->held);
	fx_irregular_fini(&s->cells);
}

FX_NODE(inspector_irregularity) = {
	.abi = FX_NODE_ABI,
	.name = "inspector/irregularity",
	.summary = "mask where a section is shifted or cut against those before it",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct irregularity),
	.process = irregularity_process,
	.mark = irregularity_mark,
	.drain = irregularity_drain,
	.finish = irregularity_finish,
	.save = irregularity_save,
	.load = irregularity_load,
};
