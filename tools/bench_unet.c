// SPDX-License-Identifier: Apache-2.0
/* bench_unet.c: fornix bench unet: what segmenter/unet does, step by step, on one core. */
#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "bench.h"
#include "cmd.h"
#include "kernels/boundary.h"
#include "kernels/edt.h"
#include "kernels/faceflood.h"
#include "kernels/fragments.h"
#include "kernels/logit.h"
#include "nn/unetmodel.h"

enum { SIDE = 128, LEN = SIDE * SIDE * SIDE, UNET_ROUNDS = 3 };

#define UNET_BENCH_ARGS                                                                            \
	"{\"in\":1,\"width\":[16,32,64,64],\"heads\":{\"affinity\":3,\"eroded\":3,\"distance\":1," \
	"\"long\":6},\"flat\":0}"

enum { NETWORK, HEIGHTS, FRAGMENTS, MERGE, STEPS };

static const char *const steps[STEPS] = {
	[NETWORK] = "network",
	[HEIGHTS] = "heights",
	[FRAGMENTS] = "seeds and flood",
	[MERGE] = "graph and merging",
};

static const size_t side[3] = { SIDE, SIDE, SIDE };
static const double edges[3] = { 8, 8, 8 };

/* A phantom, and maps as a good network would give them: made of ridges, as noisy as these are. */
struct unet_bench {
	uint8_t *image, *boundary, *heights;
	float *logits, *maps; /* of the network at hand, and of the good one: 4 maps each */
	uint32_t *labels;
	struct fx_unetmodel net;
	double cpu_s[STEPS][UNET_ROUNDS];
};

static void unet_bench_free(struct unet_bench *b)
{
	fx_unetmodel_fini(&b->net);
	free(b->image);
	free(b->boundary);
	free(b->heights);
	free(b->logits);
	free(b->maps);
	free(b->labels);
}

static float logit_of(uint8_t height)
{
	const float p = ((float)height + 1) / 257;

	return logf((1 - p) / p);
}

/* Logits of faces and depths from the evidence of ridges. */
static bool good_maps(struct unet_bench *b)
{
	static const struct fx_boundary_params ridge = { 1.4, 0, 0.7, 0.15, 4, 0.4 };
	static const size_t step[3] = { SIDE * SIDE, SIDE, 1 };
	float *image = b->logits, *depth = b->maps + 3 * (size_t)LEN;
	uint8_t *inside = b->heights;

	for (size_t i = 0; i < LEN; i++)
		image[i] = (float)b->image[i] / 255;
	if (fx_boundary_ridge(b->boundary, image, side, edges, &ridge) != FX_OK)
		return false;
	for (size_t i = 0; i < LEN; i++)
		inside[i] = b->boundary[i] < 128;
	if (fx_edt(depth, inside, side, (const double[]){ 1, 1, 1 }) != FX_OK)
		return false;
	for (size_t i = 0; i < LEN; i++) {
		depth[i] = fminf(depth[i] / 6, 3);
		for (size_t a = 0; a < 3; a++) {
			const uint8_t own = b->boundary[i],
				      far = i >= step[a] ? b->boundary[i - step[a]] : 0;

			b->maps[a * LEN + i] = logit_of(own > far ? own : far);
		}
	}
	return true;
}

static bool unet_bench_init(struct unet_bench *b, struct fx_error *err)
{
	const size_t maps = 4 * (size_t)LEN;
	struct fx_arch arch;

	b->image = fx_alloc_aligned(LEN);
	b->boundary = fx_alloc_aligned(LEN);
	b->heights = fx_alloc_aligned(maps);
	b->logits = fx_alloc_aligned(maps * sizeof *b->logits);
	b->maps = fx_alloc_aligned(maps * sizeof *b->maps);
	b->labels = fx_alloc_aligned(LEN * sizeof *b->labels);
	if (!b->image || !b->boundary || !b->heights || !b->logits || !b->maps || !b->labels) {
		fx_error_set(err, FX_ENOMEM, "no memory");
		return false;
	}
	return fx_arch_parse(&arch, "unet", UNET_BENCH_ARGS, err) == FX_OK &&
	       fx_unetmodel_start(&b->net, &arch, 1, err) == FX_OK &&
	       bench_phantom(SIDE, SIDE, true, b->image, NULL, err) && good_maps(b);
}

