// SPDX-License-Identifier: Apache-2.0
/* tests/e2e/slow.yaml on two machines, which are network namespaces, with a link of a set rate
 * between them: grey values are coded by zstd on a slow one and not on a fast one, and the output
 * is the same. Where there are no namespaces this says so and is skipped. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/images.h"
#include "support/lab.h"
#include "support/outputs.h"
#include "support/run.h"

#define GRAPH "tests/e2e/slow.yaml"

/* Runs the graph from the first machine, with @p codec, into the folder @p out; its receipt. */
static json_t *run(struct test_lab *l, const char *out, const char *codec)
{
	char *program = fx_strdup(getenv("FORNIX_BIN"));
	const char *path = test_path(l->dir, "run");
	char *text =
		fx_asprintf("#!/bin/sh\nexec ip netns exec %s-1 %s \"$@\"\n", l->prefix, program);
	char *options = fx_asprintf("options=-F %s/ssh_config", l->dir);
	json_t *receipt;

	test_write_file(path, text, strlen(text));
	assert_int_equal(chmod(path, 0700), 0);
	setenv("FORNIX_BIN", path, 1);
	test_run_expect(l->place, 0,
			(const char *[]){ "run", GRAPH, test_word("out", l->place->dir, out),
					  "here=10.77.0.1", "one=10.77.0.2", "launcher=ssh",
					  options, codec, "--quiet", NULL });
	setenv("FORNIX_BIN", program, 1);
	receipt = test_receipt(test_path(l->place->dir, out), true);
	free(program);
	free(text);
	free(options);
	return receipt;
}

/* What the receipt says of frames on the edge to the writer. */
static json_int_t frames(const json_t *receipt, const char *what)
{
	const json_t *edges = json_object_get(receipt, "edges");

	for (size_t i = 0; i < json_array_size(edges); i++) {
		const json_t *e = json_array_get(edges, i);

		if (strcmp(json_string_value(json_object_get(e, "to")), "save.image") == 0)
			return json_integer_value(
				strcmp(what, "raw") == 0 ?
					json_object_get(e, "bytes") :
					json_object_get(json_object_get(e, "frames"), what));
	}
	fail_msg("no such edge");
	return -1;
}

static void same(struct test_lab *l, const char *a, const char *b)
{
	char *one = fx_asprintf("%s/image", a), *two = fx_asprintf("%s/image", b);

	test_same_folders(test_path(l->place->dir, one), test_path(l->place->dir, two));
	free(one);
	free(two);
}

static void grey_is_coded_where_the_link_is_slow(void **state)
{
	struct test_lab *l = *state;
	json_t *fast, *slow, *forced;
	int limited;

	if (!l->prefix)
		skip();
	fast = run(l, "fast", "codec=auto");
	assert_int_equal(frames(fast, "zstd"), 0);
	assert_true(frames(fast, "bytes") == frames(fast, "raw"));
	forced = run(l, "forced", "codec=zstd");
	assert_int_equal(frames(forced, "stored"), 0);
	assert_true(frames(forced, "bytes") < frames(forced, "raw"));
	same(l, "fast", "forced");
	limited = test_lab(l, "rate", "1 10mbit");
	if (limited == TEST_LAB_NONE) {
		json_decref(fast);
		json_decref(forced);
		skip();
	}
	assert_int_equal(limited, 0);
	slow = run(l, "slow", "codec=auto");
	assert_true(frames(slow, "zstd") > frames(slow, "stored") / 4);
	assert_true(frames(slow, "bytes") < frames(slow, "raw"));
	assert_in_range(frames(slow, "link_bytes_per_second"), 600000, 1500000);
	same(l, "fast", "slow");
	json_decref(fast);
	json_decref(slow);
	json_decref(forced);
	test_place_clean(l->place);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(grey_is_coded_where_the_link_is_slow,
						test_lab_setup, test_lab_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
