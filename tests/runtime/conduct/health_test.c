// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/health.c. This program is the conductor and its nodes, one of which is in
 * the trouble that its options say. */
#include "support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fornix/node.h>

#include "base/clock.h"
#include "base/file.h"
#include "support/process.h"

#define SECOND	 INT64_C(1000000000)
#define COMPUTED "b.0 has computed for 2 s without progress while it worked on "

enum { IN, OUT }; /* index into ports[] */
enum { STEP = 4 << 20, STEPS = 256 };

struct trouble {
	int way, lives, at; /* options */
	int seen;
	bool off; /* it has been in trouble in as many lives as it should */
};

static const struct fx_port ports[] = {
	[IN] = { "in", FX_IN, FX_BLOCK, FX_U8, 0, false, "sections" },
	[OUT] = { "out", FX_OUT, FX_BLOCK, FX_U8, 0, false, "the same" },
	{ 0 },
};

enum way { WAITS, STOPS, SPINS, EXITS, ENDS, EATS, ASKS, FAILS, LATE };
static const char *const ways[] = { "waits", "stops", "spins", "exits", "ends",
				    "eats",  "asks",  "fails", "late",	NULL };

static const struct fx_option options[] = {
	{ FX_FIELD(struct trouble, way), .choices = ways, .help = "what it does" },
	{ FX_FIELD(struct trouble, lives), .def = 1, .max = 100, .help = "in so many lives" },
	{ FX_FIELD(struct trouble, at), .def = 2, .max = 100, .help = "from this block on" },
	{ 0 },
};

/* Counts the lives in a file, by its bytes. */
static int trouble_init(struct fx_node *node, void *state)
{
	struct trouble *s = state;
	char *path = fx_path_join(fx_scratch_dir(node), "lives");
	const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);

	free(path);
	if (fd < 0 || write(fd, "x", 1) != 1)
		return fx_fail(node, FX_EIO, "cannot count lives");
	s->off = lseek(fd, 0, SEEK_END) > s->lives;
	close(fd);
	while (s->way == LATE && !s->off)
		pause();
	return FX_OK;
}

/* Computes until the conductor has said so, in the file TEST_SAID. */
static void spin(void)
{
	const int64_t start = fx_now_ns();
	const char *said = getenv("TEST_SAID");
	bool told = !said;

	while (!told && fx_now_ns() - start < 120 * SECOND) {
		void *text;
		size_t size;

		if (fx_file_read(said, 1 << 20, &text, &size, NULL) < 0)
			return;
		told = strstr(text, COMPUTED) != NULL;
		free(text);
	}
}

/* Far more than any limit of these tests, and then waits for what comes of it. */
static void eat(void)
{
	for (int i = 0; i < STEPS; i++) {
		char *p = malloc(STEP);

		if (p)
			memset(p, 1, STEP);
		fx_sleep_ms(2);
	}
	fx_sleep_ms(120000);
}

static int ask(struct fx_node *node)
{
	void *p = malloc((size_t)8 << 30);
	const bool none = !p;

	free(p);
	return none ? fx_fail(node, FX_ENOMEM, "no memory for 8 GiB") : FX_OK;
}

static int trouble_now(struct fx_node *node, enum way way)
{
	switch (way) {
	case STOPS:
		raise(SIGSTOP);
		break;
	case SPINS:
		spin();
		break;
	case EXITS:
		exit(0);
	case ENDS:
		raise(SIGTERM);
		break;
	case EATS:
		eat();
		break;
	case ASKS:
		return ask(node);
	case FAILS:
		return fx_fail(node, FX_ENOMEM, "no memory for 7 blocks");
	case WAITS:
		for (;;)
			pause();
	case LATE:
		break;
	}
	return FX_OK;
}

static int trouble_process(struct fx_node *node, void *state)
{
	struct trouble *s = state;
	const int result =
		!s->off && ++s->seen == s->at ? trouble_now(node, (enum way)s->way) : FX_OK;

	return result < 0 ? result : fx_send(node, OUT, fx_take(node, IN));
}

static const struct fx_node_type trouble = {
	.abi = FX_NODE_ABI,
	.name = "test/trouble",
	.summary = "passes sections on until it does something else",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct trouble),
	.stateless = true,
	.init = trouble_init,
	.process = trouble_process,
};

extern const struct fx_node_type fx_node_acquire_phantom, fx_node_flow_pass;
static const struct fx_node_type *const types[] = { &fx_node_acquire_phantom, &fx_node_flow_pass,
						    &trouble, NULL };

/* Receipt of a run of which node b does as @p keys say. */
static json_t *run(const char *keys, unsigned restarts, int result)
{
	const struct fx_run_options o = { .quiet = true,
					  .http_port = FX_HTTP_OFF,
					  .restarts = { restarts, 600 } };
	char text[500];

	snprintf(text, sizeof text,
		 "version: 1\n"
		 "nodes:\n"
		 "  a: { type: acquire/phantom, set: { size: 4 32 32, voxel: 40 8 8 } }\n"
		 "  b: { %s, type: test/trouble, from: { in: a.image } }\n"
		 "  c: { type: flow/pass, from: { in: b.out } }\n",
		 keys);
	return test_graph_run(text, types, &o, result);
}

