// SPDX-License-Identifier: Apache-2.0
/* load.c: a graph file to a draft, and the way from there to a checked graph. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graph/bounds.h"
#include "graph/draft.h"
#include "graph/hint.h"

static void no_memory(struct fx_draft *d)
{
	fx_graph_error_add(d->errors, 0, 0, "no memory to read it");
}

/* Keys that other versions may know: they must not be taken for a slip of the pen. */
void fx_draft_refuse(struct fx_draft *d, const char *place, const struct fx_yaml_entry *e,
		     const char *const *valid, const char *const *later)
{
	struct fx_hint hint = { 0 };

	for (; *later; later++)
		if (strcmp(*later, e->key) == 0)
			break;
	for (; *valid; valid++)
		fx_hint_offer(&hint, e->key, *valid);
	if (*later)
		fx_graph_error_add(d->errors, e->line, e->col,
				   "%s\"%s\" is not available in this version; valid: %s", place,
				   e->key, hint.list);
	else
		fx_graph_error_add(d->errors, e->line, e->col, "%sunknown key \"%.100s\"%s", place,
				   e->key, fx_hint_text(&hint));
}

/* An empty text stands for an empty map: all its lines may be comments. */
static bool is_map(struct fx_draft *d, const struct fx_yaml *y, const char *node, const char *what,
		   const char *of)
{
	if (y->kind == FX_YAML_TEXT && *y->text)
		fx_graph_error_add(d->errors, y->line, y->col, "%s%s: must be a map of %s", node,
				   what, of);
	return y->kind == FX_YAML_MAP;
}

struct fx_expanded fx_draft_expand(struct fx_draft *d, const struct fx_yaml *y, const char *node,
				   const char *what)
{
	if (y->kind == FX_YAML_TEXT)
		return fx_params_expand(d->graph, y, node, what, &d->expanded, d->errors);
	if (y->kind == FX_YAML_MAP)
		fx_graph_error_add(d->errors, y->line, y->col, "%s.%.100s: must be a text", node,
				   what);
	return (struct fx_expanded){ .unknown = true };
}

static void read_when(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y)
{
	static const char *const offs[] = { "", "false", "off", "no", "0" };
	struct fx_expanded e = fx_draft_expand(d, y, n->name, "when");

	for (size_t i = 0; i < sizeof offs / sizeof *offs; i++)
		if (e.text && strcmp(e.text, offs[i]) == 0)
			n->off = true;
	free(e.text);
}

/* After read_when(): of a node that is left out, a type made from parameters need not be known. */
static void read_type(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y)
{
	struct fx_expanded e = fx_draft_expand(d, y, n->name, "type");
	struct fx_error err = { 0 };

	if (e.text)
		n->type = fx_registry_find(d->registry, e.text, &err);
	if (e.text && !n->type && !(n->off && e.varies))
		fx_graph_error_add(d->errors, y->line, y->col, "%s: %s", n->name, err.text);
	if (e.missing)
		fx_graph_error_add(d->errors, y->line, y->col,
				   "%s.type: \"%.100s\" needs its parameter to be given", n->name,
				   y->text);
	free(e.text);
}

static void read_workers(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y)
{
	struct fx_expanded e = fx_draft_expand(d, y, n->name, "workers");
	char *end = e.text;
	const long v = e.text ? strtol(e.text, &end, 10) : 1;

	if (e.text && (end == e.text || *end || v < 1 || v > FX_GRAPH_WORKERS_MAX))
		fx_graph_error_add(d->errors, y->line, y->col,
				   "%s.workers: \"%.100s\" is not a whole number within 1..%d",
				   n->name, e.text, FX_GRAPH_WORKERS_MAX);
	else
		n->workers = (int)v;
	n->workers_at = (struct fx_place){ y->line, y->col };
	free(e.text);
}

static void read_key(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y)
{
	struct fx_expanded e = fx_draft_expand(d, y, n->name, "key");

	if (e.text)
		fx_draft_key(d, n, y, e.text);
	free(e.text);
}

/* `hang` and `limit`. */
static void read_bound(struct fx_draft *d, struct fx_draft_node *n, const char *key,
		       const struct fx_yaml *y)
{
	struct fx_expanded e = fx_draft_expand(d, y, n->name, key);
	struct fx_error err = { 0 };

	if (e.text && fx_bounds_set(&n->bounds, key, e.text, &err) < 0)
		fx_graph_error_add(d->errors, y->line, y->col, "%s.%s: %s", n->name, key, err.text);
	if (strcmp(key, "limit") == 0) {
		n->bounds.line = y->line;
		n->bounds.col = y->col;
	}
	free(e.text);
}