/* Runs @p step of a round; the later ones on the good maps. */
static bool unet_step(struct unet_bench *b, int step, uint32_t *count)
{
	static const struct fx_unet_tiles tiles = { { SIDE, SIDE, SIDE }, { 0, 0, 0 } };
	static const struct fx_fragments_depths seeds = { 0.1, 0.5, 2 };
	static const struct fx_agglomerate_params join = { 0.4, -1, 10, 5000, 0.3, 200 };
	const struct fx_unet_image image = { b->image, FX_U8, { SIDE, SIDE, SIDE } };
	const uint8_t *const face[3] = { b->heights, b->heights + LEN,
					 b->heights + 2 * (size_t)LEN };
	const struct fx_rag_evidence evidence = { .face = { face[0], face[1], face[2] } };
	float *depth = b->logits + 3 * (size_t)LEN;
	struct fx_unet_logits out = { { NULL } };

	for (size_t c = 0; c < 4; c++)
		out.out[c] = b->logits + c * LEN;
	if (step == NETWORK)
		return fx_unetmodel_run(&b->net, &image, &tiles, &out, NULL) == FX_OK;
	if (step == FRAGMENTS)
		return fx_fragments_faces(b->labels, count, depth, face, side, edges, &seeds) ==
		       FX_OK;
	if (step == MERGE)
		return fx_fragments_merge(b->labels, count, side, &evidence, &join) == FX_OK;
	for (size_t c = 0; c < 3; c++)
		fx_logit_heights(b->heights + c * LEN, b->maps + c * LEN, LEN);
	memcpy(depth, b->maps + 3 * (size_t)LEN, LEN * sizeof *depth);
	fx_logit_tanh(depth, LEN);
	return true;
}

static void unet_add(json_t *results, const char *what, double seconds, double flop)
{
	json_t *r = json_pack("{s:s, s:i, s:f, s:f}", "what", what, "threads", 1, "cpu_ms",
			      seconds * 1e3, "mvx_per_s", LEN / seconds * 1e-6);

	if (flop > 0) {
		json_object_set_new(r, "kflop_per_voxel", json_real(flop * 1e-3));
		json_object_set_new(r, "gflops", json_real(flop * LEN / seconds * 1e-9));
	}
	json_array_append_new(results, r);
}

static void unet_report(struct unet_bench *b, json_t *results)
{
	double after = 0, network;

	for (int s = 0; s < STEPS; s++) {
		const double median = bench_median_of(b->cpu_s[s], UNET_ROUNDS);

		if (s == NETWORK)
			network = median;
		else
			after += median;
		unet_add(results, steps[s], median,
			 s == NETWORK ? fx_unetmodel_flop(&b->net.arch) : 0);
	}
	unet_add(results, "after the network", after, 0);
	unet_add(results, "all", network + after, 0);
}

bool bench_unet(json_t *results)
{
	struct unet_bench *b = fx_calloc(1, sizeof *b);
	const int threads = omp_get_max_threads();
	struct fx_error err = { 0 };
	uint32_t count = 0;
	bool ok;

	omp_set_num_threads(1);
	ok = b && unet_bench_init(b, &err) && unet_step(b, NETWORK, &count);
	for (int r = 0; r < UNET_ROUNDS && ok; r++)
		for (int s = 0; s < STEPS && ok; s++) {
			const int64_t cpu = fx_cpu_ns();

			ok = unet_step(b, s, &count);
			b->cpu_s[s][r] = (double)(fx_cpu_ns() - cpu) * 1e-9;
		}
	if (ok)
		unet_report(b, results);
	else
		cmd_failed("bench unet: %s", err.code ? err.text : "no memory");
	if (b)
		unet_bench_free(b);
	free(b);
	omp_set_num_threads(threads);
	return ok;
}
