// SPDX-License-Identifier: Apache-2.0
/* params.c: the parameters of a graph. */
#include "graph/params.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/hint.h"

bool fx_name_valid(const char *name, bool dash)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";
	const size_t len = strlen(name);
	size_t good = strspn(name, letters);

	if (!dash && strcspn(name, "-") < good)
		good = strcspn(name, "-");
	return len && len == good && len <= FX_GRAPH_NAME_MAX && *name >= 'a' && *name <= 'z';
}

static void read_field(struct fx_graph_param *p, const struct fx_yaml_entry *e,
		       struct fx_graph_errors *errors)
{
	static const char *const keys[] = { "help", "default" };
	char **const fields[] = { &p->help, &p->value };
	struct fx_hint hint = { 0 };

	for (size_t i = 0; i < 2; i++) {
		if (strcmp(e->key, keys[i]) == 0) {
			if (e->value.kind == FX_YAML_MAP)
				fx_graph_error_add(errors, e->value.line, e->value.col,
						   "params.%s.%s: must be a text", p->name, e->key);
			*fields[i] = fx_strdup(e->value.kind == FX_YAML_TEXT ? e->value.text : "");
			return;
		}
		fx_hint_offer(&hint, e->key, keys[i]);
	}
	fx_graph_error_add(errors, e->line, e->col, "params.%s: unknown key \"%.100s\"%s", p->name,
			   e->key, fx_hint_text(&hint));
}

static void read_param(struct fx_graph_param *p, const struct fx_yaml_entry *e,
		       struct fx_graph_errors *errors)
{
	const struct fx_yaml *fields = &e->value;

	p->name = fx_strdup(e->key);
	p->line = e->line;
	p->col = e->col;
	if (fields->kind == FX_YAML_TEXT && *fields->text)
		fx_graph_error_add(errors, fields->line, fields->col,
				   "params.%s: must be a map of help and default", p->name);
	for (size_t i = 0; p->name && i < fields->len; i++)
		read_field(p, &fields->entries[i], errors);
	p->required = !p->value && fields->kind != FX_YAML_BAD;
	if (!p->help)
		p->help = fx_strdup("");
	if (!p->name || !p->help)
		fx_graph_error_add(errors, 0, 0, "no memory for its parameters");
}

void fx_params_read(struct fx_graph *g, const struct fx_yaml *map, struct fx_graph_errors *errors)
{
	if (!map || map->kind == FX_YAML_BAD || (map->kind == FX_YAML_TEXT && !*map->text))
		return;
	if (map->kind == FX_YAML_TEXT) {
		fx_graph_error_add(errors, map->line, map->col,
				   "params: must be a map of parameter names");
		return;
	}
	g->params = fx_calloc(map->len, sizeof *g->params);
	if (!g->params)
		fx_graph_error_add(errors, 0, 0, "no memory for its parameters");
	for (size_t i = 0; g->params && i < map->len; i++) {
		const struct fx_yaml_entry *e = &map->entries[i];

		if (fx_name_valid(e->key, false))
			read_param(&g->params[g->params_len++], e, errors);
		else
			fx_graph_error_add(errors, e->line, e->col,
					   "params: \"%.100s\" is not a name: small letters, "
					   "digits, _, at most %d, a letter first",
					   e->key, FX_GRAPH_NAME_MAX);
	}
}

static struct fx_graph_param *find_param(const struct fx_graph *g, const char *name, size_t len)
{
	for (size_t i = 0; i < g->params_len; i++)
		if (g->params[i].name && strlen(g->params[i].name) == len &&
		    memcmp(g->params[i].name, name, len) == 0)
			return &g->params[i];
	return NULL;
}

static const char *hint_param(struct fx_hint *hint, const struct fx_graph *g, const char *name)
{
	for (size_t i = 0; i < g->params_len; i++)
		if (g->params[i].name)
			fx_hint_offer(hint, name, g->params[i].name);
	return fx_hint_text(hint);
}

static void give_param(struct fx_graph *g, const struct fx_param *given,
		       struct fx_graph_errors *errors)
{
	struct fx_graph_param *p = find_param(g, given->name, strlen(given->name));
	struct fx_hint hint = { 0 };

	if (!p) {
		fx_graph_error_add(errors, 0, 0, "no parameter \"%.100s\"%s", given->name,
				   hint_param(&hint, g, given->name));
	} else if (p->given) {
		fx_graph_error_add(errors, 0, 0, "parameter \"%s\" is given twice", p->name);
	} else {
		free(p->value);
		p->value = fx_strdup(given->value);
		p->given = true;
	}
}

