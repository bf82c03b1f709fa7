// SPDX-License-Identifier: Apache-2.0
/* landlock.h: folders that this process may still read or write below (Linux 5.13 and later), by
 * the kernel's documentation, userspace-api/landlock.rst. */
#ifndef FX_NODE_LANDLOCK_H
#define FX_NODE_LANDLOCK_H

#include <stdbool.h>

/** A list of rules that is being made. */
struct fx_landlock {
	int fd; /**< of the rules; -1: there is none */
	int abi;
	bool reads; /**< reading is bounded too */
};

/** Begins a list: writing, running programs, and with @p reads reading, are forbidden everywhere.
 * 0, or errno when the kernel has no landlock. */
int fx_landlock_begin(struct fx_landlock *l, bool reads);
/** Lets files be read at or below @p path. One that is not there is passed over. */
void fx_landlock_read(const struct fx_landlock *l, const char *path);
/** Lets files and folders be read, made, written and removed at or below @p path. */
void fx_landlock_write(const struct fx_landlock *l, const char *path);
/** Makes it hold for this thread and those it starts, for ever. Needs no_new_privs. 0 or errno. */
int fx_landlock_enforce(struct fx_landlock *l);

#endif
