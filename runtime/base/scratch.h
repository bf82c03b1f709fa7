// SPDX-License-Identifier: Apache-2.0
/* scratch.h: large memory that lies on the heap, or in a file without a name that is mapped. */
#ifndef FX_BASE_SCRATCH_H
#define FX_BASE_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <fornix/error.h>

/** Zero-initialise; fx_scratch_close() when done. */
struct fx_scratch {
	void *data; /**< owned, 64-byte aligned; NULL while closed */
	size_t size;
	bool mapped; /**< in a file, not on the heap */
};

/** @p size bytes (at least 1) with undefined content. With @p folder NULL on the heap. Else in a
 * file made in @p folder, which is unlinked at once so that nothing is left behind, and whose
 * blocks are reserved first where the file system can do that, so that a full disk is an error here
 * and not a signal later. FX_ENOMEM, FX_EIO. @p s must be closed. */
int fx_scratch_open(struct fx_scratch *s, size_t size, const char *folder, struct fx_error *err);
/** Gives the memory back. Takes a closed or zeroed one. */
void fx_scratch_close(struct fx_scratch *s);

#endif
