// SPDX-License-Identifier: Apache-2.0
/* sectionwise.c: nodes that need a whole section before they can send its first tile. */
#include "node/sectionwise.h"

#include <stdio.h>
#include <string.h>

int fx_sectionwise_open(struct fx_node *node, const struct fx_sectionwise *how,
			struct fx_sections *held, const struct fx_mark *m, double memory_mib,
			size_t max)
{
	struct fx_mark out = *m;
	struct fx_error err = { 0 };

	if (held->size)
		return fx_fail(node, FX_EINVAL, "the stream of sections is opened twice");
	if (fx_sections_init(held, m, memory_mib * 1048576, max, &err) < 0)
		return fx_fail_error(node, &err);
	out.dtype = how->dtype;
	return fx_send_mark(node, how->out, &out);
}

int fx_sectionwise_put(struct fx_node *node, unsigned port, struct fx_sections *held)
{
	struct fx_block *tile = fx_take(node, port);
	struct fx_error err = { 0 };
	int failed;

	if (held->size && fx_again(node) && !fx_sections_wanted(held, tile->origin[0])) {
		fx_block_free(tile);
		return FX_OK; /* was sent on, or lost */
	}
	if (!held->size) {
		fx_block_free(tile);
		return fx_fail(node, FX_EINVAL, "a tile comes before the stream is opened");
	}
	if (!held->folder && fx_sections_spill(held))
		held->folder = fx_scratch_dir(node);
	if (!held->folder && fx_sections_spill(held))
		failed = fx_error_set(&err, FX_EIO, "no folder for a scratch file of %zu MiB",
				      held->size >> 20);
	else
		failed = fx_sections_put(held, tile, fx_message(node), &err);
	fx_block_free(tile);
	return failed < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static struct fx_mark section_mark(const struct fx_sections *held, enum fx_mark_kind kind,
				   int64_t z)
{
	struct fx_mark m = { .kind = kind };

	m.region.lo[0] = z;
	m.region.lo[1] = held->y;
	m.region.lo[2] = held->x;
	m.region.hi[0] = z + 1;
	m.region.hi[1] = held->y + (int64_t)held->height;
	m.region.hi[2] = held->x + (int64_t)held->width;
	return m;
}

static int section_send_tile(struct fx_node *node, const void *state,
			     const struct fx_sectionwise *how, const struct fx_sections *held,
			     const struct fx_section *section, const struct fx_tile *tile)
{
	const size_t shape[3] = { 1, tile->height, tile->width };
	struct fx_block *b = fx_new_block(node, how->out, how->dtype, 1, shape);

	if (!b)
		return fx_fail(node, FX_ENOMEM, "no memory for a tile of %zu x %zu", tile->height,
			       tile->width);
	b->role = how->mask ? FX_MASK : section->role;
	b->level = section->level;
	b->origin[0] = section->z;
	b->origin[1] = held->y + (int64_t)tile->y;
	b->origin[2] = held->x + (int64_t)tile->x;
	memcpy(b->voxel_nm, held->voxel_nm, sizeof b->voxel_nm);
	how->map(state, section, tile, b->data);
	return fx_send(node, how->out, b);
}

static int section_send(struct fx_node *node, void *state, const struct fx_sectionwise *how,
			struct fx_sections *held, const struct fx_section *section)
{
	const struct fx_mark done = section_mark(held, FX_MARK_DONE, section->z);
	int failed = how->learn(node, state, section);

	for (size_t i = 0; i < section->tiles_len && failed >= 0; i++)
		failed = section_send_tile(node, state, how, held, section, &section->tiles[i]);
	return failed < 0 ? failed : fx_send_mark(node, how->out, &done);
}

int fx_sectionwise_close(struct fx_node *node, void *state, const struct fx_sectionwise *how,
			 struct fx_sections *held, const struct fx_mark *m)
{
	const struct fx_mark all = section_mark(held, m->kind, 0);
	struct fx_error err = { 0 };
	int failed = FX_OK;

	for (int a = 1; a < 3; a++)
		if (!held->size || m->region.lo[a] > all.region.lo[a] ||
		    m->region.hi[a] < all.region.hi[a])
			return fx_fail(node, FX_EINVAL,
				       "a mark for a part of section %lld: only whole sections of "
				       "an open stream are done or missing",
				       (long long)m->region.lo[0]);
	if (m->kind == FX_MARK_MISSING) {
		fx_sections_lose(held, m->region.lo[0], m->region.hi[0]);
		return fx_send_mark(node, how->out, m);
	}
	for (int64_t z = m->region.lo[0]; z < m->region.hi[0] && failed >= 0; z++) {
		struct fx_section *section = fx_sections_whole(held, z, &err);

		if (!section)
			return fx_fail_error(node, &err);
		failed = section_send(node, state, how, held, section);
		fx_sections_drop(held, section);
	}
	return failed;
}

void fx_sectionwise_save(struct fx_node *node, const struct fx_sections *held, struct fx_pack *to)
{
	fx_needs(node, fx_sections_pack(held, to));
}

int fx_sectionwise_load(struct fx_node *node, unsigned port, struct fx_sections *held,
			double memory_mib, size_t max, struct fx_unpack *from)
{
	return fx_sections_unpack(held, fx_opened(node, port), memory_mib * 1048576, max, from);
}

int fx_sectionwise_drain(struct fx_node *node, const struct fx_sectionwise *how,
			 struct fx_sections *held)
{
	int failed = FX_OK;

	while (held->len && failed >= 0) {
		struct fx_mark lost = section_mark(held, FX_MARK_MISSING, held->held[0]->z);

		snprintf(lost.reason, sizeof lost.reason, "the stream ended before it was whole");
		fx_sections_lose(held, lost.region.lo[0], lost.region.hi[0]);
		failed = fx_send_mark(node, how->out, &lost);
	}
	return failed;
}
