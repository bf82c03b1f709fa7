// SPDX-License-Identifier: Apache-2.0
/* pair.c: a list of blocks that wait for their partners. */
#include "block/pair.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static bool same_place(const struct fx_block *a, const struct fx_block *b)
{
	const struct fx_region p = fx_block_core(a), q = fx_block_core(b);

	return !memcmp(p.lo, q.lo, sizeof p.lo);
}

static int put_aside(struct fx_pairs *p, unsigned stream, struct fx_block *b, struct fx_error *err)
{
	const size_t size = fx_block_size(b);

	if (p->most && (size > p->most || p->size > p->most - size))
		return fx_error_set(err, FX_ENOMEM,
				    "the two streams are more than %zu MiB apart: blocks of one "
				    "wait for those of the other",
				    p->most >> 20);
	if (fx_block_own(b) < 0 || !fx_grow(&p->waiting, &p->cap, p->len + 1, sizeof *p->waiting))
		return fx_error_set(err, FX_ENOMEM, "no memory for a block that waits");
	p->waiting[p->len++] = (struct fx_pair_wait){ b, stream };
	p->size += size;
	return FX_OK;
}

int fx_pairs_put(struct fx_pairs *p, unsigned stream, struct fx_block *b, struct fx_block *pair[2],
		 struct fx_error *err)
{
	const struct fx_region core = fx_block_core(b);
	size_t i = 0;
	int result;

	pair[0] = pair[1] = NULL;
	while (i < p->len && !same_place(p->waiting[i].block, b))
		i++;
	if (i == p->len) {
		result = put_aside(p, stream, b, err);
	} else if (p->waiting[i].stream == stream) {
		result = fx_error_set(err, FX_EINVAL,
				      "two blocks begin at voxel %" PRId64 ",%" PRId64 ",%" PRId64,
				      core.lo[0], core.lo[1], core.lo[2]);
	} else {
		pair[stream] = b;
		pair[!stream] = p->waiting[i].block;
		p->size -= fx_block_size(pair[!stream]);
		p->waiting[i] = p->waiting[--p->len];
		return FX_OK;
	}
	if (result < 0)
		fx_block_free(b);
	return result;
}

void fx_pairs_fini(struct fx_pairs *p)
{
	for (size_t i = 0; i < p->len; i++)
		fx_block_free(p->waiting[i].block);
	free(p->waiting);
	p->waiting = NULL;
	p->len = p->cap = p->size = 0;
}
