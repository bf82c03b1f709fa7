// SPDX-License-Identifier: Apache-2.0
/* aligner/mosaic: make sections of tiles that overlap. */
#include <fornix/node.h>

#include <stdio.h>
#include <string.h>

#include "base/pack.h"
#include "node/montage.h"

enum { TILES, IMAGE, PLACES, ATTEMPTS }; /* index into ports[] */

struct mosaic {
	double reach, overlap, feather, confidence, memory, tile; /* options: set before init() */
	bool whole;

	struct fx_montage held; /* owned, from init() to finish(): the section that comes */
};

static const struct fx_port ports[] = {
	[TILES] = { "tiles", FX_IN, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16, 1 << FX_IMAGE, false,
		    "tiles of a section, before each a record \"tile\", as acquire/watch sends "
		    "them; or its attempts" },
	[IMAGE] = { "image", FX_OUT, FX_BLOCK, FX_U8 | FX_U16, 1 << FX_IMAGE, false,
		    "whole sections, of the extent that the nominal places have" },
	[PLACES] = { "places", FX_OUT, FX_RECORD, 0, 0, false,
		     "per section a record \"mosaic\", and \"mosaic-tile\" for every tile" },
	[ATTEMPTS] = { "attempts", FX_OUT, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16, 1 << FX_IMAGE,
		       false, "of attempts: every version of every section, each with a record" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct mosaic, reach), .def = 32, .min = 1, .max = 4096, .unit = "voxel",
	  .help = "the shift of two neighbours may differ so much from the nominal one" },
	{ FX_FIELD(struct mosaic, overlap), .def = 8, .min = 4, .max = 65536, .unit = "voxel",
	  .help = "tiles are neighbours when they overlap by so much, nominally" },
	{ FX_FIELD(struct mosaic, confidence), .def = 0.2, .max = 1,
	  .help = "a shift of two neighbours counts from this confidence on" },
	{ FX_FIELD(struct mosaic, feather), .def = 16, .min = 1, .max = 4096, .unit = "voxel",
	  .help = "a tile fades in over this width at its edges" },
	{ FX_FIELD(struct mosaic, whole),
	  .help = "put tiles at whole voxels: none is interpolated, seams are off by up to half" },
	{ FX_FIELD(struct mosaic, memory), .def = 512, .max = 1e6, .unit = "MiB",
	  .help = "tiles of a section that need more lie in a file" },
	{ FX_FIELD(struct mosaic, tile), .def = 4, .min = 0.001, .max = 64, .unit = "MiB",
	  .help = "most that is sent at once" },
	{ 0 },
};

static int mosaic_init(struct fx_node *node, void *state)
{
	struct mosaic *s = state;

	(void)node;
	s->held.how = (struct fx_mosaic){ .reach = s->reach,
					  .overlap = s->overlap,
					  .confidence = s->confidence,
					  .feather = s->feather,
					  .whole = s->whole };
	s->held.memory = s->memory * 1048576;
	return FX_OK;
}

static int mosaic_send_rows(struct fx_node *node, struct mosaic *s, unsigned port)
{
	const size_t height = (size_t)s->held.open.region.hi[1],
		     width = (size_t)s->held.open.region.hi[2],
		     fit = (size_t)(s->tile * 1048576) /
			   (width * fx_dtype_size(s->held.open.dtype)),
		     most = fit ? fit : 1;
	int result = FX_OK;

	for (size_t y = 0; y < height && result == FX_OK; y += most) {
		const size_t rows = height - y < most ? height - y : most;
		struct fx_block *b = fx_new_block(node, port, s->held.open.dtype, 1,
						  (const size_t[3]){ 1, rows, width });
		struct fx_error err = { 0 };

		if (!b)
			return fx_fail(node, FX_ENOMEM, "no memory for %zu rows of %zu voxels",
				       rows, width);
		b->role = FX_IMAGE;
		b->origin[0] = s->held.z;
		b->origin[1] = (int64_t)y;
		memcpy(b->voxel_nm, s->held.open.voxel_nm, sizeof b->voxel_nm);
		if (fx_montage_rows(&s->held, y, rows, b->data, &err) < 0) {
			fx_block_free(b);
			return fx_fail_error(node, &err);
		}
		result = fx_send(node, port, b);
	}
	return result;
}

/* The section that is held, to @p port, and what is known of it; @p version: of an attempt, or 0.
 */
static int mosaic_send(struct fx_node *node, struct mosaic *s, unsigned port, double version)
{
	struct fx_record *about;
	struct fx_error err = { 0 };
	int result = fx_montage_solve(&s->held, &err);

	if (result < 0)
		return fx_fail_error(node, &err);
	about = fx_montage_record(&s->held);
	if (about && version > 0 && fx_record_add_number(about, "version", version) < 0) {
		fx_record_free(about);
		about = NULL;
	}
	result = fx_send_record(node, PLACES, about);
	for (size_t i = 0; i < s->held.len && result == FX_OK; i++)
		result = fx_send_record(node, PLACES, fx_montage_tile_record(&s->held, i));
	if (result == FX_OK)
		result = mosaic_send_rows(node, s, port);
	fx_montage_drop(&s->held);
	return result;
}

