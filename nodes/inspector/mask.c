// SPDX-License-Identifier: Apache-2.0
/* inspector/mask: joins two masks: what either excludes is excluded. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "node/sectionwise.h"

enum { A, B, OUT }; /* index into ports[] */

/* A section that is whole or missing. */
struct close {
	int64_t z;
	bool missing;
};

/* One of the inputs. */
struct input {
	struct fx_sections held; /* owned, from OPEN to finish() */
	size_t len, cap;
	struct close *closes; /* owned; in order of arrival */
};

struct mask {
	double memory; /* options: set before init() */
	int hold;
	struct input in[2];
};

static const struct fx_port ports[] = {
	[A] = { "a", FX_IN, FX_BLOCK, FX_U8, 1U << FX_MASK, false, "a mask" },
	[B] = { "b", FX_IN, FX_BLOCK, FX_U8, 1U << FX_MASK, false,
		"another one of the same sections" },
	[OUT] = { "mask", FX_OUT, FX_BLOCK, FX_U8, 1U << FX_MASK, false,
		  "1 where either has something; in the tiles and the order of a" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct mask, hold), .def = 256, .min = 1, .max = 65536,
	  .help = "sections that either input may be ahead of the other" },
	{ FX_FIELD(struct mask, memory), .unit = "MiB", .def = 1024, .min = 0, .max = 1048576,
	  .help = "sections that wait beyond this lie in scratch files" },
	{ 0 },
};

static int mask_process(struct fx_node *node, void *state)
{
	struct mask *s = state;
	const unsigned port = fx_waiting(node, A) == FX_NOTHING ? B : A;

	return fx_sectionwise_put(node, port, &s->in[port].held);
}

static struct fx_mark mask_mark_of(const struct mask *s, enum fx_mark_kind kind, int64_t z)
{
	const struct fx_sections *h = &s->in[A].held;

	return (struct fx_mark){ .kind = kind,
				 .region = { { z, h->y, h->x },
					     { z + 1, h->y + (int64_t)h->height,
					       h->x + (int64_t)h->width } },
				 .reason = "it is missing in both masks" };
}

static int mask_send_tile(struct fx_node *node, const struct fx_sections *h,
			  const struct fx_section *section, const struct fx_tile *t)
{
	const size_t shape[3] = { 1, t->height, t->width };
	struct fx_block *b = fx_new_block(node, OUT, FX_U8, 1, shape);

	if (!b)
		return fx_fail(node, FX_ENOMEM, "no memory for a tile");
	b->role = FX_MASK;
	b->level = section->level;
	b->origin[0] = section->z;
	b->origin[1] = h->y + (int64_t)t->y;
	b->origin[2] = h->x + (int64_t)t->x;
	memcpy(b->voxel_nm, h->voxel_nm, sizeof b->voxel_nm);
	for (size_t y = 0; y < t->height; y++)
		memcpy((uint8_t *)b->data + y * t->width, fx_section_row(h, section, t, y),
		       t->width);
	return fx_send(node, OUT, b);
}

/* Sends section @p z, which is whole in those inputs that @p missing does not say. */
static int mask_send(struct fx_node *node, struct mask *s, int64_t z, const bool missing[2])
{
	const unsigned first = missing[A] ? B : A;
	struct fx_section *section[2] = { NULL, NULL };
	const struct fx_mark done =
		mask_mark_of(s, missing[A] && missing[B] ? FX_MARK_MISSING : FX_MARK_DONE, z);
	struct fx_error err = { 0 };
	int failed = FX_OK;

	for (unsigned i = A; i <= B && failed >= 0; i++)
		if (!missing[i] && !(section[i] = fx_sections_whole(&s->in[i].held, z, &err)))
			failed = fx_fail_error(node, &err);
	if (section[A] && section[B])
		for (size_t i = 0; i < s->in[A].held.size; i++)
			((uint8_t *)section[A]->voxels.data)[i] |=
				((const uint8_t *)section[B]->voxels.data)[i];
	for (size_t i = 0; failed >= 0 && section[first] && i < section[first]->tiles_len; i++)
		failed = mask_send_tile(node, &s->in[first].held, section[first],
					&section[first]->tiles[i]);
	for (unsigned i = A; i <= B; i++)
		if (section[i])
			fx_sections_drop(&s->in[i].held, section[i]);
	return failed < 0 ? failed : fx_send_mark(node, OUT, &done);
}

static void mask_remove(struct input *in, size_t i)
{
	in->len--;
	memmove(in->closes + i, in->closes + i + 1, (in->len - i) * sizeof *in->closes);
}

