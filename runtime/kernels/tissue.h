// SPDX-License-Identifier: Apache-2.0
/* tissue.h: where a section has no fine structure over a large area: beside the tissue (resin), or
 * inside of what is much larger than a neurite (vessels, bodies of cells). */
#ifndef FX_KERNELS_TISSUE_H
#define FX_KERNELS_TISSUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"
#include "kernels/quality.h"
#include "kernels/running.h"

enum { FX_TISSUE_CELL = 8 }; /* voxels: side of the cells that are judged */

enum fx_tissue_kind { FX_TISSUE, FX_TISSUE_OUTSIDE, FX_TISSUE_LARGE };

struct fx_tissue_rules {
	double radius;	/**< voxels: a disc of this fits into what is found */
	double texture; /**< part of what is usual: less is no structure */
	size_t window;	/**< sections that tell what is usual */
};

/** Zero-initialise. */
struct fx_tissue {
	struct fx_tissue_rules rules;
	size_t rows, columns;	 /**< of cells */
	float *texture, *smooth; /**< owned: power of structure in a cell, and around it */
	uint32_t *label;	 /**< owned */
	uint8_t *mask;		 /**< owned */
	uint8_t *kind;		 /**< owned: enum fx_tissue_kind of each cell */
	struct fx_running usual; /**< owned: the texture that a quarter of a section exceeds */
};

/** For sections of @p height x @p width. FX_ENOMEM. */
int fx_tissue_init(struct fx_tissue *t, const struct fx_tissue_rules *rules, size_t height,
		   size_t width);
void fx_tissue_fini(struct fx_tissue *t);
/** Judges the cells of the next section, @p p being all of it: t->kind. Structure is half the mean
 * squared difference of voxels at distance 3 less that at distance 1, along both axes: white noise
 * cancels. What has less than usual is opened by a disc; pieces of that at the rim of the section
 * are outside, others are large. FX_ENOMEM. */
int fx_tissue_next(struct fx_tissue *t, const struct fx_picture *p);
/** Share of cells of @p kind. */
double fx_tissue_share(const struct fx_tissue *t, enum fx_tissue_kind kind);
/** For save() and load(), the latter into one of the same rules. FX_ETYPE, FX_ENOMEM. */
void fx_tissue_pack(const struct fx_tissue *t, struct fx_pack *to);
int fx_tissue_unpack(struct fx_tissue *t, struct fx_unpack *from);

#endif
