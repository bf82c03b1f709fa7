// SPDX-License-Identifier: Apache-2.0
/* scorer/voxels: score probabilities or masks against true masks, image by image and pooled. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pack.h"
#include "kernels/voxelscores.h"
#include "node/meeting.h"

enum { PREDICTION, TRUTH, IMAGES, SCORES }; /* index into ports[]; the first two into stores[] */
enum { SECTIONS_MAX = 1 << 24 };

struct voxels {
	double threshold; /* option */

	struct fx_blockstore stores[2];	  /* owned: blocks whose partner has not come */
	struct fx_voxel_counts *sections; /* owned: by z */
	size_t len, cap;
	size_t told; /* sections whose record was sent */
	struct fx_voxel_counts pooled;
};

enum { ANY_MASK = FX_U8 | FX_U16 | FX_U32 | FX_U64 };

static const struct fx_port ports[] = {
	[PREDICTION] = { "prediction", FX_IN, FX_BLOCK, ANY_MASK | FX_F32, 0, false,
			 "images or probabilities, which the threshold makes masks; or masks or "
			 "labels, where what is not 0 counts" },
	[TRUTH] = { "truth", FX_IN, FX_BLOCK, ANY_MASK, 0, false,
		    "true masks or labels, in blocks of the same grid; may have fewer sections" },
	[IMAGES] = { "images", FX_OUT, FX_RECORD, 0, 0, false,
		     "one record a section, as it is done" },
	[SCORES] = { "scores", FX_OUT, FX_RECORD, 0, 0, false, "one record at the end" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct voxels, threshold), .def = 0.5, .min = 0, .max = 1,
	  .help = "above it images and probabilities count; 8 and 16 bits are taken as 0 to 1" },
	{ 0 },
};

/* Room for the counts of sections up to `end`. */
static int voxels_room(struct fx_node *node, struct voxels *s, int64_t end)
{
	if (end > SECTIONS_MAX || !fx_grow(&s->sections, &s->cap, (size_t)end, sizeof *s->sections))
		return fx_fail(node, FX_ENOMEM, "no memory for %lld sections", (long long)end);
	if ((size_t)end > s->len) {
		memset(s->sections + s->len, 0, ((size_t)end - s->len) * sizeof *s->sections);
		s->len = (size_t)end;
	}
	return FX_OK;
}

static const void *row_at(const struct fx_block *b, int64_t z, int64_t y, int64_t x)
{
	const size_t row = (size_t)(z - b->origin[0]) * b->shape[1] + (size_t)(y - b->origin[1]);

	return (const char *)b->data +
	       (row * b->shape[2] + (size_t)(x - b->origin[2])) * fx_dtype_size(b->dtype);
}

static int voxels_count(struct fx_node *node, struct voxels *s, const struct fx_block *mask,
			const struct fx_block *truth)
{
	const struct fx_region r = fx_region_intersect(fx_block_core(mask), fx_block_core(truth));
	const bool values = mask->role == FX_IMAGE || mask->role == FX_PROBABILITY;
	int rc = FX_OK;

	if (fx_region_empty(r) || r.lo[0] < 0)
		return FX_OK;
	rc = voxels_room(node, s, r.hi[0]);
	for (int64_t z = r.lo[0]; rc == FX_OK && z < r.hi[0]; z++) {
		struct fx_voxel_counts c = { 0 };

		for (int64_t y = r.lo[1]; rc == FX_OK && y < r.hi[1]; y++)
			rc = fx_voxel_count(&c, row_at(mask, z, y, r.lo[2]), mask->dtype,
					    values ? s->threshold : -1,
					    row_at(truth, z, y, r.lo[2]), truth->dtype,
					    (size_t)(r.hi[2] - r.lo[2]));
		fx_voxel_add(&s->sections[z], &c);
		fx_voxel_add(&s->pooled, &c);
		if (rc < 0)
			fx_fail(node, rc, "%s of role %d cannot be compared with %s",
				fx_dtype_name(mask->dtype), (int)mask->role,
				fx_dtype_name(truth->dtype));
	}
	return rc;
}

static uint64_t voxels_of(const struct fx_voxel_counts *c)
{
	return c->both + c->excess + c->missed + c->none;
}

/* Sends the record of section z. */
static int voxels_tell(struct fx_node *node, const struct voxels *s, size_t z)
{
	const struct fx_mark *open = fx_opened(node, PREDICTION);
	struct fx_record *r = fx_record_new("image");

	if (!r || fx_record_add_number(r, "z", (double)z) < 0 ||
	    fx_voxel_scores_add(r, "image", &s->sections[z]) < 0) {
		fx_record_free(r);
		return fx_fail(node, FX_ENOMEM, "no memory for scores");
	}
	if (open)
		r->region = (struct fx_region){ { (int64_t)z, 0, 0 },
						{ (int64_t)z + 1, open->region.hi[1],
						  open->region.hi[2] } };
	return fx_send_record(node, IMAGES, r);
}

