// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/sandbox.c: where the paths of a graph may lead. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "graph/sandbox.h"
#include "support/images.h"

enum { IN, OUT };

static const struct fx_option read_options[] = {
	{ .name = "path", .type = FX_OPT_STR, .path = FX_PATH_READ },
	{ .name = "mark", .type = FX_OPT_STR, .path = FX_PATH_NAME, .def_str = "" },
	{ .name = "note", .type = FX_OPT_STR, .def_str = "" },
	{ 0 },
};
static const struct fx_option write_options[] = {
	{ .name = "path", .type = FX_OPT_STR, .path = FX_PATH_WRITE },
	{ 0 },
};
static const struct fx_node_type reader = { .name = "acquire/x", .options = read_options };
static const struct fx_node_type writer = { .name = "writer/x", .options = write_options };

/* DIR/graphs/g.yaml, DIR/data, DIR/secret, and DIR/out when it is made. */
struct place {
	char *dir, *file, *data, *out;
};

static struct place place_new(void)
{
	struct place p = { .dir = test_tmp_dir() };

	p.file = fx_path_join(p.dir, "graphs/g.yaml");
	p.data = fx_path_join(p.dir, "data");
	p.out = fx_path_join(p.dir, "out");
	assert_int_equal(fx_make_dirs(test_path(p.dir, "graphs/models"), NULL), FX_OK);
	assert_int_equal(fx_make_dirs(test_path(p.dir, "data/deep"), NULL), FX_OK);
	assert_int_equal(fx_make_dirs(test_path(p.dir, "secret"), NULL), FX_OK);
	assert_int_equal(fx_make_dirs(test_path(p.dir, "data2"), NULL), FX_OK);
	return p;
}

static void place_fini(struct place *p)
{
	fx_remove_tree(p->dir, NULL);
	free(p->dir);
	free(p->file);
	free(p->data);
	free(p->out);
}

/* What is said of a graph with one option @p name set to @p value, given the parameters data and
 * @p out (NULL: not). */
static const char *said(struct place *p, int kind, const char *name, const char *value,
			const char *out)
{
	static struct fx_graph_errors errors;
	struct fx_graph_param params[] = {
		{ .name = (char[]){ "data" }, .value = p->data, .given = true },
		{ .name = (char[]){ "out" },
		  .value = (char *)(uintptr_t)out,
		  .given = out != NULL },
		{ .name = (char[]){ "secret" },
		  .value = (char *)(uintptr_t)test_path(p->dir, "secret") },
		{ .name = (char[]){ "size" }, .value = (char[]){ "8 8 8" }, .given = true },
	};
	struct fx_graph_option option = { .name = (char *)(uintptr_t)name,
					  .value = (char *)(uintptr_t)value,
					  .line = 7,
					  .col = 9 };
	struct fx_graph_node node = { .name = (char[]){ "n" },
				      .type = kind == IN ? &reader : &writer,
				      .options = &option,
				      .options_len = 1 };
	const struct fx_graph g = {
		.file = p->file, .params = params, .params_len = 4, .nodes = &node, .nodes_len = 1
	};
	struct fx_sandbox s = { 0 };

	memset(&errors, 0, sizeof errors);
	fx_sandbox_check(&s, &g, &errors);
	fx_sandbox_fini(&s);
	if (errors.len)
		assert_true(errors.list[0].line == 7 && errors.list[0].col == 9);
	return errors.len ? errors.list[0].text : "";
}

static void reads(struct place *p, const char *path, bool may)
{
	const char *text = said(p, IN, "path", path, NULL);

	if (may ? *text :
		  !strstr(text, "n.path: with --sandbox, ") || !strstr(text, " may not be read"))
		fail_msg("%s: %s", path, text);
}

static void writes(struct place *p, const char *path, bool may)
{
	const char *text = said(p, OUT, "path", path, p->out);

	if (may ? *text : !strstr(text, "may not be written: it does not lead to below"))
		fail_msg("%s: %s", path, text);
}

static void reading_stays_in_what_was_named(void **unused)
{
	struct place p = place_new();

	(void)unused;
	reads(&p, "", true);
	reads(&p, p.data, true);
	reads(&p, test_path(p.dir, "data/"), true);
	reads(&p, test_path(p.dir, "data//deep/../new"), true);
	reads(&p, test_path(p.dir, "graphs/models/a.safetensors"), true);
	reads(&p, test_path(p.dir, "data2"), false);  /* begins alike */
	reads(&p, test_path(p.dir, "secret"), false); /* a default of the graph itself */
	reads(&p, test_path(p.dir, "data/.."), false);
	reads(&p, test_path(p.dir, "data/../secret"), false);
	reads(&p, test_path(p.dir, "data/none/../../secret"), false);
	reads(&p, "/etc/passwd", false);
	reads(&p, "/", false);
	reads(&p, "..", false);
	place_fini(&p);
}

