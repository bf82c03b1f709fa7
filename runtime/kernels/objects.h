// SPDX-License-Identifier: Apache-2.0
/* objects.h: which segments are which bodies, and where the worst mistakes are. */
#ifndef FX_KERNELS_OBJECTS_H
#define FX_KERNELS_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>

#include "kernels/contingency.h"
#include "kernels/metrics.h"

enum { FX_OBJECT_LEVELS = 10, FX_MISTAKE_PARTS = 8 };

/** Segments matched with bodies at intersection over union of at least 0.5, 0.55 ... 0.95. */
struct fx_objects {
	size_t bodies, segments;	  /**< that are not 0 */
	size_t matched[FX_OBJECT_LEVELS]; /**< one to one, the best first */
	double iou_sum;			  /**< over those matched at 0.5 */
};

/** Sizes and intersections count the voxels of @p rule; 0 is no object. FX_ENOMEM. */
int fx_objects_match(const struct fx_contingency *c, enum fx_rule rule, struct fx_objects *out);
/** Adds GROUP.objects.f1_50 ... .f1_95, .f1_mean, .precision_50, .recall_50, .precision_75,
 * .recall_75, .matched_50, .matched_75 and .iou_mean. FX_ENOMEM. */
int fx_objects_add(struct fx_record *r, const char *group, const struct fx_objects *o);

/** A body in several segments, or a segment in several bodies. */
struct fx_mistake {
	bool merger;	  /**< else a split */
	uint64_t id;	  /**< of the body that is split, or the segment that merges */
	uint64_t voxels;  /**< where neither is 0 */
	double bits;	  /**< what it adds to both_nonzero.voi_split or .voi_merge */
	size_t parts_len; /**< all of them */
	struct {
		uint64_t id; /**< of the other side */
		uint64_t voxels;
		bool placed;
		int64_t at[3];
	} parts[FX_MISTAKE_PARTS]; /**< the largest */
};

/** The @p most mistakes of one kind that cost most bits (ties: the lowest id), the worst first;
 * fewer when there are not so many. *out (free()) and *len. FX_ENOMEM. */
int fx_mistakes_find(const struct fx_contingency *c, bool mergers, size_t most,
		     struct fx_mistake **out, size_t *len);
/** A record of it, kind "split" or "merger": id, voxels, bits, parts, and part_1.id, .voxels, .z,
 * .y, .x ...; NULL without memory. */
struct fx_record *fx_mistake_record(const struct fx_mistake *m);

#endif
