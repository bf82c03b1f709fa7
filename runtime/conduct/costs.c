// SPDX-License-Identifier: Apache-2.0
/* costs.c: what the nodes of a graph cost, from a receipt or by a guess. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "conduct/place.h"

enum { RECEIPT_MAX = 64 << 20 };

/* Seconds for the same data, as a guess: segmenters are by far the slowest. */
static double guess_seconds(const char *type)
{
	static const struct {
		const char *role;
		double seconds;
	} roles[] = {
		{ "segmenter/", 100 }, { "trainer/", 100 },  { "skeletonizer/", 10 },
		{ "aligner/", 10 },    { "normalizer/", 3 }, { "stitcher/", 3 },
	};

	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strncmp(type, roles[i].role, strlen(roles[i].role)) == 0)
			return roles[i].seconds;
	return 1;
}

static size_t edges_of(const struct fx_graph *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nodes_len; i++)
		n += g->nodes[i].inputs_len;
	return n;
}

int fx_costs_guess(struct fx_costs *c, const struct fx_graph *g, struct fx_error *err)
{
	*c = (struct fx_costs){ .seconds = fx_calloc(g->nodes_len, sizeof *c->seconds),
				.bytes = fx_calloc(edges_of(g), sizeof *c->bytes) };
	if (!c->seconds || !c->bytes) {
		fx_costs_fini(c);
		return fx_error_set(err, FX_ENOMEM, "no memory for the plan");
	}
	for (size_t i = 0; i < g->nodes_len; i++)
		c->seconds[i] = guess_seconds(g->nodes[i].type->name);
	for (size_t i = 0; i < edges_of(g); i++)
		c->bytes[i] = FX_LINK_RATE;
	return FX_OK;
}

void fx_costs_fini(struct fx_costs *c)
{
	free(c->seconds);
	free(c->bytes);
	*c = (struct fx_costs){ 0 };
}

/* Adds up the work of all workers of a node. */
static bool node_seconds(const json_t *nodes, const char *name, double *seconds)
{
	bool found = false;
	double sum = 0;

	for (size_t i = 0; i < json_array_size(nodes); i++) {
		const json_t *n = json_array_get(nodes, i);
		const char *is = json_string_value(json_object_get(n, "node"));

		if (!is || strcmp(is, name) != 0)
			continue;
		found = true;
		sum += json_number_value(json_object_get(n, "work_seconds"));
	}
	if (found)
		*seconds = sum > 0 ? sum : 0;
	return found;
}

static void edge_bytes(const json_t *edges, const char *from, const char *to, double *bytes)
{
	for (size_t i = 0; i < json_array_size(edges); i++) {
		const json_t *e = json_array_get(edges, i);
		const char *a = json_string_value(json_object_get(e, "from"));
		const char *b = json_string_value(json_object_get(e, "to"));
		const json_t *n = json_object_get(e, "bytes");

		if (a && b && strcmp(a, from) == 0 && strcmp(b, to) == 0 && json_is_integer(n) &&
		    json_integer_value(n) >= 0)
			*bytes = (double)json_integer_value(n);
	}
}

static bool costs_take(struct fx_costs *c, const struct fx_graph *g, const json_t *receipt)
{
	size_t edge = 0;

	for (size_t i = 0; i < g->nodes_len; i++) {
		const struct fx_graph_node *n = &g->nodes[i];

		c->measured |=
			node_seconds(json_object_get(receipt, "nodes"), n->name, &c->seconds[i]);
		for (size_t k = 0; k < n->inputs_len; k++, edge++) {
			const struct fx_graph_node *f = &g->nodes[n->inputs[k].from];
			char from[160], to[160];

			snprintf(from, sizeof from, "%s.%s", f->name,
				 f->type->ports[n->inputs[k].from_port].name);
			snprintf(to, sizeof to, "%s.%s", n->name,
				 n->type->ports[n->inputs[k].port].name);
			edge_bytes(json_object_get(receipt, "edges"), from, to, &c->bytes[edge]);
		}
	}
	return c->measured;
}

int fx_costs_read(struct fx_costs *c, const struct fx_graph *g, const char *path,
		  struct fx_error *err)
{
	json_t *j = NULL;
	void *text;
	size_t size;
	int result = fx_costs_guess(c, g, err);

	if (result == FX_OK)
		result = fx_file_read(path, RECEIPT_MAX, &text, &size, err);
	if (result < 0) {
		fx_costs_fini(c);
		return result;
	}
	j = json_loadb(text, size, 0, NULL);
	free(text);
	if (!j || !costs_take(c, g, j)) {
		result = fx_error_set(err, FX_EINVAL,
				      "%s is not the receipt of a run with nodes of this graph",
				      path);
		fx_costs_fini(c);
	}
	json_decref(j);
	return result;
}
