// SPDX-License-Identifier: Apache-2.0
/* diadem.c: the DIADEM score of a tracing. */
#include "kernels/diadem.h"

#include <fornix/error.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/diadem_ways.h"

enum { ROOT_NEAREST = 5 };

/* Nodes of the test near a node of gold, the nearest first. */
struct around {
	const struct fx_tree *test;
	double pos[3], radius;
	struct {
		double distance2;
		int32_t node;
	} at[ROOT_NEAREST];
	size_t len;
};

static int around_found(uint32_t node, void *data)
{
	struct around *a = data;
	const double d = fx_point_distance2(a->pos, a->test->nodes[node].pos_nm);
	size_t i = a->len;

	if (!(d < a->radius * a->radius))
		return FX_OK;
	for (; i && (d < a->at[i - 1].distance2 ||
		     (d == a->at[i - 1].distance2 && (int32_t)node < a->at[i - 1].node));
	     i--)
		if (i < ROOT_NEAREST)
			a->at[i] = a->at[i - 1];
	if (i < ROOT_NEAREST) {
		a->at[i].distance2 = d;
		a->at[i].node = (int32_t)node;
		a->len += a->len < ROOT_NEAREST;
	}
	return FX_OK;
}

/* Roots pairs of trees where they meet; partner[root of gold] = root of test, else -1. */
static int root_pairs(struct fx_reroot *gold, struct fx_reroot *test, int32_t *partner)
{
	struct fx_edge *points = fx_calloc(test->tree->len, sizeof *points);
	struct fx_edgetree near = { 0 };
	int rc = points ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; points && i < test->tree->len; i++) {
		memcpy(points[i].a, test->tree->nodes[i].pos_nm, sizeof points[i].a);
		memcpy(points[i].b, test->tree->nodes[i].pos_nm, sizeof points[i].b);
	}
	if (rc == FX_OK)
		rc = fx_edgetree_build(&near, points, test->tree->len);
	for (size_t i = 0; rc == FX_OK && i < gold->tree->len; i++) {
		const int32_t node = gold->order[i];
		struct around a = { .test = test->tree,
				    .radius = gold->tree->nodes[node].radius_nm / 2 };

		partner[node] = -1;
		if (gold->seen[node] || !(a.radius > 0))
			continue;
		memcpy(a.pos, gold->tree->nodes[node].pos_nm, sizeof a.pos);
		rc = fx_edgetree_near(&near, a.pos, a.radius, around_found, &a);
		for (size_t k = 0; k < a.len && partner[node] < 0; k++)
			if (!test->seen[a.at[k].node])
				partner[node] = a.at[k].node;
		if (partner[node] >= 0) {
			fx_reroot_at(gold, node);
			fx_reroot_at(test, partner[node]);
		}
	}
	fx_edgetree_fini(&near);
	free(points);
	return rc;
}

static void match(struct fx_diadem *d, int32_t a, int32_t b)
{
	d->match[a] = b;
	d->match[b] = a;
}

/* Weights of the forks and ends behind all tops: the number of ends. */
static void weigh(struct fx_diadem *d, const struct fx_binlist *gold)
{
	/* a list has parents before children */
	for (size_t i = gold->len; i--;) {
		const struct fx_bin *n = &d->bins.nodes[gold->bins[i]];

		d->weight[gold->bins[i]] =
			n->left < 0 ? 1 : d->weight[n->left] + d->weight[n->right];
	}
}

/* The nearest of some bins; ties: the first. */
static int32_t nearest(const struct fx_diadem *d, int32_t of, const int32_t *bins, size_t len)
{
	int32_t best = -1;
	double least = (double)INFINITY;

	for (size_t i = 0; i < len; i++) {
		const double r =
			fx_point_distance2(d->bins.nodes[of].pos, d->bins.nodes[bins[i]].pos);

		if (r < least) {
			least = r;
			best = bins[i];
		}
	}
	return best;
}

/* Finds the test's node for one of gold: *found, or -1. */
static int find_match(struct fx_diadem *d, int32_t gold, int32_t *found)
{
	struct fx_binids near = { 0 };
	size_t fit = 0;
	int rc = fx_diadem_near(d, &d->lists[FX_DIADEM_TEST], gold, true, &near);

	*found = -1;
	for (size_t i = 0; rc == FX_OK && i < near.len; i++) {
		bool fits;

		rc = fx_diadem_ways_fit(d, gold, near.at[i], &fits);
		if (fits)
			near.at[fit++] = near.at[i];
	}
	near.len = fit;
	if (rc == FX_OK && near.len > 1)
		rc = fx_diadem_confirm(d, gold, &near);
	if (rc == FX_OK)
		*found = nearest(d, gold, near.at, near.len);
	free(near.at);
	return rc;
}

