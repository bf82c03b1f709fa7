// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/flow/fault.c. What ends or hangs does so in a process of its own. */
#include "support/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "support/node_test.h"

extern const struct fx_node_type fx_node_flow_fault;

enum { BLOCKS = 40 };

static struct fx_block *block_at(int64_t z)
{
	struct fx_block *b = fx_block_new(FX_U8, 3, 10, 10);

	assert_non_null(b);
	b->origin[0] = z;
	b->halo_lo[0] = 1;
	return b;
}

static struct node_test *node(const char *a, const char *b)
{
	const char *options[] = { a, b, NULL };

	return node_test_new(&fx_node_flow_fault, options);
}

static void without_faults_all_passes(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_flow_fault, NULL);
	struct fx_block *b = block_at(0);
	struct fx_record *r = fx_record_new("scores");

	(void)unused;
	assert_int_equal(node_test_block(t, "in", b), FX_OK);
	assert_int_equal(node_test_tree(t, "in", fx_tree_new(7, 2)), FX_OK);
	assert_int_equal(node_test_record(t, "in", r), FX_OK);
	assert_ptr_equal(node_test_get(t, "out", FX_BLOCK, 0)->message, b);
	assert_int_equal(node_test_count(t, "out", FX_TREE), 1);
	assert_ptr_equal(node_test_get(t, "out", FX_RECORD, 0)->message, r);
	node_test_free(t);
}

/* Bit z: block z was dropped. */
static uint64_t dropped(const char *seed)
{
	struct node_test *t = node(seed, "drop=0.3");
	uint64_t set = 0;

	for (int64_t z = 0; z < BLOCKS; z++) {
		const struct sent *s;

		assert_int_equal(node_test_block(t, "in", block_at(z)), FX_OK);
		assert_int_equal(node_test_sent_len(t), (size_t)z + 1); /* one for one */
		s = node_test_sent(t, (size_t)z);
		if (s->kind != FX_NOTHING)
			continue;
		set |= UINT64_C(1) << z;
		assert_int_equal(s->mark.kind, FX_MARK_MISSING);
		assert_int_equal(s->mark.region.lo[0], z + 1); /* without its halo */
		assert_int_equal(s->mark.region.hi[0], z + 3);
		assert_non_null(strstr(s->mark.reason, "dropped this block, as asked"));
	}
	node_test_free(t);
	return set;
}

static void the_seed_decides_what_is_dropped(void **unused)
{
	const uint64_t one = dropped("seed=1");

	(void)unused;
	assert_true(one && one != (UINT64_C(1) << BLOCKS) - 1);
	assert_true(dropped("seed=1") == one);
	assert_true(dropped("seed=2") != one);
}

static void records_and_trees_are_dropped_too(void **unused)
{
	struct node_test *t = node("drop=1", NULL);
	struct fx_record *r = fx_record_new("scores");

	(void)unused;
	r->region.hi[0] = 5;
	assert_int_equal(node_test_record(t, "in", r), FX_OK);
	assert_int_equal(node_test_tree(t, "in", fx_tree_new(7, 2)), FX_OK);
	assert_int_equal(node_test_count(t, "out", FX_NOTHING), 2);
	assert_int_equal(node_test_get(t, "out", FX_NOTHING, 0)->mark.region.hi[0], 5);
	assert_true(fx_region_empty(node_test_get(t, "out", FX_NOTHING, 1)->mark.region));
	node_test_free(t);
}

static void corrupts_the_same_bytes_each_time(void **unused)
{
	struct node_test *t = node("corrupt=1", NULL);
	const struct fx_block *a, *b;
	size_t changed = 0;

	(void)unused;
	assert_int_equal(node_test_block(t, "in", block_at(3)), FX_OK);
	assert_int_equal(node_test_block(t, "in", block_at(3)), FX_OK);
	a = node_test_get(t, "out", FX_BLOCK, 0)->message;
	b = node_test_get(t, "out", FX_BLOCK, 1)->message;
	for (size_t i = 0; i < 300; i++)
		changed += ((const uint8_t *)a->data)[i] != 0;
	assert_int_equal(changed, 5); /* 300 / 64, rounded up */
	assert_memory_equal(a->data, b->data, 300);
	node_test_free(t);
}

static void waits(void **unused)
{
	struct node_test *t = node("delay=1", "delay_time=30 ms");
	struct node_test *u = node("stall=1", "stall_time=30 ms");
	const int64_t start = fx_now_ns();

	(void)unused;
	assert_int_equal(node_test_block(t, "in", block_at(0)), FX_OK);
	assert_true(fx_now_ns() - start >= 30000000);
	assert_int_equal(node_test_block(u, "in", block_at(0)), FX_OK);
	assert_true(fx_now_ns() - start >= 60000000);
	node_test_free(t);
	node_test_free(u);
}

/* It has noted that a fault comes now. */
static bool is_noted(struct node_test *t)
{
	char *folder = fx_asprintf("%s/../test.faults", node_test_scratch(t));
	const bool noted = fx_is_dir(folder);

	free(folder);
	return noted;
}

/* It goes on for ever, whatever signal it handles. */
static void hangs(struct node_test *t, pid_t pid)
{
	int status;

	for (int ms = 0; !is_noted(t); ms++) {
		assert_true(ms < 60000);
		fx_sleep_ms(1);
	}
	fx_sleep_ms(300);
	kill(pid, SIGTERM);
	fx_sleep_ms(50);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	kill(pid, SIGKILL);
}

/* Gives a block to @p t in a process of its own, which @p hanging hangs until it is killed, or ends
 * by itself; its status. 77: it passed the block on. */
static int status_of(struct node_test *t, bool hanging)
{
	const pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGABRT, SIG_DFL);
		node_test_block(t, "in", block_at(0));
		_exit(node_test_count(t, "out", FX_BLOCK) == 1 ? 77 : 78);
	}
	if (hanging)
		hangs(t, pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void ignore(int number)
{
	(void)number;
}

static void ends_once(void **unused)
{
	const struct sigaction held = { .sa_handler = ignore }; /* as a host handles it */
	static const struct {
		const char *option;
		int signal; /* 0: exit code 0 */
		bool hangs;
	} ends[] = {
		{ "crash=1", SIGABRT, false },
		{ "kill=1", SIGKILL, false },
		{ "exit=1", 0, false },
		{ "hang=1", SIGKILL, true },
	};

	(void)unused;
	sigaction(SIGTERM, &held, NULL);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct node_test *t = node(ends[i].option, NULL);
		int status;

		node_test_scratch(t); /* where each life looks */
		status = status_of(t, ends[i].hangs);
		if (ends[i].signal)
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == ends[i].signal);
		else
			assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		status = status_of(t, false);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 77);
		node_test_free(t);
	}
	signal(SIGTERM, SIG_DFL);
}

static void ends_always_when_asked(void **unused)
{
	struct node_test *t = node("kill=1", "always=true");

	(void)unused;
	for (int life = 0; life < 2; life++) {
		const int status = status_of(t, false);

		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_faults_all_passes),
		cmocka_unit_test(the_seed_decides_what_is_dropped),
		cmocka_unit_test(records_and_trees_are_dropped_too),
		cmocka_unit_test(corrupts_the_same_bytes_each_time),
		cmocka_unit_test(waits),
		cmocka_unit_test(ends_once),
		cmocka_unit_test(ends_always_when_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
