// SPDX-License-Identifier: Apache-2.0
/* graph.h: a graph file, read and checked: nodes in a canonical order with types, options, edges.
 */
#ifndef FX_GRAPH_GRAPH_H
#define FX_GRAPH_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/node.h>

#include "graph/registry.h"

enum {
	FX_GRAPH_ERRORS_MAX = 20,
	FX_GRAPH_NODES_MAX = 1000,
	FX_GRAPH_WORKERS_MAX = 64,
	FX_GRAPH_HOSTS_MAX = 64,
	FX_GRAPH_NAME_MAX = 63,	     /**< bytes of the name of a node or a parameter */
	FX_GRAPH_SIZE_MAX = 1048576, /**< bytes of a graph file */
};

/** One thing that is wrong. */
struct fx_graph_error {
	int line, col;	/**< from 1; line 0: the command line, not a place in the file */
	char text[512]; /**< one sentence, without the place */
};

/** What is wrong with a graph, in order of line. Zero-initialise; no fini. */
struct fx_graph_errors {
	char file[256];
	size_t len, more; /**< kept, and further ones that were not kept */
	struct fx_graph_error list[FX_GRAPH_ERRORS_MAX];
};

/** A parameter as the user gave it (name=value). */
struct fx_param {
	const char *name, *value;
};

/** A parameter that the graph declares. */
struct fx_graph_param {
	char *name, *help; /**< owned */
	char *value;	   /**< owned: as given, or the default; NULL when neither is there */
	bool given, required;
	int line, col;
};

struct fx_graph_option {
	char *name, *value; /**< owned; the value has its parameters put in */
	int line, col;	    /**< of the value */
};

/** What happens when the node is slower than what comes. */
enum fx_policy {
	FX_POLICY_BLOCK,    /**< its producer waits */
	FX_POLICY_SPOOL,    /**< what comes is written to disk, and acknowledged */
	FX_POLICY_DROP_OLD, /**< the oldest that waits is dropped ... */
	FX_POLICY_DROP_NEW, /**< ... or the newest */
};

/** How payloads are coded where they travel in frames: between hosts. */
enum fx_coding {
	FX_CODING_AUTO, /**< by what they are, and by how fast the link is */
	FX_CODING_NONE, /**< not at all ... */
	FX_CODING_LZ4,	/**< ... or so, where that makes them smaller */
	FX_CODING_ZSTD,
};

/** Outputs that send their f32 blocks as f16, or as u8; bit by port. */
struct fx_precision {
	unsigned f16, u8;
};

/** A connected input: the edge to it. */
struct fx_graph_input {
	unsigned port; /**< index in type->ports, an input */
	size_t from;   /**< index in graph->nodes of the producer, smaller than the own index */
	unsigned from_port; /**< index in the producer's type->ports, an output */
	enum fx_policy policy;
	uint64_t spool_bytes; /**< most that a spool may take */
	enum fx_coding coding;
	int line, col;
};

/** How the processes of a host are started. */
enum fx_launcher {
	FX_LAUNCH_HERE,	 /**< by the conductor itself, on its own machine */
	FX_LAUNCH_LOCAL, /**< by an agent beside the conductor: to try a graph out */
	FX_LAUNCH_SSH,	 /**< by an agent that ssh starts */
	FX_LAUNCH_SLURM, /**< by an agent that srun starts, in the allocation of the conductor */
	FX_LAUNCH_KUBERNETES, /**< by an agent that kubectl starts in a pod that runs */
};

/** A machine that a graph names. */
struct fx_graph_host {
	char *name;    /**< owned, as all texts here */
	char *address; /**< IPv4, by which the others reach it */
	char *login;   /**< what the launcher is given: a name, an alias, user@name, a pod */
	char *command; /**< fornix on that machine */
	char *options; /**< further words for the launcher */
	char *tags;    /**< words, with blanks between them */
	enum fx_launcher launcher;
	int slots;	   /**< processors to use; 0: those it has, or 1 where no one knows */
	double memory_mib; /**< 0: not told */
	bool joins;	   /**< it is not there at the start, and may join while the run lasts */
	int line, col;
};

/** What the graph allows a process of a node. */
struct fx_bounds {
	bool has_hang;
	double hang_s;	  /**< without progress for so long it hangs; 0: it never does */
	double limit_mib; /**< of memory of its own; 0: none */
	int line, col;	  /**< of the limit */
};

