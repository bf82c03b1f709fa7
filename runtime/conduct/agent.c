// SPDX-License-Identifier: Apache-2.0
/* agent.c: the hands of the conductor on another host: starts, watches and ends processes there,
 * and tells what they count. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/cpu.h"
#include "base/file.h"
#include "base/spare.h"
#include "conduct/hosts.h"
#include "link/pool.h"

enum { TICK_MS = 20, TELL_MS = 100, ALIVE_MS = 1000, SPARE_FILES = 16, INSTANCES_MAX = 1 << 16 };

/* A socket that listens for an output, so that no other takes its port. */
struct listening {
	size_t instance;
	unsigned port;
	int fd;
	char *endpoint; /* owned */
};

/* The processes are those of a run of its own: its graph has one node a process. */
struct agent {
	struct fx_run run;
	struct fx_run_options options;
	struct fx_graph graph;
	struct fx_plan plan;
	const struct fx_registry *registry;
	struct fx_channel channel;
	struct fx_counters counters;
	int *pools; /* owned: by instance, or -1 */
	struct listening *listening;
	size_t listening_len, listening_cap;
	char *address, *state_dir; /* owned */
	int stats_fd;
	bool shared, ending;
	int64_t heard_ns, told_ns, alive_ns;
};

static void tell(struct agent *a, json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;

	if (text)
		fx_channel_send(&a->channel, FX_CHANNEL_JSON, text, strlen(text));
	free(text);
	json_decref(message);
}

static void tell_error(struct agent *a, const struct fx_error *err)
{
	tell(a, json_pack("{s:s}", "error", err->text));
}

static void say_hello(struct agent *a)
{
	const char *address = getenv(FX_HOST_ADDRESS);

	tell(a, json_pack("{s:{s:s, s:i, s:i, s:i, s:i, s:i, s:s, s:s*}}", "hello", "version",
			  FX_VERSION_TEXT, "abi", FX_NODE_ABI, "wire", FX_WIRE_VERSION,
			  "instance_size", (int)sizeof(struct fx_instance_stats), "lane_size",
			  (int)sizeof(struct fx_lane_stats), "cpus", fx_cpu_count(), "run_dir",
			  a->run.run_dir, "address", address));
}

/* True when this host sees the conductor's folder: the token that it has put there. */
static bool sees(const char *state_dir, const char *token)
{
	char *path = fx_path_join(state_dir, "token");
	struct fx_error err = { 0 };
	void *text = NULL;
	size_t size;
	const bool same = path && fx_file_read(path, 64, &text, &size, &err) == FX_OK &&
			  strcmp(text, token) == 0;

	free(text);
	free(path);
	return same;
}

/* Its processes hold the folder of the state locked together, so that no later run begins before
 * they have ended. */
static int hold_state(struct agent *a, struct fx_error *err)
{
	char *path = fx_path_join(a->state_dir, FX_STATE_HOLD);
	const int fd = path ? open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600) : -1;

	free(path);
	if (fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0) {
		a->run.state_lock = fd;
		return FX_OK;
	}
	if (fd >= 0)
		close(fd);
	return fx_error_set(err, FX_EIO, "cannot lock %s: %s", a->state_dir, strerror(errno));
}

static int begin_state(struct agent *a, const char *state_dir, const char *token,
		       struct fx_error *err)
{
	a->shared = sees(state_dir, token);
	a->state_dir = a->shared ? fx_strdup(state_dir) : fx_path_join(a->run.run_dir, "state");
	if (!a->state_dir)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	if (!a->shared && fx_make_dirs(a->state_dir, err) < 0)
		return FX_EIO;
	return hold_state(a, err);
}

static int begin_counters(struct agent *a, size_t instances, size_t lanes, struct fx_error *err)
{
	char *path = fx_path_join(a->run.run_dir, "counters");

	a->stats_fd = path ? fx_stats_open(path, instances, lanes, err) : FX_ENOMEM;
	free(path);
	if (a->stats_fd < 0 || fx_stats_map(&a->run.stats, a->stats_fd, instances, lanes, err) < 0)
		return FX_EIO;
	return fx_counters_init(&a->counters, &a->run.stats, err);
}

