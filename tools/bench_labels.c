// SPDX-License-Identifier: Apache-2.0
/* bench_labels.c: fornix bench cc, edt and teasar: kernels on label volumes, on one core, in turn
 * with what a textbook has in plain C. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bench.h"
#include "cmd.h"
#include "kernels/components.h"
#include "kernels/labeldist.h"
#include "kernels/skeletonize.h"

enum { DEPTH = 64, SIDE = 256, LEN = DEPTH * SIDE * SIDE, LABEL_ROUNDS = 5 };

static const size_t shape[3] = { DEPTH, SIDE, SIDE };
static const double edges[3] = { 8, 8, 8 };

/* A phantom's neurites, and room for what is made of them. */
struct labels_bench {
	uint64_t *labels;
	uint32_t *pieces; /* of voxels */
	float *distance;
	double *line; /* of the plain distance: three lines */
};

static void labels_free(struct labels_bench *b)
{
	free(b->labels);
	free(b->pieces);
	free(b->distance);
	free(b->line);
}

static bool labels_init(struct labels_bench *b, struct fx_error *err)
{
	b->labels = fx_calloc(LEN, sizeof *b->labels);
	b->pieces = fx_calloc(LEN, sizeof *b->pieces);
	b->distance = fx_calloc(LEN, sizeof *b->distance);
	b->line = fx_calloc(3 * (size_t)SIDE, sizeof *b->line);
	return b->labels && b->pieces && b->distance && b->line &&
	       bench_phantom(DEPTH, SIDE, false, NULL, b->labels, err);
}

static uint32_t plain_root(uint32_t *parent, uint32_t i)
{
	while (parent[i] != i)
		i = parent[i] = parent[parent[i]];
	return i;
}

/* Joins each voxel with the 13 of its 26 neighbours that come before it, then numbers the roots. */
static bool plain_cc(struct labels_bench *b)
{
	uint32_t *parent = b->pieces, count = 0;

	for (size_t i = 0; i < LEN; i++) {
		const size_t z = i / SIDE / SIDE, y = i / SIDE % SIDE, x = i % SIDE;

		parent[i] = (uint32_t)i;
		for (int n = 0; n < 13; n++) {
			const size_t nz = z + (size_t)(n / 9) - 1, ny = y + (size_t)(n / 3 % 3) - 1,
				     nx = x + (size_t)(n % 3) - 1;
			const size_t k = (nz * SIDE + ny) * SIDE + nx;
			uint32_t p, q;

			if (nz >= DEPTH || ny >= SIDE || nx >= SIDE || b->labels[k] != b->labels[i])
				continue;
			p = plain_root(parent, (uint32_t)k);
			q = plain_root(parent, (uint32_t)i);
			parent[p > q ? p : q] = p > q ? q : p;
		}
	}
	for (size_t i = 0; i < LEN; i++) /* roots come first */
		parent[i] = parent[i] == i ? ++count : parent[plain_root(parent, (uint32_t)i)];
	return count > 0;
}

/* Squared distances along one line of equal labels after the other: lower envelopes. */
static void plain_line(struct labels_bench *b, size_t first, size_t n, size_t stride)
{
	double *apex = b->line, *from = b->line + SIDE, *height = b->line + 2 * (size_t)SIDE;

	for (size_t lo = 0, hi; lo < n; lo = hi) {
		size_t len = 0, at = 0;

		for (hi = lo + 1;
		     hi < n && b->labels[first + hi * stride] == b->labels[first + lo * stride];)
			hi++;
		for (size_t i = lo; i < hi; i++) {
			const double x = (double)i,
				     ends = fmin(lo ? x - (double)lo + 1 : HUGE_VAL,
						 hi < n ? (double)hi - x : HUGE_VAL),
				     f = fmin((double)b->distance[first + i * stride],
					      ends * ends * 64);
			double meet = -HUGE_VAL;

			while (len && (meet = ((f - height[len - 1]) / 64 / (x - apex[len - 1]) +
					       x + apex[len - 1]) /
					      2) <= from[len - 1])
				len--;
			apex[len] = x;
			height[len] = f;
			from[len] = len ? meet : -HUGE_VAL;
			len++;
		}
		for (size_t i = lo; i < hi; i++) {
			while (at + 1 < len && from[at + 1] <= (double)i)
				at++;
			b->distance[first + i * stride] =
				(float)(height[at] +
					64 * ((double)i - apex[at]) * ((double)i - apex[at]));
		}
	}
}

