// SPDX-License-Identifier: Apache-2.0
/* registry.c: which node types there are. */
#include "graph/registry.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"

struct fx_registry {
	const struct fx_node_type **types; /* sorted by name */
	size_t len, cap;
	const struct fx_node_type **hidden;
	size_t hidden_len, hidden_cap;
	void **modules; /* dlopen handles, closed in free */
	size_t modules_len, modules_cap;
};

static int by_name(const void *a, const void *b)
{
	const struct fx_node_type *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static bool registry_add(struct fx_registry *r, const struct fx_node_type *t)
{
	if (!fx_grow(&r->types, &r->cap, r->len + 1, sizeof *r->types))
		return false;
	r->types[r->len++] = t;
	return true;
}

/* "/some/where/ROLE_METHOD.so" -> "fx_node_ROLE_METHOD" */
static void module_symbol(const char *file, char *symbol, size_t size)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;

	snprintf(symbol, size, "fx_node_%.*s", (int)strcspn(base, "."), base);
}

/* Why the type of a module cannot be taken; NULL when it can. */
static const char *registry_refuses(const struct fx_registry *r, const struct fx_node_type *t)
{
	if (!t->name || !t->summary || !t->ports || !t->process)
		return "its table has no name, summary, ports or process";
	if (t->stateless && (t->mark || fx_type_inputs(t) != 1))
		return "it is declared stateless, which needs one input and no mark()";
	for (size_t i = 0; i < r->len; i++)
		if (strcmp(r->types[i]->name, t->name) == 0)
			return "a type of this name is there already";
	return NULL;
}

static void registry_module(struct fx_registry *r, const char *file)
{
	char symbol[256];
	void *module = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	const struct fx_node_type *t;
	const char *refused;

	if (!module) {
		fx_log(FX_LOG_WARN, "%s: not loaded: %s", file, dlerror());
		return;
	}
	module_symbol(file, symbol, sizeof symbol);
	t = dlsym(module, symbol);
	if (!t || t->abi != FX_NODE_ABI) {
		if (t)
			fx_log(FX_LOG_WARN,
			       "%s: built for node ABI %u, this fornix has %d: build it again",
			       file, t->abi, FX_NODE_ABI);
		else
			fx_log(FX_LOG_WARN, "%s: not a node: it has no symbol %s", file, symbol);
		dlclose(module);
		return;
	}
	refused = registry_refuses(r, t);
	if (refused)
		fx_log(FX_LOG_WARN, "%s: not loaded: %s", file, refused);
	if (refused ||
	    !fx_grow(&r->modules, &r->modules_cap, r->modules_len + 1, sizeof *r->modules) ||
	    !registry_add(r, t)) {
		dlclose(module);
		return;
	}
	r->modules[r->modules_len++] = module;
}

static void registry_folder(struct fx_registry *r, const char *folder, int len)
{
	char *pattern = fx_asprintf("%.*s/*_*.so", len, folder);
	glob_t found = { 0 };

	if (pattern && len && glob(pattern, 0, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			registry_module(r, found.gl_pathv[i]);
	globfree(&found);
	free(pattern);
}

struct fx_registry *fx_registry_new(const struct fx_node_type *const *builtin, const char *path)
{
	struct fx_registry *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	for (; *builtin; builtin++)
		if (!registry_add(r, *builtin)) {
			fx_registry_free(r);
			return NULL;
		}
	while (path && *path) {
		const int len = (int)strcspn(path, ":");

		registry_folder(r, path, len);
		path += len + (path[len] == ':');
	}
	qsort(r->types, r->len, sizeof *r->types, by_name);
	return r;
}

void fx_registry_free(struct fx_registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->modules_len; i++)
		dlclose(r->modules[i]);
	free(r->modules);
	free(r->types);
	free(r->hidden);
	free(r);
}

bool fx_registry_hide(struct fx_registry *r, const struct fx_node_type *t)
{
	if (!fx_grow(&r->hidden, &r->hidden_cap, r->hidden_len + 1, sizeof *r->hidden))
		return false;
	r->hidden[r->hidden_len++] = t;
	return true;
}

const struct fx_node_type *fx_registry_find(const struct fx_registry *r, const char *name,
					    struct fx_error *err)
{
	struct fx_nearest near = { 0 };

	for (size_t i = 0; i < r->hidden_len; i++)
		if (strcmp(r->hidden[i]->name, name) == 0)
			return r->hidden[i];
	for (size_t i = 0; i < r->len; i++) {
		if (strcmp(r->types[i]->name, name) == 0)
			return r->types[i];
		fx_nearest_offer(&near, name, r->types[i]->name);
	}
	if (near.name)
		fx_error_set(err, FX_ENOENT, "no node type \"%s\"; did you mean \"%s\"?", name,
			     near.name);
	else
		fx_error_set(err, FX_ENOENT, "no node type \"%s\"; \"fornix nodes\" lists them",
			     name);
	return NULL;
}

size_t fx_registry_len(const struct fx_registry *r)
{
	return r->len;
}

const struct fx_node_type *fx_registry_at(const struct fx_registry *r, size_t index)
{
	return r->types[index];
}

unsigned fx_type_ports(const struct fx_node_type *t)
{
	unsigned n = 0;

	while (t->ports[n].name)
		n++;
	return n;
}

unsigned fx_type_inputs(const struct fx_node_type *t)
{
	unsigned n = 0;

	for (const struct fx_port *p = t->ports; p->name; p++)
		n += p->dir == FX_IN;
	return n;
}

int fx_type_port(const struct fx_node_type *t, const char *name, enum fx_dir dir)
{
	for (int i = 0; t->ports[i].name; i++)
		if (t->ports[i].dir == dir && strcmp(t->ports[i].name, name) == 0)
			return i;
	return -1;
}

const struct fx_option *fx_type_option(const struct fx_node_type *t, const char *name)
{
	for (const struct fx_option *o = t->options; o && o->name; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}
