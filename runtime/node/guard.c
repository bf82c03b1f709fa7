// SPDX-License-Identifier: Apache-2.0
/* guard.c: what a node process may touch, and by which keys it knows its peers, as JSON. */
#include "node/guard.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static json_t *keys_to_json(const struct fx_guard *g)
{
	json_t *allowed;

	if (!g->has_keys)
		return json_null();
	allowed = json_array();
	for (size_t i = 0; i < g->keys.allowed_len; i++)
		json_array_append_new(allowed, json_string(g->keys.allowed[i]));
	return json_pack("{s:s, s:s, s:o}", "public", g->keys.public_key, "secret",
			 g->keys.secret_key, "allowed", allowed);
}

json_t *fx_guard_to_json(const struct fx_guard *g)
{
	json_t *readable = json_array();

	for (size_t i = 0; i < g->readable_len; i++)
		json_array_append_new(readable, json_string(g->readable[i]));
	return json_pack("{s:b, s:b, s:s, s:o, s:o}", "confine", g->confine, "sandbox", g->sandbox,
			 "out", g->out ? g->out : "", "readable", readable, "keys",
			 keys_to_json(g));
}

static bool get_bool(const json_t *o, const char *key, bool *out)
{
	const json_t *v = json_object_get(o, key);

	*out = json_is_true(v);
	return json_is_boolean(v);
}

static bool get_key(const json_t *v, char key[FX_KEY_TEXT])
{
	const char *text = json_string_value(v);

	if (!text || !fx_key_valid(text))
		return false;
	memcpy(key, text, FX_KEY_TEXT);
	return true;
}

static bool get_keys(const json_t *o, struct fx_guard *g)
{
	const json_t *allowed = json_object_get(o, "allowed");
	const size_t n = json_array_size(allowed);

	if (json_is_null(o))
		return true;
	g->has_keys = true;
	if (!json_is_array(allowed) || n > FX_KEYS_ALLOWED ||
	    !get_key(json_object_get(o, "public"), g->keys.public_key) ||
	    !get_key(json_object_get(o, "secret"), g->keys.secret_key))
		return false;
	g->keys.allowed = fx_calloc(n, sizeof *g->keys.allowed);
	for (size_t i = 0; g->keys.allowed && i < n; i++)
		if (!get_key(json_array_get(allowed, i), g->keys.allowed[g->keys.allowed_len++]))
			return false;
	return g->keys.allowed != NULL;
}

static bool get_readable(const json_t *list, struct fx_guard *g)
{
	const size_t n = json_array_size(list);

	g->readable = json_is_array(list) ? fx_calloc(n, sizeof *g->readable) : NULL;
	for (size_t i = 0; g->readable && i < n; i++) {
		g->readable[i] = fx_strdup(json_string_value(json_array_get(list, i)));
		g->readable_len++;
		if (!g->readable[i])
			return false;
	}
	return g->readable != NULL;
}

bool fx_guard_from_json(const json_t *o, struct fx_guard *g)
{
	g->out = fx_strdup(json_string_value(json_object_get(o, "out")));
	return g->out && get_bool(o, "confine", &g->confine) &&
	       get_bool(o, "sandbox", &g->sandbox) &&
	       get_readable(json_object_get(o, "readable"), g) &&
	       get_keys(json_object_get(o, "keys"), g);
}

bool fx_guard_copy(struct fx_guard *g, const struct fx_guard *from)
{
	bool ok = true;

	*g = *from;
	g->out = fx_strdup(from->out ? from->out : "");
	g->readable = fx_calloc(from->readable_len, sizeof *g->readable);
	for (size_t i = 0; g->readable && i < from->readable_len; i++) {
		g->readable[i] = fx_strdup(from->readable[i]);
		ok = ok && g->readable[i];
	}
	g->keys.allowed = fx_calloc(from->keys.allowed_len, sizeof *g->keys.allowed);
	if (g->keys.allowed && from->keys.allowed_len)
		memcpy(g->keys.allowed, from->keys.allowed,
		       from->keys.allowed_len * sizeof *g->keys.allowed);
	return ok && g->out && g->readable && g->keys.allowed;
}

void fx_guard_fini(struct fx_guard *g)
{
	for (size_t i = 0; g->readable && i < g->readable_len; i++)
		free(g->readable[i]);
	free(g->readable);
	free(g->out);
	fx_keys_fini(&g->keys);
	memset(g, 0, sizeof *g);
}