void fx_params_give(struct fx_graph *g, const struct fx_param *given, size_t given_len,
		    unsigned flags, struct fx_graph_errors *errors)
{
	for (size_t i = 0; i < given_len; i++)
		give_param(g, &given[i], errors);
	for (size_t i = 0; i < g->params_len; i++) {
		const struct fx_graph_param *p = &g->params[i];

		if (p->name && p->help && p->required && !p->value &&
		    !(flags & FX_GRAPH_OPEN_PARAMS))
			fx_graph_error_add(errors, p->line, p->col,
					   "params.%s: has no default and is not given; add "
					   "%s=VALUE%s%.200s%s",
					   p->name, p->name, *p->help ? " (" : "", p->help,
					   *p->help ? ")" : "");
	}
}

/* A text under construction. */
struct out {
	char *text;
	size_t len, cap;
	bool too_long;
};

static void out_add(struct out *o, const char *text, size_t len)
{
	if (o->len + len > FX_PARAMS_TEXT_MAX || !fx_grow(&o->text, &o->cap, o->len + len + 1, 1)) {
		o->too_long = true;
		return;
	}
	memcpy(o->text + o->len, text, len);
	o->len += len;
	o->text[o->len] = 0;
}

/* The name of a parameter behind a dollar at @p p: *name and *len; what follows it, or NULL. */
static const char *param_name(const char *p, const char **name, size_t *len)
{
	const bool braces = *p == '{';

	*name = p + braces;
	*len = strspn(*name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (!*len || (braces && (*name)[*len] != '}'))
		return NULL;
	return *name + *len + braces;
}

struct place {
	const struct fx_yaml *y;
	const char *node, *what;
	struct fx_graph_errors *errors;
};

/* One parameter, at the dollar @p p; what follows it, or NULL when it is not written right. */
static const char *expand_one(const struct fx_graph *g, const char *p, struct out *o,
			      struct fx_expanded *e, const struct place *at)
{
	const struct fx_graph_param *param;
	struct fx_hint hint = { 0 };
	const char *name, *next;
	char word[FX_GRAPH_NAME_MAX + 1] = "";
	size_t len;

	if (p[1] == '$') {
		out_add(o, "$", 1);
		return p + 2;
	}
	next = param_name(p + 1, &name, &len);
	if (!next) {
		fx_graph_error_add(at->errors, at->y->line, at->y->col,
				   "%s.%s: \"$\" without a parameter name; a dollar itself is $$",
				   at->node, at->what);
		return NULL;
	}
	e->varies = true;
	param = find_param(g, name, len);
	if (param && param->value) {
		out_add(o, param->value, strlen(param->value));
	} else {
		e->unknown = true;
		e->missing = e->missing || param;
	}
	if (!param) {
		memcpy(word, name, len < FX_GRAPH_NAME_MAX ? len : FX_GRAPH_NAME_MAX);
		fx_graph_error_add(at->errors, at->y->line, at->y->col,
				   "%s.%s: no parameter \"%s\"%s", at->node, at->what, word,
				   hint_param(&hint, g, word));
	}
	return param ? next : NULL;
}

struct fx_expanded fx_params_expand(const struct fx_graph *g, const struct fx_yaml *y,
				    const char *node, const char *what, size_t *total,
				    struct fx_graph_errors *errors)
{
	const struct place at = { y, node, what, errors };
	struct fx_expanded e = { 0 };
	struct out o = { 0 };
	const char *p = fx_graph_hopeless(errors) ? NULL : y->text;

	out_add(&o, "", 0);
	while (p && *p && !o.too_long) {
		const size_t plain = strcspn(p, "$");

		out_add(&o, p, plain);
		p += plain;
		if (*p)
			p = expand_one(g, p, &o, &e, &at);
	}
	*total += o.len;
	if (p && (o.too_long || *total > FX_PARAMS_TOTAL_MAX)) {
		fx_graph_error_add(errors, y->line, y->col,
				   "%s.%s: longer than %d bytes with its parameters put in", node,
				   what, FX_PARAMS_TEXT_MAX);
		p = NULL;
	}
	e.unknown = e.unknown || !p;
	e.emptied = e.varies && !e.unknown && o.len == 0;
	e.text = o.text;
	if (e.unknown) {
		free(e.text);
		e.text = NULL;
	}
	return e;
}
