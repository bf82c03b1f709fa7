// SPDX-License-Identifier: Apache-2.0
/* erl.c: expected run length. */
#include "kernels/erl.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/compensated.h"
#include "kernels/contingency.h"

/* What an edge can be. */
enum { CORRECT, OMITTED, SPLIT, MERGED, CLASSES };

/* What is known of one (skeleton, segment): pairs are sorted by skeleton, then segment. */
struct run {
	bool merging; /* the segment holds nodes of another skeleton too */
	struct fx_sum correct_nm;
};

struct erl {
	const struct fx_erl_node *nodes;
	size_t len, pairs_len;
	uint64_t min_nodes;
	struct fx_pair *pairs; /* owned */
	struct run *runs;      /* owned, one a pair */
	struct fx_sum lengths[CLASSES];
	uint64_t edges[CLASSES];
};

static int pair_compare(const void *a, const void *b)
{
	const struct fx_pair *p = a, *q = b;

	if (p->truth != q->truth)
		return p->truth > q->truth ? 1 : -1;
	return (p->seg > q->seg) - (p->seg < q->seg);
}

/* The pair of a node, or SIZE_MAX when its segment is 0 or does not count. */
static size_t erl_pair(const struct erl *e, const struct fx_erl_node *n)
{
	const struct fx_pair key = { .seg = n->segment, .truth = n->skeleton };
	const struct fx_pair *p;

	if (!n->segment)
		return SIZE_MAX;
	p = bsearch(&key, e->pairs, e->pairs_len, sizeof key, pair_compare);
	return p && p->count >= e->min_nodes ? (size_t)(p - e->pairs) : SIZE_MAX;
}

static int erl_pairs(struct erl *e)
{
	struct fx_contingency c = { 0 };
	int rc = FX_OK;

	for (size_t i = 0; rc == FX_OK && i < e->len; i++)
		rc = fx_contingency_count(&c, e->nodes[i].segment, e->nodes[i].skeleton, 1);
	e->pairs_len = c.len;
	e->pairs = rc == FX_OK ? fx_contingency_sorted(&c) : NULL;
	e->runs = fx_calloc(c.len, sizeof *e->runs);
	fx_contingency_fini(&c);
	return e->pairs && e->runs ? FX_OK : FX_ENOMEM;
}

/* Marks the pairs of merging segments; gives the number of such segments. */
static int erl_merging(struct erl *e, uint64_t *segments)
{
	struct fx_map64 skeletons = { 0 };
	int rc = FX_OK;

	for (size_t i = 0; rc == FX_OK && i < e->pairs_len; i++) {
		const struct fx_pair *p = &e->pairs[i];
		uint64_t *n;

		if (!p->seg || p->count < e->min_nodes)
			continue;
		n = fx_map64_at(&skeletons, p->seg);
		rc = n ? FX_OK : FX_ENOMEM;
		if (n && ++*n == 2)
			++*segments;
	}
	for (size_t i = 0; rc == FX_OK && i < e->pairs_len; i++) {
		const uint64_t *n = fx_map64_find(&skeletons, e->pairs[i].seg);

		e->runs[i].merging = n && *n > 1;
	}
	fx_map64_fini(&skeletons);
	return rc;
}

static double edge_nm(const struct fx_erl_node *a, const struct fx_erl_node *b)
{
	const double z = a->pos_nm[0] - b->pos_nm[0], y = a->pos_nm[1] - b->pos_nm[1],
		     x = a->pos_nm[2] - b->pos_nm[2];

	return sqrt(z * z + y * y + x * x);
}

/* The class of the edge from node i up, its length, and the pair whose run it adds to. */
static int erl_edge(const struct erl *e, size_t i, double *nm, size_t *pair, struct fx_error *err)
{
	const struct fx_erl_node *a = &e->nodes[i], *b;

	if ((uint64_t)a->parent >= e->len)
		return fx_error_set(err, FX_EINVAL, "node %zu has parent %lld, of %zu nodes", i,
				    (long long)a->parent, e->len);
	b = &e->nodes[a->parent];
	*nm = edge_nm(a, b);
	if (!isfinite(*nm))
		return fx_error_set(err, FX_EINVAL, "node %zu has a position that is not finite",
				    i);
	*pair = erl_pair(e, a);
	if (*pair == SIZE_MAX || erl_pair(e, b) == SIZE_MAX)
		return OMITTED;
	if (a->segment != b->segment)
		return SPLIT;
	return e->runs[*pair].merging ? MERGED : CORRECT;
}

static int erl_add_edge(struct erl *e, size_t i, struct fx_error *err)
{
	size_t pair;
	double nm;
	int class;

	if (e->nodes[i].parent < 0)
		return FX_OK;
	class = erl_edge(e, i, &nm, &pair, err);
	if (class < 0)
		return class;
	fx_sum_add(&e->lengths[class], nm);
	e->edges[class]++;
	if (class == CORRECT)
		fx_sum_add(&e->runs[pair].correct_nm, nm);
	return FX_OK;
}

