// SPDX-License-Identifier: Apache-2.0
/* forest.c: joins the skeleton pieces of an object to one forest. */
#include "kernels/forest.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { SWC_SOMA = 1 };

struct edge {
	uint32_t a, b;
};

/* A link, with its piece and its node counted over all pieces. */
struct end {
	struct fx_crossing crossing;
	double depth_nm;
	uint32_t piece, node;
};

struct join {
	double depth_nm;
	struct end a, b;
};

struct forest {
	const struct fx_piece *pieces;
	size_t pieces_len;
	uint32_t *first; /* node of each piece, and behind the last */
	uint32_t *set;	 /* union-find over pieces */
	uint64_t *voxels;
	const struct fx_tree_node **node;
	size_t len; /* nodes */
	bool *gone;
	struct edge *edge;
	size_t edges;
	uint32_t *near, *near_first, *degree; /* neighbours of each node */
};

static uint32_t set_root(uint32_t *set, uint32_t i)
{
	while (set[i] != i) {
		set[i] = set[set[i]];
		i = set[i];
	}
	return i;
}

static int end_order(const void *pa, const void *pb)
{
	const struct end *a = pa, *b = pb;
	const int order = fx_crossing_compare(&a->crossing, &b->crossing);

	return order ? order : (a->node > b->node) - (a->node < b->node);
}

static int join_order(const void *pa, const void *pb)
{
	const struct join *a = pa, *b = pb;

	if (a->depth_nm > b->depth_nm || a->depth_nm < b->depth_nm)
		return a->depth_nm > b->depth_nm ? -1 : 1;
	return fx_crossing_compare(&a->a.crossing, &b->a.crossing);
}

static int forest_init(struct forest *f, const struct fx_piece *pieces, size_t len)
{
	size_t links = 0;

	f->pieces = pieces;
	f->pieces_len = len;
	f->first = fx_calloc(len + 1, sizeof *f->first);
	f->set = fx_calloc(len, sizeof *f->set);
	f->voxels = fx_calloc(len, sizeof *f->voxels);
	if (!f->first || !f->set || !f->voxels)
		return FX_ENOMEM;
	for (size_t p = 0; p < len; p++) {
		f->first[p] = (uint32_t)f->len;
		f->set[p] = (uint32_t)p;
		f->voxels[p] = pieces[p].voxels;
		f->len += pieces[p].tree->len;
		links += pieces[p].links_len;
		if (f->len > INT32_MAX || p >= UINT32_MAX)
			return FX_EINVAL;
	}
	f->first[len] = (uint32_t)f->len;
	f->node = fx_calloc(f->len, sizeof *f->node);
	f->gone = fx_calloc(f->len, sizeof *f->gone);
	f->edge = fx_calloc(f->len + links, sizeof *f->edge);
	f->degree = fx_calloc(f->len, sizeof *f->degree);
	f->near_first = fx_calloc(f->len + 1, sizeof *f->near_first);
	return f->node && f->gone && f->edge && f->degree && f->near_first ? FX_OK : FX_ENOMEM;
}

static void forest_fini(struct forest *f)
{
	free(f->first);
	free(f->set);
	free(f->voxels);
	free(f->node);
	free(f->gone);
	free(f->edge);
	free(f->near);
	free(f->near_first);
	free(f->degree);
}

static void forest_fill(struct forest *f)
{
	for (size_t p = 0; p < f->pieces_len; p++) {
		const struct fx_tree *tree = f->pieces[p].tree;

		for (size_t i = 0; i < tree->len; i++) {
			const uint32_t at = f->first[p] + (uint32_t)i;

			f->node[at] = &tree->nodes[i];
			if (tree->nodes[i].parent >= 0)
				f->edge[f->edges++] = (struct edge){
					at, f->first[p] + (uint32_t)tree->nodes[i].parent
				};
		}
	}
}

/* All links, sorted by contact: *ends (free()). */
static int forest_ends(const struct forest *f, struct end **ends, size_t *len)
{
	struct end *e;
	size_t n = 0;

	for (size_t p = 0; p < f->pieces_len; p++)
		n += f->pieces[p].links_len;
	e = fx_calloc(n, sizeof *e);
	if (!e)
		return FX_ENOMEM;
	n = 0;
	for (size_t p = 0; p < f->pieces_len; p++)
		for (size_t i = 0; i < f->pieces[p].links_len; i++) {
			const struct fx_link *l = &f->pieces[p].links[i];

			e[n++] = (struct end){ l->crossing, l->depth_nm, (uint32_t)p,
					       f->first[p] + l->node };
		}
	qsort(e, n, sizeof *e, end_order);
	*ends = e;
	*len = n;
	return FX_OK;
}

