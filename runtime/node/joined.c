// SPDX-License-Identifier: Apache-2.0
/* joined.c: blocks of several inputs that have the same core, brought together. */
#include "node/joined.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pack.h"

void fx_joined_set_fini(struct fx_joined_set *set)
{
	for (unsigned i = 0; i < FX_JOINED_MAX; i++)
		fx_block_free(set->blocks[i]);
	memset(set, 0, sizeof *set);
}

void fx_joined_fini(struct fx_joined *j)
{
	for (size_t i = 0; i < j->sets_len; i++)
		fx_joined_set_fini(&j->sets[i]);
	free(j->sets);
	free(j->marks);
	memset(j, 0, sizeof *j);
}

static unsigned joined_wanted(const struct fx_joined *j, const struct fx_node *node)
{
	unsigned wanted = 0;

	for (unsigned i = 0; i < j->inputs; i++)
		wanted |= fx_connected(node, i) ? 1U << i : 0;
	return wanted;
}

static unsigned joined_here(const struct fx_joined_set *set)
{
	unsigned here = 0;

	for (unsigned i = 0; i < FX_JOINED_MAX; i++)
		here |= set->blocks[i] ? 1U << i : 0;
	return here;
}

static bool same_region(const struct fx_region *a, const struct fx_region *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* The set of this core, made when there is none. */
static struct fx_joined_set *joined_set(struct fx_joined *j, const struct fx_region *core)
{
	for (size_t i = 0; i < j->sets_len; i++)
		if (same_region(&j->sets[i].core, core))
			return &j->sets[i];
	if (!fx_grow(&j->sets, &j->sets_cap, j->sets_len + 1, sizeof *j->sets))
		return NULL;
	j->sets[j->sets_len] = (struct fx_joined_set){ .core = *core };
	return &j->sets[j->sets_len++];
}

static void joined_drop(struct fx_joined *j, size_t i)
{
	memmove(&j->sets[i], &j->sets[i + 1], (--j->sets_len - i) * sizeof *j->sets);
}

/* Two inputs with blocks that overlap and are not the same lie on different grids. */
static int joined_grid(const struct fx_joined *j, struct fx_node *node,
		       const struct fx_region *core)
{
	for (size_t i = 0; i < j->sets_len; i++) {
		const struct fx_region *other = &j->sets[i].core;

		if (!same_region(other, core) &&
		    !fx_region_empty(fx_region_intersect(*other, *core)))
			return fx_fail(node, FX_EINVAL,
				       "blocks with cores at %" PRId64 " %" PRId64 " %" PRId64
				       " and %" PRId64 " %" PRId64 " %" PRId64
				       " overlap: all inputs must have blocks of one grid, such as "
				       "those of one tiler",
				       other->lo[0], other->lo[1], other->lo[2], core->lo[0],
				       core->lo[1], core->lo[2]);
	}
	return FX_OK;
}

int fx_joined_put(struct fx_joined *j, struct fx_node *node, unsigned port,
		  struct fx_joined_set *set, bool *full)
{
	struct fx_block *b = fx_take(node, port);
	const struct fx_region core = b ? fx_block_core(b) : (struct fx_region){ { 0 }, { 0 } };
	struct fx_joined_set *mine;
	int rc;

	*full = false;
	if (!b)
		return FX_OK;
	rc = joined_grid(j, node, &core);
	mine = rc == FX_OK ? joined_set(j, &core) : NULL;
	if (rc == FX_OK && mine && mine->blocks[port])
		rc = fx_fail(node, FX_EINVAL,
			     "the block with core at %" PRId64 " %" PRId64 " %" PRId64
			     " came twice from one input",
			     core.lo[0], core.lo[1], core.lo[2]);
	else if (rc == FX_OK && !mine)
		rc = fx_fail(node, FX_ENOMEM, "no memory for the blocks of %u inputs", j->inputs);
	if (rc < 0) {
		fx_block_free(b);
		return rc;
	}
	mine->blocks[port] = b;
	*full = joined_here(mine) == joined_wanted(j, node);
	if (*full) {
		*set = *mine;
		joined_drop(j, (size_t)(mine - j->sets));
		return FX_OK;
	}
	return fx_block_own(b) < 0 ? fx_fail(node, FX_ENOMEM, "no memory for a block that waits") :
				     FX_OK;
}

static int joined_extents(struct fx_joined *j, struct fx_node *node, const struct fx_mark *m)
{
	for (unsigned i = 0; i < j->inputs; i++) {
		const struct fx_mark *o = fx_connected(node, i) ? fx_opened(node, i) : NULL;
		const int64_t *a = m->region.hi, *b = o ? o->region.hi : a;

		if (memcmp(a, b, sizeof m->region.hi) != 0)
			return fx_fail(node, FX_EINVAL,
				       "inputs of %" PRId64 " x %" PRId64 " x %" PRId64
				       " and %" PRId64 " x %" PRId64 " x %" PRId64
				       " voxels (z y x): all must show one volume",
				       b[0], b[1], b[2], a[0], a[1], a[2]);
	}
	return FX_OK;
}

int fx_joined_mark(struct fx_joined *j, struct fx_node *node, unsigned port,
		   const struct fx_mark *m, bool *all)
{
	size_t i = 0;

	*all = false;
	if (m->kind == FX_MARK_OPEN && joined_extents(j, node, m) < 0)
		return FX_EINVAL;
	while (i < j->marks_len &&
	       (j->marks[i].mark.kind != m->kind || j->marks[i].from >> port & 1 ||
		!same_region(&j->marks[i].mark.region, &m->region)))
		i++;
	if (i == j->marks_len) {
		if (!fx_grow(&j->marks, &j->marks_cap, i + 1, sizeof *j->marks))
			return fx_fail(node, FX_ENOMEM, "no memory for marks");
		j->marks[j->marks_len++] = (struct fx_joined_mark){ *m, 0 };
	}
	j->marks[i].from |= 1U << port;
	*all = j->marks[i].from == joined_wanted(j, node);
	if (*all)
		memmove(&j->marks[i], &j->marks[i + 1], (--j->marks_len - i) * sizeof *j->marks);
	return FX_OK;
}

static int joined_send(struct fx_node *node, const struct fx_mark *m, unsigned first, unsigned last)
{
	int rc = FX_OK;

	for (unsigned port = first; port <= last && rc == FX_OK; port++)
		rc = fx_send_mark(node, port, m);
	return rc;
}

/* Is this region said to be missing by some input? */
static bool joined_missed(const struct fx_joined *j, const struct fx_region *core)
{
	for (size_t i = 0; i < j->marks_len; i++)
		if (j->marks[i].mark.kind == FX_MARK_MISSING &&
		    same_region(&j->marks[i].mark.region, core))
			return true;
	return false;
}

static bool joined_within(const struct fx_region *a, const struct fx_region *r)
{
	return !r || !fx_region_empty(fx_region_intersect(*a, *r));
}

int fx_joined_late(struct fx_joined *j, struct fx_node *node, const struct fx_region *r,
		   unsigned first, unsigned last)
{
	int rc = FX_OK;

	for (size_t i = 0; i < j->sets_len && rc == FX_OK;) {
		struct fx_joined_set set = j->sets[i];
		struct fx_mark m = { .kind = FX_MARK_MISSING, .region = set.core };

		if (!joined_within(&set.core, r)) {
			i++;
			continue;
		}
		snprintf(m.reason, sizeof m.reason, "a block did not come from every input");
		if (!joined_missed(j, &set.core))
			rc = joined_send(node, &m, first, last);
		fx_joined_set_fini(&set);
		joined_drop(j, i);
	}
	for (size_t i = 0; i < j->marks_len && rc == FX_OK;) {
		const struct fx_mark m = j->marks[i].mark;

		if (m.kind != FX_MARK_MISSING || !joined_within(&m.region, r)) {
			i++;
			continue;
		}
		memmove(&j->marks[i], &j->marks[i + 1], (--j->marks_len - i) * sizeof *j->marks);
		rc = joined_send(node, &m, first, last);
	}
	return rc;
}

static void block_pack(const struct fx_block *b, struct fx_pack *to)
{
	const uint32_t head[4] = { b->dtype, b->role, b->channels, b->level };
	uint64_t shape[3];

	for (int a = 0; a < 3; a++)
		shape[a] = b->shape[a];
	fx_pack_put(to, head, sizeof head);
	fx_pack_put(to, shape, sizeof shape);
	fx_pack_put(to, b->origin, sizeof b->origin);
	fx_pack_put(to, b->halo_lo, sizeof b->halo_lo);
	fx_pack_put(to, b->halo_hi, sizeof b->halo_hi);
	fx_pack_put(to, b->voxel_nm, sizeof b->voxel_nm);
	fx_pack_put(to, b->data, fx_block_size(b));
}

/* A heap block of such a header; NULL when that cannot be. */
static struct fx_block *block_of(const uint32_t head[4], const uint64_t shape[3])
{
	struct fx_block *b;
	uint64_t voxels = 1;

	if (!fx_dtype_size(head[0]) || head[1] > FX_MASK || !head[2] || head[2] > 64)
		return NULL;
	for (int a = 0; a < 3; a++) {
		if (!shape[a] || shape[a] > UINT32_MAX / voxels)
			return NULL;
		voxels *= shape[a];
	}
	if (voxels * head[2] * fx_dtype_size(head[0]) > (uint64_t)256 << 20)
		return NULL;
	b = fx_block_new(head[0], (size_t)shape[0] * head[2], (size_t)shape[1], (size_t)shape[2]);
	if (b) {
		b->shape[0] = (size_t)shape[0];
		b->role = head[1];
		b->channels = head[2];
		b->level = head[3];
	}
	return b;
}

static int block_unpack(struct fx_block **out, struct fx_unpack *from)
{
	uint32_t head[4];
	uint64_t shape[3];
	struct fx_block *b;

	if (fx_unpack_get(from, head, sizeof head) < 0 ||
	    fx_unpack_get(from, shape, sizeof shape) < 0 || !(b = block_of(head, shape)))
		return FX_ETYPE;
	*out = b;
	if (fx_unpack_get(from, b->origin, sizeof b->origin) < 0 ||
	    fx_unpack_get(from, b->halo_lo, sizeof b->halo_lo) < 0 ||
	    fx_unpack_get(from, b->halo_hi, sizeof b->halo_hi) < 0 ||
	    fx_unpack_get(from, b->voxel_nm, sizeof b->voxel_nm) < 0 ||
	    fx_unpack_get(from, b->data, fx_block_size(b)) < 0)
		return FX_ETYPE;
	for (int a = 0; a < 3; a++)
		if (b->origin[a] > INT64_MAX / 4 || b->origin[a] < INT64_MIN / 4 ||
		    (uint64_t)b->halo_lo[a] + b->halo_hi[a] >= b->shape[a])
			return FX_ETYPE;
	return FX_OK;
}

void fx_joined_pack(const struct fx_joined *j, struct fx_pack *to)
{
	const uint64_t len = j->sets_len;

	fx_pack_put(to, &len, sizeof len);
	for (size_t i = 0; i < j->sets_len; i++) {
		const uint32_t here = joined_here(&j->sets[i]);

		fx_pack_put(to, &here, sizeof here);
		for (unsigned k = 0; k < FX_JOINED_MAX; k++)
			if (here >> k & 1)
				block_pack(j->sets[i].blocks[k], to);
	}
	fx_pack_array(to, j->marks, j->marks_len, sizeof *j->marks);
}

/* The blocks of one set, all with one core. */
static int joined_set_unpack(struct fx_joined *j, struct fx_unpack *from)
{
	struct fx_joined_set *set;
	struct fx_region core;
	uint32_t here;
	int rc = FX_OK;

	if (!fx_grow(&j->sets, &j->sets_cap, j->sets_len + 1, sizeof *j->sets))
		return FX_ENOMEM;
	set = &j->sets[j->sets_len++];
	memset(set, 0, sizeof *set);
	if (fx_unpack_get(from, &here, sizeof here) < 0 || !here || here >> j->inputs)
		return FX_ETYPE;
	for (unsigned k = 0; k < j->inputs && rc == FX_OK; k++) {
		if (!(here >> k & 1))
			continue;
		rc = block_unpack(&set->blocks[k], from);
		if (rc < 0)
			break;
		core = fx_block_core(set->blocks[k]);
		if (fx_region_empty(set->core))
			set->core = core;
		rc = same_region(&set->core, &core) ? FX_OK : FX_ETYPE;
	}
	return rc;
}

int fx_joined_unpack(struct fx_joined *j, struct fx_unpack *from)
{
	uint64_t len;
	void *marks;
	int rc = fx_unpack_get(from, &len, sizeof len);

	for (uint64_t i = 0; rc == FX_OK && i < len; i++)
		rc = joined_set_unpack(j, from);
	if (rc == FX_OK) {
		rc = fx_unpack_array(from, &marks, &j->marks_len, sizeof *j->marks);
		j->marks = rc == FX_OK ? marks : NULL;
		j->marks_cap = j->marks_len = rc == FX_OK ? j->marks_len : 0;
	}
	for (size_t i = 0; i < j->marks_len; i++)
		j->marks[i].mark.reason[sizeof j->marks[i].mark.reason - 1] = 0;
	return rc;
}
