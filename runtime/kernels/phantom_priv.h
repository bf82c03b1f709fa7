// SPDX-License-Identifier: Apache-2.0
/* phantom_priv.h: what the parts of the phantom share: sites, neurites, the search grid. */
#ifndef FX_KERNELS_PHANTOM_PRIV_H
#define FX_KERNELS_PHANTOM_PRIV_H

#include <stdbool.h>

#include "kernels/phantom.h"
#include "kernels/phantom_noise.h"

enum phantom_sight { PHANTOM_OUTSIDE, PHANTOM_HIDDEN, PHANTOM_SEEN };

enum phantom_state { PHANTOM_FREE, PHANTOM_LIVING, PHANTOM_ENDING };

/** A dark oval in a site, while it lasts: its middle lies at @p middle of the site's age. */
struct phantom_mito {
	float middle, half_length, radius; /**< nm; half_length 0: none */
	float offset[2];		   /**< of its axis, in units of the site's radius */
};

/** One process in the section: a capsule. Pairs are y, x; nm in the displaced plane. */
struct phantom_site {
	enum phantom_state state;
	int32_t neurite;	   /**< index in the table */
	int32_t mate;		   /**< the other half of a recent branching, or -1 */
	uint64_t key;		   /**< of its own random numbers */
	float pos[2], wish[2];	   /**< place; slope it keeps to */
	float slope[2], motion[2]; /**< smoothed, and present slope, nm per nm of z */
	float flat;		   /**< how much longer than wide it may be
				    */
	float half[2];		   /**< from the middle to an end of the capsule */
	float extent;		   /**< how far the capsule reaches from pos */
	float radius, rest, swell; /**< now; on average; nm per nm of z */
	float gap;		   /**< from pos to the nearest surface of another neurite */
	float age, since_branch;   /**< nm of z */
	float push[2];		   /**< by its neighbours, nm per nm of z */
	struct phantom_mito mito;
	bool vesicles;
	int32_t next; /**< in the same bin of the grid */
	/* its centre line */
	int32_t node; /**< the last one, an index in the neurite's, or -1 */
	int32_t from; /**< the site that it branched off and whose node it continues, or -1 */
	enum phantom_sight sight; /**< in this section */
	bool wants_node, fresh;	  /**< last is no node yet */
	struct fx_tree_node last; /**< where it was last seen */
	struct fx_tree_node tail; /**< a copy of its node */
};

struct phantom_neurite {
	uint32_t id, sites;	    /**< sites: how many live; 0: a free slot */
	float shade;		    /**< grey level of its cytoplasm */
	bool cut;		    /**< its line was just given out, a new piece begins */
	struct fx_tree_node *nodes; /**< owned */
	size_t len, cap;
};

/** Sites by place: head[b] is the first in bin b or -1, site.next the one behind it or -1. */
struct phantom_grid {
	float lo[2], bin;
	int32_t n[2];
	int32_t *head; /**< owned */
};

struct fx_phantom {
	struct fx_phantom_spec spec;
	int64_t z;
	double depth;			  /**< of the simulation, nm */
	float domain_lo[2], domain_hi[2]; /**< where sites live: the section and a margin */
	float thin;			  /**< a site with a smaller inscribed radius ends */
	float reach;			  /**< largest extent of a site around its pos */
	uint64_t random;
	uint32_t next_id;
	struct phantom_site *sites; /**< owned */
	size_t sites_len, sites_cap, alive;
	int32_t *free_sites, *free_neurites; /**< owned stacks of indices */
	size_t free_sites_len, free_sites_cap, free_neurites_len, free_neurites_cap;
	struct phantom_neurite *neurites; /**< owned */
	size_t neurites_len, neurites_cap;
	struct phantom_grid grid;
	struct fx_noise_field warp[2], mottle;
	int tile[2];	       /**< voxels of the raster's tiles, at most FX_NOISE_TILE */
	struct fx_tree **done; /**< owned queue; done[done_first] is next */
	size_t done_first, done_len, done_cap;
};

/** Makes an empty grid of bins as wide as the spacing. FX_ENOMEM. */
int fx_phantom_grid_init(struct fx_phantom *p);
/** Sorts the sites into the grid anew. */
void fx_phantom_grid_build(struct fx_phantom *p);
/** Adds site @p i to the grid. */
void fx_phantom_grid_add(struct fx_phantom *p, int32_t i);
/** Distance from (y, x) to the nearest surface of a site other than @p skip and @p mate; negative
 * inside; @p far when none is nearer. */
float fx_phantom_gap(const struct fx_phantom *p, float y, float x, int32_t skip, int32_t mate,
		     float far);
/** Place in the displaced plane, where the sites live, of the voxel (y, x) of this section. */
void fx_phantom_warp(const struct fx_phantom *p, int64_t y, int64_t x, float out[2]);
/** The site whose cell holds the voxel, or -1 when no site lives. */
int32_t fx_phantom_owner(const struct fx_phantom *p, int64_t y, int64_t x);
/** Turns the rectangle of h x w voxels at (y, x), whose grey values have a rim of one voxel on
 * every side, to what the detector gives. Changes @p grey. */
void fx_phantom_expose(const struct fx_phantom *p, size_t y, size_t x, size_t h, size_t w,
		       float *grey, uint8_t *image);
/** Extends the centre lines by the present section. */
int fx_phantom_trace(struct fx_phantom *p, struct fx_error *err);
/** Ends the line of site @p i, at a @p tip or at the rim, and queues the tree when it was the
 * neurite's last. */
int fx_phantom_trace_end(struct fx_phantom *p, size_t i, bool tip, struct fx_error *err);

static inline float phantom_root(float v)
{
	return __builtin_sqrtf(v);
}

/** Offset from the nearest point of the axis of @p s to (y, x), to out; gives its length. */
static inline float phantom_axis(const struct phantom_site *s, float y, float x, float out[2])
{
	const float hh = s->half[0] * s->half[0] + s->half[1] * s->half[1];
	const float dy = y - s->pos[0], dx = x - s->pos[1];
	float t = hh > 0 ? (dy * s->half[0] + dx * s->half[1]) / hh : 0;

	t = t < -1 ? -1 : t > 1 ? 1 : t;
	out[0] = dy - t * s->half[0];
	out[1] = dx - t * s->half[1];
	return phantom_root(out[0] * out[0] + out[1] * out[1]);
}

/** False when the surface of @p s is surely farther than @p limit from (y, x). */
static inline bool phantom_may_reach(const struct phantom_site *s, float y, float x, float limit)
{
	const float dy = y - s->pos[0], dx = x - s->pos[1], r = s->extent + limit;

	return dy * dy + dx * dx <= r * r;
}

/** A walk over the sites in the bins that touch a square. */
struct phantom_walk {
	const struct fx_phantom *p;
	int32_t lo[2], hi[2], row, column, next;
};

/** The square has half side @p r around (y, x). */
void phantom_walk_start(struct phantom_walk *w, const struct fx_phantom *p, float y, float x,
			float r);

/** The next site, or -1 behind the last. */
static inline int32_t phantom_walk_next(struct phantom_walk *w)
{
	int32_t i;

	while (w->next < 0) {
		if (++w->column > w->hi[1]) {
			w->column = w->lo[1];
			if (++w->row > w->hi[0])
				return -1;
		}
		w->next = w->p->grid.head[w->row * w->p->grid.n[1] + w->column];
	}
	i = w->next;
	w->next = w->p->sites[i].next;
	return i;
}

#endif
