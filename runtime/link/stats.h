// SPDX-License-Identifier: Apache-2.0
/* stats.h: counters of a run in memory shared by the conductor and its nodes. They outlive the
 * process that wrote them, so the receipt is right after any kill. */
#ifndef FX_LINK_STATS_H
#define FX_LINK_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum { FX_STATS_PORTS = 16 };

enum fx_run_state {
	FX_STATE_STARTING,
	FX_STATE_RUNNING,
	FX_STATE_DRAINING,
	FX_STATE_FINISHED,
	FX_STATE_FAILED,
};

/** One lane: from one instance of a producer to one instance of a consumer, on one edge. Counts
 * blocks, trees and records, not marks. At the end of a good run sent == acked + dropped and
 * delivered == acked. */
struct fx_lane_stats {
	_Atomic uint64_t sent, resent, acked, dropped;	 /**< written by the producer */
	_Atomic uint64_t delivered, duplicates, missing; /**< written by the consumer */
	_Atomic uint64_t bytes, depth; /**< payload bytes sent; messages waiting or in flight now */
};

/** One process. */
struct fx_instance_stats {
	_Atomic uint32_t state; /**< enum fx_run_state */
	_Atomic uint64_t busy_ns, wait_in_ns, wait_out_ns, cpu_ns, peak_rss_bytes;
	_Atomic uint64_t work_ns; /**< processor time inside of the node's own code */
	_Atomic uint64_t messages_in, messages_out, voxels_in, voxels_out, refused;
	_Atomic int64_t done_z; /**< sections that are done here: highest z of DONE marks */
	_Atomic uint64_t warnings;
	_Atomic uint64_t floor[FX_STATS_PORTS]; /**< by input: all below are acknowledged */
	char warning[256];			/**< the last one */
	char error[512];			/**< why it failed, in the node's own words */
};

struct fx_stats {
	size_t instances_len, lanes_len;
	struct fx_instance_stats *instances;
	struct fx_lane_stats *lanes;
	void *base; /**< private: the mapping */
	size_t size;
};

/** Makes the memfd for so many instances and lanes, zeroed; the descriptor or a negative code. */
int fx_stats_create(size_t instances, size_t lanes, struct fx_error *err);
/** Maps it; the descriptor stays the caller's. */
int fx_stats_map(struct fx_stats *s, int fd, size_t instances, size_t lanes, struct fx_error *err);
void fx_stats_unmap(struct fx_stats *s);

#endif
