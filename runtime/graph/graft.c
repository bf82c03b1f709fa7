// SPDX-License-Identifier: Apache-2.0
/* graft.c: changes to a checked graph. */
#include "graph/graft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/draft.h"

int fx_graph_output(const struct fx_graph *g, const char *name, size_t *node, unsigned *port,
		    struct fx_error *err)
{
	const size_t len = strcspn(name, ".");
	char list[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < g->nodes_len; i++)
		for (unsigned p = 0; g->nodes[i].type->ports[p].name; p++) {
			const char *own = g->nodes[i].name, *out = g->nodes[i].type->ports[p].name;
			int n;

			if (g->nodes[i].type->ports[p].dir != FX_OUT)
				continue;
			*node = i;
			*port = p;
			if (strlen(own) == len && strncmp(own, name, len) == 0 && name[len] &&
			    strcmp(out, name + len + 1) == 0)
				return FX_OK;
			n = snprintf(list + used, sizeof list - used, " %s.%s", own, out);
			used = n < 0 || used + (size_t)n >= sizeof list ? used : used + (size_t)n;
			list[used] = 0;
		}
	return fx_error_set(err, FX_ENOENT, "%s has no output %s; there are%s", g->file, name,
			    list);
}

static int no_memory(struct fx_error *err)
{
	return fx_error_set(err, FX_ENOMEM, "no memory for the graph");
}

/* Type and options of a graft; those of the node are freed. */
static int set_node(struct fx_graph_node *n, const struct fx_graft *graft, struct fx_error *err)
{
	for (size_t i = 0; i < n->options_len; i++) {
		free(n->options[i].name);
		free(n->options[i].value);
	}
	free(n->options);
	n->options_len = 0;
	n->type = graft->type;
	n->workers = 1;
	n->options = fx_calloc(graft->options_len, sizeof *n->options);
	if (!n->options)
		return no_memory(err);
	for (size_t i = 0; i < graft->options_len; i++) {
		struct fx_graph_option *o = &n->options[n->options_len++];

		o->name = fx_strdup(graft->options[i].name);
		o->value = fx_strdup(graft->options[i].value);
		if (!o->name || !o->value)
			return no_memory(err);
	}
	return FX_OK;
}

int fx_graft_reader(struct fx_graph *g, const char *name, const struct fx_graft *graft, size_t node,
		    unsigned port, struct fx_error *err)
{
	struct fx_graph_node *nodes = realloc(g->nodes, (g->nodes_len + 1) * sizeof *nodes), *n;

	if (!nodes)
		return no_memory(err);
	g->nodes = nodes;
	n = &nodes[g->nodes_len++];
	memset(n, 0, sizeof *n);
	n->name = fx_strdup(name);
	n->inputs = fx_calloc(1, sizeof *n->inputs);
	if (set_node(n, graft, err) < 0 || !n->name || !n->inputs)
		return no_memory(err);
	n->inputs[0] = (struct fx_graph_input){ .port = 0, .from = node, .from_port = port };
	n->inputs_len = 1;
	return FX_OK;
}

/* Readers of other outputs of @p node lose them. */
static int reconnect(struct fx_graph *g, size_t node, unsigned port, struct fx_error *err)
{
	for (size_t i = 0; i < g->nodes_len; i++) {
		struct fx_graph_node *n = &g->nodes[i];
		size_t kept = 0;

		for (size_t k = 0; k < n->inputs_len; k++) {
			struct fx_graph_input in = n->inputs[k];
			const bool lost = in.from == node && in.from_port != port;

			if (lost && !n->type->ports[in.port].optional)
				return fx_error_set(
					err, FX_EINVAL, "%s.%s needs %s.%s, which was not recorded",
					n->name, n->type->ports[in.port].name, g->nodes[node].name,
					g->nodes[node].type->ports[in.from_port].name);
			in.from_port = in.from == node ? 0 : in.from_port;
			if (!lost)
				n->inputs[kept++] = in;
		}
		n->inputs_len = kept;
	}
	return FX_OK;
}

static bool is_read(const struct fx_graph *g, size_t node)
{
	for (size_t i = 0; i < g->nodes_len; i++)
		for (size_t k = 0; k < g->nodes[i].inputs_len; k++)
			if (g->nodes[i].inputs[k].from == node)
				return true;
	return false;
}

static void remove_node(struct fx_graph *g, size_t node)
{
	fx_graph_node_fini(&g->nodes[node]);
	g->nodes_len--;
	memmove(&g->nodes[node], &g->nodes[node + 1], (g->nodes_len - node) * sizeof *g->nodes);
	for (size_t i = 0; i < g->nodes_len; i++)
		for (size_t k = 0; k < g->nodes[i].inputs_len; k++)
			g->nodes[i].inputs[k].from -= g->nodes[i].inputs[k].from > node;
}

/* What stands before @p node in the order and led to it alone. */
static void prune(struct fx_graph *g, size_t node, const bool *was_read)
{
	for (size_t i = node; i-- > 0;)
		if (was_read[i] && !is_read(g, i))
			remove_node(g, i);
}

int fx_graft_source(struct fx_graph *g, const struct fx_graft *graft, size_t node, unsigned port,
		    struct fx_error *err)
{
	bool *was_read = fx_calloc(g->nodes_len, sizeof *was_read);
	int result = was_read ? reconnect(g, node, port, err) : no_memory(err);

	for (size_t i = 0; result == FX_OK && i < g->nodes_len; i++)
		was_read[i] = is_read(g, i);
	if (result == FX_OK)
		result = set_node(&g->nodes[node], graft, err);
	if (result == FX_OK) {
		free(g->nodes[node].inputs);
		g->nodes[node].inputs = NULL;
		g->nodes[node].inputs_len = 0;
		prune(g, node, was_read);
	}
	free(was_read);
	return result;
}
