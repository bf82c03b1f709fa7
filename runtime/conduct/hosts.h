// SPDX-License-Identifier: Apache-2.0
/* hosts.h: the conductor's side of the agents, between the files that make it up. */
#ifndef FX_CONDUCT_HOSTS_H
#define FX_CONDUCT_HOSTS_H

#include <jansson.h>

#include "conduct/channel.h"
#include "conduct/counters.h"
#include "conduct/door.h"
#include "conduct/run.h"

#define FX_HOSTS_TEXT_(a, b, c) #a "." #b "." #c
#define FX_HOSTS_TEXT(a, b, c)	FX_HOSTS_TEXT_(a, b, c)
#define FX_VERSION_TEXT		FX_HOSTS_TEXT(FX_VERSION_MAJOR, FX_VERSION_MINOR, FX_VERSION_PATCH)

/** Environment: the IPv4 address of a machine, when the graph does not tell it. */
#define FX_HOST_ADDRESS "FORNIX_ADDRESS"

enum {
	FX_HOST_COMES_S = 60,	/**< an agent that has not told of itself by then does not come */
	FX_HOST_ANSWERS_S = 30, /**< so long an answer may take */
	FX_HOST_SILENCE_S =
		15,	     /**< an agent that hears nothing for so long ends its processes ... */
	FX_HOST_LOST_S = 30, /**< ... and one that is not heard for so long has gone */
	FX_HOST_PING_MS = 1000,
};

/** One host and its agent. The first, here, has none. */
struct fx_host {
	const struct fx_graph_host *graph; /**< borrowed */
	struct fx_graph_host own;	   /**< of one that has joined: with what it told then */
	char address[16];		   /**< IPv4; "": loopback is enough */
	pid_t pid;			   /**< of the launcher; 0: it has ended */
	struct fx_channel channel;
	bool there;  /**< its agent has told of itself */
	bool gone;   /**< it has not joined yet, or has vanished: nothing runs there */
	bool joins;  /**< its agent is being met, while the run goes on */
	bool shared; /**< it sees the folder with the state of the run */
	int status;  /**< of the launcher, once it has ended */
	int64_t heard_ns, pinged_ns, joins_ns;
	char *run_dir; /**< owned: there */
	char *log;     /**< owned: what the launcher says */
	int cpus;
};

struct fx_hosts {
	struct fx_host *hosts; /**< owned */
	size_t len;
	struct fx_plan_host *told; /**< owned: by host, for the plan */
	struct fx_plan_hosts plan;
	struct fx_places places;
	struct fx_costs costs;
	int slots[FX_GRAPH_HOSTS_MAX];
	struct fx_counters counters; /**< to send some */
	struct fx_door door;	     /**< by which hosts join */
	char token[33];		     /**< in a file of the state folder */
	json_t *answer;		     /**< owned: what a question got */
	bool ending;
};

/** Starts the agent of a host; it has not told of itself yet. */
int fx__host_launch(struct fx_run *r, struct fx_host *h, struct fx_error *err);
/** Sees whether its launcher has ended. */
void fx__host_reap(struct fx_host *h);
/** Its agent has told @p hello of itself: FX_EINVAL when it is another fornix. */
int fx__host_meet(struct fx_host *h, const json_t *hello, struct fx_error *err);
/** Tells it how large the run is; it answers "begun". */
void fx__host_give(struct fx_run *r, struct fx_host *h);
/** What placing and planning have to know of a host that is there. */
void fx__host_enter(struct fx_run *r, struct fx_host *h);
/** Sends @p message, which it takes, to host @p h. */
void fx__host_tell(struct fx_host *h, json_t *message);
/** Waits for an answer with the key @p key: the value (borrowed until the next). NULL when it does
 * not come, which is told. Handles what else comes meanwhile. */
const json_t *fx__host_ask(struct fx_run *r, struct fx_host *h, const char *key, int seconds,
			   struct fx_error *err);
/** Takes all messages that have come from a host. */
void fx__host_listen(struct fx_run *r, struct fx_host *h);
/** Says why a host does not answer: with the last words of its launcher. */
int fx__host_silent(struct fx_host *h, const char *what, struct fx_error *err);
/** What the inputs of instance @p i had counted on a host that has gone: see fx_counters_infer().
 */
void fx__hosts_infer(struct fx_run *r, size_t i);
/** Bits of the hosts on which nothing runs. */
uint64_t fx__hosts_gone(const struct fx_hosts *hs);
/** Instance @p i, which does not run, is of host @p host from now on; what reads it is to be told
 * by fx__instance_reach() once all that move have moved. FX_ENOMEM. */
int fx__instance_settle(struct fx_run *r, size_t i, unsigned host, struct fx_error *err);
/** Its outputs listen there, and all that read them are told. */
int fx__instance_reach(struct fx_run *r, size_t i, struct fx_error *err);
/** What ran on hosts that have gone runs elsewhere from now on. */
void fx__hosts_move(struct fx_run *r, struct fx_host *gone);
/** The callback of fx_plan_hosts. */
int fx__hosts_listen_at(void *context, unsigned host, size_t i, unsigned port, char **endpoint,
			struct fx_error *err);

#endif
