// SPDX-License-Identifier: Apache-2.0
/* labeltrace.c: skeletons of a stored label volume. */
#include "node/labeltrace.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/recut.h"

static const uint64_t KEYS = (uint64_t)1 << 63; /* of the tracing; those below are of blocks */

/* What the callbacks below need. */
struct tracing {
	const struct fx_labeltrace *t;
	struct fx_error *err;
};

static int final_ids(const struct tracing *w, uint64_t *ids, size_t len, uint64_t **out)
{
	const int result = fx_labelmap_apply(w->t->ids, ids, len, w->err);

	for (size_t i = 0; result == FX_OK && w->t->parts > 1 && i < len; i++)
		ids[i] = ids[i] % w->t->parts == w->t->part ? ids[i] : 0;
	if (result == FX_OK)
		*out = ids;
	else
		free(ids);
	return result;
}

static int trace_labels(void *context, size_t block, uint64_t **labels)
{
	const struct tracing *w = context;
	const struct fx_stored *b = &w->t->blocks->blocks[block];
	uint64_t *ids;
	const int result = fx_labelstore_get(w->t->scratch, b, &ids, w->err);

	return result == FX_OK ?
		       final_ids(w, ids, b->shape[0] * b->shape[1] * b->shape[2], labels) :
		       result;
}

static int trace_face(void *context, size_t block, int axis, bool high, uint64_t **labels)
{
	const struct tracing *w = context;
	const struct fx_stored *b = &w->t->blocks->blocks[block];
	uint64_t *ids;
	const int result = fx_labelstore_face(w->t->scratch, b, axis, high, &ids, w->err);

	return result == FX_OK ?
		       final_ids(w, ids, b->shape[0] * b->shape[1] * b->shape[2] / b->shape[axis],
				 labels) :
		       result;
}

static int trace_put(void *context, uint64_t key, const void *bytes, size_t size)
{
	const struct tracing *w = context;

	return fx_blobstore_put(w->t->scratch, KEYS + key, bytes, size, w->err);
}

static int trace_get(void *context, uint64_t key, void **bytes, size_t *size)
{
	const struct tracing *w = context;

	return fx_blobstore_get(w->t->scratch, KEYS + key, bytes, size, w->err);
}

static void trace_drop(void *context, uint64_t key)
{
	const struct tracing *w = context;

	fx_blobstore_drop(w->t->scratch, KEYS + key);
}

static int trace_tree(void *context, struct fx_tree *tree)
{
	const struct tracing *w = context;
	const int result = w->t->tree(w->t->context, tree);

	return result == FX_OK ? FX_OK : fx_error_set(w->err, result, "cannot send a tree");
}

static int list_blocks(const struct fx_labelstore *s, struct fx_blockwise_block *blocks,
		       struct fx_error *err)
{
	int result = FX_OK;

	for (size_t i = 0; result == FX_OK && i < s->len; i++) {
		const struct fx_stored *b = &s->blocks[i], *next;

		memcpy(blocks[i].origin, b->origin, sizeof b->origin);
		memcpy(blocks[i].shape, b->shape, sizeof b->shape);
		for (int side = 0; result == FX_OK && side < 6; side++) {
			size_t *to = side % 2 ? blocks[i].behind : blocks[i].before;

			result = fx_labelstore_next(s, b, side / 2, side % 2, &next, err);
			to[side / 2] = next ? (size_t)(next - s->blocks) : SIZE_MAX;
		}
	}
	return result;
}

int fx_labelstore_trace(const struct fx_labeltrace *t, const size_t edge[3],
			const struct fx_blockwise_options *options, struct fx_error *err)
{
	struct tracing w = { t, err };
	const struct fx_blockwise_io io = { &w,	       trace_labels, trace_face, trace_put,
					    trace_get, trace_drop,   trace_tree };
	struct fx_blockwise_block *blocks = NULL;
	int result = fx_labelstore_recut(t->blocks, t->scratch, edge, err);

	if (result == FX_OK && !(blocks = fx_calloc(t->blocks->len, sizeof *blocks)))
		result = FX_ENOMEM;
	if (result == FX_OK)
		result = list_blocks(t->blocks, blocks, err);
	if (result == FX_OK)
		result = fx_blockwise_trace(blocks, t->blocks->len, options, &io);
	free(blocks);
	if (result != FX_OK && !err->code)
		fx_error_set(err, result, "cannot trace %zu blocks: no memory", t->blocks->len);
	return result;
}
