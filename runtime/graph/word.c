// SPDX-License-Identifier: Apache-2.0
/* word.c: keys of a node whose value is one of some words. */
#include <string.h>

#include "graph/draft.h"
#include "graph/hint.h"

int fx_draft_word(const struct fx_draft *d, const struct fx_draft_node *n, const char *key,
		  const struct fx_yaml *y, const char *text, const char *const *names, size_t len)
{
	struct fx_hint hint = { 0 };

	for (size_t i = 0; i < len; i++) {
		if (strcmp(names[i], text) == 0)
			return (int)i;
		fx_hint_offer(&hint, text, names[i]);
	}
	fx_graph_error_add(d->errors, y->line, y->col, "%s.%s: no %s \"%.100s\"%s", n->name, key,
			   key, text, fx_hint_text(&hint));
	return -1;
}
