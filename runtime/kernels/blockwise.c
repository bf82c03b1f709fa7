// SPDX-License-Identifier: Apache-2.0
/* blockwise.c: skeletons of a label volume that is at hand block by block only. */
#include "kernels/blockwise.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* A piece that was put away. */
struct kept {
	uint64_t segment, key;
};

struct work {
	const struct fx_blockwise_block *blocks;
	size_t len;
	const struct fx_blockwise_options *options;
	const struct fx_blockwise_io *io;
	struct fx_crossing_end *ends;
	size_t ends_len, ends_cap, pieces;
	struct kept *kept;
	size_t kept_len, kept_cap;
};

/* Keys: planes of balls first, three a block, then pieces. */
static uint64_t leave_key(size_t block, int axis)
{
	return 3 * (uint64_t)block + (uint64_t)axis;
}

static size_t block_voxels(const struct fx_blockwise_block *b)
{
	return b->shape[0] * b->shape[1] * b->shape[2];
}

/* Where objects cross one face of a block. At the rim of the volume they are thought to go on. */
static int find_face(struct work *w, size_t i, int axis, bool high, struct fx_link_target **targets,
		     size_t *len, size_t *cap)
{
	const struct fx_blockwise_block *b = &w->blocks[i];
	const size_t next = high ? b->behind[axis] : b->before[axis];
	const int row = axis == 0 ? 1 : 0, column = axis == 2 ? 1 : 2;
	struct fx_face f = { .axis = axis, .high = high };
	uint64_t *own = NULL, *other = NULL;
	int result = w->io->face(w->io->context, i, axis, high, &own);

	if (result == FX_OK && next != SIZE_MAX)
		result = w->io->face(w->io->context, next, axis, !high, &other);
	memcpy(f.origin, b->origin, sizeof f.origin);
	memcpy(f.shape, b->shape, sizeof f.shape);
	memcpy(f.voxel_nm, w->options->voxel_nm, sizeof f.voxel_nm);
	f.inner = (b->before[row] != SIZE_MAX ? 1u : 0u) | (b->behind[row] != SIZE_MAX ? 2u : 0u) |
		  (b->before[column] != SIZE_MAX ? 4u : 0u) |
		  (b->behind[column] != SIZE_MAX ? 8u : 0u);
	f.own = own;
	f.other = other ? other : own;
	if (result == FX_OK)
		result = fx_face_targets(&f, targets, len, cap);
	free(own);
	free(other);
	return result;
}

static int add_ends(struct work *w, size_t i, const struct fx_link_target *targets, size_t len)
{
	uint32_t *piece = fx_calloc(len, sizeof *piece), count = 0;
	uint64_t *labels = NULL;
	int result = piece ? w->io->labels(w->io->context, i, &labels) : FX_ENOMEM;

	if (result == FX_OK)
		result =
			fx_crossing_pieces(labels, w->blocks[i].shape, targets, len, piece, &count);
	if (result == FX_OK && !fx_grow(&w->ends, &w->ends_cap, w->ends_len + len, sizeof *w->ends))
		result = FX_ENOMEM;
	for (size_t t = 0; result == FX_OK && t < len; t++)
		w->ends[w->ends_len++] =
			(struct fx_crossing_end){ targets[t], (uint32_t)i,
						  (uint32_t)(w->pieces + piece[t] - 1) };
	w->pieces += count;
	free(piece);
	free(labels);
	return result == FX_OK && w->pieces > UINT32_MAX ? FX_EINVAL : result;
}

/* All crossings of all blocks, and which of them are to join pieces. */
static int find_crossings(struct work *w)
{
	int result = w->len > UINT32_MAX ? FX_EINVAL : FX_OK;

	for (size_t i = 0; result == FX_OK && i < w->len; i++) {
		struct fx_link_target *targets = NULL;
		size_t len = 0, cap = 0;

		for (int face = 0; result == FX_OK && face < 6; face++)
			result = find_face(w, i, face / 2, face % 2, &targets, &len, &cap);
		if (result == FX_OK)
			result = add_ends(w, i, targets, len);
		free(targets);
	}
	return result == FX_OK ? fx_crossing_choose(w->ends, w->ends_len, w->pieces) : result;
}

/* The balls that come in from the block before along @p axis: *balls, NULL when there is none. */
static int load_enters(const struct work *w, size_t i, int axis, struct fx_ball **balls)
{
	const struct fx_blockwise_block *b = &w->blocks[i];
	const size_t before = b->before[axis], len = block_voxels(b) / b->shape[axis];
	uint64_t *own = NULL, *other = NULL;
	void *bytes = NULL;
	size_t size = 0;
	int result;

	*balls = NULL;
	if (before == SIZE_MAX)
		return FX_OK;
	result = w->io->get(w->io->context, leave_key(before, axis), &bytes, &size);
	if (result == FX_OK)
		result = w->io->face(w->io->context, i, axis, false, &own);
	if (result == FX_OK)
		result = w->io->face(w->io->context, before, axis, true, &other);
	if (result == FX_OK && size != len * sizeof **balls)
		result = FX_EINVAL;
	if (result == FX_OK) {
		*balls = bytes;
		bytes = NULL;
	}
	for (size_t v = 0; result == FX_OK && v < len; v++)
		if (own[v] != other[v])
			(*balls)[v].radius_nm = -1;
	w->io->drop(w->io->context, leave_key(before, axis));
	free(bytes);
	free(own);
	free(other);
	return result;
}