/* `host` and `tags`. */
static void read_where(struct fx_draft *d, struct fx_draft_node *n, const char *key,
		       const struct fx_yaml *y)
{
	const bool host = strcmp(key, "host") == 0;
	char **text = host ? &n->host : &n->tags;

	*(host ? &n->host_at : &n->tags_at) = (struct fx_place){ y->line, y->col };
	*text = fx_draft_expand(d, y, n->name, key).text;
}

static void read_set(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y)
{
	if (!is_map(d, y, n->name, ".set", "options"))
		return;
	n->options = fx_calloc(y->len, sizeof *n->options);
	if (!n->options)
		no_memory(d);
	for (size_t i = 0; n->options && i < y->len; i++) {
		const struct fx_yaml_entry *e = &y->entries[i];

		n->options[n->options_len++] = (struct fx_draft_option){
			.name = e->key,
			.name_at = { e->line, e->col },
			.at = { e->value.line, e->value.col },
			.written = e->value.text,
			.value = fx_draft_expand(d, &e->value, n->name, e->key),
		};
	}
}

static void read_from(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y)
{
	if (!is_map(d, y, n->name, ".from", "inputs"))
		return;
	n->edges = fx_calloc(y->len, sizeof *n->edges);
	if (!n->edges)
		no_memory(d);
	for (size_t i = 0; n->edges && i < y->len; i++) {
		const struct fx_yaml_entry *e = &y->entries[i];
		const struct fx_expanded source = fx_draft_expand(d, &e->value, n->name, e->key);

		if (source.missing)
			fx_graph_error_add(d->errors, e->value.line, e->value.col,
					   "%s.%.100s: \"%.100s\" needs its parameter to be given",
					   n->name, e->key, e->value.text);
		n->edges[n->edges_len++] = (struct fx_draft_edge){
			.name = e->key,
			.name_at = { e->line, e->col },
			.at = { e->value.line, e->value.col },
			.source = source.text,
		};
	}
}

/* Room for @p len entries of a key of ports. */
static bool port_room(struct fx_draft_node *n, const char *key, size_t len)
{
	if (strcmp(key, "policy") == 0)
		return (n->policies = fx_calloc(len, sizeof *n->policies));
	if (strcmp(key, "codec") == 0)
		return (n->codings = fx_calloc(len, sizeof *n->codings));
	return (n->precisions = fx_calloc(len, sizeof *n->precisions));
}

/* `policy`, `codec` or `precision`: a text for all inputs (outputs), or a map of them. */
static void read_ports(struct fx_draft *d, struct fx_draft_node *n, const char *key,
		       const struct fx_yaml *y)
{
	const size_t len = y->kind == FX_YAML_MAP ? y->len : 1;

	if (!port_room(n, key, len)) {
		no_memory(d);
		return;
	}
	for (size_t i = 0; i < len; i++) {
		const struct fx_yaml_entry *port = y->kind == FX_YAML_MAP ? &y->entries[i] : NULL;
		const struct fx_yaml *value = port ? &port->value : y;
		struct fx_expanded e = fx_draft_expand(d, value, n->name, key);

		if (e.text && strcmp(key, "policy") == 0)
			fx_draft_policy(d, n, value, port, e.text);
		else if (e.text && strcmp(key, "codec") == 0)
			fx_draft_coding(d, n, value, port, e.text);
		else if (e.text)
			fx_draft_precision(d, n, value, port, e.text);
		free(e.text);
	}
}

static bool is_of_ports(const char *key)
{
	return strcmp(key, "policy") == 0 || strcmp(key, "codec") == 0 ||
	       strcmp(key, "precision") == 0;
}

static void read_node_keys(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *map)
{
	static const char *const keys[] = { "type",  "from",   "set",	"workers",   "key",
					    "when",  "policy", "codec", "precision", "hang",
					    "limit", "host",   "tags",	NULL };
	static const char *const later[] = { NULL };
	const struct fx_yaml_entry *when = fx_yaml_find(map, "when");
	char place[FX_GRAPH_NAME_MAX + 3];
	bool refused = false;

	if (when)
		read_when(d, n, &when->value);
	for (size_t i = 0; i < map->len; i++) {
		const struct fx_yaml_entry *e = &map->entries[i];

		if (strcmp(e->key, "type") == 0) {
			read_type(d, n, &e->value);
		} else if (strcmp(e->key, "from") == 0) {
			read_from(d, n, &e->value);
		} else if (strcmp(e->key, "set") == 0) {
			read_set(d, n, &e->value);
		} else if (strcmp(e->key, "workers") == 0) {
			read_workers(d, n, &e->value);
		} else if (strcmp(e->key, "key") == 0) {
			read_key(d, n, &e->value);
		} else if (is_of_ports(e->key)) {
			read_ports(d, n, e->key, &e->value);
		} else if (strcmp(e->key, "host") == 0 || strcmp(e->key, "tags") == 0) {
			read_where(d, n, e->key, &e->value);
		} else if (fx_bounds_has(e->key)) {
			read_bound(d, n, e->key, &e->value);
		} else if (e != when) {
			snprintf(place, sizeof place, "%s: ", n->name);
			fx_draft_refuse(d, place, e, keys, later);
			refused = true; /* may have been meant as the type */
		}
	}
	if (!refused && !fx_yaml_find(map, "type"))
		fx_graph_error_add(d->errors, n->at.line, n->at.col, "%s: has no type", n->name);
}

