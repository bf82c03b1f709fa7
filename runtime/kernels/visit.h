// SPDX-License-Identifier: Apache-2.0
/* visit.h: the order in which a skeleton is led to places at the faces of a block. */
#ifndef FX_KERNELS_VISIT_H
#define FX_KERNELS_VISIT_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/crossing.h"

/** Puts @p len different voxels of a block of @p shape (zyx; each in one of its faces, below 2^61
 * voxels) into the order in which they are to be reached. FX_ENOMEM.
 * Any order would do, but what is reached first clears the ways of the rest, so that skeletons
 * differ. This is the order of the reference implementation (github.com/seung-lab/kimimaro), so
 * that results can be compared node by node: it takes the last of a Python set of (x, y, z), filled
 * face by face. Method: tuple hash and set of CPython 3.8 and later, with their constants. */
int fx_visit_order(uint32_t *voxels, size_t len, const size_t shape[3]);
/** The same of the targets of one piece, those that must be reached first, then by voxel: puts the
 * former into the order of visits. FX_ENOMEM. */
int fx_visit_targets(struct fx_link_target *t, size_t len, const size_t shape[3]);

#endif
