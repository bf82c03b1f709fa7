// SPDX-License-Identifier: Apache-2.0
/* plan.c: a checked graph to processes. */
#include "conduct/plan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cpu.h"
#include "base/file.h"
#include "link/outlet.h"

enum {
	CREDIT_MESSAGES = 6,
	CREDIT_MESSAGES_WORKER = 2, /* few, so that work is shared evenly */
	CREDIT_MESSAGES_SPOOL = 16, /* half of them come while the others are made durable */
	CREDIT_MESSAGES_DROP = 2,   /* few, so that a slow viewer holds few slots */
	CREDIT_BYTES = 64 << 20,
	SLOTS_SPARE = 8, /* of an edge: waiting for credit, or being filled */
	DROPS_MAX = 8,	 /* consumers that drop, of one producing process: they hold slots */
};

_Static_assert((int)FX_CODING_AUTO == (int)FX_WAY_AUTO && (int)FX_CODING_NONE == (int)FX_WAY_NONE &&
		       (int)FX_CODING_LZ4 == (int)FX_WAY_LZ4 &&
		       (int)FX_CODING_ZSTD == (int)FX_WAY_ZSTD,
	       "what a graph says is what links do");

/* Copies what the option table says a value is; NULL without memory shows in *ok. */
static char *plan_text(bool *ok, char *text)
{
	*ok = *ok && text;
	return text;
}

static bool plan_keep_fd(struct fx_plan *p, int fd)
{
	int *grown = fd < 0 ? NULL : realloc(p->fds, (p->fds_len + 1) * sizeof *grown);

	if (!grown) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	p->fds = grown;
	p->fds[p->fds_len++] = fd;
	return true;
}

static unsigned host_of(const struct fx_plan_places *places, size_t i)
{
	return places->hosts ? places->hosts->places->host[i] : 0;
}

/* The parts of a node with a key have an edge each: each gets everything. */
static size_t sharing(const struct fx_graph_node *n)
{
	return n->key ? 1 : (size_t)n->workers;
}

/* Edges from each instance of @p node at output @p port. */
static size_t edges_of(const struct fx_graph *g, size_t node, unsigned port)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nodes_len; i++)
		for (size_t k = 0; k < g->nodes[i].inputs_len; k++)
			if (g->nodes[i].inputs[k].from == node &&
			    g->nodes[i].inputs[k].from_port == port)
				n += (size_t)g->nodes[i].workers / sharing(&g->nodes[i]);
	return n;
}

static bool drops(enum fx_policy policy)
{
	return policy == FX_POLICY_DROP_OLD || policy == FX_POLICY_DROP_NEW;
}

static unsigned credit_messages(enum fx_policy policy, size_t consumers)
{
	return drops(policy)		 ? CREDIT_MESSAGES_DROP :
	       consumers > 1		 ? CREDIT_MESSAGES_WORKER :
	       policy == FX_POLICY_SPOOL ? CREDIT_MESSAGES_SPOOL :
					   CREDIT_MESSAGES;
}

/* A spool keeps as much in memory again, until its node has it. */
static size_t shares_of(enum fx_policy policy)
{
	return policy == FX_POLICY_SPOOL ? 2 : 1;
}

/* Slots that one instance of @p node can have under way, and hold for what comes next; 0: no one
 * reads it. */
static unsigned plan_slots(const struct fx_graph *g, size_t node)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nodes_len; i++)
		for (size_t k = 0; k < g->nodes[i].inputs_len; k++) {
			const struct fx_graph_input *in = &g->nodes[i].inputs[k];
			const size_t consumers = (size_t)g->nodes[i].workers;

			if (in->from == node)
				n += shares_of(in->policy) * consumers *
					     credit_messages(in->policy, sharing(&g->nodes[i])) +
				     SLOTS_SPARE;
		}
	if (n && n < FX_POOL_SLOTS)
		n = FX_POOL_SLOTS;
	return n < FX_POOL_SLOTS_MAX ? (unsigned)n : FX_POOL_SLOTS_MAX;
}

