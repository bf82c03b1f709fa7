// SPDX-License-Identifier: Apache-2.0
/* connect.c: the edges of a draft: from names to ports, past nodes that are left out. */
#include <string.h>

#include "graph/describe.h"
#include "graph/draft.h"
#include "graph/hint.h"

static const char *hint_ports(struct fx_hint *hint, const struct fx_node_type *t, const char *name,
			      enum fx_dir dir)
{
	for (const struct fx_port *p = t->ports; p->name; p++)
		if (p->dir == dir)
			fx_hint_offer(hint, name, p->name);
	return fx_hint_text(hint);
}

/* The input that the edge names; false when there is none. */
static bool bind_input(const struct fx_draft *d, const struct fx_draft_node *n,
		       struct fx_draft_edge *e)
{
	const int port = fx_type_port(n->type, e->name, FX_IN);
	struct fx_hint hint = { 0 };

	if (port < 0)
		fx_graph_error_add(d->errors, e->name_at.line, e->name_at.col,
				   "%s: %s has no input \"%.100s\"%s", n->name, n->type->name,
				   e->name, hint_ports(&hint, n->type, e->name, FX_IN));
	e->port = (unsigned)port;
	return port >= 0;
}

static bool bind_node(const struct fx_draft *d, const struct fx_draft_node *n,
		      struct fx_draft_edge *e, const char *dot)
{
	char name[FX_GRAPH_NAME_MAX + 1] = "";
	struct fx_hint hint = { 0 };
	const size_t len = (size_t)(dot - e->source);
	const long from = fx_draft_find(d, e->source, len);

	if (from >= 0) {
		e->from = (size_t)from;
		return true;
	}
	memcpy(name, e->source, len < FX_GRAPH_NAME_MAX ? len : FX_GRAPH_NAME_MAX);
	for (size_t i = 0; i < d->nodes_len && !d->errors->more; i++) /* few are read: save time */
		fx_hint_offer(&hint, name, d->nodes[i].name);
	fx_graph_error_add(d->errors, e->at.line, e->at.col, "%s.%.100s: no node \"%s\"%s", n->name,
			   e->name, name, fx_hint_text(&hint));
	return false;
}

/* The output that the edge reads. Of a type that is not known nothing can be said. */
static bool bind_output(const struct fx_draft *d, const struct fx_draft_node *n,
			struct fx_draft_edge *e, const char *name)
{
	const struct fx_draft_node *from = &d->nodes[e->from];
	struct fx_hint hint = { 0 };
	int port;

	if (!from->type)
		return from->off;
	port = fx_type_port(from->type, name, FX_OUT);
	if (port < 0)
		fx_graph_error_add(d->errors, e->at.line, e->at.col,
				   "%s.%.100s: %s (%s) has no output \"%.100s\"%s", n->name,
				   e->name, from->name, from->type->name, name,
				   hint_ports(&hint, from->type, name, FX_OUT));
	e->from_port = (unsigned)port;
	return port >= 0;
}

/* From names to indices; the edge stays bad when one of them is wrong. */
static void bind_edge(const struct fx_draft *d, const struct fx_draft_node *n,
		      struct fx_draft_edge *e)
{
	bool good = n->type ? bind_input(d, n, e) : n->off;
	const char *dot;

	if (!e->source)
		return;
	dot = strchr(e->source, '.');
	if (!dot || dot == e->source || !dot[1] || strchr(dot + 1, '.')) {
		fx_graph_error_add(d->errors, e->at.line, e->at.col,
				   "%s.%.100s: \"%.100s\" is not of the form NODE.OUTPUT", n->name,
				   e->name, e->source);
		return;
	}
	good = bind_node(d, n, e, dot) && bind_output(d, n, e, dot + 1) && good;
	e->state = good ? FX_EDGE_OK : FX_EDGE_BAD;
}

static bool roles_meet(const struct fx_port *a, const struct fx_port *b)
{
	return !a->roles || !b->roles || (a->roles & b->roles);
}

/* What stands in for the output of a node that is left out: its only edge, when the node sends the
 * same kind of thing as it takes; else NULL. */
static const struct fx_draft_edge *bypass(const struct fx_draft_node *n)
{
	const struct fx_port *in, *only = NULL;
	unsigned outputs = 0;

	if (n->edges_len != 1)
		return NULL;
	if (!n->type || n->edges[0].state == FX_EDGE_BAD)
		return &n->edges[0];
	for (const struct fx_port *p = n->type->ports; p->name; p++)
		if (p->dir == FX_OUT) {
			only = p;
			outputs++;
		}
	in = &n->type->ports[n->edges[0].port];
	if (outputs != 1 || only->kinds != in->kinds || !roles_meet(only, in))
		return NULL;
	return &n->edges[0];
}

