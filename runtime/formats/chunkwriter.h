// SPDX-License-Identifier: Apache-2.0
/* chunkwriter.h: cuts blocks into the chunks of a precomputed volume and writes them; labels wait
 * in a scratch file until their final ids are known. */
#ifndef FX_FORMATS_CHUNKWRITER_H
#define FX_FORMATS_CHUNKWRITER_H

#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "formats/blobstore.h"
#include "formats/outdir.h"
#include "formats/precomputed.h"
#include "kernels/finalids.h"

/** A volume that is being written. Zero-initialise; fx_chunkwriter_fini() when done. */
struct fx_chunkwriter {
	struct fx_precomputed info; /**< complete once finished */
	struct fx_region extent;    /**< hi 0 on an axis whose end is not known yet */
	int64_t end[3];		    /**< farthest voxel that came */
	bool started;
	struct fx_region first;	      /**< core of the first block */
	struct fx_blobstore *scratch; /**< owned, chunks of labels by number; NULL for images */
	struct fx_region *waits;      /**< owned: where each lies */
	size_t waits_len, waits_cap;
};

/** Starts when the first block is there: chunks of @p chunk voxels (zyx) on the axes where the
 * blocks can be cut so, else as large as @p first. Labels (role FX_LABELS) become uint64 with
 * compressed_segmentation and wait in the folder @p scratch; images keep their dtype, raw.
 * @p extent is that of the stream, its hi 0 where unknown. */
int fx_chunkwriter_start(struct fx_chunkwriter *w, enum fx_role role, const struct fx_block *first,
			 struct fx_region extent, const size_t chunk[3], const char *scratch,
			 struct fx_outdir *out, struct fx_error *err);
/** Writes the core of @p b, one channel, or an image with a mask as channel 2, which is left out.
 * It must lie on the grid of chunks; labels are u16, u32 or u64. */
int fx_chunkwriter_add(struct fx_chunkwriter *w, const struct fx_block *b, struct fx_outdir *out,
		       struct fx_error *err);
/** Writes the labels that wait, each by its final id (one without is an error), then the info file,
 * which names @p skeletons (may be NULL). */
int fx_chunkwriter_finish(struct fx_chunkwriter *w, const struct fx_final_ids *final,
			  const char *skeletons, struct fx_outdir *out, struct fx_error *err);
/** For save(): puts how far it is, with the labels that wait made durable. */
int fx_chunkwriter_pack(struct fx_chunkwriter *w, struct fx_pack *to, struct fx_error *err);
/** Takes that back to a zeroed one, with the arguments of start. FX_ETYPE, FX_EIO, FX_ENOMEM. */
int fx_chunkwriter_unpack(struct fx_chunkwriter *w, enum fx_role role, struct fx_region extent,
			  const size_t chunk[3], const char *scratch, struct fx_outdir *out,
			  struct fx_unpack *from, struct fx_error *err);
/** Takes a zeroed one too. */
void fx_chunkwriter_fini(struct fx_chunkwriter *w);

#endif
