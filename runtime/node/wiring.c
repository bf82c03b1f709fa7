// SPDX-License-Identifier: Apache-2.0
/* wiring.c: what one node process is told by the conductor, as JSON. */
#include "node/wiring.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/spare.h"
#include "link/outlet.h"

enum { SPARE_FILES = 16 };

static json_t *lanes_to_json(const struct fx_wired_lane *lanes, size_t len)
{
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++)
		json_array_append_new(
			list, json_pack("{s:s?, s:i, s:b, s:I, s:i, s:I}", "endpoint",
					lanes[i].endpoint, "pool_fd", lanes[i].pool_fd, "slots",
					lanes[i].slots, "from", (json_int_t)lanes[i].from, "holder",
					(int)lanes[i].holder, "stats", (json_int_t)lanes[i].stats));
	return list;
}

static json_t *edges_to_json(const struct fx_wired_output *o)
{
	json_t *list = json_array();

	for (size_t i = 0; i < o->edges_len; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:i, s:i, s:i, s:o}", "node", o->edges[i].node,
				  "port", o->edges[i].port, "first", (int)o->edges[i].first, "drop",
				  (int)o->edges[i].drop, "way", (int)o->edges[i].way, "lanes",
				  lanes_to_json(o->edges[i].lanes, o->edges[i].lanes_len)));
	return list;
}

static json_t *numbers_to_json(const struct fx_wiring *w)
{
	return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:I, s:i, s:I, s:I, s:i}", "conductor",
			 (int)w->conductor, "save_mib", (int)w->save_mib, "instance",
			 (int)w->instance, "instances", (int)w->instances, "parts", (int)w->parts,
			 "epoch", (int)w->epoch, "index", (json_int_t)w->index, "stats_fd",
			 w->stats_fd, "stats_instances", (json_int_t)w->stats_instances,
			 "stats_lanes", (json_int_t)w->stats_lanes, "pool_fd", w->pool_fd);
}

char *fx_wiring_to_json(const struct fx_wiring *w)
{
	json_t *options = json_array(), *inputs = json_array(), *outputs = json_array();
	json_t *all;
	char *text;

	for (size_t i = 0; i < w->options_len; i++)
		json_array_append_new(options, json_pack("{s:s, s:s}", "name", w->options[i].name,
							 "text", w->options[i].text));
	for (size_t i = 0; i < w->inputs_len; i++) {
		const struct fx_wired_input *in = &w->inputs[i];

		json_array_append_new(inputs,
				      json_pack("{s:s, s:i, s:b, s:I, s:i, s:I, s:o}", "port",
						in->port, "parts", (int)in->parts, "gaps", in->gaps,
						"spool_bytes", (json_int_t)in->spool_bytes,
						"credit_messages", (int)in->credit_messages,
						"credit_bytes", (json_int_t)in->credit_bytes,
						"lanes", lanes_to_json(in->lanes, in->lanes_len)));
	}
	for (size_t i = 0; i < w->outputs_len; i++) {
		const struct fx_wired_output *o = &w->outputs[i];

		json_array_append_new(outputs,
				      json_pack("{s:s, s:s, s:i, s:b, s:i, s:o}", "port", o->port,
						"endpoint", o->endpoint, "listen_fd", o->listen_fd,
						"slots", o->slots, "precision", (int)o->precision,
						"edges", edges_to_json(o)));
	}
	all = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o}", "node", w->node,
			"type", w->type, "run_dir", w->run_dir, "scratch_dir", w->scratch_dir,
			"state_dir", w->state_dir, "dead_dir", w->dead_dir, "keeps", w->keeps,
			"options", options, "inputs", inputs, "outputs", outputs, "guard",
			fx_guard_to_json(&w->guard));
	if (all)
		json_object_update_new(all, numbers_to_json(w));
	text = all ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	return text;
}

/* Reading: every function returns false on a wrong member. */

static bool get_text(const json_t *o, const char *key, char **out)
{
	*out = fx_strdup(json_string_value(json_object_get(o, key)));
	return *out != NULL;
}

static bool get_int(const json_t *o, const char *key, json_int_t min, json_int_t *out)
{
	const json_t *v = json_object_get(o, key);

	if (!json_is_integer(v) || json_integer_value(v) < min)
		return false;
	*out = json_integer_value(v);
	return true;
}

static bool get_bool(const json_t *o, const char *key, bool *out)
{
	*out = json_is_true(json_object_get(o, key));
	return json_is_boolean(json_object_get(o, key));
}

static bool get_unsigned(const json_t *o, const char *key, unsigned *out)
{
	json_int_t v;

	if (!get_int(o, key, 0, &v))
		return false;
	*out = (unsigned)v;
	return true;
}