static int begin(struct agent *a, json_t *o, struct fx_error *err)
{
	json_int_t instances = 0, lanes = 0;
	const char *state_dir, *token;

	if (a->plan.instances ||
	    json_unpack(o, "{s:I, s:I, s:s, s:s}", "instances", &instances, "lanes", &lanes,
			"state_dir", &state_dir, "token", &token) != 0 ||
	    instances < 1 || instances > INSTANCES_MAX || lanes < 0 || lanes > 1 << 24)
		return fx_error_set(err, FX_ETYPE, "a wrong beginning");
	a->plan.instances_len = a->graph.nodes_len = (size_t)instances;
	a->plan.instances = fx_calloc((size_t)instances, sizeof *a->plan.instances);
	a->graph.nodes = fx_calloc((size_t)instances, sizeof *a->graph.nodes);
	a->run.processes = fx_calloc((size_t)instances, sizeof *a->run.processes);
	if (!a->plan.instances || !a->graph.nodes || !a->run.processes)
		return fx_error_set(err, FX_ENOMEM, "no memory for the run");
	a->pools = fx_calloc((size_t)instances, sizeof *a->pools);
	for (size_t i = 0; a->pools && i < (size_t)instances; i++) {
		a->pools[i] = -1;
		a->plan.instances[i].node = i;
	}
	if (!a->pools || begin_counters(a, (size_t)instances, (size_t)lanes, err) < 0 ||
	    begin_state(a, state_dir, token, err) < 0)
		return FX_EIO;
	tell(a, json_pack("{s:{s:b}}", "begun", "shared", a->shared));
	return FX_OK;
}

static struct listening *listening_of(const struct agent *a, size_t instance, unsigned port)
{
	for (size_t i = 0; i < a->listening_len; i++)
		if (a->listening[i].instance == instance && a->listening[i].port == port)
			return &a->listening[i];
	return NULL;
}

static int listen_for(struct agent *a, json_t *o, struct fx_error *err)
{
	json_int_t instance;
	int port;
	struct listening *l;

	if (json_unpack(o, "{s:I, s:i}", "instance", &instance, "port", &port) != 0 ||
	    instance < 0 || instance >= INSTANCES_MAX || port < 0)
		return fx_error_set(err, FX_ETYPE, "a wrong request to listen");
	l = listening_of(a, (size_t)instance, (unsigned)port);
	if (!l) {
		char *endpoint;
		int fd;

		if (!fx_grow(&a->listening, &a->listening_cap, a->listening_len + 1, sizeof *l))
			return fx_error_set(err, FX_ENOMEM, "no memory");
		fd = fx_plan_listen(a->address, &endpoint, err);
		if (fd < 0)
			return FX_EIO;
		l = &a->listening[a->listening_len++];
		*l = (struct listening){ (size_t)instance, (unsigned)port, fd, endpoint };
	}
	tell(a, json_pack("{s:s}", "listening", l->endpoint));
	return FX_OK;
}

static int pool_of(struct agent *a, size_t instance, struct fx_error *err)
{
	if (a->pools[instance] < 0)
		a->pools[instance] = fx_pool_create(FX_POOL_SLOTS_MAX, err);
	return a->pools[instance];
}

/* What of a wiring is of this host: descriptors and folders. */
static int adapt(struct agent *a, struct fx_wiring *w, const struct fx_node_type *type,
		 struct fx_error *err)
{
	char *state_dir = fx_strdup(a->state_dir);

