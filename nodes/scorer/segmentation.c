// SPDX-License-Identifier: Apache-2.0
/* scorer/segmentation: score labels against the truth, voxel by voxel and along its skeletons. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/scored.h"
#include "kernels/scores.h"
#include "node/details.h"
#include "node/meeting.h"

enum {
	LABELS,
	TRUTH,
	TREES,
	SCORES,
	DETAILS
}; /* index into ports[]; the first two into stores[] */

struct segmentation {
	int tolerance, worst; /* options: set before init() */
	const char *viewer, *link_image, *link_labels, *link_truth;

	struct fx_scored so_far; /* owned, from init() to finish() */
	uint64_t next_told;	 /* voxels scored at which the scores so far are told next */
};

enum { ANY_LABEL = FX_U8 | FX_U16 | FX_U32 | FX_U64 };

static const struct fx_port ports[] = {
	[LABELS] = { "labels", FX_IN, FX_BLOCK | FX_RECORD, ANY_LABEL, 1 << FX_LABELS, false,
		     "segments to score, with the final-ids records of a stitcher if there are "
		     "any" },
	[TRUTH] = { "truth", FX_IN, FX_BLOCK | FX_RECORD, ANY_LABEL, 1 << FX_LABELS, true,
		    "true bodies, in blocks of the same grid; may have fewer sections" },
	[TREES] = { "trees", FX_IN, FX_TREE, 0, 0, true,
		    "skeletons of the true bodies, for the expected run length" },
	[SCORES] = { "scores", FX_OUT, FX_RECORD, 0, 0, false, "one record at the end" },
	[DETAILS] = { "details", FX_OUT, FX_RECORD, 0, 0, false,
		      "at the end a record for each of the worst splits and mergers, with places, "
		      "and for the run of each skeleton" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct segmentation, tolerance), .def = 10, .min = 1, .max = 1000000,
	  .help = "skeleton nodes that a body must have in a segment before the contact counts in "
		  "the tolerant run length" },
	{ FX_FIELD(struct segmentation, worst), .def = 10, .min = 0, .max = 100000,
	  .help = "how many of the worst splits, and of the worst mergers, go to details" },
	{ FX_FIELD(struct segmentation, viewer),
	  .def_str = "https://neuroglancer-demo.appspot.com/",
	  .help = "address of the Neuroglancer that links of details open" },
	{ FX_FIELD(struct segmentation, link_image), .def_str = "",
	  .help = "where a viewer finds the image, such as precomputed://http://HOST/image" },
	{ FX_FIELD(struct segmentation, link_labels), .def_str = "",
	  .help = "where a viewer finds the labels" },
	{ FX_FIELD(struct segmentation, link_truth), .def_str = "",
	  .help = "where a viewer finds the truth" },
	{ 0 },
};

static int segmentation_init(struct fx_node *node, void *state)
{
	struct segmentation *s = state;

	s->so_far.pairs.placed = s->worst > 0 && fx_connected(node, DETAILS);
	return FX_OK;
}

static int segmentation_count(struct fx_node *node, struct fx_contingency *c,
			      const struct fx_block *labels, const struct fx_block *truth,
			      uint64_t *voxels)
{
	const int rc = fx_contingency_add_blocks(c, labels, truth, voxels);

	return rc < 0 ? fx_fail(node, rc, "no memory for %zu pairs of labels", c->len) : FX_OK;
}

/* Scores a block against its partner when that came before; *met tells. */
static int segmentation_meet(struct fx_node *node, struct segmentation *s, unsigned port,
			     const struct fx_block *b, bool *met)
{
	struct fx_block *partner;
	size_t number;
	int rc = fx_meeting_partner(node, s->so_far.stores, (int)port, b, &partner, &number);

	*met = partner != NULL;
	if (!partner)
		return rc;
	rc = segmentation_count(node, &s->so_far.pairs, port == LABELS ? b : partner,
				port == LABELS ? partner : b, &s->so_far.scored);
	fx_block_free(partner);
	if (port == LABELS || !fx_connected(node, TREES))
		fx_blockstore_drop(&s->so_far.stores[1 - port], number);
	fx_details_so_far(node, TRUTH, &s->so_far.pairs, s->so_far.scored, &s->next_told);
	return rc;
}

