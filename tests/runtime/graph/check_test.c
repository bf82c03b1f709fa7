// SPDX-License-Identifier: Apache-2.0
/* Tests what is told about graphs that are wrong: yaml.c, params.c, load.c, check.c, connect.c,
 * order.c. Every text is exact, and there is no second one for the same cause. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "runtime/graph/fake_types.h"

#define HEAD "version: 1\nnodes:\n  a: { type: acquire/fake, set: { path: x } }\n"

struct wrong {
	const char *graph, *says;
};

/* All messages, one a line. */
static void messages(const struct fx_graph_errors *e, char *all, size_t size)
{
	size_t used = 0;

	*all = 0;
	for (size_t i = 0; i < e->len; i++) {
		char one[1024];

		fx_graph_error_text(e, i, one, sizeof one);
		used += (size_t)snprintf(all + used, size - used, "%s%s", i ? "\n" : "", one);
		assert_true(used < size);
	}
}

static void expect_given(const char *graph, const struct fx_param *params, size_t params_len,
			 const char *says)
{
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g =
		fx_graph_parse("g", graph, strlen(graph), r, params, params_len, 0, &errors);
	char all[16384];

	messages(&errors, all, sizeof all);
	assert_string_equal(all, says);
	assert_null(g);
	fx_registry_free(r);
}

static void expect(const struct wrong *list, size_t len)
{
	for (size_t i = 0; i < len; i++)
		expect_given(list[i].graph, NULL, 0, list[i].says);
}

static void yaml_that_is_not_used(void **unused)
{
	static const struct wrong list[] = {
		{ "", "g:1:1: not a graph: it must be a map of version, params and nodes" },
		{ "word", "g:1:1: not a graph: it must be a map of version, params and nodes" },
		{ "version: 1\nnodes: {\n", "g:3:1: not valid YAML: did not find expected node "
					    "content, while parsing a flow node" },
		{ "version: 1\nnodes: { a: { set: { path: ${out} } } }\n",
		  "g:2:29: not valid YAML: did not find expected ',' or '}', while parsing a flow "
		  "mapping; inside { } a text with ${name} stands in quotes" },
		{ "version: 1\nnodes: \xff", "g:2:8: not valid YAML: invalid leading UTF-8 octet" },
		{ HEAD "  b: [ 1, [ 2 ] ]\n",
		  "g:4:6: lists are not used in a graph; several numbers stand in one text: "
		  "8 8 8" },
		{ HEAD "  b: &x { type: acquire/truth }\n",
		  "g:4:6: anchors (&name) are not used in a graph; write the value again" },
		{ HEAD "  b: *x\n",
		  "g:4:6: aliases (*name) are not used in a graph; write the value again" },
		{ HEAD "  b: { type: !!str acquire/truth }\n",
		  "g:4:14: tags (!name) are not used in a graph; the option decides the type" },
		{ HEAD "  ? [ b ]\n  : { type: acquire/truth }\n", "g:4:5: a key must be a word" },
		{ HEAD "--- 2\n", "g:4:1: a graph is one document only" },
		{ "%YAML 1.1\n---\n" HEAD, "g:1:1: directives (%) are not used in a graph" },
		{ HEAD "  a: { type: acquire/truth }\n",
		  "g:4:3: \"a\" is given twice, first on line 3" },
		{ HEAD "  b: { type: segmenter/fake, from: { image: a.image, image: a.image } }\n",
		  "g:4:54: \"image\" is given twice, first on line 4" },
		{ HEAD "  b: { type: writer/fake, set: { path: \"a\\0b\" } }\n",
		  "g:4:3: b: none of its inputs is connected; valid: labels, scores\n"
		  "g:4:40: a NUL character is not used in a graph" },
		{ "a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } }\n",
		  "g:1:39: nested too deeply" },
	};

	(void)unused;
	expect(list, sizeof list / sizeof *list);
}

