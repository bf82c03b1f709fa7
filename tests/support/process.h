// SPDX-License-Identifier: Apache-2.0
/* process.h: a test that is a conductor, and the program of its nodes as well, which can have types
 * of the test's own. */
#ifndef FX_TESTS_PROCESS_H
#define FX_TESTS_PROCESS_H

#include <stdbool.h>

#include <jansson.h>

#include "conduct/run.h"
#include "node/wiring.h"

/** This process is to be a node: `fornix node NAME TYPE --wiring FD`. */
bool test_is_node(int argc, char **argv);
/** Is that node, of one of @p types (NULL-terminated), after @p before (may be NULL); the exit
 * code. Ends after ten minutes whatever happens. */
int test_node_main(char **argv, const struct fx_node_type *const *types,
		   void (*before)(const struct fx_wiring *w));
/** Runs the graph @p text, called "g"; the receipt. Fails the test unless the run gives @p result.
 */
json_t *test_graph_run(const char *text, const struct fx_node_type *const *types,
		       const struct fx_run_options *o, int result);
/** How many processes were started again. */
int test_restarts(const json_t *receipt);

#endif
