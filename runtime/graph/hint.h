// SPDX-License-Identifier: Apache-2.0
/* hint.h: how an error about a wrong name ends: the nearest valid name, or all of them. */
#ifndef FX_GRAPH_HINT_H
#define FX_GRAPH_HINT_H

#include "base/nearest.h"

/** Zero-initialise, offer every valid name, then take the text. */
struct fx_hint {
	struct fx_nearest near;
	char list[200], text[240];
};

/** Offers a valid name in place of @p word; borrowed until fx_hint_text(). */
void fx_hint_offer(struct fx_hint *h, const char *word, const char *candidate);
/** "; did you mean \"x\"?" or "; valid: a, b"; lives as long as @p h. */
const char *fx_hint_text(struct fx_hint *h);

#endif