static bool plain_edt(struct labels_bench *b)
{
	for (size_t i = 0; i < LEN; i++)
		b->distance[i] = 1e12F;
	for (size_t i = 0; i < (size_t)DEPTH * SIDE; i++)
		plain_line(b, i * SIDE, SIDE, 1);
	for (size_t i = 0; i < (size_t)DEPTH * SIDE; i++)
		plain_line(b, i / SIDE * SIDE * SIDE + i % SIDE, SIDE, SIDE);
	for (size_t i = 0; i < (size_t)SIDE * SIDE; i++)
		plain_line(b, i, DEPTH, (size_t)SIDE * SIDE);
	for (size_t i = 0; i < LEN; i++)
		b->distance[i] = sqrtf(b->distance[i]);
	return true;
}

static bool kernel_cc(struct labels_bench *b)
{
	uint32_t count;

	return fx_components(b->labels, FX_U64, shape, 26, b->pieces, &count) == FX_OK;
}

static bool kernel_edt(struct labels_bench *b)
{
	return fx_label_distance(b->labels, FX_U64, shape, edges, false, b->distance) == FX_OK;
}

static bool kernel_teasar(struct labels_bench *b)
{
	const struct fx_teasar_options o = { 1.5, 300, 1e5, 4, 750, 3500, 2, 300 };
	const struct fx_skeletonize_block block = { .labels = b->labels,
						    .shape = { DEPTH, SIDE, SIDE },
						    .voxel_nm = { 8, 8, 8 },
						    .dust = 1000 };
	struct fx_skeletons made;
	const bool ok = fx_skeletonize(&block, &o, &made) == FX_OK;

	fx_skeletons_fini(&made);
	return ok;
}

typedef bool work_fn(struct labels_bench *b);

/* The kernel, and in turn with it what a textbook has; medians of CPU time. */
static bool labels_bench(json_t *results, const char *name, work_fn *kernel, work_fn *plain)
{
	const int threads = omp_get_max_threads();
	struct labels_bench b = { 0 };
	double ms[2][LABEL_ROUNDS] = { { 0 } }, median[2];
	struct fx_error err = { 0 };
	bool ok = labels_init(&b, &err);

	omp_set_num_threads(1);
	for (int r = 0; r < LABEL_ROUNDS && ok; r++)
		for (int p = 0; p < (plain ? 2 : 1) && ok; p++) {
			const int64_t cpu = fx_cpu_ns();

			ok = p ? plain(&b) : kernel(&b);
			ms[p][r] = (double)(fx_cpu_ns() - cpu) * 1e-6;
		}
	for (int p = 0; p < 2; p++)
		median[p] = bench_median_of(ms[p], LABEL_ROUNDS);
	for (int p = 0; ok && p < (plain ? 2 : 1); p++) {
		json_t *r =
			json_pack("{s:s, s:i, s:f, s:f}", "what", p ? "plain C" : name, "threads",
				  1, "cpu_ms", median[p], "mvx_per_s", LEN / median[p] * 1e-3);

		if (plain && !p)
			json_object_set_new(r, "times_plain_c", json_real(median[1] / median[0]));
		json_array_append_new(results, r);
	}
	labels_free(&b);
	omp_set_num_threads(threads);
	return ok || (cmd_failed("bench %s: %s", name, err.code ? err.text : "no memory"), false);
}

bool bench_cc(json_t *results)
{
	return labels_bench(results, "components", kernel_cc, plain_cc);
}

bool bench_edt(json_t *results)
{
	return labels_bench(results, "distance", kernel_edt, plain_edt);
}

bool bench_teasar(json_t *results)
{
	return labels_bench(results, "teasar", kernel_teasar, NULL);
}
