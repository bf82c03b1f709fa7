// SPDX-License-Identifier: Apache-2.0
/* diadem_ways.c: the steps of DIADEM. */
#include "kernels/diadem_ways.h"

#include <fornix/error.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const double z_slack = 0.1;

static void binlist_fini(struct fx_binlist *l)
{
	free(l->bins);
	free(l->points);
	free(l->gone);
	fx_edgetree_fini(&l->near);
	memset(l, 0, sizeof *l);
}

void fx_diadem_close(struct fx_diadem *d)
{
	const struct fx_diadem_options options = d->options;

	free(d->bins.nodes);
	free(d->match);
	free(d->weight);
	free(d->seen);
	free(d->reach_of);
	free(d->reach);
	binlist_fini(&d->lists[0]);
	binlist_fini(&d->lists[1]);
	memset(d, 0, sizeof *d);
	d->options = options;
}

/* All behind the tops in preorder, the right one of two first. */
static size_t list_bins(const struct fx_bintree *b, const int32_t *tops, size_t len, int32_t *out,
			int32_t *stack)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		size_t depth = 0;

		stack[depth++] = tops[i];
		while (depth) {
			const int32_t at = stack[--depth];

			out[n++] = at;
			if (b->nodes[at].left >= 0)
				stack[depth++] = b->nodes[at].left;
			if (b->nodes[at].right >= 0)
				stack[depth++] = b->nodes[at].right;
		}
	}
	return n;
}

static int binlist_make(struct fx_binlist *l, const struct fx_bintree *b, size_t first,
			const int32_t *tops, size_t tops_len)
{
	const size_t most = b->len - first;
	int32_t *stack = fx_calloc(most + 1, sizeof *stack);

	l->bins = fx_calloc(most, sizeof *l->bins);
	l->points = fx_calloc(most, sizeof *l->points);
	l->gone = fx_calloc(most, sizeof *l->gone);
	if (stack && l->bins)
		l->len = list_bins(b, tops, tops_len, l->bins, stack);
	free(stack);
	if (!stack || !l->bins || !l->points || !l->gone)
		return FX_ENOMEM;
	for (size_t i = 0; i < l->len; i++) {
		memcpy(l->points[i].a, b->nodes[l->bins[i]].pos, sizeof l->points->a);
		memcpy(l->points[i].b, b->nodes[l->bins[i]].pos, sizeof l->points->b);
	}
	return fx_edgetree_build(&l->near, l->points, l->len);
}

int fx_diadem_side(struct fx_diadem *d, int side, struct fx_reroot *tree, int32_t root)
{
	const size_t first = d->bins.len;
	int32_t *tops = NULL;
	size_t len = 0;
	int rc = FX_OK;

	d->roots[side] = root < 0 ? -1 : (int32_t)first;
	if (root >= 0)
		rc = fx_bintree_add(&d->bins, tree, root, d->options.shared_forks, &tops, &len);
	if (rc == FX_OK)
		rc = binlist_make(&d->lists[side], &d->bins, first, tops, len);
	free(tops);
	return rc;
}

int fx_diadem_ready(struct fx_diadem *d)
{
	const size_t n = d->bins.len;

	d->match = fx_calloc(n, sizeof *d->match);
	d->weight = fx_calloc(n, sizeof *d->weight);
	d->seen = fx_calloc(n, sizeof *d->seen);
	d->reach_of = fx_calloc(n, sizeof *d->reach_of);
	d->reach = fx_calloc(n, sizeof *d->reach);
	if (!d->match || !d->weight || !d->seen || !d->reach_of || !d->reach)
		return FX_ENOMEM;
	for (size_t i = 0; i < n; i++)
		d->match[i] = -1;
	return FX_OK;
}

void fx_binlist_drop(struct fx_binlist *list, int32_t bin)
{
	for (size_t i = 0; i < list->len; i++)
		if (list->bins[i] == bin)
			list->gone[i] = true;
}