/* Sends what both have closed, in the order of a; or, @p ended, all that either has. */
static int mask_join(struct fx_node *node, struct mask *s, bool ended)
{
	struct input *a = &s->in[A], *b = &s->in[B];
	int failed = FX_OK;

	while (failed >= 0 && (a->len || (ended && b->len))) {
		const int64_t z = a->len ? a->closes[0].z : b->closes[0].z;
		bool missing[2] = { !a->len || a->closes[0].missing, true };
		size_t i = 0;

		while (i < b->len && b->closes[i].z != z)
			i++;
		if (i == b->len && !ended)
			return FX_OK;
		if (i < b->len) {
			missing[B] = b->closes[i].missing;
			mask_remove(b, i);
		}
		if (a->len)
			mask_remove(a, 0);
		failed = mask_send(node, s, z, missing);
	}
	return failed;
}

static int mask_open(struct fx_node *node, struct mask *s, unsigned port, const struct fx_mark *m)
{
	const struct fx_sections *a = &s->in[A].held, *b = &s->in[B].held;
	struct fx_error err = { 0 };

	if (s->in[port].held.size)
		return fx_fail(node, FX_EINVAL, "a stream of masks is opened twice");
	if (fx_sections_init(&s->in[port].held, m, s->memory * 524288, (size_t)s->hold + 1, &err) <
	    0)
		return fx_fail_error(node, &err);
	if (a->size && b->size &&
	    (a->y != b->y || a->x != b->x || a->height != b->height || a->width != b->width))
		return fx_fail(node, FX_EINVAL,
			       "masks of %zu x %zu and %zu x %zu voxels do not fit together",
			       a->height, a->width, b->height, b->width);
	return port == A ? fx_send_mark(node, OUT, m) : FX_OK;
}

static int mask_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct mask *s = state;
	struct input *in = &s->in[port];

	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN)
		return mask_open(node, s, port, m);
	if (!in->held.size)
		return fx_fail(node, FX_EINVAL, "a section is marked before the stream is opened");
	if (m->kind == FX_MARK_MISSING)
		fx_sections_lose(&in->held, m->region.lo[0], m->region.hi[0]);
	for (int64_t z = m->region.lo[0]; z < m->region.hi[0]; z++) {
		if (!fx_grow(&in->closes, &in->cap, in->len + 1, sizeof *in->closes))
			return fx_fail(node, FX_ENOMEM, "no memory for a mark");
		memset(&in->closes[in->len], 0, sizeof *in->closes);
		in->closes[in->len].missing = m->kind == FX_MARK_MISSING;
		in->closes[in->len++].z = z;
	}
	return s->in[A].held.size && s->in[B].held.size ? mask_join(node, s, false) : FX_OK;
}

static int mask_drain(struct fx_node *node, void *state)
{
	return mask_join(node, state, true);
}

static int mask_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct mask *s = state;
	uint64_t needs = UINT64_MAX;

	for (unsigned i = A; i <= B; i++) {
		const struct input *in = &s->in[i];
		const uint64_t first = fx_sections_pack(&in->held, to), len = in->len;

		needs = first < needs ? first : needs;
		fx_pack_put(to, &len, sizeof len);
		for (size_t k = 0; k < in->len; k++) {
			fx_pack_put(to, &in->closes[k].z, sizeof in->closes[k].z);
			fx_pack_bool(to, in->closes[k].missing);
		}
	}
	fx_needs(node, needs);
	return FX_OK;
}

static int mask_load_one(struct fx_node *node, struct mask *s, unsigned port,
			 struct fx_unpack *from)
{
	struct input *in = &s->in[port];
	int failed = fx_sections_unpack(&in->held, fx_opened(node, port), s->memory * 524288,
					(size_t)s->hold + 1, from);
	uint64_t len;

	if (failed == FX_OK)
		failed = fx_unpack_get(from, &len, sizeof len);
	for (uint64_t k = 0; failed == FX_OK && k < len; k++) {
		if (!fx_grow(&in->closes, &in->cap, in->len + 1, sizeof *in->closes))
			return FX_ENOMEM;
		failed = fx_unpack_get(from, &in->closes[k].z, sizeof in->closes[k].z);
		if (failed == FX_OK)
			failed = fx_unpack_bool(from, &in->closes[k].missing);
		in->len++;
	}
	return failed;
}

static int mask_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	const int failed = mask_load_one(node, state, A, from);

	return failed < 0 ? failed : mask_load_one(node, state, B, from);
}

static void mask_finish(void *state)
{
	struct mask *s = state;

	for (unsigned i = A; i <= B; i++) {
		fx_sections_fini(&s->in[i].held);
		free(s->in[i].closes);
	}
}

FX_NODE(inspector_mask) = {
	.abi = FX_NODE_ABI,
	.name = "inspector/mask",
	.summary = "join two masks: what either excludes is excluded",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct mask),
	.process = mask_process,
	.mark = mask_mark,
	.drain = mask_drain,
	.finish = mask_finish,
	.save = mask_save,
	.load = mask_load,
};
