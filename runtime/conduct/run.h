// SPDX-License-Identifier: Apache-2.0
/* run.h: the conductor: launches the processes of a plan, supervises, drains, accounts. */
#ifndef FX_CONDUCT_RUN_H
#define FX_CONDUCT_RUN_H

#include <sys/types.h>

#include "conduct/hang.h"
#include "conduct/lag.h"
#include "conduct/plan.h"
#include "graph/sandbox.h"
#include "node/guard.h"

enum {
	FX_HTTP_OFF = -1,
	FX_RESTARTS = 5,	   /**< of one process in a window, unless told otherwise */
	FX_RESTARTS_MAX = 100,	   /**< the most that may be allowed */
	FX_RESTART_WINDOW_S = 600, /**< unless told otherwise */
	FX_POISON_DEATHS = 3,	   /**< of processes by one message, before it is set aside */
	FX_HANG_S = 60,		   /**< without progress a process hangs, unless told otherwise */
};

/** How often a process may be started again. */
struct fx_restarts {
	unsigned most;	   /**< within the window; 0..FX_RESTARTS_MAX */
	unsigned window_s; /**< above 0 */
};

/** When a process was started again within the last window. Zero-initialise. */
struct fx_budget {
	int64_t at_ns[FX_RESTARTS_MAX];
	unsigned len;
};

struct fx_run_options {
	enum fx_transport transport;
	const char *out;	     /**< folder for receipt.json and provenance, or NULL */
	const char *receipt;	     /**< file for the receipt instead, or NULL */
	bool quiet;		     /**< no progress */
	int http_port;		     /**< of the metrics on 127.0.0.1; 0: any; FX_HTTP_OFF: none */
	struct fx_restarts restarts; /**< zeros: the usual ones */
	bool resume;		     /**< go on with what a run that was stopped left in out */
	bool at_most_once;	     /**< no journals: a node with state that dies ends the run */
	int save_mib;	  /**< of a node's journal between saves; 0: FX_SAVE_MIB; below: none */
	double hang_s;	  /**< 0: FX_HANG_S; below: never */
	const char *bind; /**< IPv4 address to listen on, with tcp; NULL: 127.0.0.1 */
	const char *keys; /**< folder with the run's keys; NULL: none, loopback only */
	bool unconfined;  /**< processes keep what they do not need */
	const struct fx_sandbox *sandbox; /**< what processes may touch, checked; or NULL */
	const char *measured; /**< receipt of an earlier run, to place nodes by; or NULL */
};

enum { FX_SAVE_MIB = 32 };

/** In the folder of the state: agents hold it locked as long as their processes live. */
#define FX_STATE_HOLD "agents"

/** One process, while a run lasts. */
struct fx_process {
	pid_t pid;	   /**< 0: not running */
	unsigned restarts; /**< so far */
	struct fx_budget budget;
	int64_t restart_at_ns; /**< when it is to be started again; 0: not */
	int status;	       /**< from waitpid() of the last end */
	bool ended;
	struct fx_hang hang;		/**< what health.c knows of this life of it */
	int64_t progress_ns, memory_ns; /**< when it was last looked at */
	char killed[400];		/**< why we have killed it; "": we have not */
	bool hopeless;			/**< and it would happen again */
	bool away;			/**< it runs on another host; pid is 0 */
	bool known;			/**< its host has its counters */
	bool moved;			/**< it is being moved to another */
	bool vanished;			/**< a host has vanished with it */
	unsigned joins;			/**< the host to which it moves when it has ended; or 0 */
	unsigned moves;			/**< to hosts that have joined, so far */
	char words[320];		/**< away: what it said last, once it has ended */
};

/** A message that ended processes of its node. */
struct fx_poison {
	size_t node;
	uint32_t port;
	uint64_t seq;
	unsigned deaths;
};

struct fx_hosts;

/** A run, for those who look at it: progress, metrics, receipt. */
struct fx_run {
	const struct fx_graph *graph;
	const struct fx_run_options *options;
	struct fx_plan *plan;
	struct fx_stats stats;
	struct fx_guard guard; /**< what all processes get: keys, and whether they are confined */
	struct fx_process *processes; /**< by instance */
	char *run_dir;		      /**< owned, from fx__run_dir_make() to fx__run_dir_clean() */
	int run_lock;		      /**< descriptor of it, locked while the run lasts */
	char *state_dir;	      /**< owned, from fx__state_make() to fx__state_clean() */
	int state_lock;		      /**< descriptor of it, locked while any process lives */
	bool resumed;		      /**< there was something to go on with */
	bool drains;		      /**< sources were stopped: no one can go on with it */
	char *dead_dir;		      /**< owned; of messages that are set aside */
	struct fx_poison *poisons;    /**< owned */
	size_t poisons_len, poisons_cap;
	bool set_aside;		/**< a message was */
	struct fx_hosts *hosts; /**< owned: agents on other hosts; NULL: none */
	int64_t start_ns;
	struct fx_lag lag;
	double started_s; /**< when all processes ran for the first time; 0: not yet */
	double seconds;	  /**< when it is over */
	bool interrupted;
	char failure[1024]; /**< one sentence or two; "" while all is well */
};

