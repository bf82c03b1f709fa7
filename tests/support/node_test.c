// SPDX-License-Identifier: Apache-2.0
/* node_test.c: runs one node in memory. */
#include "support/test.h"

#include "support/messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/pack.h"
#include "graph/registry.h"
#include "node/lone.h"

enum { OPTIONS_MAX = 24, KILLED_EVERY = 3, HOSTILE = 60 };

/* How often a node dies: never; behind every message, just saved; behind every third, two behind
 * its save. */
enum lives { ONE, SAVED, KILLED };

/* What a node was given. */
struct given {
	unsigned port;
	enum fx_kind kind;
	void *message; /* owned; kept for another life */
	struct fx_mark mark;
};

struct node_test {
	const struct fx_node_type *type;
	struct fx_lone lone; /* the present life */
	int result;
	char *options[OPTIONS_MAX]; /* owned */
	size_t options_len;
	enum lives lives;
	struct given *given;
	size_t given_len, given_cap, saved_given, saved_sent, calls;
	char home[64], state[96], saved[96]; /* folder of what a life leaves */
	struct sent *sent;
	size_t sent_len, sent_cap;
};

static int test_sent(void *context, unsigned port, enum fx_kind kind, void *message,
		     const struct fx_mark *mark)
{
	struct node_test *t = context;
	struct sent *s;

	if (t->lone.node.again) {
		fx_message_free(kind, message);
		return FX_OK;
	}
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
		fail_msg("%s has no port %s", t->type->name, name);
	return (unsigned)port;
}

static void set_option(struct node_test *t, const char *option)
{
	struct fx_error err = { 0 };
	char name[64];
	const size_t len = strcspn(option, "=");

	if (option[0] == '+') {
		t->lives = strcmp(option, "+saved") == 0 ? SAVED : KILLED;
		return;
	}
	if (option[0] == '@') {
		if (sscanf(option, "@%u/%u", &t->lone.node.part, &t->lone.node.parts) != 2)
			fail_msg("no part: %s", option);
		return;
	}
	if (option[0] == '-') {
		for (unsigned i = 0; i < fx_type_ports(t->lone.node.type); i++)
			if (strcmp(t->type->ports[i].name, option + 1) == 0)
				t->lone.unconnected[i] = true;
		return;
	}
	snprintf(name, sizeof name, "%.*s", (int)len, option);
	if (fx_node_set(&t->lone.node, name, option + len + 1, &err) < 0)
		fail_msg("%s", err.text);
}

/* In memory where that can be: a save is made durable, which takes long on a disk. */
static void make_home(struct node_test *t)
{
	static const char *const places[] = { "/dev/shm/node-test-XXXXXX",
					      "/tmp/fornix-test-XXXXXX" };

	for (size_t i = 0; i < 2; i++) {
		snprintf(t->home, sizeof t->home, "%s", places[i]);
		if (mkdtemp(t->home))
			break;
	}
	snprintf(t->state, sizeof t->state, "%s/state", t->home);
	if (fx_make_dirs(t->state, NULL) < 0)
		fail_msg("no folder %s", t->state);
}

/* A life: the type's init(). */
static void test_live(struct node_test *t, bool returns)
{
	const struct fx_lone last = t->lone;

	fx_lone_fini(&t->lone);
	if (fx_lone_init(&t->lone, t->type, "test", NULL) < 0)
		fail_msg("no memory, or too many ports");
	t->lone.sent = test_sent;
	t->lone.context = t;
	t->lone.state_dir = t->state;
	t->lone.stopping = last.stopping;
	memcpy(t->lone.has_open, last.has_open, sizeof last.has_open);
	memcpy(t->lone.open, last.open, sizeof last.open);
	t->lone.node.returns = returns;
	for (size_t i = 0; i < t->options_len; i++)
		set_option(t, t->options[i]);
	t->result = fx_node_start(&t->lone.node);
}

struct node_test *node_test_new(const struct fx_node_type *type, const char *const *options)
{
	struct node_test *t = calloc(1, sizeof *t);

	if (!t)
		fail_msg("no memory");
	make_home(t);
	while (options && options[t->options_len] && t->options_len < OPTIONS_MAX) {
		t->options[t->options_len] = fx_strdup(options[t->options_len]);
		t->options_len++;
	}
	t->type = type;
	test_live(t, false);
	return t;
}

