// SPDX-License-Identifier: Apache-2.0
/* stitcher/overlap: join the labels of overlapping blocks to one segmentation. */
#include <fornix/node.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/pack.h"
#include "formats/closedids.h"
#include "kernels/stitch.h"
#include "node/rows.h"

enum { IN, OUT, MERGES }; /* index into ports[] */

/* enum fx_stitch_match */
static const char *const matches[] = { "mutual", "either", "overlap", "touch", NULL };

struct overlap {
	double overlap; /* options */
	int match;
	struct fx_stitch *stitch; /* owned, from init() to finish() */
	struct fx_closed_ids closed;
	bool warned;
};

static const struct fx_port ports[] = {
	[IN] = { "labels", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_U32 | FX_U64, 1 << FX_LABELS, false,
		 "segments of blocks with halo, numbered block by block" },
	[OUT] = { "labels", FX_OUT, FX_BLOCK | FX_RECORD, FX_U64, 1 << FX_LABELS, false,
		  "blocks without halo with provisional ids; equivalence and final-ids records" },
	[MERGES] = { "merges", FX_OUT, FX_RECORD, 0, 0, false,
		     "what was decided where blocks overlap: a row for each pair of ids that share "
		     "voxels" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct overlap, overlap), .def = 0.5, .min = 0, .max = 1,
	  .help = "share of the smaller segment in the overlap that both must have in common" },
	{ FX_FIELD(struct overlap, match), .def = FX_STITCH_MUTUAL, .choices = matches,
	  .help = "join segments when each is the other's best match, when either is, by their "
		  "overlap alone, or by one common voxel" },
	{ 0 },
};

static int overlap_init(struct fx_node *node, void *state)
{
	struct overlap *s = state;
	const struct fx_stitch_rule rule = { s->overlap, (enum fx_stitch_match)s->match };

	s->stitch = fx_stitch_new(&rule);
	return s->stitch ? FX_OK : fx_fail(node, FX_ENOMEM, "no memory for the stitcher");
}

/* Blocks without halo have nothing in common: say so once. */
static void overlap_check_halo(struct fx_node *node, struct overlap *s, const struct fx_block *b)
{
	const struct fx_mark *open = fx_opened(node, IN);
	const struct fx_region core = fx_block_core(b);

	for (int a = 0; a < 3 && !s->warned; a++) {
		if (b->halo_lo[a] || core.lo[a] <= (open ? open->region.lo[a] : 0))
			continue;
		s->warned = true;
		fx_warn(node,
			"block at %" PRId64 " %" PRId64 " %" PRId64 " has no halo on axis %c: "
			"segments end at its face; give the tiler a halo",
			core.lo[0], core.lo[1], core.lo[2], "zyx"[a]);
	}
}

static struct fx_block *overlap_output(struct fx_node *node, const struct fx_block *in)
{
	const struct fx_region core = fx_block_core(in);
	size_t shape[3];
	struct fx_block *out;

	for (int a = 0; a < 3; a++) {
		if (core.lo[a] >= core.hi[a])
			return NULL;
		shape[a] = (size_t)(core.hi[a] - core.lo[a]);
	}
	out = fx_new_block(node, OUT, FX_U64, 1, shape);
	if (!out)
		return NULL;
	out->role = FX_LABELS;
	out->level = in->level;
	memcpy(out->origin, core.lo, sizeof out->origin);
	memcpy(out->voxel_nm, in->voxel_nm, sizeof out->voxel_nm);
	return out;
}

