// SPDX-License-Identifier: Apache-2.0
/* hosts_join.c: a host joins while the run goes on, and takes its share of the workers. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "conduct/hosts.h"

/* What the one who asks may tell of the host; the rest is the graph's. */
static const char *const told_keys[] = { "address", "launcher", "login",
					 "command", "options",	"slots" };

static void refuse(struct fx_run *r, const char *why)
{
	fx_door_answer(&r->hosts->door, json_pack("{s:s}", "error", why));
}

static bool may_tell(const char *key)
{
	for (size_t i = 0; i < sizeof told_keys / sizeof *told_keys; i++)
		if (strcmp(key, told_keys[i]) == 0)
			return true;
	return false;
}

/* The host as the graph and @p question tell of it. */
static int describe(struct fx_graph_host *h, const struct fx_graph_host *graph, json_t *question,
		    struct fx_error *err)
{
	json_t *value;
	const char *key;

	if (fx_graph_host_copy(h, graph, err) < 0)
		return FX_ENOMEM;
	json_object_foreach(json_object_get(question, "set"), key, value)
	{
		const char *text = json_string_value(value);

		if (!text || !may_tell(key))
			return fx_error_set(err, FX_EINVAL,
					    "%.60s cannot be told now: address, launcher, login, "
					    "command, options and slots can",
					    key);
		if (fx_graph_host_set(h, key, text, err) < 0)
			return FX_EINVAL;
	}
	return fx_graph_host_check(h, err);
}

static struct fx_host *find(struct fx_run *r, const char *name, struct fx_error *err)
{
	char list[400] = "";
	size_t used = 0;

	for (size_t i = 1; i < r->hosts->len; i++) {
		struct fx_host *h = &r->hosts->hosts[i];
		int n;

		if (name && strcmp(h->graph->name, name) == 0)
			return h;
		n = h->gone ? snprintf(list + used, sizeof list - used, " %s", h->graph->name) : 0;
		used = n < 0 || used + (size_t)n >= sizeof list ? used : used + (size_t)n;
		list[used] = 0;
	}
	fx_error_set(err, FX_EINVAL, "the graph has no host \"%.60s\"; those that may join:%s",
		     name ? name : "", *list ? list : " none");
	return NULL;
}

/* Starts its agent. */
static int begin(struct fx_run *r, struct fx_host *h, json_t *question, struct fx_error *err)
{
	struct fx_graph_host own = { 0 };

	fx__host_reap(h);
	if (!h->gone)
		return fx_error_set(err, FX_EINVAL, "it is there already");
	if (h->pid)
		return fx_error_set(err, FX_EINVAL, "what started it before has not ended yet");
	if (describe(&own, &r->graph->hosts[h - r->hosts->hosts], question, err) < 0) {
		fx_graph_host_fini(&own);
		return err->code;
	}
	fx_graph_host_fini(&h->own);
	h->own = own;
	h->graph = &h->own;
	h->there = false;
	if (own.launcher != FX_LAUNCH_LOCAL && !*r->hosts->hosts[0].address)
		return fx_error_set(err, FX_EINVAL,
				    "it cannot reach the machine of the run, which has no address: "
				    "add here: { address: ... } to the hosts of the graph");
	h->joins_ns = fx_now_ns();
	return fx__host_launch(r, h, err);
}

static void hear_question(struct fx_run *r)
{
	json_t *question = fx_door_hear(&r->hosts->door);
	const char *name = json_string_value(json_object_get(question, "join"));
	struct fx_error err = { 0 };
	struct fx_host *h = question ? find(r, name, &err) : NULL;

	if (h && begin(r, h, question, &err) == FX_OK)
		h->joins = true;
	else if (question)
		refuse(r, err.text);
	json_decref(question);
}

/* It does not come: the run goes on as it was. */
static void give_up(struct fx_run *r, struct fx_host *h, const struct fx_error *err)
{
	fx_log(FX_LOG_WARN, "host %s does not join: %s", h->graph->name, err->text);
	fx_channel_close(&h->channel);
	if (h->pid)
		kill(h->pid, SIGTERM);
	h->joins = false;
	refuse(r, err->text);
}

/* A living process that can be ended here and begun there: it keeps nothing, and what it reads can
 * be read from there. */
