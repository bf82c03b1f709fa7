// SPDX-License-Identifier: Apache-2.0
/* place.c: which process of a graph runs on which host. */
#include "conduct/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A process to be placed. */
struct item {
	size_t node, instance;
	double seconds;
};

size_t fx_first_instance(const struct fx_graph *g, size_t node)
{
	size_t n = 0;

	for (size_t i = 0; i < node; i++)
		n += (size_t)g->nodes[i].workers;
	return n;
}

void fx_places_fini(struct fx_places *p)
{
	free(p->host);
	p->host = NULL;
	p->len = 0;
}

/* Most work first; else in the order of the stream. */
static int by_work(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	if (x->seconds < y->seconds || x->seconds > y->seconds)
		return x->seconds < y->seconds ? 1 : -1;
	return x->instance < y->instance ? -1 : x->instance > y->instance;
}

static struct item *items_of(const struct fx_graph *g, const struct fx_costs *c, size_t len)
{
	struct item *items = fx_calloc(len, sizeof *items);
	size_t used = 0;

	for (size_t i = 0; items && i < g->nodes_len; i++)
		for (int k = 0; k < g->nodes[i].workers; k++) {
			items[used] = (struct item){ i, used, c->seconds[i] / g->nodes[i].workers };
			used++;
		}
	if (items)
		qsort(items, len, sizeof *items, by_work);
	return items;
}

/* Seconds that an edge takes between one process on @p host and those of @p other that are placed
 * elsewhere. */
static double edge_seconds(const struct fx_graph *g, const struct fx_places *p, const bool *placed,
			   size_t other, unsigned host, double bytes, int workers)
{
	const size_t first = fx_first_instance(g, other);
	const double share = bytes / FX_LINK_RATE / workers / g->nodes[other].workers;
	double s = 0;

	for (int k = 0; k < g->nodes[other].workers; k++)
		if (placed[first + (size_t)k] && p->host[first + (size_t)k] != host)
			s += share;
	return s;
}

/* Seconds that links take when @p node has a process on @p host. */
static double links_seconds(const struct fx_graph *g, const struct fx_costs *c,
			    const struct fx_places *p, const bool *placed, size_t node,
			    unsigned host)
{
	double s = 0;
	size_t edge = 0;

	for (size_t to = 0; to < g->nodes_len; to++)
		for (size_t k = 0; k < g->nodes[to].inputs_len; k++, edge++) {
			const size_t from = g->nodes[to].inputs[k].from;

			if (to == node || from == node)
				s += edge_seconds(g, p, placed, to == node ? from : to, host,
						  c->bytes[edge], g->nodes[node].workers);
		}
	return s;
}

static int place_one(struct fx_places *p, const struct fx_graph *g, const struct fx_costs *c,
		     const struct item *it, const int *slots, uint64_t gone, const bool *placed,
		     struct fx_error *err)
{
	const struct fx_graph_node *n = &g->nodes[it->node];
	double best = 0;
	long host = -1;

	for (unsigned h = 0; h < g->hosts_len; h++) {
		const double room = g->hosts[h].memory_mib;
		double s;

		if (!(n->hosts >> h & 1) || gone >> h & 1 ||
		    (room > 0 && p->memory[h] + n->bounds.limit_mib > room))
			continue;
		s = (p->load[h] + it->seconds) / (slots[h] > 0 ? slots[h] : 1) +
		    links_seconds(g, c, p, placed, it->node, h);
		if (host < 0 || s < best) {
			host = h;
			best = s;
		}
	}
	if (host < 0)
		return fx_error_set(err, FX_EINVAL,
				    "%s can run nowhere: no host that its `host` and `tags` allow "
				    "is there with memory for it",
				    n->name);
	p->host[it->instance] = (unsigned)host;
	p->load[host] += it->seconds;
	p->memory[host] += n->bounds.limit_mib;
	return FX_OK;
}

