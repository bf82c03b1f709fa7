// SPDX-License-Identifier: Apache-2.0
/* procfs.h: what the kernel tells of a process. */
#ifndef FX_CONDUCT_PROCFS_H
#define FX_CONDUCT_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct fx_proc {
	char state; /**< R runs, S and D wait, T is stopped, t is held by a debugger, Z is dead */
	int64_t cpu_ns;	   /**< of all threads */
	uint64_t io_bytes; /**< read and written; 0 when the kernel does not tell */
};

/** Reads /proc/PID/stat and io. False when the process has gone. */
bool fx_proc_read(pid_t pid, struct fx_proc *p);
/** Bytes of memory that are the process's own: anonymous pages, also those swapped out. Pages of
 * files and of memory shared with other processes are not counted. 0 when it has gone. */
uint64_t fx_proc_memory(pid_t pid);
/** How many restrictions that no process can shed this one is under: system call filters, and no
 * new privileges. A node has more of them than its conductor. -1 when it has gone. */
int fx_proc_bonds(pid_t pid);

#endif