static int segmentation_block(struct fx_node *node, struct segmentation *s, unsigned port,
			      const struct fx_block *b)
{
	bool met = false, keep;
	int rc = FX_OK;

	if (port == LABELS) {
		memcpy(s->so_far.voxel_nm, b->voxel_nm, sizeof s->so_far.voxel_nm);
		rc = segmentation_count(node, &s->so_far.sizes, b, NULL, &s->so_far.voxels);
	}
	if (rc == FX_OK && fx_connected(node, TRUTH))
		rc = segmentation_meet(node, s, port, b, &met);
	keep = !met && (port == TRUTH || fx_meeting_awaits(node, TRUTH, b));
	if (port == LABELS && fx_connected(node, TREES))
		keep = true;
	return rc == FX_OK && keep ? fx_meeting_wait(node, s->so_far.stores, (int)port, b) : rc;
}

static int segmentation_process(struct fx_node *node, void *state)
{
	struct segmentation *s = state;
	struct fx_error err = { 0 };
	struct fx_record *r;
	struct fx_block *b;
	unsigned port = LABELS;
	int rc;

	while (port < TREES && fx_waiting(node, port) == FX_NOTHING)
		port++;
	switch (fx_waiting(node, port)) {
	case FX_BLOCK:
		b = fx_take(node, port);
		rc = segmentation_block(node, s, port, b);
		fx_block_free(b);
		return rc;
	case FX_RECORD:
		r = fx_take_record(node, port);
		rc = port == LABELS ? fx_final_ids_take(&s->so_far.finals, r, &err) : FX_OK;
		fx_record_free(r);
		return rc < 0 ? fx_fail_error(node, &err) : FX_OK;
	case FX_TREE:
		return fx_treeset_add(&s->so_far.trees, fx_take_tree(node, port), &err) < 0 ?
			       fx_fail_error(node, &err) :
			       FX_OK;
	case FX_NOTHING:
		break;
	}
	return FX_OK;
}

static int segmentation_mark(struct fx_node *node, void *state, unsigned port,
			     const struct fx_mark *m)
{
	int rc = FX_OK;

	(void)state;
	if (m->kind == FX_MARK_OPEN && port != TREES && fx_meeting_shapes(node, LABELS, TRUTH) < 0)
		return FX_EINVAL;
	if (port == LABELS && (rc = fx_send_mark(node, SCORES, m)) == FX_OK)
		rc = fx_send_mark(node, DETAILS, m);
	return rc;
}

/* What the truth says of the voxels. */
static int segmentation_against_truth(struct fx_node *node, struct segmentation *s,
				      struct fx_record *r)
{
	unsigned left_out;

	if (s->so_far.stores[TRUTH].live)
		fx_warn(node, "%zu blocks of truth met no labels: is the truth on the same grid?",
			s->so_far.stores[TRUTH].live);
	if (fx_scores_add_rules(r, &s->so_far.pairs, &left_out) < 0 ||
	    fx_record_add_number(r, "voxels_scored", (double)s->so_far.scored) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory for the scores");
	if (left_out)
		fx_warn(node, "%u of %d scoring rules have no voxel to count", left_out, FX_RULES);
	return FX_OK;
}

/* Gives each skeleton node the segment at its place. */
static int segmentation_look_up(struct fx_node *node, const struct segmentation *s,
				struct fx_erl_node *nodes, size_t len)
{
	int64_t(*voxels)[3] = fx_calloc(len, sizeof *voxels);
	uint64_t *labels = fx_calloc(len, sizeof *labels);
	struct fx_error err = { 0 };
	int rc = FX_ENOMEM;

