// SPDX-License-Identifier: Apache-2.0
/* host.h: runs one node in this process: links in, callbacks, links out. */
#ifndef FX_NODE_HOST_H
#define FX_NODE_HOST_H

#include <fornix/node.h>

#include "node/wiring.h"

/** Runs a node of @p type as @p w says until the conductor ends it. Returns when asked to by
 * SIGTERM (FX_OK when all was finished), or with the code of what failed: told in the shared
 * counters. */
int fx_host_run(const struct fx_wiring *w, const struct fx_node_type *type);

#endif
