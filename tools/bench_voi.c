// SPDX-License-Identifier: Apache-2.0
/* bench_voi.c: fornix bench voi: the table behind all scores, against one map inside of another. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/map64.h"
#include "bench.h"
#include "cmd.h"
#include "kernels/metrics.h"

enum { SIDE = 192, LEN = SIDE * SIDE * SIDE, CELL = 24, CELLS = SIDE / CELL, VOI_ROUNDS = 5 };

/* Bodies around points, and a segmentation of them with gaps, splits and mergers. */
struct voi_bench {
	uint64_t *truth, *seg;
	double cpu_s[2][VOI_ROUNDS]; /* fornix, the other */
	double voi[2];
};

static uint64_t voi_hash(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

/* The cell whose point, somewhere in it, is nearest. */
static uint64_t voi_body(int z, int y, int x)
{
	uint64_t best = 0;
	int least = INT32_MAX;

	for (int i = 0; i < 27; i++) {
		const int c[3] = { z / CELL + i / 9 - 1, y / CELL + i / 3 % 3 - 1,
				   x / CELL + i % 3 - 1 };
		const uint64_t id =
			(uint64_t)(((c[0] + 1) * (CELLS + 2) + c[1] + 1) * (CELLS + 2) + c[2] + 1);
		const uint64_t h = voi_hash(id + 1);
		const int p[3] = { c[0] * CELL + (int)(h % CELL),
				   c[1] * CELL + (int)(h / 64 % CELL),
				   c[2] * CELL + (int)(h / 4096 % CELL) };
		const int d =
			(z - p[0]) * (z - p[0]) + (y - p[1]) * (y - p[1]) + (x - p[2]) * (x - p[2]);

		if (d < least) {
			least = d;
			best = id + 1;
		}
	}
	return best;
}

static void voi_make(struct voi_bench *b)
{
	for (int i = 0; i < LEN; i++)
		b->truth[i] = voi_body(i / (SIDE * SIDE), i / SIDE % SIDE, i % SIDE);
	for (int i = 0; i < LEN; i++) {
		const bool gap = (i % SIDE && b->truth[i] != b->truth[i - 1]) ||
				 (i / SIDE % SIDE && b->truth[i] != b->truth[i - SIDE]);
		const uint64_t id = b->truth[i], h = voi_hash(id);

		/* one body in eight is cut in two, one in eight is its neighbour too */
		b->seg[i] = gap	       ? 0 :
			    h % 8 == 0 ? 2 * id + (uint64_t)(i / SIDE % SIDE % 16 > 7) :
			    h % 8 == 1 ? 2 * (id + 1) :
					 2 * id;
	}
}

/* What a reader of the definition would write: for each voxel, the body's map of segments. */
struct nested {
	struct fx_map64 bodies; /* to the number of its map + 1 */
	struct fx_map64 *maps;
	size_t len, cap;
};

static bool nested_add(struct nested *n, uint64_t truth, uint64_t seg)
{
	uint64_t *at = fx_map64_at(&n->bodies, truth);

	if (at && !*at) {
		if (!fx_grow(&n->maps, &n->cap, n->len + 1, sizeof *n->maps))
			return false;
		memset(&n->maps[n->len], 0, sizeof *n->maps);
		*at = ++n->len;
	}
	at = at ? fx_map64_at(&n->maps[*at - 1], seg) : NULL;
	if (at)
		++*at;
	return at != NULL;
}

static double nested_bits(const struct fx_map64 *m)
{
	double sum = 0;

	for (size_t i = 0; i < m->cap; i++)
		if (m->slots[i].used)
			sum += (double)m->slots[i].value * log2((double)m->slots[i].value);
	return sum;
}

static double nested_voi(struct voi_bench *b)
{
	struct nested n = { 0 };
	struct fx_map64 segs = { 0 };
	double pairs = 0, bodies = 0, bits, voxels = 0;
	bool ok = true;

	for (int i = 0; i < LEN && ok; i++)
		if (b->truth[i])
			ok = nested_add(&n, b->truth[i], b->seg[i]);
	for (size_t i = 0; i < n.len; i++) {
		double body = 0;

		for (size_t k = 0; k < n.maps[i].cap; k++) {
			const struct fx_map64_slot *slot = &n.maps[i].slots[k];
			uint64_t *at = slot->used ? fx_map64_at(&segs, slot->key) : NULL;

			body += slot->used ? (double)slot->value : 0;
			if (at)
				*at += slot->value;
		}
		voxels += body;
		bodies += body * log2(body);
		pairs += nested_bits(&n.maps[i]);
		fx_map64_fini(&n.maps[i]);
	}
	bits = nested_bits(&segs);
	fx_map64_fini(&n.bodies);
	fx_map64_fini(&segs);
	free(n.maps);
	return ok ? (bodies + bits - 2 * pairs) / voxels : -1;
}

static double our_voi(struct voi_bench *b)
{
	struct fx_contingency c = { 0 };
	struct fx_seg_scores s = { .voi = -1 };

	if (fx_contingency_add(&c, b->seg, FX_U64, b->truth, FX_U64, LEN) == FX_OK)
		fx_metrics_scores(&c, FX_TRUTH_NONZERO, &s, NULL);
	fx_contingency_fini(&c);
	return s.voi;
}

static bool voi_report(struct voi_bench *b, json_t *results)
{
	static const char *const names[2] = { "fornix", "map of maps" };
	double median[2];

	for (int k = 0; k < 2; k++)
		median[k] = bench_median_of(b->cpu_s[k], VOI_ROUNDS);
	for (int k = 0; k < 2; k++)
		json_array_append_new(results,
				      json_pack("{s:s, s:f, s:f, s:f, s:f}", "what", names[k],
						"mvx_per_cpu_second", LEN / median[k] * 1e-6,
						"cpu_ms", median[k] * 1e3, "voi", b->voi[k],
						"ratio", median[1] / median[k]));
	if (fabs(b->voi[0] - b->voi[1]) > 1e-9) {
		cmd_failed("bench voi: %.12g and %.12g bits are not the same", b->voi[0],
			   b->voi[1]);
		return false;
	}
	return true;
}

bool bench_voi(json_t *results)
{
	struct voi_bench b = { .truth = fx_calloc(LEN, sizeof *b.truth),
			       .seg = fx_calloc(LEN, sizeof *b.seg) };
	bool ok = b.truth && b.seg;

	if (ok)
		voi_make(&b);
	else
		cmd_failed("bench voi: no memory");
	for (int round = 0; round < VOI_ROUNDS && ok; round++) {
		const int64_t start = fx_cpu_ns();
		int64_t middle;

		b.voi[0] = our_voi(&b);
		middle = fx_cpu_ns();
		b.voi[1] = nested_voi(&b);
		b.cpu_s[0][round] = (double)(middle - start) * 1e-9;
		b.cpu_s[1][round] = (double)(fx_cpu_ns() - middle) * 1e-9;
	}
	ok = ok && voi_report(&b, results);
	free(b.truth);
	free(b.seg);
	return ok;
}
