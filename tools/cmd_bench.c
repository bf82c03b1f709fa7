// SPDX-License-Identifier: Apache-2.0
/* cmd_bench.c: fornix bench. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "base/cpu.h"
#include "base/nearest.h"
#include "bench.h"
#include "cmd.h"

static const struct {
	const char *name, *about;
	bool (*run)(json_t *results);
} benches[] = {
	{ "link", "blocks between processes: fornix, plain ZeroMQ over ipc, a bare ring",
	  bench_link },
	{ "graph", "the whole main job on a phantom", bench_graph },
	{ "conv3d", "24 convolutions of 32 channels on 33 x 33 x 33 voxels", bench_conv3d },
	{ "unet", "a U-Net and what follows it, on blocks of 128 x 128 x 128 voxels", bench_unet },
	{ "cc", "26-connected components of 64-bit labels, 64 x 256 x 256 voxels", bench_cc },
	{ "edt", "distance to the nearest other label, 64 x 256 x 256 voxels", bench_edt },
	{ "teasar", "skeletons of a phantom's neurites, 64 x 256 x 256 voxels", bench_teasar },
	{ "frames", "a detector over TCP: acquire/zmq without and with a spool, and plain ZeroMQ",
	  bench_frames },
	{ "voi", "the table of label pairs and VOI of 192 x 192 x 192 voxels", bench_voi },
	{ "agglomerate", "the graph of touching fragments and its merge, 64 x 256 x 256 voxels",
	  bench_agglomerate },
	{ "scale", "1 to 64 workers with a set time a block, and 200 processes", bench_scale },
};

enum { BENCHES = sizeof benches / sizeof *benches };

/* One result a line, its numbers behind its name. */
static void print_results(const json_t *results)
{
	json_t *result, *v;
	const char *key;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)results, i, result)
	{
		fprintf(stderr, "  %-22s", json_string_value(json_object_get(result, "what")));
		json_object_foreach(result, key, v) if (json_is_number(v))
			fprintf(stderr, "  %s %.5g", key, json_number_value(v));
		fprintf(stderr, "\n");
	}
}

static int bench_one(int b, bool json)
{
	json_t *results = json_array(), *all;
	char cpu[128];
	bool ok;

	fx_cpu_name(cpu, sizeof cpu);
	fprintf(stderr, "%s: %s\n  on %s, %d cores, OpenBLAS %s\n", benches[b].name,
		benches[b].about, cpu, fx_cpu_count(), openblas_get_corename());
	ok = benches[b].run(results);
	print_results(results);
	all = json_pack("{s:s, s:s, s:i, s:s, s:o}", "bench", benches[b].name, "cpu", cpu, "cores",
			fx_cpu_count(), "openblas_core", openblas_get_corename(), "results",
			results);
	if (json && all) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		printf("\n");
	}
	json_decref(all);
	return ok ? CMD_DONE : CMD_FAILED;
}

static int find_bench(const char *name)
{
	struct fx_nearest near = { 0 };
	char names[128] = "";

	for (int i = 0; i < BENCHES; i++) {
		const size_t len = strlen(names);

		if (strcmp(benches[i].name, name) == 0)
			return i;
		fx_nearest_offer(&near, name, benches[i].name);
		snprintf(names + len, sizeof names - len, "%s%s", i ? ", " : "", benches[i].name);
	}
	cmd_wrong("no benchmark \"%s\"%s%s; there are %s", name, near.name ? ", did you mean " : "",
		  near.name ? near.name : "", names);
	return -1;
}

int cmd_bench(int argc, char **argv)
{
	bool json = false;
	const struct cmd_option options[] = {
		{ "json", &json, NULL, NULL, "print one JSON object a benchmark on stdout" },
		{ 0 },
	};
	struct cmd_line line = {
		.usage = "fornix bench [NAME ...] [--json]",
		.about =
			"Measures on this machine, each thing in turn with what it is compared "
			"to.\n\n"
			"  link   blocks of 16 and 1 MiB between two processes, every byte "
			"written and\n"
			"         read; and through three relays. MiB/s, CPU ms a block\n"
			"  graph  the whole main job on a phantom. MVx/s, share of CPU by node\n"
			"  conv3d the convolutions of a flood-filling network by each path of the "
			"kernels.\n"
			"         ms and CPU ms a stack, GFLOP/s; share of a core's peak by CPU "
			"time\n"
			"  unet   segmenter/unet with the net of graphs/train-unet.yaml on one "
			"core: "
			"the\n"
			"         network, and each step from its logits to segments. MVx/s by CPU "
			"time\n"
			"  cc, edt, teasar\n"
			"         kernels on label volumes on one core: components, distance to "
			"the\n"
			"         nearest other label, skeletons. MVx/s by CPU time; the first two "
			"in\n"
			"         turn with plain C\n"
			"  frames frames of 16 and 4 MiB from a detector over TCP through "
			"acquire/zmq "
			"to a\n"
			"         consumer: without a spool and with one, in TMPDIR and in memory, "
			"read "
			"at\n"
			"         once and slowly; plain ZeroMQ, and writing the same bytes. GB/s, "
			"CPU s "
			"a GB\n"
			"  voi    the variation of information of two label volumes, in turn with "
			"a map\n"
			"         of maps in plain C. MVx/s by CPU time, ratio\n"
			"  agglomerate\n"
			"         the graph of touching fragments with its boundary statistics, "
			"and its\n"
			"         merge, on one core in turn with plain C. MVx/s by CPU time\n"
			"  scale  1 to 64 workers that only wait a set time for each block, "
			"against the\n"
			"         ideal of workers / time; what the framework costs; starting, and "
			"keeping,\n"
			"         200 processes\n",
		.options = options,
		.max_words = -1,
	};
	int result = cmd_parse(&line, argc, argv);

	if (result != CMD_GO)
		return result;
	result = CMD_DONE;
	for (int i = 0; i < (line.words_len ? line.words_len : BENCHES) && result == CMD_DONE;
	     i++) {
		const int b = line.words_len ? find_bench(line.words[i]) : i;

		result = b < 0 ? CMD_WRONG : bench_one(b, json);
	}
	return result;
}
