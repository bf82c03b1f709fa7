// SPDX-License-Identifier: Apache-2.0
/* place.h: which process of a graph runs on which host. */
#ifndef FX_CONDUCT_PLACE_H
#define FX_CONDUCT_PLACE_H

#include "graph/graph.h"

/** What the nodes of a graph cost: measured by an earlier run, or guessed by their roles. */
struct fx_costs {
	bool measured;
	double *seconds; /**< owned; by node: processor time of all its workers */
	double *bytes;	 /**< owned; by edge, in the order of nodes and their inputs: payload */
};

/** Guesses. FX_ENOMEM. fx_costs_fini() when done. */
int fx_costs_guess(struct fx_costs *c, const struct fx_graph *g, struct fx_error *err);
/** As measured in the receipt @p path of an earlier run; what it does not tell is guessed.
 * FX_EINVAL when it is no receipt, or none of its nodes is in @p g. */
int fx_costs_read(struct fx_costs *c, const struct fx_graph *g, const char *path,
		  struct fx_error *err);
/** Takes a zeroed one. */
void fx_costs_fini(struct fx_costs *c);

enum { FX_LINK_RATE = 1250000000 /**< bytes a second that a link carries, where no one knows */ };

/** Processes that are placed. */
struct fx_places {
	size_t len;
	unsigned *host;			   /**< owned; by instance, as the plan numbers them */
	double load[FX_GRAPH_HOSTS_MAX];   /**< by host: seconds of processor time */
	double memory[FX_GRAPH_HOSTS_MAX]; /**< by host: MiB that the limits of its nodes allow */
};

/** Places all processes of @p g: those with most work first, each where it may run, where its
 * memory fits, and where its work and what it then exchanges with other hosts take the least time
 * (list scheduling). @p slots: processors by host; hosts in @p gone (bit by host) get nothing.
 * The same arguments give the same places. FX_EINVAL when a node can run nowhere. */
int fx_place(struct fx_places *p, const struct fx_graph *g, const struct fx_costs *c,
	     const int slots[FX_GRAPH_HOSTS_MAX], uint64_t gone, struct fx_error *err);
/** Places instance @p i, whose host has gone, among the others, which stay. */
int fx_place_again(struct fx_places *p, const struct fx_graph *g, const struct fx_costs *c,
		   const int slots[FX_GRAPH_HOSTS_MAX], uint64_t gone, size_t i,
		   struct fx_error *err);
/** Host @p host has joined, with nothing on it: takes processes, of those that may move (@p may, by
 * instance), one by one from the host that has most work for its processors, as long as that ends
 * sooner by it. FX_END when it takes no more, else the instance is *taken and placed. */
int fx_place_share(struct fx_places *p, const struct fx_graph *g, const struct fx_costs *c,
		   const int slots[FX_GRAPH_HOSTS_MAX], unsigned host, const bool *may,
		   size_t *taken);
/** Takes a zeroed one. */
void fx_places_fini(struct fx_places *p);
/** Index of the first instance of a node, as the plan numbers them. */
size_t fx_first_instance(const struct fx_graph *g, size_t node);

#endif