int fx_plan_threads(const struct fx_plan *p, const struct fx_plan_hosts *hosts, size_t i)
{
	const struct fx_plan_instance *const inst = &p->instances[i];
	const size_t first = fx_first_instance(p->graph, inst->node);
	const struct fx_plan_places places = { .hosts = hosts };
	int cpus = hosts ? hosts->hosts[inst->host].cpus : fx_cpu_count(), same = 0;

	for (int k = 0; k < p->graph->nodes[inst->node].workers; k++)
		same += host_of(&places, first + (size_t)k) == inst->host;
	return cpus / same > 1 ? cpus / same : 1;
}

bool fx_plan_may_leave(const struct fx_graph *g, size_t node)
{
	for (size_t h = 0; g->nodes[node].type->stateless && h < g->hosts_len; h++)
		if (g->hosts[h].joins && (g->nodes[node].hosts >> h & 1))
			return true;
	return false;
}

/* Some instance that reads output @p port of instance @p i runs on another host, or may go to one
 * that joins. */
static bool crosses(const struct fx_plan *p, size_t i, unsigned port)
{
	const struct fx_graph *g = p->graph;
	const struct fx_plan_instance *const from = &p->instances[i];

	for (size_t k = 0; k < p->instances_len; k++) {
		const struct fx_graph_node *n = &g->nodes[p->instances[k].node];

		for (size_t e = 0; e < n->inputs_len; e++)
			if (n->inputs[e].from == from->node && n->inputs[e].from_port == port &&
			    (p->instances[k].host != from->host ||
			     fx_plan_may_leave(g, p->instances[k].node)))
				return true;
	}
	return false;
}

static int plan_identity(struct fx_plan *p, size_t node, unsigned k,
			 const struct fx_plan_places *places, bool pools, struct fx_error *err)
{
	const struct fx_graph_node *n = &p->graph->nodes[node];
	const size_t i = fx_first_instance(p->graph, node) + k;
	const unsigned slots = plan_slots(p->graph, node);
	struct fx_plan_instance *inst = &p->instances[i];
	struct fx_wiring *w = &inst->wiring;
	const char *run_dir;
	bool ok = true;

	inst->node = node;
	inst->host = host_of(places, i);
	inst->threads = fx_plan_threads(p, places->hosts, i);
	run_dir = inst->host ? places->hosts->hosts[inst->host].run_dir : places->run_dir;
	w->node = plan_text(&ok, fx_strdup(n->name));
	w->type = plan_text(&ok, fx_strdup(n->type->name));
	w->run_dir = plan_text(&ok, fx_strdup(run_dir));
	w->scratch_dir = plan_text(&ok, fx_path_join(run_dir, "scratch"));
	w->state_dir = plan_text(&ok, fx_strdup(places->state_dir));
	w->dead_dir = plan_text(&ok, fx_strdup(places->dead_dir));
	w->keeps = places->keeps;
	w->save_mib = places->save_mib;
	w->instance = k;
	w->instances = (unsigned)n->workers;
	w->parts = n->key ? w->instances : 1;
	w->index = i;
	w->pool_fd = -1;
	w->options = fx_calloc(n->options_len, sizeof *w->options);
	for (size_t o = 0; ok && w->options && o < n->options_len; o++) {
		w->options[o].name = plan_text(&ok, fx_strdup(n->options[o].name));
		w->options[o].text = plan_text(&ok, fx_strdup(n->options[o].value));
		w->options_len++;
	}
	if (!ok || !w->options)
		return fx_error_set(err, FX_ENOMEM, "no memory for the plan");
	if (pools && !inst->host && slots) {
		w->pool_fd = fx_pool_create(slots, err);
		if (!plan_keep_fd(p, w->pool_fd))
			return w->pool_fd < 0 ? FX_EIO : fx_error_set(err, FX_ENOMEM, "no memory");
	}
	return FX_OK;
}

