// SPDX-License-Identifier: Apache-2.0
/* scores.c: scores as the fields of a record. */
#include "kernels/scores.h"

#include <fornix/error.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernels/objects.h"

int fx_scores_add_named(struct fx_record *r, const char *group, const struct fx_named *fields,
			size_t n)
{
	char name[64];
	int rc = FX_OK;

	for (size_t i = 0; rc == FX_OK && i < n; i++) {
		snprintf(name, sizeof name, "%s.%s", group, fields[i].name);
		rc = fx_record_add_number(r, name, fields[i].value);
	}
	return rc;
}

int fx_scores_add_rule(struct fx_record *r, enum fx_rule rule, const struct fx_seg_scores *s)
{
	const struct fx_named fields[] = {
		{ "voi_split", s->voi_split },
		{ "voi_merge", s->voi_merge },
		{ "voi", s->voi },
		{ "arand", s->arand },
		{ "arand_pairs", s->arand_pairs },
		{ "rand_split", s->rand_split },
		{ "rand_merge", s->rand_merge },
		{ "rand_f", s->rand_f },
		{ "rand_index", s->rand_index },
		{ "cremi", sqrt(s->voi * s->arand) },
		{ "voxels", (double)s->voxels },
	};

	return fx_scores_add_named(r, fx_rule_name(rule), fields, sizeof fields / sizeof *fields);
}

int fx_scores_add_rules(struct fx_record *r, const struct fx_contingency *pairs, unsigned *left_out)
{
	uint64_t bodies = 0;
	int rc = FX_OK;

	*left_out = 0;
	for (int i = 0; rc == FX_OK && i < FX_RULES; i++) {
		const enum fx_rule rule = (enum fx_rule)i;
		struct fx_seg_scores s;
		struct fx_objects o;

		rc = fx_metrics_scores(pairs, rule, &s, NULL);
		bodies = rule == FX_TRUTH_NONZERO ? s.truth_labels : bodies;
		if (rc == FX_EINVAL)
			++*left_out;
		if (rc == FX_OK)
			rc = fx_scores_add_rule(r, rule, &s);
		if (rc == FX_OK)
			rc = fx_objects_match(pairs, rule, &o);
		if (rc == FX_OK)
			rc = fx_objects_add(r, fx_rule_name(rule), &o);
		rc = rc == FX_EINVAL ? FX_OK : rc;
	}
	return rc == FX_OK ? fx_record_add_number(r, "truth_segments", (double)bodies) : rc;
}

static int scores_add_runs(struct fx_record *r, const struct fx_erl_scores *strict,
			   const struct fx_erl_scores *tolerant, uint64_t tolerance_nodes)
{
	const struct fx_named fields[] = {
		{ "strict_nm", strict->erl_nm },
		{ "tolerant_nm", tolerant->erl_nm },
		{ "tolerance_nodes", (double)tolerance_nodes },
		{ "ceiling_nm", tolerant->ceiling_nm },
		{ "normalised", tolerant->normalised },
		{ "correct", tolerant->correct },
		{ "omitted", tolerant->omitted },
		{ "split", tolerant->split },
		{ "merged", tolerant->merged },
		{ "edges", (double)tolerant->edges },
		{ "correct_edges", (double)tolerant->correct_edges },
		{ "omitted_edges", (double)tolerant->omitted_edges },
		{ "split_edges", (double)tolerant->split_edges },
		{ "merged_edges", (double)tolerant->merged_edges },
		{ "merging_segments", (double)tolerant->merging_segments },
		{ "trees", (double)tolerant->skeletons },
		{ "length_nm", tolerant->length_nm },
	};

	return fx_scores_add_named(r, "erl", fields, sizeof fields / sizeof *fields);
}

int fx_scores_add_erl(struct fx_record *r, const struct fx_erl_node *nodes, size_t len,
		      uint64_t tolerance_nodes, struct fx_error *err)
{
	struct fx_erl_scores strict, tolerant;
	int rc = fx_erl_compute(nodes, len, 1, &strict, err);

	if (rc == FX_OK)
		rc = fx_erl_compute(nodes, len, tolerance_nodes, &tolerant, err);
	if (rc < 0)
		return rc;
	rc = scores_add_runs(r, &strict, &tolerant, tolerance_nodes);
	return rc < 0 ? fx_error_set(err, rc, "no memory for the scores") : FX_OK;
}

static struct fx_record *neuron_record(const struct fx_erl_neuron *n)
{
	struct fx_record *r = fx_record_new("neuron");
	const struct fx_named fields[] = {
		{ "skeleton", (double)n->skeleton },
		{ "length_nm", n->length_nm },
		{ "run_nm", n->run_nm },
		{ "correct", n->correct },
		{ "omitted", n->omitted },
		{ "split", n->split },
		{ "merged", n->merged },
		{ "segments", (double)n->segments },
		{ "edges", (double)n->edges },
	};

	for (size_t i = 0; r && i < sizeof fields / sizeof *fields; i++)
		if (fx_record_add_number(r, fields[i].name, fields[i].value) < 0) {
			fx_record_free(r);
			return NULL;
		}
	return r;
}

int fx_scores_neurons(const struct fx_erl_node *nodes, size_t len, uint64_t tolerance_nodes,
		      int (*send)(struct fx_record *r, void *data), void *data,
		      struct fx_error *err)
{
	struct fx_erl_neuron *neurons;
	size_t n;
	int rc = fx_erl_neurons(nodes, len, tolerance_nodes, &neurons, &n, err);

	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == FX_OK && i < n; i++) {
		struct fx_record *r = neuron_record(&neurons[i]);

		rc = r ? send(r, data) : fx_error_set(err, FX_ENOMEM, "no memory for %zu runs", n);
	}
	free(neurons);
	return rc;
}

int fx_scores_add_sizes(struct fx_record *r, const struct fx_contingency *sizes)
{
	uint64_t voxels = 0, assigned = 0, segments = 0;
	int rc;

	for (size_t i = 0; i < sizes->cap; i++) {
		voxels += sizes->slots[i].count;
		if (sizes->slots[i].count && sizes->slots[i].seg) {
			assigned += sizes->slots[i].count;
			segments++;
		}
	}
	rc = fx_record_add_number(r, "voxels", (double)voxels);
	if (rc == FX_OK)
		rc = fx_record_add_number(r, "segments", (double)segments);
	if (rc == FX_OK)
		rc = fx_record_add_number(r, "assigned_fraction",
					  voxels ? (double)assigned / (double)voxels : 0);
	return rc;
}
