// SPDX-License-Identifier: Apache-2.0
/* lost.c: which messages were lost on their way. */
#include "link/lost.h"

#include <string.h>

#include "base/clock.h"

enum { PATIENCE = 2, PATIENCE_MAX = 64, APART_MS = 500 };

static bool has(const struct fx_control *hello, uint64_t seq)
{
	for (size_t i = 0; i < hello->acks_len; i++)
		if (hello->acks[i] == seq)
			return true;
	return false;
}

/* True when nothing new has come for so long that what was sent last must be lost as well. */
static bool too_silent(struct fx__silence *s, size_t had, bool waits, int64_t now_ns)
{
	const bool news = s->acked || had != s->had || !waits || !s->patience;

	s->acked = false;
	s->had = had;
	if (news) {
		s->silent = 0;
		s->patience = PATIENCE;
		s->heard_ns = now_ns;
		return false;
	}
	if (now_ns - s->heard_ns < (s->apart_ms ? s->apart_ms : APART_MS) * 1000000)
		return false;
	s->heard_ns = now_ns;
	if (++s->silent < s->patience)
		return false;
	s->silent = 0;
	s->patience = 2 * s->patience < PATIENCE_MAX ? 2 * s->patience : PATIENCE_MAX;
	return true;
}

size_t fx__lost(struct fx__silence *s, struct fx__parcel **flight, size_t len,
		const struct fx_control *hello)
{
	size_t behind = 0, had = 0, lost = 0;

	for (size_t k = 0; k < len; k++)
		if (has(hello, flight[k]->seq)) {
			behind = k + 1;
			had++;
		}
	if (too_silent(s, had, had < len, fx_now_ns()))
		behind = len;
	for (size_t k = 0; k < behind; k++) { /* each step moves one or none */
		struct fx__parcel *p = flight[k - lost];

		if (has(hello, p->seq))
			continue;
		memmove(&flight[k - lost], &flight[k - lost + 1],
			(len - 1 - (k - lost)) * sizeof(struct fx__parcel *));
		flight[len - 1] = p;
		lost++;
	}
	return lost;
}
