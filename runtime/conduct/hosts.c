// SPDX-License-Identifier: Apache-2.0
/* hosts.c: agents on the other hosts of a run: started, asked, told, ended. */
#include "conduct/hosts.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "conduct/launch.h"

int fx__host_launch(struct fx_run *r, struct fx_host *h, struct fx_error *err)
{
	int to, from;

	free(h->log);
	h->log = fx_asprintf("%s/logs/host-%s.log", r->run_dir, h->graph->name);
	if (!h->log)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	h->pid = fx_launch(h->graph, h->log, &to, &from, err);
	if (h->pid < 0) {
		h->pid = 0;
		return FX_EIO;
	}
	h->heard_ns = fx_now_ns();
	return fx_channel_open(&h->channel, from, to, err);
}

/* It must be the same program: counters travel as they lie in memory. */
static int check_hello(struct fx_host *h, const json_t *hello, struct fx_error *err)
{
	const char *version = "?", *run_dir = "";
	int abi = 0, wire = 0, instance = 0, lane = 0;

	json_unpack((json_t *)(uintptr_t)hello, "{s:s, s:i, s:i, s:i, s:i, s:i, s:s}", "version",
		    &version, "abi", &abi, "wire", &wire, "instance_size", &instance, "lane_size",
		    &lane, "cpus", &h->cpus, "run_dir", &run_dir);
	if (strcmp(version, FX_VERSION_TEXT) != 0 || abi != FX_NODE_ABI ||
	    wire != FX_WIRE_VERSION || instance != sizeof(struct fx_instance_stats) ||
	    lane != sizeof(struct fx_lane_stats))
		return fx_error_set(
			err, FX_EINVAL,
			"host %s has fornix %.40s (wire %d, nodes %d), this is %s (wire "
			"%d, nodes %d): install the same on both, or say where it is "
			"with `command`",
			h->graph->name, version, wire, abi, FX_VERSION_TEXT, FX_WIRE_VERSION,
			FX_NODE_ABI);
	free(h->run_dir);
	h->run_dir = fx_strdup(run_dir);
	h->there = h->run_dir != NULL;
	return h->there ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory");
}

/* What the graph says, or else what the host knows of itself, as a pod does. */
static void find_address(struct fx_host *h, const char *told)
{
	struct in_addr a;

	if (!*h->graph->address && told && inet_pton(AF_INET, told, &a) == 1)
		snprintf(h->address, sizeof h->address, "%s", told);
	else
		snprintf(h->address, sizeof h->address, "%s", h->graph->address);
}

int fx__host_meet(struct fx_host *h, const json_t *hello, struct fx_error *err)
{
	if (check_hello(h, hello, err) < 0)
		return FX_EINVAL;
	find_address(h, json_string_value(json_object_get(hello, "address")));
	if (h->graph->launcher != FX_LAUNCH_LOCAL && !*h->address)
		return fx_error_set(err, FX_EINVAL,
				    "host %s has no address by which the others reach it: tell it "
				    "in the graph, or there by " FX_HOST_ADDRESS,
				    h->graph->name);
	fx__host_tell(h, json_pack("{s:{s:s, s:s}}", "welcome", "name", h->graph->name, "address",
				   *h->address ? h->address : "127.0.0.1"));
	return FX_OK;
}

static int meet(struct fx_run *r, struct fx_host *h, struct fx_error *err)
{
	const json_t *hello = fx__host_ask(r, h, "hello", FX_HOST_COMES_S, err);

	return hello ? fx__host_meet(h, hello, err) : FX_EIO;
}

/* What lies between hosts must be reached from both. */
static int check_here(const struct fx_graph *g, const struct fx_host *here, struct fx_error *err)
{
	for (size_t i = 1; i < g->hosts_len; i++)
		if (g->hosts[i].launcher != FX_LAUNCH_LOCAL && !*here->address)
			return fx_error_set(err, FX_EINVAL,
					    "%s: host %s has to reach this machine: add here: { "
					    "address: ... } to the hosts",
					    g->file, g->hosts[i].name);
	return FX_OK;
}

