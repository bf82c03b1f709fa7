// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/agglomerate.c against merging that scans all edges at every step. */
#include "support/test.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/error.h>

#include "kernels/agglomerate.h"

enum { NODES = 24 };

/* A dense copy of a graph. */
struct plain {
	bool gone[NODES + 1];
	uint32_t root[NODES + 1], size[NODES + 1];
	uint32_t hist[NODES + 1][NODES + 1][FX_RAG_BINS];
};

static double faces_of(const uint32_t *hist)
{
	double faces = 0;

	for (int i = 0; i < FX_RAG_BINS; i++)
		faces += hist[i];
	return faces;
}

static struct fx_rag random_rag(uint64_t seed, unsigned edge_of_100)
{
	struct fx_rag rag = { .nodes = NODES };

	rag.size = calloc(NODES + 1, sizeof *rag.size);
	rag.edges = calloc(NODES * NODES, sizeof *rag.edges);
	rag.hist = calloc(NODES * NODES, sizeof *rag.hist);
	assert_non_null(rag.size);
	assert_non_null(rag.edges);
	assert_non_null(rag.hist);
	for (uint32_t a = 1; a <= NODES; a++) {
		rag.size[a] = (uint32_t)(1 + test_random(&seed) % 90);
		for (uint32_t b = a + 1; b <= NODES; b++) {
			size_t i = rag.edges_len;

			if (test_random(&seed) % 100 >= edge_of_100)
				continue;
			rag.edges[rag.edges_len++] = (struct fx_rag_edge){ a, b };
			for (int k = 0; k < 5; k++)
				rag.hist[i][test_random(&seed) % FX_RAG_BINS] +=
					(uint32_t)(1 + test_random(&seed) % 97);
		}
	}
	return rag;
}

static struct plain *plain_copy(const struct fx_rag *rag)
{
	struct plain *p = calloc(1, sizeof *p);

	assert_non_null(p);
	memcpy(p->size, rag->size, sizeof p->size);
	for (uint32_t i = 0; i <= NODES; i++)
		p->root[i] = i;
	for (size_t i = 0; i < rag->edges_len; i++) {
		uint32_t a = rag->edges[i].a, b = rag->edges[i].b;

		memcpy(p->hist[a][b], rag->hist[i], sizeof p->hist[a][b]);
		memcpy(p->hist[b][a], rag->hist[i], sizeof p->hist[a][b]);
	}
	return p;
}

static bool plain_refused(const struct plain *p, uint32_t a, uint32_t b,
			  const struct fx_agglomerate_params *params)
{
	double smaller = fmin(p->size[a], p->size[b]);

	return params->large_voxels > 0 && smaller >= params->large_voxels &&
	       faces_of(p->hist[a][b]) < params->large_contact * pow(smaller, 2.0 / 3);
}

/* Merges the one best pair; false when there is none. */
static bool plain_step(struct plain *p, const struct fx_agglomerate_params *params, bool dust)
{
	double best = dust ? (double)INFINITY : params->threshold;
	uint32_t at_a = 0, at_b = 0;

	for (uint32_t a = 1; a <= NODES; a++)
		for (uint32_t b = a + 1; b <= NODES; b++) {
			double score = fx_contact_score(p->hist[a][b], params);

			if (p->gone[a] || p->gone[b] || !(faces_of(p->hist[a][b]) > 0) ||
			    score >= best)
				continue;
			if (dust ? p->size[a] >= params->dust_voxels &&
					    p->size[b] >= params->dust_voxels :
				   plain_refused(p, a, b, params))
				continue;
			best = score;
			at_a = a;
			at_b = b;
		}
	if (!at_a)
		return false;
	p->gone[at_b] = true;
	p->size[at_a] += p->size[at_b];
	for (uint32_t i = 1; i <= NODES; i++) {
		if (p->root[i] == at_b)
			p->root[i] = at_a;
		for (int k = 0; k < FX_RAG_BINS && i != at_a; k++) {
			p->hist[at_a][i][k] += p->hist[at_b][i][k];
			p->hist[i][at_a][k] = p->hist[at_a][i][k];
		}
	}
	return true;
}

