// SPDX-License-Identifier: Apache-2.0
/* order.c: the nodes of a draft in topological order, ties by name; cycles. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/draft.h"

enum { NOT_PLACED = -1, ON_CYCLE = -2 };
enum { CYCLE_NAMES = 6 }; /* that are told */

struct order {
	const struct fx_draft *d;
	size_t *by_name; /* draft indices, in order of name */
	size_t *cycle;	 /* draft indices */
	size_t *nodes;	 /* draft indices, in their order in the graph */
	size_t len;
	long *place; /* of each draft node in nodes[], or NOT_PLACED, ON_CYCLE */
};

/* A producer that must be placed before @p n, or -1. */
static long waits_for(const struct order *o, const struct fx_draft_node *n)
{
	for (size_t i = 0; i < n->edges_len; i++)
		if (n->edges[i].state == FX_EDGE_OK && o->place[n->edges[i].from] == NOT_PLACED)
			return (long)n->edges[i].from;
	return -1;
}

/* Places the first node, by name, that waits for nothing; false when there is none. */
static bool place_next(struct order *o)
{
	for (size_t i = 0; i < o->d->nodes_len; i++) {
		const size_t index = o->by_name[i];
		const struct fx_draft_node *n = &o->d->nodes[index];

		if (n->off || o->place[index] != NOT_PLACED || waits_for(o, n) >= 0)
			continue;
		o->place[index] = (long)o->len;
		o->nodes[o->len++] = index;
		return true;
	}
	return false;
}

/* A node that lies on a cycle; -1 when every node is placed. */
static long find_cycle(const struct order *o)
{
	long at = -1;

	for (size_t i = 0; i < o->d->nodes_len && at < 0; i++)
		if (!o->d->nodes[i].off && o->place[i] == NOT_PLACED)
			at = (long)i;
	for (size_t steps = 0; at >= 0 && steps < o->d->nodes_len; steps++)
		at = waits_for(o, &o->d->nodes[at]);
	return at;
}

/* Tells the cycle through @p at, in the direction of the data from the node that comes first in the
 * file, and takes it out of what waits. */
static void tell_cycle(struct order *o, size_t at)
{
	const struct fx_draft_node *nodes = o->d->nodes, *n;
	char path[(CYCLE_NAMES + 2) * (FX_GRAPH_NAME_MAX + 5)];
	size_t len = 0, first = 0, used;

	do {
		o->cycle[len++] = at; /* each is followed by what it reads from */
		at = (size_t)waits_for(o, &nodes[at]);
	} while (at != o->cycle[0]);
	for (size_t i = 0; i < len; i++) {
		o->place[o->cycle[i]] = ON_CYCLE;
		if (nodes[o->cycle[i]].at.line < nodes[o->cycle[first]].at.line)
			first = i;
	}
	n = &nodes[o->cycle[first]];
	used = (size_t)snprintf(path, sizeof path, "%s", n->name);
	for (size_t i = 1; i < len && i <= CYCLE_NAMES; i++)
		used += (size_t)snprintf(
			path + used, sizeof path - used, " -> %s",
			i == CYCLE_NAMES ? "..." : nodes[o->cycle[(first + len - i) % len]].name);
	snprintf(path + used, sizeof path - used, " -> %s", n->name);
	fx_graph_error_add(o->d->errors, n->at.line, n->at.col, "%s: a cycle: %s", n->name, path);
}

