// SPDX-License-Identifier: Apache-2.0
/* Graph files that mean harm: every file of tests/fuzz/graph as it is, and changed at random places
 * by a fixed seed. Whatever comes in, there is a graph that holds together, or a message. */
#include "support/test.h"

#include <ctype.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "graph/graph.h"
#include "runtime/graph/fake_types.h"

enum { CHANGES = 400, SIZE_MAX_TEST = 1 << 16 };

static void check_graph(const struct fx_graph *g)
{
	for (size_t i = 0; i < g->nodes_len; i++) {
		const struct fx_graph_node *n = &g->nodes[i];

		assert_true(n->type && n->workers >= 1 && n->workers <= FX_GRAPH_WORKERS_MAX);
		for (size_t j = 0; j < n->inputs_len; j++)
			assert_true(n->inputs[j].from < i &&
				    n->type->ports[n->inputs[j].port].dir == FX_IN);
		for (size_t j = 0; j < n->options_len; j++)
			assert_non_null(fx_type_option(n->type, n->options[j].name));
	}
}

/* 1 when it is a graph. */
static int try_graph(const struct fx_registry *r, const char *text, size_t size)
{
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g = fx_graph_parse("f", text, size, r, NULL, 0, 0, &errors);
	const int good = g != NULL;

	assert_true(good == (errors.len == 0) && errors.len <= FX_GRAPH_ERRORS_MAX);
	for (size_t i = 0; i < errors.len; i++) {
		const struct fx_graph_error *e = &errors.list[i];

		assert_true(e->text[0] && e->line >= 0 && e->col >= 0);
		assert_true(i == 0 || errors.list[i - 1].line <= e->line);
		for (const char *p = e->text; *p; p++)
			assert_false(iscntrl((unsigned char)*p));
	}
	if (g)
		check_graph(g);
	fx_graph_free(g);
	return good;
}

static void change(char *text, size_t *size, uint64_t *seed)
{
	static const char bytes[] = " \n\t:{}[],'\"$&*!|>%#-?.\\0a\x80\xc3";

	for (uint64_t n = 1 + test_random(seed) % 4; n && *size > 1; n--) {
		const size_t at = test_random(seed) % *size;
		const size_t other = test_random(seed) % *size;
		const size_t room = *size - (at > other ? at : other);
		const uint64_t kind = test_random(seed) % 4;

		if (kind == 0) {
			text[at] = bytes[test_random(seed) % sizeof bytes];
		} else if (kind == 1) {
			memmove(text + at, text + other, test_random(seed) % room + 1);
		} else if (kind == 2) {
			memmove(text + at, text + at + 1, *size - at - 1);
			--*size;
		} else {
			*size -= test_random(seed) % 8 == 0 ? *size - at : 0;
		}
	}
}

static void corpus_and_changes(void **unused)
{
	struct fx_registry *r = fake_registry();
	char *copy = malloc(SIZE_MAX_TEST);
	uint64_t seed = 7;
	int graphs = 0;
	glob_t files;

	(void)unused;
	assert_non_null(copy);
	assert_int_equal(glob("tests/fuzz/graph/*.yaml", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		void *text;
		size_t size;

		assert_int_equal(fx_file_read(files.gl_pathv[i], SIZE_MAX_TEST, &text, &size, NULL),
				 FX_OK);
		graphs += try_graph(r, text, size);
		for (int k = 0; k < CHANGES && size < 4096; k++) {
			size_t changed = size;

			memcpy(copy, text, size);
			change(copy, &changed, &seed);
			graphs += try_graph(r, copy, changed);
		}
		free(text);
	}
	/* some changes do no harm: else nothing behind the parser would be tried */
	assert_in_range(graphs, 20, CHANGES);
	assert_true(files.gl_pathc > 10);
	globfree(&files);
	free(copy);
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(corpus_and_changes) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