void fx__host_enter(struct fx_run *r, struct fx_host *h)
{
	struct fx_hosts *hs = r->hosts;
	const size_t i = (size_t)(h - hs->hosts);

	hs->slots[i] = h->graph->slots ? h->graph->slots : h->cpus > 0 ? h->cpus : 1;
	hs->told[i] = (struct fx_plan_host){
		.run_dir = h->run_dir,
		.address = *h->address ? h->address : NULL,
		.cpus = hs->slots[i],
	};
}

static int place(struct fx_run *r, struct fx_error *err)
{
	struct fx_hosts *hs = r->hosts;
	const char *measured = r->options->measured;
	int result = measured ? fx_costs_read(&hs->costs, r->graph, measured, err) :
				fx_costs_guess(&hs->costs, r->graph, err);

	for (size_t i = 0; i < hs->len; i++)
		fx__host_enter(r, &hs->hosts[i]);
	if (result == FX_OK)
		result = fx_place(&hs->places, r->graph, &hs->costs, hs->slots, fx__hosts_gone(hs),
				  err);
	hs->plan = (struct fx_plan_hosts){ &hs->places, hs->told, fx__hosts_listen_at, r };
	return result;
}

/* A file that those see who share the folder. */
static int token_write(struct fx_run *r, struct fx_error *err)
{
	uint8_t bytes[16] = { 0 };
	char *path = fx_path_join(r->state_dir, "token");
	int result = path ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory");

	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		result = fx_error_set(err, FX_EIO, "no random numbers");
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(r->hosts->token + 2 * i, 3, "%02x", bytes[i]);
	if (result == FX_OK)
		result = fx_file_write(path, r->hosts->token, strlen(r->hosts->token), err);
	free(path);
	return result;
}

/* The hosts of the graph, none of them started; here is there. */
static int make_hosts(struct fx_run *r, struct fx_error *err)
{
	const struct fx_graph *g = r->graph;
	struct fx_hosts *hs = r->hosts = fx_calloc(1, sizeof *hs);

	if (hs) {
		fx_door_init(&hs->door);
		hs->hosts = fx_calloc(g->hosts_len, sizeof *hs->hosts);
		hs->told = fx_calloc(g->hosts_len, sizeof *hs->told);
	}
	if (!hs || !hs->hosts || !hs->told)
		return fx_error_set(err, FX_ENOMEM, "no memory for the hosts");
	hs->len = g->hosts_len;
	for (size_t i = 0; i < hs->len; i++) {
		hs->hosts[i].graph = &g->hosts[i];
		hs->hosts[i].gone = g->hosts[i].joins;
	}
	hs->hosts[0].cpus = fx_cpu_count();
	find_address(&hs->hosts[0], getenv(FX_HOST_ADDRESS));
	return check_here(g, &hs->hosts[0], err);
}

int fx__hosts_begin(struct fx_run *r, struct fx_error *err)
{
	struct fx_hosts *hs;
	int result;

	if (r->graph->hosts_len < 2)
		return FX_OK;
	result = make_hosts(r, err);
	if (result < 0)
		return result;
	hs = r->hosts;
	if (!r->guard.has_keys && fx_keys_fresh(&r->guard.keys, err) < 0)
		return FX_EIO;
	r->guard.has_keys = true;
	result = token_write(r, err);
	if (result == FX_OK)
		result = fx_door_open(&hs->door, r->run_dir, err);
	for (size_t i = 1; result == FX_OK && i < hs->len; i++)
		result = hs->hosts[i].gone ? FX_OK : fx__host_launch(r, &hs->hosts[i], err);
	for (size_t i = 1; result == FX_OK && i < hs->len; i++)
		result = hs->hosts[i].gone ? FX_OK : meet(r, &hs->hosts[i], err);
	return result == FX_OK ? place(r, err) : result;
}

const struct fx_plan_hosts *fx__hosts_plan(const struct fx_run *r)
{
	return r->hosts ? &r->hosts->plan : NULL;
}

const char *fx__hosts_name(const struct fx_run *r, size_t i)
{
	return r->graph->hosts_len > 1 ? r->graph->hosts[r->plan->instances[i].host].name : NULL;
}