struct fx_graph_node {
	char *name; /**< owned */
	int line, col;
	const struct fx_node_type *type; /**< borrowed from the registry */
	int workers;			 /**< 1..FX_GRAPH_WORKERS_MAX */
	enum fx_key key;		 /**< by which they part the work of a node with state */
	struct fx_bounds bounds;
	uint64_t hosts; /**< bit by host: where it may run */
	struct fx_precision precision;
	struct fx_graph_option *options; /**< owned: those that the graph sets, by name */
	size_t options_len;
	struct fx_graph_input *inputs; /**< owned: the connected ones, by port */
	size_t inputs_len;
};

/** A checked graph. Nodes stand in topological order, ties by name: the order in the file makes no
 * difference. Nodes that their `when` leaves out are not there. */
struct fx_graph {
	char *file;		       /**< owned: as it was named */
	struct fx_graph_param *params; /**< owned, in the order of the file */
	size_t params_len;
	struct fx_graph_host *hosts; /**< owned; the first is "here", the conductor's */
	size_t hosts_len;	     /**< 0: the graph knows of no hosts */
	struct fx_graph_node *nodes; /**< owned */
	size_t nodes_len;
};

enum {
	/** A required parameter may be missing: options that use it keep their "$name" and are not
	 * checked. To draw or describe a graph, not to run it. */
	FX_GRAPH_OPEN_PARAMS = 1,
};

/** Reads and checks the graph file @p path with @p params. NULL when anything is wrong, which is
 * told in @p errors. Node types are borrowed from @p r, which must outlive the graph. */
struct fx_graph *fx_graph_load(const char *path, const struct fx_registry *r,
			       const struct fx_param *params, size_t params_len, unsigned flags,
			       struct fx_graph_errors *errors);
/** The same for @p size bytes in memory; @p file is the name in errors. */
struct fx_graph *fx_graph_parse(const char *file, const char *text, size_t size,
				const struct fx_registry *r, const struct fx_param *params,
				size_t params_len, unsigned flags, struct fx_graph_errors *errors);
/** Takes NULL. */
void fx_graph_free(struct fx_graph *g);

/** As it is written in a graph. */
const char *fx_key_name(enum fx_key key);
/** The same of a policy. */
const char *fx_policy_name(enum fx_policy policy);
/** The same of a codec. */
const char *fx_coding_name(enum fx_coding coding);
/** The dtype that output @p port sends in place of f32; 0: f32. */
unsigned fx_precision_of(struct fx_precision p, unsigned port);
/** The roles of blocks that may be sent as @p dtype in place of f32: a set of 1 << enum fx_role. */
unsigned fx_precision_roles(unsigned dtype);
/** What output @p port sends when that is @p dtype in place of f32; 0: as it is. */
struct fx_port fx_precision_port(const struct fx_port *port, unsigned dtype);
/** The dtypes that may be sent to input @p in: f16 is made f32 for those that take no f16. */
unsigned fx_precision_taken(const struct fx_port *in);
/** As it is written in a graph; "conductor" for FX_LAUNCH_HERE. */
const char *fx_launcher_name(enum fx_launcher launcher);
/** Sets what the key @p key of a host says: FX_EINVAL with what is wrong about @p text, FX_ENOENT
 * without a text when a host has no such key. */
int fx_graph_host_set(struct fx_graph_host *h, const char *key, const char *text,
		      struct fx_error *err);
/** What it needs is there, now that it is to be started; one that joins may lack it before.
 * FX_EINVAL. */
int fx_graph_host_check(const struct fx_graph_host *h, struct fx_error *err);
/** A copy; fx_graph_host_fini() when done. FX_ENOMEM. */
int fx_graph_host_copy(struct fx_graph_host *to, const struct fx_graph_host *from,
		       struct fx_error *err);
/** Frees what a host owns. Takes a zeroed one. */
void fx_graph_host_fini(struct fx_graph_host *h);
/** Index of the node called @p name, or -1. */
long fx_graph_find(const struct fx_graph *g, const char *name);
/** The parts by which what @p node sends is numbered (link/turn.h): its own, or those of the node
 * whose numbers a stateless one passes on; 1 where nothing is parted. */
unsigned fx_graph_parts(const struct fx_graph *g, size_t node);
/** Number of inputs, over the whole graph, that read output @p port of node @p index. */
size_t fx_graph_consumers(const struct fx_graph *g, size_t index, unsigned port);

/** Adds an error in order of place; @p line 0 comes first. When full, the last ones fall out. */
void fx_graph_error_add(struct fx_graph_errors *e, int line, int col, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/** So many errors that looking for more only costs time. */
bool fx_graph_hopeless(const struct fx_graph_errors *e);
/** "FILE:LINE:COL: message" of the @p i-th error ("FILE: message" when line is 0). */
void fx_graph_error_text(const struct fx_graph_errors *e, size_t i, char *text, size_t size);

#endif
