// SPDX-License-Identifier: Apache-2.0
/* inspector/quality: measures every section and says which are bad, by what is usual. */
#include <fornix/node.h>

#include <string.h>

#include "node/inspection.h"
#include "node/sectionwise.h"

enum { IMAGE, QUALITY }; /* index into ports[] */
enum { NONE, BAD, ALL }; /* index into which[] */

static const char *const which[] = { "none", "bad", "all", NULL };

struct quality {
	double deviations, tile_deviations, saturated, fold, bad_tiles, memory; /* options */
	int tile, tiles, learn, window, relearn, hold;

	struct fx_sections held; /* owned, from OPEN to finish() */
	struct fx_inspection inspection;
	struct fx_judge judge;	 /* owned, the same */
	struct fx_docket docket; /* owned */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16, 0, false,
		    "sections as 2-D tiles; complete when done, or at a record \"attempt\"" },
	[QUALITY] = { "quality", FX_OUT, FX_RECORD, 0, 0, false,
		      "records \"quality\": those of its tiles, then that of the section" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct quality, tile), .unit = "voxel", .def = 128, .min = 32, .max = 65536,
	  .help = "sections are also judged in parts of about this side" },
	{ FX_FIELD(struct quality, tiles), .def = BAD, .choices = which,
	  .help = "which parts get a record of their own" },
	{ FX_FIELD(struct quality, deviations), .def = 5, .min = 1, .max = 1000,
	  .help = "a section is bad so many usual deviations from what is usual" },
	{ FX_FIELD(struct quality, tile_deviations), .def = 9, .min = 1, .max = 1000,
	  .help = "a part is bad so many usual deviations from what is usual at its place" },
	{ FX_FIELD(struct quality, bad_tiles), .unit = "%", .def = 2, .min = 0, .max = 100,
	  .help = "a section with so many bad parts, at least one, is bad" },
	{ FX_FIELD(struct quality, saturated), .unit = "%", .def = 10, .min = 0.01, .max = 100,
	  .help = "most voxels of the lowest or highest grey value over what is usual" },
	{ FX_FIELD(struct quality, fold), .unit = "%", .def = 20, .min = 1, .max = 200,
	  .help = "longest dark band over what is usual, in parts of the shorter side" },
	{ FX_FIELD(struct quality, learn), .def = 5, .min = 1, .max = 64,
	  .help = "sections at the start that are judged together: so long they wait" },
	{ FX_FIELD(struct quality, window), .def = 32, .min = 3, .max = 256,
	  .help = "good sections before that tell what is usual" },
	{ FX_FIELD(struct quality, relearn), .def = 10, .min = 0, .max = 1000,
	  .help = "so many bad sections in a row become what is usual; 0 is never" },
	{ FX_FIELD(struct quality, hold), .def = 64, .min = 1, .max = 4096,
	  .help = "sections that may be incomplete at a time" },
	{ FX_FIELD(struct quality, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "incomplete sections beyond this lie in scratch files" },
	{ 0 },
};

static int quality_prepare(struct fx_node *node, struct quality *s)
{
	const struct fx_judge_rules rules = { .deviations = s->deviations,
					      .tile_deviations = s->tile_deviations,
					      .saturated = s->saturated / 100,
					      .fold = s->fold / 100,
					      .bad_parts = s->bad_tiles / 100,
					      .learn = (size_t)s->learn,
					      .window = (size_t)s->window,
					      .relearn = (size_t)s->relearn };

	if (s->held.dtype != FX_U8 && s->held.dtype != FX_U16)
		return fx_fail(node, FX_ETYPE, "a stream of %s, but this takes u8 and u16",
			       fx_dtype_name(s->held.dtype));
	fx_inspection_divide(&s->inspection, &s->held, (size_t)s->tile);
	s->docket.parts = s->inspection.rows * s->inspection.columns;
	if (fx_judge_init(&s->judge, &rules, s->docket.parts) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory for %zu parts of a section",
			       s->docket.parts);
	return FX_OK;
}

static int quality_send_one(struct fx_node *node, const struct quality *s, const struct fx_case *c,
			    size_t i)
{
	return fx_send_record(node, QUALITY, fx_inspection_record(&s->inspection, &s->held, c, i));
}

/* Parts first: at the record of the section all is told. */
static int quality_send(struct fx_node *node, const struct quality *s, const struct fx_case *c)
{
	int failed = FX_OK;

	if (!c->verdicts)
		return fx_send_mark(node, QUALITY, &c->mark);
	for (size_t i = 1; i <= s->docket.parts && failed >= 0; i++)
		if (s->tiles == ALL || (s->tiles == BAD && c->verdicts[i].fault))
			failed = quality_send_one(node, s, c, i);
	return failed < 0 ? failed : quality_send_one(node, s, c, 0);
}

