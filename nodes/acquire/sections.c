// SPDX-License-Identifier: Apache-2.0
/* acquire/sections: read a folder with one image per section. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/pack.h"
#include "formats/image.h"
#include "formats/sequence.h"
#include "node/bands.h"
#include "node/decided.h"

enum { IMAGE }; /* index into ports[] */

struct sections {
	const char *path, *pattern; /* options: set before init() */
	struct fx_vec voxel;
	double tile;
	int first, count;

	struct fx_sequence files; /* owned, from init() to finish() */
	int64_t low, end;	  /* number of the first section, and behind the last */
	bool opened;
	struct fx_decided decided; /* owned, the same: OPEN, MISSING, END; z are numbers */
	int64_t next;		   /* number of what is sent next */
	size_t height, width;	   /* of the first readable section: all must be so */
	enum fx_dtype dtype;	   /* likewise */
	void *pixels;		   /* owned; one whole section, unless it is large */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_OUT, FX_BLOCK, FX_U8 | FX_U16, 1 << FX_IMAGE, false,
		    "sections as tiles, in order" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct sections, path), .path = FX_PATH_READ,
	  .help = "folder with one image per section" },
	{ FX_FIELD(struct sections, pattern), .path = FX_PATH_NAME, .def_str = "*",
	  .help = "which .png and .tif files; # is the section number, else the last number is" },
	{ FX_FIELD(struct sections, voxel), .def_str = "8 8 8", .unit = "nm", .min = 1e-3,
	  .max = 1e9, .help = "voxel size z y x" },
	{ FX_FIELD(struct sections, tile), .def = 4, .min = 0.001, .max = 64, .unit = "MiB",
	  .help = "most that is sent at once" },
	{ FX_FIELD(struct sections, first), .def = -1, .min = -1, .max = INT32_MAX,
	  .help = "number of the first section; -1 is the lowest there is" },
	{ FX_FIELD(struct sections, count), .max = FX_SEQUENCE_MAX,
	  .help = "number of sections; 0 is all there are" },
	{ 0 },
};

static int sections_mark(struct fx_node *node, const struct sections *s, enum fx_mark_kind kind,
			 const char *reason)
{
	struct fx_mark m = { .kind = kind, .dtype = s->dtype };

	m.region.lo[0] = kind == FX_MARK_OPEN ? 0 : s->next - s->low;
	m.region.hi[0] = kind == FX_MARK_OPEN ? s->end - s->low : m.region.lo[0] + 1;
	m.region.hi[1] = (int64_t)s->height;
	m.region.hi[2] = (int64_t)s->width;
	memcpy(m.voxel_nm, s->voxel.v, sizeof m.voxel_nm);
	strncpy(m.reason, reason, sizeof m.reason - 1);
	return fx_send_mark(node, IMAGE, &m);
}

