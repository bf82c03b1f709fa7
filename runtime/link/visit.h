// SPDX-License-Identifier: Apache-2.0
/* visit.h: a guest at an output of a run, at its own end; guests.h is the other. */
#ifndef FX_LINK_VISIT_H
#define FX_LINK_VISIT_H

#include "wire/wire.h"

struct fx_visit_config {
	const char *kind;	  /**< FX_GUEST_TAP or FX_GUEST_RECORD */
	uint32_t credit_messages; /**< on their way at once, from each producing instance */
	uint64_t credit_bytes;	  /**< 0: a tap that wants headers alone */
	size_t endpoints_len;
	const char *const *endpoints; /**< of all producing instances; borrowed until it is made */
};

/** What came. */
struct fx_visit_message {
	struct fx_envelope envelope; /**< the caller's */
	size_t from;		     /**< index of the endpoint */
};

struct fx_visit;

struct fx_visit *fx_visit_new(const struct fx_visit_config *config, struct fx_error *err);
/** Goes: whoever waited for it waits no more, also for acknowledgements that are still on their
 * way. Takes NULL. */
void fx_visit_free(struct fx_visit *v);
/** The next message, after at most @p timeout_ms. Without payloads when headers alone were asked
 * for: voxels are NULL, trees and records not filled. FX_IDLE when nothing came; FX_ETYPE for what
 * cannot be read, which is then passed over; FX_ENOMEM. */
int fx_visit_next(struct fx_visit *v, int timeout_ms, struct fx_visit_message *m,
		  struct fx_error *err);
/** It is done with: another may be sent. */
void fx_visit_ack(struct fx_visit *v, size_t from, uint64_t seq);
/** How many producing instances have said that it is welcome. */
size_t fx_visit_welcomes(const struct fx_visit *v);

#endif