static void forget_sent(struct node_test *t, size_t len)
{
	while (t->sent_len > len) {
		t->sent_len--;
		fx_message_free(t->sent[t->sent_len].kind, t->sent[t->sent_len].message);
	}
}

void node_test_free(struct node_test *t)
{
	const bool too_many = t->lone.too_many_gauges;

	fx_lone_fini(&t->lone);
	forget_sent(t, 0);
	for (size_t i = 0; i < t->given_len; i++)
		fx_message_free(t->given[i].kind, t->given[i].message);
	for (size_t i = 0; i < t->options_len; i++)
		free(t->options[i]);
	fx_remove_tree(t->home, NULL);
	free(t->given);
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

void node_test_fails(struct node_test *t, const char *text)
{
	assert_true(node_test_result(t) < 0);
	if (!strstr(node_test_error(t), text))
		fail_msg("\"%s\" does not say \"%s\"", node_test_error(t), text);
	node_test_free(t);
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

/* Hands over what was given as number @p i: @p message is the node's. */
static int hand_over(struct node_test *t, size_t i, void *message)
{
	const struct given *g = &t->given[i];

	t->lone.node.message = i;
	t->result = g->kind ? fx_lone_give(&t->lone, g->port, g->kind, message) :
			      fx_lone_mark(&t->lone, g->port, &g->mark);
	return t->result;
}

static void test_save(struct node_test *t, const char *name)
{
	struct fx_error err = { 0 };
	struct fx_pack *p;

	snprintf(t->saved, sizeof t->saved, "%s/%s", t->home, name);
	p = fx_pack_open(t->saved, &err);
	t->lone.node.needs = t->given_len;
	if (!p || t->type->save(&t->lone.node, t->lone.node.state, p) < 0)
		fail_msg("cannot save: %s%s", err.text, t->lone.node.error.text);
	fx_pack_put(p, &t->lone.node.needs, sizeof t->lone.node.needs);
	if (fx_pack_close(p, true, &err) < 0)
		fail_msg("%s", err.text);
	t->saved_given = t->given_len;
	t->saved_sent = t->sent_len;
}

/* init() and load() of a new life; result of load(). */
static int test_load(struct node_test *t, const char *path)
{
	struct fx_error err = { 0 };
	struct fx_unpack *u;
	int result;

	test_live(t, true);
	if (t->result < 0)
		return t->result;
	u = fx_unpack_open(path, &err);
	if (!u)
		fail_msg("%s", err.text);
	result = t->type->load(&t->lone.node, t->lone.node.state, u);
	if (result == FX_OK)
		result = fx_unpack_get(u, &t->lone.node.needs, sizeof t->lone.node.needs);
	if (fx_unpack_close(u) < 0 && result == FX_OK)
		result = FX_ETYPE;
	return result;
}

/* A kill, and the next life up to where the last one was. */
static void test_die(struct node_test *t)
{
	const int result = t->result;

	forget_sent(t, t->saved_sent);
	if (test_load(t, t->saved) < 0)
		fail_msg("cannot load: %s", t->lone.node.error.text);
	for (uint64_t i = t->lone.node.needs; i < t->given_len; i++) {
		const struct given *g = &t->given[i];

		t->lone.node.again = i < t->saved_given;
		if (hand_over(t, i, test_copy(g->kind, g->message)) < 0)
			fail_msg("message %d again: %s", (int)i, t->lone.node.error.text);
	}
	t->lone.node.again = false;
	t->result = result;
}

void node_test_die(struct node_test *t)
{
	fx_lone_fini(&t->lone);
}

void node_test_again(struct node_test *t, bool saved)
{
	if (saved) {
		test_save(t, "saved");
		test_die(t);
		return;
	}
	forget_sent(t, 0);
	test_live(t, false);
}

static void expect_same_files(const char *path, const char *other)
{
	struct fx_error err = { 0 };
	void *a, *b;
	size_t a_size, b_size;

	if (fx_file_read(path, SIZE_MAX / 2, &a, &a_size, &err) < 0 ||
	    fx_file_read(other, SIZE_MAX / 2, &b, &b_size, &err) < 0)
		fail_msg("%s", err.text);
	if (a_size != b_size || memcmp(a, b, a_size) != 0)
		fail_msg("a node that was loaded saves other bytes than it was loaded from");
	free(a);
	free(b);
}

static void test_save_and_die(struct node_test *t)
{
	char first[96];

	test_save(t, "saved");
	memcpy(first, t->saved, sizeof first);
	test_die(t);
	test_save(t, "saved.again");
	expect_same_files(first, t->saved);
}

/* Behind every call. */
static void test_endanger(struct node_test *t)
{
	const size_t n = t->calls++ % KILLED_EVERY;

	if (t->lives == ONE || t->result < 0 || t->result == FX_END)
		return;
	if (!t->type->save)
		fail_msg("%s saves nothing", t->type->name);
	if (t->lives == SAVED)
		test_save_and_die(t);
	else if (n == 0)
		test_save(t, "saved");
	else if (n == KILLED_EVERY - 1)
		test_die(t);
}

static int give(struct node_test *t, struct given g)
{
	if (!fx_grow(&t->given, &t->given_cap, t->given_len + 1, sizeof *t->given))
		fail_msg("no memory");
	t->given[t->given_len] = g;
	t->given[t->given_len++].message = t->lives == ONE ? NULL : test_copy(g.kind, g.message);
	hand_over(t, t->given_len - 1, g.message);
	test_endanger(t);
	return t->result;
}

static int give_message(struct node_test *t, const char *port, enum fx_kind kind, void *message)
{
	if (!message)
		fail_msg("no message for %s", port);
	return give(t, (struct given){ port_of(t, port, FX_IN), kind, message, { 0 } });
}

int node_test_block(struct node_test *t, const char *port, struct fx_block *b)
{
	return give_message(t, port, FX_BLOCK, b);
}

int node_test_tree(struct node_test *t, const char *port, struct fx_tree *tree)
{
	return give_message(t, port, FX_TREE, tree);
}

int node_test_record(struct node_test *t, const char *port, struct fx_record *r)
{
	return give_message(t, port, FX_RECORD, r);
}

int node_test_mark(struct node_test *t, const char *port, const struct fx_mark *m)
{
	return give(t, (struct given){ .port = port_of(t, port, FX_IN), .mark = *m });
}

int node_test_step(struct node_test *t)
{
	t->result = t->type->process(&t->lone.node, t->lone.node.state);
	test_endanger(t);
	return t->result;
}

int node_test_drain(struct node_test *t)
{
	t->result = t->type->drain ? t->type->drain(&t->lone.node, t->lone.node.state) : FX_OK;
	if (t->lives != ONE && t->result == FX_OK && t->given_len && t->saved[0]) {
		test_die(t); /* killed before anyone heard that it has ended */
		t->result =
			t->type->drain ? t->type->drain(&t->lone.node, t->lone.node.state) : FX_OK;
	}
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

void node_test_lives(struct node_test *(*live)(const char *how), struct node_test *t[3])
{
	static const char *const lives[] = { NULL, "+saved", "+killed" };

	for (size_t i = 0; i < 3; i++) {
		t[i] = live(lives[i]);
		assert_int_equal(node_test_drain(t[i]), FX_OK);
		node_test_same(t[0], t[i]);
	}
}

void node_test_hostile(struct node_test *t)
{
	struct fx_error err = { 0 };
	uint64_t seed = 1;
	unsigned char *bytes;
	void *file;
	size_t size;

	test_save(t, "saved");
	if (fx_file_read(t->saved, SIZE_MAX / 2, &file, &size, &err) < 0)
		fail_msg("%s", err.text);
	bytes = file;
	size -= sizeof(uint64_t);
	for (int i = 0; i < HOSTILE; i++) {
		const size_t at = (size_t)(test_random(&seed) % size), len = i % 2 ? size : at;
		const unsigned char was = bytes[at];
		struct fx_pack *p = fx_pack_open(t->saved, &err);

		bytes[at] ^= (unsigned char)(1u << (i / 2 % 8));
		fx_pack_put(p, bytes, len);
		if (fx_pack_close(p, true, &err) < 0)
			fail_msg("%s", err.text);
		bytes[at] = was;
		t->lone.node.again = false;
		if (test_load(t, t->saved) == FX_OK && len < size)
			fail_msg("%zu of %zu bytes of a save were loaded", len, size);
	}
	free(file);
}

void node_test_same(const struct node_test *a, const struct node_test *b)
{
	for (size_t i = 0; i < a->sent_len && i < b->sent_len; i++)
		test_same_sent(&a->sent[i], &b->sent[i], i);
	assert_int_equal(a->sent_len, b->sent_len);
}
