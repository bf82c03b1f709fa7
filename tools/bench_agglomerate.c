// SPDX-License-Identifier: Apache-2.0
/* bench_agglomerate.c: fornix bench agglomerate: the graph of touching labels and its first merge,
 * on one core, in turn with what a textbook has in plain C. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bench.h"
#include "cmd.h"
#include "kernels/agglomerate.h"
#include "kernels/boundary.h"
#include "kernels/fragments.h"
#include "kernels/ragstream.h"

enum { DEPTH = 64, SIDE = 256, LEN = DEPTH * SIDE * SIDE, ROUNDS = 5, SLOTS = 1 << 18 };

static const double THRESHOLD = 0.4;

/* What a plain program knows of two labels that touch. */
struct plain_edge {
	uint64_t pair, faces, sum;
};

/* Fragments of a phantom (cells of its body and of what lies between), and their boundary. */
struct agglomerate_bench {
	struct fx_block *labels, *boundary;
	uint32_t fragments;
	struct plain_edge *edges; /* a hash map */
	uint32_t *parent;
	uint32_t merged[2]; /* segments by either way */
};

static void bench_free(struct agglomerate_bench *b)
{
	fx_block_free(b->labels);
	fx_block_free(b->boundary);
	free(b->edges);
	free(b->parent);
}

/* Evidence of a boundary in the image of a phantom, as segmenter/watershed finds it. */
static bool bench_boundary(struct agglomerate_bench *b, struct fx_error *err)
{
	const struct fx_boundary_params ridge = { 1.4, 0, 0.7, 0.15, 4, 0.4 };
	const double voxel_nm[3] = { 8, 8, 8 };
	uint8_t *image = fx_calloc(LEN, 1);
	float *brightness = fx_calloc(LEN, sizeof *brightness);
	bool ok = image && brightness && bench_phantom(DEPTH, SIDE, false, image, NULL, err);

	for (size_t i = 0; i < LEN && ok; i++)
		brightness[i] = (float)image[i] / 255;
	ok = ok && fx_boundary_ridge(b->boundary->data, brightness, b->boundary->shape, voxel_nm,
				     &ridge) == FX_OK;
	free(image);
	free(brightness);
	return ok;
}

static bool bench_init(struct agglomerate_bench *b, struct fx_error *err)
{
	const struct fx_fragments_params cut = { 0.35, 0, 1 };
	const double voxel[3] = { 8, 8, 8 };
	uint64_t *wide;
	uint32_t *cells = fx_calloc(LEN, sizeof *cells);
	bool ok;

	b->labels = fx_block_new(FX_U64, DEPTH, SIDE, SIDE);
	b->boundary = fx_block_new(FX_U8, DEPTH, SIDE, SIDE);
	b->edges = fx_calloc(SLOTS, sizeof *b->edges);
	ok = cells && b->labels && b->boundary && b->edges && bench_boundary(b, err) &&
	     fx_fragments(cells, &b->fragments, b->boundary->data, b->labels->shape, voxel, &cut) ==
		     FX_OK;
	wide = ok ? b->labels->data : NULL;
	for (size_t i = 0; ok && i < LEN; i++)
		wide[i] = cells[i] ? (uint64_t)1 << 40 | cells[i] : 0;
	b->parent = fx_calloc((size_t)b->fragments + 1, sizeof *b->parent);
	free(cells);
	return ok && b->parent;
}

/* By the kernels of agglomerator/boundary. */
static bool kernel_merge(struct agglomerate_bench *b, struct fx_error *err)
{
	const struct fx_agglomerate_params p = { .threshold = THRESHOLD, .quantile = -1 };
	struct fx_ragstream s = { .extent = { DEPTH, SIDE, SIDE } };
	struct fx_rag rag = { 0 };
	uint64_t *ids = NULL;
	uint32_t *node_of = NULL, *root = fx_calloc((size_t)b->fragments + 1, sizeof *root);
	bool ok = root && fx_ragstream_add(&s, b->labels, b->boundary, err) == FX_OK &&
		  fx_ragstream_graph(&s, NULL, &rag, &ids, &node_of, err) == FX_OK &&
		  fx_agglomerate(root, &b->merged[0], &rag, &p) == FX_OK;

	fx_rag_fini(&rag);
	fx_ragstream_fini(&s);
	free(ids);
	free(node_of);
	free(root);
	return ok;
}

