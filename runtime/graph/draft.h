// SPDX-License-Identifier: Apache-2.0
/* draft.h: a graph between reading and checking: names as written, with their places. */
#ifndef FX_GRAPH_DRAFT_H
#define FX_GRAPH_DRAFT_H

#include "graph/params.h"

struct fx_place {
	int line, col;
};

struct fx_draft_option {
	const char *name; /* borrowed from the YAML tree */
	struct fx_place name_at, at;
	const char *written;	  /* borrowed: before parameters; NULL when it is not a text */
	struct fx_expanded value; /* owned */
};

enum fx_edge_state {
	FX_EDGE_BAD, /* something is wrong with it, which has been told */
	FX_EDGE_OK,
	FX_EDGE_GONE, /* it reads from a node that is left out */
};

struct fx_draft_edge {
	const char *name; /* of the input; borrowed from the YAML tree */
	struct fx_place name_at, at;
	char *source; /* owned: "node.port"; NULL when not known */
	enum fx_edge_state state;
	/* from fx_draft_connect() on, when OK: */
	unsigned port; /* index in the own type's ports */
	size_t from;   /* index of the producer that is really read */
	unsigned from_port;
	enum fx_policy policy;
	uint64_t spool_bytes;
	enum fx_coding coding;
};

/* An entry of `codec`. */
struct fx_draft_coding {
	const char *input; /* borrowed from the YAML tree; NULL: of all inputs */
	struct fx_place at;
	enum fx_coding coding;
};

/* An entry of `precision`. */
struct fx_draft_precision {
	const char
		*output; /* borrowed from the YAML tree; NULL: of all outputs that it can be of */
	struct fx_place at;
	unsigned dtype; /* 0: as it is */
};

/* An entry of `policy`. */
struct fx_draft_policy {
	const char *input; /* borrowed from the YAML tree; NULL: of all inputs */
	struct fx_place name_at, at;
	enum fx_policy policy;
	uint64_t spool_bytes;
};

struct fx_draft_node {
	const char *name; /* borrowed from the YAML tree */
	struct fx_place at;
	const struct fx_node_type *type; /* NULL: not known, which has been told unless it is off */
	bool off;			 /* left out by its `when` */
	int workers;
	struct fx_place workers_at;
	enum fx_key key;
	struct fx_place key_at;
	struct fx_bounds bounds;
	char *host, *tags; /* owned; NULL: not given */
	struct fx_place host_at, tags_at;
	uint64_t hosts;
	struct fx_draft_option *options; /* owned */
	size_t options_len;
	struct fx_draft_edge *edges; /* owned: one for each entry of `from` */
	size_t edges_len;
	struct fx_draft_policy *policies; /* owned */
	size_t policies_len;
	struct fx_draft_coding *codings; /* owned */
	size_t codings_len;
	struct fx_draft_precision *precisions; /* owned */
	size_t precisions_len;
	struct fx_precision precision; /* from fx_draft_precisions() on */
};

struct fx_draft {
	struct fx_graph *graph; /* owned: file and parameters; nodes are put in at the end */
	const struct fx_registry *registry;
	struct fx_graph_errors *errors;
	struct fx_draft_node *nodes; /* owned */
	size_t nodes_len;
	size_t expanded; /* bytes of all expanded texts */
};

/** Fills @p d from @p root: names, types, texts with their parameters. */
void fx_draft_read(struct fx_draft *d, const struct fx_yaml *root, const struct fx_param *given,
		   size_t given_len, unsigned flags);
void fx_draft_fini(struct fx_draft *d);
/** Index of @p text, the value at @p y of key @p key of a node, in @p names; -1, which is told,
 * when it is none of these. */
int fx_draft_word(const struct fx_draft *d, const struct fx_draft_node *n, const char *key,
		  const struct fx_yaml *y, const char *text, const char *const *names, size_t len);
/** Fills in one entry of `policy`: of @p input, or of all when that is NULL. @p text has its
 * parameters put in, or is NULL when they are not known. */
void fx_draft_policy(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y,
		     const struct fx_yaml_entry *input, const char *text);
/** Gives every edge its policy; checks that the inputs are there. */
void fx_draft_policies(struct fx_draft *d);
/** Both, for `codec`. */
void fx_draft_coding(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y,
		     const struct fx_yaml_entry *input, const char *text);
void fx_draft_codings(struct fx_draft *d);
/** Both, for `precision`, of outputs. */
void fx_draft_precision(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y,
			const struct fx_yaml_entry *output, const char *text);
void fx_draft_precisions(struct fx_draft *d);
/** Reads the map `hosts` into d->graph. */
void fx_draft_hosts(struct fx_draft *d, const struct fx_yaml *y);
/** Finds the hosts that each node may run on, by its `host` and `tags`. */
void fx_draft_hosts_of_nodes(struct fx_draft *d);
/** The text of @p y with its parameters; unknown when it is not a text, which is told. */
struct fx_expanded fx_draft_expand(struct fx_draft *d, const struct fx_yaml *y, const char *node,
				   const char *what);
/** Tells that entry @p e has no valid key: not one of @p valid, nor, what other versions may know,
 * of @p later. Both end with NULL. */
void fx_draft_refuse(struct fx_draft *d, const char *place, const struct fx_yaml_entry *e,
		     const char *const *valid, const char *const *later);
/** Checks options and workers of every node. */
void fx_draft_check(struct fx_draft *d);
/** Reads `key` of a node from @p text. */
void fx_draft_key(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y,
		  const char *text);
/** Checks key and workers of @p n, whose type is known, against each other. */
void fx_draft_check_parts(const struct fx_draft *d, const struct fx_draft_node *n);
/** Finds the ports of every edge, connects past nodes that are left out, checks what flows. */
void fx_draft_connect(struct fx_draft *d);
/** Tells cycles; when nothing is wrong, gives d->graph its nodes in their order. */
void fx_draft_order(struct fx_draft *d);
/** Index of the node called @p name (not NUL-terminated), or -1. */
long fx_draft_find(const struct fx_draft *d, const char *name, size_t len);
/** With d->graph: where work is parted, the policies of the edges go with it. */
void fx_draft_check_policies(const struct fx_draft *d);
/** Frees what a node of a graph owns. */
void fx_graph_node_fini(struct fx_graph_node *n);

#endif
