// SPDX-License-Identifier: Apache-2.0
/* writer/picture: one picture of a run: a section, its segments, and the skeletons of all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <fornix/node.h>

#include "base/map64.h"
#include "base/pack.h"
#include "formats/pngwrite.h"
#include "kernels/render.h"
#include "kernels/render_plane.h"

enum { IMAGE, LABELS, TREES }; /* index into ports[] */

enum { GAP = 12, BACKGROUND = 0x0d0f14 };

struct picture {
	const char *path; /* options */
	int section, side;
	double thickness;
	bool ready;	 /* the size of a section is known, and what follows is made */
	uint32_t opened; /* the input whose OPEN told it */
	int64_t z;	 /* the section to show; -1 when it depends on how many come */
	double voxel_nm[3];
	struct fx_plane image, labels; /* owned, from the first OPEN to finish() */
	struct fx_render_space space;  /* owned, likewise */
	struct fx_map64 ids;	       /* owned; provisional id of the section to final */
	bool renamed;
	size_t scale; /* pixels per sample */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_IN, FX_BLOCK, FX_U8 | FX_U16 | FX_F32, 1 << FX_IMAGE, false,
		    "grey values as tiles or blocks; f32 from 0 to 1" },
	[LABELS] = { "labels", FX_IN, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16 | FX_U32 | FX_U64,
		     1 << FX_LABELS, true, "segments, and records that make their ids final" },
	[TREES] = { "trees", FX_IN, FX_TREE, 0, 0, true, "skeletons" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct picture, path), .path = FX_PATH_WRITE,
	  .help = "picture file to write, a png" },
	{ FX_FIELD(struct picture, section), .def = -1, .min = -1, .max = 2147483647,
	  .help = "section to show, -1 is the middle one" },
	{ FX_FIELD(struct picture, side), .def = 800, .min = 16, .max = 8192,
	  .help = "longest side of a panel in pixels" },
	{ FX_FIELD(struct picture, thickness), .def = 0.4, .min = 0, .max = 10,
	  .help = "width of a drawn skeleton in units of its own radius" },
	{ 0 },
};

/* Makes room once an OPEN mark tells how large a section is. */
static int picture_prepare(struct fx_node *node, struct picture *s, const struct fx_mark *m)
{
	const int64_t h = m ? m->region.hi[1] : 0, w = m ? m->region.hi[2] : 0;
	const size_t side = (size_t)s->side;
	size_t longer;
	int code;

	if (s->ready || h < 1 || w < 1)
		return FX_OK;
	code = fx_plane_init(&s->image, h, w, side, false);
	if (code == FX_OK)
		code = fx_plane_init(&s->labels, h, w, side, true);
	if (code < 0)
		return fx_fail(node, code, "no memory for a picture of %d pixels", s->side);
	longer = s->image.h > s->image.w ? s->image.h : s->image.w;
	s->scale = side / longer;
	if (fx_connected(node, TREES)) {
		s->space = fx_render_space_new(s->image.h * s->scale, s->image.w * s->scale);
		if (!s->space.depth)
			return fx_fail(node, FX_ENOMEM, "no memory for a picture of %d pixels",
				       s->side);
	}
	s->z = s->section >= 0 ? s->section : m->region.hi[0] > 0 ? m->region.hi[0] / 2 : -1;
	memcpy(s->voxel_nm, m->voxel_nm, sizeof s->voxel_nm);
	s->ready = true;
	return FX_OK;
}

static int picture_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct picture *s = state;

	if (m->kind != FX_MARK_OPEN || s->ready)
		return FX_OK;
	s->opened = port;
	return picture_prepare(node, s, m);
}

static int picture_take_block(struct fx_node *node, struct picture *s, unsigned port)
{
	struct fx_block *b = fx_take(node, port);

	if (s->ready)
		fx_plane_take(port == IMAGE ? &s->image : &s->labels, b, s->z);
	fx_block_free(b);
	return s->ready ? FX_OK :
			  fx_fail(node, FX_EINVAL, "a block came before the size of a section");
}

