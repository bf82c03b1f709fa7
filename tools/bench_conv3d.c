// SPDX-License-Identifier: Apache-2.0
/* bench_conv3d.c: fornix bench conv3d. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "bench.h"
#include "cmd.h"
#include "kernels/conv3d.h"

/* The work of a flood-filling network: 12 x { x += conv_b(relu(conv_a(relu x))) }. */
enum { SIDE = 33, CHANNELS = 32, LAYERS = 24, CONV_ROUNDS = 5, METHODS = 3 };

static const double gflop = 2.0 * LAYERS * SIDE * SIDE * SIDE * CHANNELS * CHANNELS * 27 * 1e-9;

static const struct {
	const char *name;
	enum fx_conv3d_path path;
} methods[METHODS] = {
	{ "direct", FX_CONV3D_DIRECT },
	{ "winograd", FX_CONV3D_WINOGRAD },
	{ "openblas", FX_CONV3D_BLAS },
};

/* The stack by one method with a number of threads. */
struct stack {
	struct fx_conv3d_plan a, b;
	float *relu, *middle, *sum; /* relu(x) and conv_a, padded; x, without pads */
	float *packed[LAYERS], *scratch;
	float bias[CHANNELS];
};

static void stack_free(struct stack *s)
{
	free(s->relu);
	free(s->middle);
	free(s->sum);
	free(s->scratch);
	for (int i = 0; i < LAYERS; i++)
		free(s->packed[i]);
}

/* Weights from a small generator, of a size that keeps x near 1. */
static bool stack_pack(struct stack *s, const struct fx_conv3d *c)
{
	const size_t len = fx_conv3d_weights(c);
	float *w = fx_calloc(len, sizeof *w);
	uint32_t seed = 1;
	bool ok = w;

	for (int i = 0; i < LAYERS && ok; i++) {
		for (size_t k = 0; k < len; k++) {
			seed = seed * 1664525 + 1013904223;
			w[k] = ((float)(seed >> 8) / 8388608 - 1) * 0.03F;
		}
		s->packed[i] = fx_alloc_aligned(s->a.packed_len * sizeof *w);
		ok = s->packed[i];
		if (ok)
			fx_conv3d_pack(&s->a, s->packed[i], w);
	}
	free(w);
	return ok;
}

static bool stack_init(struct stack *s, enum fx_conv3d_path path, int threads)
{
	const struct fx_conv3d c = fx_conv3d_same(CHANNELS, CHANNELS, 3);
	const size_t shape[] = { SIDE, SIDE, SIDE };
	struct fx_layout padded, dense;

	if (fx_layout_padded(&padded, shape, CHANNELS) != FX_OK ||
	    fx_layout_dense(&dense, shape, CHANNELS) != FX_OK ||
	    fx_conv3d_plan(&s->a, &c, path, &padded, &padded, threads, NULL) != FX_OK ||
	    fx_conv3d_plan(&s->b, &c, path, &padded, &dense, threads, NULL) != FX_OK)
		return false;
	s->b.also = padded;
	s->relu = fx_layout_alloc(&padded);
	s->middle = fx_layout_alloc(&padded);
	s->sum = fx_layout_alloc(&dense);
	s->scratch = fx_alloc_aligned((s->b.scratch_len + 1) * sizeof(float));
	return s->relu && s->middle && s->sum && s->scratch && stack_pack(s, &c);
}

static void stack_start(struct stack *s)
{
	for (ptrdiff_t i = 0; i < SIDE * SIDE * SIDE; i++) {
		const ptrdiff_t z = i / SIDE / SIDE, y = i / SIDE % SIDE, x = i % SIDE;

		for (ptrdiff_t c = 0; c < CHANNELS; c++) {
			const float v = (float)((i * CHANNELS + c) * 7919 % 1000) / 1000;

			s->relu[fx_layout_at(&s->a.in, z, y, x) + (size_t)c] = v;
			s->sum[fx_layout_at(&s->b.out, z, y, x) + (size_t)c] = v;
		}
	}
}

static void stack_run(struct stack *s)
{
	struct fx_conv3d_args a = { .in = s->relu,
				    .bias = s->bias,
				    .out = s->middle,
				    .relu = true,
				    .scratch = s->scratch },
			      b = { .in = s->middle,
				    .bias = s->bias,
				    .residual = s->sum,
				    .out = s->sum,
				    .also = s->relu,
				    .scratch = s->scratch };

	for (int i = 0; i < LAYERS; i += 2) {
		a.packed = s->packed[i];
		b.packed = s->packed[i + 1];
		fx_conv3d_run(&s->a, &a);
		fx_conv3d_run(&s->b, &b);
	}
}

static struct bench_round stack_measure(struct stack *s)
{
	int64_t wall, cpu;

	stack_start(s);
	wall = fx_now_ns();
	cpu = fx_cpu_ns();
	stack_run(s);
	return (struct bench_round){ (double)(fx_now_ns() - wall) * 1e-9,
				     (double)(fx_cpu_ns() - cpu) * 1e-6 };
}

