// SPDX-License-Identifier: Apache-2.0
/* lost.h: which messages were lost on their way between two processes that both live.
 *
 * A consumer greets again about every second, and lists what has come on the lane and is not
 * acknowledged. A connection keeps the order: what was sent before something that has come, and has
 * not come, is lost. Of what comes after all that has come nothing is sure: it counts as lost when
 * two greetings, then 4, 8, ... 64 of them, have told of nothing new. Sending a message that was
 * not lost is harmless: it is dropped as a duplicate. */
#ifndef FX_LINK_LOST_H
#define FX_LINK_LOST_H

#include "link/parcel.h"

/* What the greetings of one consuming process have told. Zero-initialise. */
struct fx__silence {
	int64_t apart_ms; /* greetings that are nearer to each other tell nothing; 0: 500 */
	bool acked;	  /* set by the outlet: it has acknowledged something since */
	size_t had;	  /* how many it had the last time */
	int64_t heard_ns; /* when it last counted as silence, or told of something new */
	unsigned silent, patience;
};

/* Moves those of @p flight, in the order in which they were sent, that are lost to its end, and
 * returns how many these are. @p hello: a greeting that lists what has come. */
size_t fx__lost(struct fx__silence *s, struct fx__parcel **flight, size_t len,
		const struct fx_control *hello);

#endif
