// SPDX-License-Identifier: Apache-2.0
/* treescores.c: scores of a tracing as the fields of a record. */
#include "kernels/treescores.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernels/diadem.h"
#include "kernels/morphometry.h"
#include "kernels/pyneval.h"
#include "kernels/scores.h"
#include "kernels/treedist.h"

enum { SHOLL_DIGITS = 11 };

#define ADD(r, group, fields)                                                                      \
	fx_scores_add_named(r, group, fields, sizeof(fields) / sizeof *(fields))

static double f1(double recall, double precision)
{
	return recall + precision > 0 ? 2 * recall * precision / (recall + precision) : 0;
}

static int add_share(struct fx_record *r, const char *group, double recall, double precision)
{
	const struct fx_named fields[] = {
		{ "recall", recall },
		{ "precision", precision },
		{ "f1", f1(recall, precision) },
	};

	return ADD(r, group, fields);
}

static int add_distances(struct fx_record *r, const struct fx_tree *test,
			 const struct fx_tree *truth, double far)
{
	struct fx_treedist d;
	const int rc = fx_treedist_compute(test, truth, far, &d);
	const struct fx_named fields[] = {
		{ "esa", d.esa }, { "esa_12", d.esa12 }, { "esa_21", d.esa21 }, { "dsa", d.dsa },
		{ "pds", d.pds }, { "pds_12", d.pds12 }, { "pds_21", d.pds21 }, { "max", d.max },
	};

	return rc < 0 ? rc : ADD(r, "distance", fields);
}

static int add_cover(struct fx_record *r, const struct fx_tree *test, const struct fx_tree *truth,
		     double tolerance)
{
	struct fx_treecover c;
	int rc = fx_treecover_compute(test, truth, tolerance, &c);

	if (rc == FX_OK)
		rc = add_share(r, "nodes", c.nodes[1], c.nodes[0]);
	return rc == FX_OK ? add_share(r, "length", c.length[1], c.length[0]) : rc;
}

static int add_critical(struct fx_record *r, const struct fx_tree *test,
			const struct fx_tree *truth, double tolerance)
{
	struct fx_pyneval_critical c;
	int rc = fx_pyneval_critical(test, truth, tolerance, &c);
	const struct fx_named fields[] = {
		{ "test", (double)c.test },
		{ "truth", (double)c.gold },
		{ "matched", (double)c.matched },
		{ "mean", c.mean },
	};

	if (rc == FX_OK)
		rc = add_share(r, "critical", c.recall, c.precision);
	return rc == FX_OK ? ADD(r, "critical", fields) : rc;
}

static int add_diadem(struct fx_record *r, const struct fx_tree *test, const struct fx_tree *truth)
{
	struct fx_diadem_options options = FX_DIADEM_DEFAULT;
	struct fx_diadem_score s = { 0 };
	struct fx_pyneval_critical dense;
	/* where thousands are near each other it would take for ever */
	const int few = fx_pyneval_critical(test, truth, options.xy, &dense);
	int rc = few < 0 ? few : fx_diadem_compute(test, truth, &options, &s);
	const struct fx_named fields[] = {
		{ "score", s.score },
		{ "weight", s.weight },
		{ "matched", s.matched },
		{ "missed", (double)s.missed },
		{ "continuations", (double)s.continuations },
		{ "distant", (double)s.distant },
		{ "excess", s.excess },
	};

	if (rc == FX_OK)
		rc = ADD(r, "diadem", fields);
	options.shared_forks = true;
	if (rc == FX_OK)
		rc = fx_diadem_compute(test, truth, &options, &s);
	return rc == FX_OK ? fx_record_add_number(r, "pyneval.diadem.score", s.score) : rc;
}

static int add_pyneval(struct fx_record *r, const struct fx_tree *test, const struct fx_tree *truth)
{
	struct fx_pyneval_ssd ssd;
	struct fx_pyneval_length length;
	int rc = fx_pyneval_ssd(test, truth, 2, 2, &ssd);

	if (rc == FX_OK)
		rc = fx_record_add_number(r, "pyneval.ssd.score", ssd.score);
	if (rc == FX_OK)
		rc = add_share(r, "pyneval.ssd", ssd.recall, ssd.precision);
	if (rc == FX_OK)
		rc = fx_pyneval_length(test, truth, 2, 0.2, &length);
	return rc == FX_OK ? add_share(r, "pyneval.length", length.recall, length.precision) : rc;
}

