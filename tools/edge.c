// SPDX-License-Identifier: Apache-2.0
/* edge.c: an edge of a run by its name. */
#include "edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A name up to one of @p ends; what is behind it. */
static const char *take_name(const char *text, const char *ends, char name[64])
{
	const size_t len = strcspn(text, ends);

	snprintf(name, 64, "%.*s", len < 63 ? (int)len : 63, text);
	return text + len;
}

/* CONSUMER is a node or NODE.PORT. */
static bool reads(const struct fx_view_edge *e, const char *consumer)
{
	const size_t len = strlen(e->to);

	return !*consumer || strcmp(e->to, consumer) == 0 ||
	       (strncmp(e->to, consumer, len) == 0 && consumer[len] == '.' &&
		strcmp(e->to_port, consumer + len + 1) == 0);
}

static const struct fx_view_edge *edge_of(const struct fx_view *v, const struct edge *e,
					  const char *consumer)
{
	for (size_t i = 0; i < v->edges_len; i++)
		if (strcmp(v->edges[i].from, e->node) == 0 &&
		    strcmp(v->edges[i].from_port, e->port) == 0 && reads(&v->edges[i], consumer))
			return &v->edges[i];
	return NULL;
}

static int no_edge(const struct fx_view *v, const char *name, struct fx_error *err)
{
	char list[400] = "";
	size_t used = 0;

	for (size_t i = 0; i < v->edges_len; i++) {
		const struct fx_view_edge *e = &v->edges[i];
		const int n = snprintf(list + used, sizeof list - used, " %s.%s:%s", e->from,
				       e->from_port, e->to);

		used = n < 0 || used + (size_t)n >= sizeof list ? used : used + (size_t)n;
		list[used] = 0;
	}
	return fx_error_set(err, FX_ENOENT, "the run has no edge %s; there are%s", name, list);
}

int edge_find(const struct fx_view *v, const char *name, struct edge *e, struct fx_error *err)
{
	const char *rest = take_name(name, ".:", e->node);
	const struct fx_view_edge *found;

	if (*rest == '.')
		rest = take_name(rest + 1, ":", e->port);
	found = edge_of(v, e, *rest == ':' ? rest + 1 : rest);
	if (!found)
		return no_edge(v, name, err);
	e->parts = found->parts;
	e->endpoints = fx_calloc(v->instances_len, sizeof *e->endpoints);
	if (!e->endpoints)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	for (size_t i = 0; i < v->instances_len; i++) {
		const char *endpoint = fx_view_guests(v, i, e->port);

		if (strcmp(v->instances[i].node, e->node) == 0 && endpoint)
			e->endpoints[e->endpoints_len++] = endpoint;
	}
	return FX_OK;
}

void edge_fini(struct edge *e)
{
	free(e->endpoints);
	memset(e, 0, sizeof *e);
}

struct fx_visit *edge_visit(const struct edge *e, const char *kind, uint32_t messages,
			    uint64_t bytes, struct fx_error *err)
{
	const struct fx_visit_config c = { .kind = kind,
					   .credit_messages = messages,
					   .credit_bytes = bytes,
					   .endpoints_len = e->endpoints_len,
					   .endpoints = e->endpoints };

	return fx_visit_new(&c, err);
}

void edge_tell(const struct edge *e, const struct fx_visit *v, bool *told)
{
	if (*told || fx_visit_welcomes(v) < e->endpoints_len)
		return;
	*told = true;
	fprintf(stderr, "%s.%s: listening\n", e->node, e->port);
}