static void read_node(struct fx_draft *d, const struct fx_yaml_entry *e)
{
	struct fx_draft_node *n = &d->nodes[d->nodes_len];

	if (!fx_name_valid(e->key, true))
		fx_graph_error_add(d->errors, e->line, e->col,
				   "\"%.100s\" is not a name of a node: small letters, digits, _ "
				   "and -, at most %d, a letter first",
				   e->key, FX_GRAPH_NAME_MAX);
	if (strlen(e->key) > FX_GRAPH_NAME_MAX)
		return;
	d->nodes_len++;
	*n = (struct fx_draft_node){ .name = e->key, .at = { e->line, e->col }, .workers = 1 };
	if (e->value.kind == FX_YAML_TEXT)
		fx_graph_error_add(d->errors, e->line, e->col, "%s: has no type", n->name);
	else if (e->value.kind == FX_YAML_MAP)
		read_node_keys(d, n, &e->value);
}

static void read_nodes(struct fx_draft *d, const struct fx_yaml *root)
{
	const struct fx_yaml_entry *nodes = fx_yaml_find(root, "nodes");

	if (!nodes || (nodes->value.kind == FX_YAML_TEXT && !*nodes->value.text) ||
	    (nodes->value.kind == FX_YAML_MAP && !nodes->value.len)) {
		fx_graph_error_add(d->errors, nodes ? nodes->line : root->line,
				   nodes ? nodes->col : root->col, "the graph has no nodes");
		return;
	}
	if (!is_map(d, &nodes->value, "", "nodes", "node names"))
		return;
	d->nodes = fx_calloc(nodes->value.len, sizeof *d->nodes);
	if (!d->nodes)
		no_memory(d);
	for (size_t i = 0; d->nodes && i < nodes->value.len; i++)
		read_node(d, &nodes->value.entries[i]);
}

static void check_version(struct fx_draft *d, const struct fx_yaml *root)
{
	const struct fx_yaml_entry *e = fx_yaml_find(root, "version");

	if (!e)
		fx_graph_error_add(d->errors, root->line, root->col,
				   "the graph says no version; write version: 1");
	else if (e->value.kind == FX_YAML_MAP ||
		 (e->value.kind == FX_YAML_TEXT && strcmp(e->value.text, "1") != 0))
		fx_graph_error_add(d->errors, e->value.line, e->value.col,
				   "version \"%.100s\" is not known to this fornix; valid: 1",
				   e->value.text ? e->value.text : "");
}

void fx_draft_read(struct fx_draft *d, const struct fx_yaml *root, const struct fx_param *given,
		   size_t given_len, unsigned flags)
{
	static const char *const keys[] = { "version", "params", "hosts", "nodes", NULL };
	static const char *const later[] = { "include", NULL };
	const struct fx_yaml_entry *params, *hosts;

	if (root->kind != FX_YAML_MAP) {
		if (root->kind == FX_YAML_TEXT || !d->errors->len)
			fx_graph_error_add(d->errors, root->line, root->col,
					   "not a graph: it must be a map of version, params and "
					   "nodes");
		return;
	}
	check_version(d, root);
	for (size_t i = 0; i < root->len; i++)
		if (strcmp(root->entries[i].key, "version") != 0 &&
		    strcmp(root->entries[i].key, "params") != 0 &&
		    strcmp(root->entries[i].key, "hosts") != 0 &&
		    strcmp(root->entries[i].key, "nodes") != 0)
			fx_draft_refuse(d, "", &root->entries[i], keys, later);
	params = fx_yaml_find(root, "params");
	fx_params_read(d->graph, params ? &params->value : NULL, d->errors);
	fx_params_give(d->graph, given, given_len, flags, d->errors);
	hosts = fx_yaml_find(root, "hosts");
	if (hosts && is_map(d, &hosts->value, "", "hosts", "names of hosts"))
		fx_draft_hosts(d, &hosts->value);
	read_nodes(d, root);
	fx_draft_hosts_of_nodes(d);
}

