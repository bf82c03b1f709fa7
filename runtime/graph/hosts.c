// SPDX-License-Identifier: Apache-2.0
/* hosts.c: the machines that a graph names, and on which of them a node may run. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/draft.h"
#include "graph/hint.h"
#include "graph/option.h"

/* What is no text. */
struct values {
	int slots;
	double memory; /* MiB */
	bool joins;
};

static const struct fx_option values[] = {
	{ FX_FIELD(struct values, slots), .min = 0, .max = 4096 },
	{ FX_FIELD(struct values, memory), .min = 0, .max = 1 << 30, .unit = "MiB" },
	{ FX_FIELD(struct values, joins) },
	{ 0 },
};

static const char *const launchers[] = {
	[FX_LAUNCH_HERE] = "conductor",
	[FX_LAUNCH_LOCAL] = "local",
	[FX_LAUNCH_SSH] = "ssh",
	[FX_LAUNCH_SLURM] = "slurm",
	[FX_LAUNCH_KUBERNETES] = "kubernetes",
};

const char *fx_launcher_name(enum fx_launcher launcher)
{
	return launchers[launcher];
}

void fx_graph_host_fini(struct fx_graph_host *h)
{
	free(h->name);
	free(h->address);
	free(h->login);
	free(h->command);
	free(h->options);
	free(h->tags);
	*h = (struct fx_graph_host){ 0 };
}

int fx_graph_host_copy(struct fx_graph_host *to, const struct fx_graph_host *from,
		       struct fx_error *err)
{
	*to = *from;
	to->name = fx_strdup(from->name);
	to->address = fx_strdup(from->address);
	to->login = fx_strdup(from->login);
	to->command = fx_strdup(from->command);
	to->options = fx_strdup(from->options);
	to->tags = fx_strdup(from->tags);
	if (to->name && to->address && to->login && to->command && to->options && to->tags)
		return FX_OK;
	fx_graph_host_fini(to);
	return fx_error_set(err, FX_ENOMEM, "no memory for a host");
}

static int set_launcher(struct fx_graph_host *h, const char *text, struct fx_error *err)
{
	struct fx_hint hint = { 0 };

	if (h->launcher == FX_LAUNCH_HERE)
		return fx_error_set(err, FX_EINVAL,
				    "is the machine of the conductor and needs no launcher");
	for (int i = FX_LAUNCH_LOCAL; i <= FX_LAUNCH_KUBERNETES; i++) {
		fx_hint_offer(&hint, text, launchers[i]);
		if (strcmp(text, launchers[i]) == 0) {
			h->launcher = (enum fx_launcher)i;
			return FX_OK;
		}
	}
	return fx_error_set(err, FX_EINVAL, "no launcher \"%.100s\"%s", text, fx_hint_text(&hint));
}

static int set_value(struct fx_graph_host *h, const struct fx_option *o, const char *text,
		     struct fx_error *err)
{
	struct values v = { h->slots, h->memory_mib, h->joins };

	if (*text && fx_option_set(o, text, &v, err) < 0)
		return fx_error_prefix(err, "%s", o->name);
	if (v.joins && h->launcher == FX_LAUNCH_HERE)
		return fx_error_set(err, FX_EINVAL,
				    "is the machine of the conductor and there from the start");
	h->slots = v.slots;
	h->memory_mib = v.memory;
	h->joins = v.joins;
	return FX_OK;
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

int fx_graph_host_set(struct fx_graph_host *h, const char *key, const char *text,
		      struct fx_error *err)
{
	const struct fx_option *o = values;
	char **kept = text_of(h, key), *copy;

	while (o->name && strcmp(o->name, key) != 0)
		o++;
	if (o->name)
		return set_value(h, o, text, err);
	if (strcmp(key, "launcher") == 0)
		return set_launcher(h, text, err);
	if (!kept)
		return FX_ENOENT;
	copy = fx_strdup(text);
	if (!copy)
		return fx_error_set(err, FX_ENOMEM, "no memory for a host");
	free(*kept);
	*kept = copy;
	return FX_OK;
}

static void read_key(struct fx_draft *d, struct fx_graph_host *h, const struct fx_yaml_entry *e)
{
	static const char *const keys[] = { "address", "launcher", "login", "command", "options",
					    "slots",   "memory",   "tags",  "joins",   NULL };
	static const char *const later[] = { NULL };
	struct fx_error err = { 0 };
	size_t i = 0;
	char *text;

	while (keys[i] && strcmp(keys[i], e->key) != 0)
		i++;
	if (!keys[i]) {
		fx_draft_refuse(d, "a host: ", e, keys, later);
		return;
	}
	text = fx_draft_expand(d, &e->value, h->name, e->key).text;
	if (text && fx_graph_host_set(h, e->key, text, &err) < 0)
		fx_graph_error_add(d->errors, e->value.line, e->value.col, "host %s: %s", h->name,
				   err.text);
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

int fx_graph_host_check(const struct fx_graph_host *h, struct fx_error *err)
{
	struct in_addr a;

	if (*h->address && inet_pton(AF_INET, h->address, &a) != 1)
		return fx_error_set(err, FX_EINVAL,
				    "address \"%.100s\" is not an IPv4 address, such as "
				    "192.168.1.5; names belong to login",
				    h->address);
	if (*h->login == '-')
		return fx_error_set(err, FX_EINVAL, "login begins with a dash");
	if (h->launcher == FX_LAUNCH_KUBERNETES && !*h->login)
		return fx_error_set(err, FX_EINVAL, "has no login: the name of its pod");
	if (!*h->address && (h->launcher == FX_LAUNCH_SSH || h->launcher == FX_LAUNCH_SLURM))
		return fx_error_set(err, FX_EINVAL,
				    "has no address by which the other hosts reach it");
	return FX_OK;
}

/* An address is one, and there where others need it; what joins may tell its own later. */
static void check_host(struct fx_draft *d, struct fx_graph_host *h, const struct fx_yaml *at)
{
	struct fx_error err = { 0 };
	const bool later = h->joins && !*h->address && *h->login != '-';

	if (!later && fx_graph_host_check(h, &err) < 0)
		fx_graph_error_add(d->errors, at->line, at->col, "host %s: %s", h->name, err.text);
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
		fx_graph_error_add(d->errors, e->value.line, e->value.col,
				   "host %s: must be a map, such as { address: 192.168.1.5 }",
				   h->name);
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
