// SPDX-License-Identifier: Apache-2.0
/* guestpath.h: where an output listens for guests. */
#ifndef FX_NODE_GUESTPATH_H
#define FX_NODE_GUESTPATH_H

#include "node/wiring.h"

/** Endpoint for guests of output @p port of the process that @p w is of: a socket in the folder of
 * the run, which only its user can enter, whatever the transport. free(); NULL without memory. */
char *fx_guest_endpoint(const struct fx_wiring *w, const char *port);

#endif
