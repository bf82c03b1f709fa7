// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/nml.c and nml_read.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/nml.h"

#define HEAD                                                                                       \
	"<things><parameters><experiment name='a &amp; b'/><scale x='4' y='5' z='30'/>"            \
	"</parameters>"

static void parse(const char *text, struct fx_nml *nml)
{
	struct fx_error err = { 0 };

	if (fx_nml_parse(text, strlen(text), nml, &err) < 0)
		fail_msg("%s", err.text);
}

static void expect_node(const struct fx_tree_node *n, double z, double y, double x, int32_t parent)
{
	if (n->pos_nm[0] != z || n->pos_nm[1] != y || n->pos_nm[2] != x || n->parent != parent)
		fail_msg("%g %g %g, parent %d", n->pos_nm[0], n->pos_nm[1], n->pos_nm[2],
			 n->parent);
}

/* As webKnossos writes it: groups, colours, edges in any order and direction. */
static void reads_things(void **unused)
{
	struct fx_nml nml;

	(void)unused;
	parse("<?xml version='1.0'?>\n<!-- a comment -->" HEAD
	      "<thing id='7' name='x' color.r='1' groupId='2'><nodes>"
	      "<node id='12' radius='120.5' x='1' y='2' z='3' rotX='0' time='5'/>"
	      "<node id='10' x='2.5' y='2' z='3'/><node id='99' radius='NaN' x='0' y='0' z='-1'/>"
	      "</nodes><edges><edge source='99' target='10'/><edge source='12' target='99'/>"
	      "</edges></thing><thing id='8'><nodes/><edges/></thing>"
	      "<thing id='18446744073709551615'><nodes><node id='1' x='1' y='1' z='1'/>"
	      "<node id='2' x='2' y='1' z='1'/></nodes></thing>"
	      "<branchpoints><branchpoint id='2'/><branchpoint id='13'/></branchpoints><comments>"
	      "<comment node='10' content='end'/><comment node='12'/></comments><groups><group "
	      "id='2'/></groups>"
	      "</things>",
	      &nml);
	assert_string_equal(nml.experiment, "a & b");
	assert_true(nml.voxel_nm[0] == 30 && nml.voxel_nm[1] == 5 && nml.voxel_nm[2] == 4);
	assert_int_equal(nml.len, 2);
	assert_int_equal(nml.trees[0]->segment, 7);
	assert_int_equal(nml.trees[0]->len, 3);
	expect_node(&nml.trees[0]->nodes[0], 90, 10, 4, -1);
	expect_node(&nml.trees[0]->nodes[1], -30, 0, 0, 0);
	expect_node(&nml.trees[0]->nodes[2], 90, 10, 10, 1);
	assert_true(nml.trees[0]->nodes[0].radius_nm == 120.5 &&
		    nml.trees[0]->nodes[1].radius_nm == 0);
	assert_true(nml.trees[1]->segment == UINT64_MAX);
	assert_int_equal(nml.trees[1]->nodes[1].parent, -1);
	assert_int_equal(nml.notes_len, 3); /* node 13 is not there */
	assert_true(nml.notes[0].tree == 0 && nml.notes[0].node == 2);
	assert_string_equal(nml.notes[0].text, "end");
	assert_true(nml.notes[1].tree == 0 && nml.notes[1].node == 0);
	assert_string_equal(nml.notes[1].text, "");
	assert_true(nml.notes[2].tree == 1 && nml.notes[2].node == 1 && !nml.notes[2].text);
	fx_nml_fini(&nml);
}

static void other_units_of_the_scale(void **unused)
{
	struct fx_nml nml;

	(void)unused;
	parse("<things><parameters><scale x='.1' y='.2' z='.3' unit='micrometer'/></parameters>"
	      "</things>",
	      &nml);
	assert_true(nml.voxel_nm[0] == 300 && nml.voxel_nm[2] == 100);
	fx_nml_fini(&nml);
}