static void assert_plain(uint64_t seed, unsigned edges, const struct fx_agglomerate_params *params)
{
	struct fx_rag rag = random_rag(seed, edges);
	struct plain *p = plain_copy(&rag);
	uint32_t root[NODES + 1], count = 0, seen = 0;

	while (plain_step(p, params, false))
		;
	while (params->dust_voxels > 0 && plain_step(p, params, true))
		;
	assert_int_equal(fx_agglomerate(root, &count, &rag, params), FX_OK);
	assert_int_equal(root[0], 0);
	for (uint32_t i = 1; i <= NODES; i++) {
		if (root[i] > seen)
			assert_int_equal(root[i], ++seen);
		for (uint32_t k = 1; k <= NODES; k++)
			assert_int_equal(root[i] == root[k], p->root[i] == p->root[k]);
	}
	assert_int_equal(count, seen);
	fx_rag_fini(&rag);
	free(p);
}

static void equals_plain_merging(void **unused)
{
	static const struct fx_agglomerate_params params[] = {
		{ .threshold = 0.3, .quantile = 0.25 },
		{ .threshold = 0.45, .quantile = -1 },
		{ .threshold = 0.5, .quantile = 0.2, .prior_faces = 20 },
		{ .threshold = 0.5, .quantile = -1, .prior_faces = 9 },
		{ .threshold = 0.1, .quantile = 0.5, .dust_voxels = 60 },
		{ .threshold = 0, .quantile = 0.5 },
		{ .threshold = 2, .quantile = 0.5 },
	};

	(void)unused;
	for (uint64_t seed = 1; seed <= 12; seed++)
		for (size_t i = 0; i < sizeof params / sizeof *params; i++)
			assert_plain(seed, seed % 2 ? 10 : 40, &params[i]);
}

/* Three labels in a row: 1 and 2 share @p faces faces of low evidence, 2 and 3 of high. */
static uint32_t merged_row(uint32_t faces, const struct fx_agglomerate_params *params)
{
	struct fx_rag rag = random_rag(1, 0);
	uint32_t root[NODES + 1], count = 0;

	rag.edges_len = 2;
	rag.edges[0] = (struct fx_rag_edge){ 1, 2 };
	rag.edges[1] = (struct fx_rag_edge){ 2, 3 };
	rag.hist[0][3] = faces;
	rag.hist[1][60] = 500;
	for (uint32_t i = 1; i <= 3; i++)
		rag.size[i] = 1000;
	assert_int_equal(fx_agglomerate(root, &count, &rag, params), FX_OK);
	assert_int_not_equal(root[2], root[3]);
	fx_rag_fini(&rag);
	return count;
}

/* The merges that are told make the same segments, each under the smallest label of both. */
static void merges_are_told(void **unused)
{
	static const struct fx_agglomerate_params p = { .threshold = 0.5, .quantile = -1 };

	(void)unused;
	for (uint64_t seed = 1; seed < 9; seed++) {
		struct fx_rag rag = random_rag(seed, 12), same = random_rag(seed, 12);
		uint32_t root[NODES + 1], want[NODES + 1], of[NODES + 1], size[NODES + 1], count, n;
		struct fx_agglomerate_log log = { 0 };

		for (uint32_t i = 1; i <= NODES; i++) {
			of[i] = i;
			size[i] = rag.size[i];
		}
		assert_int_equal(fx_agglomerate(want, &n, &same, &p), FX_OK);
		assert_int_equal(fx_agglomerate_logged(root, &count, &rag, &p, &log), FX_OK);
		assert_memory_equal(root, want, sizeof want);
		assert_int_equal(log.len, NODES - count);
		assert_true(log.len > 0);
		for (size_t k = 0; k < log.len; k++) {
			const struct fx_agglomerate_merge *m = &log.merges[k];

			assert_true(m->a < m->b && of[m->a] == m->a && of[m->b] == m->b);
			assert_true(m->score < 0.5 && m->faces > 0);
			assert_int_equal(m->a_voxels, size[m->a]);
			assert_int_equal(m->b_voxels, size[m->b]);
			size[m->a] += size[m->b];
			for (uint32_t i = 1; i <= NODES; i++)
				of[i] = of[i] == m->b ? m->a : of[i];
		}
		for (uint32_t i = 2; i <= NODES; i++)
			assert_int_equal(of[i] == of[i - 1], root[i] == root[i - 1]);
		free(log.merges);
		fx_rag_fini(&rag);
		fx_rag_fini(&same);
	}
}