int fx_treescores_add(struct fx_record *r, const struct fx_tree *test, const struct fx_tree *truth,
		      const struct fx_treescore_options *options, struct fx_error *err)
{
	int rc = add_distances(r, test, truth, options->far);

	if (rc == FX_OK)
		rc = add_cover(r, test, truth, options->tolerance);
	if (rc == FX_OK)
		rc = add_critical(r, test, truth, options->tolerance);
	if (rc == FX_OK)
		rc = add_diadem(r, test, truth);
	if (rc == FX_OK)
		rc = add_pyneval(r, test, truth);
	if (rc == FX_EINVAL)
		return fx_error_set(
			err, rc,
			"trees of %zu and %zu nodes cannot be compared: positions must "
			"be finite, edges not longer than 2^24, forks of at most 1024 "
			"branches, and not more than 2^18 pairs of forks and ends within "
			"the limits: is the unit right?",
			test->len, truth->len);
	return rc < 0 ? fx_error_set(err, rc, "no memory to compare trees of %zu and %zu nodes",
				     test->len, truth->len) :
			FX_OK;
}

static int add_sholl(struct fx_record *r, const char *prefix, const struct fx_morphometry *m)
{
	char *text = malloc(m->sholl_len * SHOLL_DIGITS + 1), name[64];
	size_t used = 0;
	int rc;

	if (!text)
		return FX_ENOMEM;
	text[0] = 0;
	for (size_t i = 0; i < m->sholl_len; i++)
		used += (size_t)snprintf(text + used, SHOLL_DIGITS + 1, i ? " %u" : "%u",
					 m->sholl[i]);
	snprintf(name, sizeof name, "%s.sholl", prefix);
	rc = fx_record_add_text(r, name, text);
	free(text);
	return rc;
}

static int add_shape(struct fx_record *r, const char *prefix, const struct fx_morphometry *m)
{
	const struct fx_named fields[] = {
		{ "nodes", (double)m->nodes },
		{ "trees", (double)m->trees },
		{ "stems", (double)m->stems },
		{ "forks", (double)m->forks },
		{ "tips", (double)m->tips },
		{ "branches", (double)m->branches },
		{ "length", m->length },
		{ "span_z", m->span[0] },
		{ "span_y", m->span[1] },
		{ "span_x", m->span[2] },
		{ "path_max", m->path_max },
		{ "distance_max", m->far_max },
		{ "tortuosity", m->tortuosity },
		{ "contraction", m->contraction },
		{ "radius_mean", m->radius_mean },
		{ "surface", m->surface },
		{ "volume", m->volume },
		{ "branch_order", (double)m->order_max },
		{ "strahler", (double)m->strahler },
		{ "sholl_step", m->sholl_step },
		{ "sholl_max", (double)m->sholl_max },
		{ "sholl_radius", m->sholl_radius },
	};

	return ADD(r, prefix, fields);
}

int fx_treescores_add_shape(struct fx_record *r, const char *prefix, const struct fx_tree *t,
			    double sholl_step, struct fx_error *err)
{
	struct fx_morphometry m;
	int rc = fx_morphometry_measure(t, sholl_step, &m);

	if (rc == FX_EINVAL)
		return fx_error_set(err, rc,
				    "a tree of %zu nodes cannot be measured: positions must be "
				    "finite, and spheres not more than 2^20",
				    t->len);
	if (rc == FX_OK) {
		rc = add_shape(r, prefix, &m);
		if (rc == FX_OK)
			rc = add_sholl(r, prefix, &m);
		fx_morphometry_fini(&m);
	}
	return rc < 0 ? fx_error_set(err, rc, "no memory to measure a tree of %zu nodes", t->len) :
			FX_OK;
}
