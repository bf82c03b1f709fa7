// SPDX-License-Identifier: Apache-2.0
/* acquire/phantom: a synthetic electron microscope: sections of neurites with exact truth. */
#include <math.h>
#include <string.h>

#include <fornix/node.h>

#include "kernels/phantom.h"

enum { IMAGE, TRUTH, TREES }; /* index into ports[] */

/* A neurite of more nodes is sent in pieces, or a deep phantom would fill the memory. */
enum { PIECE_NODES = 4096 };

struct phantom {
	struct fx_vec size, voxel; /* options */
	int seed;
	double spacing, slope, branch, end, mitochondria, vesicles, noise, jitter, node, tile;
	struct fx_phantom *grown; /* owned, from init() to finish() */
	size_t shape[3], z;
	bool opened;
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_OUT, FX_BLOCK, FX_U8, 1 << FX_IMAGE, false,
		    "sections as tiles, as a microscope would send them" },
	[TRUTH] = { "truth", FX_OUT, FX_BLOCK, FX_U32, 1 << FX_LABELS, false,
		    "the neurite of every voxel, tiles of the same geometry" },
	[TREES] = { "trees", FX_OUT, FX_TREE, 0, 0, false,
		    "exact centre lines, each when its neurite has ended or after the last "
		    "section; "
		    "one of more than 4096 nodes in pieces" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct phantom, size), .def_str = "256 512 512", .min = 1, .max = 1 << 20,
	  .unit = "voxel", .help = "sections, rows and columns" },
	{ FX_FIELD(struct phantom, voxel), .def_str = "8 8 8", .min = 1, .max = 200, .unit = "nm",
	  .help = "thickness of a section, height and width of a pixel" },
	{ FX_FIELD(struct phantom, seed), .def = 1, .min = 0, .max = 2147483647,
	  .help = "another seed grows another tissue" },
	{ FX_FIELD(struct phantom, spacing), .def = 280, .min = 20, .max = 20000, .unit = "nm",
	  .help = "typical distance between neurites, at least 6 pixels" },
	{ FX_FIELD(struct phantom, slope), .def = 1, .min = 0, .max = 4,
	  .help = "obliqueness: 0 straight down, 1 as in neuropil" },
	{ FX_FIELD(struct phantom, branch), .def = 1500, .min = 100, .max = 1e9, .unit = "nm",
	  .help = "mean depth between two branches of a neurite" },
	{ FX_FIELD(struct phantom, end), .def = 4000, .min = 100, .max = 1e9, .unit = "nm",
	  .help = "mean depth until a thin neurite ends" },
	{ FX_FIELD(struct phantom, mitochondria), .def = 1, .min = 0, .max = 4,
	  .help = "how many mitochondria, 1 as in neuropil" },
	{ FX_FIELD(struct phantom, vesicles), .def = 1, .min = 0, .max = 2,
	  .help = "how many neurites hold vesicles, 1 as in neuropil" },
	{ FX_FIELD(struct phantom, noise), .def = 7, .min = 0, .max = 100,
	  .help = "standard deviation of the shot noise in grey levels" },
	{ FX_FIELD(struct phantom, jitter), .def = 2, .min = 0, .max = 50,
	  .help = "change of brightness between sections in grey levels" },
	{ FX_FIELD(struct phantom, node), .def = 80, .min = 1, .max = 1e5, .unit = "nm",
	  .help = "distance between the nodes of a centre line" },
	{ FX_FIELD(struct phantom, tile), .def = 4, .min = 0.0001, .max = 64, .unit = "MiB",
	  .help = "largest tile of either output" },
	{ 0 },
};

