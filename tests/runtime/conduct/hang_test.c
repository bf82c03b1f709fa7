// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/hang.c: samples in, verdicts out. */
#include "support/test.h"

#include "conduct/hang.h"

#define SECOND INT64_C(1000000000)

/* A process that is looked at once a second, with a limit of a minute. */
struct life {
	struct fx_hang hang;
	struct fx_hang_sample s;
};

/* What is said within @p seconds, each of which uses @p cpu_ns and moves @p bytes: the first
 * verdict that is not FX_HANG_NONE, and after how many seconds to *after. */
static enum fx_hang_verdict live(struct life *l, int seconds, int64_t cpu_ns, uint64_t bytes,
				 int *after)
{
	enum fx_hang_verdict v = FX_HANG_NONE;
	int i = 0;

	while (i < seconds && v == FX_HANG_NONE) {
		l->s.now_ns += SECOND;
		l->s.cpu_ns += cpu_ns;
		l->s.io_bytes += bytes;
		v = fx_hang_judge(&l->hang, &l->s, 60 * SECOND);
		i++;
	}
	if (after)
		*after = i;
	return v;
}

/* One that has just made progress. */
static struct life begin(char state)
{
	struct life l = { .s = { .now_ns = 77 * SECOND, .cpu_ns = 5 * SECOND, .state = state } };

	assert_int_equal(live(&l, 1, 0, 0, NULL), FX_HANG_NONE);
	return l;
}

static void waiting_without_progress_is_a_hang(void **unused)
{
	struct life l = begin('S');
	int after;

	(void)unused;
	assert_int_equal(live(&l, 1000, 0, 0, &after), FX_HANG_BLOCKED);
	assert_int_equal(after, 60);
}

/* syncfs() of much that was written may last for minutes. */
static void waiting_for_a_disk_may_last(void **unused)
{
	struct life l = begin('D');
	int after;

	(void)unused;
	assert_int_equal(live(&l, 1000, 0, 0, &after), FX_HANG_STUCK);
	assert_int_equal(after, 600);
}

static void progress_is_none(void **unused)
{
	struct life l = begin('S');

	(void)unused;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(live(&l, 59, 0, 0, NULL), FX_HANG_NONE);
		l.s.moved++;
		assert_int_equal(live(&l, 1, 0, 0, NULL), FX_HANG_NONE);
	}
}

static void stopped_and_continued_is_none(void **unused)
{
	struct life l = begin('T');
	int after;

	(void)unused;
	assert_int_equal(live(&l, 30, 0, 0, NULL), FX_HANG_NONE);
	l.s.state = 'S';
	l.s.moved++;
	assert_int_equal(live(&l, 1, 0, 0, NULL), FX_HANG_NONE);
	l.s.state = 'T';
	assert_int_equal(live(&l, 1000, 0, 0, &after), FX_HANG_STOPPED);
	assert_int_equal(after, 60);
}

static void computing_is_told_of_and_is_a_hang_after_a_day(void **unused)
{
	struct life l = begin('R');
	int after;

	(void)unused;
	for (int at = 600, before = 0; at < 86400; before = at, at *= 2) {
		assert_int_equal(live(&l, 100000, SECOND, 0, &after), FX_HANG_SLOW);
		assert_int_equal(before + after, at);
	}
	assert_int_equal(live(&l, 100000, SECOND, 0, &after), FX_HANG_SPINS);
}

/* Its main thread waits for its others; it waits for a processor; it reads from far away. */
static void what_is_at_work_is_none(void **unused)
{
	struct life l = begin('S');

	(void)unused;
	assert_int_equal(live(&l, 590, SECOND / 100, 0, NULL), FX_HANG_NONE);
	l = begin('R');
	assert_int_equal(live(&l, 590, 0, 0, NULL), FX_HANG_NONE);
	l = begin('S');
	assert_int_equal(live(&l, 590, 0, 2000, NULL), FX_HANG_NONE);
}

/* A thread of ZeroMQ uses a little, and passes a few bytes. */
static void a_pulse_is_not_work(void **unused)
{
	struct life l = begin('S');
	int after;

	(void)unused;
	assert_int_equal(live(&l, 1000, SECOND / 1000, 8, &after), FX_HANG_BLOCKED);
	assert_int_equal(after, 60);
}

static void work_before_does_not_count(void **unused)
{
	struct life l = begin('S');
	int after;

	(void)unused;
	assert_int_equal(live(&l, 300, SECOND, 1 << 20, NULL), FX_HANG_NONE);
	assert_int_equal(live(&l, 1000, 0, 0, &after), FX_HANG_BLOCKED);
	assert_int_equal(after, 60);
}

static void a_debugger_may_hold_it(void **unused)
{
	struct life l = begin('t');

	(void)unused;
	assert_int_equal(live(&l, 100000, 0, 0, NULL), FX_HANG_NONE);
}

/* Ctrl-Z stops who looks as well: an hour that no one saw counts as 15 s. */
static void what_was_not_seen_does_not_count(void **unused)
{
	struct life l = begin('S');
	int after;

	(void)unused;
	l.s.now_ns += 3600 * SECOND;
	assert_int_equal(fx_hang_judge(&l.hang, &l.s, 60 * SECOND), FX_HANG_NONE);
	assert_int_equal(live(&l, 1000, 0, 0, &after), FX_HANG_BLOCKED);
	assert_int_equal(after, 45);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(waiting_without_progress_is_a_hang),
		cmocka_unit_test(waiting_for_a_disk_may_last),
		cmocka_unit_test(progress_is_none),
		cmocka_unit_test(stopped_and_continued_is_none),
		cmocka_unit_test(computing_is_told_of_and_is_a_hang_after_a_day),
		cmocka_unit_test(what_is_at_work_is_none),
		cmocka_unit_test(a_pulse_is_not_work),
		cmocka_unit_test(work_before_does_not_count),
		cmocka_unit_test(a_debugger_may_hold_it),
		cmocka_unit_test(what_was_not_seen_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