/* Puts away what the stitcher has closed. */
static int overlap_close(struct fx_node *node, struct overlap *s)
{
	const char *dir = fx_state_dir(node);
	struct fx_error err = { 0 };
	size_t len;
	const uint64_t(*rows)[2] = fx_stitch_closed(s->stitch, &len);

	if (!dir)
		return fx_fail(node, FX_EIO, "no folder for scratch files");
	if (fx_closed_ids_put(&s->closed, dir, rows, len, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int overlap_process(struct fx_node *node, void *state)
{
	struct overlap *s = state;
	struct fx_block *in = fx_take(node, IN);
	struct fx_block *out = in ? overlap_output(node, in) : NULL;
	const struct fx_stitch_pairs *pairs = NULL;
	struct fx_error err = { 0 };
	int rc;

	if (!out) {
		fx_block_free(in);
		return fx_fail(node, FX_ENOMEM, "no memory for a block, or a block of halo alone");
	}
	overlap_check_halo(node, s, in);
	rc = fx_stitch_add(s->stitch, in, out->data, &pairs, &err);
	fx_block_free(in);
	if (rc < 0) {
		fx_block_free(out);
		return fx_fail_error(node, &err);
	}
	rc = fx_send(node, OUT, out);
	if (rc == FX_OK && pairs->len)
		rc = fx_send_rows(node, OUT, "equivalence", NULL, &pairs->ids[0][0], pairs->len, 2);
	if (rc == FX_OK && pairs->seen_len && fx_connected(node, MERGES))
		rc = fx_send_rows(node, MERGES, "merges", "a b shared a_voxels b_voxels joined",
				  pairs->seen->id, pairs->seen_len, FX_STITCH_MEETING_COLUMNS);
	return rc == FX_OK ? overlap_close(node, s) : rc;
}

static int overlap_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct overlap *s = state;
	struct fx_mark out = *m;
	int rc;

	(void)port;
	if (m->kind == FX_MARK_DONE) {
		rc = fx_stitch_done(s->stitch, m->region) < 0 ?
			     fx_fail(node, FX_ENOMEM, "no memory for closed ids") :
			     overlap_close(node, s);
		if (rc < 0)
			return rc;
	}
	if (m->kind == FX_MARK_OPEN)
		out.dtype = FX_U64;
	rc = fx_send_mark(node, OUT, &out);
	return rc < 0 ? rc : fx_send_mark(node, MERGES, m);
}

static int overlap_final(void *context, const uint64_t (*rows)[2], size_t len)
{
	return fx_send_rows(context, OUT, "final-ids", NULL, rows[0], len, 2);
}

static int overlap_drain(struct fx_node *node, void *state)
{
	struct overlap *s = state;
	uint64_t segments, pieces;
	struct fx_error err = { 0 };
	int rc = fx_stitch_end(s->stitch) < 0 ?
			 fx_fail(node, FX_ENOMEM, "no memory for closed ids") :
			 overlap_close(node, s);

	if (rc < 0)
		return rc;
	rc = fx_closed_ids_number(&s->closed, fx_state_dir(node), overlap_final, node, &segments,
				  &pieces, &err);
	if (rc < 0)
		return err.code ? fx_fail_error(node, &err) : rc;
	fx_log(FX_LOG_INFO, "%" PRIu64 " pieces joined to %" PRIu64 " segments", pieces, segments);
	return FX_OK;
}

static int overlap_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	struct overlap *s = state;
	struct fx_error err = { 0 };

	fx_pack_bool(to, s->warned);
	if (fx_stitch_pack(s->stitch, to) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory to save ids");
	if (fx_closed_ids_pack(&s->closed, to, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int overlap_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct overlap *s = state;
	const char *dir = fx_state_dir(node);
	struct fx_error err = { 0 };
	int result = dir ? fx_unpack_bool(from, &s->warned) : FX_EIO;

	if (result == FX_OK)
		result = fx_stitch_unpack(s->stitch, from);
	if (result == FX_OK)
		result = fx_closed_ids_unpack(&s->closed, dir, from, &err);
	return err.code ? fx_fail_error(node, &err) : result;
}

static void overlap_finish(void *state)
{
	struct overlap *s = state;

	fx_stitch_free(s->stitch);
	fx_closed_ids_fini(&s->closed);
}

FX_NODE(stitcher_overlap) = {
	.abi = FX_NODE_ABI,
	.name = "stitcher/overlap",
	.summary = "join the labels of overlapping blocks to one segmentation",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct overlap),
	.init = overlap_init,
	.process = overlap_process,
	.mark = overlap_mark,
	.drain = overlap_drain,
	.finish = overlap_finish,
	.save = overlap_save,
	.load = overlap_load,
};