	if (!state_dir)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	free(w->state_dir);
	w->state_dir = state_dir;
	w->stats_fd = a->stats_fd;
	w->pool_fd = -1;
	for (size_t i = 0; i < w->outputs_len; i++) {
		const int port = fx_type_port(type, w->outputs[i].port, FX_OUT);
		const struct listening *l = listening_of(a, w->index, (unsigned)port);

		w->outputs[i].listen_fd = l ? l->fd : -1;
		if (w->outputs[i].slots && (w->pool_fd = pool_of(a, w->index, err)) < 0)
			return FX_EIO;
	}
	for (size_t i = 0; i < w->inputs_len; i++)
		for (size_t k = 0; k < w->inputs[i].lanes_len; k++) {
			struct fx_wired_lane *lane = &w->inputs[i].lanes[k];

			lane->pool_fd = lane->slots ? pool_of(a, lane->from, err) : -1;
			if (lane->slots && lane->pool_fd < 0)
				return FX_EIO;
		}
	return FX_OK;
}

/* What the supervisor of this host must know of the node. */
static int describe(struct agent *a, size_t i, const struct fx_wiring *w,
		    const struct fx_node_type *type, struct fx_error *err)
{
	struct fx_graph_node *n = &a->graph.nodes[i];

	free(n->name);
	n->name = fx_strdup(w->node);
	n->type = type;
	n->workers = 1;
	return n->name ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory");
}

static int start(struct agent *a, json_t *o, struct fx_error *err)
{
	struct fx_wiring *w;
	const struct fx_node_type *type;
	struct fx_bounds *b;
	const char *text;
	json_int_t i;
	int threads, has_hang, result;
	double limit, hang;

	if (json_unpack(o, "{s:I, s:i, s:f, s:f, s:b, s:s}", "instance", &i, "threads", &threads,
			"limit_mib", &limit, "hang_s", &hang, "has_hang", &has_hang, "wiring",
			&text) != 0 ||
	    !a->plan.instances || i < 0 || (size_t)i >= a->plan.instances_len ||
	    fx__process_runs(&a->run, (size_t)i))
		return fx_error_set(err, FX_ETYPE, "a wrong request to start a process");
	w = fx_wiring_from_json(text, strlen(text), err);
	if (!w)
		return FX_ETYPE;
	type = fx_registry_find(a->registry, w->type, err);
	if (w->index != (size_t)i || w->stats_instances != a->plan.instances_len)
		result = fx_error_set(err, FX_ETYPE, "a wiring of another run");
	else
		result = type ? adapt(a, w, type, err) : FX_EINVAL;
	if (result == FX_OK)
		result = describe(a, (size_t)i, w, type, err);
	if (result < 0) {
		fx_wiring_free(w);
		return result;
	}
	b = &a->graph.nodes[i].bounds;
	b->limit_mib = limit;
	b->has_hang = has_hang || hang != 0;
	b->hang_s = hang < 0 ? 0 : hang;
	fx_wiring_fini(&a->plan.instances[i].wiring);
	a->plan.instances[i].wiring = *w;
	a->plan.instances[i].threads = threads;
	free(w);
	return fx__process_start(&a->run, (size_t)i, err);
}

/* Counters of a process as they are, before its end is told or as time goes. */
static void tell_counters(struct agent *a, bool alive)
{
	fx_counters_begin(&a->counters);
	for (size_t i = 0; i < a->plan.instances_len; i++)
		if (a->plan.instances[i].wiring.node)
			fx_counters_put(&a->counters, &a->run.stats, &a->plan.instances[i].wiring,
					false);
	if (alive || fx_counters_any(&a->counters))
		fx_channel_send(&a->channel, FX_CHANNEL_COUNTERS, a->counters.bytes,
				a->counters.len);
	a->told_ns = fx_now_ns();
}

static void tell_exit(struct agent *a, size_t i)
{
	struct fx_process *p = &a->run.processes[i];
	char words[320] = "";
	char *log = fx__process_log(&a->run, i);

	if (log)
		fx__last_words(log, words, sizeof words);
	free(log);
	tell_counters(a, false);
	tell(a,
	     json_pack("{s:{s:I, s:i, s:b, s:s, s:s}}", "exit", "instance", (json_int_t)i, "status",
		       p->status, "hopeless", p->hopeless, "killed", p->killed, "words", words));
	p->ended = false;
}

