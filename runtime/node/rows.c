// SPDX-License-Identifier: Apache-2.0
/* rows.c: tables of any length, sent as records. */
#include "node/rows.h"

#include <string.h>

enum { ROWS_MAX = 65536 }; /* of one record */

int fx_send_rows(struct fx_node *node, unsigned port, const char *kind, const char *names,
		 const uint64_t *numbers, size_t rows, uint32_t columns)
{
	for (size_t at = 0; at < rows; at += ROWS_MAX) {
		const size_t n = rows - at < ROWS_MAX ? rows - at : ROWS_MAX;
		struct fx_record *r = fx_record_new(kind);
		int rc = r ? fx_record_table(r, n, columns) : FX_ENOMEM;

		if (rc == FX_OK && names)
			rc = fx_record_add_text(r, "columns", names);
		if (rc < 0) {
			fx_record_free(r);
			return fx_fail(node, FX_ENOMEM, "no memory for a record of %zu rows", n);
		}
		memcpy(r->table, numbers + columns * at, n * columns * sizeof *numbers);
		rc = fx_send_record(node, port, r);
		if (rc < 0)
			return rc;
	}
	return FX_OK;
}