	if (voxels && labels) {
		fx_erl_voxels(nodes, len, s->so_far.voxel_nm, voxels);
		rc = fx_blockstore_lookup(&s->so_far.stores[LABELS], voxels, len, labels, &err);
	}
	for (size_t i = 0; rc == FX_OK && i < len; i++)
		nodes[i].segment = fx_final_ids_of(&s->so_far.finals, labels[i]);
	free(voxels);
	free(labels);
	return rc < 0 ? fx_fail(node, rc, "cannot look up %zu skeleton nodes: %s", len, err.text) :
			FX_OK;
}

static int segmentation_runs(struct fx_node *node, struct segmentation *s, struct fx_record *r)
{
	struct fx_erl_node *nodes = NULL;
	struct fx_error err = { 0 };
	size_t len;
	int rc = fx_erl_nodes(&s->so_far.trees, &nodes, &len, &err);

	if (rc < 0)
		return fx_fail_error(node, &err);
	rc = segmentation_look_up(node, s, nodes, len);
	if (rc == FX_OK &&
	    (rc = fx_scores_add_erl(r, nodes, len, (uint64_t)s->tolerance, &err)) < 0)
		fx_fail_error(node, &err);
	if (rc == FX_OK && fx_connected(node, DETAILS))
		rc = fx_details_send_neurons(node, DETAILS, nodes, len, (uint64_t)s->tolerance);
	free(nodes);
	return rc;
}

static int segmentation_mistakes(struct fx_node *node, struct segmentation *s)
{
	struct fx_links links = { s->viewer, s->link_image, s->link_labels, s->link_truth, { 0 } };

	memcpy(links.voxel_nm, s->so_far.voxel_nm, sizeof links.voxel_nm);
	return fx_details_send_mistakes(node, DETAILS, &s->so_far.pairs, (size_t)s->worst, &links);
}

static int segmentation_drain(struct fx_node *node, void *state)
{
	struct segmentation *s = state;
	struct fx_record *r = fx_record_new("scores");
	struct fx_error err = { 0 };
	int rc;

	if (!r)
		return fx_fail(node, FX_ENOMEM, "no memory for the scores");
	if ((rc = fx_final_ids_apply(&s->so_far.finals, &s->so_far.pairs, &err)) < 0 ||
	    (rc = fx_final_ids_apply(&s->so_far.finals, &s->so_far.sizes, &err)) < 0)
		fx_fail_error(node, &err);
	else if ((rc = fx_scores_add_sizes(r, &s->so_far.sizes)) < 0)
		fx_fail(node, rc, "no memory for the scores");
	if (rc == FX_OK && fx_connected(node, TRUTH))
		rc = segmentation_against_truth(node, s, r);
	if (rc == FX_OK && s->so_far.pairs.placed)
		rc = segmentation_mistakes(node, s);
	if (rc == FX_OK && fx_connected(node, TREES))
		rc = segmentation_runs(node, s, r);
	if (rc == FX_OK)
		return fx_send_record(node, SCORES, r);
	fx_record_free(r);
	return rc;
}

static int segmentation_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	struct segmentation *s = state;
	struct fx_error err = { 0 };

	return fx_scored_pack(&s->so_far, to, &err) < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int segmentation_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct segmentation *s = state;
	const char *dir = fx_state_dir(node);
	struct fx_error err = { 0 };

	if (!dir)
		return fx_fail(node, FX_EIO, "no folder for scratch files");
	return fx_scored_unpack(&s->so_far, dir, from, &err) < 0 ? fx_fail_error(node, &err) :
								   FX_OK;
}

static void segmentation_finish(void *state)
{
	struct segmentation *s = state;

	fx_scored_fini(&s->so_far);
}

FX_NODE(scorer_segmentation) = {
	.abi = FX_NODE_ABI,
	.name = "scorer/segmentation",
	.summary = "score labels against the truth, voxel by voxel and along its skeletons",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct segmentation),
	.init = segmentation_init,
	.process = segmentation_process,
	.mark = segmentation_mark,
	.drain = segmentation_drain,
	.finish = segmentation_finish,
	.save = segmentation_save,
	.load = segmentation_load,
};