/* All tiles of an attempt came: the record goes on behind the section. */
static int mosaic_attempt(struct fx_node *node, struct mosaic *s, struct fx_record *r)
{
	const int64_t z = r->region.lo[0];
	int result;

	if (fx_connected(node, IMAGE))
		result = fx_fail(node, FX_EINVAL,
				 "the output image needs tiles of sections, not attempts: connect "
				 "tiles to tiles of acquire/watch");
	else if (!s->held.len || s->held.z != z)
		result = fx_fail(node, FX_EINVAL, "an attempt of section %lld has no tiles",
				 (long long)z);
	else
		result = mosaic_send(node, s, ATTEMPTS, fx_record_number(r, "version", 1));
	if (result == FX_OK)
		return fx_send_record(node, ATTEMPTS, r);
	fx_record_free(r);
	return result;
}

static int mosaic_process(struct fx_node *node, void *state)
{
	struct mosaic *s = state;
	struct fx_error err = { 0 };
	struct fx_record *r = NULL;
	struct fx_block *b = NULL;
	int result;

	if (!s->held.open.kind)
		return fx_fail(node, FX_EINVAL, "a tile comes before the stream is opened");
	if (fx_waiting(node, TILES) == FX_RECORD)
		r = fx_take_record(node, TILES);
	else
		b = fx_take(node, TILES);
	if (r && strcmp(r->kind, "attempt") == 0)
		return mosaic_attempt(node, s, r);
	if (b && fx_montage_spills(&s->held) && !s->held.folder &&
	    !(s->held.folder = fx_scratch_dir(node)))
		fx_error_set(&err, FX_EIO, "no folder for a scratch file");
	else if (r)
		fx_montage_expect(&s->held, r, fx_message(node), &err);
	else
		fx_montage_put(&s->held, b, &err);
	fx_block_free(b);
	fx_record_free(r);
	result = err.code;
	return result < 0 ? fx_fail_error(node, &err) : FX_OK;
}

static int mosaic_send_marks(struct fx_node *node, const struct fx_mark *m)
{
	int result = fx_send_mark(node, IMAGE, m);

	if (result == FX_OK)
		result = fx_send_mark(node, PLACES, m);
	return result == FX_OK && m->kind != FX_MARK_DONE ? fx_send_mark(node, ATTEMPTS, m) :
							    result;
}

static int mosaic_lose(struct fx_node *node, struct mosaic *s, const struct fx_mark *m)
{
	fx_montage_drop(&s->held);
	return mosaic_send_marks(node, m);
}

static int mosaic_open(struct fx_node *node, struct mosaic *s, const struct fx_mark *m)
{
	struct fx_error err = { 0 };

	return fx_montage_open(&s->held, m, &err) < 0 ? fx_fail_error(node, &err) :
							mosaic_send_marks(node, m);
}

static int mosaic_mark(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m)
{
	struct mosaic *s = state;
	int result;

	(void)port;
	if (fx_again(node))
		return FX_OK;
	if (m->kind == FX_MARK_OPEN)
		return mosaic_open(node, s, m);
	if (!s->held.open.kind)
		return fx_fail(node, FX_EINVAL, "a mark comes before the stream is opened");
	if (m->kind == FX_MARK_MISSING)
		return mosaic_lose(node, s, m);
	if (!s->held.len || s->held.z != m->region.lo[0] || m->region.hi[0] != s->held.z + 1)
		return fx_fail(node, FX_EINVAL, "section %lld is done, but it has no tiles",
			       (long long)m->region.lo[0]);
	if (fx_connected(node, ATTEMPTS))
		return fx_fail(node, FX_EINVAL,
			       "the output attempts needs attempts of tiles: connect tiles to "
			       "attempts of acquire/watch");
	result = mosaic_send(node, s, IMAGE, 0);
	return result == FX_OK ? mosaic_send_marks(node, m) : result;
}

/* A section that is not whole is missing. */
static int mosaic_drain(struct fx_node *node, void *state)
{
	struct mosaic *s = state;
	struct fx_mark m = { .kind = FX_MARK_MISSING, .region = s->held.open.region };

	if (!s->held.len)
		return FX_OK;
	m.region.lo[0] = s->held.z;
	m.region.hi[0] = s->held.z + 1;
	snprintf(m.reason, sizeof m.reason, "the stream ended before it was whole");
	return mosaic_lose(node, s, &m);
}

/* Tiles that are held come once more. */
static int mosaic_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct mosaic *s = state;

	fx_pack_bool(to, s->held.open.kind != 0);
	if (s->held.len)
		fx_needs(node, s->held.first);
	return FX_OK;
}

static int mosaic_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct mosaic *s = state;
	struct fx_error err = { 0 };
	bool open;

	if (fx_unpack_bool(from, &open) < 0 || (open && !fx_opened(node, TILES)))
		return FX_ETYPE;
	return open ? fx_montage_open(&s->held, fx_opened(node, TILES), &err) : FX_OK;
}

static void mosaic_finish(void *state)
{
	struct mosaic *s = state;

	fx_montage_drop(&s->held);
}

FX_NODE(aligner_mosaic) = {
	.abi = FX_NODE_ABI,
	.name = "aligner/mosaic",
	.summary = "make sections of tiles that overlap",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct mosaic),
	.init = mosaic_init,
	.process = mosaic_process,
	.mark = mosaic_mark,
	.drain = mosaic_drain,
	.finish = mosaic_finish,
	.save = mosaic_save,
	.load = mosaic_load,
};