static int option_by_name(const void *a, const void *b)
{
	const struct fx_graph_option *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int input_by_port(const void *a, const void *b)
{
	const struct fx_graph_input *x = a, *y = b;

	return (x->port > y->port) - (x->port < y->port);
}

static bool build_options(struct fx_graph_node *to, const struct fx_draft_node *n)
{
	to->options = fx_calloc(n->options_len, sizeof *to->options);
	for (size_t i = 0; to->options && i < n->options_len; i++) {
		const struct fx_draft_option *from = &n->options[i];
		struct fx_graph_option *o = &to->options[to->options_len];

		if (from->value.emptied)
			continue;
		to->options_len++;
		o->name = fx_strdup(from->name);
		o->value = fx_strdup(from->value.text ? from->value.text : from->written);
		o->line = from->at.line;
		o->col = from->at.col;
		if (!o->name || !o->value)
			return false;
	}
	if (to->options)
		qsort(to->options, to->options_len, sizeof *to->options, option_by_name);
	return to->options;
}

static bool build_inputs(struct fx_graph_node *to, const struct fx_draft_node *n,
			 const struct order *o)
{
	to->inputs = fx_calloc(n->edges_len, sizeof *to->inputs);
	for (size_t i = 0; to->inputs && i < n->edges_len; i++) {
		const struct fx_draft_edge *e = &n->edges[i];

		if (e->state == FX_EDGE_OK)
			to->inputs[to->inputs_len++] = (struct fx_graph_input){
				.port = e->port,
				.from = (size_t)o->place[e->from],
				.from_port = e->from_port,
				.policy = e->policy,
				.spool_bytes = e->spool_bytes,
				.coding = e->coding,
				.line = e->at.line,
				.col = e->at.col,
			};
	}
	if (to->inputs)
		qsort(to->inputs, to->inputs_len, sizeof *to->inputs, input_by_port);
	return to->inputs;
}

static void build_graph(struct fx_draft *d, const struct order *o)
{
	struct fx_graph *g = d->graph;

	g->nodes = fx_calloc(o->len, sizeof *g->nodes);
	for (size_t i = 0; g->nodes && i < o->len; i++) {
		const struct fx_draft_node *n = &d->nodes[o->nodes[i]];
		struct fx_graph_node *to = &g->nodes[g->nodes_len++];

		to->name = fx_strdup(n->name);
		to->line = n->at.line;
		to->col = n->at.col;
		to->type = n->type;
		to->workers = n->workers;
		to->key = n->key;
		to->bounds = n->bounds;
		to->hosts = n->hosts;
		to->precision = n->precision;
		if (!to->name || !build_options(to, n) || !build_inputs(to, n, o)) {
			fx_graph_error_add(d->errors, 0, 0, "no memory to order it");
			return;
		}
	}
	if (!g->nodes)
		fx_graph_error_add(d->errors, 0, 0, "no memory to order it");
}

static void sort_by_name(struct order *o)
{
	for (size_t i = 0; i < o->d->nodes_len; i++) {
		size_t at = i;

		o->place[i] = NOT_PLACED;
		while (at && strcmp(o->d->nodes[o->by_name[at - 1]].name, o->d->nodes[i].name) > 0)
			at--;
		memmove(&o->by_name[at + 1], &o->by_name[at], (i - at) * sizeof *o->by_name);
		o->by_name[at] = i;
	}
}

void fx_draft_order(struct fx_draft *d)
{
	struct order o = { .d = d };
	long cycle;

	o.by_name = fx_calloc(d->nodes_len, sizeof *o.by_name);
	o.cycle = fx_calloc(d->nodes_len, sizeof *o.cycle);
	o.nodes = fx_calloc(d->nodes_len, sizeof *o.nodes);
	o.place = fx_calloc(d->nodes_len, sizeof *o.place);
	if (o.by_name && o.cycle && o.nodes && o.place) {
		sort_by_name(&o);
		for (;;) {
			while (place_next(&o))
				;
			cycle = find_cycle(&o);
			if (cycle < 0)
				break;
			tell_cycle(&o, (size_t)cycle);
		}
		if (!d->errors->len)
			build_graph(d, &o);
	} else {
		fx_graph_error_add(d->errors, 0, 0, "no memory to order it");
	}
	free(o.by_name);
	free(o.cycle);
	free(o.nodes);
	free(o.place);
}