static bool is_near(const struct fx_diadem *d, const struct fx_bin *a, const struct fx_bin *b)
{
	return fx_bin_distance_xy(a->pos, b->pos) <= d->options.xy &&
	       fabs(a->pos[0] - b->pos[0]) <= d->options.z + z_slack;
}

/* A question to a list. */
struct asking {
	const struct fx_diadem *d;
	const struct fx_binlist *list;
	const struct fx_bin *of;
	bool free_only;
	struct fx_binids *out; /* places in the list */
};

static int near_found(uint32_t place, void *data)
{
	struct asking *a = data;
	const int32_t bin = a->list->bins[place];

	if (a->list->gone[place] || (a->free_only && a->d->match[bin] >= 0) ||
	    !is_near(a->d, a->of, &a->d->bins.nodes[bin]))
		return FX_OK;
	if (!fx_grow(&a->out->at, &a->out->cap, a->out->len + 1, sizeof *a->out->at))
		return FX_ENOMEM;
	a->out->at[a->out->len++] = (int32_t)place;
	return FX_OK;
}

static int place_compare(const void *a, const void *b)
{
	const int32_t *p = a, *q = b;

	return (*p > *q) - (*p < *q);
}

int fx_diadem_near(const struct fx_diadem *d, const struct fx_binlist *list, int32_t of,
		   bool free_only, struct fx_binids *out)
{
	struct asking a = { d, list, &d->bins.nodes[of], free_only, out };
	int rc;

	out->len = 0;
	rc = fx_edgetree_near(&list->near, a.of->pos, fmax(d->options.xy, d->options.z + z_slack),
			      near_found, &a);
	if (rc == FX_OK && out->len)
		qsort(out->at, out->len, sizeof *out->at, place_compare);
	for (size_t i = 0; rc == FX_OK && i < out->len; i++)
		out->at[i] = list->bins[out->at[i]];
	return rc;
}

static void reach_add(struct fx_reach *to, const struct fx_reach *r)
{
	to->path += r->path;
	to->xy += r->xy;
	to->z += r->z;
}

/* What a way in the test gains when it is made to begin where that of gold does. */
static void reach_shift(struct fx_reach *r, const double gold[3], const double leaves[3],
			const double test[3])
{
	r->xy += fx_bin_distance_xy(gold, leaves) - fx_bin_distance_xy(test, leaves);
	r->z += fabs(gold[0] - leaves[0]) - fabs(test[0] - leaves[0]);
}

/* True when two ways are equally long, within the errors. */
static bool reach_fits(const struct fx_diadem *d, const struct fx_reach *gold,
		       const struct fx_reach *test)
{
	double xy = fabs(gold->xy - test->xy), z = fabs(gold->z - test->z);

	if (!(gold->path > 0))
		return true;
	if (gold->xy < d->options.xy && test->xy < d->options.xy)
		xy = 0;
	if (gold->z < d->options.z && test->z < d->options.z)
		z = 0;
	return xy / gold->path < d->options.xy_error && z / gold->path < d->options.z_error;
}

/* Where the way down from `top` to `to` leaves it: by the next forks when the first is too near. */
static void leave_far(const struct fx_diadem *d, int32_t top, int32_t to, double out[3])
{
	const struct fx_bin *b = d->bins.nodes, *from = &b[top];
	bool xy = !isnan(out[2]), z = !isnan(out[0]);

	/* from below: what lies nearest to the top is written last */
	for (int32_t at = to; at != top; at = b[at].up) {
		const struct fx_bin *n = &b[at], *up = &b[n->up];
		const double *leaves = up->left == at ? up->to_left : up->to_right;
		const double near = fx_bin_distance_xy(from->pos, up->pos),
			     far = fx_bin_distance_xy(from->pos, n->pos);

		if (!xy && at == to) {
			out[1] = n->pos[1];
			out[2] = n->pos[2];
		}
		if (!z && at == to)
			out[0] = n->pos[0];
		if (n->up == top)
			break;
		if (!xy && !isnan(leaves[2])) {
			out[1] = leaves[1];
			out[2] = leaves[2];
		} else if (!xy && far > d->options.xy) {
			const double share = (d->options.xy - near) / (far - near);

			out[1] = up->pos[1] + share * (n->pos[1] - up->pos[1]);
			out[2] = up->pos[2] + share * (n->pos[2] - up->pos[2]);
		}
		if (!z && !isnan(leaves[0]))
			out[0] = leaves[0];
		else if (!z && fabs(from->pos[0] - n->pos[0]) > d->options.z)
			out[0] = from->pos[0] + copysign(d->options.z, n->pos[0] - from->pos[0]);
	}
}