/* Final ids of what is in the section, from one table; they come after the last block. */
static int picture_rename(struct fx_node *node, struct picture *s, const struct fx_record *r)
{
	const size_t n = s->labels.h * s->labels.w;

	for (size_t i = 0; i < n && s->labels.labels && !s->renamed; i++)
		if (!fx_map64_at(&s->ids, s->labels.labels[i]))
			return fx_fail(node, FX_ENOMEM, "no memory for the ids of a section");
	s->renamed = true;
	for (size_t i = 0; i < r->rows; i++)
		if (fx_map64_find(&s->ids, r->table[2 * i]))
			*fx_map64_at(&s->ids, r->table[2 * i]) = r->table[2 * i + 1];
	return FX_OK;
}

static int picture_take_record(struct fx_node *node, struct picture *s, unsigned port)
{
	struct fx_record *r = fx_take_record(node, port);
	int code = FX_OK;

	if (r && strcmp(r->kind, "final-ids") == 0 && r->columns == 2)
		code = picture_rename(node, s, r);
	fx_record_free(r);
	return code;
}

static void picture_point(const struct picture *s, const struct fx_tree_node *n, float out[4])
{
	const double pixels = (double)s->scale / (double)s->image.thin;

	out[0] = (float)(n->pos_nm[0] / s->voxel_nm[2] * pixels);
	out[1] = (float)((n->pos_nm[1] / s->voxel_nm[1] + 0.5) * pixels);
	out[2] = (float)((n->pos_nm[2] / s->voxel_nm[2] + 0.5) * pixels);
	out[3] = (float)(n->radius_nm / s->voxel_nm[2] * pixels * s->thickness);
}

static int picture_take_tree(struct fx_node *node, struct picture *s, unsigned port)
{
	struct fx_tree *t = fx_take_tree(node, port);
	const uint32_t colour = fx_render_colour(t->segment);

	for (size_t i = 0; i < t->len && s->ready; i++) {
		const int32_t parent = t->nodes[i].parent;
		float a[4], b[4];

		picture_point(s, &t->nodes[i], a);
		picture_point(s, &t->nodes[parent < 0 || (size_t)parent >= i ? i : (size_t)parent],
			      b);
		fx_render_tube(&s->space, a, b, colour);
	}
	fx_tree_free(t);
	return s->ready ? FX_OK :
			  fx_fail(node, FX_EINVAL, "a tree came before the size of a section");
}

static int picture_process(struct fx_node *node, void *state)
{
	int code = FX_OK;

	for (unsigned port = IMAGE; port <= TREES && code == FX_OK; port++) {
		const enum fx_kind kind = fx_waiting(node, port);

		if (kind == FX_BLOCK)
			code = picture_take_block(node, state, port);
		else if (kind == FX_RECORD)
			code = picture_take_record(node, state, port);
		else if (kind == FX_TREE)
			code = picture_take_tree(node, state, port);
	}
	return code;
}

static void picture_finalise(struct picture *s)
{
	const size_t n = s->labels.h * s->labels.w;

	for (size_t i = 0; i < n && s->renamed; i++) {
		const uint64_t *id = fx_map64_find(&s->ids, s->labels.labels[i]);

		s->labels.labels[i] = id ? *id : 0;
	}
}