static int keep_piece(struct work *w, const struct fx_piece *p)
{
	const uint64_t key = 3 * (uint64_t)w->len + w->kept_len;
	void *bytes;
	size_t size;
	int result;

	if (!fx_grow(&w->kept, &w->kept_cap, w->kept_len + 1, sizeof *w->kept) ||
	    fx_piece_pack(p, &bytes, &size) != FX_OK)
		return FX_ENOMEM;
	result = w->io->put(w->io->context, key, bytes, size);
	free(bytes);
	w->kept[w->kept_len++] = (struct kept){ p->label, key };
	return result;
}

static int keep_all(struct work *w, size_t i, const struct fx_skeletons *s)
{
	const struct fx_blockwise_block *b = &w->blocks[i];
	int result = FX_OK;

	for (size_t p = 0; result == FX_OK && p < s->len; p++)
		result = keep_piece(w, &s->pieces[p]);
	for (int axis = 0; result == FX_OK && axis < 3; axis++)
		if (b->behind[axis] != SIZE_MAX)
			result = w->io->put(w->io->context, leave_key(i, axis), s->leaves[axis],
					    block_voxels(b) / b->shape[axis] *
						    sizeof *s->leaves[axis]);
	return result;
}

/* Traces one block. *end: its first crossing, then the first of the next block. */
static int trace_block(struct work *w, size_t i, size_t *end)
{
	const struct fx_blockwise_block *at = &w->blocks[i];
	struct fx_skeletonize_block b = { .dust = w->options->forest.dust };
	struct fx_skeletons made = { 0 };
	struct fx_link_target *targets;
	struct fx_ball *enters[3] = { NULL, NULL, NULL };
	uint64_t *labels = NULL;
	const size_t first = *end;
	int result;

	while (*end < w->ends_len && w->ends[*end].block == i)
		(*end)++;
	targets = fx_calloc(*end - first, sizeof *targets);
	result = targets ? w->io->labels(w->io->context, i, &labels) : FX_ENOMEM;
	for (size_t t = first; targets && t < *end; t++)
		targets[t - first] = w->ends[t].target;
	for (int axis = 0; result == FX_OK && axis < 3; axis++) {
		result = load_enters(w, i, axis, &enters[axis]);
		b.enters[axis] = enters[axis];
	}
	memcpy(b.shape, at->shape, sizeof b.shape);
	memcpy(b.origin, at->origin, sizeof b.origin);
	memcpy(b.voxel_nm, w->options->voxel_nm, sizeof b.voxel_nm);
	b.labels = labels;
	b.targets = targets;
	b.targets_len = *end - first;
	if (result == FX_OK)
		result = fx_skeletonize(&b, &w->options->teasar, &made);
	if (result == FX_OK)
		result = keep_all(w, i, &made);
	fx_skeletons_fini(&made);
	for (int axis = 0; axis < 3; axis++)
		free(enters[axis]);
	free(targets);
	free(labels);
	return result;
}

static int kept_order(const void *pa, const void *pb)
{
	const struct kept *a = pa, *b = pb;

	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

static int load_piece(const struct work *w, uint64_t key, struct fx_piece *p)
{
	void *bytes;
	size_t size;
	int result = w->io->get(w->io->context, key, &bytes, &size);

	if (result != FX_OK)
		return result;
	w->io->drop(w->io->context, key);
	result = fx_piece_unpack(bytes, size, p);
	free(bytes);
	return result;
}

/* Joins the pieces of one object and gives it away, unless all of it is dust. */
static int join_object(const struct work *w, const struct kept *kept, size_t len)
{
	struct fx_piece *pieces = fx_calloc(len, sizeof *pieces);
	struct fx_tree *tree = NULL;
	int result = pieces ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; result == FX_OK && i < len; i++)
		result = load_piece(w, kept[i].key, &pieces[i]);
	if (result == FX_OK)
		result = fx_forest_join(pieces, len, kept->segment, &w->options->forest, &tree);
	for (size_t i = 0; pieces && i < len; i++)
		fx_piece_fini(&pieces[i]);
	free(pieces);
	if (result == FX_OK && tree->len)
		return w->io->tree(w->io->context, tree);
	fx_tree_free(tree);
	return result;
}

static int join_objects(struct work *w)
{
	int result = FX_OK;
	size_t end;

	if (w->kept_len)
		qsort(w->kept, w->kept_len, sizeof *w->kept, kept_order);
	for (size_t i = 0; result == FX_OK && i < w->kept_len; i = end) {
		for (end = i; end < w->kept_len && w->kept[end].segment == w->kept[i].segment;)
			end++;
		result = join_object(w, &w->kept[i], end - i);
	}
	return result;
}

int fx_blockwise_trace(const struct fx_blockwise_block *blocks, size_t len,
		       const struct fx_blockwise_options *options, const struct fx_blockwise_io *io)
{
	struct work w = { .blocks = blocks, .len = len, .options = options, .io = io };
	size_t end = 0;
	int result = find_crossings(&w);

	for (size_t i = 0; result == FX_OK && i < len; i++)
		result = trace_block(&w, i, &end);
	if (result == FX_OK)
		result = join_objects(&w);
	free(w.ends);
	free(w.kept);
	return result;
}
