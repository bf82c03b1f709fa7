// SPDX-License-Identifier: Apache-2.0
/* Lint of the tables of all built-in node types: what people read in them, and what the runtime
 * relies on. The lint itself is tried on tables that are wrong. */
#include "support/test.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "graph/option.h"
#include "graph/registry.h"

static const char *const roles[] = { "acquire",	     "tiler",	  "aligner",	  "inspector",
				     "normalizer",   "adapter",	  "segmenter",	  "stitcher",
				     "agglomerator", "consensus", "skeletonizer", "scorer",
				     "trainer",	     "writer",	  "flow" };

/* Words for people: there, beginning with a small letter (or an abbreviation), no full stop. */
static bool good_words(const char *s)
{
	const size_t len = s ? strlen(s) : 0;

	return len > 1 && s[len - 1] != '.' && s[len - 1] != ' ' && !strchr(s, '\n') &&
	       (!isupper((unsigned char)s[0]) || !islower((unsigned char)s[1]));
}

static bool good_name(const char *s)
{
	return islower((unsigned char)*s) &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s);
}

static const char *lint_name(const struct fx_node_type *t)
{
	const char *slash = t->name ? strchr(t->name, '/') : NULL;

	if (!slash || !good_name(slash + 1))
		return "name is not ROLE/METHOD";
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strlen(roles[i]) == (size_t)(slash - t->name) &&
		    strncmp(roles[i], t->name, strlen(roles[i])) == 0)
			return NULL;
	return "unknown role";
}

static const char *lint_port(const struct fx_node_type *t, const struct fx_port *p)
{
	if (!good_name(p->name))
		return "port name";
	if (!good_words(p->help))
		return "port help";
	if (p->dir != FX_IN && p->dir != FX_OUT)
		return "port direction";
	if (p->dir == FX_IN && p > t->ports && p[-1].dir == FX_OUT)
		return "an input behind an output";
	if (p->optional && p->dir == FX_OUT)
		return "an optional output";
	if (!p->kinds || p->kinds & ~(unsigned)(FX_BLOCK | FX_TREE | FX_RECORD))
		return "port kinds";
	if (!!(p->kinds & FX_BLOCK) != !!p->dtypes)
		return "dtypes belong to blocks";
	if (fx_type_port(t, p->name, p->dir) != p - t->ports)
		return "two ports of one name";
	return NULL;
}

static const char *lint_default(const struct fx_option *o)
{
	char text[256];
	int choices = 0;

	if (fx_option_required(o) || (o->type == FX_OPT_STR && !o->choices))
		return NULL;
	while (o->choices && o->choices[choices])
		choices++;
	if (o->choices && (o->def < 0 || o->def >= choices))
		return "default is not a choice";
	if (o->def_str && o->type != FX_OPT_VEC)
		return "def_str on a number";
	fx_option_default_text(o, text, sizeof text);
	return fx_option_set(o, text, NULL, NULL) < 0 ? "default is not accepted" : NULL;
}

/* A text that speaks of a file or folder says what it is to it, or is one of those that are only
 * told to others. */
static const char *lint_path(const struct fx_option *o)
{
	static const char *const told[] = { "note", "skeletons" };
	const bool text = o->type == FX_OPT_STR && !o->choices;

	if (o->path && !text)
		return "a path that is no text";
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		if (strcmp(o->name, told[i]) == 0)
			return NULL;
	if (text && !o->path && (strstr(o->help, "file") || strstr(o->help, "folder")))
		return "a file or folder without .path";
	return NULL;
}

static const char *lint_option(const struct fx_node_type *t, const struct fx_option *o)
{
	if (!good_name(o->name))
		return "option name";
	if (!good_words(o->help))
		return "option help";
	if (o->min > o->max)
		return "range";
	if (o->unit && !fx_unit_known(o->unit))
		return "unknown unit";
	if (o->choices && o->type != FX_OPT_INT)
		return "choices need an int";
	if (o->offset >= t->state_size)
		return "field outside of the state";
	if (fx_type_option(t, o->name) != o)
		return "two options of one name";
	if (lint_path(o))
		return lint_path(o);
	return lint_default(o);
}

/* What is wrong with a table, or NULL. *@p where is the port or option. */
static const char *lint(const struct fx_node_type *t, const char **where)
{
	const char *wrong = lint_name(t);

	*where = "type";
	if (wrong)
		return wrong;
	if (t->abi != FX_NODE_ABI || !t->process || !t->ports)
		return "abi, process or ports";
	if (!good_words(t->summary))
		return "summary";
	if (t->stateless && t->mark)
		return "a stateless type with a mark callback";
	if (t->stateless && fx_type_inputs(t) != 1)
		return "a stateless type without exactly one input";
	for (const struct fx_port *p = t->ports; p->name && !wrong; p++) {
		*where = p->name;
		wrong = lint_port(t, p);
	}
	for (const struct fx_option *o = t->options; o && o->name && !wrong; o++) {
		*where = o->name;
		wrong = lint_option(t, o);
	}
	return wrong;
}

static void built_in_tables_are_right(void **unused)
{
	const char *where, *wrong;

	(void)unused;
	assert_non_null(fx_builtin_nodes[0]);
	for (size_t i = 0; fx_builtin_nodes[i]; i++) {
		const struct fx_node_type *t = fx_builtin_nodes[i];

		wrong = lint(t, &where);
		if (wrong)
			fail_msg("%s: %s: %s", t->name ? t->name : "?", where, wrong);
	}
}

