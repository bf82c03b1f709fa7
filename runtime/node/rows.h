// SPDX-License-Identifier: Apache-2.0
/* rows.h: tables of any length, sent as records. */
#ifndef FX_NODE_ROWS_H
#define FX_NODE_ROWS_H

#include <fornix/node.h>

/** Sends @p rows rows of @p columns numbers on @p port as records of @p kind of at most 65536 rows
 * each, none when there are no rows. @p names (or NULL): the field "columns" of each, a word a
 * column. Fails by fx_fail(). */
int fx_send_rows(struct fx_node *node, unsigned port, const char *kind, const char *names,
		 const uint64_t *numbers, size_t rows, uint32_t columns);

#endif