void fx__host_give(struct fx_run *r, struct fx_host *h)
{
	fx__host_tell(h, json_pack("{s:{s:I, s:I, s:s, s:s}}", "begin", "instances",
				   (json_int_t)r->plan->instances_len, "lanes",
				   (json_int_t)r->plan->lanes_len, "state_dir", r->state_dir,
				   "token", r->hosts->token));
}

int fx__hosts_give(struct fx_run *r, struct fx_error *err)
{
	struct fx_hosts *hs = r->hosts;

	if (!hs)
		return FX_OK;
	if (fx_counters_init(&hs->counters, &r->stats, err) < 0)
		return FX_ENOMEM;
	for (size_t i = 0; r->resumed && i < r->stats.lanes_len; i++)
		fx_counters_infer(&r->stats.lanes[i]);
	for (size_t i = 1; i < hs->len; i++)
		if (!hs->hosts[i].gone)
			fx__host_give(r, &hs->hosts[i]);
	for (size_t i = 1; i < hs->len; i++) {
		struct fx_host *h = &hs->hosts[i];
		const json_t *a =
			h->gone ? NULL : fx__host_ask(r, h, "begun", FX_HOST_ANSWERS_S, err);

		if (!a && !h->gone)
			return FX_EIO;
		h->shared = json_is_true(json_object_get(a, "shared"));
	}
	return FX_OK;
}

static struct fx_host *host_of(struct fx_run *r, size_t i)
{
	return &r->hosts->hosts[r->plan->instances[i].host];
}

int fx__hosts_listen_at(void *context, unsigned host, size_t i, unsigned port, char **endpoint,
			struct fx_error *err)
{
	struct fx_run *r = context;
	struct fx_host *h = &r->hosts->hosts[host];
	const json_t *a;

	fx__host_tell(h, json_pack("{s:{s:I, s:i}}", "listen", "instance", (json_int_t)i, "port",
				   (int)port));
	a = fx__host_ask(r, h, "listening", FX_HOST_ANSWERS_S, err);
	*endpoint = fx_strdup(json_string_value(a));
	return a ? FX_OK : FX_EIO;
}

int fx__hosts_start(struct fx_run *r, size_t i, struct fx_error *err)
{
	struct fx_host *h = host_of(r, i);
	const struct fx_plan_instance *inst = &r->plan->instances[i];
	const struct fx_graph_node *n = &r->graph->nodes[inst->node];
	struct fx_counters *c = &r->hosts->counters;
	char *wiring;

	if (!h->shared && !n->type->stateless)
		return fx_error_set(err, FX_EINVAL,
				    "%s keeps state, and host %s does not see %s: give an `out` "
				    "that all hosts share, or add host: here to the node",
				    n->name, h->graph->name, r->state_dir);
	wiring = fx_wiring_to_json(&inst->wiring);
	fx_counters_begin(c);
	if (!wiring || fx_counters_put(c, &r->stats, &inst->wiring, true) < 0) {
		free(wiring);
		return fx_error_set(err, FX_ENOMEM, "no memory to start %s", n->name);
	}
	if (!r->processes[i].known)
		fx_channel_send(&h->channel, FX_CHANNEL_COUNTERS, c->bytes, c->len);
	fx__host_tell(h, json_pack("{s:{s:I, s:i, s:f, s:f, s:b, s:s}}", "start", "instance",
				   (json_int_t)i, "threads", inst->threads, "limit_mib",
				   n->bounds.limit_mib, "hang_s",
				   n->bounds.has_hang ? n->bounds.hang_s : r->options->hang_s,
				   "has_hang", n->bounds.has_hang, "wiring", wiring));
	explicit_bzero(wiring, strlen(wiring)); /* it holds a secret key */
	free(wiring);
	r->processes[i].known = r->processes[i].away = true;
	r->processes[i].words[0] = 0;
	return FX_OK;
}

void fx__hosts_signal(struct fx_run *r, size_t i, int number)
{
	fx__host_tell(host_of(r, i), json_pack("{s:{s:I, s:i}}", "signal", "instance",
					       (json_int_t)i, "number", number));
}