static void a_type_is_named_like_its_file(void **unused)
{
	(void)unused;
	for (size_t i = 0; fx_builtin_nodes[i]; i++) {
		char *path = fx_asprintf("nodes/%s.c", fx_builtin_nodes[i]->name);

		assert_non_null(path);
		if (access(path, R_OK) != 0)
			fail_msg("there is no %s", path);
		free(path);
	}
}

struct state {
	int n, mode;
	const char *text;
	struct fx_vec v;
};

static const char *const modes[] = { "one", "two", NULL };

static int nothing(struct fx_node *node, void *state)
{
	(void)node;
	(void)state;
	return FX_OK;
}

static int no_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	(void)port;
	(void)m;
	return nothing(node, state);
}

static const char *lint_of_option(struct fx_option option)
{
	const struct fx_port ports[] = { { 0 } };
	const struct fx_option options[] = { option, { 0 } };
	const struct fx_node_type t = {
		.abi = FX_NODE_ABI,
		.name = "flow/x",
		.summary = "do nothing",
		.ports = ports,
		.options = options,
		.state_size = sizeof(struct state),
		.process = nothing,
	};
	const char *where, *wrong = lint(&t, &where);

	return wrong ? wrong : "";
}

static void wrong_options_are_found(void **unused)
{
#define FIELD(m) FX_FIELD(struct state, m), .help = "some words"
	(void)unused;
	assert_string_equal(lint_of_option((struct fx_option){ FIELD(n), .max = 3 }), "");
	assert_string_equal(lint_of_option((struct fx_option){ FX_FIELD(struct state, n) }),
			    "option help");
	assert_string_equal(lint_of_option((struct fx_option){ FX_FIELD(struct state, n),
							       .help = "Some words" }),
			    "option help");
	assert_string_equal(lint_of_option((struct fx_option){ FX_FIELD(struct state, n),
							       .help = "some words." }),
			    "option help");
	assert_string_equal(
		lint_of_option((struct fx_option){ FIELD(n), .def = 4, .min = 1, .max = 3 }),
		"default is not accepted");
	assert_string_equal(
		lint_of_option((struct fx_option){ FIELD(mode), .def = 2, .choices = modes }),
		"default is not a choice");
	assert_string_equal(lint_of_option((struct fx_option){ FIELD(n), .unit = "furlong" }),
			    "unknown unit");
	assert_string_equal(lint_of_option((struct fx_option){ FIELD(v), .def_str = "1 2" }),
			    "default is not accepted");
	assert_string_equal(lint_of_option((struct fx_option){ FIELD(text) }), "");
	assert_string_equal(lint_of_option((struct fx_option){ FIELD(n), .path = FX_PATH_READ }),
			    "a path that is no text");
	assert_string_equal(lint_of_option((struct fx_option){ FX_FIELD(struct state, text),
							       .help = "file to write" }),
			    "a file or folder without .path");
#undef FIELD
}

static const char *lint_of_ports(const struct fx_port *ports, bool stateless)
{
	const struct fx_node_type t = {
		.abi = FX_NODE_ABI,
		.name = "flow/x",
		.summary = "do nothing",
		.ports = ports,
		.stateless = stateless,
		.process = nothing,
		.mark = no_mark,
	};
	const char *where, *wrong = lint(&t, &where);

	return wrong ? wrong : "";
}

static void wrong_ports_are_found(void **unused)
{
	struct fx_port ports[] = {
		{ "in", FX_IN, FX_TREE, 0, 0, false, "trees" },
		{ "out", FX_OUT, FX_BLOCK, FX_U8, 0, false, "blocks" },
		{ 0 },
	};

	(void)unused;
	assert_string_equal(lint_of_ports(ports, false), "");
	assert_string_equal(lint_of_ports(ports, true), "a stateless type with a mark callback");
	ports[1].optional = true;
	assert_string_equal(lint_of_ports(ports, false), "an optional output");
	ports[1].optional = false;
	ports[0].dir = FX_OUT;
	ports[1].dir = FX_IN;
	assert_string_equal(lint_of_ports(ports, false), "an input behind an output");
	ports[1] = ports[0];
	assert_string_equal(lint_of_ports(ports, false), "two ports of one name");
	ports[0].dtypes = FX_U8;
	assert_string_equal(lint_of_ports(ports, false), "dtypes belong to blocks");
	ports[0].help = NULL;
	assert_string_equal(lint_of_ports(ports, false), "port help");
}

static void wrong_names_are_found(void **unused)
{
	const struct fx_node_type wrong[] = { { .name = "pass" },
					      { .name = "flow/Pass" },
					      { .name = "flo/pass" } };

	(void)unused;
	assert_string_equal(lint_name(&wrong[0]), "name is not ROLE/METHOD");
	assert_string_equal(lint_name(&wrong[1]), "name is not ROLE/METHOD");
	assert_string_equal(lint_name(&wrong[2]), "unknown role");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in_tables_are_right),
		cmocka_unit_test(a_type_is_named_like_its_file),
		cmocka_unit_test(wrong_options_are_found),
		cmocka_unit_test(wrong_ports_are_found),
		cmocka_unit_test(wrong_names_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