static void wrong_files_are_told(void **unused)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "line 1: no element found" },
		{ "<things>", "no element found" },
		{ "<swc/>", "is no NML" },
		{ "<things/>", "has no scale" },
		{ "<things>\n<parameters><scale x='1' y='2'/></parameters></things>",
		  "line 2: the scale is not three lengths" },
		{ "<things><parameters><scale x='1' y='1' z='1' unit='kg'/></parameters></things>",
		  "unit of the scale" },
		{ "<things><thing id='1'/></things>", "before the scale" },
		{ HEAD "<thing/></things>", "a thing has no id" },
		{ HEAD "<thing id='1'><nodes><node id='1' x='1' y='1'/></nodes></thing></things>",
		  "has no id, x, y and z" },
		{ HEAD "<thing id='1'><nodes><node id='1' x='1' y='inf' z='1'/></nodes></thing>"
		       "</things>",
		  "has no id, x, y and z" },
		{ HEAD "<thing id='1'><nodes><node id='1' x='1' y='1' z='1'/></nodes></thing>\n"
		       "<thing id='2'><nodes><node id='1' x='1' y='1' z='1'/></nodes></thing>"
		       "</things>",
		  "line 2: a node has the id of another" },
		{ HEAD "<thing id='1'><nodes><node id='1' x='1' y='1' z='1'/></nodes><edges>"
		       "<edge source='1' target='2'/></edges></thing></things>",
		  "ends at no node of its thing" },
		{ HEAD "<thing id='1'><nodes><node id='1' x='1' y='1' z='1'/>"
		       "<node id='2' x='1' y='1' z='1'/></nodes><edges>"
		       "<edge source='1' target='2'/><edge source='2' target='1'/></edges>"
		       "</thing></things>",
		  "close a loop" },
		{ HEAD "<comments><comment content='a'/></comments></things>",
		  "a comment or branch point names no node" },
		{ "<!DOCTYPE things [<!ENTITY a 'aaaaaaaa'>]><things>&a;</things>",
		  "has a document type" },
		{ "<things><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a><a/></a></a></a></a></a>"
		  "</a></a></a></a></a></a></a></a></a></a></things>",
		  "more than 16 deep" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct fx_error err = { 0 };
		struct fx_nml nml;
		const int result = fx_nml_parse(cases[i].text, strlen(cases[i].text), &nml, &err);

		if (result >= 0 || !strstr(err.text, cases[i].says))
			fail_msg("%s: said %s", cases[i].text, err.text);
		assert_true(nml.len == 0 && !nml.trees);
	}
}

static void what_is_written_is_read(void **unused)
{
	struct fx_tree *t = fx_tree_new(42, 4);
	struct fx_nml nml;
	struct fx_error err = { 0 };
	char *text = NULL;
	size_t size;
	struct fx_nml_writer w = { .to = open_memstream(&text, &size), .voxel_nm = { 30, 5, 4.5 } };

	(void)unused;
	assert_true(t && w.to);
	for (size_t i = 0; i < 4; i++)
		t->nodes[i] = (struct fx_tree_node){ .pos_nm = { 60 * (double)i, -5, 4.5 * 7.25 },
						     .radius_nm = 100.25,
						     .parent = (int32_t)i / 2 - !i };
	fx_nml_begin(&w, "a <\"data & set\"\n>");
	assert_int_equal(fx_nml_tree(&w, t, NULL, 0, &err), FX_OK);
	t->segment = 43;
	assert_int_equal(fx_nml_tree(&w, t, NULL, 0, &err), FX_OK);
	t->nodes[1].parent = 2;
	assert_int_equal(fx_nml_tree(&w, t, NULL, 0, &err), FX_EINVAL);
	t->nodes[1].parent = 0;
	fx_nml_end(&w);
	assert_int_equal(fclose(w.to), 0);
	assert_non_null(
		strstr(text, "<node id=\"7\" radius=\"100.25\" x=\"7.250\" y=\"-1\" z=\"4\"/>"));
	assert_non_null(strstr(text, "<edge source=\"6\" target=\"8\"/>"));
	parse(text, &nml);
	assert_string_equal(nml.experiment, "a <\"data & set\"\n>");
	assert_int_equal(nml.len, 2);
	assert_int_equal(nml.trees[1]->segment, 43);
	for (size_t i = 0; i < 4; i++)
		expect_node(&nml.trees[1]->nodes[i], t->nodes[i].pos_nm[0], -5, 4.5 * 7.25,
			    t->nodes[i].parent);
	fx_nml_fini(&nml);
	fx_tree_free(t);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_things),
		cmocka_unit_test(other_units_of_the_scale),
		cmocka_unit_test(wrong_files_are_told),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