/* A listening socket on a port that the system chooses: bound here, so no one can take it between
 * planning and use, and a node that is started again finds it again. The endpoint is the way there
 * on this host. */
int fx_plan_listen(const char *address, char **endpoint, struct fx_error *err)
{
	const char *const to = address && strcmp(address, "0.0.0.0") != 0 ? address : "127.0.0.1";
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (address)
		inet_pton(AF_INET, address, &a.sin_addr);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0) {
		fx_error_set(err, FX_EIO, "cannot listen on %s: %s",
			     address ? address : "127.0.0.1", strerror(errno));
		if (fd >= 0)
			close(fd);
		return FX_EIO;
	}
	*endpoint = fx_asprintf("tcp://%s:%d", to, ntohs(a.sin_port));
	return fd;
}

/* Where an output can be reached: on this host by a socket of its own, else by TCP. */
static int plan_endpoint(struct fx_plan *p, const struct fx_plan_instance *inst, unsigned port,
			 bool tcp, const struct fx_plan_places *places, struct fx_wired_output *o,
			 struct fx_error *err)
{
	const struct fx_plan_hosts *hosts = places->hosts;

	o->listen_fd = -1;
	if (!tcp) {
		o->endpoint = fx_asprintf("ipc://%s/%zu.%u", inst->wiring.run_dir,
					  inst->wiring.index, port);
		return FX_OK;
	}
	if (inst->host)
		return hosts->listen(hosts->context, inst->host, inst->wiring.index, port,
				     &o->endpoint, err);
	o->listen_fd =
		fx_plan_listen(hosts ? hosts->hosts[0].address : places->bind, &o->endpoint, err);
	return plan_keep_fd(p, o->listen_fd) ? FX_OK : FX_EIO;
}

static int plan_output(struct fx_plan *p, struct fx_plan_instance *inst, unsigned port,
		       enum fx_transport transport, const struct fx_plan_places *places,
		       struct fx_error *err)
{
	const struct fx_graph_node *n = &p->graph->nodes[inst->node];
	struct fx_wired_output *o = &inst->wiring.outputs[inst->wiring.outputs_len];
	const bool away = crosses(p, inst->wiring.index, port);

	o->slots = transport == FX_TRANSPORT_SHM && !away;
	o->port = fx_strdup(n->type->ports[port].name);
	o->precision = fx_precision_of(n->precision, port);
	o->edges = fx_calloc(edges_of(p->graph, inst->node, port), sizeof *o->edges);
	inst->wiring.outputs_len++;
	if (plan_endpoint(p, inst, port, transport == FX_TRANSPORT_TCP || away, places, o, err) < 0)
		return FX_EIO;
	return o->port && o->endpoint && o->edges ?
		       FX_OK :
		       fx_error_set(err, FX_ENOMEM, "no memory for the plan");
}

static int plan_outputs(struct fx_plan *p, enum fx_transport transport,
			const struct fx_plan_places *places, struct fx_error *err)
{
	for (size_t i = 0; i < p->instances_len; i++) {
		struct fx_plan_instance *inst = &p->instances[i];
		const struct fx_node_type *t = p->graph->nodes[inst->node].type;

		inst->wiring.outputs = fx_calloc(fx_type_ports(t), sizeof(struct fx_wired_output));
		inst->wiring.inputs = fx_calloc(fx_type_ports(t), sizeof(struct fx_wired_input));
		if (!inst->wiring.outputs || !inst->wiring.inputs)
			return fx_error_set(err, FX_ENOMEM, "no memory for the plan");
		for (unsigned port = 0; t->ports[port].name; port++)
			if (t->ports[port].dir == FX_OUT &&
			    fx_graph_consumers(p->graph, inst->node, port) &&
			    plan_output(p, inst, port, transport, places, err) < 0)
				return FX_EIO;
	}
	return FX_OK;
}