static void plain_face(struct agglomerate_bench *b, size_t i, size_t k)
{
	const uint64_t *labels = b->labels->data;
	const uint8_t *v = b->boundary->data;
	const uint32_t x = (uint32_t)labels[i], y = (uint32_t)labels[k];
	const uint64_t pair = (uint64_t)(x < y ? x : y) << 32 | (x < y ? y : x);
	size_t at = (pair * 0x9e3779b97f4a7c15u >> 40) % SLOTS;

	if (!x || !y || x == y)
		return;
	while (b->edges[at].pair && b->edges[at].pair != pair)
		at = (at + 1) % SLOTS;
	b->edges[at].pair = pair;
	b->edges[at].faces++;
	b->edges[at].sum += v[i] > v[k] ? v[i] : v[k];
}

static uint32_t plain_root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

/* A hash map of pairs, filled voxel by voxel; then every pair below the threshold is one: the mean
 * is not followed as segments grow. */
static bool plain_merge(struct agglomerate_bench *b)
{
	memset(b->edges, 0, SLOTS * sizeof *b->edges);
	for (size_t i = 0; i < LEN; i++) {
		if (i >= (size_t)SIDE * SIDE)
			plain_face(b, i, i - (size_t)SIDE * SIDE);
		if (i / SIDE % SIDE)
			plain_face(b, i, i - SIDE);
		if (i % SIDE)
			plain_face(b, i, i - 1);
	}
	b->merged[1] = b->fragments;
	for (uint32_t i = 0; i <= b->fragments; i++)
		b->parent[i] = i;
	for (size_t at = 0; at < SLOTS; at++) {
		const struct plain_edge *e = &b->edges[at];
		uint32_t x, y;

		if (!e->faces || (double)e->sum / 255 >= THRESHOLD * (double)e->faces)
			continue;
		x = plain_root(b->parent, (uint32_t)(e->pair >> 32));
		y = plain_root(b->parent, (uint32_t)e->pair);
		b->merged[1] -= x != y;
		b->parent[x] = y;
	}
	return true;
}

bool bench_agglomerate(json_t *results)
{
	struct agglomerate_bench b = { 0 };
	double ms[2][ROUNDS] = { { 0 } }, median[2];
	struct fx_error err = { 0 };
	bool ok = bench_init(&b, &err);

	for (int r = 0; r < ROUNDS && ok; r++)
		for (int p = 0; p < 2 && ok; p++) {
			const int64_t cpu = fx_cpu_ns();

			ok = p ? plain_merge(&b) : kernel_merge(&b, &err);
			ms[p][r] = (double)(fx_cpu_ns() - cpu) * 1e-6;
		}
	for (int p = 0; p < 2; p++)
		median[p] = bench_median_of(ms[p], ROUNDS);
	for (int p = 0; p < 2 && ok; p++) {
		json_t *r = json_pack("{s:s, s:i, s:i, s:i, s:f, s:f}", "what",
				      p ? "plain C" : "graph and merge", "threads", 1, "fragments",
				      (int)b.fragments, "segments", (int)b.merged[p], "cpu_ms",
				      median[p], "mvx_per_s", LEN / median[p] * 1e-3);

		if (!p)
			json_object_set_new(r, "times_plain_c", json_real(median[1] / median[0]));
		json_array_append_new(results, r);
	}
	bench_free(&b);
	return ok ||
	       (cmd_failed("bench agglomerate: %s", err.code ? err.text : "no memory"), false);
}
