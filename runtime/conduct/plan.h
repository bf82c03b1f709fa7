// SPDX-License-Identifier: Apache-2.0
/* plan.h: a checked graph to processes: instances, endpoints, pools, credits, lanes. */
#ifndef FX_CONDUCT_PLAN_H
#define FX_CONDUCT_PLAN_H

#include "conduct/place.h"
#include "graph/graph.h"
#include "link/stats.h"
#include "node/wiring.h"

enum fx_transport {
	FX_TRANSPORT_SHM, /**< slots in shared memory, headers over ipc */
	FX_TRANSPORT_IPC, /**< payload frames over ipc */
	FX_TRANSPORT_TCP, /**< payload frames over TCP */
};

/** One process to be. */
struct fx_plan_instance {
	size_t node;   /**< index in the graph */
	unsigned host; /**< likewise; 0: here */
	int threads;   /**< for its kernels */
	struct fx_wiring wiring;
};

/** One edge of the graph; its lanes lie at first + producer instance * consumers + consumer. */
struct fx_plan_edge {
	size_t from, to; /**< indices of nodes in the graph */
	const char *from_port, *to_port;
	enum fx_policy policy;
	enum fx_coding coding;
	uint64_t spool_bytes; /**< 0: no spool */
	bool gaps; /**< messages may have been dropped: here, or before stateless nodes that pass
		    * the numbers of others on */
	size_t first, producers, consumers;
};

struct fx_plan {
	const struct fx_graph *graph; /**< borrowed */
	struct fx_plan_instance *instances;
	size_t instances_len;
	struct fx_plan_edge *edges;
	size_t edges_len, lanes_len;
	int *fds; /**< owned descriptors: pools and listening sockets, the counters last */
	size_t fds_len;
	uint64_t credit_bytes; /**< what all windows together may hold */
};

/** A host, as its agent has told. */
struct fx_plan_host {
	const char *run_dir; /**< there; borrowed */
	const char *address; /**< IPv4; borrowed */
	int cpus;
};

/** The hosts of a run, when there are more than one. */
struct fx_plan_hosts {
	const struct fx_places *places;	  /**< borrowed */
	const struct fx_plan_host *hosts; /**< borrowed; by host, the first is here */
	/** Listens on host @p host for output @p port of instance @p i: gives *endpoint (free()).
	 */
	int (*listen)(void *context, unsigned host, size_t i, unsigned port, char **endpoint,
		      struct fx_error *err);
	void *context;
};

/** Where a run has its files. Borrowed for the call. */
struct fx_plan_places {
	const char *run_dir;   /**< logs, sockets, scratch; short: socket paths are limited */
	const char *state_dir; /**< the counters, and what nodes need to live again */
	const char *dead_dir;  /**< messages that are set aside */
	bool keeps;	       /**< nodes with state write down what they are given */
	unsigned save_mib;     /**< and save what they know when that has grown so much */
	const char *bind;      /**< IPv4 address for FX_TRANSPORT_TCP; NULL: 127.0.0.1 */
	const struct fx_plan_hosts *hosts; /**< NULL: all run here */
};

/** Plans the run of @p g. Opens the descriptors. NULL with one sentence when it cannot be run. */
struct fx_plan *fx_plan_new(const struct fx_graph *g, enum fx_transport transport,
			    const struct fx_plan_places *places, struct fx_error *err);
/** A listening socket at @p address (IPv4; NULL: loopback) on a port that the system chooses, and
 * the way there to *endpoint (free()). The descriptor, or a negative code. */
int fx_plan_listen(const char *address, char **endpoint, struct fx_error *err);
/** Listens for output @p o of @p inst where that runs now. */
int fx_plan_listen_again(struct fx_plan *p, const struct fx_plan_instance *inst,
			 const struct fx_plan_hosts *hosts, struct fx_wired_output *o,
			 struct fx_error *err);
/** Threads for the kernels of instance @p i: the workers of its node share the processors of their
 * host. */
int fx_plan_threads(const struct fx_plan *p, const struct fx_plan_hosts *hosts, size_t i);
/** Processes of @p node may go to a host that joins while the run lasts. */
bool fx_plan_may_leave(const struct fx_graph *g, size_t node);
/** Closes its descriptors when all processes have ended: others may need as many. Takes NULL. */
void fx_plan_close(struct fx_plan *p);
void fx_plan_free(struct fx_plan *p);

#endif