int fx_place(struct fx_places *p, const struct fx_graph *g, const struct fx_costs *c,
	     const int slots[FX_GRAPH_HOSTS_MAX], uint64_t gone, struct fx_error *err)
{
	const size_t len = fx_first_instance(g, g->nodes_len);
	struct item *items = items_of(g, c, len);
	bool *placed = fx_calloc(len, sizeof *placed);
	int result = FX_OK;

	*p = (struct fx_places){ .len = len, .host = fx_calloc(len, sizeof *p->host) };
	if (!items || !placed || !p->host)
		result = fx_error_set(err, FX_ENOMEM, "no memory for the plan");
	for (size_t i = 0; g->hosts_len && result == FX_OK && i < len; i++) {
		result = place_one(p, g, c, &items[i], slots, gone, placed, err);
		placed[items[i].instance] = true;
	}
	if (result < 0)
		fx_places_fini(p);
	free(placed);
	free(items);
	return result;
}

static size_t node_of(const struct fx_graph *g, size_t i)
{
	size_t n = 0;

	while (i >= (size_t)g->nodes[n].workers)
		i -= (size_t)g->nodes[n++].workers;
	return n;
}

int fx_place_again(struct fx_places *p, const struct fx_graph *g, const struct fx_costs *c,
		   const int slots[FX_GRAPH_HOSTS_MAX], uint64_t gone, size_t i,
		   struct fx_error *err)
{
	const size_t node = node_of(g, i);
	const struct item it = { node, i, c->seconds[node] / g->nodes[node].workers };
	bool *placed = fx_calloc(p->len, sizeof *placed);
	int result;

	if (!placed)
		return fx_error_set(err, FX_ENOMEM, "no memory for the plan");
	for (size_t k = 0; k < p->len; k++)
		placed[k] = k != i && !(gone >> p->host[k] & 1);
	result = place_one(p, g, c, &it, slots, gone, placed, err);
	free(placed);
	return result;
}

/* Instance @p i of @p node is on @p host from now on. */
static void take_over(struct fx_places *p, const struct fx_graph *g, const struct fx_costs *c,
		      size_t node, size_t i, unsigned host)
{
	const double s = c->seconds[node] / g->nodes[node].workers;
	const unsigned from = p->host[i];

	p->load[from] -= s;
	p->memory[from] -= g->nodes[node].bounds.limit_mib;
	p->load[host] += s;
	p->memory[host] += g->nodes[node].bounds.limit_mib;
	p->host[i] = host;
}

/* A process that may go to @p host, and what it weighs. */
struct candidate {
	bool any;
	size_t node, instance;
	double ends; /* seconds until its host has done what it has now */
};

/* True when @p a is to go before @p b: its host is later, it has more work, it is the last. */
static bool goes_before(const struct candidate *a, const struct candidate *b,
			const struct fx_graph *g, const struct fx_costs *c)
{
	const double x = c->seconds[a->node] / g->nodes[a->node].workers;
	const double y = b->any ? c->seconds[b->node] / g->nodes[b->node].workers : 0;

	if (!b->any || a->ends < b->ends || a->ends > b->ends)
		return !b->any || a->ends > b->ends;
	return x > y || (!(x < y) && a->instance > b->instance);
}

int fx_place_share(struct fx_places *p, const struct fx_graph *g, const struct fx_costs *c,
		   const int slots[FX_GRAPH_HOSTS_MAX], unsigned host, const bool *may,
		   size_t *taken)
{
	struct candidate best = { 0 };
	size_t i = 0;

	for (size_t n = 0; n < g->nodes_len; n++) {
		const double s = c->seconds[n] / g->nodes[n].workers;
		const double room = g->hosts[host].memory_mib, limit = g->nodes[n].bounds.limit_mib;

		for (int k = 0; k < g->nodes[n].workers; k++, i++) {
			const unsigned from = p->host[i];
			const struct candidate now = { true, n, i, p->load[from] / slots[from] };

			if (may[i] && from != host && (g->nodes[n].hosts >> host & 1) &&
			    (room <= 0 || p->memory[host] + limit <= room) &&
			    (p->load[host] + s) / slots[host] < now.ends &&
			    goes_before(&now, &best, g, c))
				best = now;
		}
	}
	if (!best.any)
		return FX_END;
	take_over(p, g, c, best.node, best.instance, host);
	*taken = best.instance;
	return FX_OK;
}