static bool get_size(const json_t *o, const char *key, size_t *out)
{
	json_int_t v;

	if (!get_int(o, key, 0, &v))
		return false;
	*out = (size_t)v;
	return true;
}

static bool get_fd(const json_t *o, const char *key, int *out)
{
	json_int_t v;

	if (!get_int(o, key, -1, &v))
		return false;
	*out = (int)v;
	return true;
}

/* Room for the elements of the list @p key; its length into *len. */
static void *get_list(const json_t *o, const char *key, size_t size, size_t *len)
{
	const json_t *list = json_object_get(o, key);
	void *room = json_is_array(list) ? fx_calloc(json_array_size(list), size) : NULL;

	*len = room ? json_array_size(list) : 0;
	return room;
}

static const json_t *get_item(const json_t *o, const char *key, size_t i)
{
	return json_array_get(json_object_get(o, key), i);
}

static bool get_lanes(const json_t *o, bool input, struct fx_wired_lane **lanes, size_t *len)
{
	*lanes = get_list(o, "lanes", sizeof **lanes, len);
	if (!*lanes)
		return false;
	for (size_t i = 0; i < *len; i++) {
		struct fx_wired_lane *l = &(*lanes)[i];
		const json_t *item = get_item(o, "lanes", i);

		if ((input && !get_text(item, "endpoint", &l->endpoint)) ||
		    !get_fd(item, "pool_fd", &l->pool_fd) || !get_bool(item, "slots", &l->slots) ||
		    !get_size(item, "from", &l->from) ||
		    !get_unsigned(item, "holder", &l->holder) ||
		    !get_size(item, "stats", &l->stats))
			return false;
	}
	return true;
}

static bool get_input(const json_t *o, struct fx_wired_input *in)
{
	const json_t *gaps = json_object_get(o, "gaps");
	unsigned messages;
	json_int_t bytes, spool;

	if (!json_is_boolean(gaps) || !get_int(o, "spool_bytes", 0, &spool) ||
	    !get_text(o, "port", &in->port) || !get_unsigned(o, "parts", &in->parts) ||
	    !get_unsigned(o, "credit_messages", &messages) ||
	    !get_int(o, "credit_bytes", 0, &bytes))
		return false;
	in->credit_messages = messages;
	in->credit_bytes = (uint64_t)bytes;
	in->gaps = json_is_true(gaps);
	in->spool_bytes = (uint64_t)spool;
	return get_lanes(o, true, &in->lanes, &in->lanes_len);
}

static bool get_output(const json_t *o, struct fx_wired_output *out)
{
	if (!get_text(o, "port", &out->port) || !get_text(o, "endpoint", &out->endpoint) ||
	    !get_fd(o, "listen_fd", &out->listen_fd) || !get_bool(o, "slots", &out->slots) ||
	    !get_unsigned(o, "precision", &out->precision) ||
	    (out->precision && out->precision != FX_U8 && out->precision != FX_F16))
		return false;
	out->edges = get_list(o, "edges", sizeof *out->edges, &out->edges_len);
	if (!out->edges)
		return false;
	for (size_t i = 0; i < out->edges_len; i++) {
		struct fx_wired_edge *e = &out->edges[i];
		const json_t *item = get_item(o, "edges", i);

		if (!get_text(item, "node", &e->node) || !get_text(item, "port", &e->port) ||
		    !get_unsigned(item, "first", &e->first) ||
		    !get_unsigned(item, "drop", &e->drop) || e->drop > FX_DROP_NEW ||
		    !get_unsigned(item, "way", &e->way) || e->way > FX_WAY_ZSTD ||
		    !get_lanes(item, false, &e->lanes, &e->lanes_len))
			return false;
	}
	return true;
}

static bool get_lists(const json_t *o, struct fx_wiring *w)
{
	w->options = get_list(o, "options", sizeof *w->options, &w->options_len);
	w->inputs = get_list(o, "inputs", sizeof *w->inputs, &w->inputs_len);
	w->outputs = get_list(o, "outputs", sizeof *w->outputs, &w->outputs_len);
	if (!w->options || !w->inputs || !w->outputs)
		return false;
	for (size_t i = 0; i < w->options_len; i++)
		if (!get_text(get_item(o, "options", i), "name", &w->options[i].name) ||
		    !get_text(get_item(o, "options", i), "text", &w->options[i].text))
			return false;
	for (size_t i = 0; i < w->inputs_len; i++)
		if (!get_input(get_item(o, "inputs", i), &w->inputs[i]))
			return false;
	for (size_t i = 0; i < w->outputs_len; i++)
		if (!get_output(get_item(o, "outputs", i), &w->outputs[i]))
			return false;
	return true;
}

