// SPDX-License-Identifier: Apache-2.0
/* scorer/trees: score tracings against true ones: ESA, DSA, PDS, DIADEM, PyNeval, and their shape.
 */
#include <fornix/node.h>

#include "block/treeset.h"
#include "kernels/treescores.h"
#include "kernels/treewalk.h"

enum { TREES, TRUTH, SCORES }; /* index into ports[]; the first two into sets[] */
enum { BY_ALL, BY_SEGMENT };

struct trees {
	int by; /* options: set before init() */
	double far, tolerance, sholl;
	struct fx_vec unit;

	struct fx_treeset sets[2]; /* owned, from init() to finish() */
};

static const char *const ways[] = { "all", "segment", NULL };

static const struct fx_port ports[] = {
	[TREES] = { "trees", FX_IN, FX_TREE, 0, 0, false, "tracings to score" },
	[TRUTH] = { "truth", FX_IN, FX_TREE, 0, 0, true,
		    "true ones; without, the shape of the tracings is all" },
	[SCORES] = { "scores", FX_OUT, FX_RECORD, 0, 0, false,
		     "one record at the end, or one a segment" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct trees, by), .def = BY_ALL, .choices = ways,
	  .help = "what is compared: all trees as one forest, or those of one segment id" },
	{ FX_FIELD(struct trees, unit), .def_str = "0 0 0", .unit = "nm", .min = 0, .max = 1e9,
	  .help = "what lengths are counted in; 0 is the voxel size that the stream tells" },
	{ FX_FIELD(struct trees, far), .def = 2, .min = 1e-6, .max = 1e9,
	  .help = "ESA, DSA, PDS: units from which on a point differs" },
	{ FX_FIELD(struct trees, tolerance), .def = 2, .min = 1e-6, .max = 1e9,
	  .help = "nodes, length, critical nodes: units within which they are found" },
	{ FX_FIELD(struct trees, sholl), .def = 0, .min = 0, .max = 1e9,
	  .help = "units between the spheres of the Sholl analysis; 0 makes 64" },
	{ 0 },
};

static int trees_process(struct fx_node *node, void *state)
{
	struct trees *s = state;
	const unsigned port = fx_waiting(node, TREES) == FX_TREE ? TREES : TRUTH;
	struct fx_error err = { 0 };

	return fx_treeset_add(&s->sets[port], fx_take_tree(node, port), &err) < 0 ?
		       fx_fail_error(node, &err) :
		       FX_OK;
}

static int trees_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	(void)state;
	return port == TREES ? fx_send_mark(node, SCORES, m) : FX_OK;
}

/* What one unit is in nm. */
static int trees_unit(struct fx_node *node, const struct trees *s, double unit[3])
{
	const struct fx_mark *open = fx_opened(node, TREES);

	for (int a = 0; a < 3; a++) {
		unit[a] = s->unit.v[a] > 0 ? s->unit.v[a] : open ? open->voxel_nm[a] : 0;
		if (!(unit[a] > 0))
			return fx_fail(node, FX_EINVAL,
				       "the stream of trees does not tell the voxel size: set "
				       "unit to the nm that lengths are counted in");
	}
	return FX_OK;
}

/* Scores and shapes of some trees of either side; none of the truth when it has none. */
static int trees_compare(struct trees *s, const size_t first[2], const size_t len[2],
			 const double unit[3], struct fx_record *r, struct fx_error *err)
{
	const struct fx_treescore_options limits = { s->far, s->tolerance };
	struct fx_tree *in_units[2] = { 0 };
	int rc = FX_OK;

	for (int i = 0; rc == FX_OK && i < 2 && len[i]; i++) {
		struct fx_tree *joined = fx_treeset_join(&s->sets[i], first[i], len[i]);

		in_units[i] = joined ? fx_tree_in_units(joined, unit) : NULL;
		fx_tree_free(joined);
		if (!in_units[i])
			rc = fx_error_set(err, FX_ENOMEM, "no memory for %zu trees", len[i]);
	}
	if (rc == FX_OK && in_units[TRUTH])
		rc = fx_treescores_add(r, in_units[TREES], in_units[TRUTH], &limits, err);
	for (int i = 0; rc == FX_OK && i < 2 && in_units[i]; i++)
		rc = fx_treescores_add_shape(r, i ? "truth" : "test", in_units[i], s->sholl, err);
	fx_tree_free(in_units[TREES]);
	fx_tree_free(in_units[TRUTH]);
	return rc;
}

