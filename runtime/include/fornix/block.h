// SPDX-License-Identifier: Apache-2.0
/* block.h: what flows. A voxel block, a tree, a record, and the marks between them.
 * All triples are in the order z, y, x. Lengths are nanometres unless a name says voxels. */
#ifndef FORNIX_BLOCK_H
#define FORNIX_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Voxel types. Each is one bit, so that a port can name a set. */
enum fx_dtype {
	FX_U8 = 1 << 0,
	FX_U16 = 1 << 1,
	FX_U32 = 1 << 2,
	FX_U64 = 1 << 3,
	FX_F16 = 1 << 4,
	FX_F32 = 1 << 5,
};

/** What the voxels mean. */
enum fx_role { FX_IMAGE, FX_PROBABILITY, FX_AFFINITY, FX_LABELS, FX_MASK };

/** A box of voxels in global coordinates, low inclusive, high exclusive. */
struct fx_region {
	int64_t lo[3], hi[3];
};

/** A voxel array: C order, x fastest, channels slowest (czyx). A 2-D tile has shape[0] == 1. */
struct fx_block {
	enum fx_dtype dtype;
	enum fx_role role;
	uint32_t channels;		 /**< 1 unless the data have a channel axis */
	uint32_t level;			 /**< pyramid level, 0 is full resolution */
	int64_t origin[3];		 /**< global voxel coordinates of data[0], halo included */
	size_t shape[3];		 /**< voxels, halo included */
	uint32_t halo_lo[3], halo_hi[3]; /**< voxels at either end that are context, not output */
	double voxel_nm[3];
	void *data; /**< 64-byte aligned. Of a received block: read only, unless fx_block_own()ed */

	/* private: who frees data */
	void (*release)(struct fx_block *b);
	void *owner;
	uint64_t owner_key;
};

/** One node of a tree. */
struct fx_tree_node {
	double pos_nm[3]; /**< voxel index times voxel size: no half-voxel shift */
	double radius_nm;
	int32_t parent; /**< index in the same tree, smaller than the own index; -1 is a root */
	int32_t type;	/**< SWC type: 0 undefined, 1 soma, 2 axon, 3 dendrite, 5 fork, 6 end */
};

/** A skeleton or a piece of one; may be a forest. */
struct fx_tree {
	uint64_t segment;  /**< id of the label that it runs in */
	double confidence; /**< 0 to 1; 1 when nothing is known */
	size_t len;
	struct fx_tree_node *nodes; /**< owned; parents before children */
};

/** A number or a text in a record. */
struct fx_field {
	char *name; /**< owned */
	double number;
	char *text; /**< owned; NULL when the field is a number */
};

/** Named numbers and texts about a region, and optionally a table of integers. */
struct fx_record {
	char *kind; /**< owned: "equivalence", "final-ids", "scores", ... */
	struct fx_region region;
	size_t fields_len;
	struct fx_field *fields; /**< owned */
	uint32_t columns;	 /**< of the table; 0 when there is none */
	size_t rows;
	uint64_t *table; /**< owned, rows x columns */
};

enum fx_mark_kind { FX_MARK_OPEN = 1, FX_MARK_DONE, FX_MARK_MISSING, FX_MARK_END, FX_MARK_SKIP };

/** What travels between messages in the same order: facts about the stream. */
struct fx_mark {
	enum fx_mark_kind kind;
	struct fx_region region; /**< OPEN: extent if known, else zeros on an axis. DONE, MISSING */
	double voxel_nm[3];	 /**< OPEN */
	enum fx_dtype dtype;	 /**< OPEN */
	char reason[256];	 /**< MISSING: one sentence */
};

/** Bytes of one voxel of @p dtype; 0 when it is not exactly one valid type. */
FX_API size_t fx_dtype_size(enum fx_dtype dtype);
/** Name such as "u8"; "?" when invalid. Static storage. */
FX_API const char *fx_dtype_name(enum fx_dtype dtype);

/** A zeroed block on the heap, role image, 1 channel, origin 0, voxel size 1 nm; NULL without
 * memory, with a zero axis or when the size overflows. Free with fx_block_free(). */
FX_API struct fx_block *fx_block_new(enum fx_dtype dtype, size_t z, size_t y, size_t x);
/** fx_block_new() with shape, place, halo, voxel size and level of @p like. */
FX_API struct fx_block *fx_block_new_like(const struct fx_block *like, enum fx_dtype dtype);
/** Frees, also a received block. Takes NULL. */
FX_API void fx_block_free(struct fx_block *b);
/** Makes the voxels of @p b the caller's own heap memory (a copy when they are shared). */
FX_API int fx_block_own(struct fx_block *b);
/** Number of voxels in one channel. */
FX_API size_t fx_block_len(const struct fx_block *b);
/** Bytes of all channels. */
FX_API size_t fx_block_size(const struct fx_block *b);
/** The whole block in global coordinates. */
FX_API struct fx_region fx_block_region(const struct fx_block *b);
/** The block without its halo, in global coordinates. */
FX_API struct fx_region fx_block_core(const struct fx_block *b);
/** Copies the part @p r (global, inside @p b) of channel 0 to a new heap block without halo;
 * NULL without memory or when @p r is empty or not inside. */
FX_API struct fx_block *fx_block_crop(const struct fx_block *b, struct fx_region r);
/** Copies the voxels where both overlap from @p src to @p dst; same dtype and channels. */
FX_API void fx_block_paste(struct fx_block *dst, const struct fx_block *src);
/** Intersection; *empty* regions have lo >= hi on some axis. */
FX_API struct fx_region fx_region_intersect(struct fx_region a, struct fx_region b);
FX_API bool fx_region_empty(struct fx_region r);

/** A tree with room for @p len zeroed nodes (may be 0); NULL without memory. */
FX_API struct fx_tree *fx_tree_new(uint64_t segment, size_t len);
FX_API void fx_tree_free(struct fx_tree *t);
/** Cable length in nm: sum of the distances of nodes to their parents. */
FX_API double fx_tree_length_nm(const struct fx_tree *t);

/** An empty record of @p kind; NULL without memory. */
FX_API struct fx_record *fx_record_new(const char *kind);
FX_API void fx_record_free(struct fx_record *r);
/** Appends a field. FX_ENOMEM leaves the record as it was. */
FX_API int fx_record_add_number(struct fx_record *r, const char *name, double number);
FX_API int fx_record_add_text(struct fx_record *r, const char *name, const char *text);
/** The number called @p name, or @p otherwise when there is none. */
FX_API double fx_record_number(const struct fx_record *r, const char *name, double otherwise);
/** The text called @p name, or NULL. Lives as long as the record. */
FX_API const char *fx_record_text(const struct fx_record *r, const char *name);
/** Gives the record a zeroed table, replacing any. */
FX_API int fx_record_table(struct fx_record *r, size_t rows, uint32_t columns);

#ifdef __cplusplus
}
#endif
#endif
