// SPDX-License-Identifier: Apache-2.0
/* guard.h: what a node process may touch, and by which keys it knows its peers: part of its wiring.
 */
#ifndef FX_NODE_GUARD_H
#define FX_NODE_GUARD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "link/keys.h"

/** All pointers are owned. Zeroed: nothing is confined, no keys. */
struct fx_guard {
	bool confine;	 /**< drop what the node does not need */
	bool sandbox;	 /**< write below out alone, and read below out and the folders named */
	char *out;	 /**< the output folder of the run; "" when it has none */
	char **readable; /**< with sandbox: files and folders to read */
	size_t readable_len;
	bool has_keys;
	struct fx_keys keys;
};

/** JSON of a guard; NULL without memory. */
json_t *fx_guard_to_json(const struct fx_guard *g);
/** Reads it into a zeroed guard; false on a wrong or missing member. */
bool fx_guard_from_json(const json_t *o, struct fx_guard *g);
/** A copy of @p from into a zeroed guard; false without memory. */
bool fx_guard_copy(struct fx_guard *g, const struct fx_guard *from);
/** Frees what it owns, wipes the keys. */
void fx_guard_fini(struct fx_guard *g);

#endif