/* Every lane has its place in the shared counters and in a pool. */
static bool lanes_fit(const struct fx_wiring *w, const struct fx_wired_lane *lanes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (lanes[i].stats >= w->stats_lanes || lanes[i].holder >= FX_POOL_HOLDERS ||
		    lanes[i].from >= w->stats_instances)
			return false;
	return true;
}

static bool wiring_fits(const struct fx_wiring *w)
{
	bool ok = w->index < w->stats_instances && w->instance < w->instances &&
		  (w->parts == 1 || w->parts == w->instances);

	for (size_t i = 0; i < w->inputs_len; i++)
		ok = ok && lanes_fit(w, w->inputs[i].lanes, w->inputs[i].lanes_len);
	for (size_t i = 0; i < w->outputs_len; i++)
		for (size_t e = 0; e < w->outputs[i].edges_len; e++)
			ok = ok && lanes_fit(w, w->outputs[i].edges[e].lanes,
					     w->outputs[i].edges[e].lanes_len);
	return ok;
}

static bool get_wiring(const json_t *o, struct fx_wiring *w)
{
	return get_text(o, "node", &w->node) && get_text(o, "type", &w->type) &&
	       get_text(o, "run_dir", &w->run_dir) && get_text(o, "scratch_dir", &w->scratch_dir) &&
	       get_text(o, "state_dir", &w->state_dir) && get_text(o, "dead_dir", &w->dead_dir) &&
	       get_bool(o, "keeps", &w->keeps) && get_unsigned(o, "save_mib", &w->save_mib) &&
	       get_unsigned(o, "conductor", &w->conductor) &&
	       get_unsigned(o, "instance", &w->instance) &&
	       get_unsigned(o, "instances", &w->instances) && get_unsigned(o, "parts", &w->parts) &&
	       get_unsigned(o, "epoch", &w->epoch) && get_size(o, "index", &w->index) &&
	       get_fd(o, "stats_fd", &w->stats_fd) &&
	       get_size(o, "stats_instances", &w->stats_instances) &&
	       get_size(o, "stats_lanes", &w->stats_lanes) && get_fd(o, "pool_fd", &w->pool_fd) &&
	       get_lists(o, w) && fx_guard_from_json(json_object_get(o, "guard"), &w->guard) &&
	       wiring_fits(w);
}

struct fx_wiring *fx_wiring_from_json(const char *text, size_t size, struct fx_error *err)
{
	json_error_t why;
	json_t *o = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	struct fx_wiring *w = calloc(1, sizeof *w);

	if (!o || !w || !get_wiring(o, w)) {
		fx_error_set(err, FX_EINVAL, "the wiring is not valid%s%s", o ? "" : ": ",
			     o ? "" : why.text);
		fx_wiring_free(w);
		w = NULL;
	}
	json_decref(o);
	return w;
}

static void lanes_free(struct fx_wired_lane *lanes, size_t len)
{
	for (size_t i = 0; lanes && i < len; i++)
		free(lanes[i].endpoint);
	free(lanes);
}

static void outputs_free(struct fx_wiring *w)
{
	for (size_t i = 0; i < w->outputs_len; i++) {
		struct fx_wired_output *o = &w->outputs[i];

		for (size_t e = 0; e < o->edges_len; e++) {
			lanes_free(o->edges[e].lanes, o->edges[e].lanes_len);
			free(o->edges[e].node);
			free(o->edges[e].port);
		}
		free(o->edges);
		free(o->port);
		free(o->endpoint);
	}
	free(w->outputs);
}

void fx_wiring_fini(struct fx_wiring *w)
{
	for (size_t i = 0; i < w->options_len; i++) {
		free(w->options[i].name);
		free(w->options[i].text);
	}
	for (size_t i = 0; i < w->inputs_len; i++) {
		lanes_free(w->inputs[i].lanes, w->inputs[i].lanes_len);
		free(w->inputs[i].port);
	}
	outputs_free(w);
	fx_guard_fini(&w->guard);
	free(w->options);
	free(w->inputs);
	free(w->node);
	free(w->type);
	free(w->run_dir);
	free(w->scratch_dir);
	free(w->state_dir);
	free(w->dead_dir);
	memset(w, 0, sizeof *w);
}

void fx_wiring_free(struct fx_wiring *w)
{
	if (!w)
		return;
	fx_wiring_fini(w);
	free(w);
}

int fx_wiring_files(const struct fx_wiring *w, struct fx_error *err)
{
	size_t lanes = 0;

	for (size_t i = 0; i < w->inputs_len; i++)
		lanes += w->inputs[i].lanes_len;
	for (size_t i = 0; i < w->outputs_len; i++)
		for (size_t e = 0; e < w->outputs[i].edges_len; e++)
			lanes += w->outputs[i].edges[e].lanes_len;
	return fx_spare_files(SPARE_FILES + 3 * lanes, err);
}
