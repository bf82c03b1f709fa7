// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/faults.c, and that links get everything through a bad network, once, in order.
 */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/faults.h"
#include "link/inlet.h"
#include "link/outlet.h"

enum { MESSAGES = 40, END = MESSAGES + 1, PATIENCE_MS = 60000, HOUR_MS = 3600000 };

/* One producer, one consumer, and what lies between them. */
struct link {
	void *zmq;
	char *dir, endpoint[100];
	int pool_fd;
	struct fx_pool *pool;
	struct fx_faults *there, *back;
	struct fx_lane_stats stats;
	struct fx_outlet_lane out_lane;
	struct fx_outlet_edge edge;
	struct fx_inlet_lane in_lane;
	_Atomic uint64_t floor;
	struct fx_outlet *out;
	struct fx_inlet *in;
};

static struct fx_faults *faults(const char *text, const char *who)
{
	struct fx_faults *f;
	struct fx_error err = { 0 };

	if (fx_faults_new(text, who, &f, &err) < 0)
		fail_msg("%s", err.text);
	return f;
}

/* What is under way for long is sent again behind @p silence_ms without news, twice. */
static struct link *link_patient(const char *text, bool shared, bool ordered, int64_t silence_ms)
{
	struct link *l = calloc(1, sizeof *l);

	assert_non_null(l);
	l->zmq = zmq_ctx_new();
	l->dir = test_tmp_dir();
	snprintf(l->endpoint, sizeof l->endpoint, "ipc://%s/x", l->dir);
	l->pool_fd = shared ? fx_pool_create(FX_POOL_SLOTS, NULL) : -1;
	l->pool = shared ? fx_pool_map(l->pool_fd, true, NULL) : NULL;
	l->there = faults(text, "from");
	l->back = faults(text, "to");
	l->out_lane = (struct fx_outlet_lane){ 1, &l->stats };
	l->edge = (struct fx_outlet_edge){
		.node = "to", .port = "in", .lanes_len = 1, .lanes = &l->out_lane
	};
	l->in_lane = (struct fx_inlet_lane){ l->endpoint, l->pool_fd, 1, &l->stats };
	l->out = fx_outlet_new(&(struct fx_outlet_config){ .zmq = l->zmq,
							   .node = "from",
							   .port = "out",
							   .endpoint = l->endpoint,
							   .listen_fd = -1,
							   .pool = l->pool,
							   .edges_len = 1,
							   .edges = &l->edge,
							   .silence_ms = silence_ms,
							   .faults = l->there },
			       NULL);
	l->in = fx_inlet_new(&(struct fx_inlet_config){ .zmq = l->zmq,
							.node = "to",
							.port = "in",
							.ordered = ordered,
							.credit_messages = 6,
							.credit_bytes = 1 << 20,
							.floor = &l->floor,
							.lanes_len = 1,
							.lanes = &l->in_lane,
							.hello_ms = 40,
							.faults = l->back },
			     NULL);
	assert_true(l->out && l->in);
	return l;
}

static struct link *link_new(const char *text, bool shared, bool ordered)
{
	return link_patient(text, shared, ordered, 20);
}

static void link_free(struct link *l)
{
	fx_inlet_free(l->in);
	fx_outlet_free(l->out);
	fx_faults_free(l->there);
	fx_faults_free(l->back);
	fx_pool_unmap(l->pool);
	if (l->pool_fd >= 0)
		close(l->pool_fd);
	zmq_ctx_term(l->zmq);
	fx_remove_tree(l->dir, NULL);
	free(l->dir);
	free(l);
}

static void offer(struct link *l, uint64_t seq)
{
	struct fx_envelope e = { .seq = seq };

	if (seq == 0 || seq == END) {
		e.mark = (struct fx_mark){ .kind = seq ? FX_MARK_END : FX_MARK_OPEN,
					   .dtype = FX_U32,
					   .voxel_nm = { 8, 8, 8 } };
	} else {
		struct fx_block *b = fx_block_new(FX_U32, 1, 40, 40);

		for (size_t i = 0; i < 40 * 40; i++)
			((uint32_t *)b->data)[i] = (uint32_t)(seq * 1000 + i);
		e.kind = FX_BLOCK;
		e.message = b;
	}
	assert_int_equal(fx_outlet_queue(l->out, &e, NULL), FX_OK);
}

/* Takes the next message; its seq. */
static uint64_t take(struct link *l)
{
	struct fx_envelope e;

	assert_true(fx_inlet_pop(l->in, &e));
	for (size_t i = 0; e.kind == FX_BLOCK && i < 40 * 40; i++)
		assert_int_equal(((uint32_t *)((struct fx_block *)e.message)->data)[i],
				 e.seq * 1000 + i);
	fx_envelope_fini(&e);
	fx_inlet_ack(l->in, e.seq);
	return e.seq;
}

/* Sends all through; the bit of each number that came is set once. */
static void all_comes(struct link *l, bool ordered)
{
	const int64_t start = fx_now_ns();
	struct fx_error err = { 0 };
	uint64_t sent = 0, taken = 0, seen = 0;

	while (!fx_outlet_settled(l->out)) {
		while (sent <= END && fx_outlet_room(l->out, sent))
			offer(l, sent++);
		fx_outlet_pump(l->out);
		fx_inlet_pump(l->in, &err);
		fx_faults_pump(l->there);
		fx_faults_pump(l->back);
		while (fx_inlet_peek(l->in)) {
			const uint64_t seq = take(l);

			assert_true(!ordered || seq == taken);
			assert_false(seen >> seq & 1);
			seen |= UINT64_C(1) << seq;
			taken++;
		}
		if (fx_now_ns() - start > PATIENCE_MS * INT64_C(1000000))
			fail_msg("%d of %d came, and %s", (int)taken, END + 1, err.text);
		fx_sleep_ms(1);
	}
	assert_int_equal(taken, END + 1);
	assert_int_equal(l->stats.sent, MESSAGES);
	assert_int_equal(l->stats.acked, MESSAGES);
	assert_false(fx_inlet_failed(l->in) || err.code);
	assert_int_equal(l->pool ? fx_pool_used(l->pool) : 0, 0);
}