/* All forks and ends of gold, then once more the forks that were missed. */
static int score_gold(struct fx_diadem *d, struct fx_diadem_score *out)
{
	const struct fx_binlist *gold = &d->lists[FX_DIADEM_GOLD];
	int rc = FX_OK;

	for (size_t i = 0; rc == FX_OK && i < gold->len; i++) {
		const int32_t g = gold->bins[i];
		int32_t found;

		out->weight += d->weight[g];
		rc = find_match(d, g, &found);
		if (rc < 0 || found < 0)
			continue;
		match(d, g, found);
		out->matched += d->weight[g];
	}
	for (size_t i = 0; rc == FX_OK && i < gold->len; i++) {
		const int32_t g = gold->bins[i];
		bool goes_on = false;
		int32_t place = -1;

		if (d->match[g] >= 0)
			continue;
		rc = fx_diadem_goes_on(d, g, &d->lists[FX_DIADEM_TEST], &goes_on, &place);
		if (place >= 0) {
			match(d, g, place);
			out->distant++;
		}
		out->continuations += goes_on;
		out->missed += !goes_on;
		if (goes_on)
			out->matched += d->weight[g];
	}
	return rc;
}

/* An end of the test that gold does not have; one of gold that is near can excuse one. */
static int excess_end(struct fx_diadem *d, int32_t t, bool *excess)
{
	struct fx_binlist *gold = &d->lists[FX_DIADEM_GOLD];
	struct fx_binids near = { 0 };
	int rc;

	*excess = false;
	if (d->match[t] >= 0 || d->match[d->bins.nodes[t].up] >= 0)
		return FX_OK;
	rc = fx_diadem_near(d, gold, t, true, &near);
	if (rc == FX_OK && near.len)
		fx_binlist_drop(gold, nearest(d, t, near.at, near.len));
	else
		*excess = rc == FX_OK;
	free(near.at);
	return rc;
}

static int excess_fork(struct fx_diadem *d, int32_t t, bool *excess)
{
	struct fx_binlist *gold = &d->lists[FX_DIADEM_GOLD];
	struct fx_binids near = { 0 };
	bool goes_on = false;
	int32_t place = -1;
	int rc;

	*excess = false;
	if (d->match[t] >= 0)
		return FX_OK;
	rc = fx_diadem_near(d, gold, t, true, &near);
	if (rc == FX_OK && !near.len)
		rc = fx_diadem_goes_on(d, t, gold, &goes_on, &place);
	if (place >= 0)
		match(d, t, place);
	*excess = rc == FX_OK && !near.len && !goes_on;
	free(near.at);
	return rc;
}

/* What the test has too much weighs as many as there are ends of that kind behind it. */
static int score_excess(struct fx_diadem *d, struct fx_diadem_score *out)
{
	const struct fx_binlist *test = &d->lists[FX_DIADEM_TEST];
	int rc = FX_OK;

	for (size_t i = test->len; rc == FX_OK && i--;) {
		const int32_t t = test->bins[i];
		const struct fx_bin *n = &d->bins.nodes[t];
		const double behind = n->left < 0 ? 1 : d->weight[n->left] + d->weight[n->right];
		bool excess;

		rc = n->left < 0 ? excess_end(d, t, &excess) : excess_fork(d, t, &excess);
		d->weight[t] = excess ? behind : 0;
		out->excess += d->weight[t];
	}
	return rc;
}

/* One tree of gold with its partner; without one all of it is missed. */
static int score_pair(struct fx_diadem *d, struct fx_reroot *gold, struct fx_reroot *test,
		      int32_t gold_root, int32_t test_root, struct fx_diadem_score *out)
{
	int rc = fx_diadem_side(d, FX_DIADEM_GOLD, gold, gold_root);

	if (rc == FX_OK)
		rc = fx_diadem_side(d, FX_DIADEM_TEST, test, test_root);
	if (rc == FX_OK)
		rc = fx_diadem_ready(d);
	if (rc < 0)
		return rc;
	if (test_root >= 0)
		match(d, d->roots[FX_DIADEM_GOLD], d->roots[FX_DIADEM_TEST]);
	weigh(d, &d->lists[FX_DIADEM_GOLD]);
	rc = score_gold(d, out);
	if (rc == FX_OK)
		rc = score_excess(d, out);
	fx_diadem_close(d);
	return rc;
}

static int score_all(struct fx_reroot *gold, struct fx_reroot *test, const int32_t *partner,
		     const struct fx_diadem_options *options, struct fx_diadem_score *out)
{
	struct fx_diadem d = { .options = *options };
	int rc = FX_OK;

	for (size_t i = 0; rc == FX_OK && i < gold->tree->len; i++) {
		const int32_t node = gold->order[i];

		if (gold->up[node] < 0)
			rc = score_pair(&d, gold, test, node, partner[node], out);
	}
	fx_diadem_close(&d);
	out->weight += out->excess;
	if (out->weight > 0)
		out->score = out->matched / out->weight;
	return rc;
}

int fx_diadem_compute(const struct fx_tree *test, const struct fx_tree *gold,
		      const struct fx_diadem_options *options, struct fx_diadem_score *out)
{
	struct fx_reroot trees[2] = { 0 };
	int32_t *partner = fx_calloc(gold->len, sizeof *partner);
	int rc = partner ? fx_reroot_open(&trees[0], gold) : FX_ENOMEM;

	memset(out, 0, sizeof *out);
	if (rc == FX_OK)
		rc = fx_reroot_open(&trees[1], test);
	if (rc == FX_OK)
		rc = root_pairs(&trees[0], &trees[1], partner);
	if (rc == FX_OK)
		rc = score_all(&trees[0], &trees[1], partner, options, out);
	fx_reroot_fini(&trees[0]);
	fx_reroot_fini(&trees[1]);
	free(partner);
	return rc;
}