/* Sum over skeletons of (length)^2, by the total: what perfect labels would give. */
static int erl_ceiling(const struct erl *e, struct fx_erl_scores *out)
{
	struct fx_sum *lengths = fx_calloc(e->pairs_len, sizeof *lengths), squares = { 0 };
	struct fx_map64 first = { 0 }; /* skeleton to its number + 1, in ascending order */
	uint64_t *at, n = 0;
	int rc = lengths ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; rc == FX_OK && i < e->pairs_len; i++) {
		at = fx_map64_at(&first, e->pairs[i].truth);
		rc = at ? FX_OK : FX_ENOMEM;
		if (at && !*at)
			*at = ++n;
	}
	for (size_t i = 0; rc == FX_OK && i < e->len; i++) {
		const uint64_t *number = fx_map64_find(&first, e->nodes[i].skeleton);

		if (number && e->nodes[i].parent >= 0)
			fx_sum_add(&lengths[*number - 1],
				   edge_nm(&e->nodes[i], &e->nodes[e->nodes[i].parent]));
	}
	for (uint64_t i = 0; rc == FX_OK && i < n; i++)
		fx_sum_add(&squares, fx_sum_value(&lengths[i]) * fx_sum_value(&lengths[i]));
	out->skeletons = n;
	out->ceiling_nm = fx_sum_value(&squares) / out->length_nm;
	fx_map64_fini(&first);
	free(lengths);
	return rc;
}

static void erl_result(const struct erl *e, struct fx_erl_scores *out)
{
	struct fx_sum squares = { 0 };

	for (size_t i = 0; i < e->pairs_len; i++) {
		const double nm = fx_sum_value(&e->runs[i].correct_nm);

		fx_sum_add(&squares, nm * nm);
	}
	out->erl_nm = fx_sum_value(&squares) / out->length_nm;
	out->correct = fx_sum_value(&e->lengths[CORRECT]) / out->length_nm;
	out->omitted = fx_sum_value(&e->lengths[OMITTED]) / out->length_nm;
	out->split = fx_sum_value(&e->lengths[SPLIT]) / out->length_nm;
	out->merged = fx_sum_value(&e->lengths[MERGED]) / out->length_nm;
	out->normalised = out->erl_nm / out->ceiling_nm;
	out->correct_edges = e->edges[CORRECT];
	out->omitted_edges = e->edges[OMITTED];
	out->split_edges = e->edges[SPLIT];
	out->merged_edges = e->edges[MERGED];
	for (int c = 0; c < CLASSES; c++)
		out->edges += e->edges[c];
}

/* Pairs, runs and classes of all edges; *merging segments. */
static int erl_open(struct erl *e, uint64_t *merging, struct fx_error *err)
{
	int rc = erl_pairs(e);

	if (rc == FX_OK)
		rc = erl_merging(e, merging);
	if (rc < 0)
		fx_error_set(err, rc, "no memory for the runs of %zu skeleton nodes", e->len);
	for (size_t i = 0; rc == FX_OK && i < e->len; i++)
		rc = erl_add_edge(e, i, err);
	return rc;
}

static double erl_length(const struct erl *e)
{
	struct fx_sum total = { 0 };

	for (size_t i = 0; i < e->len; i++)
		if (e->nodes[i].parent >= 0)
			fx_sum_add(&total, edge_nm(&e->nodes[i], &e->nodes[e->nodes[i].parent]));
	return fx_sum_value(&total);
}

int fx_erl_compute(const struct fx_erl_node *nodes, size_t len, uint64_t min_nodes,
		   struct fx_erl_scores *out, struct fx_error *err)
{
	struct erl e = { .nodes = nodes, .len = len, .min_nodes = min_nodes };
	int rc;

	memset(out, 0, sizeof *out);
	rc = erl_open(&e, &out->merging_segments, err);
	out->length_nm = rc == FX_OK ? erl_length(&e) : 0;
	if (rc == FX_OK && !(out->length_nm > 0))
		rc = fx_error_set(err, FX_EINVAL, "the skeletons have no cable to score");
	if (rc == FX_OK && (rc = erl_ceiling(&e, out)) < 0)
		fx_error_set(err, rc, "no memory for %zu skeleton nodes", len);
	if (rc == FX_OK)
		erl_result(&e, out);
	free(e.pairs);
	free(e.runs);
	return rc;
}

