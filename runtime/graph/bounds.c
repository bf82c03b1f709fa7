// SPDX-License-Identifier: Apache-2.0
/* bounds.c: the keys of a node that say what its processes may take. */
#include "graph/bounds.h"

#include <string.h>

#include "graph/option.h"

static const struct fx_option keys[] = {
	{ FX_FIELD(struct fx_bounds, hang_s), .max = 1e6, .unit = "s" },
	{ FX_FIELD(struct fx_bounds, limit_mib), .min = 16, .max = 1 << 30, .unit = "MiB" },
	{ 0 },
};

/* The names of fields end with their unit. */
static const struct fx_option *find(const char *key)
{
	const size_t len = strlen(key);

	for (const struct fx_option *o = keys; o->name; o++)
		if (strncmp(o->name, key, len) == 0 && o->name[len] == '_')
			return o;
	return NULL;
}

bool fx_bounds_has(const char *key)
{
	return find(key);
}

int fx_bounds_set(struct fx_bounds *b, const char *key, const char *text, struct fx_error *err)
{
	const struct fx_option *o = find(key);

	if (!*text)
		return FX_OK;
	b->has_hang = b->has_hang || o == keys;
	return fx_option_set(o, text, b, err);
}
