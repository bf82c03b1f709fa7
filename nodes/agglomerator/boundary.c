// SPDX-License-Identifier: Apache-2.0
/* agglomerator/boundary: merge segments whose contact has little evidence of a boundary. */
#include <fornix/node.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/labelmap.h"
#include "kernels/ragstream.h"
#include "node/joined.h"
#include "node/rows.h"
#include "node/segments.h"

enum { LABELS, EVIDENCE, OUT, MERGES }; /* index into ports[] */
enum { COLUMNS = 6 };			/* of a row of merges */

struct boundary {
	struct fx_segments_join join; /* options */
	struct fx_joined joined;      /* owned, as all below */
	struct fx_labelmap map;	      /* what a stitcher said of the labels */
	struct fx_ragstream graph;
};

enum { ANY_LABEL = FX_U8 | FX_U16 | FX_U32 | FX_U64 };

static const struct fx_port ports[] = {
	[LABELS] = { "labels", FX_IN, FX_BLOCK | FX_RECORD, ANY_LABEL, 1 << FX_LABELS, false,
		     "segments numbered over all blocks, with the records of a stitcher if there "
		     "are any" },
	[EVIDENCE] = { "evidence", FX_IN, FX_BLOCK, FX_U8 | FX_F32,
		       1 << FX_PROBABILITY | 1 << FX_AFFINITY, false,
		       "of the same blocks: a boundary (255 or 1.0 is one), or affinities z y x" },
	[OUT] = { "labels", FX_OUT, FX_BLOCK | FX_RECORD, ANY_LABEL, 1 << FX_LABELS, false,
		  "the blocks as they came; equivalence and final-ids records of merged segments" },
	[MERGES] = { "merges", FX_OUT, FX_RECORD, 0, 0, false,
		     "the merges in the order they were made, a row each" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_SEGMENTS_THRESHOLD(struct boundary, join), .def = 0.3 },
	{ FX_SEGMENTS_QUANTILE(struct boundary, join), .def = -1 },
	{ FX_SEGMENTS_PRIOR(struct boundary, join), .def = 0 },
	{ FX_SEGMENTS_LARGE(struct boundary, join), .def = 0 },
	{ FX_SEGMENTS_CONTACT(struct boundary, join), .def = 0 },
	{ FX_SEGMENTS_DUST(struct boundary, join), .def = 0 },
	{ 0 },
};

static int boundary_init(struct fx_node *node, void *state)
{
	struct boundary *s = state;

	(void)node;
	s->joined.inputs = 2;
	return FX_OK;
}

/* What a stitcher says: equal labels go on, its final ids are replaced by ours at the end. */
static int boundary_record(struct fx_node *node, struct boundary *s)
{
	struct fx_record *r = fx_take_record(node, LABELS);
	struct fx_error err = { 0 };
	const int rc = fx_labelmap_add(&s->map, r, &err);

	if (rc == FX_OK && strcmp(r->kind, "final-ids") != 0)
		return fx_send_record(node, OUT, r);
	fx_record_free(r);
	return rc < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int boundary_process(struct fx_node *node, void *state)
{
	struct boundary *s = state;
	struct fx_joined_set set = { 0 };
	struct fx_error err = { 0 };
	const unsigned port = fx_waiting(node, LABELS) == FX_NOTHING ? EVIDENCE : LABELS;
	bool full;
	int rc;

	if (fx_waiting(node, port) == FX_RECORD)
		return boundary_record(node, s);
	rc = fx_joined_put(&s->joined, node, port, &set, &full);
	if (rc == FX_OK && full) {
		rc = fx_ragstream_add(&s->graph, set.blocks[LABELS], set.blocks[EVIDENCE], &err);
		if (rc < 0) {
			fx_fail_error(node, &err);
		} else {
			rc = fx_send(node, OUT, set.blocks[LABELS]);
			set.blocks[LABELS] = NULL;
		}
	}
	fx_joined_set_fini(&set);
	return rc;
}

/* Records of the labels may come before the evidence: OPEN goes on with that of the labels. */
static int boundary_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct boundary *s = state;
	bool all;
	int rc = fx_joined_mark(&s->joined, node, port, m, &all);

	if (rc < 0)
		return rc;
	if (m->kind == FX_MARK_OPEN) {
		memcpy(s->graph.extent, m->region.hi, sizeof s->graph.extent);
		all = port == LABELS;
	}
	if (!all)
		return FX_OK;
	if (m->kind == FX_MARK_DONE) {
		rc = fx_joined_late(&s->joined, node, &m->region, OUT, MERGES);
		fx_ragstream_done(&s->graph, m->region);
	}
	if (rc == FX_OK)
		rc = fx_send_mark(node, OUT, m);
	return rc < 0 ? rc : fx_send_mark(node, MERGES, m);
}

/* The labels of both ends of each merge as they are in the blocks, the smallest of each. */
static int boundary_send_edits(struct fx_node *node, const struct fx_agglomerate_log *log,
			       const struct fx_ragstream *g, const uint32_t *node_of, size_t nodes)
{
	uint64_t *first = fx_calloc(nodes + 1, sizeof *first);
	uint64_t(*rows)[2] = fx_calloc(log->len, sizeof *rows);
	int rc = FX_ENOMEM;

	for (size_t i = 0; first && i < g->nodes_len; i++)
		if (!first[node_of[i]] || g->ids[i] < first[node_of[i]])
			first[node_of[i]] = g->ids[i];
	for (size_t i = 0; first && rows && i < log->len; i++) {
		rows[i][0] = first[log->merges[i].a];
		rows[i][1] = first[log->merges[i].b];
	}
	if (first && rows)
		rc = fx_send_rows(node, OUT, "equivalence", NULL, rows[0], log->len, 2);
	else
		fx_fail(node, rc, "no memory for %zu merges", log->len);
	free(first);
	free(rows);
	return rc;
}