static void draft_node_fini(struct fx_draft_node *n)
{
	for (size_t i = 0; i < n->options_len; i++)
		free(n->options[i].value.text);
	for (size_t i = 0; i < n->edges_len; i++)
		free(n->edges[i].source);
	free(n->options);
	free(n->edges);
	free(n->policies);
	free(n->codings);
	free(n->precisions);
	free(n->host);
	free(n->tags);
}

void fx_draft_fini(struct fx_draft *d)
{
	for (size_t i = 0; i < d->nodes_len; i++)
		draft_node_fini(&d->nodes[i]);
	free(d->nodes);
	fx_graph_free(d->graph);
	memset(d, 0, sizeof *d);
}

long fx_draft_find(const struct fx_draft *d, const char *name, size_t len)
{
	for (size_t i = 0; i < d->nodes_len; i++)
		if (strncmp(d->nodes[i].name, name, len) == 0 && !d->nodes[i].name[len])
			return (long)i;
	return -1;
}

struct fx_graph *fx_graph_parse(const char *file, const char *text, size_t size,
				const struct fx_registry *r, const struct fx_param *params,
				size_t params_len, unsigned flags, struct fx_graph_errors *errors)
{
	struct fx_draft d = { .registry = r, .errors = errors };
	struct fx_graph *graph = NULL;
	struct fx_yaml root = { 0 };

	snprintf(errors->file, sizeof errors->file, "%s", file);
	d.graph = fx_calloc(1, sizeof *d.graph);
	if (d.graph)
		d.graph->file = fx_strdup(file);
	if (size > FX_GRAPH_SIZE_MAX)
		fx_graph_error_add(errors, 0, 0, "%zu bytes, more than the %d accepted", size,
				   FX_GRAPH_SIZE_MAX);
	else if (!d.graph || !d.graph->file)
		no_memory(&d);
	else if (fx_yaml_read(&root, text, size, errors) == FX_OK) {
		fx_draft_read(&d, &root, params, params_len, flags);
		fx_draft_check(&d);
		fx_draft_policies(&d);
		fx_draft_codings(&d);
		fx_draft_precisions(&d);
		fx_draft_connect(&d);
		fx_draft_order(&d);
		if (!errors->len)
			fx_draft_check_policies(&d);
	}
	if (!errors->len) {
		graph = d.graph;
		d.graph = NULL;
	}
	fx_draft_fini(&d);
	fx_yaml_fini(&root);
	return graph;
}

struct fx_graph *fx_graph_load(const char *path, const struct fx_registry *r,
			       const struct fx_param *params, size_t params_len, unsigned flags,
			       struct fx_graph_errors *errors)
{
	struct fx_error err = { 0 };
	struct fx_graph *graph;
	void *text;
	size_t size;

	if (fx_file_read(path, FX_GRAPH_SIZE_MAX, &text, &size, &err) < 0) {
		const size_t len = strlen(path);
		const bool named = strncmp(err.text, path, len) == 0 && err.text[len] == ':';

		snprintf(errors->file, sizeof errors->file, "%s", path);
		fx_graph_error_add(errors, 0, 0, "%s", named ? err.text + len + 2 : err.text);
		return NULL;
	}
	graph = fx_graph_parse(path, text, size, r, params, params_len, flags, errors);
	free(text);
	return graph;
}

void fx_graph_node_fini(struct fx_graph_node *n)
{
	for (size_t i = 0; i < n->options_len; i++) {
		free(n->options[i].name);
		free(n->options[i].value);
	}
	free(n->options);
	free(n->inputs);
	free(n->name);
}

void fx_graph_free(struct fx_graph *g)
{
	if (!g)
		return;
	for (size_t i = 0; i < g->nodes_len; i++)
		fx_graph_node_fini(&g->nodes[i]);
	for (size_t i = 0; i < g->params_len; i++) {
		free(g->params[i].name);
		free(g->params[i].help);
		free(g->params[i].value);
	}
	for (size_t i = 0; i < g->hosts_len; i++)
		fx_graph_host_fini(&g->hosts[i]);
	free(g->hosts);
	free(g->params);
	free(g->nodes);
	free(g->file);
	free(g);
}

long fx_graph_find(const struct fx_graph *g, const char *name)
{
	for (size_t i = 0; i < g->nodes_len; i++)
		if (strcmp(g->nodes[i].name, name) == 0)
			return (long)i;
	return -1;
}

size_t fx_graph_consumers(const struct fx_graph *g, size_t index, unsigned port)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nodes_len; i++)
		for (size_t j = 0; j < g->nodes[i].inputs_len; j++)
			n += g->nodes[i].inputs[j].from == index &&
			     g->nodes[i].inputs[j].from_port == port;
	return n;
}