void fx__hosts_aside(struct fx_run *r, size_t i, const struct fx_aside *a)
{
	if (r->plan->instances[i].host)
		fx__host_tell(host_of(r, i),
			      json_pack("{s:{s:I, s:I, s:I, s:s}}", "aside", "instance",
					(json_int_t)i, "port", (json_int_t)a->port, "seq",
					(json_int_t)a->seq, "cause", a->cause));
}

void fx__hosts_reach(struct fx_run *r, size_t i, size_t lane, const char *endpoint)
{
	if (r->plan->instances[i].host && !host_of(r, i)->gone)
		fx__host_tell(host_of(r, i), json_pack("{s:{s:I, s:s}}", "reach", "lane",
						       (json_int_t)lane, "endpoint", endpoint));
}

/* The launcher has ended, and with it the agent, unless ssh has only lost it. */
void fx__host_reap(struct fx_host *h)
{
	if (h->pid && waitpid(h->pid, &h->status, WNOHANG) == h->pid)
		h->pid = 0;
}

static bool is_lost(const struct fx_host *h, int64_t now)
{
	enum { SSH_FAILED = 255 };
	const bool cut = h->graph->launcher == FX_LAUNCH_SSH && WIFEXITED(h->status) &&
			 WEXITSTATUS(h->status) == SSH_FAILED;

	if (h->channel.closed && !h->pid && !cut)
		return true;
	return now - h->heard_ns > FX_HOST_LOST_S * INT64_C(1000000000);
}

void fx__hosts_pump(struct fx_run *r)
{
	const int64_t now = fx_now_ns();

	for (size_t i = 1; r->hosts && i < r->hosts->len; i++) {
		struct fx_host *h = &r->hosts->hosts[i];

		if (h->gone)
			continue;
		fx__host_reap(h);
		if (now - h->pinged_ns > FX_HOST_PING_MS * INT64_C(1000000)) {
			fx__host_tell(h, json_pack("{s:b}", "ping", 1));
			h->pinged_ns = now;
		}
		fx__host_listen(r, h);
		if (is_lost(h, now))
			fx__hosts_move(r, h);
	}
}

static void host_end(struct fx_host *h)
{
	const int64_t until = fx_now_ns() + FX_HOST_SILENCE_S * INT64_C(1000000000);
	struct fx_error err = { 0 };

	while (h->pid && fx_now_ns() < until && fx_channel_pump(&h->channel, &err) == FX_OK) {
		enum fx_channel_kind kind;
		const char *bytes;
		size_t size;

		while (fx_channel_next(&h->channel, &kind, &bytes, &size))
			;
		fx__host_reap(h);
		if (h->pid)
			fx_sleep_ms(5);
	}
	fx_channel_close(&h->channel);
	if (h->pid && waitpid(h->pid, &h->status, WNOHANG) != h->pid) {
		kill(h->pid, SIGTERM);
		waitpid(h->pid, &h->status, 0);
	}
	h->pid = 0;
	if (h->gone && h->run_dir && h->graph->launcher == FX_LAUNCH_LOCAL)
		fx_remove_tree(h->run_dir, NULL); /* here, where no one else does it */
	free(h->run_dir);
	free(h->log);
	fx_graph_host_fini(&h->own);
}

void fx__hosts_end(struct fx_run *r)
{
	struct fx_hosts *hs = r->hosts;

	if (!hs)
		return;
	hs->ending = true;
	fx_door_close(&hs->door);
	for (size_t i = 0; r->processes && i < r->plan->instances_len; i++)
		if (r->processes[i].vanished) /* its producers have told more since */
			fx__hosts_infer(r, i);
	for (size_t i = 1; hs->hosts && i < hs->len; i++)
		if (hs->hosts[i].pid)
			fx__host_tell(&hs->hosts[i], json_pack("{s:b}", "end", 1));
	for (size_t i = 1; hs->hosts && i < hs->len; i++)
		host_end(&hs->hosts[i]);
	fx_counters_fini(&hs->counters);
	fx_costs_fini(&hs->costs);
	fx_places_fini(&hs->places);
	json_decref(hs->answer);
	free(hs->hosts);
	free(hs->told);
	free(hs);
	r->hosts = NULL;
}
