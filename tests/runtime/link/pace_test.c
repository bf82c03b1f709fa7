// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/pace.c: when payloads are coded harder. */
#include "support/test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "link/pace.h"

#define SECOND INT64_C(1000000000)
#define MBIT   125000.0 /* bytes a second */

/* A link that is looked at once a second. */
struct link {
	struct fx__pace pace;
	struct fx__sent sent;
	int64_t now_ns;
};

/* A second in which @p raw bytes are given to it and it carries @p bytes at @p rate. */
static bool second(struct link *l, double raw, double bytes, double rate,
		   const struct fx__effort *e)
{
	l->now_ns += SECOND;
	l->pace.raw += (uint64_t)raw;
	l->sent.acked += (uint64_t)bytes;
	l->sent.busy_us += (uint64_t)(bytes / rate * 1e6);
	fx__pace_note(&l->pace, 5, &l->sent, l->now_ns, e);
	return l->pace.harder;
}

static struct link link_new(void)
{
	struct link l = { .now_ns = 100 * SECOND };
	const struct fx__effort e = { 0 };

	second(&l, 0, 0, MBIT, &e); /* it is seen for the first time */
	return l;
}

static void a_slow_link_that_is_full_is_coded_harder(void **unused)
{
	const struct fx__effort none = { 0 };
	struct link l = link_new();

	(void)unused;
	assert_true(second(&l, 100 * MBIT, 100 * MBIT, 100 * MBIT, &none));
	assert_true(l.pace.rate > 99 * MBIT && l.pace.rate < 101 * MBIT);
	/* now it carries more, with as many bytes */
	for (int i = 0; i < 10; i++)
		assert_true(second(&l, 150 * MBIT, 100 * MBIT, 100 * MBIT, &none));
	/* there is not much to send any more: it would do without */
	for (int i = 0; i < 6; i++)
		second(&l, 30 * MBIT, 20 * MBIT, 100 * MBIT, &none);
	assert_false(l.pace.harder);
}

static void a_link_that_waits_for_work_is_not(void **unused)
{
	const struct fx__effort none = { 0 };
	struct link l = link_new();

	(void)unused;
	for (int i = 0; i < 10; i++) /* a consumer that is slow */
		assert_false(second(&l, 30 * MBIT, 30 * MBIT, 100 * MBIT, &none));
}

static void a_fast_link_is_not(void **unused)
{
	const struct fx__effort none = { 0 };
	struct link l = link_new();

	(void)unused;
	for (int i = 0; i < 10; i++)
		assert_false(second(&l, 1e10, 1e10, 1e10, &none));
}

/* Where coding brings nothing, or takes longer than the link. */
static void what_coding_costs_counts(void **unused)
{
	const struct fx__effort noise = { .speed = 1e9, .ratio = 1, .at_ns = 100 * SECOND },
				slow = { .speed = 5e6, .ratio = 2, .at_ns = 100 * SECOND };
	struct link l = link_new();

	(void)unused;
	for (int i = 0; i < 10; i++)
		assert_false(second(&l, 100 * MBIT, 100 * MBIT, 100 * MBIT, &noise));
	for (int i = 0; i < 10; i++)
		assert_false(second(&l, 100 * MBIT, 100 * MBIT, 100 * MBIT, &slow));
	for (int i = 0; i < 12; i++) /* what was measured is old by now: it is tried again */
		second(&l, 100 * MBIT, 100 * MBIT, 100 * MBIT, &noise);
	assert_true(l.pace.harder);
}

/* Another connection begins to count anew; what it has done is not taken for what was done since.
 */
static void another_connection_begins_anew(void **unused)
{
	const struct fx__effort none = { 0 };
	struct link l = link_new();
	double rate;

	(void)unused;
	second(&l, 100 * MBIT, 100 * MBIT, 100 * MBIT, &none);
	rate = l.pace.rate;
	l.sent = (struct fx__sent){ 1, 1 };
	assert_true(second(&l, 0, 0, MBIT, &none));
	assert_true(l.pace.rate >= rate && l.pace.rate <= rate);
	fx__pace_note(&l.pace, 6, &(struct fx__sent){ 1u << 30, 900000 }, l.now_ns + SECOND, &none);
	assert_true(l.pace.rate >= rate && l.pace.rate <= rate);
}

static void the_effort_is_smoothed_and_forgotten(void **unused)
{
	struct fx__effort e = { 0 };

	(void)unused;
	fx__effort_note(&e, 1000000, 500000, 1000000, SECOND);
	assert_true(e.speed > 0.99e9 && e.speed < 1.01e9 && e.ratio > 1.99 && e.ratio < 2.01);
	fx__effort_note(&e, 1000000, 1000000, 1000000, 2 * SECOND);
	assert_true(e.ratio > 1.49 && e.ratio < 1.51);
	fx__effort_note(&e, 1000000, 1000000, 1000000, 100 * SECOND);
	assert_true(e.ratio > 0.99 && e.ratio < 1.01);
}

/* The kernel tells how much of what was sent has come. */
static void the_kernel_is_asked(void **unused)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof a;
	const int listener = socket(AF_INET, SOCK_STREAM, 0),
		  from = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[10000] = "";
	struct fx__sent sent;
	int to, pair[2];

	(void)unused;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(connect(from, (struct sockaddr *)&a, sizeof a), 0);
	to = accept(listener, NULL, NULL);
	assert_int_equal(write(from, bytes, sizeof bytes), sizeof bytes);
	assert_int_equal(recv(to, bytes, sizeof bytes, MSG_WAITALL), sizeof bytes);
	for (int i = 0; i < 12000; i++) {
		assert_true(fx__pace_ask(from, &sent));
		if (sent.acked >= sizeof bytes)
			break;
		fx_sleep_ms(5);
	}
	assert_in_range(sent.acked, sizeof bytes, sizeof bytes + 1);
	assert_false(fx__pace_ask(-1, &sent));
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_false(fx__pace_ask(pair[0], &sent));
	close(pair[0]);
	close(pair[1]);
	close(from);
	close(to);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_link_that_is_full_is_coded_harder),
		cmocka_unit_test(a_link_that_waits_for_work_is_not),
		cmocka_unit_test(a_fast_link_is_not),
		cmocka_unit_test(what_coding_costs_counts),
		cmocka_unit_test(another_connection_begins_anew),
		cmocka_unit_test(the_effort_is_smoothed_and_forgotten),
		cmocka_unit_test(the_kernel_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
