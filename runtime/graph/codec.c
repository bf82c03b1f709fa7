// SPDX-License-Identifier: Apache-2.0
/* codec.c: the key `codec` of a node: how the payloads of its inputs are coded between hosts. */
#include <string.h>

#include "graph/draft.h"
#include "graph/hint.h"

static const char *const names[] = {
	[FX_CODING_AUTO] = "auto",
	[FX_CODING_NONE] = "none",
	[FX_CODING_LZ4] = "lz4",
	[FX_CODING_ZSTD] = "zstd",
};

enum { NAMES = sizeof names / sizeof *names };

const char *fx_coding_name(enum fx_coding coding)
{
	return names[coding];
}

/* The edges that it is for; none is an error. */
static void apply(struct fx_draft *d, struct fx_draft_node *n, const struct fx_draft_coding *c)
{
	struct fx_hint hint = { 0 };
	bool found = false;

	for (size_t i = 0; i < n->edges_len; i++) {
		if (c->input && strcmp(n->edges[i].name, c->input) != 0)
			continue;
		n->edges[i].coding = c->coding;
		found = true;
	}
	for (size_t i = 0; !found && c->input && i < n->edges_len; i++)
		fx_hint_offer(&hint, c->input, n->edges[i].name);
	if (!found && !c->input)
		fx_graph_error_add(d->errors, c->at.line, c->at.col,
				   "%s.codec: the node has no connected input", n->name);
	else if (!found)
		fx_graph_error_add(d->errors, c->at.line, c->at.col,
				   "%s.codec: no connected input \"%.100s\"%s", n->name, c->input,
				   n->edges_len ? fx_hint_text(&hint) : "");
}

void fx_draft_coding(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y,
		     const struct fx_yaml_entry *input, const char *text)
{
	const int k = fx_draft_word(d, n, "codec", y, text, names, NAMES);
	struct fx_draft_coding c = { .at = { y->line, y->col } };

	if (k < 0)
		return;
	c.coding = (enum fx_coding)k;
	if (input) {
		c.input = input->key;
		c.at = (struct fx_place){ input->line, input->col };
	}
	n->codings[n->codings_len++] = c;
}

void fx_draft_codings(struct fx_draft *d)
{
	for (size_t i = 0; i < d->nodes_len; i++)
		for (size_t k = 0; k < d->nodes[i].codings_len; k++)
			apply(d, &d->nodes[i], &d->nodes[i].codings[k]);
}
