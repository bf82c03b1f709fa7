// SPDX-License-Identifier: Apache-2.0
/* bench_graph.c: fornix bench graph: the whole main job on a phantom. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/cpu.h"
#include "base/file.h"
#include "bench.h"
#include "cmd.h"
#include "conduct/run.h"

static double own_cpu_s(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static double number_of(const json_t *o, const char *name)
{
	return json_number_value(json_object_get(o, name));
}

/* The receipt of a run to the result of the benchmark. */
static json_t *graph_result(const json_t *receipt, double conductor_s)
{
	json_t *nodes = json_array(), *node;
	const json_t *list = json_object_get(receipt, "nodes");
	double cpu = conductor_s, work = 0;
	size_t i;

	json_array_foreach((json_t *)(uintptr_t)list, i, node)
	{
		cpu += number_of(node, "cpu_seconds");
		work += number_of(node, "work_seconds");
	}
	json_array_foreach((json_t *)(uintptr_t)list, i, node) json_array_append_new(
		nodes, json_pack("{s:O, s:O, s:O, s:f, s:O}", "node", json_object_get(node, "node"),
				 "type", json_object_get(node, "type"), "instance",
				 json_object_get(node, "instance"), "cpu_share",
				 number_of(node, "cpu_seconds") / cpu, "peak_rss_bytes",
				 json_object_get(node, "peak_rss_bytes")));
	return json_pack("{s:s, s:i, s:f, s:f, s:f, s:f, s:o}", "what", "graph", "threads",
			 fx_cpu_count(), "seconds", number_of(receipt, "seconds"), "mvx_per_s",
			 number_of(receipt, "voxels") * 1e-6 / number_of(receipt, "seconds"),
			 "cpu_seconds", cpu, "framework_cpu_share", (cpu - work) / cpu, "nodes",
			 nodes);
}

static bool run_graph(const char *path, const char *out, json_t *results)
{
	const struct fx_run_options o = { .quiet = true, .http_port = FX_HTTP_OFF, .out = out };
	const struct fx_param params[] = { { "out", out }, { "segmenter", "watershed" } };
	struct fx_graph_errors errors = { 0 };
	struct fx_error err = { 0 };
	struct fx_registry *r = cmd_registry();
	struct fx_graph *g = r ? fx_graph_load(path, r, params, 2, 0, &errors) : NULL;
	char *text = NULL;
	const double before = own_cpu_s();
	const bool ok = g && fx_run_graph(g, &o, &text, &err) == FX_OK && text;
	json_t *receipt = ok ? json_loads(text, 0, NULL) : NULL;

	if (receipt)
		json_array_append_new(results, graph_result(receipt, own_cpu_s() - before));
	if (!ok) {
		cmd_print_errors(&errors);
		cmd_failed("bench graph: %s", err.text);
	}
	json_decref(receipt);
	free(text);
	fx_graph_free(g);
	fx_registry_free(r);
	return ok;
}

bool bench_graph(json_t *results)
{
	char out[] = "/tmp/fornix-bench-XXXXXX";
	char *graph = cmd_data_path("graphs/demo.yaml");
	bool ok;

	if (!graph || !mkdtemp(out)) {
		free(graph);
		cmd_failed("bench graph: cannot find graphs/demo.yaml or make a folder under /tmp");
		return false;
	}
	ok = run_graph(graph, out, results);
	fx_remove_tree(out, NULL);
	free(graph);
	return ok;
}