/* Where the way from `top` leaves it: to the left or right, on to `to`. What had to be looked for
 * is kept for the next question, as PyNeval does. */
static const double *leaves(struct fx_diadem *d, int32_t top, bool left, int32_t to)
{
	struct fx_bin *const n = &d->bins.nodes[top];
	double *const out = left ? n->to_left : n->to_right;

	if (isnan(out[0]) || isnan(out[2]))
		leave_far(d, top, to, out);
	return out;
}

/* Tops hang at the left of the root. */
static bool is_left(const struct fx_diadem *d, int32_t node)
{
	const int32_t up = d->bins.nodes[node].up;

	return up < 0 || d->bins.nodes[up].right != node;
}

static bool any_seen(const struct fx_diadem *d, const struct fx_binids *ids)
{
	for (size_t i = 0; i < ids->len; i++)
		if (d->seen[ids->at[i]] == d->question)
			return true;
	return false;
}

/* Climbs one step in the tree whose way is shorter; false when there is none, or where what lies
 * near in the other tree was passed already. */
static int climb(struct fx_diadem *d, int32_t *at, struct fx_reach *reach, int other,
		 struct fx_binids *scratch, bool *more)
{
	const struct fx_bin *n = &d->bins.nodes[*at];
	int rc;

	*more = false;
	if (n->up < 0)
		return FX_OK;
	rc = fx_diadem_near(d, &d->lists[other], *at, false, scratch);
	*more = rc == FX_OK && !any_seen(d, scratch);
	d->seen[*at] = d->question;
	reach_add(reach, &n->length);
	*at = n->up;
	return rc;
}

int fx_diadem_ways_fit(struct fx_diadem *d, int32_t gold, int32_t test, bool *fit)
{
	const struct fx_bin *b = d->bins.nodes;
	struct fx_reach gold_way = b[gold].length, test_way = b[test].length;
	struct fx_binids scratch = { 0 };
	const int32_t target = gold;
	bool left = is_left(d, gold), more = true;
	int rc = FX_OK;

	*fit = false;
	d->question++;
	reach_shift(&test_way, b[gold].pos, b[gold].to_up, b[test].pos);
	gold = b[gold].up;
	test = b[test].up;
	while (rc == FX_OK && more && !is_near(d, &b[gold], &b[test])) {
		if (gold_way.path < test_way.path) {
			left = is_left(d, gold);
			rc = climb(d, &gold, &gold_way, FX_DIADEM_TEST, &scratch, &more);
		} else {
			rc = climb(d, &test, &test_way, FX_DIADEM_GOLD, &scratch, &more);
		}
	}
	if (rc == FX_OK && more) {
		reach_shift(&test_way, b[gold].pos, leaves(d, gold, left, target), b[test].pos);
		*fit = reach_fits(d, &gold_way, &test_way);
	}
	free(scratch.at);
	return rc;
}

/* Which candidates for `gold` a way up from `test`, which is near `below`, comes through and fits.
 */
static void confirm_up(struct fx_diadem *d, int32_t gold, int32_t below, bool left, int32_t test,
		       const struct fx_reach *gold_way, const struct fx_binids *candidates,
		       bool *confirmed)
{
	const struct fx_bin *b = d->bins.nodes;
	struct fx_reach way = { 0 };

	for (int32_t at = test; b[at].up >= 0; at = b[at].up) {
		reach_add(&way, &b[at].length);
		for (size_t i = 0; i < candidates->len; i++) {
			struct fx_reach whole = way;

			if (candidates->at[i] != b[at].up || confirmed[i])
				continue;
			reach_shift(&whole, b[gold].pos, leaves(d, gold, left, below),
				    b[b[at].up].pos);
			reach_shift(&whole, b[below].pos, b[below].to_up, b[test].pos);
			confirmed[i] = reach_fits(d, gold_way, &whole);
		}
	}
}