/* The output called @p port, which the plan of outputs has made. */
static struct fx_wired_output *output_of(const struct fx_plan_instance *inst, const char *port)
{
	size_t i = 0;

	while (i + 1 < inst->wiring.outputs_len && strcmp(inst->wiring.outputs[i].port, port) != 0)
		i++;
	return &inst->wiring.outputs[i];
}

/* Lanes of one producing instance: as many edge lanes as it has consumers in all. */
static unsigned holders_of(const struct fx_plan_instance *inst)
{
	unsigned n = 1; /* 0 is the producer itself */

	for (size_t i = 0; i < inst->wiring.outputs_len; i++)
		for (size_t e = 0; e < inst->wiring.outputs[i].edges_len; e++)
			n += (unsigned)inst->wiring.outputs[i].edges[e].lanes_len;
	return n;
}

static size_t dropping_lanes(const struct fx_plan_instance *inst)
{
	size_t n = 0;

	for (size_t i = 0; i < inst->wiring.outputs_len; i++)
		for (size_t e = 0; e < inst->wiring.outputs[i].edges_len; e++)
			if (inst->wiring.outputs[i].edges[e].drop)
				n += inst->wiring.outputs[i].edges[e].lanes_len;
	return n;
}

/* Adds an edge of @p producer to @p lanes instances of @p to, from the @p first on. */
static int add_edge(struct fx_plan_instance *producer, const struct fx_plan_edge *edge,
		    const char *to, size_t first, size_t lanes, size_t stats, struct fx_error *err)
{
	struct fx_wired_output *o = output_of(producer, edge->from_port);
	struct fx_wired_edge *e = &o->edges[o->edges_len];
	const unsigned holder = holders_of(producer);

	e->node = fx_strdup(to);
	e->port = fx_strdup(edge->to_port);
	e->lanes = fx_calloc(lanes, sizeof *e->lanes);
	o->edges_len++;
	if (!e->node || !e->port || !e->lanes)
		return fx_error_set(err, FX_ENOMEM, "no memory for the plan");
	e->first = (unsigned)first;
	e->lanes_len = lanes;
	e->drop = edge->policy == FX_POLICY_DROP_OLD ? FX_DROP_OLD :
		  edge->policy == FX_POLICY_DROP_NEW ? FX_DROP_NEW :
						       FX_DROP_NONE;
	e->way = (unsigned)edge->coding;
	for (size_t c = 0; c < lanes; c++)
		e->lanes[c] = (struct fx_wired_lane){ .pool_fd = -1,
						      .holder = holder + (unsigned)c,
						      .stats = stats + c };
	return FX_OK;
}

/* The producer's side of an edge: one lane for each consuming instance; to a node with a key, an
 * edge each. */
static int plan_edge_from(struct fx_plan_instance *producer, const struct fx_plan_edge *edge,
			  const struct fx_graph_node *to, size_t lane0, struct fx_error *err)
{
	const size_t lanes = sharing(to);

	if (drops(edge->policy) && dropping_lanes(producer) + edge->consumers > DROPS_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "%s has more than %d consuming processes that drop: let one "
				    "read it and pass on",
				    producer->wiring.node, DROPS_MAX);
	if (holders_of(producer) + edge->consumers > FX_POOL_HOLDERS)
		return fx_error_set(err, FX_EINVAL,
				    "%s has more than %d consuming processes: use fewer workers",
				    producer->wiring.node, FX_POOL_HOLDERS - 1);
	for (size_t c = 0; c < edge->consumers; c += lanes)
		if (add_edge(producer, edge, to->name, c, lanes, lane0 + c, err) < 0)
			return FX_ENOMEM;
	return FX_OK;
}

