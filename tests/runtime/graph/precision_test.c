// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/precision.c: as what outputs send numbers of 32 bits. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "graph/draw.h"
#include "graph/graph.h"
#include "runtime/graph/fake_types.h"

enum { RATES = 1 << FX_PROBABILITY | 1 << FX_AFFINITY };

static const struct fx_port maps_ports[] = {
	{ "image", FX_OUT, FX_BLOCK, FX_F32 | FX_U8, 1 << FX_IMAGE, false, "" },
	{ "rates", FX_OUT, FX_BLOCK, FX_F32 | FX_F16, RATES, false, "" },
	{ "labels", FX_OUT, FX_BLOCK, FX_U32, 1 << FX_LABELS, false, "" },
	{ "any", FX_OUT, FX_BLOCK, FX_F32, 0, false, "" },
	{ "text", FX_OUT, FX_RECORD, 0, 0, false, "" },
	{ 0 },
};
static const struct fx_port wide_ports[] = {
	{ "in", FX_IN, FX_BLOCK, FX_F32, 0, false, "" },
	{ 0 },
};
static const struct fx_port bytes_ports[] = {
	{ "in", FX_IN, FX_BLOCK, FX_U8, 0, false, "" },
	{ 0 },
};
static const struct fx_node_type types[] = {
	{ .abi = FX_NODE_ABI, .name = "acquire/maps", .summary = "maps", .ports = maps_ports },
	{ .abi = FX_NODE_ABI,
	  .name = "acquire/truth",
	  .summary = "labels",
	  .ports = fake_truth_ports },
	{ .abi = FX_NODE_ABI,
	  .name = "writer/wide",
	  .summary = "takes floats",
	  .ports = wide_ports },
	{ .abi = FX_NODE_ABI,
	  .name = "writer/bytes",
	  .summary = "takes bytes",
	  .ports = bytes_ports },
};

static struct fx_registry *registry(void)
{
	static const struct fx_node_type *const list[] = { &types[0], &types[1], &types[2],
							   &types[3], NULL };

	return fx_registry_new(list, NULL);
}

static void outputs_have_their_precision(void **unused)
{
	static const struct {
		const char *said;
		unsigned f16, u8; /* bit by port */
	} cases[] = {
		{ "precision: f16", 0xb, 0 },
		{ "precision: u8", 0, 0xa },
		{ "precision: as-is", 0, 0 },
		{ "precision: $as", 0, 0xa },
		{ "precision: { rates: u8, image: f16, any: as-is }", 1, 2 },
	};
	struct fx_registry *r = registry();

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fx_graph_errors errors = { 0 };
		struct fx_graph *g;
		char text[512];

		snprintf(text, sizeof text,
			 "version: 1\nparams: { as: { default: u8 } }\nnodes:\n"
			 "  a: { type: acquire/maps, %s }\n",
			 cases[i].said);
		g = fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors);
		if (!g)
			fail_msg("%s", errors.list[0].text);
		assert_int_equal(g->nodes[0].precision.f16, cases[i].f16);
		assert_int_equal(g->nodes[0].precision.u8, cases[i].u8);
		assert_int_equal(fx_precision_of(g->nodes[0].precision, 1), cases[i].u8	 ? FX_U8 :
									    cases[i].f16 ? FX_F16 :
											   0);
		fx_graph_free(g);
	}
	fx_registry_free(r);
}

static void what_is_wrong_is_told(void **unused)
{
	static const char *const cases[][2] = {
		{ "  a: { type: acquire/maps, precision: f8 }\n",
		  "g:3:39: a.precision: no precision \"f8\"; did you mean \"u8\"?" },
		{ "  a: { type: acquire/maps, precision: { rate: u8 } }\n",
		  "g:3:41: a.precision: acquire/maps has no output \"rate\"; did you mean "
		  "\"rates\"?" },
		{ "  a: { type: acquire/maps, precision: { image: u8 } }\n",
		  "g:3:41: a.precision: u8 is for f32 probabilities and affinities, and image "
		  "sends u8|f32 image" },
		{ "  a: { type: acquire/maps, precision: { labels: f16 } }\n",
		  "g:3:41: a.precision: f16 is for f32 images, probabilities and affinities, and "
		  "labels sends u32 labels" },
		{ "  a: { type: acquire/maps, precision: { text: f16 } }\n",
		  "g:3:41: a.precision: f16 is for f32 images, probabilities and affinities, and "
		  "text sends records" },
		{ "  a: { type: acquire/truth, precision: f16 }\n",
		  "g:3:40: a.precision: f16 is for f32 images, probabilities and affinities, and "
		  "it sends none" },
		{ "  a: { type: acquire/maps, precision: u8 }\n"
		  "  b: { type: writer/wide, from: { in: a.rates } }\n",
		  "g:4:39: b.in does not take what a.rates sends: u8 probability|affinity; it "
		  "takes f32 blocks" },
	};
	struct fx_registry *r = registry();

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fx_graph_errors errors = { 0 };
		char text[1024], said[1024];

		snprintf(text, sizeof text, "version: 1\nnodes:\n%s", cases[i][0]);
		assert_null(fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors));
		fx_graph_error_text(&errors, 0, said, sizeof said);
		assert_string_equal(said, cases[i][1]);
	}
	fx_registry_free(r);
}

/* The same edge with and without: f16 goes to a node that takes f32, u8 to one that takes u8. */
static void what_flows_is_what_is_sent(void **unused)
{
	static const char *const cases[][4] = {
		{ "as-is", "wide", "rates", "f32" },
		{ "f16", "wide", "rates", "f16" },
		{ "u8", "bytes", "rates", "u8" },
		{ "f16", "wide", "any", "f16" },
	};
	struct fx_registry *r = registry();

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fx_graph_errors errors = { 0 };
		struct fx_graph *g;
		char text[512], want[64], drawn[4096];
		FILE *f = fmemopen(drawn, sizeof drawn, "w");

		snprintf(text, sizeof text,
			 "version: 1\nnodes:\n"
			 "  a: { type: acquire/maps, precision: { %s: %s } }\n"
			 "  b: { type: writer/%s, from: { in: a.%s } }\n",
			 cases[i][2], cases[i][0], cases[i][1], cases[i][2]);
		g = fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors);
		if (!g)
			fail_msg("%s", errors.list[0].text);
		assert_non_null(f);
		fx_draw_dot(g, f);
		assert_int_equal(fclose(f), 0);
		snprintf(want, sizeof want, "%s -> in\\n%s ", cases[i][2], cases[i][3]);
		if (!strstr(drawn, want))
			fail_msg("no \"%s\" in %s", want, drawn);
		fx_graph_free(g);
	}
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outputs_have_their_precision),
		cmocka_unit_test(what_is_wrong_is_told),
		cmocka_unit_test(what_flows_is_what_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
