// SPDX-License-Identifier: Apache-2.0
/* stats.h: counters of a run in a file that the conductor and its nodes map. They outlive the
 * processes that wrote them, so the receipt is right after any kill. */
#ifndef FX_LINK_STATS_H
#define FX_LINK_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum { FX_STATS_REACH = 48 }; /**< bytes of an endpoint such as tcp://10.0.0.1:5555 */

enum { FX_STATS_CODECS = 3 }; /**< ways to code a payload frame: enum fx_codec */
enum { FX_STATS_PORTS = 16, FX_STATS_GAUGES = 6, FX_STATS_UNIT = 24, FX_STATS_ASIDE = 16 };

enum fx_run_state {
	FX_STATE_STARTING,
	FX_STATE_RUNNING,
	FX_STATE_DRAINING,
	FX_STATE_FINISHED,
	FX_STATE_FAILED,
};

/** One lane: from one instance of a producer to one instance of a consumer, on one edge. Counts
 * blocks, trees and records, not marks. At the end of a good run sent == acked + dropped and
 * delivered + unwanted == acked. */
struct fx_lane_stats {
	_Atomic uint64_t sent, resent, acked, dropped; /**< written by the producer */
	_Atomic uint64_t unwanted; /**< of acked: blocks that the consumer had no use for */
	_Atomic uint64_t delivered, duplicates, missing; /**< written by the consumer */
	_Atomic uint64_t bytes, depth; /**< payload bytes sent; messages waiting or in flight now */
	_Atomic uint64_t framed;       /**< payload bytes as they went out in frames */
	_Atomic uint64_t coded[FX_STATS_CODECS]; /**< payload frames, by codec */
	_Atomic uint64_t rate;	   /**< bytes a second that the connection carries; 0: not known */
	_Atomic uint64_t floor;	   /**< of the first lane of a producing instance on an edge: all
				    * messages below are acknowledged on the edge; only grows */
	_Atomic int64_t oldest_ns; /**< when the oldest of them was queued (fx_now_ns()); 0: none */
	_Atomic uint32_t moves;	   /**< how often the producer has moved; by the conductor ... */
	char reach[FX_STATS_REACH]; /**< ... and where it listens since then */
};

/** How far a node is in one unit, as it told by fx_progress(). */
struct fx_gauge {
	char unit[FX_STATS_UNIT];   /**< never changes once it is there */
	_Atomic double done, total; /**< total: of all workers of the node; 0: not known */
	_Atomic double kept;	    /**< done with the last message that is acknowledged */
	_Atomic double base;	    /**< kept by the processes before this one */
	_Atomic double first;	    /**< done when it was first told ... */
	_Atomic int64_t first_ns;   /**< ... and when; 0: not yet */
};

/** A message that no process of a node is to be given any more. */
struct fx_aside {
	uint32_t port;
	uint64_t seq;
	char cause[200]; /**< how it ended those that were given it */
};

/** One process. */
struct fx_instance_stats {
	_Atomic uint32_t state;	   /**< enum fx_run_state */
	_Atomic uint32_t lives;	   /**< how often it was started */
	_Atomic uint32_t pid;	   /**< written by the conductor, for those who look on */
	_Atomic uint64_t untapped; /**< messages that taps were too slow for */
	_Atomic uint64_t busy_ns, wait_in_ns, wait_out_ns, cpu_ns, peak_rss_bytes;
	_Atomic uint64_t work_ns; /**< processor time inside of the node's own code */
	/** What it is at now: written by fx__host_works(). */
	_Atomic uint64_t pumps;	       /**< heartbeat: how often sockets were handled */
	_Atomic uint32_t work_port;    /**< 1 + port of the message in a callback; 0: of none */
	_Atomic uint64_t work_seq;     /**< of that message */
	_Atomic int64_t work_since_ns; /**< when the callback began; 0: in none */
	_Atomic int32_t error_code;    /**< enum fx_err, with error */
	_Atomic uint64_t journal_bytes, journal_raw_bytes; /**< written; before coding */
	_Atomic uint64_t messages_in, messages_out, voxels_in, voxels_out, refused;
	_Atomic int64_t done_z; /**< sections that are done here: highest z of DONE marks */
	_Atomic uint64_t warnings;
	_Atomic uint64_t floor[FX_STATS_PORTS]; /**< by input: all below are acknowledged */
	_Atomic uint64_t ahead[FX_STATS_PORTS]; /**< by output: behind the last before END that any
						 * life has sent; only grows */
	_Atomic uint32_t gauges_len;
	struct fx_gauge gauges[FX_STATS_GAUGES];
	_Atomic uint32_t aside_len; /**< grows behind what it counts; by the conductor */
	struct fx_aside aside[FX_STATS_ASIDE];
	char warning[256];  /**< the last one */
	char error[512];    /**< why it failed, in the node's own words */
	char confined[160]; /**< by what it is confined; "" before that */
};

struct fx_stats {
	size_t instances_len, lanes_len;
	struct fx_instance_stats *instances;
	struct fx_lane_stats *lanes;
	void *base; /**< private: the mapping */
	size_t size;
};

/** Opens the file of the counters for so many instances and lanes at @p path: what a run that was
 * killed left there stays when it has the right size, else all are zero. Its blocks are reserved.
 * The descriptor or a negative code. */
int fx_stats_open(const char *path, size_t instances, size_t lanes, struct fx_error *err);
/** Maps it; the descriptor stays the caller's. */
int fx_stats_map(struct fx_stats *s, int fd, size_t instances, size_t lanes, struct fx_error *err);
/** Maps the counters of another process's run, to look at only; FX_EIO, and FX_ETYPE when the file
 * is not of this size. */
int fx_stats_view(struct fx_stats *s, const char *path, size_t instances, size_t lanes,
		  struct fx_error *err);
void fx_stats_unmap(struct fx_stats *s);

/** The producer of a lane listens at @p endpoint from now on. */
void fx_lane_reach(struct fx_lane_stats *s, const char *endpoint);
/** True when that was told since *moves, which is brought up to date, and where to @p endpoint. */
bool fx_lane_moved(const struct fx_lane_stats *s, uint32_t *moves, char endpoint[FX_STATS_REACH]);
/** The gauge of @p unit, made when it is new: only by the process that @p s is of. NULL when there
 * are FX_STATS_GAUGES of other units. A unit is cut to its place, and what is not a letter, digit,
 * blank or one of +-/%. becomes an underscore. */
struct fx_gauge *fx_gauge_of(struct fx_instance_stats *s, const char *unit);
/** This process has done @p done so far. Takes NULL. What is not finite counts as 0. */
void fx_gauge_set(struct fx_gauge *g, double done, double total, int64_t now_ns);
/** What is done now, by gauge; zeros behind them. */
void fx_gauges_read(const struct fx_instance_stats *s, double done[FX_STATS_GAUGES]);
/** This counts, also when the process is killed from now on. */
void fx_gauges_keep(struct fx_instance_stats *s, const double done[FX_STATS_GAUGES]);
/** A process begins: what was done and not kept is done anew. */
void fx_gauges_begin(struct fx_instance_stats *s);

#endif
