// SPDX-License-Identifier: Apache-2.0
/* bench_link.c: fornix bench link. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "bench.h"
#include "cmd.h"
#include "conduct/run.h"

uint64_t bench_read(const void *bytes, size_t size)
{
	const uint64_t *p = bytes;
	uint64_t sum = 0;

	for (size_t i = 0; i < size / 8; i++)
		sum += p[i];
	return sum;
}

void bench_write(void *bytes, size_t size, uint64_t seed)
{
	uint64_t *p = bytes;

	for (size_t i = 0; i < size / 8; i++)
		p[i] = seed + i;
}

static char *link_graph(size_t bytes, int count, int relays, const char *result)
{
	char *text = NULL, last[32] = "s.out";
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f,
		"version: 1\nnodes:\n  s: { type: bench/source, set: { bytes: %zu, count: %d } }\n",
		bytes, count);
	for (int i = 0; i < relays; i++) {
		fprintf(f, "  r%d: { type: flow/pass, from: { in: %s } }\n", i, last);
		snprintf(last, sizeof last, "r%d.out", i);
	}
	fprintf(f, "  t: { type: bench/sink, from: { in: %s }, set: { result: %s } }\n", last,
		result);
	fclose(f);
	return text;
}

double bench_children_cpu_ms(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-3;
}

static bool run_text(const char *text)
{
	const struct fx_run_options o = { .quiet = true, .http_port = FX_HTTP_OFF };
	struct fx_graph_errors errors = { 0 };
	struct fx_error err = { 0 };
	struct fx_registry *r = cmd_registry();
	struct fx_graph *g =
		r ? fx_graph_parse("bench", text, strlen(text), r, NULL, 0, 0, &errors) : NULL;
	const bool ok = g && fx_run_graph(g, &o, NULL, &err) == FX_OK;

	if (!ok) {
		cmd_print_errors(&errors);
		cmd_failed("bench link: %s", err.text);
	}
	fx_graph_free(g);
	fx_registry_free(r);
	return ok;
}

bool bench_fornix(size_t bytes, int count, int relays, struct bench_round *out)
{
	char result[] = "/tmp/fornix-bench-XXXXXX";
	const double before = bench_children_cpu_ms();
	const int fd = mkstemp(result);
	char *text = fd < 0 ? NULL : link_graph(bytes, count, relays, result);
	bool ok = text && run_text(text);
	void *answer = NULL;
	size_t size;

	ok = ok && fx_file_read(result, 1000, &answer, &size, NULL) == FX_OK;
	if (ok)
		out->seconds = strtod(answer, NULL);
	out->cpu_ms = bench_children_cpu_ms() - before;
	if (fd >= 0) {
		close(fd);
		unlink(result);
	}
	free(answer);
	free(text);
	return ok;
}

static int by_seconds(const void *a, const void *b)
{
	const struct bench_round *x = a, *y = b;

	return (x->seconds > y->seconds) - (x->seconds < y->seconds);
}

struct bench_round bench_median(struct bench_round *rounds, int len)
{
	qsort(rounds, (size_t)len, sizeof *rounds, by_seconds);
	return rounds[len / 2];
}

bool bench_link(json_t *results)
{
	static const struct {
		const char *name;
		bool (*run)(size_t bytes, int count, int relays, struct bench_round *out);
	} ways[] = { { "fornix", bench_fornix },
		     { "zeromq_ipc", bench_zeromq },
		     { "ring", bench_ring } };
	static const struct {
		size_t bytes;
		int count, relays;
	} cases[] = {
		{ 16 << 20, 150, 0 }, { 1 << 20, 2000, 0 }, { 16 << 20, 60, 3 }, { 1 << 20, 800, 3 }
	};

	for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
		struct bench_round rounds[3][BENCH_ROUNDS];

		for (int k = 0; k < BENCH_ROUNDS; k++)
			for (int w = 0; w < 3; w++)
				if (!ways[w].run(cases[c].bytes, cases[c].count, cases[c].relays,
						 &rounds[w][k]))
					return false;
		for (int w = 0; w < 3; w++) {
			const struct bench_round m = bench_median(rounds[w], BENCH_ROUNDS);
			const double mib =
				(double)cases[c].bytes / (1 << 20) * (cases[c].count - 1);
			char what[32];

			snprintf(what, sizeof what, "%s%s", ways[w].name,
				 cases[c].relays ? "_relay3" : "");
			json_array_append_new(results,
					      json_pack("{s:s, s:i, s:I, s:f, s:f}", "what", what,
							"threads", 1, "bytes",
							(json_int_t)cases[c].bytes, "mib_per_s",
							mib / m.seconds, "cpu_ms_per_block",
							m.cpu_ms / cases[c].count));
		}
	}
	return true;
}
