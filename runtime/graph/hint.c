// SPDX-License-Identifier: Apache-2.0
/* hint.c: how an error about a wrong name ends. */
#include "graph/hint.h"

#include <stdio.h>
#include <string.h>

void fx_hint_offer(struct fx_hint *h, const char *word, const char *candidate)
{
	const size_t used = strlen(h->list);

	fx_nearest_offer(&h->near, word, candidate);
	if (used + strlen(candidate) + 8 < sizeof h->list)
		snprintf(h->list + used, sizeof h->list - used, "%s%s", used ? ", " : "",
			 candidate);
	else if (used && h->list[used - 1] != '.')
		snprintf(h->list + used, sizeof h->list - used, ", ...");
}

const char *fx_hint_text(struct fx_hint *h)
{
	if (h->near.name)
		snprintf(h->text, sizeof h->text, "; did you mean \"%.100s\"?", h->near.name);
	else
		snprintf(h->text, sizeof h->text, "; valid: %s", *h->list ? h->list : "none");
	return h->text;
}
