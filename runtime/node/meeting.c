// SPDX-License-Identifier: Apache-2.0
/* meeting.c: blocks of two inputs on one grid. */
#include "node/meeting.h"

#include <inttypes.h>

const char *const fx_meeting_files[2] = { "labels", "truth" };

int fx_meeting_partner(struct fx_node *node, const struct fx_blockstore stores[2], int side,
		       const struct fx_block *b, struct fx_block **partner, size_t *number)
{
	const struct fx_blockstore *store = &stores[1 - side];
	struct fx_error err = { 0 };

	*partner = NULL;
	*number = fx_blockstore_find(store, fx_block_core(b).lo);
	if (*number == SIZE_MAX)
		return FX_OK;
	*partner = fx_blockstore_get(store, *number, &err);
	return *partner ? FX_OK : fx_fail_error(node, &err);
}

int fx_meeting_wait(struct fx_node *node, struct fx_blockstore stores[2], int side,
		    const struct fx_block *b)
{
	struct fx_blockstore *store = &stores[side];
	struct fx_error err = { 0 };
	size_t number;
	int rc = FX_OK;

	if (!store->scratch) {
		const char *dir = fx_state_dir(node);

		if (!dir)
			return fx_fail(node, FX_EIO, "no folder for scratch files");
		rc = fx_blockstore_open(store, dir, fx_meeting_files[side], &err);
	}
	if (rc == FX_OK)
		rc = fx_blockstore_put(store, b, &number, &err);
	return rc < 0 ? fx_fail_error(node, &err) : FX_OK;
}

int fx_meeting_shapes(struct fx_node *node, unsigned scored, unsigned truth)
{
	const struct fx_mark *first = fx_opened(node, scored), *second = fx_opened(node, truth);
	const int64_t *l = first ? first->region.hi : NULL, *t = second ? second->region.hi : NULL;

	if (!l || !t || (t[1] == l[1] && t[2] == l[2] && (!l[0] || t[0] <= l[0])))
		return FX_OK;
	return fx_fail(node, FX_EINVAL,
		       "truth of %" PRId64 " x %" PRId64 " x %" PRId64 " voxels (z y x) for labels "
		       "of %" PRId64 " x %" PRId64 " x %" PRId64
		       ": crop the truth to the same y and "
		       "x and at most as many sections, starting at the same corner",
		       t[0], t[1], t[2], l[0], l[1], l[2]);
}

bool fx_meeting_awaits(struct fx_node *node, unsigned truth, const struct fx_block *b)
{
	const struct fx_mark *m = fx_opened(node, truth);

	return fx_connected(node, truth) &&
	       (!m || !m->region.hi[0] || fx_block_core(b).lo[0] < m->region.hi[0]);
}