/* GFLOP/s of one core that only multiplies and adds in registers. */
static double peak_measure(void)
{
	enum { TIMES = 1000000 };
	const int64_t cpu = fx_cpu_ns();
	const double flop = fx_conv3d_peak_flops(TIMES);

	return flop / (double)(fx_cpu_ns() - cpu);
}

/* How wide the kernels of an OpenBLAS core are: 0 SSE, 1 AVX, 2 AVX2, 3 AVX-512; -1 unknown. */
static int core_width(const char *core)
{
	static const struct {
		const char *name;
		int width;
	} cores[] = {
		{ "Prescott", 0 },	 { "Core2", 0 },
		{ "Penryn", 0 },	 { "Dunnington", 0 },
		{ "Nehalem", 0 },	 { "Atom", 0 },
		{ "Nano", 0 },		 { "Athlon", 0 },
		{ "Opteron", 0 },	 { "Barcelona", 0 },
		{ "Bobcat", 0 },	 { "Katmai", 0 },
		{ "Banias", 0 },	 { "Northwood", 0 },
		{ "Coppermine", 0 },	 { "Sandybridge", 1 },
		{ "Bulldozer", 1 },	 { "Piledriver", 1 },
		{ "Steamroller", 1 },	 { "Haswell", 2 },
		{ "Excavator", 1 },	 { "Zen", 2 },
		{ "SkylakeX", 3 },	 { "Cooperlake", 3 },
		{ "Sapphirerapids", 3 },
	};

	for (size_t i = 0; i < sizeof cores / sizeof *cores; i++)
		if (strcasecmp(core, cores[i].name) == 0)
			return cores[i].width;
	return -1;
}

static void warn_of_core(void)
{
	const char *core = openblas_get_corename(), *forced = getenv("OPENBLAS_CORETYPE");
	const enum fx_conv3d_isa isa = fx_conv3d_isa();
	const int width = core_width(core), most = isa == FX_CONV3D_AVX512 ? 3 :
						   isa == FX_CONV3D_AVX2   ? 2 :
									     0;

	if (width >= 0 && width < most)
		fprintf(stderr,
			"  warning: OpenBLAS runs its kernels for %s, slower than this CPU "
			"allows%s%s\n",
			core, forced ? "; unset OPENBLAS_CORETYPE, which is " : "",
			forced ? forced : "");
}

static int by_number(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct conv_bench {
	int threads[2], threads_len;
	struct stack stacks[2][METHODS];
	struct bench_round rounds[2][METHODS][CONV_ROUNDS];
	double peaks[CONV_ROUNDS];
};

static void conv_report(struct conv_bench *b, json_t *results)
{
	double peak;

	qsort(b->peaks, CONV_ROUNDS, sizeof *b->peaks, by_number);
	peak = b->peaks[CONV_ROUNDS / 2];
	json_array_append_new(results,
			      json_pack("{s:s, s:s, s:f}", "what", "peak of a core", "isa",
					fx_conv3d_isa_name(fx_conv3d_isa()), "gflops", peak));
	for (int t = 0; t < b->threads_len; t++)
		for (int m = 0; m < METHODS; m++) {
			const struct bench_round r = bench_median(b->rounds[t][m], CONV_ROUNDS);

			json_array_append_new(results,
					      json_pack("{s:s, s:i, s:f, s:f, s:f, s:f}", "what",
							methods[m].name, "threads", b->threads[t],
							"ms", r.seconds * 1e3, "cpu_ms", r.cpu_ms,
							"gflops", gflop / r.seconds, "of_peak",
							gflop / r.cpu_ms * 1e3 / peak));
		}
}

bool bench_conv3d(json_t *results)
{
	struct conv_bench *b = fx_calloc(1, sizeof *b);
	bool ok = b;

	warn_of_core();
	for (int t = 0; ok && t < (fx_cpu_count() > 1 ? 2 : 1); t++) {
		b->threads[b->threads_len++] = t ? fx_cpu_count() : 1;
		for (int m = 0; m < METHODS && ok; m++) {
			ok = stack_init(&b->stacks[t][m], methods[m].path, b->threads[t]);
			if (ok)
				stack_measure(&b->stacks[t][m]);
		}
	}
	for (int r = 0; r < CONV_ROUNDS && ok; r++) {
		b->peaks[r] = peak_measure();
		for (int t = 0; t < b->threads_len; t++)
			for (int m = 0; m < METHODS; m++)
				b->rounds[t][m][r] = stack_measure(&b->stacks[t][m]);
	}
	if (ok)
		conv_report(b, results);
	else
		cmd_failed("bench conv3d: no memory");
	for (int i = 0; b && i < 2 * METHODS; i++)
		stack_free(&b->stacks[i / METHODS][i % METHODS]);
	free(b);
	return ok;
}