/* The producer's end of the lane to instance @p k of the edge that was added last. */
static const struct fx_wired_lane *twin_of(const struct fx_wired_output *o,
					   const struct fx_plan_edge *edge, size_t lanes, size_t k)
{
	const size_t edges = edge->consumers / lanes;

	return &o->edges[o->edges_len - edges + k / lanes].lanes[k % lanes];
}

/* The consumer's side of an edge: one lane for each producing instance. */
static int plan_edge_to(struct fx_plan *p, struct fx_plan_instance *consumer, size_t k,
			const struct fx_plan_edge *edge, struct fx_error *err)
{
	struct fx_wired_input *in = &consumer->wiring.inputs[consumer->wiring.inputs_len];
	const size_t first = fx_first_instance(p->graph, edge->from);
	const size_t lanes = sharing(&p->graph->nodes[edge->to]);

	in->port = fx_strdup(edge->to_port);
	in->lanes = fx_calloc(edge->producers, sizeof *in->lanes);
	consumer->wiring.inputs_len++;
	if (!in->port || !in->lanes)
		return fx_error_set(err, FX_ENOMEM, "no memory for the plan");
	in->lanes_len = edge->producers;
	in->credit_messages = credit_messages(edge->policy, lanes);
	in->parts = fx_graph_parts(p->graph, edge->from);
	in->gaps = edge->gaps;
	in->spool_bytes = edge->spool_bytes;
	in->credit_bytes = CREDIT_BYTES;
	for (size_t i = 0; i < edge->producers; i++) {
		const struct fx_plan_instance *producer = &p->instances[first + i];
		const struct fx_wired_output *o = output_of(producer, edge->from_port);

		in->lanes[i] = *twin_of(o, edge, lanes, k);
		in->lanes[i].slots = o->slots;
		in->lanes[i].from = producer->wiring.index;
		in->lanes[i].pool_fd = o->slots ? producer->wiring.pool_fd : -1;
		in->lanes[i].endpoint = fx_strdup(o->endpoint);
		if (!in->lanes[i].endpoint)
			return fx_error_set(err, FX_ENOMEM, "no memory for the plan");
		p->credit_bytes += shares_of(edge->policy) * in->credit_bytes;
	}
	return FX_OK;
}

/* A stateless node numbers its answers as its input is: where that has gaps, they have. */
static bool passes_gaps(const struct fx_plan *p, size_t node)
{
	for (size_t i = 0; i < p->edges_len; i++)
		if (p->edges[i].to == node && p->edges[i].gaps &&
		    p->graph->nodes[node].type->stateless)
			return true;
	return false;
}

static int plan_edge(struct fx_plan *p, size_t to, const struct fx_graph_input *in,
		     struct fx_error *err)
{
	const struct fx_graph *g = p->graph;
	struct fx_plan_edge *edge = &p->edges[p->edges_len];

	*edge = (struct fx_plan_edge){
		.from = in->from,
		.to = to,
		.from_port = g->nodes[in->from].type->ports[in->from_port].name,
		.to_port = g->nodes[to].type->ports[in->port].name,
		.first = p->lanes_len,
		.producers = (size_t)g->nodes[in->from].workers,
		.consumers = (size_t)g->nodes[to].workers,
		.policy = in->policy,
		.coding = in->coding,
		.spool_bytes = in->policy == FX_POLICY_SPOOL ? in->spool_bytes : 0,
		.gaps = drops(in->policy) || passes_gaps(p, in->from),
	};
	for (size_t i = 0; i < edge->producers; i++)
		if (plan_edge_from(&p->instances[fx_first_instance(g, in->from) + i], edge,
				   &g->nodes[to], edge->first + i * edge->consumers, err) < 0)
			return FX_EINVAL;
	for (size_t k = 0; k < edge->consumers; k++)
		if (plan_edge_to(p, &p->instances[fx_first_instance(g, to) + k], k, edge, err) < 0)
			return FX_EINVAL;
	p->lanes_len += edge->producers * edge->consumers;
	p->edges_len++;
	return FX_OK;
}

