// SPDX-License-Identifier: Apache-2.0
/* hosts_move.c: a host has vanished: what ran there runs elsewhere. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "conduct/hosts.h"

uint64_t fx__hosts_gone(const struct fx_hosts *hs)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < hs->len; i++)
		mask |= (uint64_t)hs->hosts[i].gone << i;
	return mask;
}

static bool text_set(char **text, char *value)
{
	if (!value)
		return false;
	free(*text);
	*text = value;
	return true;
}

void fx__hosts_infer(struct fx_run *r, size_t i)
{
	const struct fx_wiring *w = &r->plan->instances[i].wiring;

	for (size_t p = 0; p < w->inputs_len; p++)
		for (size_t k = 0; k < w->inputs[p].lanes_len; k++)
			fx_counters_infer(&r->stats.lanes[w->inputs[p].lanes[k].stats]);
}

int fx__instance_settle(struct fx_run *r, size_t i, unsigned host, struct fx_error *err)
{
	struct fx_hosts *hs = r->hosts;
	struct fx_plan_instance *inst = &r->plan->instances[i];
	const char *run_dir = host ? hs->hosts[host].run_dir : r->run_dir;

	inst->host = host;
	inst->threads = fx_plan_threads(r->plan, &hs->plan, i);
	if (!text_set(&inst->wiring.run_dir, fx_strdup(run_dir)) ||
	    !text_set(&inst->wiring.scratch_dir, fx_path_join(run_dir, "scratch")))
		return fx_error_set(err, FX_ENOMEM, "no memory");
	inst->wiring.pool_fd = -1;
	r->processes[i].known = false;
	r->processes[i].joins = 0;
	return FX_OK;
}

/* A place for instance @p i, whose host has gone. */
static int move_one(struct fx_run *r, size_t i, struct fx_error *err)
{
	struct fx_hosts *hs = r->hosts;

	if (fx_place_again(&hs->places, r->graph, &hs->costs, hs->slots, fx__hosts_gone(hs), i,
			   err) < 0 ||
	    fx__instance_settle(r, i, hs->places.host[i], err) < 0)
		return err->code;
	fx__hosts_infer(r, i);
	r->processes[i].vanished = true;
	return FX_OK;
}

/* Instance @p k reads output @p o of instance @p i by the way that it has now. */
static int lane_move(struct fx_run *r, size_t k, struct fx_wired_lane *lane,
		     const struct fx_wired_output *o, struct fx_error *err)
{
	if (!text_set(&lane->endpoint, fx_strdup(o->endpoint)))
		return fx_error_set(err, FX_ENOMEM, "no memory");
	lane->slots = false;
	lane->pool_fd = -1;
	fx_lane_reach(&r->stats.lanes[lane->stats], o->endpoint);
	fx__hosts_reach(r, k, lane->stats, o->endpoint);
	return FX_OK;
}

/* All that read output @p port of instance @p i are told where it is now. */
static int consumers_move(struct fx_run *r, size_t i, const struct fx_wired_output *o,
			  struct fx_error *err)
{
	for (size_t e = 0; e < o->edges_len; e++)
		for (size_t k = 0; k < r->plan->instances_len; k++) {
			struct fx_wiring *w = &r->plan->instances[k].wiring;

			for (size_t p = 0; p < w->inputs_len; p++)
				for (size_t l = 0;
				     strcmp(w->node, o->edges[e].node) == 0 &&
				     strcmp(w->inputs[p].port, o->edges[e].port) == 0 &&
				     l < w->inputs[p].lanes_len;
				     l++)
					if (w->inputs[p].lanes[l].from == i &&
					    lane_move(r, k, &w->inputs[p].lanes[l], o, err) < 0)
						return FX_ENOMEM;
		}
	return FX_OK;
}

int fx__instance_reach(struct fx_run *r, size_t i, struct fx_error *err)
{
	struct fx_plan_instance *inst = &r->plan->instances[i];

	for (size_t k = 0; k < inst->wiring.outputs_len; k++) {
		struct fx_wired_output *o = &inst->wiring.outputs[k];

		if (fx_plan_listen_again(r->plan, inst, &r->hosts->plan, o, err) < 0 ||
		    consumers_move(r, i, o, err) < 0)
			return FX_EIO;
	}
	return FX_OK;
}

/* It had ended well: nothing of it is needed any more. */
static bool is_done(const struct fx_run *r, size_t i)
{
	return fx__run_state(r, i) == FX_STATE_FINISHED;
}

void fx__hosts_move(struct fx_run *r, struct fx_host *gone)
{
	const unsigned host = (unsigned)(gone - r->hosts->hosts);
	struct fx_error err = { 0 };
	size_t n = 0;
	int result = FX_OK;

	gone->gone = true;
	fx_channel_close(&gone->channel);
	if (gone->pid)
		kill(gone->pid, SIGTERM);
	for (size_t i = 0; r->processes && i < r->plan->instances_len; i++)
		if (r->plan->instances[i].host == host)
			r->processes[i].away = false;
	if (r->hosts->ending || !r->processes || r->failure[0])
		return;
	for (size_t i = 0; i < r->plan->instances_len && result == FX_OK; i++)
		if (r->plan->instances[i].host == host && !is_done(r, i)) {
			snprintf(r->processes[i].killed, sizeof r->processes[i].killed,
				 "was on host %.60s, which has vanished", gone->graph->name);
			result = move_one(r, i, &err);
			r->processes[i].ended = r->processes[i].moved = true;
			n++;
		}
	for (size_t i = 0; i < r->plan->instances_len && result == FX_OK; i++)
		if (r->processes[i].moved)
			result = fx__instance_reach(r, i, &err);
	for (size_t i = 0; i < r->plan->instances_len; i++)
		r->processes[i].moved = false;
	if (result == FX_OK)
		fx_log(FX_LOG_WARN, "host %s has vanished: %zu processes go on elsewhere",
		       gone->graph->name, n);
	else if (!r->failure[0])
		snprintf(r->failure, sizeof r->failure,
			 "host %s has vanished, and what ran there can run nowhere else: %s",
			 gone->graph->name, err.text);
}