static void forest_connect(struct forest *f, const struct join *j)
{
	const uint32_t a = set_root(f->set, j->a.piece), b = set_root(f->set, j->b.piece);
	const uint32_t low = a < b ? a : b, high = a < b ? b : a;

	if (a == b)
		return;
	f->set[high] = low;
	f->voxels[low] += f->voxels[high];
	f->edge[f->edges++] = (struct edge){ j->a.node, j->b.node };
}

static int forest_joins(struct forest *f)
{
	struct end *ends = NULL;
	struct join *joins = NULL;
	size_t len = 0, n = 0;
	int result = forest_ends(f, &ends, &len);

	if (result == FX_OK && !(joins = fx_calloc(len, sizeof *joins)))
		result = FX_ENOMEM;
	for (size_t i = 0; result == FX_OK && i + 1 < len; i++)
		if (fx_crossing_compare(&ends[i].crossing, &ends[i + 1].crossing) == 0) {
			joins[n++] = (struct join){ ends[i].depth_nm, ends[i], ends[i + 1] };
			i++;
		}
	if (n)
		qsort(joins, n, sizeof *joins, join_order);
	for (size_t i = 0; i < n; i++)
		forest_connect(f, &joins[i]);
	free(ends);
	free(joins);
	return result;
}

static void forest_dust(struct forest *f, uint64_t dust)
{
	for (size_t p = 0; p < f->pieces_len; p++)
		if (f->voxels[set_root(f->set, (uint32_t)p)] < dust)
			for (uint32_t i = f->first[p]; i < f->first[p + 1]; i++)
				f->gone[i] = true;
}

/* Lists the neighbours of each node: near[near_first[i] .. near_first[i + 1]). */
static int forest_neighbours(struct forest *f)
{
	for (size_t e = 0; e < f->edges; e++) {
		f->degree[f->edge[e].a]++;
		f->degree[f->edge[e].b]++;
	}
	for (size_t i = 0; i < f->len; i++)
		f->near_first[i + 1] = f->near_first[i] + f->degree[i];
	f->near = fx_calloc(2 * f->edges, sizeof *f->near);
	if (!f->near)
		return FX_ENOMEM;
	memset(f->degree, 0, f->len * sizeof *f->degree);
	for (size_t e = 0; e < f->edges; e++) {
		const struct edge d = f->edge[e];

		f->near[f->near_first[d.a] + f->degree[d.a]++] = d.b;
		f->near[f->near_first[d.b] + f->degree[d.b]++] = d.a;
	}
	return FX_OK;
}

/* The neighbour of @p i that is there and is not @p but; i when there is none. */
static uint32_t next_of(const struct forest *f, uint32_t i, uint32_t but)
{
	for (uint32_t n = f->near_first[i]; n < f->near_first[i + 1]; n++)
		if (!f->gone[f->near[n]] && f->near[n] != but)
			return f->near[n];
	return i;
}

static double nodes_apart(const struct fx_tree_node *a, const struct fx_tree_node *b)
{
	const double z = a->pos_nm[0] - b->pos_nm[0], y = a->pos_nm[1] - b->pos_nm[1],
		     x = a->pos_nm[2] - b->pos_nm[2];

	return sqrt(z * z + y * y + x * x);
}

/* The fork where the branch of end @p i leaves its tree, and its length; i when there is none or
 * a soma lies on the way. */
static uint32_t branch_fork(const struct forest *f, uint32_t i, double *length_nm)
{
	uint32_t before = i, at = i;

	*length_nm = 0;
	if (f->gone[i] || f->degree[i] != 1)
		return i;
	while (f->degree[at] < 3) {
		const uint32_t next = next_of(f, at, before);

		if (next == at || f->node[at]->type == SWC_SOMA)
			return i;
		*length_nm += nodes_apart(f->node[at], f->node[next]);
		before = at;
		at = next;
	}
	return at;
}

static void branch_remove(struct forest *f, uint32_t i, uint32_t fork)
{
	uint32_t before = i;

	while (i != fork) {
		const uint32_t next = next_of(f, i, before);

		f->gone[i] = true;
		before = i;
		i = next;
	}
	f->degree[fork]--;
}

struct tick {
	double length_nm;
	uint32_t end;
};

static int tick_order(const void *pa, const void *pb)
{
	const struct tick *a = pa, *b = pb;

	if (a->length_nm < b->length_nm || a->length_nm > b->length_nm)
		return a->length_nm < b->length_nm ? -1 : 1;
	return (a->end > b->end) - (a->end < b->end);
}

/* Removes short end branches, the shortest first; each is measured again when its turn comes, as
 * it has become longer where its fork is one no more. */
