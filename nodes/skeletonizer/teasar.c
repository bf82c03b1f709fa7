// SPDX-License-Identifier: Apache-2.0
/* skeletonizer/teasar: label blocks in, one skeleton for each object out. Blocks wait in a scratch
 * file until the ids are final; then each is traced alone, with fixed points where objects cross
 * its faces, and the pieces are joined there. Memory: one block, and the pieces of one object. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "formats/labelstore.h"
#include "kernels/contact.h"
#include "kernels/forest.h"
#include "kernels/labelmap.h"
#include "kernels/skeletonize.h"

enum { LABELS, TREES }; /* index into ports[] */

static const uint64_t PIECES = (uint64_t)1 << 63; /* scratch keys of pieces start here */

/* A piece in the scratch file. */
struct kept {
	uint64_t segment, key;
};

struct teasar {
	double scale, constant, pdrf_scale, pdrf_exponent, tick;
	double soma_detection, soma_acceptance, soma_scale, soma_constant;
	int dust;
	double voxel_nm[3];
	struct fx_blobstore *scratch;
	struct fx_labelstore store;
	struct fx_labelmap map;
	struct kept *kept;
	size_t kept_len, kept_cap;
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
	{ 0 },
};

static int teasar_block(struct fx_node *node, struct teasar *s, const struct fx_block *b)
{
	struct fx_error err = { 0 };
	const char *dir;

	if (!s->scratch) {
		dir = fx_scratch_dir(node);
		if (!dir)
			return fx_fail(node, FX_EIO, "no folder for scratch files");
		s->scratch = fx_blobstore_open(dir, 0, &err);
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

/* Ids of the objects of a face. */
static int teasar_face(const struct teasar *s, const struct fx_stored *b, int axis, bool high,
		       uint64_t **ids, struct fx_error *err)
{
	int result = fx_labelstore_face(s->scratch, b, axis, high, ids, err);

	if (result != FX_OK)
		return result;
	result = fx_labelmap_apply(&s->map, *ids,
				   b->shape[0] * b->shape[1] * b->shape[2] / b->shape[axis], err);
	if (result != FX_OK)
		free(*ids);
	return result;
}

/* Where objects cross one face of a block: appends to *targets. */
static int teasar_crossings(const struct teasar *s, const struct fx_stored *b, int axis, bool high,
			    struct fx_link_target **targets, size_t *len, size_t *cap,
			    struct fx_error *err)
{
	struct fx_face f = { .axis = axis, .high = high };
	const struct fx_stored *next;
	uint64_t *own = NULL, *other = NULL;
	int result = fx_labelstore_next(&s->store, b, axis, high, &next, err);

	if (result != FX_OK || !next)
		return result;
	memcpy(f.origin, b->origin, sizeof f.origin);
	memcpy(f.shape, b->shape, sizeof f.shape);
	memcpy(f.voxel_nm, s->voxel_nm, sizeof f.voxel_nm);
	result = teasar_face(s, b, axis, high, &own, err);
	if (result == FX_OK)
		result = teasar_face(s, next, axis, !high, &other, err);
	f.own = own;
	f.other = other;
	if (result == FX_OK && fx_face_targets(&f, targets, len, cap) != FX_OK)
		result = fx_error_set(err, FX_ENOMEM, "no memory for the contacts of a face");
	free(own);
	free(other);
	return result;
}

static int teasar_keep(struct teasar *s, const struct fx_piece *p, struct fx_error *err)
{
	const uint64_t key = PIECES + s->kept_len;
	void *bytes;
	size_t size;
	int result;

	if (fx_piece_pack(p, &bytes, &size) != FX_OK ||
	    !fx_grow(&s->kept, &s->kept_cap, s->kept_len + 1, sizeof *s->kept))
		return fx_error_set(err, FX_ENOMEM, "no memory for a skeleton");
	result = fx_blobstore_put(s->scratch, key, bytes, size, err);
	free(bytes);
	s->kept[s->kept_len++] = (struct kept){ p->label, key };
	return result;
}

static int teasar_pieces(struct teasar *s, const struct fx_skeletonize_block *block,
			 struct fx_error *err)
{
	const struct fx_teasar_options o = {
		.scale = s->scale,
		.const_nm = s->constant,
		.pdrf_scale = s->pdrf_scale,
		.pdrf_exponent = s->pdrf_exponent,
		.soma_detection_nm = s->soma_detection,
		.soma_acceptance_nm = s->soma_acceptance,
		.soma_scale = s->soma_scale,
		.soma_const_nm = s->soma_constant,
	};
	struct fx_piece *pieces;
	size_t len;
	int result = fx_skeletonize(block, &o, &pieces, &len);

	if (result != FX_OK)
		return fx_error_set(err, result, "no memory to trace a block");
	for (size_t i = 0; i < len; i++) {
		if (result == FX_OK)
			result = teasar_keep(s, &pieces[i], err);
		fx_piece_fini(&pieces[i]);
	}
	free(pieces);
	return result;
}

static int teasar_trace(struct teasar *s, const struct fx_stored *b, struct fx_error *err)
{
	struct fx_skeletonize_block block = { .dust = (uint64_t)s->dust };
	struct fx_link_target *targets = NULL;
	uint64_t *labels = NULL;
	size_t len = 0, cap = 0;
	int result = FX_OK;

	for (int face = 0; result == FX_OK && face < 6; face++)
		result = teasar_crossings(s, b, face / 2, face % 2, &targets, &len, &cap, err);
	if (result == FX_OK)
		result = fx_labelstore_get(s->scratch, b, &labels, err);
	if (result == FX_OK)
		result = fx_labelmap_apply(&s->map, labels, b->shape[0] * b->shape[1] * b->shape[2],
					   err);
	memcpy(block.shape, b->shape, sizeof block.shape);
	memcpy(block.origin, b->origin, sizeof block.origin);
	memcpy(block.voxel_nm, s->voxel_nm, sizeof block.voxel_nm);
	block.labels = labels;
	block.targets = targets;
	block.targets_len = len;
	if (result == FX_OK)
		result = teasar_pieces(s, &block, err);
	free(labels);
	free(targets);
	return result;
}

static int teasar_kept_order(const void *pa, const void *pb)
{
	const struct kept *a = pa, *b = pb;

	if (a->segment != b->segment)
		return a->segment < b->segment ? -1 : 1;
	return (a->key > b->key) - (a->key < b->key);
}

/* Joins the pieces of one object. *tree has no node when all of it is dust. */
static int teasar_join(struct teasar *s, const struct kept *kept, size_t len, struct fx_tree **tree,
		       struct fx_error *err)
{
	const struct fx_forest_options o = { (uint64_t)s->dust, s->tick, s->scale, s->constant };
	struct fx_piece *pieces = fx_calloc(len, sizeof *pieces);
	int result = pieces ? FX_OK : FX_ENOMEM;

	for (size_t i = 0; result == FX_OK && i < len; i++) {
		void *bytes;
		size_t size;

		result = fx_blobstore_get(s->scratch, kept[i].key, &bytes, &size, err);
		if (result != FX_OK)
			break;
		result = fx_piece_unpack(bytes, size, &pieces[i]);
		free(bytes);
		fx_blobstore_drop(s->scratch, kept[i].key);
	}
	if (result == FX_OK)
		result = fx_forest_join(pieces, len, kept->segment, &o, tree);
	for (size_t i = 0; pieces && i < len; i++)
		fx_piece_fini(&pieces[i]);
	free(pieces);
	return result == FX_OK || (err && err->code) ?
		       result :
		       fx_error_set(err, result, "segment %ju: cannot join %zu pieces",
				    (uintmax_t)kept->segment, len);
}

static int teasar_send(struct fx_node *node, struct teasar *s)
{
	struct fx_error err = { 0 };
	int result = FX_OK;
	size_t end;

	if (s->kept_len)
		qsort(s->kept, s->kept_len, sizeof *s->kept, teasar_kept_order);
	for (size_t i = 0; result == FX_OK && i < s->kept_len; i = end) {
		struct fx_tree *tree;

		for (end = i; end < s->kept_len && s->kept[end].segment == s->kept[i].segment;)
			end++;
		if (teasar_join(s, &s->kept[i], end - i, &tree, &err) != FX_OK)
			return fx_fail_error(node, &err);
		if (tree->len)
			result = fx_send_tree(node, TREES, tree);
		else
			fx_tree_free(tree);
	}
	for (size_t i = 0; result == FX_OK && i < s->done_len; i++)
		result = fx_send_mark(node, TREES, &s->done[i]);
	return result;
}

static int teasar_drain(struct fx_node *node, void *state)
{
	struct teasar *s = state;
	struct fx_error err = { 0 };

	for (size_t i = 0; i < s->store.len; i++)
		if (teasar_trace(s, &s->store.blocks[i], &err) != FX_OK)
			return fx_fail_error(node, &err);
	return teasar_send(node, s);
}

static void teasar_finish(void *state)
{
	struct teasar *s = state;

	fx_blobstore_close(s->scratch);
	fx_labelstore_fini(&s->store);
	fx_labelmap_fini(&s->map);
	free(s->kept);
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
};
