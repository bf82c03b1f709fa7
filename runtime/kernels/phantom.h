// SPDX-License-Identifier: Apache-2.0
/* phantom.h: a synthetic electron microscope with exact truth. Grows densely packed neurites
 * section by section; memory is that of the neurites which cross the section, whatever the depth.
 *
 * The model (own): z is time, and the cross-sections of the neurites are the cells of a moving,
 * additively weighted Voronoi diagram of capsules in the plane (d = distance to a segment, minus a
 * radius). Such cells are star-shaped around their segment, so each is in one piece; a smooth
 * displacement of the plane without folds makes them look organic and keeps that. A neurite that
 * runs obliquely gets the elongated capsule that the section of an oblique tube is. A branch is a
 * site that splits in two of the same neurite; a tip is a site whose radius sinks until its
 * neighbours have closed over it. Nothing ever merges. */
#ifndef FX_KERNELS_PHANTOM_H
#define FX_KERNELS_PHANTOM_H

#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/pack.h"

/** What to grow. Everything about shape is in nm, so that the voxel size is free. */
struct fx_phantom_spec {
	size_t height, width; /**< voxels of a section, 1 to 2^20 each */
	double voxel_nm[3];   /**< z y x, 1 to 200 */
	double spacing_nm;    /**< typical distance between neurites; at least 6 voxels y, x */
	double slope;	      /**< obliqueness, 0 straight along z, 1 natural, up to 4 */
	double branch_nm;     /**< mean path between branches of one process */
	double end_nm;	      /**< mean path until a thin process ends */
	double mitochondria;  /**< 0 none, 1 natural, up to 4 */
	double vesicles;      /**< 0 none, 1 natural: the part of varicosities that has them */
	double noise;	      /**< standard deviation of the shot noise, grey levels */
	double jitter;	      /**< of the brightness from section to section, grey levels */
	double node_nm;	      /**< distance of the nodes of a centre line */
	size_t piece_len;     /**< nodes after which a centre line is given out, 2 to 1e6 */
	uint64_t seed;
};

struct fx_phantom;

/** A phantom in front of its first section. The same @p spec gives the same bytes for any number
 * of threads; a section does not depend on what comes after it. *out is the caller's, free with
 * fx_phantom_free(). FX_EINVAL for a value out of range, FX_ENOMEM. */
int fx_phantom_new(const struct fx_phantom_spec *spec, struct fx_phantom **out,
		   struct fx_error *err);
/** Takes NULL. */
void fx_phantom_free(struct fx_phantom *p);
/** Goes to the next section (the first call: section 0) and extends the centre lines. FX_ENOMEM
 * leaves a phantom that can only be freed. */
int fx_phantom_next(struct fx_phantom *p, struct fx_error *err);
/** Fills the rectangle of @p h x @p w voxels at @p y, @p x of the present section, densely, rows
 * first: grey values to @p image and neurite ids (from 1; no voxel is 0) to @p truth; either may
 * be NULL. A rectangle does not depend on how the section is cut. Several cores. */
int fx_phantom_render(const struct fx_phantom *p, size_t y, size_t x, size_t h, size_t w,
		      uint8_t *image, uint32_t *truth, struct fx_error *err);
/** Ends every neurite, so that what is left of the centre lines can be taken. */
int fx_phantom_finish(struct fx_phantom *p, struct fx_error *err);
/** The next finished centre line, or NULL; the caller frees it. Its segment is the neurite's id,
 * positions are voxel index times voxel size, every node lies in a voxel of its own neurite,
 * radii are those of a circle that fits in the section. A process that left the picture and came
 * back makes a second root. A neurite of more than piece_len nodes comes in pieces of the same
 * segment; a piece then begins with copies of the nodes where the last one stopped. A neurite whose
 * axis never lies in the picture (it grazes the rim) has no centre line. */
struct fx_tree *fx_phantom_take_tree(struct fx_phantom *p);
/** Puts all that later sections depend on. Every finished centre line must have been taken. */
void fx_phantom_pack(const struct fx_phantom *p, struct fx_pack *to);
/** Makes a new phantom of the same spec go on where another was. FX_ETYPE when what @p from holds
 * cannot be, FX_ENOMEM; then @p p can only be freed. */
int fx_phantom_unpack(struct fx_phantom *p, struct fx_unpack *from);
/** Sections so far: how often fx_phantom_next() was called. */
size_t fx_phantom_sections(const struct fx_phantom *p);
/** Neurites that cross the present section, its surroundings included. */
size_t fx_phantom_count(const struct fx_phantom *p);
/** Bytes that the phantom holds. */
size_t fx_phantom_bytes(const struct fx_phantom *p);

#endif