static void keys_and_shapes(void **unused)
{
	static const struct wrong list[] = {
		{ "nodes: { a: { type: acquire/truth } }",
		  "g:1:1: the graph says no version; write version: 1" },
		{ "version: 2\nnodes: { a: { type: acquire/truth } }",
		  "g:1:10: version \"2\" is not known to this fornix; valid: 1" },
		{ "version: 1", "g:1:1: the graph has no nodes" },
		{ "version: 1\nnodes: {}", "g:2:1: the graph has no nodes" },
		{ "version: 1\nnodes: a", "g:2:8: nodes: must be a map of node names" },
		{ HEAD "node: {}\n", "g:4:1: unknown key \"node\"; did you mean \"nodes\"?" },
		{ HEAD "include: {}\n", "g:4:1: \"include\" is not available in this version; "
					"valid: version, params, hosts, nodes" },
		{ HEAD "  Bee: { type: acquire/truth }\n",
		  "g:4:3: \"Bee\" is not a name of a node: small letters, digits, _ and -, at "
		  "most 63, a letter first" },
		{ HEAD "  b:\n", "g:4:3: b: has no type" },
		{ HEAD "  b: { set: {} }\n", "g:4:3: b: has no type" },
		{ HEAD "  b: { type: acquire/truth, sett: {} }\n",
		  "g:4:29: b: unknown key \"sett\"; did you mean \"set\"?" },
		{ HEAD "  b: { type: acquire/truth, key: region, hots: gpu1 }\n",
		  "g:4:34: b.key: the work of acquire/truth cannot be parted by region\n"
		  "g:4:42: b: unknown key \"hots\"; did you mean \"host\"?" },
		{ HEAD "  b: { type: acquire/truth, hang: never, limit: 2 nm }\n",
		  "g:4:35: b.hang: \"never\" is not a number\n"
		  "g:4:49: b.limit: unit \"nm\", but this is in MiB" },
		{ HEAD "  b: { type: acquire/truth, hang: -1, limit: 1 }\n",
		  "g:4:35: b.hang: -1 is not within 0..1000000 s\n"
		  "g:4:46: b.limit: 1 is not within 16..1073741824 MiB" },
		{ HEAD "  b: { type: acquire/truth, policy: spool }\n",
		  "g:4:37: b.policy: the node has no connected input" },
		{ HEAD "  b: { type: acquire/truth, set: 3 }\n",
		  "g:4:34: b.set: must be a map of options" },
		{ HEAD "  b: { type: acquire/fake, set: { path: { x: y } } }\n",
		  "g:4:41: b.path: must be a text" },
		{ HEAD "  b: { type: acquire/truth, workers: two }\n",
		  "g:4:38: b.workers: \"two\" is not a whole number within 1..64" },
		{ HEAD "  b: { type: segmenter/fake, workers: 65, from: { image: a.image } }\n",
		  "g:4:39: b.workers: \"65\" is not a whole number within 1..64" },
		{ HEAD "  b: { type: acquire/truth, workers: 2 }\n",
		  "g:4:38: b.workers: acquire/truth keeps state between messages, it can have 1 "
		  "only" },
		{ "version: 1\nnodes:\n  a: { type: acquire/truth, when: off }\n",
		  "g:3:3: nothing to run: every node is left out by its \"when\"" },
	};

	(void)unused;
	expect(list, sizeof list / sizeof *list);
}

static void types_and_options(void **unused)
{
	static const struct wrong list[] = {
		{ HEAD "  b: { type: segmenter/fke, from: { imag: a.image }, set: { x: 1 } }\n"
		       "  c: { type: scorer/fake, from: { labels: b.lab } }\n",
		  "g:4:14: b: no node type \"segmenter/fke\"; did you mean \"segmenter/fake\"?" },
		{ HEAD "  b: { type: xyz }\n",
		  "g:4:14: b: no node type \"xyz\"; \"fornix nodes\" lists them" },
		{ HEAD "  b:\n    type: normalizer/fake\n    from: { image: a.image }\n"
		       "    set:\n      low: 101 %\n      mode: plane\n      block: 8 8\n"
		       "      lwo: 3\n",
		  "g:8:12: b.low: 101 is not within 0..100 %\n"
		  "g:9:13: b.mode: \"plane\" is not one of volume|slice\n"
		  "g:10:14: b.block: \"8 8\": need three numbers z y x, or one for all\n"
		  "g:11:7: b: normalizer/fake has no option \"lwo\"; did you mean \"low\"?" },
		{ HEAD "  b: { type: segmenter/fake, from: { image: a.image }, "
		       "set: { length: 3 px } }\n",
		  "g:4:71: b.length: unit \"px\", but this is in nm" },
		{ HEAD "  b: { type: segmenter/border, set: { gpu: 1 } }\n",
		  "g:4:3: b: input \"boundary\" is not connected: membranes\n"
		  "g:4:39: b: segmenter/border has no option \"gpu\"; valid: none" },
		{ HEAD "  b: { type: acquire/fake }\n",
		  "g:4:3: b: option \"path\" must be set: folder to read" },
		{ HEAD "  b: { type: acquire/fake, set: { pahtt: x } }\n",
		  "g:4:35: b: acquire/fake has no option \"pahtt\"; did you mean \"path\"?" },
	};

	(void)unused;
	expect(list, sizeof list / sizeof *list);
}

