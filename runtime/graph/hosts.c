// SPDX-License-Identifier: Apache-2.0
/* hosts.c: the machines that a graph names, and on which of them a node may run. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/draft.h"
#include "graph/hint.h"
#include "graph/option.h"

/* What has a number. */
struct numbers {
	int slots;
	double memory; /* MiB */
};

static const struct fx_option numbers[] = {
	{ FX_FIELD(struct numbers, slots), .min = 0, .max = 4096 },
	{ FX_FIELD(struct numbers, memory), .min = 0, .max = 1 << 30, .unit = "MiB" },
	{ 0 },
};

static const char *const launchers[] = {
	[FX_LAUNCH_LOCAL] = "local",
	[FX_LAUNCH_SSH] = "ssh",
	[FX_LAUNCH_SLURM] = "slurm",
};

void fx_graph_host_fini(struct fx_graph_host *h)
{
	free(h->name);
	free(h->address);
	free(h->login);
	free(h->command);
	free(h->options);
	free(h->tags);
}

static void complain(struct fx_draft *d, const struct fx_yaml *at, const struct fx_graph_host *h,
		     const char *what)
{
	fx_graph_error_add(d->errors, at->line, at->col, "host %s: %s", h->name, what);
}

static void set_launcher(struct fx_draft *d, struct fx_graph_host *h, const struct fx_yaml *y,
			 const char *text)
{
	struct fx_hint hint = { 0 };

	for (int i = FX_LAUNCH_LOCAL; i <= FX_LAUNCH_SLURM; i++) {
		fx_hint_offer(&hint, text, launchers[i]);
		if (strcmp(text, launchers[i]) != 0)
			continue;
		if (h->launcher == FX_LAUNCH_HERE)
			complain(d, y, h, "is the machine of the conductor and needs no launcher");
		else
			h->launcher = (enum fx_launcher)i;
		return;
	}
	fx_graph_error_add(d->errors, y->line, y->col, "host %s: no launcher \"%.100s\"%s", h->name,
			   text, fx_hint_text(&hint));
}

static void set_number(struct fx_draft *d, struct fx_graph_host *h, const struct fx_yaml *y,
		       const struct fx_option *o, const char *text)
{
	struct numbers n = { h->slots, h->memory_mib };
	struct fx_error err = { 0 };

	if (*text && fx_option_set(o, text, &n, &err) < 0)
		fx_graph_error_add(d->errors, y->line, y->col, "host %s: %s: %s", h->name, o->name,
				   err.text);
	h->slots = n.slots;
	h->memory_mib = n.memory;
}

/* Where a text of a host is kept; NULL for another key. */
static char **text_of(struct fx_graph_host *h, const char *key)
{
	return strcmp(key, "address") == 0 ? &h->address :
	       strcmp(key, "login") == 0   ? &h->login :
	       strcmp(key, "command") == 0 ? &h->command :
	       strcmp(key, "options") == 0 ? &h->options :
	       strcmp(key, "tags") == 0	   ? &h->tags :
					     NULL;
}

static void read_key(struct fx_draft *d, struct fx_graph_host *h, const struct fx_yaml_entry *e)
{
	static const char *const keys[] = { "address", "launcher", "login", "command", "options",
					    "slots",   "memory",   "tags",  NULL };
	static const char *const later[] = { NULL };
	const struct fx_option *o = numbers;
	char **kept = text_of(h, e->key);
	char *text;

	while (o->name && strcmp(o->name, e->key) != 0)
		o++;
	if (!kept && !o->name && strcmp(e->key, "launcher") != 0) {
		fx_draft_refuse(d, "a host: ", e, keys, later);
		return;
	}
	text = fx_draft_expand(d, &e->value, h->name, e->key).text;
	if (!text)
		return;
	if (kept) {
		free(*kept);
		*kept = text;
		return;
	}
	if (o->name)
		set_number(d, h, &e->value, o, text);
	else
		set_launcher(d, h, &e->value, text);
	free(text);
}

static struct fx_graph_host *host_add(struct fx_draft *d, const char *name, int line, int col)
{
	struct fx_graph *g = d->graph;
	struct fx_graph_host *h = &g->hosts[g->hosts_len];

	*h = (struct fx_graph_host){ .line = line, .col = col };
	h->launcher = g->hosts_len ? FX_LAUNCH_SSH : FX_LAUNCH_HERE;
	h->name = fx_strdup(name);
	h->address = fx_strdup("");
	h->login = fx_strdup("");
	h->command = fx_strdup("");
	h->options = fx_strdup("");
	h->tags = fx_strdup("");
	g->hosts_len++;
	if (!h->name || !h->address || !h->login || !h->command || !h->options || !h->tags)
		fx_graph_error_add(d->errors, 0, 0, "no memory to read it");
	return h;
}

