// SPDX-License-Identifier: Apache-2.0
/* launch.h: starts the agent of a host by what the site has: ssh, srun, or a child process. */
#ifndef FX_CONDUCT_LAUNCH_H
#define FX_CONDUCT_LAUNCH_H

#include <sys/types.h>

#include "graph/graph.h"

/** The words of the command that starts the agent of @p h, ended by NULL: free() each and the
 * list. NULL without memory. */
char **fx_launch_words(const struct fx_graph_host *h);
/** The same as one line, for people. free(). */
char *fx_launch_text(const struct fx_graph_host *h);
/** Starts it: what it is sent to *to, what it sends from *from (close() both); what it says on
 * stderr goes to the file @p log. The process, or a negative code. */
pid_t fx_launch(const struct fx_graph_host *h, const char *log, int *to, int *from,
		struct fx_error *err);

#endif
