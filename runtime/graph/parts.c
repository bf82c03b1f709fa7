// SPDX-License-Identifier: Apache-2.0
/* parts.c: `workers` and `key`: how the work of a node is shared or parted. */
#include "graph/draft.h"

static const char *const names[] = { "region", "id" };
static const enum fx_key keys[] = { FX_KEY_REGION, FX_KEY_ID };

enum { NAMES = sizeof names / sizeof *names };

const char *fx_key_name(enum fx_key key)
{
	for (size_t i = 0; i < NAMES; i++)
		if (keys[i] == key)
			return names[i];
	return "none";
}

void fx_draft_key(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y,
		  const char *text)
{
	const int k = fx_draft_word(d, n, "key", y, text, names, NAMES);

	n->key_at = (struct fx_place){ y->line, y->col };
	if (k >= 0)
		n->key = keys[k];
}

static enum fx_key first_key(const struct fx_node_type *t)
{
	return t->keys & FX_KEY_REGION ? FX_KEY_REGION : FX_KEY_ID;
}

static void check_key(const struct fx_draft *d, const struct fx_draft_node *n)
{
	const bool other = n->type->keys != 0;

	if (n->type->stateless)
		fx_graph_error_add(d->errors, n->key_at.line, n->key_at.col,
				   "%s.key: %s keeps nothing between messages: its workers share "
				   "them without a key",
				   n->name, n->type->name);
	else if (!(n->type->keys & n->key))
		fx_graph_error_add(d->errors, n->key_at.line, n->key_at.col,
				   "%s.key: the work of %s cannot be parted by %s%s%s", n->name,
				   n->type->name, fx_key_name(n->key), other ? ", but by " : "",
				   other ? fx_key_name(first_key(n->type)) : "");
}

static void check_workers(const struct fx_draft *d, const struct fx_draft_node *n)
{
	const struct fx_place at = n->workers_at;
	const struct fx_node_type *t = n->type;

	if (n->key_at.line)
		return;
	if (!t->stateless && t->keys)
		fx_graph_error_add(d->errors, at.line, at.col,
				   "%s.workers: %s keeps state between messages: say by what its "
				   "work is parted, as in \"key: %s\"",
				   n->name, t->name, fx_key_name(first_key(t)));
	else if (!t->stateless)
		fx_graph_error_add(
			d->errors, at.line, at.col,
			"%s.workers: %s keeps state between messages, it can have 1 only", n->name,
			t->name);
	else if (t->ports[0].dir != FX_IN)
		fx_graph_error_add(d->errors, at.line, at.col,
				   "%s.workers: %s has no inputs to share, it can have 1 only",
				   n->name, t->name);
}

void fx_draft_check_parts(const struct fx_draft *d, const struct fx_draft_node *n)
{
	if (n->key)
		check_key(d, n);
	if (n->workers > 1)
		check_workers(d, n);
}

unsigned fx_graph_parts(const struct fx_graph *g, size_t node)
{
	const struct fx_graph_node *n = &g->nodes[node];

	while (n->type->stateless && n->inputs_len)
		n = &g->nodes[n->inputs[0].from];
	return n->key ? (unsigned)n->workers : 1;
}

/* Parts of one stream are put together again by their numbers, and see the same of it. */
static void check_policy(const struct fx_draft *d, const struct fx_graph_node *n,
			 const struct fx_graph_input *in)
{
	const struct fx_graph *g = d->graph;
	const bool drops = in->policy == FX_POLICY_DROP_OLD || in->policy == FX_POLICY_DROP_NEW;
	const char *const port = n->type->ports[in->port].name;

	if (in->policy != FX_POLICY_BLOCK && fx_graph_parts(g, in->from) > 1)
		fx_graph_error_add(
			d->errors, in->line, in->col,
			"%s.%s: policy %s does not go with what comes from a node with a "
			"key: put a flow/pass between them",
			n->name, port, fx_policy_name(in->policy));
	else if (drops && n->key && n->workers > 1)
		fx_graph_error_add(d->errors, in->line, in->col,
				   "%s.%s: policy %s does not go with a key: each part would miss "
				   "something else",
				   n->name, port, fx_policy_name(in->policy));
}

void fx_draft_check_policies(const struct fx_draft *d)
{
	const struct fx_graph *g = d->graph;

	for (size_t i = 0; i < g->nodes_len; i++)
		for (size_t k = 0; k < g->nodes[i].inputs_len; k++)
			check_policy(d, &g->nodes[i], &g->nodes[i].inputs[k]);
}