static int picture_compose(struct fx_node *node, struct picture *s, struct fx_picture *p)
{
	const size_t n = s->image.h * s->image.w, w = s->image.w * s->scale;
	struct fx_render_section section = { s->image.h, s->image.w, s->scale, NULL, NULL };
	const size_t longest = w / 4 > 24 ? w / 4 : 24;
	uint8_t *grey = malloc(n);
	size_t x = w + GAP;

	if (!grey)
		return fx_fail(node, FX_ENOMEM, "no memory for a section of the picture");
	for (size_t i = 0; i < n; i++)
		grey[i] = fx_plane_grey(&s->image, i);
	section.grey = grey;
	section.labels = s->labels.labels;
	fx_render_section(p, 0, 0, &section, false);
	fx_render_scale_bar(p, p->h - p->h / 32 - 1, w / 32 + 1, longest,
			    s->voxel_nm[2] * (double)s->image.thin / (double)s->scale);
	if (fx_connected(node, LABELS)) {
		fx_render_section(p, 0, x, &section, true);
		x += w + GAP;
	}
	if (fx_connected(node, TREES))
		fx_render_space_show(&s->space, p, 0, x);
	free(grey);
	return FX_OK;
}

static int picture_drain(struct fx_node *node, void *state)
{
	struct picture *s = state;
	const size_t panels =
		1 + (size_t)fx_connected(node, LABELS) + (size_t)fx_connected(node, TREES);
	struct fx_error err = { 0 };
	struct fx_picture p;
	int code;

	if (s->image.z < 0 || !s->ready) {
		fx_warn(node, "nothing of section %lld came, so there is no picture %s",
			(long long)(s->ready ? s->z : s->section), s->path);
		return FX_OK;
	}
	if (fx_connected(node, LABELS) && s->labels.z != s->image.z)
		fx_warn(node, "%s shows section %lld, but labels of section %lld", s->path,
			(long long)s->image.z, (long long)s->labels.z);
	picture_finalise(s);
	p = fx_picture_new(s->image.h * s->scale, panels * (s->image.w * s->scale + GAP) - GAP,
			   BACKGROUND);
	if (!p.rgb)
		return fx_fail(node, FX_ENOMEM, "no memory for the picture %s", s->path);
	code = picture_compose(node, s, &p);
	if (code == FX_OK && fx_png_write(s->path, p.rgb, p.h, p.w, 3, &err) < 0)
		code = fx_fail_error(node, &err);
	fx_picture_fini(&p);
	return code;
}

static int picture_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct picture *s = state;

	fx_pack_bool(to, s->ready);
	if (!s->ready)
		return FX_OK;
	fx_pack_put(to, &s->opened, sizeof s->opened);
	fx_plane_pack(&s->image, to);
	fx_plane_pack(&s->labels, to);
	fx_render_space_pack(&s->space, to);
	fx_pack_bool(to, s->renamed);
	return fx_map64_pack(&s->ids, to) == FX_OK ? FX_OK : fx_fail(node, FX_ENOMEM, "no memory");
}

static int picture_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct picture *s = state;
	bool ready;

	const int failed = fx_unpack_bool(from, &ready);

	if (failed < 0 || !ready)
		return failed;
	if (fx_unpack_get(from, &s->opened, sizeof s->opened) < 0 || s->opened > TREES ||
	    picture_prepare(node, s, fx_opened(node, s->opened)) < 0 || !s->ready ||
	    fx_plane_unpack(&s->image, from) < 0 || fx_plane_unpack(&s->labels, from) < 0 ||
	    fx_render_space_unpack(&s->space, from) < 0 || fx_unpack_bool(from, &s->renamed) < 0)
		return FX_ETYPE;
	return fx_map64_unpack(&s->ids, from);
}

static void picture_finish(void *state)
{
	struct picture *s = state;

	fx_plane_fini(&s->image);
	fx_plane_fini(&s->labels);
	fx_render_space_fini(&s->space);
	fx_map64_fini(&s->ids);
}

FX_NODE(writer_picture) = {
	.abi = FX_NODE_ABI,
	.name = "writer/picture",
	.summary = "write one picture: a section, its segments, the skeletons of all",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct picture),
	.process = picture_process,
	.mark = picture_mark,
	.drain = picture_drain,
	.finish = picture_finish,
	.save = picture_save,
	.load = picture_load,
};