/* Sends the record of a comparison. @p segment of -1: of all. */
static int trees_send(struct fx_node *node, struct trees *s, const size_t first[2],
		      const size_t len[2], double segment)
{
	struct fx_record *r = fx_record_new("scores");
	struct fx_error err = { 0 };
	double unit[3];
	int rc = r ? trees_unit(node, s, unit) : fx_fail(node, FX_ENOMEM, "no memory for scores");

	if (rc == FX_OK) {
		rc = segment < 0 ? FX_OK : fx_record_add_number(r, "segment", segment);
		for (int a = 0; rc == FX_OK && a < 3; a++)
			rc = fx_record_add_number(
				r,
				(const char *const[]){ "unit_nm.z", "unit_nm.y", "unit_nm.x" }[a],
				unit[a]);
		if (rc == FX_OK)
			rc = trees_compare(s, first, len, unit, r, &err);
		else
			fx_error_set(&err, rc, "no memory for scores");
		if (rc < 0)
			fx_fail_error(node, &err);
	}
	if (rc == FX_OK)
		return fx_send_record(node, SCORES, r);
	fx_record_free(r);
	return rc;
}

/* Ids that both have, and how many only one has. */
static int trees_by_segment(struct fx_node *node, struct trees *s)
{
	const struct fx_treeset *a = &s->sets[TREES], *b = &s->sets[TRUTH];
	size_t at[2] = { 0, 0 }, alone[2] = { 0, 0 };
	int rc = FX_OK;

	while (rc == FX_OK && at[TREES] < a->len) {
		const uint64_t id = a->trees[at[TREES]]->segment;
		size_t len[2] = { fx_treeset_run(a, at[TREES]), 0 };

		while (at[TRUTH] < b->len && b->trees[at[TRUTH]]->segment < id) {
			at[TRUTH] += fx_treeset_run(b, at[TRUTH]);
			alone[TRUTH]++;
		}
		if (at[TRUTH] < b->len && b->trees[at[TRUTH]]->segment == id)
			len[TRUTH] = fx_treeset_run(b, at[TRUTH]);
		alone[TREES] += !len[TRUTH];
		if (len[TRUTH] || !fx_connected(node, TRUTH))
			rc = trees_send(node, s, at, len, (double)id);
		at[TREES] += len[TREES];
		at[TRUTH] += len[TRUTH];
	}
	while (at[TRUTH] < b->len) {
		at[TRUTH] += fx_treeset_run(b, at[TRUTH]);
		alone[TRUTH]++;
	}
	if (fx_connected(node, TRUTH) && alone[TREES] + alone[TRUTH])
		fx_warn(node, "%zu segments have no true tree, %zu true trees no segment",
			alone[TREES], alone[TRUTH]);
	return rc;
}

static int trees_drain(struct fx_node *node, void *state)
{
	struct trees *s = state;
	const size_t first[2] = { 0, 0 }, len[2] = { s->sets[TREES].len, s->sets[TRUTH].len };

	fx_treeset_sort(&s->sets[TREES]);
	fx_treeset_sort(&s->sets[TRUTH]);
	if (s->by == BY_SEGMENT)
		return trees_by_segment(node, s);
	if (!len[TREES] || (fx_connected(node, TRUTH) && !len[TRUTH])) {
		fx_warn(node, "no scores: %zu trees came, and %zu true ones", len[0], len[1]);
		return FX_OK;
	}
	return trees_send(node, s, first, len, -1);
}

static int trees_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct trees *s = state;

	(void)node;
	fx_treeset_pack(&s->sets[TREES], to);
	fx_treeset_pack(&s->sets[TRUTH], to);
	return FX_OK;
}

static int trees_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct trees *s = state;
	const int rc = fx_treeset_unpack(&s->sets[TREES], from);

	(void)node;
	return rc == FX_OK ? fx_treeset_unpack(&s->sets[TRUTH], from) : rc;
}

static void trees_finish(void *state)
{
	struct trees *s = state;

	fx_treeset_fini(&s->sets[TREES]);
	fx_treeset_fini(&s->sets[TRUTH]);
}

FX_NODE(scorer_trees) = {
	.abi = FX_NODE_ABI,
	.name = "scorer/trees",
	.summary = "score tracings against true ones: ESA, DSA, PDS, DIADEM, PyNeval, shape",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct trees),
	.process = trees_process,
	.mark = trees_mark,
	.drain = trees_drain,
	.finish = trees_finish,
	.save = trees_save,
	.load = trees_load,
};