static void edges(void **unused)
{
	static const struct wrong list[] = {
		{ HEAD "  fragments: { type: segmenter/border, from: { boundary: a.image } }\n",
		  "g:4:58: fragments.boundary does not take what a.image sends: u8|u16 image; it "
		  "takes f32 probability" },
		{ HEAD "  b: { type: writer/fake, set: { path: y }, from: { scores: a.image } }\n",
		  "g:4:61: b.scores does not take what a.image sends: u8|u16 image; it takes "
		  "records" },
		{ HEAD "  b: { type: writer/fake, set: { path: y }, from: { labels: a.image } }\n",
		  "g:4:61: b.labels does not take what a.image sends: u8|u16 image; it takes "
		  "u32 blocks" },
		{ HEAD "  m: { type: acquire/mask }\n"
		       "  b: { type: scorer/fake, from: { labels: m.mask } }\n",
		  "g:5:43: b.labels does not take what m.mask sends: u32 mask; it takes u32 "
		  "labels, records" },
		{ HEAD "  b: { type: segmenter/fake, from: { image: a.imag } }\n",
		  "g:4:45: b.image: a (acquire/fake) has no output \"imag\"; did you mean "
		  "\"image\"?" },
		{ HEAD "  read: { type: acquire/truth }\n"
		       "  b: { type: segmenter/fake, from: { image: raed.labels } }\n",
		  "g:5:45: b.image: no node \"raed\"; did you mean \"read\"?" },
		{ HEAD "  b: { type: segmenter/fake, from: { image: a } }\n",
		  "g:4:45: b.image: \"a\" is not of the form NODE.OUTPUT" },
		{ HEAD "  b: { type: segmenter/fake, from: { imago: a.image } }\n",
		  "g:4:38: b: segmenter/fake has no input \"imago\"; did you mean \"image\"?" },
		{ HEAD "  b: { type: segmenter/fake }\n",
		  "g:4:3: b: input \"image\" is not connected: an image" },
		{ HEAD "  b: { type: writer/fake, set: { path: y } }\n",
		  "g:4:3: b: none of its inputs is connected; valid: labels, scores" },
		{ HEAD "  c: { type: normalizer/fake, from: { image: d.out } }\n"
		       "  d: { type: normalizer/fake, from: { image: b.out } }\n"
		       "  b: { type: normalizer/fake, from: { image: c.out } }\n"
		       "  e: { type: normalizer/fake, from: { image: e.out } }\n"
		       "  f: { type: normalizer/fake, from: { image: e.out } }\n",
		  "g:4:3: c: a cycle: c -> b -> d -> c\ng:7:3: e: a cycle: e -> e" },
	};

	(void)unused;
	expect(list, sizeof list / sizeof *list);
}

static void nodes_that_cannot_be_left_out(void **unused)
{
	static const struct wrong list[] = {
		{ HEAD "  truth: { type: acquire/truth, when: '' }\n"
		       "  b: { type: scorer/fake, from: { labels: truth.labels } }\n",
		  "g:5:43: b.labels needs what truth.labels sends, but \"truth\" is left out by "
		  "its \"when\"" },
		{ HEAD "  truth: { type: acquire/truth, when: 0 }\n"
		       "  b: { type: writer/fake, set: { path: y }, from: { labels: truth.labels } "
		       "}\n",
		  "g:5:3: b: none of its inputs is connected; valid: labels, scores" },
		{ HEAD "  b: { type: normalizer/fake, when: no, from: { image: c.out } }\n"
		       "  c: { type: normalizer/fake, when: no, from: { image: b.out } }\n"
		       "  d: { type: segmenter/fake, from: { image: c.out } }\n",
		  "g:6:45: d.image needs what c.out sends, but \"b\" is left out by its \"when\"" },
		{ HEAD "  b: { type: normalizer/fake, when: no, from: { image: z.out } }\n"
		       "  d: { type: segmenter/fake, from: { image: b.out } }\n",
		  "g:4:56: b.image: no node \"z\"; did you mean \"a\"?" },
		{ HEAD "  b: { type: normalizer/fake, when: no, from: { image: a.image } }\n"
		       "  d: { type: segmenter/border, from: { boundary: b.out } }\n",
		  "g:5:50: d.boundary does not take what a.image sends: u8|u16 image; it takes "
		  "f32 probability" },
		{ HEAD "  b: { type: segmenter/fake, when: no, from: { image: a.image } }\n"
		       "  d: { type: scorer/fake, from: { labels: b.labels } }\n",
		  "g:5:43: d.labels needs what b.labels sends, but \"b\" is left out by its "
		  "\"when\"" },
		{ HEAD "  b: { type: normalizer/typo, when: no, from: { image: a.image } }\n",
		  "g:4:14: b: no node type \"normalizer/typo\"; did you mean "
		  "\"normalizer/fake\"?" },
	};

	(void)unused;
	expect(list, sizeof list / sizeof *list);
}

