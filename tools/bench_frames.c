// SPDX-License-Identifier: Apache-2.0
/* bench_frames.c: fornix bench frames: a detector over TCP, and what takes its frames. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "bench.h"
#include "bench_detector.h"
#include "cmd.h"
#include "conduct/run.h"

enum { WAYS_MAX = 16, PIECE = 4 << 20, ROUND = 1 << 30 /* bytes of one round, about */ };

/* One way that frames, or bytes, can take. */
struct way {
	const char *what;
	enum { ZEROMQ, DISK, FORNIX } kind;
	const char *folder; /* of what is written */
	bool spool;
	bool keeps;	 /* the consumer has state, and a journal */
	double pause_ms; /* of the consumer, with each tile of 4 MiB */
};

/* What one round measured. */
struct frames_round {
	double gb_per_s;			     /* taken from the detector */
	double sink_gb_per_s;			     /* reached the consumer */
	double sender_cpu_s, node_cpu_s, sink_cpu_s; /* for a GB */
};

static double own_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static double gb(size_t side, int frames)
{
	return (double)side * (double)side * frames * 1e-9;
}

/* The same bytes into a file, in pieces as a spool writes them, until they are durable. */
static bool disk_round(const struct way *w, struct bench_detector *d, struct frames_round *out)
{
	char *path = fx_path_join(w->folder, "bytes");
	void *piece = fx_alloc_aligned(PIECE);
	const size_t size = d->side * d->side * (size_t)d->frames;
	const int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
	const double cpu = own_cpu_s();
	const int64_t start = fx_now_ns();
	bool ok = piece && fd >= 0;

	if (ok)
		bench_write(piece, PIECE, 1);
	for (size_t at = 0; ok && at < size; at += PIECE)
		ok = fx_pwrite_all(fd, piece, PIECE, (off_t)at) == 0;
	ok = ok && fdatasync(fd) == 0;
	out->gb_per_s = (double)size / (double)(fx_now_ns() - start);
	out->sink_cpu_s = (own_cpu_s() - cpu) / gb(d->side, d->frames);
	if (fd >= 0)
		close(fd);
	if (path)
		unlink(path);
	free(path);
	free(piece);
	return ok;
}

static bool zeromq_round(struct bench_detector *d, struct frames_round *out)
{
	const double cpu = own_cpu_s();
	uint64_t sum = 0;
	bool ok = bench_detector_start(d) && bench_detector_drain(d, &sum);

	ok = bench_detector_end(d, ok) && sum == d->expect;
	out->node_cpu_s = (own_cpu_s() - cpu) / gb(d->side, d->frames);
	return ok;
}

static char *frames_graph(const struct way *w, const struct bench_detector *d, const char *result)
{
	const size_t tiles = d->side * d->side > PIECE ? d->side * d->side / PIECE : 1;

	return fx_asprintf("version: 1\n"
			   "nodes:\n"
			   "  scope: { type: acquire/zmq, set: { endpoint: \"%s\" } }\n"
			   "  sink:\n"
			   "    type: bench/sink\n"
			   "%s"
			   "    from: { in: scope.image }\n"
			   "    set: { result: %s, first: %zu, pause: %g ms }\n",
			   d->endpoint, w->spool ? "    policy: spool 16 GiB\n" : "", result,
			   tiles * (size_t)d->warm, w->pause_ms);
}

static void read_receipt(const char *text, double size_gb, struct frames_round *out)
{
	json_t *receipt = json_loads(text, 0, NULL);
	const json_t *nodes = json_object_get(receipt, "nodes");

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *node = json_array_get(nodes, i);
		const double cpu = json_number_value(json_object_get(node, "cpu_seconds"));
		const bool sink =
			strcmp(json_string_value(json_object_get(node, "node")), "sink") == 0;

		*(sink ? &out->sink_cpu_s : &out->node_cpu_s) = cpu / size_gb;
	}
	json_decref(receipt);
}

static bool run_text(const char *text, const struct way *w, char **receipt)
{
	const struct fx_run_options o = {
		.quiet = true, .http_port = FX_HTTP_OFF, .out = w->folder, .at_most_once = !w->keeps
	};
	struct fx_graph_errors errors = { 0 };
	struct fx_error err = { 0 };
	struct fx_registry *r = cmd_registry();
	struct fx_graph *g =
		r ? fx_graph_parse("bench", text, strlen(text), r, NULL, 0, 0, &errors) : NULL;
	const bool ok = g && fx_run_graph(g, &o, receipt, &err) == FX_OK;

	if (!ok) {
		cmd_print_errors(&errors);
		cmd_failed("bench frames: %s", err.text);
	}
	fx_graph_free(g);
	fx_registry_free(r);
	return ok;
}