/* An address is one, and there where others need it. */
static void check_host(struct fx_draft *d, struct fx_graph_host *h, const struct fx_yaml *at)
{
	struct in_addr a;

	if (*h->address && inet_pton(AF_INET, h->address, &a) != 1)
		fx_graph_error_add(d->errors, at->line, at->col,
				   "host %s: address \"%.100s\" is not an IPv4 address, such as "
				   "192.168.1.5; names belong to login",
				   h->name, h->address);
	if (*h->login == '-')
		complain(d, at, h, "login begins with a dash");
	if (!*h->address && (h->launcher == FX_LAUNCH_SSH || h->launcher == FX_LAUNCH_SLURM))
		complain(d, at, h, "has no address by which the other hosts reach it");
}

static void read_host(struct fx_draft *d, const struct fx_yaml_entry *e)
{
	const bool here = strcmp(e->key, "here") == 0;
	struct fx_graph_host *h;

	if (!fx_name_valid(e->key, true)) {
		fx_graph_error_add(d->errors, e->line, e->col,
				   "\"%.100s\" is not a name of a host: small letters, digits, _ "
				   "and -, at most %d, a letter first",
				   e->key, FX_GRAPH_NAME_MAX);
		return;
	}
	h = here ? d->graph->hosts : host_add(d, e->key, e->line, e->col);
	if (e->value.kind != FX_YAML_MAP) {
		complain(d, &e->value, h, "must be a map, such as { address: 192.168.1.5 }");
		return;
	}
	for (size_t i = 0; i < e->value.len; i++)
		read_key(d, h, &e->value.entries[i]);
	check_host(d, h, &e->value);
}

void fx_draft_hosts(struct fx_draft *d, const struct fx_yaml *y)
{
	d->graph->hosts = fx_calloc(y->len + 1, sizeof *d->graph->hosts);
	if (!d->graph->hosts) {
		fx_graph_error_add(d->errors, 0, 0, "no memory to read it");
		return;
	}
	if (y->len >= FX_GRAPH_HOSTS_MAX) {
		fx_graph_error_add(d->errors, y->line, y->col, "more than %d hosts",
				   FX_GRAPH_HOSTS_MAX - 1);
		return;
	}
	host_add(d, "here", y->line, y->col);
	for (size_t i = 0; i < y->len; i++)
		read_host(d, &y->entries[i]);
}

/* The next word of a text to @p word; where it ends, NULL behind the last. */
static const char *next_word(const char *text, char word[FX_GRAPH_NAME_MAX + 1])
{
	size_t len;

	text += strspn(text, " \t,");
	len = strcspn(text, " \t,");
	if (!len)
		return NULL;
	memcpy(word, text, len < FX_GRAPH_NAME_MAX ? len : FX_GRAPH_NAME_MAX);
	word[len < FX_GRAPH_NAME_MAX ? len : FX_GRAPH_NAME_MAX] = 0;
	return text + len;
}

static bool has_tag(const struct fx_graph_host *h, const char *tag)
{
	char word[FX_GRAPH_NAME_MAX + 1];

	for (const char *t = h->tags; (t = next_word(t, word));)
		if (strcmp(word, tag) == 0)
			return true;
	return false;
}

static uint64_t hosts_named(struct fx_draft *d, const struct fx_draft_node *n)
{
	const struct fx_graph *g = d->graph;
	char word[FX_GRAPH_NAME_MAX + 1];
	uint64_t found = 0;

	for (const char *t = n->host; (t = next_word(t, word));) {
		struct fx_hint hint = { 0 };
		size_t i = 0;

		for (; i < g->hosts_len && strcmp(g->hosts[i].name, word) != 0; i++)
			fx_hint_offer(&hint, word, g->hosts[i].name);
		if (i < g->hosts_len)
			found |= UINT64_C(1) << i;
		else
			fx_graph_error_add(d->errors, n->host_at.line, n->host_at.col,
					   "%s.host: there is no host \"%s\"%s", n->name, word,
					   g->hosts_len ? fx_hint_text(&hint) :
							  "; the graph has no hosts");
	}
	return found;
}

static uint64_t hosts_tagged(struct fx_draft *d, const struct fx_draft_node *n, uint64_t found)
{
	const struct fx_graph *g = d->graph;
	char word[FX_GRAPH_NAME_MAX + 1];

	for (const char *t = n->tags; (t = next_word(t, word));) {
		for (size_t i = 0; i < g->hosts_len; i++)
			if (!has_tag(&g->hosts[i], word))
				found &= ~(UINT64_C(1) << i);
		if (!found) {
			fx_graph_error_add(d->errors, n->tags_at.line, n->tags_at.col,
					   "%s.tags: no host that it may run on has the tag \"%s\"",
					   n->name, word);
			return UINT64_MAX;
		}
	}
	return found;
}

void fx_draft_hosts_of_nodes(struct fx_draft *d)
{
	const size_t len = d->graph->hosts_len;
	const uint64_t all = len ? UINT64_MAX >> (64 - len) : 1;

	for (size_t i = 0; i < d->nodes_len; i++) {
		struct fx_draft_node *n = &d->nodes[i];

		n->hosts = n->host && *n->host ? hosts_named(d, n) : all;
		if (n->tags && n->hosts)
			n->hosts = hosts_tagged(d, n, n->hosts);
	}
}