static bool may_move(const struct fx_run *r, size_t i)
{
	const struct fx_plan_instance *inst = &r->plan->instances[i];
	const struct fx_wiring *w = &inst->wiring;

	if (!r->graph->nodes[inst->node].type->stateless || r->processes[i].joins ||
	    !fx__process_runs(r, i) || fx__run_state(r, i) != FX_STATE_RUNNING)
		return false;
	for (size_t p = 0; p < w->inputs_len; p++)
		for (size_t k = 0; k < w->inputs[p].lanes_len; k++)
			if (w->inputs[p].lanes[k].slots ||
			    strncmp(w->inputs[p].lanes[k].endpoint, "tcp:", 4) != 0)
				return false;
	return true;
}

/* Its share of the processes is ended where it runs. The names of those. */
static json_t *take_share(struct fx_run *r, struct fx_host *h)
{
	struct fx_hosts *hs = r->hosts;
	const unsigned host = (unsigned)(h - hs->hosts);
	bool *may = fx_calloc(r->plan->instances_len, sizeof *may);
	json_t *names = json_array();
	char name[96];
	size_t i;

	for (i = 0; may && i < r->plan->instances_len; i++)
		may[i] = may_move(r, i);
	while (may && fx_place_share(&hs->places, r->graph, &hs->costs, hs->slots, host, may, &i) ==
			      FX_OK) {
		may[i] = false;
		r->processes[i].joins = host;
		fx__process_signal(r, i, SIGKILL);
		snprintf(name, sizeof name, "%s.%u", r->plan->instances[i].wiring.node,
			 r->plan->instances[i].wiring.instance);
		json_array_append_new(names, json_string(name));
	}
	free(may);
	return names;
}

/* Its agent is ready. */
static void adopt(struct fx_run *r, struct fx_host *h, bool shared)
{
	json_t *names;

	h->shared = shared;
	h->joins = h->gone = false;
	fx__host_enter(r, h);
	names = take_share(r, h);
	fx_log(FX_LOG_INFO, "host %s has joined and takes %zu processes", h->graph->name,
	       json_array_size(names));
	fx_door_answer(&r->hosts->door,
		       json_pack("{s:s, s:o}", "joined", h->graph->name, "processes", names));
}

/* What an agent that is being met has said. */
static void go_on(struct fx_run *r, struct fx_host *h)
{
	struct fx_hosts *hs = r->hosts;
	const json_t *hello = json_object_get(hs->answer, "hello"),
		     *begun = json_object_get(hs->answer, "begun");
	const char *error = json_string_value(json_object_get(hs->answer, "error"));
	struct fx_error err = { 0 };

	if (begun && h->there)
		adopt(r, h, json_is_true(json_object_get(begun, "shared")));
	else if (hello && !h->there && fx__host_meet(h, hello, &err) == FX_OK)
		fx__host_give(r, h);
	else if (error)
		fx_error_set(&err, FX_EIO, "%s", error);
	else if (h->channel.closed)
		fx__host_silent(h, "does not come", &err);
	else if (fx_now_ns() - h->joins_ns > FX_HOST_COMES_S * INT64_C(1000000000))
		fx__host_silent(h, "does not answer", &err);
	json_decref(hs->answer);
	hs->answer = NULL;
	if (err.code)
		give_up(r, h, &err);
}

void fx__hosts_join(struct fx_run *r)
{
	bool any = false;

	for (size_t i = 1; r->hosts && i < r->hosts->len; i++) {
		struct fx_host *h = &r->hosts->hosts[i];

		if (!h->joins)
			continue;
		any = true;
		json_decref(r->hosts->answer);
		r->hosts->answer = NULL;
		fx__host_listen(r, h);
		go_on(r, h);
	}
	if (r->hosts && !any && r->started_s > 0) /* what still starts could not move */
		hear_question(r);
}

bool fx__hosts_joined(struct fx_run *r, size_t i, struct fx_error *err)
{
	struct fx_process *p = &r->processes[i];
	const unsigned host = p->joins;

	if (!host)
		return false;
	p->ended = false;
	p->joins = 0;
	if (fx__run_state(r, i) == FX_STATE_FINISHED) /* just before: nothing of it is needed */
		return true;
	if (r->hosts->hosts[host].gone) { /* again: it stays */
		r->hosts->places.host[i] = r->plan->instances[i].host;
	} else if (fx__instance_settle(r, i, host, err) < 0 || fx__instance_reach(r, i, err) < 0) {
		return true;
	} else {
		p->moves++;
	}
	fx__process_start(r, i, err);
	return true;
}