static void parameters(void **unused)
{
	static const char graph[] = "version: 1\n"
				    "params:\n"
				    "  sections: { help: folder }\n"
				    "  kind: { help: type, default: fake }\n"
				    "nodes:\n"
				    "  a: { type: acquire/$kind, set: { path: $sections } }\n";
	static const struct fx_param slip[] = { { "section", "x" }, { "sections", "y" } };
	static const struct fx_param twice[] = { { "sections", "x" }, { "sections", "y" } };
	static const struct fx_param kind[] = { { "sections", "x" }, { "kind", "take" } };
	static const struct wrong list[] = {
		{ "version: 1\nparams: 3\nnodes: { a: { type: acquire/truth } }",
		  "g:2:9: params: must be a map of parameter names" },
		{ "version: 1\nparams: { A-b: { default: 1 } }\nnodes: { a: { type: acquire/truth "
		  "} }",
		  "g:2:11: params: \"A-b\" is not a name: small letters, digits, _, at most 63, a "
		  "letter first" },
		{ "version: 1\nparams: { a: { help: x, OME-Zarr, default: 1 } }\n"
		  "nodes: { a: { type: acquire/truth } }",
		  "g:2:25: params.a: unknown key \"OME-Zarr\"; valid: help, default" },
		{ "version: 1\nparams: { out: { default: x } }\n"
		  "nodes: { a: { type: acquire/fake, set: { path: $oot/x } } }",
		  "g:3:48: a.path: no parameter \"oot\"; did you mean \"out\"?" },
		{ "version: 1\nnodes: { a: { type: acquire/fake, set: { path: x$ } } }",
		  "g:2:48: a.path: \"$\" without a parameter name; a dollar itself is $$" },
	};

	(void)unused;
	expect_given(graph, NULL, 0,
		     "g:3:3: params.sections: has no default and is not given; add "
		     "sections=VALUE (folder)");
	expect_given(graph, slip, 2, "g: no parameter \"section\"; did you mean \"sections\"?");
	expect_given(graph, twice, 2, "g: parameter \"sections\" is given twice");
	expect_given(graph, kind, 2,
		     "g:6:14: a: no node type \"acquire/take\"; did you mean \"acquire/fake\"?");
	expect(list, sizeof list / sizeof *list);
}

static void many_errors_keep_the_first_twenty(void **unused)
{
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	char graph[2048] = HEAD;

	(void)unused;
	for (int i = 0; i < 30; i++)
		snprintf(graph + strlen(graph), 64, "  b%d: { type: no/way }\n", i);
	assert_null(fx_graph_parse("g", graph, strlen(graph), r, NULL, 0, 0, &errors));
	assert_int_equal(errors.len, FX_GRAPH_ERRORS_MAX);
	assert_int_equal(errors.more, 10);
	for (int i = 0; i < 20; i++)
		assert_int_equal(errors.list[i].line, 4 + i);
	fx_registry_free(r);
}

static void sizes_are_bounded(void **unused)
{
	static const char head[] = "version: 1\nparams: { a: { default: '";
	static const char tail[] = "' } }\nnodes: { a: { type: acquire/fake, set: { path: "
				   "$a$a$a } } }";
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	char *graph = calloc(1, FX_GRAPH_SIZE_MAX + 2);
	char all[1024];

	(void)unused;
	assert_non_null(graph);
	memset(graph, ' ', FX_GRAPH_SIZE_MAX + 1);
	assert_null(fx_graph_parse("g", graph, FX_GRAPH_SIZE_MAX + 1, r, NULL, 0, 0, &errors));
	messages(&errors, all, sizeof all);
	assert_string_equal(all, "g: 1048577 bytes, more than the 1048576 accepted");
	memcpy(graph, head, sizeof head - 1);
	memset(graph + sizeof head - 1, 'x', 30000);
	memcpy(graph + sizeof head - 1 + 30000, tail, sizeof tail);
	memset(&errors, 0, sizeof errors);
	assert_null(fx_graph_parse("g", graph, strlen(graph), r, NULL, 0, 0, &errors));
	messages(&errors, all, sizeof all);
	assert_string_equal(all, "g:3:48: a.path: longer than 65536 bytes with its parameters put "
				 "in");
	free(graph);
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(yaml_that_is_not_used),
		cmocka_unit_test(keys_and_shapes),
		cmocka_unit_test(types_and_options),
		cmocka_unit_test(edges),
		cmocka_unit_test(nodes_that_cannot_be_left_out),
		cmocka_unit_test(parameters),
		cmocka_unit_test(many_errors_keep_the_first_twenty),
		cmocka_unit_test(sizes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