static bool read_result(const char *path, const struct bench_detector *d, struct frames_round *out)
{
	void *answer = NULL;
	size_t size;
	char *end;
	bool ok = fx_file_read(path, 1000, &answer, &size, NULL) == FX_OK;

	if (ok)
		out->sink_gb_per_s = gb(d->side, d->frames - d->warm) / strtod(answer, &end);
	ok = ok && strtoull(end, NULL, 10) == d->expect;
	free(answer);
	return ok;
}

static bool fornix_round(const struct way *w, struct bench_detector *d, struct frames_round *out)
{
	char *result = fx_path_join(w->folder, "seconds"), *text = NULL, *receipt = NULL;
	bool ok = result && bench_detector_start(d);

	if (ok)
		text = frames_graph(w, d, result);
	ok = text && run_text(text, w, &receipt);
	ok = bench_detector_end(d, ok) && read_result(result, d, out);
	if (ok)
		read_receipt(receipt, gb(d->side, d->frames), out);
	free(result);
	free(text);
	free(receipt);
	return ok;
}

static bool one_round(const struct way *w, size_t side, struct frames_round *out)
{
	struct bench_detector d = { .side = side, .told = -1, .stay = -1 };
	bool ok;

	d.frames = (int)(ROUND / (side * side));
	d.warm = d.frames / 4;
	*out = (struct frames_round){ 0 };
	if (w->kind == DISK)
		return disk_round(w, &d, out);
	ok = w->kind == ZEROMQ ? zeromq_round(&d, out) : fornix_round(w, &d, out);
	if (ok) {
		out->gb_per_s = gb(side, d.frames - d.warm) / d.seconds;
		out->sender_cpu_s = d.cpu_s / gb(side, d.frames);
	}
	return ok;
}

static int by_rate(const void *a, const void *b)
{
	const struct frames_round *x = a, *y = b;

	return (x->gb_per_s > y->gb_per_s) - (x->gb_per_s < y->gb_per_s);
}

static bool bench_ways(const struct way *ways, size_t len, size_t side, json_t *results)
{
	struct frames_round rounds[WAYS_MAX][BENCH_ROUNDS];

	for (int k = 0; k < BENCH_ROUNDS; k++)
		for (size_t w = 0; w < len; w++)
			if (!one_round(&ways[w], side, &rounds[w][k])) {
				cmd_failed("bench frames: %s: frames were lost", ways[w].what);
				return false;
			}
	for (size_t w = 0; w < len; w++) {
		const struct frames_round *m = &rounds[w][BENCH_ROUNDS / 2];

		qsort(rounds[w], BENCH_ROUNDS, sizeof **rounds, by_rate);
		json_array_append_new(
			results,
			json_pack("{s:s, s:i, s:I, s:f, s:f, s:f, s:f, s:f}", "what", ways[w].what,
				  "threads", 1, "bytes", (json_int_t)(side * side), "gb_per_s",
				  m->gb_per_s, "consumer_gb_per_s", m->sink_gb_per_s,
				  "sender_cpu_s_per_gb", m->sender_cpu_s, "node_cpu_s_per_gb",
				  m->node_cpu_s, "consumer_cpu_s_per_gb", m->sink_cpu_s));
	}
	return true;
}

bool bench_frames(json_t *results)
{
	const char *tmp = getenv("TMPDIR");
	char *disk = fx_asprintf("%s/fornix-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	char memory[] = "/dev/shm/bench-fornix-XXXXXX";
	bool ok = disk && mkdtemp(disk), has_memory = mkdtemp(memory) != NULL;
	const struct way ways[] = {
		{ "zeromq", ZEROMQ, NULL, false, false, 0 },
		{ "fornix", FORNIX, disk, false, false, 0 },
		{ "spool_memory", FORNIX, memory, true, false, 0 },
		{ "spool_memory_state", FORNIX, memory, true, true, 0 },
		{ "write_memory", DISK, memory, false, false, 0 },
		{ "spool_disk", FORNIX, disk, true, false, 0 },
		{ "spool_disk_slow", FORNIX, disk, true, false, 12 },
		{ "spool_disk_state", FORNIX, disk, true, true, 0 },
		{ "write_disk", DISK, disk, false, false, 0 },
	};
	const size_t len = sizeof ways / sizeof *ways;

	ok = ok && has_memory && bench_ways(ways, len, 4096, results) &&
	     bench_ways(ways, 3, 2048, results);
	if (disk)
		fx_remove_tree(disk, NULL);
	if (has_memory)
		fx_remove_tree(memory, NULL);
	free(disk);
	return ok;
}