static int plan_edges(struct fx_plan *p, struct fx_error *err)
{
	size_t n = 0;

	for (size_t i = 0; i < p->graph->nodes_len; i++)
		n += p->graph->nodes[i].inputs_len;
	p->edges = fx_calloc(n, sizeof *p->edges);
	if (!p->edges)
		return fx_error_set(err, FX_ENOMEM, "no memory for the plan");
	for (size_t i = 0; i < p->graph->nodes_len; i++)
		for (size_t k = 0; k < p->graph->nodes[i].inputs_len; k++)
			if (plan_edge(p, i, &p->graph->nodes[i].inputs[k], err) < 0)
				return FX_EINVAL;
	return FX_OK;
}

static int plan_stats(struct fx_plan *p, const char *state_dir, struct fx_error *err)
{
	char *path = fx_path_join(state_dir, "counters");
	const int fd = path ? fx_stats_open(path, p->instances_len, p->lanes_len, err) :
			      fx_error_set(err, FX_ENOMEM, "no memory for the plan");

	free(path);

	if (!plan_keep_fd(p, fd))
		return FX_EIO;
	for (size_t i = 0; i < p->instances_len; i++) {
		p->instances[i].wiring.stats_fd = fd;
		p->instances[i].wiring.stats_instances = p->instances_len;
		p->instances[i].wiring.stats_lanes = p->lanes_len;
	}
	return FX_OK;
}

static int plan_fill(struct fx_plan *p, enum fx_transport transport,
		     const struct fx_plan_places *places, struct fx_error *err)
{
	const struct fx_graph *g = p->graph;

	for (size_t i = 0; i < g->nodes_len; i++)
		for (unsigned k = 0; k < (unsigned)g->nodes[i].workers; k++)
			if (plan_identity(p, i, k, places, transport == FX_TRANSPORT_SHM, err) < 0)
				return FX_EIO;
	if (plan_outputs(p, transport, places, err) < 0 || plan_edges(p, err) < 0)
		return FX_EIO;
	return plan_stats(p, places->state_dir, err);
}

struct fx_plan *fx_plan_new(const struct fx_graph *g, enum fx_transport transport,
			    const struct fx_plan_places *places, struct fx_error *err)
{
	struct fx_plan *p = calloc(1, sizeof *p);

	if (p) {
		p->graph = g;
		p->instances_len = fx_first_instance(g, g->nodes_len);
		p->instances = fx_calloc(p->instances_len, sizeof *p->instances);
	}
	if (!p || !p->instances) {
		fx_error_set(err, FX_ENOMEM, "no memory for the plan");
		free(p);
		return NULL;
	}
	if (plan_fill(p, transport, places, err) < 0) {
		fx_plan_free(p);
		return NULL;
	}
	return p;
}

int fx_plan_listen_again(struct fx_plan *p, const struct fx_plan_instance *inst,
			 const struct fx_plan_hosts *hosts, struct fx_wired_output *o,
			 struct fx_error *err)
{
	const struct fx_plan_places places = { .hosts = hosts };
	const int port = fx_type_port(p->graph->nodes[inst->node].type, o->port, FX_OUT);

	free(o->endpoint);
	o->endpoint = NULL;
	o->slots = false;
	if (plan_endpoint(p, inst, (unsigned)port, true, &places, o, err) < 0)
		return FX_EIO;
	return o->endpoint ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for the plan");
}

void fx_plan_close(struct fx_plan *p)
{
	for (size_t i = 0; p && i < p->fds_len; i++)
		close(p->fds[i]);
	if (p)
		p->fds_len = 0;
}

void fx_plan_free(struct fx_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->instances_len; i++)
		fx_wiring_fini(&p->instances[i].wiring);
	fx_plan_close(p);
	free(p->fds);
	free(p->instances);
	free(p->edges);
	free(p);
}
