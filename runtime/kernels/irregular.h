// SPDX-License-Identifier: Apache-2.0
/* irregular.h: where a section does not continue those before it: shifted, cut, or another place.
 */
#ifndef FX_KERNELS_IRREGULAR_H
#define FX_KERNELS_IRREGULAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"
#include "kernels/running.h"
#include "kernels/shift.h"

struct fx_irregular_rules {
	size_t step;	/**< side of a cell that is judged, even */
	size_t patch;	/**< side of what is compared around it, at least step */
	size_t reach;	/**< voxels that it is looked for */
	double shift;	/**< voxels: more is irregular */
	double similar; /**< part of the usual similarity: less is irregular */
	size_t window;	/**< sections that tell what is usual */
};

/** Of a section. */
struct fx_irregular_summary {
	double y, x;	   /**< median shift from the section before */
	double farthest;   /**< largest shift of a cell that was found */
	double similarity; /**< median */
	double share;	   /**< of irregular cells */
};

/** Zero-initialise. */
struct fx_irregular {
	struct fx_irregular_rules rules;
	size_t rows, columns;	 /**< of cells */
	struct fx_grey now;	 /**< owned: the present section */
	struct fx_grey before;	 /**< owned: the section before */
	struct fx_grey last;	 /**< owned: of every cell, the last section where it was regular */
	uint8_t *cells;		 /**< owned, rows x columns: 1 is irregular */
	struct fx_shift *found;	 /**< owned, the same: in the section before */
	struct fx_running usual; /**< owned: similarity and power of sections */
	double *scratch;	 /**< owned, the same */
	bool any;		 /**< a section came */
};

/** For sections of @p height x @p width. FX_ENOMEM. */
int fx_irregular_init(struct fx_irregular *r, const struct fx_irregular_rules *rules, size_t height,
		      size_t width);
void fx_irregular_fini(struct fx_irregular *r);
/** Takes up the next section: r->cells tells where it is irregular. A cell is regular when the
 * patch around it lies at most rules.shift from its place, and is alike, either in the section
 * before, or in the last one where this cell was regular: so one bad section does not make the next
 * one irregular, and behind a jump the stream goes on. Where there is next to no structure in both,
 * nothing can be told: it is regular.
 * Method: flood-filling network paper, Januszewski et al., Nat. Methods 15:605 (2018): a field of
 * shifts by cross-correlation of patches of neighbouring sections, limit 4 voxels. */
void fx_irregular_next(struct fx_irregular *r, const void *voxels, enum fx_dtype dtype,
		       struct fx_irregular_summary *summary);
/** For save() and load(), the latter into one of the same rules and size. FX_ETYPE, FX_ENOMEM. */
void fx_irregular_pack(const struct fx_irregular *r, struct fx_pack *to);
int fx_irregular_unpack(struct fx_irregular *r, struct fx_unpack *from);

#endif
