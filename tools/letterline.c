// SPDX-License-Identifier: Apache-2.0
/* letterline.c: a message as one line for people. */
#include "letterline.h"

#include <inttypes.h>

static const char *const roles[] = { "image", "probability", "affinity", "labels", "mask" };
static const char *const marks[] = { "?", "open", "done", "missing", "end", "skip" };

void letter_line_head(FILE *f)
{
	fprintf(f, "%8s  %-8s %-36s %s\n", "seq", "kind", "region z y x", "what");
}

static void line_start(FILE *f, uint64_t seq, const char *kind, const struct fx_region *r)
{
	char region[200];

	snprintf(region, sizeof region,
		 "%" PRIi64 "..%" PRIi64 " %" PRIi64 "..%" PRIi64 " %" PRIi64 "..%" PRIi64,
		 r->lo[0], r->hi[0], r->lo[1], r->hi[1], r->lo[2], r->hi[2]);
	fprintf(f, "%8" PRIu64 "  %-8s %-36s ", seq, kind, region);
}

static void block_line(FILE *f, const struct fx_envelope *e)
{
	const struct fx_block *b = e->message;
	const struct fx_region r = fx_block_region(b);

	line_start(f, e->seq, "block", &r);
	fprintf(f, "%s %s", fx_dtype_name(b->dtype),
		(size_t)b->role < sizeof roles / sizeof *roles ? roles[b->role] : "?");
	if (b->channels > 1)
		fprintf(f, ", %" PRIu32 " channels", b->channels);
	for (int a = 0; a < 3; a++)
		if (b->halo_lo[a] || b->halo_hi[a]) {
			const struct fx_region core = fx_block_core(b);

			fprintf(f,
				", core %" PRIi64 "..%" PRIi64 " %" PRIi64 "..%" PRIi64 " %" PRIi64
				"..%" PRIi64,
				core.lo[0], core.hi[0], core.lo[1], core.hi[1], core.lo[2],
				core.hi[2]);
			break;
		}
	fprintf(f, ", %zu bytes", e->payload.raw_size);
}

static void tree_line(FILE *f, const struct fx_envelope *e)
{
	const struct fx_tree *t = e->message;
	static const struct fx_region nowhere = { { 0, 0, 0 }, { 0, 0, 0 } };

	line_start(f, e->seq, "tree", &nowhere);
	fprintf(f, "segment %" PRIu64 ", %zu nodes, %zu bytes", t->segment, t->len,
		e->payload.raw_size);
}

static void record_line(FILE *f, const struct fx_envelope *e)
{
	const struct fx_record *r = e->message;

	line_start(f, e->seq, "record", &r->region);
	fprintf(f, "%s, %zu fields, %zu rows, %zu bytes", r->kind, r->fields_len, r->rows,
		e->payload.raw_size);
}

static void mark_line(FILE *f, const struct fx_envelope *e)
{
	const struct fx_mark *m = &e->mark;

	line_start(f, e->seq, (size_t)m->kind < sizeof marks / sizeof *marks ? marks[m->kind] : "?",
		   &m->region);
	if (m->kind == FX_MARK_OPEN)
		fprintf(f, "%s, voxel %g %g %g nm", fx_dtype_name(m->dtype), m->voxel_nm[0],
			m->voxel_nm[1], m->voxel_nm[2]);
	for (const char *c = m->kind == FX_MARK_MISSING ? m->reason : ""; *c; c++)
		fputc((unsigned char)*c < ' ' || *c == 0x7f ? ' ' : *c, f);
}

void letter_line(FILE *f, const struct fx_envelope *e)
{
	if (e->kind == FX_BLOCK)
		block_line(f, e);
	else if (e->kind == FX_TREE)
		tree_line(f, e);
	else if (e->kind == FX_RECORD)
		record_line(f, e);
	else
		mark_line(f, e);
}
