// SPDX-License-Identifier: Apache-2.0
/* pyneval_ssd.c: substantial spatial distance by the rules of PyNeval. */
#include "kernels/pyneval.h"

#include <fornix/error.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/compensated.h"
#include "kernels/edgetree.h"
#include "kernels/treewalk.h"

enum { POINTS_MAX = 1 << 26 };

/* Points of an up-sampled tree, as edges without length. */
struct points {
	struct fx_edge *at; /* owned */
	size_t len, cap;
};

static int points_add(struct points *p, const double pos[3])
{
	if (p->len >= POINTS_MAX)
		return FX_EINVAL;
	if (!fx_grow(&p->at, &p->cap, p->len + 1, sizeof *p->at))
		return FX_ENOMEM;
	memcpy(p->at[p->len].a, pos, sizeof p->at->a);
	memcpy(p->at[p->len++].b, pos, sizeof p->at->b);
	return FX_OK;
}

/* The points that cut an edge into as many equal pieces as have the length at least. */
static int points_between(struct points *p, const double a[3], const double b[3], double piece)
{
	const double pieces = floor(sqrt(fx_point_distance2(a, b)) / piece);
	int rc = pieces < POINTS_MAX ? FX_OK : FX_EINVAL;

	for (double i = 1; rc == FX_OK && i < pieces; i++) {
		double pos[3];

		for (int k = 0; k < 3; k++)
			pos[k] = a[k] + (b[k] - a[k]) * (i / pieces);
		rc = points_add(p, pos);
	}
	return rc;
}

static int points_of(struct points *p, const struct fx_tree *t, double up_sample)
{
	int rc = t->len ? FX_OK : FX_EINVAL;

	for (size_t i = 0; rc == FX_OK && i < t->len; i++) {
		const struct fx_tree_node *n = &t->nodes[i];

		rc = points_add(p, n->pos_nm);
		if (rc == FX_OK && n->parent >= 0)
			rc = points_between(p, n->pos_nm, t->nodes[n->parent].pos_nm, up_sample);
	}
	return rc;
}

/* Mean distance of the points that are far from the other tree's; *count of them. */
static double far_mean(const struct points *from, const struct fx_edgetree *to, double threshold,
		       size_t *count)
{
	struct fx_sum sum = { 0 };

	*count = 0;
	for (size_t i = 0; i < from->len; i++) {
		const double d = sqrt(fx_edgetree_nearest(to, from->at[i].a, NULL));

		if (d >= threshold) {
			fx_sum_add(&sum, d);
			++*count;
		}
	}
	return *count ? fx_sum_value(&sum) / (double)*count : 0;
}

static int ssd_check(const struct fx_tree *t)
{
	struct fx_treewalk w = { 0 };
	const int rc = fx_treewalk_open(&w, t);

	fx_treewalk_fini(&w);
	return rc;
}

int fx_pyneval_ssd(const struct fx_tree *test, const struct fx_tree *gold, double threshold,
		   double up_sample, struct fx_pyneval_ssd *out)
{
	struct points p[2] = { 0 };
	struct fx_edgetree trees[2] = { 0 };
	size_t far[2];
	int rc = up_sample > 0 ? ssd_check(test) : FX_EINVAL;

	memset(out, 0, sizeof *out);
	if (rc == FX_OK)
		rc = ssd_check(gold);
	for (int i = 0; rc == FX_OK && i < 2; i++) {
		rc = points_of(&p[i], i ? gold : test, up_sample);
		if (rc == FX_OK)
			rc = fx_edgetree_build(&trees[i], p[i].at, p[i].len);
	}
	if (rc == FX_OK) {
		out->score = (far_mean(&p[0], &trees[1], threshold, &far[0]) +
			      far_mean(&p[1], &trees[0], threshold, &far[1])) /
			     2;
		out->test = p[0].len;
		out->gold = p[1].len;
		out->precision = 1 - (double)far[0] / (double)out->test;
		out->recall = 1 - (double)far[1] / (double)out->gold;
	}
	for (int i = 0; i < 2; i++) {
		free(p[i].at);
		fx_edgetree_fini(&trees[i]);
	}
	return rc;
}
