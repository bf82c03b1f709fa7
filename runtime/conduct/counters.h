// SPDX-License-Identifier: Apache-2.0
/* counters.h: counters of a run that travel between hosts.
 *
 * Every host has a file of all counters, of which its own processes write theirs. The agent sends
 * what has changed; the conductor puts it into its own file, which so is that of the whole run. */
#ifndef FX_CONDUCT_COUNTERS_H
#define FX_CONDUCT_COUNTERS_H

#include "conduct/plan.h"

/** What was sent last, to see what has changed. Zero-initialise; fx_counters_fini(). */
struct fx_counters {
	struct fx_instance_stats *instances; /**< owned */
	struct fx_lane_stats *lanes;	     /**< owned: two a lane, one for each end */
	uint8_t *bytes;			     /**< owned: a message */
	size_t len, cap;
};

int fx_counters_init(struct fx_counters *c, const struct fx_stats *s, struct fx_error *err);
void fx_counters_fini(struct fx_counters *c);
/** Begins a message: bytes and len are of it. */
void fx_counters_begin(struct fx_counters *c);
/** Puts in what instance @p w and its lanes have counted, when it has changed or @p whole: all, for
 * a process that is to begin with it. FX_ENOMEM. */
int fx_counters_put(struct fx_counters *c, const struct fx_stats *s, const struct fx_wiring *w,
		    bool whole);
/** True when something was put. */
bool fx_counters_any(const struct fx_counters *c);
/** Takes a message of an agent: what its processes count. @p host_of tells on which host an
 * instance runs, and what is not of @p host is left out. Times become those of this host. FX_ETYPE
 * when it is no such message. */
int fx_counters_take(struct fx_stats *s, const void *bytes, size_t size, const struct fx_plan *p,
		     unsigned host, struct fx_error *err);
/** The consumer of a lane has gone without telling its last counts: what was acknowledged had been
 * delivered. */
void fx_counters_infer(struct fx_lane_stats *s);
/** Takes a message of the conductor: what processes that are to begin here go on with. */
int fx_counters_load(struct fx_stats *s, const void *bytes, size_t size, struct fx_error *err);

#endif
