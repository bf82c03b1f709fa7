// SPDX-License-Identifier: Apache-2.0
/* scored.h: what is known of a segmentation while it is compared with its truth. */
#ifndef FX_FORMATS_SCORED_H
#define FX_FORMATS_SCORED_H

#include <fornix/block.h>

#include "block/treeset.h"
#include "formats/blockstore.h"
#include "kernels/finalids.h"

/** Zero-initialise; fx_scored_fini() when done. All is owned. */
struct fx_scored {
	struct fx_contingency pairs; /**< labels against truth */
	struct fx_contingency sizes; /**< all labels */
	struct fx_final_ids finals;
	struct fx_blockstore stores[2]; /**< labels, truth: blocks whose partner has not come; with
					 * trees every block of labels */
	struct fx_treeset trees;
	uint64_t voxels, scored; /**< of labels; that met truth */
	double voxel_nm[3];	 /**< of the labels */
};

/** Names of the files of the stores. */
extern const char *const fx_scored_files[2];
/** Takes a zeroed one. */
void fx_scored_fini(struct fx_scored *s);
/** Puts all, with the files of the stores made durable; and takes it back to a zeroed one, with the
 * files in @p dir. FX_ETYPE, FX_EIO, FX_ENOMEM. */
int fx_scored_pack(struct fx_scored *s, struct fx_pack *to, struct fx_error *err);
int fx_scored_unpack(struct fx_scored *s, const char *dir, struct fx_unpack *from,
		     struct fx_error *err);

#endif
