// SPDX-License-Identifier: Apache-2.0
/* grid.h: the block grid: which cells a volume has, what each cell reads, and the rolling window of
 * sections that they are cut from. Triples are z y x, in voxels. */
#ifndef FX_KERNELS_GRID_H
#define FX_KERNELS_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/pack.h"

/** Cells of @p block voxels, anchored at 0, that meet a volume; each reads @p halo voxels more on
 * either side, cut at the faces of the volume. */
struct fx_grid {
	struct fx_region extent; /**< the volume, lo >= 0 */
	bool open_end;		 /**< extent.hi[0] is not known yet */
	int64_t block[3];	 /**< at least 1 */
	int64_t halo[3];	 /**< at least 0 */
	int64_t ahead;		 /**< sections that a window holds beyond those of a layer */
};

/** A grid from numbers that users and streams give: whole numbers within 1..2^20 (block) and
 * 0..2^20 (halo), an extent with 0 <= lo < hi <= 2^40 on y and x, and on z unless hi[0] is 0, which
 * is an open end. FX_EINVAL says what is wrong. */
int fx_grid_init(struct fx_grid *g, struct fx_region extent, const double block[3],
		 const double halo[3], struct fx_error *err);
/** First cell index on @p axis, and one past the last one (INT64_MAX with an open end on z). */
int64_t fx_grid_first(const struct fx_grid *g, int axis);
int64_t fx_grid_past(const struct fx_grid *g, int axis);
/** What the cell of index @p z @p y @p x puts out: the cell cut at the extent. Empty when the cell
 * does not exist. */
struct fx_region fx_grid_core(const struct fx_grid *g, int64_t z, int64_t y, int64_t x);
/** @p core with its halo, cut at the extent. */
struct fx_region fx_grid_reach(const struct fx_grid *g, struct fx_region core);

enum fx_window_state { FX_SECTION_AWAITED, FX_SECTION_DONE, FX_SECTION_MISSING };

struct fx_window_slot {
	uint64_t voxels; /**< put so far */
	uint64_t first;	 /**< number of the first message about it, and 1; 0: none came */
	enum fx_window_state state;
	bool any; /**< when it was taken up, a section had come before it */
};

/** A rolling window over sections that come as tiles, in any order within the window. Section z
 * lies in slot z modulo len. Missing sections are filled from the nearest earlier section that
 * came, else from the nearest later one that the same layer reads, else with zeros. Sections are
 * taken up strictly in order, so the content does not depend on the order of arrival. */
struct fx_window {
	struct fx_grid grid;
	size_t voxel_size, section_size; /**< bytes */
	int64_t len;	 /**< slots: the sections of a layer, those ahead, and one earlier */
	int64_t layer;	 /**< grid index of the layer that leaves next */
	int64_t base;	 /**< first section that the layer reads */
	int64_t front;	 /**< first section that is not taken up */
	bool any;	 /**< a section came before front */
	uint8_t *memory; /**< borrowed, len * section_size bytes */
	struct fx_window_slot *slots; /**< owned, len */
};

/** Bytes of memory that a window over @p g needs for voxels of @p voxel_size bytes; FX_ENOMEM when
 * they cannot be counted. */
int fx_window_size(const struct fx_grid *g, size_t voxel_size, size_t *size, struct fx_error *err);
/** A window in @p memory of fx_window_size() bytes, borrowed. FX_ENOMEM. */
int fx_window_init(struct fx_window *w, const struct fx_grid *g, size_t voxel_size, void *memory,
		   struct fx_error *err);
/** Takes a zeroed one. */
void fx_window_fini(struct fx_window *w);
/** Copies a tile (one section, one channel, no halo, inside the extent, voxels of the window's
 * size) to its section. FX_EINVAL when it does not fit, its section is not awaited any more or lies
 * beyond the window, or more voxels came than the section has. */
int fx_window_put(struct fx_window *w, const struct fx_block *tile, struct fx_error *err);
/** Section @p z lies in the window and is neither known to be whole nor to be missing. */
bool fx_window_awaits(const struct fx_window *w, int64_t z);
/** Section @p z is known to be whole or missing. */
bool fx_window_closed(const struct fx_window *w, int64_t z);
/** Section @p z is whole, or will never come; FX_EINVAL when it is not awaited, beyond the window,
 * or (done) when its voxels are not all there. Tiles of a missing section are dropped. */
int fx_window_close(struct fx_window *w, int64_t z, enum fx_window_state state,
		    struct fx_error *err);
/** Takes up sections until a layer is whole: true, with the cells @p layer of the grid on z to be
 * cut; call fx_window_leave() then and try again. False when more sections are needed. */
bool fx_window_ready(struct fx_window *w);
/** The layer is cut: its sections that no later layer reads are let go. */
void fx_window_leave(struct fx_window *w);
/** The stream has ended: one past the last section that came or is known to be missing. At least
 * the extent's low end. */
int64_t fx_window_seen(const struct fx_window *w);
/** Ends the volume at @p hi, at most fx_window_seen(): layers beyond are gone, the last one is cut
 * there. */
void fx_window_clip(struct fx_window *w, int64_t hi);
/** Message @p number was about section @p z, which is in the window. */
void fx_window_note(struct fx_window *w, int64_t z, uint64_t number);
/** Puts what a later life needs besides the messages about sections that are still to be cut: they
 * come once more. So the window's voxels, often many GiB, are not written a second time: they lie
 * in the journal. Gives the number of the first such message; UINT64_MAX: none. */
uint64_t fx_window_pack(const struct fx_window *w, struct fx_pack *to);
/** Takes that back to a new window over the same grid. FX_ETYPE. */
int fx_window_unpack(struct fx_window *w, struct fx_unpack *from);
/** True when a message about section @p z that comes once more is of use. */
bool fx_window_wants(const struct fx_window *w, int64_t z);
/** Copies region @p r, which fx_grid_reach() of the ready layer gave, to @p dst (C order). */
void fx_window_cut(const struct fx_window *w, struct fx_region r, void *dst);

#endif