/* All is there after so many restarts. */
static void expect_whole(const char *keys, int restarts)
{
	json_t *receipt = run(keys, 5, FX_OK);

	assert_true(json_is_true(json_object_get(receipt, "complete")));
	assert_int_equal(test_restarts(receipt), restarts);
	json_decref(receipt);
}

/* The run fails: how is told from @p start to @p end, without any restart. */
static void expect_failure(const char *keys, const char *start, const char *end)
{
	json_t *receipt = run(keys, 0, FX_END);
	const char *failure = json_string_value(json_object_get(receipt, "failure"));

	if (strncmp(failure, start, strlen(start)) != 0 || !strstr(failure, end))
		fail_msg("\"%s\", not \"%s ... %s\"", failure, start, end);
	assert_int_equal(test_restarts(receipt), 0);
	json_decref(receipt);
}

static void one_that_waits_for_ever_starts_again(void **unused)
{
	(void)unused;
	expect_whole("hang: 300 ms, set: { way: waits }", 1);
	expect_failure("hang: 300 ms, set: { way: waits }",
		       "b (test/trouble): hung: no progress for 0.3 s while it worked on message ",
		       " of input in, after it was started again 0 times within 600 s");
}

static void one_that_is_stopped_starts_again(void **unused)
{
	(void)unused;
	expect_whole("hang: 300 ms, set: { way: stops, lives: 2 }", 2);
	expect_failure("hang: 300 ms, set: { way: stops }",
		       "b (test/trouble): hung: stopped by a signal for 0.3 s while it worked on ",
		       " of input in");
}

static void one_that_hangs_as_it_starts_starts_again(void **unused)
{
	(void)unused;
	expect_whole("hang: 300 ms, set: { way: late }", 1);
	expect_failure("hang: 300 ms, set: { way: late }",
		       "b (test/trouble): hung: no progress for 0.3 s while it started, ", "");
}

/* Errors of the conductor go to its stderr: to a file meanwhile. */
static void one_that_computes_is_told_of(void **unused)
{
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "said");
	const int kept = dup(2), fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	char said[4096] = "";

	(void)unused;
	assert_true(kept >= 0 && fd >= 0);
	setenv("TEST_SAID", path, 1);
	dup2(fd, 2);
	expect_whole("hang: 200 ms, set: { way: spins }", 0);
	dup2(kept, 2);
	unsetenv("TEST_SAID");
	assert_true(pread(fd, said, sizeof said - 1, 0) > 0);
	close(fd);
	close(kept);
	if (!strstr(said, COMPUTED) || !strstr(said, "; after 288 s it is taken to hang\n"))
		fail_msg("no \"%s\" in \"%s\"", COMPUTED, said);
	fx_remove_tree(dir, NULL);
	free(path);
	free(dir);
}

static void an_end_with_code_0_is_none(void **unused)
{
	(void)unused;
	expect_whole("set: { way: exits, lives: 2 }", 2);
	expect_whole("set: { way: ends }", 1);
	expect_failure("set: { way: exits }", "b (test/trouble): ended with exit code 0, after it ",
		       "");
}

static void too_much_memory_ends_the_run(void **unused)
{
	(void)unused;
	expect_whole("limit: 4 GiB, set: { way: exits }", 1);
	expect_failure("limit: 300, set: { way: eats, lives: 9 }", "b (test/trouble): used ",
		       " MiB, more than its limit of 300 MiB (g:4:15): raise `limit`, or use "
		       "smaller blocks or fewer threads\n");
}

static void no_memory_in_its_own_words(void **unused)
{
	(void)unused;
	expect_failure("limit: 300, set: { way: fails }",
		       "b (test/trouble): no memory for 7 blocks; its limit is 300 MiB (g:4:15)\n",
		       "");
	expect_failure("set: { way: fails }", "b (test/trouble): no memory for 7 blocks\n", "");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	expect_failure("limit: 300, set: { way: asks }",
		       "b (test/trouble): no memory for 8 GiB; its limit is 300 MiB (g:4:15)\n",
		       "");
#endif
}

/* Runs that fail leave their logs: in a folder of their own. */
static int begin(void **state)
{
	*state = test_tmp_dir();
	return setenv("TMPDIR", *state, 1);
}

static int end(void **state)
{
	const int result = fx_remove_tree(*state, NULL);

	free(*state);
	return result;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_waits_for_ever_starts_again),
		cmocka_unit_test(one_that_is_stopped_starts_again),
		cmocka_unit_test(one_that_hangs_as_it_starts_starts_again),
		cmocka_unit_test(one_that_computes_is_told_of),
		cmocka_unit_test(an_end_with_code_0_is_none),
		cmocka_unit_test(too_much_memory_ends_the_run),
		cmocka_unit_test(no_memory_in_its_own_words),
	};

	if (test_is_node(argc, argv))
		return test_node_main(argv, types, NULL);
	return cmocka_run_group_tests(tests, begin, end);
}
