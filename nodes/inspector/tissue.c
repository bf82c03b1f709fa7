// SPDX-License-Identifier: Apache-2.0
/* inspector/tissue: masks what is no tissue, and what is too large to be a neurite. */
#include <fornix/node.h>

#include <string.h>

#include "kernels/tissue.h"
#include "node/sectionwise.h"

enum { IMAGE, MASK, RECORDS }; /* index into ports[] */
enum { OUTSIDE, LARGE, BOTH }; /* index into what[] */

static const char *const what[] = { "outside", "large", "both", NULL };

struct tissue {
	double radius, texture, memory; /* options: set before init() */
	int exclude, window, hold;
	struct fx_sections held; /* owned, from OPEN to finish() */
	struct fx_tissue cells;	 /* owned, the same */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16, 0, false, "sections as 2-D tiles" },
	[MASK] = { "mask", FX_OUT, FX_BLOCK, FX_U8, 1U << FX_MASK, false,
		   "the same tiles: 1 is excluded" },
	[RECORDS] = { "records", FX_OUT, FX_RECORD, 0, 0, false,
		      "a record \"tissue\" for every section: shares that are outside and large" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct tissue, radius), .unit = "nm", .def = 400, .min = 1, .max = 1e9,
	  .help = "a disc of this radius without structure is no neurite" },
	{ FX_FIELD(struct tissue, texture), .unit = "%", .def = 15, .min = 0, .max = 100,
	  .help = "structure below this, of what is usual, is none" },
	{ FX_FIELD(struct tissue, exclude), .def = BOTH, .choices = what,
	  .help = "what is masked: outside reaches the rim of the section, large does not" },
	{ FX_FIELD(struct tissue, window), .def = 32, .min = 1, .max = 256,
	  .help = "sections that tell what is usual: this one and those before" },
	{ FX_FIELD(struct tissue, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete at a time" },
	{ FX_FIELD(struct tissue, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "incomplete sections beyond this lie in scratch files" },
	{ 0 },
};

static int tissue_learn(struct fx_node *node, void *state, const struct fx_section *section)
{
	struct tissue *s = state;
	const struct fx_picture p = { .voxels = section->voxels.data,
				      .dtype = s->held.dtype,
				      .stride = s->held.width,
				      .height = s->held.height,
				      .width = s->held.width };
	struct fx_record *r = fx_record_new("tissue");

	if (!r || fx_tissue_next(&s->cells, &p) < 0 ||
	    fx_record_add_number(r, "section", (double)section->z) < 0 ||
	    fx_record_add_number(r, "outside", fx_tissue_share(&s->cells, FX_TISSUE_OUTSIDE)) < 0 ||
	    fx_record_add_number(r, "large", fx_tissue_share(&s->cells, FX_TISSUE_LARGE)) < 0) {
		fx_record_free(r);
		return fx_fail(node, FX_ENOMEM, "no memory for section %lld",
			       (long long)section->z);
	}
	r->region = (struct fx_region){ { section->z, s->held.y, s->held.x },
					{ section->z + 1, s->held.y + (int64_t)s->held.height,
					  s->held.x + (int64_t)s->held.width } };
	return fx_send_record(node, RECORDS, r);
}

static void tissue_map(const void *state, const struct fx_section *section,
		       const struct fx_tile *tile, void *dst)
{
	const struct tissue *s = state;
	uint8_t *to = dst;

	(void)section;
	for (size_t y = 0; y < tile->height; y++) {
		const uint8_t *row =
			s->cells.kind + (tile->y + y) / FX_TISSUE_CELL * s->cells.columns;

		for (size_t x = 0; x < tile->width; x++) {
			const uint8_t kind = row[(tile->x + x) / FX_TISSUE_CELL];

			*to++ = (kind == FX_TISSUE_OUTSIDE && s->exclude != LARGE) ||
				(kind == FX_TISSUE_LARGE && s->exclude != OUTSIDE);
		}
	}
}

static const struct fx_sectionwise how = {
	.out = MASK,
	.dtype = FX_U8,
	.mask = true,
	.learn = tissue_learn,
	.map = tissue_map,
};

static int tissue_process(struct fx_node *node, void *state)
{
	struct tissue *s = state;

	return fx_sectionwise_put(node, IMAGE, &s->held);
}

static int tissue_prepare(struct fx_node *node, struct tissue *s)
{
	const struct fx_tissue_rules rules = { .radius = s->radius / s->held.voxel_nm[1],
					       .texture = s->texture / 100,
					       .window = (size_t)s->window };

	if (s->held.dtype != FX_U8 && s->held.dtype != FX_U16)
		return fx_fail(node, FX_ETYPE, "a stream of %s, but this takes u8 and u16",
			       fx_dtype_name(s->held.dtype));
	if (!(s->held.voxel_nm[1] > 0))
		return fx_fail(node, FX_EINVAL, "a voxel edge of %g nm along y is not above 0",
			       s->held.voxel_nm[1]);
	if (fx_tissue_init(&s->cells, &rules, s->held.height, s->held.width) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory for the cells of a section");
	return FX_OK;
}

static int tissue_open(struct fx_node *node, struct tissue *s, const struct fx_mark *m)
{
	int failed = fx_sectionwise_open(node, &how, &s->held, m, s->memory, (size_t)s->hold);

	if (failed >= 0)
		failed = fx_send_mark(node, RECORDS, m);
	return failed < 0 ? failed : tissue_prepare(node, s);
}

static int tissue_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct tissue *s = state;

	(void)port;
	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN)
		return tissue_open(node, s, m);
	return fx_sectionwise_close(node, s, &how, &s->held, m);
}

static int tissue_drain(struct fx_node *node, void *state)
{
	struct tissue *s = state;

	return fx_sectionwise_drain(node, &how, &s->held);
}

static int tissue_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct tissue *s = state;

	fx_sectionwise_save(node, &s->held, to);
	if (s->held.size)
		fx_tissue_pack(&s->cells, to);
	return FX_OK;
}

static int tissue_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct tissue *s = state;
	int failed = fx_sectionwise_load(node, IMAGE, &s->held, s->memory, (size_t)s->hold, from);

	if (failed == FX_OK && s->held.size) {
		failed = tissue_prepare(node, s);
		if (failed == FX_OK)
			failed = fx_tissue_unpack(&s->cells, from);
	}
	return failed;
}

static void tissue_finish(void *state)
{
	struct tissue *s = state;

	fx_sections_fini(&s->held);
	fx_tissue_fini(&s->cells);
}

FX_NODE(inspector_tissue) = {
	.abi = FX_NODE_ABI,
	.name = "inspector/tissue",
	.summary = "mask what is no tissue, and what is too large to be a neurite",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct tissue),
	.process = tissue_process,
	.mark = tissue_mark,
	.drain = tissue_drain,
	.finish = tissue_finish,
	.save = tissue_save,
	.load = tissue_load,
};
