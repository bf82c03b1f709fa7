// SPDX-License-Identifier: Apache-2.0
/* inspection.h: measures sections and their parts, and tells of it in records. */
#ifndef FX_NODE_INSPECTION_H
#define FX_NODE_INSPECTION_H

#include <fornix/node.h>

#include "block/section.h"
#include "node/docket.h"

/** Zero-initialise. */
struct fx_inspection {
	size_t rows, columns; /**< of parts of a section */
	uint64_t checksum;    /**< of the section that was measured last */
	int64_t last;	      /**< and which it was; meaningless while checksum is 0 */
};

/** Parts of about @p side x @p side voxels, at least one, for sections of @p held. */
void fx_inspection_divide(struct fx_inspection *n, const struct fx_sections *held, size_t side);
/** Measures a whole section of @p held and its parts to @p v, row by row behind the section itself.
 * FX_ENOMEM. */
int fx_inspection_measure(struct fx_inspection *n, const struct fx_sections *held,
			  const struct fx_section *section, struct fx_verdict *v);
/** The record of verdict @p i of @p c; NULL without memory. Its region is that of the part. Of the
 * section (0) it is what is bad: all of it, or the box around the bad parts when only these are. */
struct fx_record *fx_inspection_record(const struct fx_inspection *n,
				       const struct fx_sections *held, const struct fx_case *c,
				       size_t i);

#endif