/* A data set in a file: what counts is where the file is. */
static void a_data_set_is_where_its_file_is(void **unused)
{
	struct place p = place_new();

	(void)unused;
	assert_int_equal(fx_file_write(test_path(p.dir, "data/a.h5"), "h", 1, NULL), FX_OK);
	assert_int_equal(fx_file_write(test_path(p.dir, "secret/a.h5"), "h", 1, NULL), FX_OK);
	assert_int_equal(symlink("../secret/a.h5", test_path(p.dir, "data/bad.h5")), 0);
	reads(&p, test_path(p.dir, "data/a.h5:/volumes/raw"), true);
	reads(&p, test_path(p.dir, "secret/a.h5:/volumes/raw"), false);
	reads(&p, test_path(p.dir, "data/bad.h5:/volumes/raw"), false);
	reads(&p, test_path(p.dir, "data/none.h5:/../../secret"), false);
	free(p.data); /* and it may be named so on the command line */
	p.data = fx_path_join(p.dir, "secret/a.h5:/volumes/raw");
	reads(&p, test_path(p.dir, "secret/a.h5:/volumes/raw"), true);
	reads(&p, test_path(p.dir, "secret/a.h5:/other"), true);
	reads(&p, test_path(p.dir, "secret/b.h5:/volumes/raw"), false);
	reads(&p, test_path(p.dir, "secret"), false);
	place_fini(&p);
}

static void links_are_followed(void **unused)
{
	struct place p = place_new();

	(void)unused;
	assert_int_equal(symlink("../secret", test_path(p.dir, "data/bad")), 0);
	assert_int_equal(symlink("deep", test_path(p.dir, "data/good")), 0);
	assert_int_equal(symlink("/nowhere/at/all", test_path(p.dir, "data/dangling")), 0);
	assert_int_equal(symlink("loop", test_path(p.dir, "data/loop")), 0);
	reads(&p, test_path(p.dir, "data/bad"), false);
	reads(&p, test_path(p.dir, "data/bad/new"), false);
	reads(&p, test_path(p.dir, "data/good/new"), true);
	reads(&p, test_path(p.dir, "data/dangling"), false);
	reads(&p, test_path(p.dir, "data/dangling/new"), false);
	reads(&p, test_path(p.dir, "data/loop"), false);
	place_fini(&p);
}

static void writing_stays_below_out(void **unused)
{
	struct place p = place_new();

	(void)unused;
	for (int made = 0; made < 2; made++) {
		writes(&p, test_path(p.dir, "out/labels"), true);
		writes(&p, test_path(p.dir, "out/a/b/c.json"), true);
		writes(&p, p.out, false); /* what is made beside it would lie outside */
		writes(&p, test_path(p.dir, "out2/labels"), false);
		writes(&p, test_path(p.dir, "out/../data/x"), false);
		writes(&p, test_path(p.dir, "out/none/../../data/x"), false);
		writes(&p, p.data, false);
		writes(&p, "labels", false);
		assert_int_equal(fx_make_dirs(p.out, NULL), FX_OK);
	}
	assert_int_equal(symlink("../data", test_path(p.dir, "out/link")), 0);
	assert_int_equal(symlink("../new", test_path(p.dir, "out/dangling")), 0);
	writes(&p, test_path(p.dir, "out/link/x"), false);
	writes(&p, test_path(p.dir, "out/dangling"), false);
	assert_non_null(strstr(said(&p, OUT, "path", test_path(p.dir, "out/x"), NULL),
			       "gives no out=FOLDER"));
	place_fini(&p);
}

static void names_have_no_slash_and_texts_are_free(void **unused)
{
	struct place p = place_new();

	(void)unused;
	assert_string_equal(said(&p, IN, "mark", "done.txt", NULL), "");
	assert_non_null(strstr(said(&p, IN, "mark", "../done", NULL), "a name without a slash"));
	assert_string_equal(said(&p, IN, "note", "../../etc", NULL), "");
	place_fini(&p);
}

static void a_default_of_out_is_not_the_users(void **unused)
{
	struct place p = place_new();
	struct fx_graph_param out = {
		.name = (char[]){ "out" }, .value = p.out, .line = 4, .col = 3
	};
	const struct fx_graph g = { .file = p.file, .params = &out, .params_len = 1 };
	struct fx_graph_errors errors = { 0 };
	struct fx_sandbox s = { 0 };

	(void)unused;
	fx_sandbox_check(&s, &g, &errors);
	assert_int_equal(errors.len, 1);
	assert_int_equal(errors.list[0].line, 4);
	assert_non_null(strstr(errors.list[0].text, "has to be given on the command line"));
	fx_sandbox_fini(&s);
	place_fini(&p);
}

static void other_hosts_are_refused(void **unused)
{
	struct place p = place_new();
	struct fx_graph_host hosts[] = { { .name = (char[]){ "here" }, .line = 2, .col = 8 },
					 { .name = (char[]){ "far" }, .line = 3, .col = 3 } };
	const struct fx_graph g = { .file = p.file, .hosts = hosts, .hosts_len = 2 };
	struct fx_graph_errors errors = { 0 };
	struct fx_sandbox s = { 0 };

	(void)unused;
	fx_sandbox_check(&s, &g, &errors);
	assert_int_equal(errors.len, 1);
	assert_int_equal(errors.list[0].line, 3);
	assert_non_null(
		strstr(errors.list[0].text, "host far: with --sandbox, a graph may not start"));
	fx_sandbox_fini(&s);
	place_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reading_stays_in_what_was_named),
		cmocka_unit_test(a_data_set_is_where_its_file_is),
		cmocka_unit_test(links_are_followed),
		cmocka_unit_test(writing_stays_below_out),
		cmocka_unit_test(names_have_no_slash_and_texts_are_free),
		cmocka_unit_test(a_default_of_out_is_not_the_users),
		cmocka_unit_test(other_hosts_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