static int sections_init(struct fx_node *node, void *state)
{
	struct sections *s = state;
	struct fx_error err = { 0 };

	if (!fx_is_dir(s->path))
		return fx_fail(node, FX_ENOENT, "%s is not a folder", s->path);
	if (fx_decided_open(&s->decided, node) < 0)
		return FX_EIO;
	if (fx_sequence_scan(&s->files, s->path, s->pattern, &err) < 0)
		return fx_fail_error(node, &err);
	if (s->files.unnumbered[0])
		fx_warn(node, "%s: %s has no number in its name and is not read", s->path,
			s->files.unnumbered);
	if (fx_sequence_range(&s->files, s->path, s->pattern, s->first, s->count, &s->low, &s->end,
			      &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

/* Size and dtype of the first image that can be read. */
static int sections_first(struct fx_node *node, const struct sections *s, struct fx_mark *m)
{
	struct fx_error first = { 0 };
	struct fx_image im = { 0 };
	bool found = false;

	for (size_t i = 0; !found && i < s->files.len; i++) {
		const struct fx_sequence_file *f = &s->files.files[i];
		char *path = f->number >= s->low ? fx_path_join(s->path, f->name) : NULL;

		if (path)
			found = fx_image_open(path, &im, first.code ? NULL : &first) == FX_OK;
		free(path);
	}
	if (!found)
		return fx_fail(node, FX_EINVAL, "%s: no section can be read; %s", s->path,
			       fx_image_reason(s->path, first.text));
	m->dtype = im.dtype;
	m->region = (struct fx_region){ { s->low, 0, 0 },
					{ s->end, (int64_t)im.height, (int64_t)im.width } };
	fx_image_close(&im);
	return FX_OK;
}

/* Takes over what this life or a former one opened the stream with. */
static void sections_reopen(struct sections *s, const struct fx_mark *m)
{
	s->opened = true;
	s->next = s->low = m->region.lo[0];
	s->end = m->region.hi[0];
	s->height = (size_t)m->region.hi[1];
	s->width = (size_t)m->region.hi[2];
	s->dtype = m->dtype;
	s->decided.next++;
}

static int sections_open(struct fx_node *node, struct sections *s)
{
	struct fx_mark m = { .kind = FX_MARK_OPEN };
	int result = fx_decided_peek(&s->decided, node, &m);

	if (result == FX_END) {
		result = sections_first(node, s, &m);
		if (result == FX_OK)
			result = fx_decided_add(&s->decided, node, &m);
		s->decided.next--;
	}
	if (result < 0)
		return result;
	sections_reopen(s, &m);
	return sections_mark(node, s, FX_MARK_OPEN, "");
}

static int sections_rows(void *from, size_t rows, void *voxels, struct fx_error *err)
{
	return fx_image_read(from, rows, voxels, err);
}

static int sections_tiles(struct fx_node *node, const struct sections *s, struct fx_image *im)
{
	struct fx_bands b = { .role = FX_IMAGE,
			      .dtype = s->dtype,
			      .z = s->next - s->low,
			      .height = s->height,
			      .width = s->width,
			      .voxels = s->pixels,
			      .rows = sections_rows,
			      .from = im };
	int result;

	memcpy(b.voxel_nm, s->voxel.v, sizeof b.voxel_nm);
	result = fx_bands_send(node, IMAGE, &b, s->tile);
	return result == FX_OK ? sections_mark(node, s, FX_MARK_DONE, "") : result;
}

/* A section that cannot be had is missing, unless the whole folder has gone. */
static int sections_lost(struct fx_node *node, struct sections *s, const struct fx_error *why)
{
	struct fx_mark m = { .kind = FX_MARK_MISSING, .region.lo[0] = s->next };

	if (why->code == FX_ENOMEM)
		return fx_fail_error(node, why);
	if (!fx_is_dir(s->path))
		return fx_fail(node, FX_EIO, "%s: the folder has vanished", s->path);
	strncpy(m.reason, fx_image_reason(s->path, why->text), sizeof m.reason - 1);
	if (fx_decided_add(&s->decided, node, &m) < 0)
		return FX_EIO;
	return sections_mark(node, s, FX_MARK_MISSING, m.reason);
}

static int sections_file(struct fx_node *node, struct sections *s, const char *name)
{
	struct fx_error err = { 0 };
	struct fx_image im = { 0 };
	char *path = fx_path_join(s->path, name);
	int result =
		!path ? fx_error_set(&err, FX_ENOMEM, "no memory for a path") :
			fx_image_load(path, s->height, s->width, s->dtype, &s->pixels, &im, &err);

	free(path);
	result = result < 0 ? sections_lost(node, s, &err) : sections_tiles(node, s, &im);
	fx_image_close(&im);
	return result;
}

/* One section: of which file, or that it is missing, is known. */
static int sections_next(struct fx_node *node, struct sections *s)
{
	const struct fx_sequence_file *f = fx_sequence_find(&s->files, s->next);
	struct fx_error absent = { 0 };
	struct fx_mark m;
	int result = fx_decided_peek(&s->decided, node, &m);

	if (result == FX_OK && m.region.lo[0] == s->next) {
		if (m.kind == FX_MARK_END)
			return FX_END;
		result = sections_mark(node, s, FX_MARK_MISSING, m.reason);
		s->decided.next++;
	} else if (s->next >= s->end) {
		return FX_END;
	} else if (f) {
		result = sections_file(node, s, f->name);
	} else {
		fx_error_set(&absent, FX_ENOENT, "no file with number %lld in %s",
			     (long long)s->next, s->path);
		result = sections_lost(node, s, &absent);
	}
	s->next++;
	return result;
}

static int sections_process(struct fx_node *node, void *state)
{
	struct sections *s = state;
	int result = FX_OK;

	if (fx_stopping(node))
		return FX_END;
	if (!s->opened)
		result = sections_open(node, s);
	return result == FX_OK ? sections_next(node, s) : result;
}

/* Where the stream ended, when it was asked to. */
static int sections_drain(struct fx_node *node, void *state)
{
	struct sections *s = state;
	const struct fx_mark end = { .kind = FX_MARK_END, .region.lo[0] = s->next };
	struct fx_mark m;
	const int result = s->opened ? fx_decided_peek(&s->decided, node, &m) : FX_OK;

	return result == FX_END ? fx_decided_add(&s->decided, node, &end) : result;
}

static int sections_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct sections *s = state;

	(void)node;
	fx_pack_bool(to, s->opened);
	fx_pack_put(to, &s->next, sizeof s->next);
	return FX_OK;
}

static int sections_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct sections *s = state;
	struct fx_mark m;
	int64_t next;
	bool opened;

	if (fx_unpack_bool(from, &opened) < 0 || fx_unpack_get(from, &next, sizeof next) < 0)
		return FX_ETYPE;
	if (!opened)
		return FX_OK;
	if (fx_decided_peek(&s->decided, node, &m) != FX_OK || next < m.region.lo[0] ||
	    next > m.region.lo[0] + FX_SEQUENCE_MAX)
		return FX_ETYPE;
	sections_reopen(s, &m);
	s->next = next;
	while (fx_decided_peek(&s->decided, node, &m) == FX_OK && m.region.lo[0] < next)
		s->decided.next++;
	return FX_OK;
}

static void sections_finish(void *state)
{
	struct sections *s = state;

	fx_sequence_fini(&s->files);
	fx_decided_close(&s->decided);
	free(s->pixels);
}

FX_NODE(acquire_sections) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/sections",
	.summary = "read a folder with one image per section",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct sections),
	.init = sections_init,
	.process = sections_process,
	.drain = sections_drain,
	.finish = sections_finish,
	.save = sections_save,
	.load = sections_load,
};
