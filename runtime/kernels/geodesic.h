// SPDX-License-Identifier: Apache-2.0
/* geodesic.h: shortest ways inside labelled objects, 26-connected, on an anisotropic lattice. */
#ifndef FX_KERNELS_GEODESIC_H
#define FX_KERNELS_GEODESIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

/** A volume with one voxel of padding on every side, so that each inner voxel has 26 neighbours.
 * All arrays below are of this shape. */
struct fx_lattice {
	size_t shape[3]; /**< padding included, zyx */
	size_t len;
	double voxel_nm[3];
	ptrdiff_t offset[26]; /**< to the neighbours, in raster order */
	int delta[26][3];     /**< the same as voxels zyx */
	float step_nm[26];    /**< how far they are */
	float step_min, step_max;
};

/** Lattice around a volume of @p shape voxels; FX_EINVAL when it has no voxel or 2^32 and more, or
 * a voxel size is not above 0. */
int fx_lattice_init(struct fx_lattice *l, const size_t shape[3], const double voxel_nm[3]);
/** Lattice index of the voxel @p z @p y @p x of the volume. */
uint32_t fx_lattice_index(const struct fx_lattice *l, size_t z, size_t y, size_t x);
/** Volume coordinates zyx of a lattice index. */
void fx_lattice_voxel(const struct fx_lattice *l, uint32_t index, size_t zyx[3]);

/** Queues and marks for the searches below; used for any number of objects, one thread. */
struct fx_geodesic;
/** NULL without memory. @p l must outlive it. */
struct fx_geodesic *fx_geodesic_new(const struct fx_lattice *l);
void fx_geodesic_free(struct fx_geodesic *g);
/** Goes over to another lattice of the same voxel size; @p l must outlive it. False without memory:
 * then only fx_geodesic_free() may follow. */
bool fx_geodesic_fit(struct fx_geodesic *g, const struct fx_lattice *l);

/** What is known of a voxel; all bits are 0 outside of the object and in the padding. */
enum {
	FX_VOXEL_IN = 1,      /**< of the object */
	FX_VOXEL_TREE = 2,    /**< of its skeleton */
	FX_VOXEL_CLEARED = 4, /**< by fx_geodesic_roll() */
	FX_VOXEL_OFFERED = 8, /**< set and taken back by the searches */
};

/** Distances in nm from @p source to all voxels of its 26-connected piece of the object. @p dist
 * must hold INFINITY on the voxels of the object and 0 elsewhere. @p order gets the voxels in bands
 * of growing distance, each band at most fx_geodesic_band() wide, *len of them; room for all voxels
 * of the piece. FX_ENOMEM. Method: Dijkstra with buckets narrower than the shortest step (Dial,
 * CACM 12:632, 1969; Denardo and Fox, Oper. Res. 27:161, 1979): exact, independent of order. */
int fx_geodesic_field(struct fx_geodesic *g, uint32_t source, float *dist, uint32_t *order,
		      size_t *len);
/** Number of the band that a distance lies in. */
int64_t fx_geodesic_band(const struct fx_geodesic *g, double dist);

/** Cheapest way from @p start through the object of @p flags to any voxel that has @p goal there. A
 * way costs the sum of the penalties of its voxels but the start. Gives *way (free()), *len voxels
 * from the goal to the start, both included. Ties go to the lower index. FX_ENOENT when no goal
 * can be reached, FX_ENOMEM. @p penalty must not be below 0. Method: Dijkstra with a binary heap.
 */
int fx_geodesic_way(struct fx_geodesic *g, uint8_t *flags, const float *penalty, uint32_t start,
		    uint8_t goal, uint32_t **way, size_t *len);

/** A ball. */
struct fx_ball {
	int64_t centre[3]; /**< voxel of the volume, zyx; may lie outside */
	float radius_nm;
};
/** Where a ball comes into an object. */
struct fx_ball_entry {
	uint32_t voxel; /**< lattice index */
	uint32_t ball;
};
/** The ball that cleared a voxel. */
struct fx_clearing {
	float squared_nm; /**< from its centre, squared */
	uint32_t ball;
};
/** Clears the voxels of the object of @p flags that lie in a ball and hang together with its entry
 * through voxels that this call clears: sets FX_VOXEL_CLEARED, and which ball it was in @p by. What
 * earlier calls have cleared stays theirs, and is not gone through. FX_ENOMEM.
 * Method: one flood from all entries, voxels nearest to the centre of a ball first, each voxel
 * following the ball that it was reached by; the first one takes it. */
int fx_geodesic_roll(struct fx_geodesic *g, uint8_t *flags, const struct fx_ball *balls,
		     const struct fx_ball_entry *entries, size_t len, struct fx_clearing *by);

#endif