/* One node below gold: what of the test lies near it. */
static int confirm_below(struct fx_diadem *d, int32_t gold, int32_t below, bool left,
			 const struct fx_binids *candidates, bool *confirmed)
{
	struct fx_binids near = { 0 };
	int rc = fx_diadem_near(d, &d->lists[FX_DIADEM_TEST], below, true, &near);

	for (size_t i = 0; rc == FX_OK && i < near.len; i++)
		confirm_up(d, gold, below, left, near.at[i], &d->reach[below], candidates,
			   confirmed);
	free(near.at);
	return rc;
}

/* Goes down from gold, generation by generation, until a candidate is confirmed. */
static int confirm_down(struct fx_diadem *d, int32_t gold, const struct fx_binids *candidates,
			bool *confirmed, int32_t *queue, bool *side)
{
	const struct fx_bin *b = d->bins.nodes;
	size_t from = 0, to = 0, generation;
	bool any = false;
	int rc = FX_OK;

	memset(&d->reach[gold], 0, sizeof d->reach[gold]);
	queue[to] = b[gold].left;
	side[to++] = true;
	queue[to] = b[gold].right;
	side[to++] = false;
	while (rc == FX_OK && from < to && !any) {
		for (generation = to; rc == FX_OK && from < generation; from++) {
			const int32_t at = queue[from];

			d->reach[at] = d->reach[b[at].up];
			reach_add(&d->reach[at], &b[at].length);
			rc = confirm_below(d, gold, at, side[from], candidates, confirmed);
			if (b[at].left >= 0) {
				queue[to] = b[at].left;
				side[to++] = side[from];
				queue[to] = b[at].right;
				side[to++] = side[from];
			}
		}
		for (size_t i = 0; i < candidates->len; i++)
			any = any || confirmed[i];
	}
	return rc;
}

int fx_diadem_confirm(struct fx_diadem *d, int32_t gold, struct fx_binids *candidates)
{
	bool *confirmed = fx_calloc(candidates->len, sizeof *confirmed);
	int32_t *queue = fx_calloc(d->bins.len + 2, sizeof *queue);
	bool *side = fx_calloc(d->bins.len + 2, sizeof *side);
	size_t kept = 0;
	int rc = confirmed && queue && side ? FX_OK : FX_ENOMEM;

	if (rc == FX_OK && d->bins.nodes[gold].left >= 0)
		rc = confirm_down(d, gold, candidates, confirmed, queue, side);
	for (size_t i = 0; rc == FX_OK && i < candidates->len; i++)
		if (confirmed[i])
			candidates->at[kept++] = candidates->at[i];
	if (kept)
		candidates->len = kept;
	free(confirmed);
	free(queue);
	free(side);
	return rc;
}

/* A way through a fork, from an ancestor down. */
struct passage {
	int32_t ancestor, partner; /* and its match in the other tree */
	bool left;		   /* side of the ancestor */
	const struct fx_binlist *list;
};

/* Length of the way from `test` up to the partner; false when it does not come through it. */
static bool way_up(const struct fx_diadem *d, int32_t test, int32_t partner, struct fx_reach *way)
{
	const struct fx_bin *b = d->bins.nodes;

	memset(way, 0, sizeof *way);
	for (; test != partner && b[test].up >= 0; test = b[test].up)
		reach_add(way, &b[test].length);
	return test == partner;
}

/* The node of the other tree that stands for `node` on a way that fits, or -1. */
static int passage_try(struct fx_diadem *d, const struct passage *p, int32_t node,
		       struct fx_binids *near, int32_t *found)
{
	const struct fx_bin *b = d->bins.nodes;
	int rc = FX_OK;

