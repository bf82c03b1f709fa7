// SPDX-License-Identifier: Apache-2.0
/* pyneval_critical.c: ends and forks by the rules of PyNeval. */
#include "kernels/pyneval.h"

#include <fornix/error.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "kernels/assign.h"
#include "kernels/compensated.h"
#include "kernels/edgetree.h"
#include "kernels/treewalk.h"
#include "kernels/unionfind.h"

enum { PAIRS_MAX = 1 << 18 };

/* A test and a gold node that are near each other. */
struct near {
	uint64_t group;
	size_t test, gold;
	double distance;
};

struct critical {
	struct fx_edge *nodes[2]; /* owned: test, gold, as edges without length */
	size_t len[2];
	struct near *pairs; /* owned */
	size_t pairs_len, pairs_cap;
	double limit;
	size_t asking; /* the test node whose neighbours are looked for */
	size_t matched;
	struct fx_sum total;
};

static int critical_nodes(const struct fx_tree *t, struct fx_edge **out, size_t *len)
{
	struct fx_treewalk w = { 0 };
	int rc = fx_treewalk_open(&w, t);
	struct fx_edge *e = rc == FX_OK ? fx_calloc(t->len, sizeof *e) : NULL;
	size_t n = 0;

	for (size_t i = 0; e && i < t->len; i++) {
		const size_t children = fx_treewalk_children(&w, i);
		const size_t through = t->nodes[i].parent < 0 ? 2 : 1;

		/* what has exactly one way in and one way out is not critical */
		if (children == through)
			continue;
		memcpy(e[n].a, t->nodes[i].pos_nm, sizeof e[n].a);
		memcpy(e[n++].b, t->nodes[i].pos_nm, sizeof e[n].b);
	}
	fx_treewalk_fini(&w);
	if (rc == FX_OK && !e)
		rc = FX_ENOMEM;
	*out = e;
	*len = n;
	return rc;
}

static int critical_found(uint32_t gold, void *data)
{
	struct critical *c = data;
	const double d = sqrt(fx_point_distance2(c->nodes[0][c->asking].a, c->nodes[1][gold].a));

	if (d > c->limit)
		return FX_OK;
	if (c->pairs_len >= PAIRS_MAX)
		return FX_EINVAL;
	if (!fx_grow(&c->pairs, &c->pairs_cap, c->pairs_len + 1, sizeof *c->pairs))
		return FX_ENOMEM;
	c->pairs[c->pairs_len++] = (struct near){ 0, c->asking, gold, d };
	return FX_OK;
}

static int critical_pairs(struct critical *c)
{
	struct fx_edgetree gold = { 0 };
	int rc = fx_edgetree_build(&gold, c->nodes[1], c->len[1]);

	for (c->asking = 0; rc == FX_OK && c->asking < c->len[0]; c->asking++)
		rc = fx_edgetree_near(&gold, c->nodes[0][c->asking].a, c->limit, critical_found, c);
	fx_edgetree_fini(&gold);
	return rc;
}

static int near_compare(const void *a, const void *b)
{
	const struct near *p = a, *q = b;

	if (p->group != q->group)
		return p->group > q->group ? 1 : -1;
	if (p->test != q->test)
		return p->test > q->test ? 1 : -1;
	return (p->gold > q->gold) - (p->gold < q->gold);
}

/* Pairs that share nodes, over any number of steps, become neighbours in the list. */
static int critical_group(struct critical *c)
{
	struct fx_unionfind sets = { 0 };
	int rc = FX_OK;

	for (size_t i = 0; rc == FX_OK && i < c->pairs_len; i++)
		rc = fx_unionfind_join(&sets, c->pairs[i].test, c->len[0] + c->pairs[i].gold);
	for (size_t i = 0; rc == FX_OK && i < c->pairs_len; i++)
		c->pairs[i].group = fx_unionfind_find(&sets, c->pairs[i].test);
	fx_unionfind_fini(&sets);
	if (rc == FX_OK && c->pairs_len)
		qsort(c->pairs, c->pairs_len, sizeof *c->pairs, near_compare);
	return rc;
}

/* Numbers the test or gold nodes of pairs from 0, in ascending order; gives how many. */
static size_t number_nodes(const struct near *pairs, size_t len, int gold, size_t *numbers,
			   size_t *keys)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const size_t key = gold ? pairs[i].gold : pairs[i].test;
		size_t at = 0;

		while (at < n && keys[at] != key)
			at++;
		if (at == n)
			keys[n++] = key;
		numbers[i] = at;
	}
	return n;
}

/* Matches the nodes of a group; the costs of what is not near are above those of all pairs. */
static int critical_solve(struct critical *c, const struct near *pairs, size_t len, size_t *work)
{
	size_t *row = work, *column = work + len, *chosen = work + 2 * len, size;
	const size_t tests = number_nodes(pairs, len, 0, row, chosen);
	const size_t golds = number_nodes(pairs, len, 1, column, chosen);
	const size_t rows = tests < golds ? tests : golds, columns = tests < golds ? golds : tests;
	const double never = (c->limit + 1) * (double)(rows + 1);
	double *costs = fx_mul_size(rows, columns, &size) ? fx_calloc(size, sizeof *costs) : NULL;
	int rc = costs ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; costs && i < rows * columns; i++)
		costs[i] = never;
	for (size_t i = 0; costs && i < len; i++)
		costs[tests < golds ? row[i] * columns + column[i] : column[i] * columns + row[i]] =
			pairs[i].distance;
	if (rc == FX_OK)
		rc = fx_assign(costs, rows, columns, chosen);
	for (size_t i = 0; rc == FX_OK && i < rows; i++) {
		const double cost = costs[i * columns + chosen[i]];

		if (cost < never) {
			c->matched++;
			fx_sum_add(&c->total, cost);
		}
	}
	free(costs);
	return rc;
}

static int critical_match(struct critical *c)
{
	size_t *work = fx_calloc(3 * c->pairs_len, sizeof *work);
	int rc = work ? critical_group(c) : FX_ENOMEM;

	for (size_t i = 0, end; rc == FX_OK && i < c->pairs_len; i = end) {
		for (end = i; end < c->pairs_len && c->pairs[end].group == c->pairs[i].group;)
			end++;
		rc = critical_solve(c, c->pairs + i, end - i, work);
	}
	free(work);
	return rc;
}

int fx_pyneval_critical(const struct fx_tree *test, const struct fx_tree *gold, double distance,
			struct fx_pyneval_critical *out)
{
	struct critical c = { .limit = distance };
	int rc = critical_nodes(test, &c.nodes[0], &c.len[0]);

	memset(out, 0, sizeof *out);
	if (rc == FX_OK)
		rc = critical_nodes(gold, &c.nodes[1], &c.len[1]);
	if (rc == FX_OK)
		rc = critical_pairs(&c);
	if (rc == FX_OK)
		rc = critical_match(&c);
	if (rc == FX_OK) {
		out->test = c.len[0];
		out->gold = c.len[1];
		out->matched = c.matched;
		out->recall = out->gold ? (double)c.matched / (double)out->gold : 0;
		out->precision = out->test ? (double)c.matched / (double)out->test : 0;
		out->total = fx_sum_value(&c.total);
		out->mean = c.matched ? out->total / (double)c.matched : 0;
	}
	free(c.nodes[0]);
	free(c.nodes[1]);
	free(c.pairs);
	return rc;
}
