// SPDX-License-Identifier: Apache-2.0
/* confine.h: a process drops what a node does not need, as far as the kernel lets it.
 *
 * No new privileges; capabilities other than those that open files are dropped; landlock: nothing
 * is run, and files are written only where the node's options and its run say (with a sandbox also
 * read only there and where the system keeps its libraries); seccomp: system calls that only
 * administrators and debuggers need fail with EPERM. What was opened before stays open. Holds for
 * this thread and those it starts later. */
#ifndef FX_NODE_CONFINE_H
#define FX_NODE_CONFINE_H

#include <stddef.h>

#include "node/instance.h"
#include "node/wiring.h"

/** Confines this process, the options of @p n being set, and nothing of it started. What came of it
 * as one word or sentence into @p text, such as "landlock+seccomp". */
void fx_confine(const struct fx_wiring *w, const struct fx_node *n, char *text, size_t size);

#endif