/* It could not be started: as if it had ended at once, with these words. */
static void tell_unborn(struct agent *a, json_t *o, const struct fx_error *err)
{
	enum { EXIT_FAILED = 1 << 8 };

	tell(a, json_pack("{s:{s:I, s:i, s:b, s:s, s:s}}", "exit", "instance",
			  json_integer_value(json_object_get(o, "instance")), "status", EXIT_FAILED,
			  "hopeless", 1, "killed", err->text, "words", ""));
}

static void send_signal(struct agent *a, json_t *o)
{
	json_int_t i = -1;
	int number = 0;

	json_unpack(o, "{s:I, s:i}", "instance", &i, "number", &number);
	if (i >= 0 && (size_t)i < a->plan.instances_len)
		fx__process_signal(&a->run, (size_t)i, number);
}

static void set_aside(struct agent *a, json_t *o)
{
	json_int_t i = -1, port = 0, seq = 0;
	const char *cause = "";
	struct fx_instance_stats *s;
	uint32_t n;

	json_unpack(o, "{s:I, s:I, s:I, s:s}", "instance", &i, "port", &port, "seq", &seq, "cause",
		    &cause);
	if (i < 0 || (size_t)i >= a->plan.instances_len)
		return;
	s = &a->run.stats.instances[i];
	n = atomic_load(&s->aside_len);
	if (n >= FX_STATS_ASIDE)
		return;
	s->aside[n].port = (uint32_t)port;
	s->aside[n].seq = (uint64_t)seq;
	snprintf(s->aside[n].cause, sizeof s->aside[n].cause, "%s", cause);
	atomic_store(&s->aside_len, n + 1);
}

/* The other end of a lane is now elsewhere. */
static void set_reach(struct agent *a, json_t *o)
{
	json_int_t lane = -1;
	const char *endpoint = "";

	json_unpack(o, "{s:I, s:s}", "lane", &lane, "endpoint", &endpoint);
	if (lane >= 0 && (size_t)lane < a->run.stats.lanes_len)
		fx_lane_reach(&a->run.stats.lanes[lane], endpoint);
}

static void welcome(struct agent *a, const json_t *o)
{
	const char *name = json_string_value(json_object_get(o, "name"));

	free(a->address);
	a->address = fx_strdup(json_string_value(json_object_get(o, "address")));
	if (name)
		fx_log_setup(FX_LOG_INFO, name);
}

static void obey(struct agent *a, const char *text, size_t size)
{
	json_t *all = json_loadb(text, size, 0, NULL), *o;
	struct fx_error err = { 0 };

	if ((o = json_object_get(all, "welcome")))
		welcome(a, o);
	else if ((o = json_object_get(all, "begin"))) {
		if (begin(a, o, &err) < 0)
			tell_error(a, &err);
	} else if ((o = json_object_get(all, "listen"))) {
		if (listen_for(a, o, &err) < 0)
			tell_error(a, &err);
	} else if ((o = json_object_get(all, "start"))) {
		if (start(a, o, &err) < 0)
			tell_unborn(a, o, &err);
	} else if ((o = json_object_get(all, "signal"))) {
		send_signal(a, o);
	} else if ((o = json_object_get(all, "aside"))) {
		set_aside(a, o);
	} else if ((o = json_object_get(all, "reach"))) {
		set_reach(a, o);
	} else if (json_object_get(all, "end")) {
		a->ending = true;
	}
	json_decref(all);
}

