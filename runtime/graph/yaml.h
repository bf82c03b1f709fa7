// SPDX-License-Identifier: Apache-2.0
/* yaml.h: restricted YAML: maps and texts with their places; nothing else. */
#ifndef FX_GRAPH_YAML_H
#define FX_GRAPH_YAML_H

#include "graph/graph.h"

enum {
	FX_YAML_DEPTH_MAX = 8,
	FX_YAML_ENTRIES_MAX = 1000, /* of one map */
};

enum fx_yaml_kind {
	FX_YAML_BAD, /* what it was has been told; ask nothing of it */
	FX_YAML_TEXT,
	FX_YAML_MAP,
};

struct fx_yaml_entry;

/* A value. Line and column count from 1. */
struct fx_yaml {
	enum fx_yaml_kind kind;
	int line, col;
	char *text;		       /* owned; FX_YAML_TEXT: as written, without quotes */
	struct fx_yaml_entry *entries; /* owned; FX_YAML_MAP: in the order of the file */
	size_t len, cap;
};

struct fx_yaml_entry {
	char *key; /* owned; no two of a map are the same */
	int line, col;
	struct fx_yaml value;
};

/** Reads one document into @p root (to be freed with fx_yaml_fini() in any case). Anchors, aliases,
 * tags, lists, directives, further documents, keys given twice and NUL characters are told in
 * @p errors with their places; what can still be read goes on. FX_EINVAL when it is not YAML. */
int fx_yaml_read(struct fx_yaml *root, const char *text, size_t size,
		 struct fx_graph_errors *errors);
void fx_yaml_fini(struct fx_yaml *y);
/** The entry called @p key of a map, or NULL. */
const struct fx_yaml_entry *fx_yaml_find(const struct fx_yaml *map, const char *key);

#endif