static int forest_ticks(struct forest *f, double tick_nm)
{
	struct tick *ticks = fx_calloc(f->len, sizeof *ticks);
	size_t n = 0;
	double length;

	if (!ticks)
		return FX_ENOMEM;
	for (uint32_t i = 0; i < f->len; i++)
		if (branch_fork(f, i, &length) != i && length < tick_nm)
			ticks[n++] = (struct tick){ length, i };
	qsort(ticks, n, sizeof *ticks, tick_order);
	for (size_t i = 0; i < n; i++) {
		const uint32_t fork = branch_fork(f, ticks[i].end, &length);

		if (fork != ticks[i].end && length < tick_nm)
			branch_remove(f, ticks[i].end, fork);
	}
	free(ticks);
	return FX_OK;
}

static bool root_before(const struct fx_tree_node *a, const struct fx_tree_node *b)
{
	if ((a->type == SWC_SOMA) != (b->type == SWC_SOMA))
		return a->type == SWC_SOMA;
	if (a->radius_nm < b->radius_nm || a->radius_nm > b->radius_nm)
		return a->radius_nm > b->radius_nm;
	for (int i = 0; i < 3; i++)
		if (a->pos_nm[i] < b->pos_nm[i] || a->pos_nm[i] > b->pos_nm[i])
			return a->pos_nm[i] < b->pos_nm[i];
	return false;
}

/* A walk over one tree: nodes to visit and their parents. */
struct walk {
	uint32_t *stack;
	int32_t *parent; /* of each node, in the numbers of the walk */
	size_t depth;
};

/* Visits the tree of @p i with new numbers from *count on; calls for each node in that order. */
static void walk_from(const struct forest *f, struct walk *w, uint32_t i, uint32_t *order,
		      size_t *count)
{
	w->depth = 0;
	w->parent[i] = -1;
	w->stack[w->depth++] = i;
	while (w->depth) {
		const uint32_t at = w->stack[--w->depth];
		const int32_t number = (int32_t)*count;
		const int32_t parent = w->parent[at];

		order[(*count)++] = at;
		for (uint32_t n = f->near_first[at + 1]; n-- > f->near_first[at];) {
			const uint32_t to = f->near[n];

			if (f->gone[to] || (parent >= 0 && order[parent] == to))
				continue;
			w->parent[to] = number;
			w->stack[w->depth++] = to;
		}
	}
}

static uint32_t tree_root(const struct forest *f, const uint32_t *nodes, size_t len)
{
	uint32_t best = nodes[0];
	bool found = false;

	for (size_t i = 0; i < len; i++) {
		const uint32_t n = nodes[i];

		if (f->degree[n] > 1 && f->node[n]->type != SWC_SOMA)
			continue;
		if (!found || root_before(f->node[n], f->node[best]))
			best = n;
		found = true;
	}
	return best;
}

static struct fx_tree *walk_tree(const struct forest *f, const struct walk *w,
				 const uint32_t *order, size_t len, uint64_t segment)
{
	struct fx_tree *tree = fx_tree_new(segment, len);

	for (size_t i = 0; tree && i < len; i++) {
		tree->nodes[i] = *f->node[order[i]];
		tree->nodes[i].parent = w->parent[order[i]];
	}
	return tree;
}

static int forest_tree(const struct forest *f, uint64_t segment, struct fx_tree **tree)
{
	struct walk w = { .stack = fx_calloc(f->len + 1, sizeof *w.stack),
			  .parent = fx_calloc(f->len, sizeof *w.parent) };
	uint32_t *order = fx_calloc(f->len, sizeof *order);
	bool *met = fx_calloc(f->len, sizeof *met);
	size_t len = 0;
	int result = FX_ENOMEM;

	if (!w.stack || !w.parent || !order || !met)
		goto done;
	for (uint32_t i = 0; i < f->len; i++) {
		size_t end = len;

		if (f->gone[i] || met[i])
			continue;
		walk_from(f, &w, i, order, &end);
		walk_from(f, &w, tree_root(f, order + len, end - len), order, &len);
		for (size_t n = len; n-- > 0 && !met[order[n]];)
			met[order[n]] = true;
	}
	*tree = walk_tree(f, &w, order, len, segment);
	result = *tree ? fx_tree_classify(*tree) : FX_ENOMEM;
done:
	free(w.stack);
	free(w.parent);
	free(order);
	free(met);
	return result;
}

int fx_forest_join(const struct fx_piece *pieces, size_t len, uint64_t segment,
		   const struct fx_forest_options *options, struct fx_tree **forest)
{
	struct forest f = { 0 };
	struct fx_tree *tree = NULL;
	int result = forest_init(&f, pieces, len);

	if (result == FX_OK) {
		forest_fill(&f);
		result = forest_joins(&f);
	}
	if (result == FX_OK) {
		forest_dust(&f, options->dust);
		result = forest_neighbours(&f);
	}
	if (result == FX_OK && options->tick_nm > 0)
		result = forest_ticks(&f, options->tick_nm);
	if (result == FX_OK)
		result = forest_tree(&f, segment, &tree);
	forest_fini(&f);
	if (result == FX_OK)
		*forest = tree;
	else
		fx_tree_free(tree);
	return result;
}