/** Runs @p g to its end. Prints progress and the summary to stderr; writes the receipt; *receipt
 * (free(); may be NULL) is its JSON text. FX_OK: all done and nothing missing. FX_END: ended with
 * something missing, or failed, or stopped early, as told on stderr. FX_EINVAL and others, with
 * @p err: could not begin. */
int fx_run_graph(const struct fx_graph *g, const struct fx_run_options *options, char **receipt,
		 struct fx_error *err);

/** The parts of a run, each in a file of its own. */

/** Makes the folder of a run under TMPDIR, and removes those of runs whose conductor was killed. */
int fx__run_dir_make(struct fx_run *r, struct fx_error *err);
/** Removes it, but for the logs of a run that failed. Takes one that was not made. */
void fx__run_dir_clean(struct fx_run *r, bool keep_logs);

/** Makes the folder of what later lives of nodes and runs need, OUT/.fornix or in the run folder,
 * and locks it; what is in it stays only when the run goes on. FX_EINVAL when another run uses it,
 * or left the state of another graph. */
int fx__state_make(struct fx_run *r, struct fx_error *err);
/** Sources are about to be stopped: nodes will see streams end too early, and what they keep from
 * then on is not to be gone on with. Notes it in the folder, once. */
void fx__state_drains(struct fx_run *r);
/** Lets it go, and removes it unless @p keep. Takes one that was not made. */
void fx__state_clean(struct fx_run *r, bool keep);
/** Writes into that folder how the run can be found and looked at: FX_RUN_FILE, see view.h. */
int fx__run_file_write(const struct fx_run *r, struct fx_error *err);

/** Checks the address to listen on and reads the keys. FX_EINVAL with what to do. */
int fx__trust_begin(struct fx_run *r, struct fx_error *err);
/** Tells the processes of the plan what they may touch, and the keys. */
int fx__trust_give(struct fx_run *r, struct fx_error *err);
/** By what the processes are confined: of those that are less than others, one. */
const char *fx__trust_text(const struct fx_run *r);

/** What runs on other hosts: see hosts.c and agent.c. */

/** Starts an agent on every host of the graph and waits until all have told of themselves; makes
 * keys for the run when it has none. FX_EIO with the words of the one that does not come. Does
 * nothing when the graph has no other hosts. */
int fx__hosts_begin(struct fx_run *r, struct fx_error *err);
/** Where each process runs, for the plan; NULL when all do here. */
const struct fx_plan_hosts *fx__hosts_plan(const struct fx_run *r);
/** The plan is made: tells the agents how large the run is. */
int fx__hosts_give(struct fx_run *r, struct fx_error *err);
/** Starts instance @p i on its host. */
int fx__hosts_start(struct fx_run *r, size_t i, struct fx_error *err);
void fx__hosts_signal(struct fx_run *r, size_t i, int number);
/** Message @p seq of input @p port is set aside for instance @p i. */
void fx__hosts_aside(struct fx_run *r, size_t i, const struct fx_aside *a);
/** The producer of lane @p lane of instance @p i listens at @p endpoint now. */
void fx__hosts_reach(struct fx_run *r, size_t i, size_t lane, const char *endpoint);
/** Takes what the agents have sent: counters, ends of processes. Those of a host that has gone
 * are placed elsewhere. */
void fx__hosts_pump(struct fx_run *r);
/** Lets hosts join that ask for it: see hosts_join.c. */
void fx__hosts_join(struct fx_run *r);
/** Process @p i has ended: when it was to move to a host that has joined, it is started there, and
 * true. FX_EIO in @p err when that fails. */
bool fx__hosts_joined(struct fx_run *r, size_t i, struct fx_error *err);
/** Ends the agents. Takes a run without. */
void fx__hosts_end(struct fx_run *r);
/** Name of the host of instance @p i; NULL when all run here. */
const char *fx__hosts_name(const struct fx_run *r, size_t i);
/** The agent of a host: serves the conductor over stdin and stdout until that ends. */
int fx_agent_serve(const struct fx_registry *registry);

/** Sends a signal to the process of instance @p i, wherever it runs; none when it does not. */
void fx__process_signal(struct fx_run *r, size_t i, int number);
/** It runs, here or elsewhere. */
bool fx__process_runs(const struct fx_run *r, size_t i);
/** Takes the ends of processes of this host. */
void fx__processes_reap(struct fx_run *r);
/** Ends all processes: politely, and by force those that do not listen. */
void fx__processes_end(struct fx_run *r);
/** Starts the process of instance @p i (again, when it has restarts). */
int fx__process_start(struct fx_run *r, size_t i, struct fx_error *err);
/** Path of its log; free(). */
char *fx__process_log(const struct fx_run *r, size_t i);

