// SPDX-License-Identifier: Apache-2.0
/* node_test.c: runs one node in memory. */
#include "support/test.h"

#include "support/node_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graph/registry.h"
#include "link/stats.h"
#include "node/instance.h"

enum { PORTS_MAX = 16 };

struct node_test {
	struct fx_node node;
	int result;
	enum fx_kind waiting[PORTS_MAX];
	void *message[PORTS_MAX];
	bool unconnected[PORTS_MAX], has_open[PORTS_MAX], stopping;
	struct fx_mark open[PORTS_MAX];
	struct sent *sent;
	size_t sent_len, sent_cap;
	char warning[512];
	struct fx_instance_stats stats; /* gauges of fx_progress() */
	char folder[64], scratch[80];	/* as in a run: the node's own lies in that of all */
};

static enum fx_kind test_waiting(const void *io, unsigned port)
{
	const struct node_test *t = io;

	return t->waiting[port];
}

static void *test_take(void *io, unsigned port)
{
	struct node_test *t = io;
	void *message = t->message[port];

	t->waiting[port] = FX_NOTHING;
	t->message[port] = NULL;
	return message;
}

static bool test_connected(const void *io, unsigned port)
{
	const struct node_test *t = io;

	return !t->unconnected[port];
}

static const struct fx_mark *test_opened(const void *io, unsigned port)
{
	const struct node_test *t = io;

	return t->has_open[port] ? &t->open[port] : NULL;
}

static void release_voxels(struct fx_block *b)
{
	free(b->data);
}

static int test_voxels(void *io, unsigned port, size_t size, struct fx_block *b)
{
	(void)io;
	(void)port;
	b->data = fx_alloc_aligned(size);
	b->release = release_voxels;
	return b->data ? FX_OK : FX_ENOMEM;
}

static int test_keep(struct node_test *t, struct sent s)
{
	if (!fx_grow(&t->sent, &t->sent_cap, t->sent_len + 1, sizeof *t->sent))
		fail_msg("no memory");
	t->sent[t->sent_len++] = s;
	return FX_OK;
}

static int test_send(void *io, unsigned port, enum fx_kind kind, void *message,
		     struct fx_error *err)
{
	(void)err;
	return test_keep(io, (struct sent){ .port = port, .kind = kind, .message = message });
}

static int test_send_mark(void *io, unsigned port, const struct fx_mark *m, struct fx_error *err)
{
	(void)err;
	return test_keep(io, (struct sent){ .port = port, .mark = *m });
}

static void test_warn(void *io, const char *text)
{
	struct node_test *t = io;

	snprintf(t->warning, sizeof t->warning, "%s", text);
}

static void test_progress(void *io, double done, double total, const char *unit)
{
	struct node_test *t = io;
	struct fx_gauge *g = fx_gauge_of(&t->stats, unit);

	if (!g)
		fail_msg("fx_progress() of more than %d units: %s", FX_STATS_GAUGES, unit);
	fx_gauge_set(g, done, total, 1);
}

static const char *test_scratch(void *io)
{
	struct node_test *t = io;

	if (t->scratch[0])
		return t->scratch;
	snprintf(t->folder, sizeof t->folder, "/tmp/fornix-test-XXXXXX");
	if (!mkdtemp(t->folder))
		return NULL;
	snprintf(t->scratch, sizeof t->scratch, "%s/test.0", t->folder);
	return mkdir(t->scratch, 0777) == 0 ? t->scratch : NULL;
}

const char *node_test_scratch(struct node_test *t)
{
	const char *folder = test_scratch(t);

	if (!folder)
		fail_msg("no scratch folder");
	return folder;
}

static bool test_stopping(const void *io)
{
	const struct node_test *t = io;

	return t->stopping;
}

static const struct fx_node_io test_io = {
	.waiting = test_waiting,
	.take = test_take,
	.connected = test_connected,
	.opened = test_opened,
	.voxels = test_voxels,
	.send = test_send,
	.send_mark = test_send_mark,
	.warn = test_warn,
	.progress = test_progress,
	.scratch = test_scratch,
	.state_dir = test_scratch,
	.stopping = test_stopping,
};

static unsigned port_of(const struct node_test *t, const char *name, enum fx_dir dir)
{
	const int port = fx_type_port(t->node.type, name, dir);

	if (port < 0)
		fail_msg("%s has no port %s", t->node.type->name, name);
	return (unsigned)port;
}

static void set_option(struct node_test *t, const char *option)
{
	struct fx_error err = { 0 };
	char name[64];
	const size_t len = strcspn(option, "=");

	if (option[0] == '-') {
		for (unsigned i = 0; i < fx_type_ports(t->node.type); i++)
			if (strcmp(t->node.type->ports[i].name, option + 1) == 0)
				t->unconnected[i] = true;
		return;
	}
	snprintf(name, sizeof name, "%.*s", (int)len, option);
	if (fx_node_set(&t->node, name, option + len + 1, &err) < 0)
		fail_msg("%s", err.text);
}

struct node_test *node_test_new(const struct fx_node_type *type, const char *const *options)
{
	struct node_test *t = calloc(1, sizeof *t);

	if (!t || fx_node_init(&t->node, type, "test", &test_io, t) < 0)
		fail_msg("no memory");
	for (; options && *options; options++)
		set_option(t, *options);
	t->result = fx_node_start(&t->node);
	return t;
}

void node_test_free(struct node_test *t)
{
	fx_node_fini(&t->node);
	for (size_t i = 0; i < t->sent_len; i++)
		fx_message_free(t->sent[i].kind, t->sent[i].message);
	for (unsigned i = 0; i < PORTS_MAX; i++)
		fx_message_free(t->waiting[i], t->message[i]);
	if (t->folder[0])
		fx_remove_tree(t->folder, NULL);
	free(t->sent);
	free(t);
}

int node_test_result(const struct node_test *t)
{
	return t->result;
}

const char *node_test_error(const struct node_test *t)
{
	return t->node.error.text;
}

double node_test_progress(const struct node_test *t, const char *unit, double *total)
{
	for (uint32_t i = 0; i < t->stats.gauges_len; i++)
		if (strcmp(t->stats.gauges[i].unit, unit) == 0) {
			if (total)
				*total = t->stats.gauges[i].total;
			return t->stats.gauges[i].done;
		}
	return -1;
}

const char *node_test_warning(const struct node_test *t)
{
	return t->warning;
}

static int give(struct node_test *t, const char *port, enum fx_kind kind, void *message)
{
	const unsigned p = port_of(t, port, FX_IN);

	if (!message)
		fail_msg("no message for %s", port);
	t->waiting[p] = kind;
	t->message[p] = message;
	t->result = t->node.type->process(&t->node, t->node.state);
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
	const unsigned p = port_of(t, port, FX_IN);

	if (m->kind == FX_MARK_OPEN) {
		t->open[p] = *m;
		t->has_open[p] = true;
	}
	t->result = FX_OK;
	if (t->node.type->mark) {
		t->result = t->node.type->mark(&t->node, t->node.state, p, m);
	} else {
		for (unsigned i = 0; i < fx_type_ports(t->node.type); i++)
			if (t->node.type->ports[i].dir == FX_OUT)
				fx_send_mark(&t->node, i, m);
	}
	return t->result;
}

int node_test_step(struct node_test *t)
{
	t->result = t->node.type->process(&t->node, t->node.state);
	return t->result;
}

int node_test_drain(struct node_test *t)
{
	t->result = t->node.type->drain ? t->node.type->drain(&t->node, t->node.state) : FX_OK;
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
	t->stopping = true;
}
