// SPDX-License-Identifier: Apache-2.0
/* host_connect.c: the links of a host, as its wiring says. */
#include <errno.h>
#include <stdlib.h>
#include <zmq.h>

#include "base/alloc.h"
#include "graph/registry.h"
#include "link/turn.h"
#include "node/guestpath.h"
#include "node/host_private.h"

/* Memory that the links borrow until the host ends; NULL when there is none. */
static void *host_keep(struct fx__host *h, size_t n, size_t size)
{
	void *p = NULL;

	if (fx_grow(&h->kept, &h->kept_cap, h->kept_len + 1, sizeof *h->kept))
		p = fx_calloc(n, size);
	if (p)
		h->kept[h->kept_len++] = p;
	return p;
}

/* It gets all that comes, in the order of the stream, and not a share as one of several workers. */
static bool is_ordered(const struct fx__host *h)
{
	return h->wiring->instances == h->wiring->parts;
}

static int host_connect_input(struct fx__host *h, const struct fx_wired_input *w,
			      struct fx_error *err)
{
	const int port = fx_type_port(h->type, w->port, FX_IN);
	struct fx_inlet_lane *lanes = host_keep(h, w->lanes_len, sizeof *lanes);
	char *spool = NULL;

	if (port < 0 || port >= FX__PORTS_MAX || !lanes)
		return fx_error_set(err, FX_EINVAL, "%s has no input %s", h->type->name, w->port);
	for (size_t i = 0; i < w->lanes_len; i++)
		lanes[i] = (struct fx_inlet_lane){
			.endpoint = w->lanes[i].endpoint,
			.pool_fd = w->lanes[i].pool_fd,
			.holder = w->lanes[i].holder,
			.stats = &h->stats.lanes[w->lanes[i].stats],
		};
	if (w->spool_bytes) {
		spool = fx_asprintf("%s/%s.%u/spool-%s", h->wiring->state_dir, h->wiring->node,
				    h->wiring->instance, w->port);
		if (!spool)
			return fx_error_set(err, FX_ENOMEM, "no memory");
	}
	h->inlets[port] = fx_inlet_new(
		&(struct fx_inlet_config){
			.zmq = h->zmq,
			.node = h->wiring->node,
			.port = w->port,
			.instance = h->wiring->instance,
			.epoch = h->wiring->epoch,
			.ordered = is_ordered(h),
			.gaps = w->gaps,
			.parts = w->parts,
			.spool_dir = spool,
			.spool_bytes = w->spool_bytes,
			.warned = fx__host_warned,
			.context = h,
			.credit_messages = w->credit_messages,
			.credit_bytes = w->credit_bytes,
			.trust = h->trust,
			.floor = &h->me->floor[port],
			.lanes_len = w->lanes_len,
			.lanes = lanes,
			.faults = h->faults,
		},
		err);
	free(spool);
	if (!h->inlets[port])
		return FX_EIO;
	if (is_ordered(h))
		fx_inlet_begin(h->inlets[port], atomic_load(&h->me->floor[port]));
	return FX_OK;
}

static struct fx_outlet_edge *outlet_edges(struct fx__host *h, const struct fx_wired_output *w)
{
	struct fx_outlet_edge *edges = host_keep(h, w->edges_len, sizeof *edges);

	for (size_t e = 0; edges && e < w->edges_len; e++) {
		struct fx_outlet_lane *lanes = host_keep(h, w->edges[e].lanes_len, sizeof *lanes);

		for (size_t i = 0; lanes && i < w->edges[e].lanes_len; i++)
			lanes[i] = (struct fx_outlet_lane){
				.holder = w->edges[e].lanes[i].holder,
				.stats = &h->stats.lanes[w->edges[e].lanes[i].stats],
			};
		edges[e] = (struct fx_outlet_edge){
			.node = w->edges[e].node,
			.port = w->edges[e].port,
			.first = w->edges[e].first,
			.lanes_len = lanes ? w->edges[e].lanes_len : 0,
			.lanes = lanes,
			.drop = (enum fx_drop)w->edges[e].drop,
			.way = (enum fx_way)w->edges[e].way,
		};
	}
	return edges;
}

static const char *host_guests(struct fx__host *h, const char *port)
{
	char *endpoint = fx_guest_endpoint(h->wiring, port);

	if (endpoint && fx_grow(&h->kept, &h->kept_cap, h->kept_len + 1, sizeof *h->kept)) {
		h->kept[h->kept_len++] = endpoint;
		return endpoint;
	}
	free(endpoint);
	return NULL;
}

static int host_connect_output(struct fx__host *h, const struct fx_wired_output *w,
			       struct fx_error *err)
{
	const int port = fx_type_port(h->type, w->port, FX_OUT);
	struct fx_outlet_edge *edges = outlet_edges(h, w);
	const char *guests = host_guests(h, w->port);

	if (port < 0 || port >= FX__PORTS_MAX || !edges || !guests)
		return fx_error_set(err, FX_EINVAL, "%s has no output %s", h->type->name, w->port);
	h->precision[port] = w->precision;
	h->outlets[port] = fx_outlet_new(
		&(struct fx_outlet_config){
			.zmq = h->zmq,
			.node = h->wiring->node,
			.port = w->port,
			.instance = h->wiring->instance,
			.epoch = h->wiring->epoch,
			.parts = h->wiring->parts,
			.endpoint = w->endpoint,
			.listen_fd = w->listen_fd,
			.trust = h->trust,
			.guests = guests,
			.untapped = &h->me->untapped,
			.pool = w->slots ? h->pool : NULL,
			.slots_optional = h->type->stateless,
			.repeats = !h->type->stateless,
			.edges_len = w->edges_len,
			.edges = edges,
			.acked = h->type->stateless ? fx__host_acked : NULL,
			.context = h,
			.faults = h->faults,
		},
		err);
	return h->outlets[port] ? FX_OK : FX_EIO;
}

int fx__host_connect(struct fx__host *h, struct fx_error *err)
{
	const struct fx_wiring *w = h->wiring;

	if (fx_wiring_files(w, err) < 0 ||
	    fx_faults_new(getenv("FORNIX_FAULT"), w->node, &h->faults, err) < 0)
		return FX_EIO;
	for (unsigned p = 0; p < FX__PORTS_MAX; p++)
		h->next_seq[p] = fx_turn_first(w->instance, w->parts);
	h->zmq = zmq_ctx_new();
	if (!h->zmq)
		return fx_error_set(err, FX_ENOMEM, "cannot start ZeroMQ: %s", zmq_strerror(errno));
	if (w->guard.has_keys &&
	    !(h->trust = fx_trust_new(h->zmq, &w->guard.keys, &h->me->refused, err)))
		return FX_EIO;
	if (w->pool_fd >= 0) {
		h->pool = fx_pool_map(w->pool_fd, true, err);
		if (!h->pool)
			return FX_EIO;
		fx_pool_forget(h->pool, 0, NULL);
	}
	for (size_t i = 0; i < w->outputs_len; i++)
		if (host_connect_output(h, &w->outputs[i], err) < 0)
			return FX_EIO;
	if (h->trust && fx_trust_start(h->trust, err) < 0)
		return FX_EIO;
	for (size_t i = 0; i < w->inputs_len; i++)
		if (host_connect_input(h, &w->inputs[i], err) < 0)
			return FX_EIO;
	return FX_OK;
}
