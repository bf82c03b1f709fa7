// SPDX-License-Identifier: Apache-2.0
/* graph.c: graph files. There is a graph that holds together, or a message with a place. */
#include "fuzz/fuzz.h"

#include "graph/graph.h"
#include "runtime/graph/fake_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g;

	g = fx_graph_parse("f", (const char *)data, size, r, NULL, 0, 0, &errors);
	fuzz_must((g != NULL) == (errors.len == 0) && errors.len <= FX_GRAPH_ERRORS_MAX);
	for (size_t i = 0; i < errors.len; i++)
		fuzz_must(errors.list[i].text[0] && errors.list[i].line >= 0);
	for (size_t i = 0; g && i < g->nodes_len; i++)
		for (size_t k = 0; k < g->nodes[i].inputs_len; k++)
			fuzz_must(g->nodes[i].inputs[k].from < i);
	fx_graph_free(g);
	fx_registry_free(r);
	return 0;
}
