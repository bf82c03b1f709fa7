// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/node/keep: a later life finds the last save that counts and the messages after it.
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "node/keep.h"

/* A node that knows one number, and may need what came from some message on. */
struct counter {
	uint64_t n, needs; /* needs: its number and 1; 0: none */
};

static int counter_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct counter *s = state;

	if (s->needs)
		fx_needs(node, s->needs - 1);
	fx_pack_put(to, &s->n, sizeof s->n);
	return FX_OK;
}

static int counter_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct counter *s = state;

	(void)node;
	return fx_unpack_get(from, &s->n, sizeof s->n);
}

static const struct fx_port ports[] = { { 0 } };
static const struct fx_node_type type = {
	.abi = FX_NODE_ABI,
	.name = "test/counter",
	.ports = ports,
	.state_size = sizeof(struct counter),
	.save = counter_save,
	.load = counter_load,
};
static const struct fx_node_type other = {
	.abi = FX_NODE_ABI,
	.name = "test/other",
	.ports = ports,
	.state_size = sizeof(struct counter),
	.save = counter_save,
	.load = counter_load,
};

struct place {
	char dir[32];
	struct counter state;
	struct fx_node node;
	struct fx_keep *keep;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof *p);

	snprintf(p->dir, sizeof p->dir, "/tmp/fornix-test-XXXXXX");
	p->node.type = &type;
	p->node.state = &p->state;
	*state = p;
	return mkdtemp(p->dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct place *p = *state;

	fx_keep_close(p->keep);
	fx_remove_tree(p->dir, NULL);
	free(p);
	return 0;
}

static void live(struct place *p)
{
	struct fx_error err = { 0 };

	fx_keep_close(p->keep);
	p->state = (struct counter){ 0 };
	p->keep = fx_keep_open(p->dir, 32, &err);
	if (!p->keep)
		fail_msg("%s", err.text);
}

static void give(struct place *p, uint64_t seq)
{
	const struct fx_envelope e = { .seq = seq, .mark = { .kind = FX_MARK_DONE } };
	struct fx_error err = { 0 };

	assert_int_equal(fx_keep_message(p->keep, 1, &e, &err), FX_OK);
	p->state.n++;
}

/* A message of 6 MiB: a segment of the journal has less than three. */
static void give_much(struct place *p, uint64_t seq)
{
	struct fx_block *b = fx_block_new(FX_U8, 1, 2048, 3072);
	const struct fx_envelope e = { .seq = seq, .kind = FX_BLOCK, .message = b };
	struct fx_error err = { 0 };

	assert_int_equal(fx_keep_message(p->keep, 1, &e, &err), FX_OK);
	fx_block_free(b);
	p->state.n++;
}

/* Loads, and expects messages from @p first to @p last and no more. */
static void expect(struct place *p, uint64_t n, uint64_t first, uint64_t last)
{
	struct fx_keep_place place;
	struct fx_envelope e;
	struct fx_error err = { 0 };
	unsigned port;

	assert_int_equal(fx_keep_load(p->keep, &p->node, &place, &err), FX_OK);
	assert_int_equal(p->state.n, n);
	assert_int_equal(place.next_out[0], n); /* as save_now() puts it */
	for (uint64_t seq = first; seq <= last; seq++) {
		assert_int_equal(fx_keep_next(p->keep, &port, &e, &err), FX_OK);
		assert_int_equal(port, 1);
		assert_int_equal(e.seq, seq);
		fx_envelope_fini(&e);
		p->state.n++;
	}
	assert_int_equal(fx_keep_next(p->keep, &port, &e, &err), FX_END);
}

static void save_now(struct place *p)
{
	struct fx_keep_place place = { .next_out = { p->state.n } };
	struct fx_error err = { 0 };

	assert_int_equal(fx_keep_save(p->keep, &p->node, &place, &err), FX_OK);
	assert_non_null(fx_keep_waiting(p->keep));
}

static void messages_come_again(void **state)
{
	struct place *p = *state;

	live(p);
	assert_false(fx_keep_returns(p->keep));
	for (uint64_t seq = 0; seq < 5; seq++)
		give(p, seq);
	live(p);
	expect(p, 0, 0, 4);
	give(p, 5);
	live(p);
	expect(p, 0, 0, 5);
}

static void a_save_counts_when_it_is_committed(void **state)
{
	struct fx_error err = { 0 };
	struct place *p = *state;

	live(p);
	give(p, 0);
	give(p, 1);
	save_now(p);
	give(p, 2);
	live(p); /* killed before */
	assert_false(fx_keep_returns(p->keep));
	expect(p, 0, 0, 2);
	save_now(p);
	assert_int_equal(fx_keep_commit(p->keep, &err), FX_OK);
	assert_null(fx_keep_waiting(p->keep));
	give(p, 3);
	live(p);
	assert_true(fx_keep_returns(p->keep));
	expect(p, 3, 3, 3);
}

static void what_a_save_needs_comes_once_more(void **state)
{
	struct fx_error err = { 0 };
	struct place *p = *state;

	live(p);
	for (uint64_t seq = 0; seq < 8; seq++)
		give_much(p, seq);
	p->state.needs = 5; /* from number 4 on */
	save_now(p);
	assert_int_equal(fx_keep_commit(p->keep, &err), FX_OK);
	give(p, 8);
	live(p);
	expect(p, 8, 4, 8);
	assert_int_equal(fx_keep_number(p->keep), 9);
}

static void a_save_of_another_node_is_refused(void **state)
{
	struct fx_keep_place place;
	struct fx_error err = { 0 };
	struct place *p = *state;

	live(p);
	give(p, 0);
	save_now(p);
	assert_int_equal(fx_keep_commit(p->keep, &err), FX_OK);
	live(p);
	p->node.type = &other;
	assert_int_equal(fx_keep_load(p->keep, &p->node, &place, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "/saved: not a state of this node"));
}

/* Labels are coded in the journal, images are not; both are counted, and come back. */
static void what_it_takes_is_counted(void **state)
{
	enum { SIDE = 64, SIZE = SIDE * SIDE * 8 };
	struct place *p = *state;

	live(p);
	for (int k = 0; k < 2; k++) {
		struct fx_block *b = fx_block_new(FX_U64, 1, SIDE, SIDE);
		struct fx_envelope e = { .seq = (uint64_t)k, .kind = FX_BLOCK, .message = b };
		struct fx_error err = { 0 };
		uint64_t written, raw;

		b->role = k ? FX_LABELS : FX_IMAGE;
		assert_int_equal(fx_keep_message(p->keep, 1, &e, &err), FX_OK);
		written = fx_keep_written(p->keep, &raw);
		assert_in_range(raw, SIZE, SIZE + 200);
		assert_in_range(written, k ? 1 : SIZE, k ? SIZE / 50 : SIZE + 200);
		fx_block_free(b);
	}
	p->state.n = 2;
}

int main(void)
{
#define PLACED(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		PLACED(what_it_takes_is_counted),
		PLACED(messages_come_again),
		PLACED(a_save_counts_when_it_is_committed),
		PLACED(what_a_save_needs_comes_once_more),
		PLACED(a_save_of_another_node_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