static int boundary_send_merges(struct fx_node *node, const struct fx_agglomerate_log *log,
				const uint64_t *ids)
{
	uint64_t(*rows)[COLUMNS] = fx_calloc(log->len, sizeof *rows);
	int rc;

	if (!rows)
		return fx_fail(node, FX_ENOMEM, "no memory for %zu merges", log->len);
	for (size_t i = 0; i < log->len; i++) {
		const struct fx_agglomerate_merge *m = &log->merges[i];

		rows[i][0] = ids[m->a];
		rows[i][1] = ids[m->b];
		rows[i][2] = (uint64_t)(m->score * 1e6 + 0.5);
		rows[i][3] = (uint64_t)m->faces;
		rows[i][4] = m->a_voxels;
		rows[i][5] = m->b_voxels;
	}
	rc = fx_send_rows(node, MERGES, "merges", "a b score_ppm faces a_voxels b_voxels", rows[0],
			  log->len, COLUMNS);
	free(rows);
	return rc;
}

static int boundary_by_label(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return (x > y) - (x < y);
}

static int boundary_send_final(struct fx_node *node, const struct fx_ragstream *g,
			       const uint32_t *node_of, const uint32_t *root)
{
	uint64_t(*rows)[2] = fx_calloc(g->nodes_len, sizeof *rows);
	int rc;

	if (!rows)
		return fx_fail(node, FX_ENOMEM, "no memory for %zu final ids", g->nodes_len);
	for (size_t i = 0; i < g->nodes_len; i++) {
		rows[i][0] = g->ids[i];
		rows[i][1] = root[node_of[i]];
	}
	qsort(rows, g->nodes_len, sizeof *rows, boundary_by_label);
	rc = fx_send_rows(node, OUT, "final-ids", NULL, rows[0], g->nodes_len, 2);
	free(rows);
	return rc;
}

/* Merges the graph, and tells what became of it. */
static int boundary_merge(struct fx_node *node, const struct boundary *s, struct fx_rag *rag,
			  const uint64_t *ids, const uint32_t *node_of)
{
	const struct fx_agglomerate_params p = fx_segments_agglomerate(&s->join);
	const size_t nodes = rag->nodes, edges = rag->edges_len;
	uint32_t *root = fx_calloc(nodes + 1, sizeof *root), count = 0;
	struct fx_agglomerate_log log = { 0 };
	int rc = root ? fx_agglomerate_logged(root, &count, rag, &p, &log) : FX_ENOMEM;

	if (rc < 0)
		fx_fail(node, rc, "no memory to merge %zu segments, %zu contacts", nodes, edges);
	if (rc == FX_OK)
		rc = boundary_send_edits(node, &log, &s->graph, node_of, nodes);
	if (rc == FX_OK)
		rc = boundary_send_merges(node, &log, ids);
	if (rc == FX_OK)
		rc = boundary_send_final(node, &s->graph, node_of, root);
	if (rc == FX_OK)
		fx_log(FX_LOG_INFO, "%zu segments with %zu contacts merged to %" PRIu32, nodes,
		       edges, count);
	free(log.merges);
	free(root);
	return rc;
}

static int boundary_drain(struct fx_node *node, void *state)
{
	struct boundary *s = state;
	struct fx_error err = { 0 };
	struct fx_rag rag = { 0 };
	uint64_t *ids = NULL;
	uint32_t *node_of = NULL;
	int rc = fx_joined_late(&s->joined, node, NULL, OUT, MERGES);

	if (rc < 0)
		return rc;
	rc = fx_ragstream_graph(&s->graph, &s->map, &rag, &ids, &node_of, &err);
	rc = rc < 0 ? fx_fail_error(node, &err) : boundary_merge(node, s, &rag, ids, node_of);
	fx_rag_fini(&rag);
	free(ids);
	free(node_of);
	return rc;
}

static int boundary_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct boundary *s = state;

	fx_joined_pack(&s->joined, to);
	fx_ragstream_pack(&s->graph, to);
	if (fx_labelmap_pack(&s->map, to) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory to save %zu labels", s->graph.nodes_len);
	return FX_OK;
}

static int boundary_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct boundary *s = state;
	int rc = fx_joined_unpack(&s->joined, from);

	(void)node;
	if (rc == FX_OK)
		rc = fx_ragstream_unpack(&s->graph, from);
	return rc < 0 ? rc : fx_labelmap_unpack(&s->map, from);
}

static void boundary_finish(void *state)
{
	struct boundary *s = state;

	fx_joined_fini(&s->joined);
	fx_ragstream_fini(&s->graph);
	fx_labelmap_fini(&s->map);
}

FX_NODE(agglomerator_boundary) = {
	.abi = FX_NODE_ABI,
	.name = "agglomerator/boundary",
	.summary = "merge segments whose contact has little evidence of a boundary",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct boundary),
	.init = boundary_init,
	.process = boundary_process,
	.mark = boundary_mark,
	.drain = boundary_drain,
	.finish = boundary_finish,
	.save = boundary_save,
	.load = boundary_load,
};