/* Up to the first score of T or more, the merges of a higher threshold are those of T. */
static void a_higher_threshold_goes_on(void **unused)
{
	static const struct fx_agglomerate_params low = { .threshold = 0.45, .quantile = -1 },
						  high = { .threshold = 2, .quantile = -1 };

	(void)unused;
	for (uint64_t seed = 1; seed < 20; seed++) {
		struct fx_rag a = random_rag(seed, 12), b = random_rag(seed, 12);
		struct fx_agglomerate_log some = { 0 }, all = { 0 };
		uint32_t root[NODES + 1], count;

		assert_int_equal(fx_agglomerate_logged(root, &count, &a, &low, &some), FX_OK);
		assert_int_equal(fx_agglomerate_logged(root, &count, &b, &high, &all), FX_OK);
		assert_true(all.len > some.len);
		for (size_t i = 0; i < some.len; i++)
			assert_memory_equal(&some.merges[i], &all.merges[i], sizeof *all.merges);
		assert_true(all.merges[some.len].score >= 0.45);
		free(some.merges);
		free(all.merges);
		fx_rag_fini(&a);
		fx_rag_fini(&b);
	}
}

static void large_segments_need_a_large_contact(void **unused)
{
	const struct fx_agglomerate_params rule = {
		.threshold = 0.5, .quantile = 0.5, .large_voxels = 1000, .large_contact = 0.5
	};
	const struct fx_agglomerate_params larger = {
		.threshold = 0.5, .quantile = 0.5, .large_voxels = 1001, .large_contact = 0.5
	};

	(void)unused;
	assert_int_equal(merged_row(49, &rule), NODES);
	assert_int_equal(merged_row(51, &rule), NODES - 1);
	assert_int_equal(merged_row(49, &larger), NODES - 1);
}

static void scores_are_quantiles_or_the_mean(void **unused)
{
	struct fx_agglomerate_params p = { .quantile = 0.25 };
	uint32_t hist[FX_RAG_BINS] = { 0 };

	(void)unused;
	assert_true(fabs(fx_contact_score(hist, &p) - 1) < 1e-12);
	hist[16] = 10;
	hist[48] = 30;
	assert_true(fabs(fx_contact_score(hist, &p) - 17.0 / 64) < 1e-12);
	p.quantile = 0.5;
	assert_true(fabs(fx_contact_score(hist, &p) - (48 + 10.0 / 30) / 64) < 1e-12);
	p.quantile = -1;
	assert_true(fabs(fx_contact_score(hist, &p) - (165 + 1455) / 40.0 / 64) < 1e-12);
	p.prior_faces = 40;
	assert_true(fabs(fx_contact_score(hist, &p) - (1620.0 / 64 + 40) / 80) < 1e-12);
	p.quantile = 0.75;
	assert_true(fabs(fx_contact_score(hist, &p) - 1) < 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_plain_merging),
		cmocka_unit_test(merges_are_told),
		cmocka_unit_test(a_higher_threshold_goes_on),
		cmocka_unit_test(large_segments_need_a_large_contact),
		cmocka_unit_test(scores_are_quantiles_or_the_mean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