	near->len = 0;
	if (d->match[node] < 0)
		rc = fx_diadem_near(d, p->list, node, false, near);
	else if (fx_grow(&near->at, &near->cap, 1, sizeof *near->at))
		near->at[near->len++] = d->match[node];
	else
		rc = FX_ENOMEM;
	for (size_t i = 0; rc == FX_OK && i < near->len && *found < 0; i++) {
		struct fx_reach way;

		if (near->at[i] == p->partner || !way_up(d, near->at[i], p->partner, &way))
			continue;
		reach_shift(&way, b[p->ancestor].pos, leaves(d, p->ancestor, p->left, node),
			    b[p->partner].pos);
		reach_shift(&way, b[node].pos, b[node].to_up, b[near->at[i]].pos);
		if (reach_fits(d, &d->reach[node], &way))
			*found = near->at[i];
	}
	return rc;
}

/* The first of `top` and all behind it, up to nodes with a match, that is in the other tree too. */
static int passage_down(struct fx_diadem *d, const struct passage *p, int32_t top, int32_t *found)
{
	const struct fx_bin *b = d->bins.nodes;
	int32_t *stack = fx_calloc(d->bins.len + 1, sizeof *stack);
	struct fx_binids near = { 0 };
	size_t depth = 0;
	int rc = stack ? FX_OK : FX_ENOMEM;

	*found = -1;
	if (stack)
		stack[depth++] = top;
	while (rc == FX_OK && depth && *found < 0) {
		const int32_t at = stack[--depth];

		d->reach[at] = d->reach[b[at].up];
		reach_add(&d->reach[at], &b[at].length);
		rc = passage_try(d, p, at, &near, found);
		if (b[at].left >= 0 && d->match[at] < 0) {
			stack[depth++] = b[at].left;
			stack[depth++] = b[at].right;
		}
	}
	free(near.at);
	free(stack);
	return rc;
}

/* Where the ways down from the partner to a and b part; -1 when one is not below it. */
static int32_t parting(const struct fx_diadem *d, int32_t a, int32_t b, int32_t partner)
{
	const struct fx_bin *n = d->bins.nodes;

	for (; b != partner && b >= 0; b = n[b].up)
		for (int32_t up = n[a].up; up != partner && up >= 0; up = n[up].up)
			if (up == b)
				return b;
	return -1;
}

static bool is_about(const struct fx_diadem *d, int32_t a, int32_t b)
{
	const struct fx_bin *n = d->bins.nodes;

	return fx_bin_distance_xy(n[a].pos, n[b].pos) <= 3 * d->options.xy &&
	       fabs(n[a].pos[0] - n[b].pos[0]) < 3 * d->options.z + z_slack;
}

int fx_diadem_goes_on(struct fx_diadem *d, int32_t node, const struct fx_binlist *list,
		      bool *goes_on, int32_t *place)
{
	const struct fx_bin *b = d->bins.nodes;
	struct passage p = { .ancestor = b[node].up, .left = is_left(d, node), .list = list };
	int32_t left, right, common;
	int rc;

	*goes_on = false;
	*place = -1;
	if (b[node].left < 0)
		return FX_OK;
	d->reach[node] = b[node].length;
	while (p.ancestor >= 0 && d->match[p.ancestor] < 0) {
		reach_add(&d->reach[node], &b[p.ancestor].length);
		p.left = is_left(d, p.ancestor);
		p.ancestor = b[p.ancestor].up;
	}
	if (p.ancestor < 0)
		return FX_OK;
	p.partner = d->match[p.ancestor];
	rc = passage_down(d, &p, b[node].left, &left);
	if (rc == FX_OK)
		rc = passage_down(d, &p, b[node].right, &right);
	if (rc < 0)
		return rc;
	*goes_on = left >= 0 || right >= 0;
	common = left >= 0 && right >= 0 ? parting(d, left, right, p.partner) : -1;
	if (common >= 0 && is_about(d, common, node))
		*place = common;
	return FX_OK;
}