/** What the workers of one node have told of one unit by fx_progress(). */
struct fx_gauge_sum {
	const char *unit;	   /**< borrowed from the counters */
	double done, total, first; /**< done: of all workers; first: when they first told */
	int64_t first_ns;	   /**< when the first of them told */
};
/** The units of node @p node of the graph, the main one first; returns how many. */
size_t fx__gauges(const struct fx_run *r, size_t node, struct fx_gauge_sum sums[FX_STATS_GAUGES]);
/** Seconds until @p s is done at its rate since it was first told; negative when no one knows. */
double fx__gauge_left(const struct fx_gauge_sum *s, int64_t now_ns);
/** How far node @p node is, such as "41% 6.4M of 15.6M voxels, 12 min left, 5100 evaluations"; ""
 * when it tells nothing. */
void fx__gauges_text(const struct fx_run *r, size_t node, int64_t now_ns, char *text, size_t size);

/** What the process of instance @p i has said of its state. */
enum fx_run_state fx__run_state(const struct fx_run *r, size_t i);
/** Looks after instance @p i: its failure or death ends the run, with its own words, or it is
 * started again when its time has come. Died while it started by its own doing (an exit, or a
 * signal that programs give themselves): the run fails at once. Died there by another's hand: it
 * held nothing and is started again. Died later: a stateless node is started again, any other has
 * lost what it held and the run fails. */
void fx__supervise(struct fx_run *r, size_t i);
/** Kills the process of instance @p i when it hangs or uses too much memory, saying why in killed.
 */
void fx__health_look(struct fx_run *r, size_t i);
/** A process of instance @p i has been started: limits what memory it can ask for, with room for
 * stacks and buffers of its threads. Not under sanitizers. */
void fx__health_begin(struct fx_run *r, size_t i);
/** Why instance @p i has failed, in its own words, and what limited its memory. */
void fx__health_words(const struct fx_run *r, size_t i, char *text, size_t size);
/** Takes one restart at @p now_ns out of the budget. Milliseconds to wait before it: 100 at first,
 * twice as many for each further one within the window, 10000 at most; -1 when all are used up. */
int64_t fx__budget_take(struct fx_budget *b, const struct fx_restarts *limits, int64_t now_ns);
/** Process @p i has ended by its own doing, or hung: as @p how says. When it was at a message that
 * has now done so FX_POISON_DEATHS times, that is set aside for all workers of the node, and the
 * restarts that it cost are given back. False when that cannot be. */
bool fx__poison_note(struct fx_run *r, size_t i, const char *how);
/** Folders of the messages that were set aside: *len paths; free() each and the list. */
char **fx__dead_letters(const struct fx_run *r, size_t *len);
/** Tells of each on stderr, and how to look into it. */
void fx__dead_letters_show(const struct fx_run *r);
/** What the last line of a log that tells of an error says, else its last line, without control
 * characters; "" when there is none. */
void fx__last_words(const char *path, char *text, size_t size);

/** Shows one line of progress on stderr, in place on a terminal; @p last: the final one. */
void fx__progress_show(struct fx_run *r, bool last);
/** The table of nodes and edges to stderr. */
void fx__summary_show(const struct fx_run *r, bool complete);
/** Voxels that the sources have sent, sections acquired, and sections done at all ends. */
uint64_t fx__run_voxels(const struct fx_run *r);
int64_t fx__run_acquired(const struct fx_run *r);
int64_t fx__run_finished(const struct fx_run *r);

/** What is missing, as one sentence; NULL when nothing is. free(). */
char *fx__missing_text(const struct fx_run *r);
/** One counter of all lanes of an edge; @p offset: of its member of fx_lane_stats. */
uint64_t fx__edge_sum(const struct fx_run *r, const struct fx_plan_edge *e, size_t offset);

/** JSON text of the receipt (free()), and whether the run is complete. */
char *fx__receipt_text(const struct fx_run *r, bool *complete);
/** JSON text in the form of cloud-volume's provenance file; free(). */
char *fx__provenance_text(const struct fx_run *r);

struct fx_http;
/** Serves GET /metrics (Prometheus text) on loopback until stopped. NULL with a reason. */
struct fx_http *fx__http_start(const struct fx_run *r, int port, struct fx_error *err);
/** The port in use. */
int fx__http_port(const struct fx_http *h);
void fx__http_stop(struct fx_http *h);
/** The metrics as text; free(). */
char *fx__metrics_text(const struct fx_run *r);

#endif