/* Judges and sends what waits, unless more is to be learned from. */
static int quality_flush(struct fx_node *node, struct quality *s, bool all)
{
	int failed = FX_OK;

	if (!all && !s->judge.learned && fx_docket_sections(&s->docket) < (size_t)s->learn)
		return FX_OK;
	if (fx_docket_judge(&s->docket, &s->judge) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory to judge sections");
	for (size_t i = 0; i < s->docket.len && failed >= 0; i++)
		failed = quality_send(node, s, &s->docket.cases[i]);
	fx_docket_clear(&s->docket);
	return failed;
}

/* Section @p z has come as a whole. */
static int quality_take(struct fx_node *node, struct quality *s, int64_t z, uint64_t version)
{
	struct fx_error err = { 0 };
	struct fx_section *section = fx_sections_whole(&s->held, z, &err);
	struct fx_case *c;

	if (!section)
		return fx_fail_error(node, &err);
	c = fx_docket_add(&s->docket, NULL);
	if (!c || fx_inspection_measure(&s->inspection, &s->held, section, c->verdicts) < 0)
		fx_error_set(&err, FX_ENOMEM, "no memory to measure a section");
	fx_sections_drop(&s->held, section);
	if (err.code)
		return fx_fail_error(node, &err);
	c->z = z;
	c->version = version;
	return quality_flush(node, s, false);
}

static int quality_process(struct fx_node *node, void *state)
{
	struct quality *s = state;
	struct fx_record *r;
	int result = FX_OK;

	if (fx_waiting(node, IMAGE) == FX_BLOCK)
		return fx_sectionwise_put(node, IMAGE, &s->held);
	r = fx_take_record(node, IMAGE);
	if (strcmp(r->kind, "attempt") == 0 && !fx_again(node))
		result = quality_take(node, s, r->region.lo[0],
				      (uint64_t)fx_record_number(r, "version", 1));
	fx_record_free(r);
	return result;
}

static int quality_pass(struct fx_node *node, struct quality *s, const struct fx_mark *m)
{
	if (!fx_docket_add(&s->docket, m))
		return fx_fail(node, FX_ENOMEM, "no memory for a mark");
	return quality_flush(node, s, false);
}

static int quality_open(struct fx_node *node, struct quality *s, const struct fx_mark *m)
{
	const struct fx_sectionwise how = { .out = QUALITY, .dtype = m->dtype };
	const int failed = fx_sectionwise_open(node, &how, &s->held, m, s->memory, (size_t)s->hold);

	return failed < 0 ? failed : quality_prepare(node, s);
}

static int quality_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct quality *s = state;
	int failed = FX_OK;

	(void)port;
	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN)
		return quality_open(node, s, m);
	if (!s->held.size)
		return fx_fail(node, FX_EINVAL, "a section is marked before the stream is opened");
	if (m->kind == FX_MARK_MISSING)
		fx_sections_lose(&s->held, m->region.lo[0], m->region.hi[0]);
	for (int64_t z = m->region.lo[0];
	     m->kind == FX_MARK_DONE && z < m->region.hi[0] && failed >= 0; z++)
		failed = quality_take(node, s, z, 1);
	return failed < 0 ? failed : quality_pass(node, s, m);
}

static int quality_drain(struct fx_node *node, void *state)
{
	return quality_flush(node, state, true);
}

static int quality_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct quality *s = state;

	fx_sectionwise_save(node, &s->held, to);
	if (!s->held.size)
		return FX_OK;
	fx_pack_put(to, &s->inspection.checksum, sizeof s->inspection.checksum);
	fx_pack_put(to, &s->inspection.last, sizeof s->inspection.last);
	fx_judge_pack(&s->judge, to);
	fx_docket_pack(&s->docket, to);
	return FX_OK;
}

static int quality_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct quality *s = state;
	int failed = fx_sectionwise_load(node, IMAGE, &s->held, s->memory, (size_t)s->hold, from);

	if (failed == FX_OK && s->held.size) {
		failed = quality_prepare(node, s);
		if (failed == FX_OK)
			failed = fx_unpack_get(from, &s->inspection.checksum,
					       sizeof s->inspection.checksum);
		if (failed == FX_OK)
			failed =
				fx_unpack_get(from, &s->inspection.last, sizeof s->inspection.last);
		if (failed == FX_OK)
			failed = fx_judge_unpack(&s->judge, from);
		if (failed == FX_OK)
			failed = fx_docket_unpack(&s->docket, from);
	}
	return failed;
}

static void quality_finish(void *state)
{
	struct quality *s = state;

	fx_sections_fini(&s->held);
	fx_judge_fini(&s->judge);
	fx_docket_clear(&s->docket);
}

FX_NODE(inspector_quality) = {
	.abi = FX_NODE_ABI,
	.name = "inspector/quality",
	.summary = "measure every section and say which are bad, by what is usual in the stream",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct quality),
	.process = quality_process,
	.mark = quality_mark,
	.drain = quality_drain,
	.finish = quality_finish,
	.save = quality_save,
	.load = quality_load,
};
