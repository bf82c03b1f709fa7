// SPDX-License-Identifier: Apache-2.0
/* json.h: small helpers over jansson for what the commands print. */
#ifndef FX_GRAPH_JSON_H
#define FX_GRAPH_JSON_H

#include <jansson.h>
#include <stdio.h>

/** A JSON text; bytes of a text that is not UTF-8 become "?". NULL without memory. */
json_t *fx_json_text(const char *text);
/** Writes @p j and a newline, and frees it. FX_ENOMEM when it is NULL, FX_EIO. */
int fx_json_print(json_t *j, FILE *out);

#endif
