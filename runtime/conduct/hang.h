// SPDX-License-Identifier: Apache-2.0
/* hang.h: whether a process hangs, from samples of what it does. Pure: reads no clock, no /proc. */
#ifndef FX_CONDUCT_HANG_H
#define FX_CONDUCT_HANG_H

#include <stdbool.h>
#include <stdint.h>

enum {
	FX_HANG_WARN = 10, /**< told of, after so many limits at work without progress */
	FX_HANG_DISK = 10, /**< hung, of limits of waiting for a disk: it may have much to write */
	FX_HANG_BUSY = 1440, /**< hung even though it computes: a day, of a limit of a minute */
};

/** One look at a process. */
struct fx_hang_sample {
	int64_t now_ns;
	uint64_t moved;	   /**< any function of its counters: progress is when this differs */
	int64_t cpu_ns;	   /**< processor time of all its threads */
	uint64_t io_bytes; /**< read and written */
	char state;	   /**< as in /proc/PID/stat: R, S, D, T, t, ... */
};

/** What is known of one process. Zero-initialise, for each of its lives. */
struct fx_hang {
	bool begun;
	uint64_t moved;
	int64_t now_ns, quiet_ns, idle_ns, warn_ns, cpu_ns;
	uint64_t io_bytes;
};

enum fx_hang_verdict {
	FX_HANG_NONE,
	FX_HANG_SLOW, /**< computes, but without progress for long: once, then at each doubling */
	FX_HANG_STOPPED, /**< hung: a signal stopped it and none lets it go on */
	FX_HANG_BLOCKED, /**< hung: it waits, without processor or files */
	FX_HANG_STUCK,	 /**< hung: it waits in the kernel, as for a file system that is gone */
	FX_HANG_SPINS,	 /**< hung: it computes, but for FX_HANG_BUSY limits without progress */
};

/** Takes a sample. Hung is a process without progress that has, for @p limit_ns, neither wanted a
 * processor nor used one (1 % counts) nor read or written (64 KiB count), where time in state D
 * counts by 1/FX_HANG_DISK; or that has computed for FX_HANG_BUSY limits. One that a debugger holds
 * never is. Samples should come every 1/8 of the limit: of a longer gap 1/4 counts, for then who
 * looks was itself held up, as by Ctrl-Z. */
enum fx_hang_verdict fx_hang_judge(struct fx_hang *h, const struct fx_hang_sample *s,
				   int64_t limit_ns);

#endif
