// SPDX-License-Identifier: Apache-2.0
/* skeletonizer/teasar: label blocks in, one skeleton for each object out. Blocks wait in a scratch
 * file until the ids are final; then the volume is cut into cells anew, each is traced alone, with
 * fixed points where objects cross its faces, and the pieces are joined there. Memory: one cell,
 * and the pieces of one object. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "node/labeltrace.h"

enum { LABELS, TREES }; /* index into ports[] */

struct teasar {
	double scale, constant, pdrf_scale, pdrf_exponent, tick;
	double soma_detection, soma_acceptance, soma_scale, soma_constant;
	int dust;
	struct fx_vec cell;
	double voxel_nm[3];
	struct fx_blobstore *scratch;
	struct fx_labelstore store;
	struct fx_labelmap map;
	struct fx_mark *done; /* DONE marks, sent on behind the trees */
	size_t done_len, done_cap;
};

static const struct fx_port ports[] = {
	[LABELS] = { "labels", FX_IN, FX_BLOCK | FX_RECORD, FX_U16 | FX_U32 | FX_U64,
		     1 << FX_LABELS, false, "label blocks, and which labels are one" },
	[TREES] = { "trees", FX_OUT, FX_TREE, 0, 0, false, "one forest for each object" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct teasar, scale), .def = 1.5, .min = 0, .max = 100,
	  .help = "a path clears this many times its radius around it" },
	{ FX_FIELD(struct teasar, constant), .unit = "nm", .def = 300, .min = 0, .max = 1e6,
	  .help = "and this much more" },
	{ FX_FIELD(struct teasar, pdrf_scale), .def = 100000, .min = 0, .max = 1e12,
	  .help = "how much a path is drawn to the middle of the object" },
	{ FX_FIELD(struct teasar, pdrf_exponent), .def = 4, .min = 0, .max = 64,
	  .help = "how sharply that grows towards the boundary" },
	{ FX_FIELD(struct teasar, soma_detection), .unit = "nm", .def = 750, .min = 0, .max = 1e9,
	  .help = "largest radius from which holes are filled to see whether it is a soma" },
	{ FX_FIELD(struct teasar, soma_acceptance), .unit = "nm", .def = 3500, .min = 0, .max = 1e9,
	  .help = "largest radius from which an object has a soma" },
	{ FX_FIELD(struct teasar, soma_scale), .def = 2, .min = 0, .max = 100,
	  .help = "a soma clears this many times its radius" },
	{ FX_FIELD(struct teasar, soma_constant), .unit = "nm", .def = 300, .min = 0, .max = 1e6,
	  .help = "and this much more" },
	{ FX_FIELD(struct teasar, dust), .unit = "voxel", .def = 1000, .min = 0, .max = 2e9,
	  .help = "connected pieces with fewer voxels get no skeleton" },
	{ FX_FIELD(struct teasar, tick), .unit = "nm", .def = 0, .min = 0, .max = 1e6,
	  .help = "end branches shorter than this are cut off" },
	{ FX_FIELD(struct teasar, cell), .unit = "voxel", .def_str = "256 256 256", .min = 16,
	  .max = 640,
	  .help = "what is traced at once, at most; whatever blocks come, the trees are the same" },
	{ 0 },
};

static int teasar_block(struct fx_node *node, struct teasar *s, const struct fx_block *b)
{
	struct fx_error err = { 0 };
	const char *dir;

	if (!s->scratch) {
		dir = fx_state_dir(node);
		if (!dir)
			return fx_fail(node, FX_EIO, "no folder for scratch files");
		s->scratch = fx_blobstore_named(dir, "labels", &err);
		if (!s->scratch)
			return fx_fail_error(node, &err);
		memcpy(s->voxel_nm, b->voxel_nm, sizeof s->voxel_nm);
	}
	if (fx_labelstore_put(&s->store, s->scratch, b, &err) != FX_OK)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int teasar_process(struct fx_node *node, void *state)
{
	struct teasar *s = state;
	struct fx_error err = { 0 };
	int result;

	if (fx_waiting(node, LABELS) == FX_BLOCK) {
		struct fx_block *b = fx_take(node, LABELS);

		result = teasar_block(node, s, b);
		fx_block_free(b);
	} else {
		struct fx_record *r = fx_take_record(node, LABELS);

		result = r && fx_labelmap_add(&s->map, r, &err) != FX_OK ?
				 fx_fail_error(node, &err) :
				 FX_OK;
		fx_record_free(r);
	}
	return result;
}

static int teasar_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct teasar *s = state;

	(void)port;
	if (m->kind != FX_MARK_DONE)
		return fx_send_mark(node, TREES, m);
	if (!fx_grow(&s->done, &s->done_cap, s->done_len + 1, sizeof *s->done))
		return fx_fail(node, FX_ENOMEM, "no memory for %zu marks", s->done_len);
	s->done[s->done_len++] = *m;
	return FX_OK;
}

