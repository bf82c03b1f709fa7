// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/draw.c. */
#include "support/test.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "graph/draw.h"
#include "runtime/graph/fake_types.h"

static const char text[] =
	"version: 1\n"
	"params: { path: { help: where }, x: { default: y } }\n"
	"nodes:\n"
	"  scope: { type: acquire/fake, set: { path: $path } }\n"
	"  split: { type: segmenter/fake, from: { image: scope.image }, workers: 2 }\n"
	"  score: { type: scorer/fake, from: { labels: split.labels } }\n";

static const char dot[] =
	"digraph fornix {\n"
	"\trankdir=LR;\n"
	"\tnode [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n"
	"\tedge [fontname=\"sans-serif\", fontsize=10];\n"
	"\t\"scope\" [label=\"scope\\nacquire/fake\", fillcolor=\"#cfe8cf\"];\n"
	"\t\"split\" [label=\"split\\nsegmenter/fake\\n2 workers\", fillcolor=\"#c9daf8\"];\n"
	"\t\"score\" [label=\"score\\nscorer/fake\", fillcolor=\"#f8d4d4\"];\n"
	"\t\"scope\" -> \"split\" [label=\"image -> image\\nu8 image\"];\n"
	"\t\"split\" -> \"score\" [label=\"labels -> labels\\nu32 labels\"];\n"
	"}\n";

struct drawing {
	struct fx_registry *r;
	struct fx_graph *g;
	FILE *out;
	char *written;
	size_t size;
};

static int setup(void **state)
{
	static const struct fx_param path = { "path", "/a/\xff" };
	struct drawing *d = calloc(1, sizeof *d);
	struct fx_graph_errors errors = { 0 };

	assert_non_null(d);
	d->r = fake_registry();
	d->g = fx_graph_parse("g", text, sizeof text - 1, d->r, &path, 1, 0, &errors);
	d->out = open_memstream(&d->written, &d->size);
	assert_true(d->g && d->out);
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	struct drawing *d = *state;

	fx_graph_free(d->g);
	fx_registry_free(d->r);
	fclose(d->out);
	free(d->written);
	free(d);
	return 0;
}

static const char *written(struct drawing *d)
{
	fflush(d->out);
	return d->written;
}

static void draws_dot(void **state)
{
	struct drawing *d = *state;

	fx_draw_dot(d->g, d->out);
	assert_string_equal(written(d), dot);
}

static void draws_json(void **state)
{
	struct drawing *d = *state;
	const char *path, *from, *to, *sends, *type;
	int workers, line, required;
	json_t *j;

	assert_int_equal(fx_draw_json(d->g, d->out), FX_OK);
	j = json_loads(written(d), 0, NULL);
	assert_non_null(j);
	assert_int_equal(json_array_size(json_object_get(j, "nodes")), 3);
	assert_int_equal(json_array_size(json_object_get(j, "edges")), 2);
	assert_int_equal(json_array_size(json_object_get(j, "params")), 2);
	assert_int_equal(json_unpack(j, "{s:[{s:b}], s:[{s:{s:s}}, {s:s, s:i, s:i}]}", "params",
				     "required", &required, "nodes", "options", "path", &path,
				     "type", &type, "workers", &workers, "line", &line),
			 0);
	assert_true(required);
	assert_string_equal(path, "/a/?");
	assert_string_equal(type, "segmenter/fake");
	assert_true(workers == 2 && line == 5);
	assert_int_equal(json_unpack(j, "{s:[{s:s, s:s, s:s}]}", "edges", "from", &from, "to", &to,
				     "sends", &sends),
			 0);
	assert_string_equal(from, "scope.image");
	assert_string_equal(to, "split.image");
	assert_string_equal(sends, "u8 image");
	json_decref(j);
}

/* Without GraphViz there is a clear message and no output. */
static void svg_needs_graphviz(void **state)
{
	struct drawing *d = *state;
	struct fx_error err = { 0 };
	char *old = getenv("PATH");

	assert_non_null(old);
	old = strdup(old);
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(fx_draw_svg(d->g, d->out, &err), FX_ENOENT);
	assert_string_equal(written(d), "");
	assert_non_null(strstr(err.text, "SVG needs the program dot of GraphViz"));
	setenv("PATH", old, 1);
	free(old);
}

/* A program "dot" that copies what it is given shows what goes in and comes out. */
static void svg_is_what_dot_prints(void **state)
{
	struct drawing *d = *state;
	struct fx_error err = { 0 };
	char *dir = test_tmp_dir(), script[128], *path = getenv("PATH");
	FILE *f;

	snprintf(script, sizeof script, "%s/dot", dir);
	f = fopen(script, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n[ \"$1\" = -Tsvg ] && exec cat\n");
	fclose(f);
	assert_int_equal(chmod(script, 0700), 0);
	snprintf(script, sizeof script, "%s:/bin:/usr/bin", dir);
	path = strdup(path ? path : "");
	setenv("PATH", script, 1);
	assert_int_equal(fx_draw_svg(d->g, d->out, &err), FX_OK);
	assert_string_equal(written(d), dot);
	setenv("PATH", path, 1);
	free(path);
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(draws_dot, setup, teardown),
		cmocka_unit_test_setup_teardown(draws_json, setup, teardown),
		cmocka_unit_test_setup_teardown(svg_needs_graphviz, setup, teardown),
		cmocka_unit_test_setup_teardown(svg_is_what_dot_prints, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
