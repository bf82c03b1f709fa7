// SPDX-License-Identifier: Apache-2.0
/* guests.h: those that the plan of a run does not know, at the producing end: taps and recorders.
 *
 * They come to a socket of their own, so nothing that they send reaches the protocol of the run,
 * and they map no memory: payloads travel in frames. A tap gets copies while few of them are on
 * their way to it; what comes then passes it by, counted. What a recorder has not acknowledged is
 * kept for it, and the producer waits for it as for any consumer, until it goes or is silent. */
#ifndef FX_LINK_GUESTS_H
#define FX_LINK_GUESTS_H

#include "link/outlet.h"
#include "link/parcels.h"

/** Names of guests in their HELLO begin with one of these; the process id comes behind. */
#define FX_GUEST_TAP	"tap/"
#define FX_GUEST_RECORD "record/"

struct fx__guests;

/* Listens at config->guests. *open and *end are what the outlet has remembered, or NULL. acked() is
 * called with @p outlet and the reference to a parcel that a recorder needs no more. NULL with a
 * reason. All others take NULL, and do nothing then. */
struct fx__guests *fx__guests_new(const struct fx_outlet_config *config,
				  struct fx__parcel *const *open, struct fx__parcel *const *end,
				  void (*acked)(struct fx_outlet *o, struct fx__parcel *p),
				  struct fx_outlet *outlet, struct fx_error *err);
/* References are dropped, and nothing is told. */
void fx__guests_free(struct fx__guests *g);
void *fx__guests_socket(const struct fx__guests *g);
/* Handles what they have sent; the number of frames that were refused. */
unsigned fx__guests_pump(struct fx__guests *g);
/* A message goes to the edges: it is for guests as well. Takes references of its own. */
void fx__guests_offer(struct fx__guests *g, struct fx__parcel *p);
/* False while a recorder is behind. */
bool fx__guests_room(const struct fx__guests *g);
/* True when no recorder waits for anything. */
bool fx__guests_settled(const struct fx__guests *g);

#endif
