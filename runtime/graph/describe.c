// SPDX-License-Identifier: Apache-2.0
/* describe.c: node types for people and for tools. */
#include "graph/describe.h"

#include <string.h>

#include "graph/graph.h"
#include "graph/json.h"
#include "graph/option.h"

enum { ROLES = FX_MASK + 1, DTYPES = 6, KINDS = 3 };

static const char *const roles[ROLES] = { "image", "probability", "affinity", "labels", "mask" };
static const char *const kinds[KINDS] = { "block", "tree", "record" };

const char *fx_role_name(enum fx_role role)
{
	return (unsigned)role < ROLES ? roles[role] : "?";
}

static const char *dtype_at(unsigned i)
{
	return fx_dtype_name((enum fx_dtype)(1 << i));
}

/* Appends to a text of @p size bytes; what has no room is cut. */
static void add(char *text, size_t size, const char *before, const char *word)
{
	const size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", before, word);
}

static void add_blocks(const struct fx_port *p, char *text, size_t size)
{
	const unsigned all = (1u << DTYPES) - 1;
	bool some = false;

	for (unsigned i = 0; i < DTYPES; i++)
		if ((p->dtypes & 1u << i) && (p->dtypes & all) != all) {
			add(text, size, some ? "|" : "", dtype_at(i));
			some = true;
		}
	if (!some)
		add(text, size, "", "any");
	for (unsigned i = 0, n = 0; i < ROLES; i++)
		if (p->roles & 1u << i)
			add(text, size, n++ ? "|" : " ", roles[i]);
	if (!p->roles)
		add(text, size, " ", "blocks");
}

void fx_port_text(const struct fx_port *p, char *text, size_t size)
{
	*text = 0;
	if (p->kinds & FX_BLOCK)
		add_blocks(p, text, size);
	if (p->kinds & FX_TREE)
		add(text, size, *text ? ", " : "", "trees");
	if (p->kinds & FX_RECORD)
		add(text, size, *text ? ", " : "", "records");
	if (!*text)
		add(text, size, "", "nothing");
}

static int wider(int width, const char *text)
{
	const int len = (int)strlen(text);

	return len > width ? len : width;
}

static void describe_ports(const struct fx_node_type *t, FILE *out)
{
	int names = 0, whats = 0;
	char what[160];

	for (const struct fx_port *p = t->ports; p->name; p++) {
		fx_port_text(p, what, sizeof what);
		names = wider(names, p->name);
		whats = wider(whats, what);
	}
	fprintf(out, "ports\n");
	for (const struct fx_port *p = t->ports; p->name; p++) {
		fx_port_text(p, what, sizeof what);
		fprintf(out, "  %-3s %-*s  %-*s  %s%s\n", p->dir == FX_IN ? "in" : "out", names,
			p->name, whats, what, p->help ? p->help : "",
			p->optional ? " (optional)" : "");
	}
}

static void describe_options(const struct fx_node_type *t, FILE *out)
{
	int names = 0, ranges = 0;
	char range[256], def[256];

	for (const struct fx_option *o = t->options; o && o->name; o++) {
		fx_option_range_text(o, range, sizeof range);
		names = wider(names, o->name);
		ranges = wider(ranges, range);
	}
	if (names)
		fprintf(out, "options\n");
	for (const struct fx_option *o = t->options; o && o->name; o++) {
		fx_option_range_text(o, range, sizeof range);
		fx_option_default_text(o, def, sizeof def);
		fprintf(out, "  %-*s  %-*s  %s (", names, o->name, ranges, range,
			o->help ? o->help : "");
		if (fx_option_required(o))
			fprintf(out, "required)\n");
		else
			fprintf(out, "default %s)\n", *def ? def : "empty");
	}
}

void fx_describe_type(const struct fx_node_type *t, FILE *out)
{
	fprintf(out, "%s - %s\n", t->name, t->summary);
	describe_ports(t, out);
	describe_options(t, out);
	if (t->stateless && t->ports[0].name && t->ports[0].dir == FX_IN)
		fprintf(out, "keeps nothing between messages: may have workers\n");
	for (unsigned key = FX_KEY_REGION; key <= FX_KEY_ID; key <<= 1)
		if (t->keys & key)
			fprintf(out, "may have workers with key: %s\n",
				fx_key_name((enum fx_key)key));
}

