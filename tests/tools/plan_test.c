// SPDX-License-Identifier: Apache-2.0
/* Tests tools/cmd_plan.c: who would run where, and by what. */
#include "support/test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "support/images.h"
#include "support/run.h"

#define GRAPH "graphs/cluster.yaml", "sections=/nowhere", "out=/nowhere"

static json_t *plan(struct test_place *p, const char *word)
{
	struct test_run *r =
		test_run(p, (const char *[]){ "plan", GRAPH, "one=10.0.0.2", "login_one=me@lab",
					      "workers=9", "--json", word, NULL });
	json_t *j;

	if (r->code)
		fail_msg("ended with %d: %s", r->code, r->err);
	j = json_loads(r->out, 0, NULL);
	assert_non_null(j);
	test_run_free(r);
	return j;
}

static const json_t *find(const json_t *list, const char *key, const char *value)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);

		if (strcmp(json_string_value(json_object_get(o, key)), value) == 0)
			return o;
	}
	fail_msg("no %s %s", key, value);
	return NULL;
}

static void it_says_who_runs_where_and_how_links_go(void **state)
{
	struct test_place *p = *state;
	json_t *j = plan(p, NULL);
	const json_t *hosts = json_object_get(j, "hosts"), *link;
	const char *command =
		json_string_value(json_object_get(find(hosts, "host", "one"), "command"));
	size_t there = 0;

	assert_int_equal(json_array_size(hosts), 4);
	assert_non_null(strstr(command, "ssh -T -o BatchMode=yes"));
	assert_non_null(strstr(command, " -- me@lab '"));
	assert_non_null(strstr(command, "/fornix' agent"));
	for (size_t i = 0; i < json_array_size(json_object_get(j, "processes")); i++) {
		const json_t *o = json_array_get(json_object_get(j, "processes"), i);

		if (strcmp(json_string_value(json_object_get(o, "node")), "segment") == 0) {
			assert_string_not_equal(json_string_value(json_object_get(o, "host")),
						"here");
			there++;
		}
	}
	assert_int_equal(there, 9);
	link = find(json_object_get(j, "links"), "to", "segment");
	assert_string_equal(json_string_value(json_object_get(link, "transport")), "tcp");
	assert_int_equal(json_integer_value(json_object_get(link, "across")), 9);
	assert_string_equal(json_string_value(json_object_get(link, "codec")), "by kind");
	link = find(json_object_get(j, "links"), "to", "whole");
	assert_string_equal(json_string_value(json_object_get(link, "codec")), "lz4");
	link = find(json_object_get(j, "links"), "to", "even");
	assert_string_equal(json_string_value(json_object_get(link, "transport")), "shm");
	json_decref(j);
}

/* What was measured is taken, and names the slowest. */
static void a_receipt_says_what_is_slow(void **state)
{
	static const char receipt[] = "{\"nodes\": [{\"node\": \"even\", \"work_seconds\": 9000}]}";
	struct test_place *p = *state;
	char *path = fx_strdup(test_path(p->dir, "receipt.json"));
	char *word = fx_asprintf("--measured=%s", path);
	const char *what;
	json_t *j;

	test_write_file(path, receipt, sizeof receipt - 1);
	j = plan(p, word);
	what = json_string_value(json_object_get(json_object_get(j, "bottleneck"), "what"));
	assert_string_equal(what, "node even");
	json_decref(j);
	free(path);
	free(word);
}

static void what_cannot_be_is_told(void **state)
{
	struct test_place *p = *state;
	struct test_run *r = test_run(p, (const char *[]){ "plan", GRAPH, "one=lab2", NULL });

	assert_int_equal(r->code, 2);
	assert_non_null(strstr(r->err, "host one: address \"lab2\" is not an IPv4 address"));
	test_run_free(r);
	r = test_run(p, (const char *[]){ "plan", GRAPH, "--measured=/nonexistent", NULL });
	assert_int_equal(r->code, 2);
	assert_non_null(strstr(r->err, "/nonexistent"));
	test_run_free(r);
}

int main(void)
{
#define IN_A_PLACE(f) cmocka_unit_test_setup_teardown(f, test_place_setup, test_place_teardown)
	const struct CMUnitTest tests[] = {
		IN_A_PLACE(it_says_who_runs_where_and_how_links_go),
		IN_A_PLACE(a_receipt_says_what_is_slow),
		IN_A_PLACE(what_cannot_be_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
