// SPDX-License-Identifier: Apache-2.0
/* describe.h: node types for people and for tools, from their tables. */
#ifndef FX_GRAPH_DESCRIBE_H
#define FX_GRAPH_DESCRIBE_H

#include <stdio.h>

#include "graph/registry.h"

/** What a port sends or takes, e.g. "u8|u16 image", "u64 labels, records", into @p text. */
void fx_port_text(const struct fx_port *p, char *text, size_t size);
/** Name of a role of voxels ("image"); "?" when invalid. */
const char *fx_role_name(enum fx_role role);
/** Everything about a type on some lines: ports, options. */
void fx_describe_type(const struct fx_node_type *t, FILE *out);
/** All types, or those of @p role when it is not NULL, one a line, under their roles. The number of
 * types. */
size_t fx_describe_list(const struct fx_registry *r, const char *role, FILE *out);
/** {"name", "summary", "stateless", "ports": [{"name", "dir", "kinds": [..], "dtypes": [..],
 * "roles": [..], "optional", "help"}], "options": [{"name", "type", "default", "required", "min",
 * "max", "unit", "choices", "help"}]}; what does not apply is left out. FX_ENOMEM. */
int fx_describe_type_json(const struct fx_node_type *t, FILE *out);
/** {"types": [the same for each]}; @p role as above. */
int fx_describe_list_json(const struct fx_registry *r, const char *role, FILE *out);

#endif
