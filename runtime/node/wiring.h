// SPDX-License-Identifier: Apache-2.0
/* wiring.h: what one node process is told by the conductor: who it is and what it is connected to.
 * Travels as JSON in a file descriptor. */
#ifndef FX_NODE_WIRING_H
#define FX_NODE_WIRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

#include "node/guard.h"

struct fx_wired_lane {
	char *endpoint; /**< inputs only */
	int pool_fd;	/**< inputs only; -1: payloads in frames */
	bool slots;	/**< inputs only: payloads lie in the producer's pool */
	size_t from;	/**< inputs only: index of the producing instance */
	unsigned holder;
	size_t stats; /**< index of the lane's counters */
};

struct fx_wired_edge {
	char *node, *port; /**< the consumer */
	unsigned first;	   /**< its instance at the other end of the first lane */
	unsigned drop;	   /**< enum fx_drop */
	unsigned way;	   /**< enum fx_way */
	size_t lanes_len;
	struct fx_wired_lane *lanes;
};

struct fx_wired_input {
	char *port;
	uint32_t credit_messages;
	uint64_t credit_bytes;
	unsigned parts;	      /**< in which what comes is numbered (link/turn.h) */
	bool gaps;	      /**< messages may be dropped before they come here */
	uint64_t spool_bytes; /**< most that its spool may take; 0: it has none */
	size_t lanes_len;
	struct fx_wired_lane *lanes;
};

struct fx_wired_output {
	char *port, *endpoint;
	int listen_fd;	    /**< or -1 */
	bool slots;	    /**< payloads lie in the own pool; else they travel in frames */
	unsigned precision; /**< enum fx_dtype that f32 is sent as; 0: f32 */
	size_t edges_len;
	struct fx_wired_edge *edges;
};

struct fx_wired_option {
	char *name, *text;
};

/** All pointers are owned; fx_wiring_free(). */
struct fx_wiring {
	char *node, *type, *run_dir, *scratch_dir;
	char *state_dir;   /**< of the run: what later lives need */
	char *dead_dir;	   /**< for messages that are set aside */
	bool keeps;	   /**< a node with state writes down what it is given ... */
	unsigned save_mib; /**< ... and saves what it knows when that has grown so much */
	unsigned instance, instances, epoch;
	unsigned parts; /**< 1, or as many as there are instances: each has a part of the work */
	unsigned conductor; /**< its process: a node ends with it */
	size_t index;	    /**< of the instance's counters */
	int stats_fd;
	size_t stats_instances, stats_lanes;
	int pool_fd; /**< own pool for outputs, or -1 */
	size_t options_len, inputs_len, outputs_len;
	struct fx_wired_option *options;
	struct fx_wired_input *inputs;
	struct fx_wired_output *outputs;
	struct fx_guard guard;
};

/** JSON text (free()) of a wiring; NULL without memory. */
char *fx_wiring_to_json(const struct fx_wiring *w);
/** Parses JSON text; NULL with a reason on any wrong or missing member. */
struct fx_wiring *fx_wiring_from_json(const char *text, size_t size, struct fx_error *err);
void fx_wiring_free(struct fx_wiring *w);
/** Frees what a wiring owns, not itself; takes a zeroed one. */
void fx_wiring_fini(struct fx_wiring *w);
/** FX_OK when this process may open the files that the sockets of @p w take, and some more: where
 * it may not, ZeroMQ aborts. Else FX_EIO, with what to do. */
int fx_wiring_files(const struct fx_wiring *w, struct fx_error *err);

#endif
