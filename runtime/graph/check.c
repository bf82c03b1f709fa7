// SPDX-License-Identifier: Apache-2.0
/* check.c: options of a draft against the tables of its node types. */
#include <string.h>

#include "graph/draft.h"
#include "graph/hint.h"
#include "graph/option.h"

/* False when the type has no option of this name. */
static bool check_option(const struct fx_draft *d, const struct fx_draft_node *n,
			 const struct fx_draft_option *set)
{
	const struct fx_option *o = fx_type_option(n->type, set->name);
	struct fx_error err = { 0 };
	struct fx_hint hint = { 0 };

	if (set->value.emptied || (o && (n->off || set->value.unknown)))
		return true;
	if (!o) {
		for (o = n->type->options; o && o->name; o++)
			fx_hint_offer(&hint, set->name, o->name);
		fx_graph_error_add(d->errors, set->name_at.line, set->name_at.col,
				   "%s: %s has no option \"%.100s\"%s", n->name, n->type->name,
				   set->name, fx_hint_text(&hint));
		return false;
	}
	if (fx_option_set(o, set->value.text, NULL, &err) < 0)
		fx_graph_error_add(d->errors, set->at.line, set->at.col, "%s.%s: %s", n->name,
				   set->name, err.text);
	return true;
}

static bool is_set(const struct fx_draft_node *n, const char *option)
{
	for (size_t i = 0; i < n->options_len; i++)
		if (strcmp(n->options[i].name, option) == 0)
			return !n->options[i].value.emptied;
	return false;
}

static void check_required(const struct fx_draft *d, const struct fx_draft_node *n)
{
	for (const struct fx_option *o = n->type->options; o && o->name; o++)
		if (fx_option_required(o) && !is_set(n, o->name))
			fx_graph_error_add(d->errors, n->at.line, n->at.col,
					   "%s: option \"%s\" must be set: %s", n->name, o->name,
					   o->help ? o->help : "");
}

static void check_node(const struct fx_draft *d, const struct fx_draft_node *n)
{
	bool known = true;

	for (size_t i = 0; i < n->options_len && !fx_graph_hopeless(d->errors); i++)
		known = check_option(d, n, &n->options[i]) && known;
	if (n->off)
		return;
	fx_draft_check_parts(d, n);
	if (known) /* else the wrong name may have meant the missing one */
		check_required(d, n);
}

void fx_draft_check(struct fx_draft *d)
{
	size_t off = 0;

	for (size_t i = 0; i < d->nodes_len; i++) {
		if (d->nodes[i].type)
			check_node(d, &d->nodes[i]);
		off += d->nodes[i].off;
	}
	if (off && off == d->nodes_len)
		fx_graph_error_add(d->errors, d->nodes[0].at.line, d->nodes[0].at.col,
				   "nothing to run: every node is left out by its \"when\"");
}