static void tell_gone(const struct fx_draft *d, const struct fx_draft_node *n,
		      const struct fx_draft_edge *e, const struct fx_draft_node *gone)
{
	fx_graph_error_add(d->errors, e->at.line, e->at.col,
			   "%s.%s needs what %s sends, but \"%s\" is left out by its \"when\"",
			   n->name, e->name, e->source, gone->name);
}

/* Follows the edge through nodes that are left out to the one that is really read. */
static void resolve_edge(const struct fx_draft *d, const struct fx_draft_node *n,
			 struct fx_draft_edge *e)
{
	size_t hops = 0;

	while (e->state == FX_EDGE_OK && d->nodes[e->from].off) {
		const struct fx_draft_node *gone = &d->nodes[e->from];
		const struct fx_draft_edge *via = bypass(gone);

		if (!via || hops++ > d->nodes_len) {
			e->state = FX_EDGE_GONE;
			if (!n->type->ports[e->port].optional)
				tell_gone(d, n, e, gone);
			return;
		}
		e->state = via->state;
		e->from = via->from;
		e->from_port = via->from_port;
	}
	if (e->state == FX_EDGE_OK && !d->nodes[e->from].type)
		e->state = FX_EDGE_BAD;
}

/* Some message of @p out is accepted by @p in. */
static bool ports_fit(const struct fx_port *out, const struct fx_port *in)
{
	const unsigned kinds = out->kinds & in->kinds;

	if (!(kinds & FX_BLOCK))
		return kinds;
	return (out->dtypes & fx_precision_taken(in)) && roles_meet(out, in);
}

static void check_flow(const struct fx_draft *d, const struct fx_draft_node *n,
		       const struct fx_draft_edge *e)
{
	const struct fx_draft_node *from = &d->nodes[e->from];
	const struct fx_port *in = &n->type->ports[e->port];
	const struct fx_port out = fx_precision_port(
		&from->type->ports[e->from_port], fx_precision_of(from->precision, e->from_port));
	char sends[160], takes[160];

	if (ports_fit(&out, in))
		return;
	fx_port_text(&out, sends, sizeof sends);
	fx_port_text(in, takes, sizeof takes);
	fx_graph_error_add(d->errors, e->at.line, e->at.col,
			   "%s.%s does not take what %s.%s sends: %s; it takes %s", n->name,
			   in->name, from->name, out.name, sends, takes);
}

static const struct fx_draft_edge *edge_of(const struct fx_draft_node *n, const char *input)
{
	for (size_t i = 0; i < n->edges_len; i++)
		if (strcmp(n->edges[i].name, input) == 0)
			return &n->edges[i];
	return NULL;
}

static void check_inputs(const struct fx_draft *d, const struct fx_draft_node *n)
{
	bool reads = false, required = false;
	struct fx_hint hint = { 0 };

	for (size_t i = 0; i < n->edges_len; i++) {
		if (fx_type_port(n->type, n->edges[i].name, FX_IN) < 0)
			return; /* the wrong name may have meant the missing one */
		reads = reads || n->edges[i].state != FX_EDGE_GONE;
	}
	for (const struct fx_port *p = n->type->ports; p->name && p->dir == FX_IN; p++) {
		required = required || !p->optional;
		if (!p->optional && !edge_of(n, p->name))
			fx_graph_error_add(d->errors, n->at.line, n->at.col,
					   "%s: input \"%s\" is not connected: %s", n->name,
					   p->name, p->help ? p->help : "");
	}
	if (n->type->ports[0].name && n->type->ports[0].dir == FX_IN && !reads && !required)
		fx_graph_error_add(d->errors, n->at.line, n->at.col,
				   "%s: none of its inputs is connected%s", n->name,
				   hint_ports(&hint, n->type, "", FX_IN));
}

static void connect_node(const struct fx_draft *d, struct fx_draft_node *n)
{
	for (size_t i = 0; i < n->edges_len; i++) {
		resolve_edge(d, n, &n->edges[i]);
		if (n->edges[i].state == FX_EDGE_OK)
			check_flow(d, n, &n->edges[i]);
	}
	check_inputs(d, n);
}

void fx_draft_connect(struct fx_draft *d)
{
	for (size_t i = 0; i < d->nodes_len; i++)
		for (size_t j = 0; j < d->nodes[i].edges_len; j++)
			if (!fx_graph_hopeless(d->errors))
				bind_edge(d, &d->nodes[i], &d->nodes[i].edges[j]);
	for (size_t i = 0; i < d->nodes_len; i++)
		if (d->nodes[i].type && !d->nodes[i].off)
			connect_node(d, &d->nodes[i]);
}