static void goes_through(const char *text, bool shared, bool ordered)
{
	struct link *l = link_new(text, shared, ordered);

	all_comes(l, ordered);
	link_free(l);
}

/* Whom chance meets depends on how many greetings there are: so often that it meets some. */
static void what_is_lost_is_sent_again(void **unused)
{
	struct link *l = link_new("seed=3,drop=0.3", false, true);

	(void)unused;
	all_comes(l, true);
	assert_true(l->stats.resent > 0);
	link_free(l);
	goes_through("seed=4,drop=0.1", true, true);
	goes_through("seed=5,drop=0.1", true, false);
}

static void copies_are_dropped(void **unused)
{
	struct link *l = link_new("seed=3,duplicate=0.7", true, true);

	(void)unused;
	all_comes(l, true);
	assert_true(l->stats.duplicates > 2);
	link_free(l);
	goes_through("seed=3,duplicate=0.3", false, true);
	goes_through("seed=3,duplicate=0.3", true, false);
}

/* Pumps for some time. */
static void pump(struct link *l, int ms)
{
	for (const int64_t start = fx_now_ns(); fx_now_ns() - start < ms * 1000000;) {
		fx_outlet_pump(l->out);
		fx_inlet_pump(l->in, NULL);
		fx_faults_pump(l->there);
		fx_sleep_ms(1);
	}
}

static void await(struct link *l)
{
	for (int i = 0; i < PATIENCE_MS && !fx_inlet_peek(l->in); i++)
		pump(l, 1);
}

/* Until a counter has come so far, and a little longer. */
static void await_count(struct link *l, const _Atomic uint64_t *counter, uint64_t least)
{
	for (int i = 0; i < PATIENCE_MS && *counter < least; i++)
		pump(l, 1);
	pump(l, 50);
	assert_int_equal(*counter, least);
}

static void a_copy_does_not_let_go_of_voxels_in_use(void **unused)
{
	struct link *l = link_patient("duplicate=1,delay=1,delay_ms=30", true, true, HOUR_MS);
	struct fx_envelope e;

	(void)unused;
	offer(l, 0);
	offer(l, 1);
	await(l);
	assert_int_equal(take(l), 0);
	await(l);
	assert_true(fx_inlet_pop(l->in, &e));
	await_count(l, &l->stats.duplicates, 1);
	fx_inlet_ack(l->in, e.seq);
	await_count(l, &l->stats.acked, 1);
	assert_int_equal(fx_pool_used(l->pool), 1);
	fx_envelope_fini(&e);
	assert_int_equal(fx_pool_used(l->pool), 0);
	link_free(l);
}

/* Its slot may hold another message by now. */
static void a_worker_takes_no_late_copy_of_what_it_paid(void **unused)
{
	struct link *l = link_patient("duplicate=1,delay=1,delay_ms=100", true, false, HOUR_MS);

	(void)unused;
	for (uint64_t seq = 0; seq < 3; seq++) {
		offer(l, seq);
		await(l);
		assert_int_equal(take(l), seq);
	}
	await_count(l, &l->stats.duplicates, 2);
	assert_null(fx_inlet_peek(l->in));
	link_free(l);
}

static void order_and_delay_do_not_matter(void **unused)
{
	(void)unused;
	goes_through("seed=3,reorder=0.3,delay=0.2,delay_ms=5", false, true);
	goes_through("seed=4,reorder=0.3,delay=0.2,delay_ms=5", true, false);
}

static void damage_is_noticed(void **unused)
{
	(void)unused;
	goes_through("seed=3,corrupt=0.08", false, true);
	goes_through("seed=4,corrupt=0.08", true, true);
	goes_through("seed=5,corrupt=0.08", true, false);
}

static void all_at_once(void **unused)
{
	(void)unused;
	goes_through("seed=9,drop=0.05,duplicate=0.1,reorder=0.1,delay=0.1,delay_ms=3,corrupt=0.03",
		     false, true);
}

static void nothing_happens_unless_asked(void **unused)
{
	struct fx_faults *f = (struct fx_faults *)(uintptr_t)1;

	(void)unused;
	assert_int_equal(fx_faults_new(NULL, "x", &f, NULL), FX_OK);
	assert_null(f);
	assert_int_equal(fx_faults_new("", "x", &f, NULL), FX_OK);
	assert_null(f);
	fx_faults_pump(NULL);
	fx_faults_free(NULL);
}

static void what_cannot_be_read_is_told(void **unused)
{
	static const char *const wrong[] = { "drop",   "drop=",	   "drop=2",
					     "drop=x", "drip=0.1", "seed=-1" };
	struct fx_faults *f;

	(void)unused;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct fx_error err = { 0 };

		assert_int_equal(fx_faults_new(wrong[i], "x", &f, &err), FX_EINVAL);
		assert_null(f);
		assert_non_null(strstr(err.text, "FORNIX_FAULT: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lost_is_sent_again),
		cmocka_unit_test(copies_are_dropped),
		cmocka_unit_test(a_copy_does_not_let_go_of_voxels_in_use),
		cmocka_unit_test(a_worker_takes_no_late_copy_of_what_it_paid),
		cmocka_unit_test(order_and_delay_do_not_matter),
		cmocka_unit_test(damage_is_noticed),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(nothing_happens_unless_asked),
		cmocka_unit_test(what_cannot_be_read_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
