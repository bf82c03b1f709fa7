// SPDX-License-Identifier: Apache-2.0
/* bench_detector.h: a detector in a process of its own, for fornix bench frames. */
#ifndef FX_TOOLS_BENCH_DETECTOR_H
#define FX_TOOLS_BENCH_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** It sends frames that lie ready, and copies none. Those before `warm` fill what is on the way. */
struct bench_detector {
	size_t side; /**< voxels of a frame: side x side of 8 bit */
	int frames, warm;
	char endpoint[64]; /**< where it listens */
	pid_t pid;
	int told, stay;	 /**< owned pipes: what it tells; it stays while this is open */
	double seconds;	 /**< between frame `warm` and the last, from bench_detector_end() */
	double cpu_s;	 /**< the same: processor time of its process */
	double setup_s;	 /**< of that, before it began to send */
	uint64_t expect; /**< bench_read() of all frames */
};

/** Starts it: side, frames and warm are set, the rest is zeros. False when that fails. */
bool bench_detector_start(struct bench_detector *d);
/** Its peer has all: takes what it measured and lets it go; it is killed when its peer has not done
 * @p well. False when it has not ended well. */
bool bench_detector_end(struct bench_detector *d, bool well);
/** Takes all of its frames by plain ZeroMQ and reads every byte. *sum: bench_read() of them. */
bool bench_detector_drain(const struct bench_detector *d, uint64_t *sum);

#endif
