// SPDX-License-Identifier: Apache-2.0
/* node_test.h: runs one node in memory: give it messages, read what it sends. */
#ifndef FX_TESTS_NODE_TEST_H
#define FX_TESTS_NODE_TEST_H

#include <fornix/node.h>

/** One message or mark that the node sent. */
struct sent {
	unsigned port;
	enum fx_kind kind; /* FX_NOTHING for a mark */
	void *message;	   /* fx_block, fx_tree or fx_record; owned by the harness */
	struct fx_mark mark;
};

struct node_test;

/** A node of @p type with options given as "name=value", the last one NULL. init() is called; its
 * failure is told by node_test_error(). Fails the cmocka test without memory or on an unknown
 * option. Every input and output counts as connected except those named by "-port".
 * "@K/N" makes it part K, from 0, of N.
 * With the option "+saved" it dies behind every call: what it saves is loaded by a new one, which
 * must save the same bytes. With "+killed" it saves behind every third call and dies two calls
 * later: a new one loads that and is given once more what came since. With both it dies once more
 * when it has drained. What it sends must be the same as in one life: node_test_same(). */
struct node_test *node_test_new(const struct fx_node_type *type, const char *const *options);
/** Calls finish(), frees everything that was sent. */
void node_test_free(struct node_test *t);
/** Result of the last callback, and the node's text. */
int node_test_result(const struct node_test *t);
const char *node_test_error(const struct node_test *t);
/** Text of the last warning, "" when there was none. */
const char *node_test_warning(const struct node_test *t);
/** Last fx_progress() of @p unit: what is done, and its total (may be NULL); -1 when none was told.
 */
double node_test_progress(const struct node_test *t, const char *unit, double *total);
/** Gives a message (consumed) to an input and calls process(). */
int node_test_block(struct node_test *t, const char *port, struct fx_block *b);
int node_test_tree(struct node_test *t, const char *port, struct fx_tree *tree);
int node_test_record(struct node_test *t, const char *port, struct fx_record *r);
/** Gives a mark to an input: calls mark(), or passes it to every output. OPEN is remembered. */
int node_test_mark(struct node_test *t, const char *port, const struct fx_mark *m);
/** Calls process() of a source once. */
int node_test_step(struct node_test *t);
/** Calls drain(). */
int node_test_drain(struct node_test *t);
/** Number of things sent so far, and the i-th in order. */
size_t node_test_sent_len(const struct node_test *t);
const struct sent *node_test_sent(const struct node_test *t, size_t i);
/** Sent things of @p kind on output @p port: how many, and the i-th of them (NULL when fewer). */
size_t node_test_count(const struct node_test *t, const char *port, enum fx_kind kind);
const struct sent *node_test_get(const struct node_test *t, const char *port, enum fx_kind kind,
				 size_t i);
/** The node's scratch folder, made now; borrowed. Fails the test when it cannot. */
const char *node_test_scratch(struct node_test *t);
/** A node without inputs dies: nothing but node_test_again(t, false) and _free() may follow. */
void node_test_die(struct node_test *t);
/** It dies, and another life begins: from where it is, or, not @p saved, at the beginning, and
 * nothing was sent yet. What lies in fx_state_dir() is there. */
void node_test_again(struct node_test *t, bool saved);
/** Fails the test unless the last call failed with an error that has @p text in it. Frees @p t. */
void node_test_fails(struct node_test *t, const char *text);
/** Fails the test unless both sent the same, byte for byte. */
void node_test_same(const struct node_test *a, const struct node_test *b);
/** Three nodes of live(): undisturbed (NULL), with another life from a save behind every message
 * ("+saved"), and from its messages alone ("+killed"). Each is drained and must send the same. */
void node_test_lives(struct node_test *(*live)(const char *how), struct node_test *t[3]);
/** Saves, and loads what is cut off or has a bit turned: it must be refused or loaded, no more. The
 * node is then only good for node_test_free(). */
void node_test_hostile(struct node_test *t);
/** Makes fx_stopping() true. */
void node_test_stop(struct node_test *t);

#endif
