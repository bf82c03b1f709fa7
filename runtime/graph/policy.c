// SPDX-License-Identifier: Apache-2.0
/* policy.c: the key `policy` of a node: what happens when it is slower than what comes. */
#include <stdlib.h>
#include <string.h>

#include "graph/draft.h"
#include "graph/hint.h"
#include "graph/option.h"

enum { SPOOL_MIB = 10240, SPOOL_MIB_MAX = 1 << 30 };

static const char *const names[] = {
	[FX_POLICY_BLOCK] = "block",
	[FX_POLICY_SPOOL] = "spool",
	[FX_POLICY_DROP_OLD] = "drop_old",
	[FX_POLICY_DROP_NEW] = "drop_new",
};

enum { NAMES = sizeof names / sizeof *names };

const char *fx_policy_name(enum fx_policy policy)
{
	return names[policy];
}

/* "20 GiB" behind "spool"; false when it is no size. */
static bool spool_size(const char *text, uint64_t *bytes, struct fx_error *err)
{
	struct size {
		int mib;
	} size = { SPOOL_MIB };
	const struct fx_option option = { FX_FIELD(struct size, mib), .unit = "MiB", .min = 1,
					  .max = SPOOL_MIB_MAX };

	if (*text && fx_option_set(&option, text, &size, err) < 0)
		return false;
	*bytes = (uint64_t)size.mib << 20;
	return true;
}

void fx_draft_policy(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y,
		     const struct fx_yaml_entry *input, const char *text)
{
	const bool sized = strncmp(text, "spool ", 6) == 0;
	const int k =
		sized ? FX_POLICY_SPOOL : fx_draft_word(d, n, "policy", y, text, names, NAMES);
	struct fx_draft_policy p = { .at = { y->line, y->col } };
	struct fx_error err = { 0 };

	if (k < 0)
		return;
	p.policy = (enum fx_policy)k;
	if (!spool_size(sized ? text + 6 + strspn(text + 6, " ") : "", &p.spool_bytes, &err)) {
		fx_graph_error_add(d->errors, y->line, y->col, "%s.policy: spool: %s", n->name,
				   err.text);
		return;
	}
	if (input) {
		p.input = input->key;
		p.name_at = (struct fx_place){ input->line, input->col };
	}
	n->policies[n->policies_len++] = p;
}

/* The edges that a policy is for; none is an error. */
static void apply(struct fx_draft *d, struct fx_draft_node *n, const struct fx_draft_policy *p)
{
	struct fx_hint hint = { 0 };
	bool found = false;

	for (size_t i = 0; i < n->edges_len; i++) {
		if (p->input && strcmp(n->edges[i].name, p->input) != 0)
			continue;
		n->edges[i].policy = p->policy;
		n->edges[i].spool_bytes = p->spool_bytes;
		found = true;
	}
	for (size_t i = 0; !found && p->input && i < n->edges_len; i++)
		fx_hint_offer(&hint, p->input, n->edges[i].name);
	if (!found && !p->input)
		fx_graph_error_add(d->errors, p->at.line, p->at.col,
				   "%s.policy: the node has no connected input", n->name);
	else if (!found)
		fx_graph_error_add(d->errors, p->name_at.line, p->name_at.col,
				   "%s.policy: no connected input \"%.100s\"%s", n->name, p->input,
				   n->edges_len ? fx_hint_text(&hint) : "");
}

void fx_draft_policies(struct fx_draft *d)
{
	for (size_t i = 0; i < d->nodes_len; i++)
		for (size_t k = 0; k < d->nodes[i].policies_len; k++)
			apply(d, &d->nodes[i], &d->nodes[i].policies[k]);
}
