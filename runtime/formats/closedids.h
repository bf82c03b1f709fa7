// SPDX-License-Identifier: Apache-2.0
/* closedids.h: from ids that were closed one after the other to the table of final ids, on disk. */
#ifndef FX_FORMATS_CLOSEDIDS_H
#define FX_FORMATS_CLOSEDIDS_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

#include "base/pack.h"
#include "formats/blobstore.h"

/** Rows of ids as fx_stitch_closed() gives them. Memory: some thousand rows while they are put, and
 * while they are numbered those whose ids lie in one layer of sections. Zero-initialise;
 * fx_closed_ids_fini(). */
struct fx_closed_ids {
	struct fx_blobstore *store; /**< owned; rows by layer */
	uint64_t (*rows)[2];	    /**< owned; not in the store yet */
	size_t len, cap;
	uint32_t *layers; /**< owned; of each string of rows in the store */
	size_t strings, layers_cap;
};

/** Takes a table of (id, final id) with ascending ids, part by part. FX_OK or an error. */
typedef int fx_closed_ids_take(void *context, const uint64_t (*rows)[2], size_t len);

void fx_closed_ids_fini(struct fx_closed_ids *c);
/** Keeps @p len rows; @p dir is the folder for the file, which is made when it is needed. FX_EIO,
 * FX_ENOMEM. */
int fx_closed_ids_put(struct fx_closed_ids *c, const char *dir, const uint64_t (*rows)[2],
		      size_t len, struct fx_error *err);
/** Gives the final ids of all that were put to @p take: 1..*segments in the order of the smallest
 * ids of segments. *len: how many ids there are. Then nothing is left. FX_EINVAL when a row refers
 * to an id that has none, FX_EIO, FX_ENOMEM, or what @p take returned. */
int fx_closed_ids_number(struct fx_closed_ids *c, const char *dir, fx_closed_ids_take *take,
			 void *context, uint64_t *segments, uint64_t *len, struct fx_error *err);
/** Puts all rows (the file durable), and takes them back to a zeroed one. FX_ETYPE, FX_EIO,
 * FX_ENOMEM. */
int fx_closed_ids_pack(struct fx_closed_ids *c, struct fx_pack *to, struct fx_error *err);
int fx_closed_ids_unpack(struct fx_closed_ids *c, const char *dir, struct fx_unpack *from,
			 struct fx_error *err);

#endif
