// SPDX-License-Identifier: Apache-2.0
/* inbox.h: messages that were received and are not yet handed on, in order of their numbers. */
#ifndef FX_LINK_INBOX_H
#define FX_LINK_INBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/wire.h"

struct fx__arrival {
	struct fx_envelope envelope;
	size_t lane;
};

/* Zero-initialise. */
struct fx__inbox {
	struct fx__arrival *items; /* owned */
	size_t len, cap;
};

/* Takes what *e holds; false, and nothing is taken, without memory. */
bool fx__inbox_put(struct fx__inbox *in, const struct fx_envelope *e, size_t lane);
bool fx__inbox_has(const struct fx__inbox *in, uint64_t seq);
/* Takes the first out; there is one. */
struct fx__arrival fx__inbox_take(struct fx__inbox *in);
void fx__inbox_fini(struct fx__inbox *in);

#endif