static void hear(struct agent *a)
{
	struct fx_error err = { 0 };
	enum fx_channel_kind kind;
	const char *bytes;
	size_t size;
	const int result = fx_channel_pump(&a->channel, &err);

	if (result != FX_OK)
		a->ending = true;
	while (result == FX_OK && fx_channel_next(&a->channel, &kind, &bytes, &size)) {
		a->heard_ns = fx_now_ns();
		if (kind == FX_CHANNEL_JSON)
			obey(a, bytes, size);
		else if (kind == FX_CHANNEL_COUNTERS && a->run.stats.instances)
			fx_counters_load(&a->run.stats, bytes, size, &err);
	}
	if (result == FX_ETYPE)
		fx_log(FX_LOG_ERROR, "the conductor: %s", err.text);
}

static void look_after(struct agent *a)
{
	const int64_t now = fx_now_ns();

	if (!a->plan.instances)
		return;
	fx__processes_reap(&a->run);
	for (size_t i = 0; i < a->plan.instances_len; i++) {
		if (a->run.processes[i].pid)
			fx__health_look(&a->run, i);
		if (a->run.processes[i].ended)
			tell_exit(a, i);
	}
	if (now - a->told_ns > TELL_MS * INT64_C(1000000)) {
		const bool alive = now - a->alive_ns > ALIVE_MS * INT64_C(1000000);

		tell_counters(a, alive);
		a->alive_ns = alive ? now : a->alive_ns;
	}
}

static void serve(struct agent *a)
{
	while (!a->ending) {
		struct pollfd in = { .fd = a->channel.in, .events = POLLIN };

		poll(&in, 1, TICK_MS);
		hear(a);
		look_after(a);
		if (fx_now_ns() - a->heard_ns > FX_HOST_SILENCE_S * INT64_C(1000000000)) {
			fx_log(FX_LOG_ERROR, "nothing heard of the conductor for %d s: all ends",
			       FX_HOST_SILENCE_S);
			break;
		}
	}
}

static void fini(struct agent *a)
{
	fx_counters_fini(&a->counters);
	fx_stats_unmap(&a->run.stats);
	for (size_t i = 0; a->plan.instances && i < a->plan.instances_len; i++) {
		fx_wiring_fini(&a->plan.instances[i].wiring);
		free(a->graph.nodes[i].name);
		if (a->pools && a->pools[i] >= 0)
			close(a->pools[i]);
	}
	for (size_t i = 0; i < a->listening_len; i++) {
		close(a->listening[i].fd);
		free(a->listening[i].endpoint);
	}
	if (a->stats_fd >= 0)
		close(a->stats_fd);
	if (a->run.state_lock >= 0)
		close(a->run.state_lock);
	free(a->plan.instances);
	free(a->graph.nodes);
	free(a->run.processes);
	free(a->pools);
	free(a->listening);
	free(a->address);
	free(a->state_dir);
	a->run.plan = NULL;
	fx__run_dir_clean(&a->run, false);
}

int fx_agent_serve(const struct fx_registry *registry)
{
	struct agent a = { .registry = registry, .stats_fd = -1, .heard_ns = fx_now_ns() };
	char host[] = "host";
	struct fx_error err = { 0 };
	int result;

	a.graph.file = host;
	a.run.graph = &a.graph;
	a.run.options = &a.options;
	a.run.plan = &a.plan;
	a.run.state_lock = a.run.run_lock = -1;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* the conductor handles the keyboard */
	signal(SIGHUP, SIG_IGN); /* ssh has gone: told by the end of stdin */
	result = fx_channel_open(&a.channel, 0, 1, &err);
	if (result == FX_OK)
		result = fx_spare_files(SPARE_FILES, &err);
	if (result == FX_OK)
		result = fx__run_dir_make(&a.run, &err);
	if (result == FX_OK) {
		say_hello(&a);
		serve(&a);
		if (a.plan.instances)
			fx__processes_end(&a.run);
	} else {
		fx_log(FX_LOG_ERROR, "%s", err.text);
		tell_error(&a, &err);
	}
	fx_channel_pump(&a.channel, &err);
	fini(&a);
	fx_channel_close(&a.channel);
	return result;
}
