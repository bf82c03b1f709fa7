// SPDX-License-Identifier: Apache-2.0
/* params.h: the parameters of a graph: declared in the file, given by the user, put into texts. */
#ifndef FX_GRAPH_PARAMS_H
#define FX_GRAPH_PARAMS_H

#include "graph/yaml.h"

enum {
	FX_PARAMS_TEXT_MAX = 65536,	/* bytes of one text with its parameters put in */
	FX_PARAMS_TOTAL_MAX = 16777216, /* of all texts of a graph */
};

/** A text with its parameters put in. */
struct fx_expanded {
	char *text;   /* owned; NULL when @p unknown */
	bool unknown; /* a parameter in it has no value, or is not declared, which has been told */
	bool missing; /* a declared parameter in it has no value */
	bool emptied; /* it has parameters, and became empty */
	bool varies;  /* it has parameters */
};

/** Reads the map `params` (may be NULL) into @p g. */
void fx_params_read(struct fx_graph *g, const struct fx_yaml *map, struct fx_graph_errors *errors);
/** Gives the parameters their values; unless FX_GRAPH_OPEN_PARAMS is in @p flags, one without a
 * value is an error. */
void fx_params_give(struct fx_graph *g, const struct fx_param *given, size_t given_len,
		    unsigned flags, struct fx_graph_errors *errors);
/** Puts the parameters into the text of @p y: $name, ${name}; $$ is a dollar. @p node and @p what
 * name the place in errors ("node.what"). @p total counts bytes over the graph. */
struct fx_expanded fx_params_expand(const struct fx_graph *g, const struct fx_yaml *y,
				    const char *node, const char *what, size_t *total,
				    struct fx_graph_errors *errors);
/** [a-z][a-z0-9_]* and, when @p dash, also "-"; at most FX_GRAPH_NAME_MAX bytes. */
bool fx_name_valid(const char *name, bool dash);

#endif
