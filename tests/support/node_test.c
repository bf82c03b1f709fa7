// SPDX-License-Identifier: Apache-2.0
/* node_test.c: runs one node in memory. */
#include "support/test.h"

#include "support/node_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/registry.h"
#include "node/lone.h"

struct node_test {
	struct fx_lone lone;
	int result;
	struct sent *sent;
	size_t sent_len, sent_cap;
};

static int test_sent(void *context, unsigned port, enum fx_kind kind, void *message,
		     const struct fx_mark *mark)
{
	struct node_test *t = context;
	struct sent *s;

	if (!fx_grow(&t->sent, &t->sent_cap, t->sent_len + 1, sizeof *t->sent))
		fail_msg("no memory");
	s = &t->sent[t->sent_len++];
	*s = (struct sent){ .port = port, .kind = kind, .message = message };
	if (mark)
		s->mark = *mark;
	return FX_OK;
}

const char *node_test_scratch(struct node_test *t)
{
	const char *folder = fx_scratch_dir(&t->lone.node);

	if (!folder)
		fail_msg("no scratch folder");
	return folder;
}

static unsigned port_of(const struct node_test *t, const char *name, enum fx_dir dir)
{
	const int port = fx_type_port(t->lone.node.type, name, dir);

	if (port < 0)
		fail_msg("%s has no port %s", t->lone.node.type->name, name);
	return (unsigned)port;
}

static void set_option(struct node_test *t, const char *option)
{
	struct fx_error err = { 0 };
	char name[64];
	const size_t len = strcspn(option, "=");

	if (option[0] == '-') {
		for (unsigned i = 0; i < fx_type_ports(t->lone.node.type); i++)
			if (strcmp(t->lone.node.type->ports[i].name, option + 1) == 0)
				t->lone.unconnected[i] = true;
		return;
	}
	snprintf(name, sizeof name, "%.*s", (int)len, option);
	if (fx_node_set(&t->lone.node, name, option + len + 1, &err) < 0)
		fail_msg("%s", err.text);
}

struct node_test *node_test_new(const struct fx_node_type *type, const char *const *options)
{
	struct node_test *t = calloc(1, sizeof *t);

	if (!t || fx_lone_init(&t->lone, type, "test", NULL) < 0)
		fail_msg("no memory, or too many ports");
	t->lone.sent = test_sent;
	t->lone.context = t;
	for (; options && *options; options++)
		set_option(t, *options);
	t->result = fx_node_start(&t->lone.node);
	return t;
}

void node_test_free(struct node_test *t)
{
	const bool too_many = t->lone.too_many_gauges;

	fx_lone_fini(&t->lone);
	for (size_t i = 0; i < t->sent_len; i++)
		fx_message_free(t->sent[i].kind, t->sent[i].message);
	free(t->sent);
	free(t);
	if (too_many)
		fail_msg("fx_progress() of more than %d units", FX_STATS_GAUGES);
}

int node_test_result(const struct node_test *t)
{
	return t->result;
}

const char *node_test_error(const struct node_test *t)
{
	return t->lone.node.error.text;
}

double node_test_progress(const struct node_test *t, const char *unit, double *total)
{
	for (uint32_t i = 0; i < t->lone.stats.gauges_len; i++)
		if (strcmp(t->lone.stats.gauges[i].unit, unit) == 0) {
			if (total)
				*total = t->lone.stats.gauges[i].total;
			return t->lone.stats.gauges[i].done;
		}
	return -1;
}

const char *node_test_warning(const struct node_test *t)
{
	return t->lone.warning;
}

static int give(struct node_test *t, const char *port, enum fx_kind kind, void *message)
{
	const unsigned p = port_of(t, port, FX_IN);

	if (!message)
		fail_msg("no message for %s", port);
	t->result = fx_lone_give(&t->lone, p, kind, message);
	return t->result;
}

int node_test_block(struct node_test *t, const char *port, struct fx_block *b)
{
	return give(t, port, FX_BLOCK, b);
}

int node_test_tree(struct node_test *t, const char *port, struct fx_tree *tree)
{
	return give(t, port, FX_TREE, tree);
}

int node_test_record(struct node_test *t, const char *port, struct fx_record *r)
{
	return give(t, port, FX_RECORD, r);
}

int node_test_mark(struct node_test *t, const char *port, const struct fx_mark *m)
{
	t->result = fx_lone_mark(&t->lone, port_of(t, port, FX_IN), m);
	return t->result;
}

int node_test_step(struct node_test *t)
{
	t->result = t->lone.node.type->process(&t->lone.node, t->lone.node.state);
	return t->result;
}

int node_test_drain(struct node_test *t)
{
	t->result = t->lone.node.type->drain ?
			    t->lone.node.type->drain(&t->lone.node, t->lone.node.state) :
			    FX_OK;
	return t->result;
}

size_t node_test_sent_len(const struct node_test *t)
{
	return t->sent_len;
}

const struct sent *node_test_sent(const struct node_test *t, size_t i)
{
	return i < t->sent_len ? &t->sent[i] : NULL;
}

const struct sent *node_test_get(const struct node_test *t, const char *port, enum fx_kind kind,
				 size_t i)
{
	const unsigned p = port_of(t, port, FX_OUT);

	for (size_t j = 0; j < t->sent_len; j++)
		if (t->sent[j].port == p && t->sent[j].kind == kind && i-- == 0)
			return &t->sent[j];
	return NULL;
}

size_t node_test_count(const struct node_test *t, const char *port, enum fx_kind kind)
{
	size_t n = 0;

	while (node_test_get(t, port, kind, n))
		n++;
	return n;
}

void node_test_stop(struct node_test *t)
{
	t->lone.stopping = true;
}
