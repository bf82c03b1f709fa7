// SPDX-License-Identifier: Apache-2.0
/* augment.h: changes of training crops that keep image and labels together; by seeded numbers. */
#ifndef FX_NN_AUGMENT_H
#define FX_NN_AUGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

#include "nn/pcg.h"

/** A symmetry of the grid: axis a of the result runs along axis from[a] of the source, backwards
 * when flip[a]. */
struct fx_symmetry {
	int from[3];
	bool flip[3];
};

/** One of the 48 symmetries of the cube; when not @p cubic one of the 16 that keep z apart. All
 * are as likely. */
struct fx_symmetry fx_symmetry_draw(bool cubic, struct fx_pcg *rng);
/** Symmetry number 0..47 of the cube, 0 the identity; the first 16 keep z apart. */
struct fx_symmetry fx_symmetry_get(uint32_t number);
/** How grey values and sections may change. All 0: nothing does. Grey values are meant to have
 * mean 0 and deviation 1. */
struct fx_augment {
	double contrast; /**< values times 1/(1 + c) to 1 + c, evenly in the logarithm */
	double offset;	 /**< plus -o to o */
	double gamma;	 /**< exponent 1/(1 + g) to 1 + g on the range of the crop */
	double noise;	 /**< plus normal noise of a deviation from 0 to n */
	double blur;	 /**< smoothed by a Gaussian of 0 to b voxels, in half of the crops */
	double drop;	 /**< chance of a section to be lost: it becomes its own mean */
	double shift;	 /**< chance of a section to lie aside, it alone or with all behind it */
	int shift_most;	 /**< by at most so many voxels along y and x */
};

/** Changes a crop of @p shape (zyx) in place: sections first, then grey values. @p labels (may be
 * NULL) move with shifted sections, 0 where nothing is known; in lost sections they stay. @p
 * scratch holds as many floats as the crop. FX_OK, FX_ENOMEM (blur). Same numbers from @p rng, same
 * crop. */
int fx_augment(const struct fx_augment *a, float *image, uint32_t *labels, const size_t shape[3],
	       float *scratch, struct fx_pcg *rng);

#endif
