// SPDX-License-Identifier: Apache-2.0
/* Tests the command fornix: which command is meant, exit codes, what goes to stdout and stderr. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/file.h"

/* Runs "fornix ARGUMENTS" in the shell; the exit code, and what it prints into @p text. */
static int run(const char *arguments, char *text, size_t size)
{
	const char *program = getenv("FORNIX_BIN");
	char *command = fx_asprintf("'%s' %s", program ? program : "build/bin/fornix", arguments);
	FILE *out = command ? popen(command, "r") : NULL;
	size_t len;
	int status;

	assert_non_null(out);
	len = fread(text, 1, size - 1, out);
	text[len] = 0;
	status = pclose(out);
	free(command);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void expect(const char *arguments, int code, const char *says)
{
	char text[8192];
	const int found = run(arguments, text, sizeof text);

	if (found != code || !strstr(text, says))
		fail_msg("fornix %s: ended with %d, said: %s", arguments, found, text);
}

static void commands_and_help(void **unused)
{
	(void)unused;
	expect("--help", 0, "usage: fornix COMMAND");
	expect("--version", 0, "fornix 0.");
	expect("2>&1", 2, "commands:");
	expect("chek 2>&1", 2, "fornix: no command \"chek\"; did you mean \"check\"?\n");
	expect("check --help", 0, "usage: fornix check GRAPH [param=value ...]");
	expect("check 2>&1", 2, "check: too few arguments; usage: fornix check GRAPH");
	expect("nodes a b 2>&1", 2, "nodes: too many arguments");
	expect("nodes --jsn 2>&1", 2, "nodes has no option --jsn; did you mean \"json\"?");
	expect("nodes --json=1 2>&1", 2, "--json takes no value");
	expect("nodes -j 2>&1", 2, "options are written --name, not -j");
	expect("draw x --format 2>&1", 2, "--format needs a value");
	expect("check x y 2>&1", 2, "\"y\" is not a parameter: write name=value");
	expect("nodes flow/pas 2>&1", 2, "did you mean \"flow/pass\"?");
	expect("nodes flow/pass", 0, "flow/pass - pass every message on unchanged\n");
	expect("nodes flow", 0, "flow\n  flow/");
	expect("nodes >/dev/full 2>&1", 1, "");
}

static void graphs_and_json(void **unused)
{
	static const char graph[] = "version: 1\n"
				    "params: { n: { help: workers, default: 1 } }\n"
				    "nodes:\n"
				    "  a: { type: flow/pass, from: { in: b.out }, workers: $n }\n"
				    "  b: { type: flow/pass, from: { in: a.out } }\n";
	char *dir = test_tmp_dir(), *path = fx_path_join(dir, "g.yaml"), text[8192], args[256];
	const char *says;
	int ok, row, column;
	json_t *j;

	(void)unused;
	assert_int_equal(fx_file_write(path, graph, sizeof graph - 1, NULL), FX_OK);
	snprintf(args, sizeof args, "check %s 2>&1", path);
	expect(args, 2, "/g.yaml:4:3: a: a cycle: a -> b -> a\n");
	snprintf(args, sizeof args, "draw %s n=0 2>&1", path);
	expect(args, 2, "/g.yaml:4:55: a.workers: \"0\" is not a whole number within 1..64\n");
	snprintf(args, sizeof args, "check --json %s 2>/dev/null", path);
	assert_int_equal(run(args, text, sizeof text), 2);
	j = json_loads(text, 0, NULL);
	assert_non_null(j);
	assert_int_equal(json_unpack(j, "{s:b, s:[{s:i, s:i, s:s}]}", "ok", &ok, "errors", "line",
				     &row, "column", &column, "text", &says),
			 0);
	assert_true(!ok && row == 4 && column == 3);
	assert_string_equal(says, "a: a cycle: a -> b -> a");
	json_decref(j);
	fx_remove_tree(dir, NULL);
	free(path);
	free(dir);
}

static void new_node_refuses_wrong_names(void **unused)
{
	(void)unused;
	expect("new-node invert 2>&1", 2, "\"invert\" is not of the form ROLE/METHOD");
	expect("new-node a/b/c 2>&1", 2, "is not of the form ROLE/METHOD");
	expect("new-node ../x 2>&1", 2, "is not of the form ROLE/METHOD");
	expect("new-node a_b/c 2>&1", 2, "is not of the form ROLE/METHOD");
}

/* Four sections of 1 x 2 labels as FOLDER/NAME. */
static void write_npy(const char *folder, const char *name, const char labels[8])
{
	char *path = fx_path_join(folder, name), bytes[128 + 8];
	struct fx_error err = { 0 };

	/* magic, version 1.0, 118 bytes of header */
	memcpy(bytes, "\x93NUMPY\1\0\x76\0", 10);
	snprintf(bytes + 10, 119, "%-117s\n",
		 "{'descr': '|u1', 'fortran_order': False, 'shape': (4, 1, 2), }");
	memcpy(bytes + 128, labels, 8);
	if (!path || fx_file_write(path, bytes, sizeof bytes, &err) < 0)
		fail_msg("%s", err.text);
	free(path);
}

static void expect_score(const char *folder, const char *options, int code, const char *says)
{
	char *arguments = fx_asprintf("score %s/a.npy %s/b.npy %s 2>&1", folder, folder, options);

	assert_non_null(arguments);
	expect(arguments, code, says);
	free(arguments);
}

static void score_counts_the_sections_asked_for(void **unused)
{
	char *folder = test_tmp_dir();

	(void)unused;
	write_npy(folder, "a.npy", "\1\2\1\2\3\3\3\3");
	write_npy(folder, "b.npy", "\1\2\1\2\4\5\4\5");
	expect_score(folder, "--sections 0:2", 0, "kept)             0 bit");
	expect_score(folder, "--sections 2:9", 0, "kept)             1 bit");
	expect_score(folder, "", 0, "kept)           0.5 bit");
	expect_score(folder, "--sections 4:5", 2, "--sections begin at 4, but");
	expect_score(folder, "--sections 2:2", 2, "must be FIRST:BEHIND_LAST, such as 0:125");
	expect_score(folder, "--sections -1:2", 2, "must be FIRST:BEHIND_LAST");
	expect_score(folder, "--sections 0:2x", 2, "must be FIRST:BEHIND_LAST");
	fx_remove_tree(folder, NULL);
	free(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_and_help),
		cmocka_unit_test(graphs_and_json),
		cmocka_unit_test(new_node_refuses_wrong_names),
		cmocka_unit_test(score_counts_the_sections_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