static int phantom_init(struct fx_node *node, void *state)
{
	struct phantom *s = state;
	struct fx_error err = { 0 };
	struct fx_phantom_spec spec = {
		.spacing_nm = s->spacing,
		.slope = s->slope,
		.branch_nm = s->branch,
		.end_nm = s->end,
		.mitochondria = s->mitochondria,
		.vesicles = s->vesicles,
		.noise = s->noise,
		.jitter = s->jitter,
		.node_nm = s->node,
		.piece_len = PIECE_NODES,
		.seed = (uint64_t)s->seed,
	};

	for (int a = 0; a < 3; a++) {
		if (s->size.v[a] != floor(s->size.v[a]))
			return fx_fail(node, FX_EINVAL, "size %g is not a whole number of voxels",
				       s->size.v[a]);
		s->shape[a] = (size_t)s->size.v[a];
		spec.voxel_nm[a] = s->voxel.v[a];
	}
	spec.height = s->shape[1];
	spec.width = s->shape[2];
	return fx_phantom_new(&spec, &s->grown, &err) < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int phantom_mark(struct fx_node *node, const struct phantom *s, enum fx_mark_kind kind,
			size_t z_lo, size_t z_hi)
{
	struct fx_mark m = { .kind = kind,
			     .region = { { (int64_t)z_lo, 0, 0 },
					 { (int64_t)z_hi, (int64_t)s->shape[1],
					   (int64_t)s->shape[2] } } };
	int code = FX_OK;

	memcpy(m.voxel_nm, s->voxel.v, sizeof m.voxel_nm);
	for (unsigned port = IMAGE; port <= TREES && code == FX_OK; port++) {
		m.dtype = port == IMAGE ? FX_U8 : FX_U32;
		code = fx_send_mark(node, port, &m);
	}
	return code;
}

/* An empty tile for @p port, in its place. */
static struct fx_block *phantom_tile(struct fx_node *node, const struct phantom *s, unsigned port,
				     const size_t origin[2], const size_t shape[3])
{
	struct fx_block *b =
		fx_connected(node, port) ?
			fx_new_block(node, port, port == IMAGE ? FX_U8 : FX_U32, 1, shape) :
			NULL;

	if (!b)
		return NULL;
	b->role = port == IMAGE ? FX_IMAGE : FX_LABELS;
	b->origin[0] = (int64_t)s->z;
	b->origin[1] = (int64_t)origin[0];
	b->origin[2] = (int64_t)origin[1];
	memcpy(b->voxel_nm, s->voxel.v, sizeof b->voxel_nm);
	return b;
}

static int phantom_emit_tile(struct fx_node *node, const struct phantom *s, const size_t origin[2],
			     const size_t shape[3])
{
	struct fx_error err = { 0 };
	struct fx_block *image = phantom_tile(node, s, IMAGE, origin, shape);
	struct fx_block *truth = phantom_tile(node, s, TRUTH, origin, shape);
	int code = FX_ENOMEM;

	if ((fx_connected(node, IMAGE) && !image) || (fx_connected(node, TRUTH) && !truth)) {
		fx_fail(node, code, "no memory for a tile of section %zu", s->z);
		goto done;
	}
	code = image || truth ? fx_phantom_render(s->grown, origin[0], origin[1], shape[1],
						  shape[2], image ? image->data : NULL,
						  truth ? truth->data : NULL, &err) :
				FX_OK;
	if (code < 0) {
		fx_fail_error(node, &err);
		goto done;
	}
	if (image)
		code = fx_send(node, IMAGE, image);
	image = NULL;
	if (truth && code == FX_OK) {
		code = fx_send(node, TRUTH, truth);
		truth = NULL;
	}
done:
	fx_block_free(image);
	fx_block_free(truth);
	return code;
}

/* Cuts the section into bands of rows, or, where one row is too long, into pieces of rows. */
static int phantom_emit_section(struct fx_node *node, const struct phantom *s)
{
	const size_t limit = (size_t)(s->tile * 1048576 / sizeof(uint32_t));
	const size_t width = limit < s->shape[2] ? limit : s->shape[2];
	const size_t height = limit / width < s->shape[1] ? limit / width : s->shape[1];
	size_t at[2];
	int code = FX_OK;

	for (at[0] = 0; at[0] < s->shape[1] && code == FX_OK; at[0] += height)
		for (at[1] = 0; at[1] < s->shape[2] && code == FX_OK; at[1] += width) {
			const size_t h = s->shape[1] - at[0], w = s->shape[2] - at[1];
			const size_t shape[3] = { 1, h < height ? h : height,
						  w < width ? w : width };

			code = phantom_emit_tile(node, s, at, shape);
		}
	return code;
}

static int phantom_emit_trees(struct fx_node *node, const struct phantom *s)
{
	struct fx_tree *t;
	int code = FX_OK;

	while (code == FX_OK && (t = fx_phantom_take_tree(s->grown)))
		code = fx_send_tree(node, TREES, t);
	return code;
}

static int phantom_process(struct fx_node *node, void *state)
{
	struct phantom *s = state;
	struct fx_error err = { 0 };
	int code = FX_OK;

	if (!s->opened)
		code = phantom_mark(node, s, FX_MARK_OPEN, 0, s->shape[0]);
	s->opened = true;
	if (code < 0 || s->z == s->shape[0])
		return code < 0 ? code : FX_END;
	if (fx_phantom_next(s->grown, &err) < 0)
		return fx_fail_error(node, &err);
	code = phantom_emit_section(node, s);
	if (code == FX_OK)
		code = phantom_emit_trees(node, s);
	if (code == FX_OK)
		code = phantom_mark(node, s, FX_MARK_DONE, s->z, s->z + 1);
	s->z++;
	if (code < 0)
		return code;
	return s->z == s->shape[0] ? FX_END : FX_OK;
}

static int phantom_drain(struct fx_node *node, void *state)
{
	struct phantom *s = state;
	struct fx_error err = { 0 };

	if (fx_phantom_finish(s->grown, &err) < 0)
		return fx_fail_error(node, &err);
	return phantom_emit_trees(node, s);
}

static int phantom_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct phantom *s = state;

	(void)node;
	fx_pack_bool(to, s->opened);
	fx_phantom_pack(s->grown, to);
	return FX_OK;
}

static int phantom_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct phantom *s = state;
	int result = fx_unpack_bool(from, &s->opened);

	(void)node;
	if (result == FX_OK)
		result = fx_phantom_unpack(s->grown, from);
	s->z = fx_phantom_sections(s->grown);
	return result == FX_OK && s->z > s->shape[0] ? FX_ETYPE : result;
}

static void phantom_finish(void *state)
{
	struct phantom *s = state;

	fx_phantom_free(s->grown);
}

FX_NODE(acquire_phantom) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/phantom",
	.summary = "grow synthetic sections with exact truth and centre lines",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct phantom),
	.init = phantom_init,
	.process = phantom_process,
	.drain = phantom_drain,
	.finish = phantom_finish,
	.save = phantom_save,
	.load = phantom_load,
};
