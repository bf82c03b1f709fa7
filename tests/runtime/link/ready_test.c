// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/ready.c: which of several sockets has to be read. */
#include "support/test.h"

#include <zmq.h>

#include "base/clock.h"
#include "link/ready.h"

enum { SOCKETS = 3 };

struct rig {
	void *zmq, *far[SOCKETS], *near[SOCKETS];
	struct fx__ready ready;
};

static void read_all(struct rig *r, size_t i)
{
	char bytes[8];

	while (zmq_recv(r->near[i], bytes, sizeof bytes, ZMQ_DONTWAIT) >= 0)
		;
}

/* That all are looked at once a second is left out. */
static void never_all(struct rig *r)
{
	r->ready.all_ns = INT64_MAX / 2;
}

static int setup(void **state)
{
	static struct rig rig;
	struct rig *r = &rig;
	char name[32];

	r->zmq = zmq_ctx_new();
	assert_true(fx__ready_init(&r->ready, SOCKETS));
	for (size_t i = 0; i < SOCKETS; i++) {
		snprintf(name, sizeof name, "inproc://%zu", i);
		r->far[i] = zmq_socket(r->zmq, ZMQ_DEALER);
		r->near[i] = zmq_socket(r->zmq, ZMQ_DEALER);
		assert_int_equal(zmq_bind(r->far[i], name), 0);
		assert_int_equal(zmq_connect(r->near[i], name), 0);
		fx__ready_watch(&r->ready, i, r->near[i]);
	}
	fx__ready_look(&r->ready); /* the first takes all to have something */
	assert_true(r->ready.all_ns > 0);
	never_all(r);
	for (size_t i = 0; i < SOCKETS; i++) {
		assert_true(fx__ready_take(&r->ready, i));
		read_all(r, i);
	}
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < SOCKETS; i++) {
		zmq_close(r->far[i]);
		zmq_close(r->near[i]);
	}
	fx__ready_fini(&r->ready);
	zmq_ctx_term(r->zmq);
	return 0;
}

/* Looks until something is there, for a while. */
static bool comes(struct rig *r)
{
	for (int k = 0; k < 60000 && !fx__ready_any(&r->ready); k++) {
		fx_sleep_ms(1);
		fx__ready_look(&r->ready);
	}
	return fx__ready_any(&r->ready);
}

static void only_what_has_something_is_read(void **state)
{
	struct rig *r = *state;

	fx__ready_look(&r->ready);
	assert_false(fx__ready_any(&r->ready));
	for (int round = 0; round < 2; round++) {
		zmq_send(r->far[1], "a", 1, 0);
		assert_true(comes(r));
		assert_false(fx__ready_take(&r->ready, 0));
		assert_true(fx__ready_take(&r->ready, 1));
		assert_false(fx__ready_take(&r->ready, 2));
		read_all(r, 1);
		fx__ready_look(&r->ready);
		assert_false(fx__ready_take(&r->ready, 1));
	}
}

/* Whoever sends on a socket may take the news from its descriptor. */
static void what_sending_swallows_is_found(void **state)
{
	struct rig *r = *state;
	int events = 0;
	size_t size = sizeof events;

	zmq_send(r->far[2], "a", 1, 0);
	for (int k = 0; k < 60000 && !(events & ZMQ_POLLIN); k++)
		assert_int_equal(zmq_getsockopt(r->near[2], ZMQ_EVENTS, &events, &size), 0);
	fx__ready_look(&r->ready);
	assert_false(fx__ready_any(&r->ready));
	fx__ready_sent(&r->ready, 2, r->near[2]);
	assert_true(fx__ready_any(&r->ready));
	assert_true(fx__ready_take(&r->ready, 2));
}

static void all_are_read_once_a_second(void **state)
{
	struct rig *r = *state;

	r->ready.all_ns = fx_now_ns() - 1100000000;
	fx__ready_look(&r->ready);
	for (size_t i = 0; i < SOCKETS; i++)
		assert_true(fx__ready_take(&r->ready, i));
	assert_true(fx_now_ns() - r->ready.all_ns < 1000000000 * INT64_C(60));
	never_all(r);
	fx__ready_look(&r->ready);
	assert_false(fx__ready_any(&r->ready));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_what_has_something_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(what_sending_swallows_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(all_are_read_once_a_second, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