/* The skeletons of the pairs, and what their segments give; gives how many. */
static size_t neurons_of_pairs(const struct erl *e, struct fx_erl_neuron *out)
{
	size_t n = 0;

	for (size_t i = 0, end; i < e->pairs_len; i = end, n++) {
		struct fx_sum squares = { 0 };

		out[n].skeleton = e->pairs[i].truth;
		for (end = i; end < e->pairs_len && e->pairs[end].truth == e->pairs[i].truth;
		     end++) {
			const double nm = fx_sum_value(&e->runs[end].correct_nm);

			fx_sum_add(&squares, nm * nm);
			out[n].segments += e->pairs[end].seg && e->pairs[end].count >= e->min_nodes;
		}
		out[n].run_nm = fx_sum_value(&squares);
	}
	return n;
}

static int neuron_compare(const void *a, const void *b)
{
	const struct fx_erl_neuron *p = a, *q = b;

	return (p->skeleton > q->skeleton) - (p->skeleton < q->skeleton);
}

/* Lengths of the classes of each skeleton. */
static int neurons_of_edges(const struct erl *e, struct fx_erl_neuron *out, size_t n,
			    struct fx_error *err)
{
	struct fx_sum(*sums)[CLASSES] = fx_calloc(n, sizeof *sums);

	if (!sums)
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu skeletons", n);
	for (size_t i = 0; i < e->len; i++) {
		const struct fx_erl_neuron key = { .skeleton = e->nodes[i].skeleton };
		struct fx_erl_neuron *at = bsearch(&key, out, n, sizeof key, neuron_compare);
		size_t pair;
		double nm;
		int class;

		if (e->nodes[i].parent < 0 || !at)
			continue;
		class = erl_edge(e, i, &nm, &pair, err);
		if (class >= 0) /* it was read before */
			fx_sum_add(&sums[at - out][class], nm);
		at->edges++;
	}
	for (size_t i = 0; i < n; i++) {
		const double lengths[CLASSES] = { fx_sum_value(&sums[i][CORRECT]),
						  fx_sum_value(&sums[i][OMITTED]),
						  fx_sum_value(&sums[i][SPLIT]),
						  fx_sum_value(&sums[i][MERGED]) };
		const double nm = lengths[0] + lengths[1] + lengths[2] + lengths[3];
		const double by = nm > 0 ? 1 / nm : 0;

		out[i].length_nm = nm;
		out[i].run_nm *= by;
		out[i].correct = lengths[CORRECT] * by;
		out[i].omitted = lengths[OMITTED] * by;
		out[i].split = lengths[SPLIT] * by;
		out[i].merged = lengths[MERGED] * by;
	}
	free(sums);
	return FX_OK;
}

int fx_erl_neurons(const struct fx_erl_node *nodes, size_t len, uint64_t min_nodes,
		   struct fx_erl_neuron **neurons, size_t *neurons_len, struct fx_error *err)
{
	struct erl e = { .nodes = nodes, .len = len, .min_nodes = min_nodes };
	struct fx_erl_neuron *out = NULL;
	uint64_t merging = 0;
	int rc = erl_open(&e, &merging, err);

	*neurons_len = 0;
	if (rc == FX_OK) {
		out = fx_calloc(e.pairs_len, sizeof *out);
		rc = out ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for the skeletons");
	}
	if (rc == FX_OK) {
		*neurons_len = neurons_of_pairs(&e, out);
		rc = neurons_of_edges(&e, out, *neurons_len, err);
	}
	free(e.pairs);
	free(e.runs);
	if (rc < 0)
		free(out);
	else
		*neurons = out;
	return rc;
}

int fx_erl_nodes(struct fx_treeset *set, struct fx_erl_node **nodes, size_t *len,
		 struct fx_error *err)
{
	struct fx_erl_node *out;
	size_t total = 0, at = 0;

	for (size_t t = 0; t < set->len; t++)
		total += set->trees[t]->len;
	out = fx_calloc(total, sizeof *out);
	if (!out)
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu skeleton nodes", total);
	fx_treeset_sort(set);
	for (size_t t = 0; t < set->len; t++) {
		const struct fx_tree *tree = set->trees[t];
		const size_t base = at;

		for (size_t i = 0; i < tree->len; i++, at++) {
			const struct fx_tree_node *node = &tree->nodes[i];

			out[at].skeleton = tree->segment;
			memcpy(out[at].pos_nm, node->pos_nm, sizeof node->pos_nm);
			out[at].parent = node->parent < 0 ? -1 : (int64_t)base + node->parent;
		}
	}
	*nodes = out;
	*len = total;
	return FX_OK;
}

void fx_erl_voxels(const struct fx_erl_node *nodes, size_t len, const double voxel_nm[3],
		   int64_t (*voxels)[3])
{
	for (size_t i = 0; i < len; i++)
		for (int a = 0; a < 3; a++) {
			const double v = floor(nodes[i].pos_nm[a] / voxel_nm[a] + 0.5);

			voxels[i][a] = v >= 0 && v < 2147483648.0 ? (int64_t)v : -1;
		}
}