static bool has_role(const struct fx_node_type *t, const char *role)
{
	const size_t len = strcspn(t->name, "/");

	return !role || (strlen(role) == len && strncmp(role, t->name, len) == 0);
}

size_t fx_describe_list(const struct fx_registry *r, const char *role, FILE *out)
{
	const char *last = "";
	size_t n = 0;
	int names = 0;

	for (size_t i = 0; i < fx_registry_len(r); i++)
		names = wider(names, fx_registry_at(r, i)->name);
	for (size_t i = 0; i < fx_registry_len(r); i++) {
		const struct fx_node_type *t = fx_registry_at(r, i);
		const size_t len = strcspn(t->name, "/");

		if (!has_role(t, role))
			continue;
		if (strcspn(last, "/") != len || strncmp(last, t->name, len) != 0)
			fprintf(out, "%s%.*s\n", n ? "\n" : "", (int)len, t->name);
		fprintf(out, "  %-*s  %s\n", names, t->name, t->summary);
		last = t->name;
		n++;
	}
	return n;
}

/* Names of the bits of @p set. */
static json_t *set_json(unsigned set, unsigned len, const char *const *names)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < len; i++)
		if (set & 1u << i)
			json_array_append_new(list, json_string(names ? names[i] : dtype_at(i)));
	return list;
}

static json_t *port_json(const struct fx_port *p)
{
	const bool blocks = p->kinds & FX_BLOCK;

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:b, s:s}", "name", p->name, "dir",
			 p->dir == FX_IN ? "in" : "out", "kinds", set_json(p->kinds, KINDS, kinds),
			 "dtypes", set_json(blocks ? p->dtypes : 0, DTYPES, NULL), "roles",
			 set_json(blocks ? p->roles : 0, ROLES, roles), "optional", p->optional,
			 "help", p->help ? p->help : "");
}

static const char *type_name(const struct fx_option *o)
{
	static const char *const names[] = { "?", "bool", "int", "real", "text", "vec" };

	return o->choices ? "choice" : names[o->type <= FX_OPT_VEC ? o->type : 0];
}

static json_t *option_json(const struct fx_option *o)
{
	json_t *j = json_pack("{s:s, s:s, s:s, s:b}", "name", o->name, "type", type_name(o), "help",
			      o->help ? o->help : "", "required", fx_option_required(o));
	char def[256];

	fx_option_default_text(o, def, sizeof def);
	if (!fx_option_required(o))
		json_object_set_new(j, "default", json_string(def));
	if (o->min < o->max) {
		json_object_set_new(j, "min", json_real(o->min));
		json_object_set_new(j, "max", json_real(o->max));
	}
	if (o->unit)
		json_object_set_new(j, "unit", json_string(o->unit));
	if (o->choices) {
		json_t *list = json_array();

		for (int i = 0; o->choices[i]; i++)
			json_array_append_new(list, json_string(o->choices[i]));
		json_object_set_new(j, "choices", list);
	}
	return j;
}

static json_t *type_json(const struct fx_node_type *t)
{
	json_t *ports = json_array(), *options = json_array();

	for (const struct fx_port *p = t->ports; p->name; p++)
		json_array_append_new(ports, port_json(p));
	for (const struct fx_option *o = t->options; o && o->name; o++)
		json_array_append_new(options, option_json(o));
	return json_pack("{s:s, s:s, s:b, s:o, s:o}", "name", t->name, "summary", t->summary,
			 "stateless", t->stateless, "ports", ports, "options", options);
}

int fx_describe_type_json(const struct fx_node_type *t, FILE *out)
{
	return fx_json_print(type_json(t), out);
}

int fx_describe_list_json(const struct fx_registry *r, const char *role, FILE *out)
{
	json_t *types = json_array();

	for (size_t i = 0; i < fx_registry_len(r); i++)
		if (has_role(fx_registry_at(r, i), role))
			json_array_append_new(types, type_json(fx_registry_at(r, i)));
	return fx_json_print(json_pack("{s:o}", "types", types), out);
}