static int teasar_tree(void *context, struct fx_tree *tree)
{
	return fx_send_tree(context, TREES, tree);
}

static int teasar_drain(struct fx_node *node, void *state)
{
	struct teasar *s = state;
	struct fx_labeltrace t = { .scratch = s->scratch,
				   .blocks = &s->store,
				   .ids = &s->map,
				   .tree = teasar_tree,
				   .context = node };
	const struct fx_blockwise_options o = {
		{ s->scale, s->constant, s->pdrf_scale, s->pdrf_exponent, s->soma_detection,
		  s->soma_acceptance, s->soma_scale, s->soma_constant },
		{ (uint64_t)s->dust, s->tick },
		{ s->voxel_nm[0], s->voxel_nm[1], s->voxel_nm[2] },
	};
	const size_t edge[3] = { (size_t)s->cell.v[0], (size_t)s->cell.v[1], (size_t)s->cell.v[2] };
	struct fx_error err = { 0 };
	int result;

	t.part = fx_part(node, &t.parts);
	result = fx_labelstore_trace(&t, edge, &o, &err);
	if (result != FX_OK)
		return fx_fail_error(node, &err);
	for (size_t i = 0; result == FX_OK && i < s->done_len; i++)
		result = fx_send_mark(node, TREES, &s->done[i]);
	return result;
}

static int teasar_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	struct teasar *s = state;
	struct fx_error err = { 0 };

	fx_pack_put(to, s->voxel_nm, sizeof s->voxel_nm);
	fx_pack_array(to, s->done, s->done_len, sizeof *s->done);
	fx_labelstore_pack(&s->store, to);
	if (fx_labelmap_pack(&s->map, to) < 0)
		return fx_fail(node, FX_ENOMEM, "no memory to save label ids");
	if (s->scratch && fx_blobstore_pack(s->scratch, to, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

static int teasar_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct teasar *s = state;
	const char *dir = fx_state_dir(node);
	struct fx_error err = { 0 };
	void *done = NULL;

	if (!dir || fx_unpack_get(from, s->voxel_nm, sizeof s->voxel_nm) < 0 ||
	    fx_unpack_array(from, &done, &s->done_len, sizeof *s->done) < 0) {
		free(done);
		return FX_ETYPE;
	}
	s->done = done;
	s->done_cap = s->done_len;
	if (fx_labelstore_unpack(&s->store, from) < 0 || fx_labelmap_unpack(&s->map, from) < 0)
		return FX_ETYPE;
	if (s->store.len && !(s->scratch = fx_blobstore_unpack(dir, "labels", from, &err)))
		return fx_fail_error(node, &err);
	return FX_OK;
}

static void teasar_finish(void *state)
{
	struct teasar *s = state;

	fx_blobstore_close(s->scratch);
	fx_labelstore_fini(&s->store);
	fx_labelmap_fini(&s->map);
	free(s->done);
}

FX_NODE(skeletonizer_teasar) = {
	.abi = FX_NODE_ABI,
	.name = "skeletonizer/teasar",
	.summary = "skeletons of labelled objects by TEASAR",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct teasar),
	.process = teasar_process,
	.mark = teasar_mark,
	.drain = teasar_drain,
	.finish = teasar_finish,
	.save = teasar_save,
	.load = teasar_load,
	.keys = FX_KEY_ID,
};
