// SPDX-License-Identifier: Apache-2.0
/* section.h: whole sections put together from their tiles, kept until all of them are there. */
#ifndef FX_BLOCK_SECTION_H
#define FX_BLOCK_SECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/pack.h"
#include "base/scratch.h"

/** Where a tile lies in its section, in voxels from the section's corner. */
struct fx_tile {
	size_t y, x, height, width;
};

/** One section. */
struct fx_section {
	int64_t z;
	enum fx_role role;
	uint32_t level;
	struct fx_scratch voxels; /**< owned; height x width of the stream, C order */
	uint64_t filled;	  /**< voxels put so far */
	uint64_t first;		  /**< number of the message with its first tile */
	size_t tiles_len, tiles_cap;
	struct fx_tile *tiles; /**< owned; in raster order once the section is whole */
};

/** The sections of one stream that are not sent on yet. */
struct fx_sections {
	int64_t y, x;	      /**< corner of the volume */
	size_t height, width; /**< of every section */
	size_t size;	      /**< bytes of a section */
	enum fx_dtype dtype;
	double voxel_nm[3];
	size_t max;	    /**< sections held at once */
	double memory;	    /**< bytes on the heap; more lie in files */
	const char *folder; /**< borrowed; for those files, NULL until one is needed */
	size_t len, cap;
	struct fx_section **held; /**< owned, in order of their first tile */
	struct fx_section *spare; /**< owned; kept for its memory */
	int64_t *again;		  /**< owned; what was held when a former life was saved */
	size_t again_len;
};

/** Prepares for a stream that @p open announces: a valid dtype and 0 <= lo < hi <= 2^40 on y and x.
 * @p memory bytes of sections stay on the heap, at most @p max sections are held. FX_EINVAL. */
int fx_sections_init(struct fx_sections *s, const struct fx_mark *open, double memory, size_t max,
		     struct fx_error *err);
/** Takes a zeroed one. */
void fx_sections_fini(struct fx_sections *s);
/** True when a new section would not stay within memory: folder must be set before the next
 * fx_sections_put(). */
bool fx_sections_spill(const struct fx_sections *s);
/** Copies a tile (one section, one channel, no halo) to its section; it came as message @p number.
 * FX_ETYPE, FX_EINVAL when it
 * does not fit or more voxels came than a section has, FX_ENOMEM when max is reached. */
int fx_sections_put(struct fx_sections *s, const struct fx_block *tile, uint64_t number,
		    struct fx_error *err);
/** Moves section @p z out, its tiles in raster order; give it back with fx_sections_drop().
 * NULL
 * with FX_EINVAL in @p err when not all of its voxels are there. */
struct fx_section *fx_sections_whole(struct fx_sections *s, int64_t z, struct fx_error *err);
/** Frees a section that was moved out, or keeps its memory for another. Takes NULL. */
void fx_sections_drop(struct fx_sections *s, struct fx_section *section);
/** Drops what is held of sections @p lo to @p hi - 1, whole or not. */
void fx_sections_lose(struct fx_sections *s, int64_t lo, int64_t hi);
/** Puts which sections are held. Their tiles are left out: they come once more. Gives the number of
 * the first message that must come; UINT64_MAX: none. */
uint64_t fx_sections_pack(const struct fx_sections *s, struct fx_pack *to);
/** Prepares a zeroed one, as fx_sections_init() if it was, for tiles that come once more. FX_ETYPE,
 * FX_ENOMEM. */
int fx_sections_unpack(struct fx_sections *s, const struct fx_mark *open, double memory, size_t max,
		       struct fx_unpack *from);
/** True when a tile of section @p z that comes once more is to be put. */
bool fx_sections_wanted(const struct fx_sections *s, int64_t z);
/** First voxel of row @p y of @p tile of @p section. */
const void *fx_section_row(const struct fx_sections *s, const struct fx_section *section,
			   const struct fx_tile *tile, size_t y);

#endif