/* Tells of sections that are complete, in their order; at the end of all that have a voxel. */
static int voxels_tell_done(struct fx_node *node, struct voxels *s, bool end)
{
	const struct fx_mark *open = fx_opened(node, PREDICTION);
	const uint64_t whole = open ? (uint64_t)(open->region.hi[1] * open->region.hi[2]) : 0;
	int rc = FX_OK;

	for (; rc == FX_OK && s->told < s->len; s->told++) {
		const uint64_t n = voxels_of(&s->sections[s->told]);

		if (!end && (!whole || n < whole))
			break;
		if (n)
			rc = voxels_tell(node, s, s->told);
	}
	return rc;
}

static int voxels_block(struct fx_node *node, struct voxels *s, unsigned port,
			const struct fx_block *b)
{
	const struct fx_mark *open = fx_opened(node, TRUTH);
	struct fx_block *partner;
	size_t number;
	int rc = fx_meeting_partner(node, s->stores, (int)port, b, &partner, &number);

	if (rc < 0)
		return rc;
	if (!partner)
		return port == TRUTH || fx_meeting_awaits(node, TRUTH, b) ?
			       fx_meeting_wait(node, s->stores, (int)port, b) :
			       FX_OK;
	rc = voxels_count(node, s, port == PREDICTION ? b : partner,
			  port == PREDICTION ? partner : b);
	fx_block_free(partner);
	fx_blockstore_drop(&s->stores[1 - port], number);
	if (rc == FX_OK)
		rc = voxels_tell_done(node, s, false);
	fx_progress(node, (double)voxels_of(&s->pooled),
		    open ? (double)open->region.hi[0] * (double)open->region.hi[1] *
				    (double)open->region.hi[2] :
			   0,
		    "voxels");
	fx_progress(node, fx_voxel_score(&s->pooled).iou, 0, "IoU so far");
	return rc;
}

static int voxels_process(struct fx_node *node, void *state)
{
	const unsigned port = fx_waiting(node, PREDICTION) == FX_BLOCK ? PREDICTION : TRUTH;
	struct fx_block *b = fx_take(node, port);
	const int rc = voxels_block(node, state, port, b);

	fx_block_free(b);
	return rc;
}

static int voxels_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	int rc = FX_OK;

	(void)state;
	if (m->kind == FX_MARK_OPEN && (rc = fx_meeting_shapes(node, PREDICTION, TRUTH)) < 0)
		return rc;
	if (port == PREDICTION && (rc = fx_send_mark(node, SCORES, m)) == FX_OK)
		rc = fx_send_mark(node, IMAGES, m);
	return rc;
}

static int voxels_drain(struct fx_node *node, void *state)
{
	struct voxels *s = state;
	struct fx_record *r = fx_record_new("scores");
	int rc = voxels_tell_done(node, s, true);

	if (s->stores[TRUTH].live)
		fx_warn(node, "%zu blocks of truth met no prediction: are both on one grid?",
			s->stores[TRUTH].live);
	if (rc == FX_OK && r && fx_voxel_scores_add(r, "pooled", &s->pooled) == FX_OK &&
	    fx_voxel_means_add(r, s->sections, s->len) == FX_OK &&
	    fx_record_add_number(r, "voxels", (double)voxels_of(&s->pooled)) == FX_OK)
		return fx_send_record(node, SCORES, r);
	fx_record_free(r);
	return rc < 0 ? rc : fx_fail(node, FX_ENOMEM, "no memory for scores");
}

static int voxels_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	struct voxels *s = state;
	const uint64_t told = s->told;
	struct fx_error err = { 0 };

	fx_pack_put(to, &told, sizeof told);
	fx_pack_put(to, &s->pooled, sizeof s->pooled);
	fx_pack_array(to, s->sections, s->len, sizeof *s->sections);
	for (int i = 0; i < 2; i++)
		if (fx_blockstore_pack(&s->stores[i], to, &err) < 0)
			return fx_fail_error(node, &err);
	return FX_OK;
}

static int voxels_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct voxels *s = state;
	const char *dir = fx_state_dir(node);
	struct fx_error err = { 0 };
	void *sections;
	uint64_t told;

	if (!dir || fx_unpack_get(from, &told, sizeof told) < 0 ||
	    fx_unpack_get(from, &s->pooled, sizeof s->pooled) < 0 ||
	    fx_unpack_array(from, &sections, &s->len, sizeof *s->sections) < 0)
		return fx_fail(node, FX_ETYPE, "counts cannot be as they were saved");
	s->sections = sections;
	s->cap = s->len;
	s->told = (size_t)told;
	if (told > s->len)
		return fx_fail(node, FX_ETYPE, "counts cannot be as they were saved");
	for (int i = 0; i < 2; i++)
		if (fx_blockstore_unpack(&s->stores[i], dir, fx_meeting_files[i], from, &err) < 0)
			return fx_fail_error(node, &err);
	return FX_OK;
}

static void voxels_finish(void *state)
{
	struct voxels *s = state;

	fx_blockstore_close(&s->stores[0]);
	fx_blockstore_close(&s->stores[1]);
	free(s->sections);
}

FX_NODE(scorer_voxels) = {
	.abi = FX_NODE_ABI,
	.name = "scorer/voxels",
	.summary = "score probabilities or masks against true masks, image by image and pooled",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct voxels),
	.process = voxels_process,
	.mark = voxels_mark,
	.drain = voxels_drain,
	.finish = voxels_finish,
	.save = voxels_save,
	.load = voxels_load,
};
