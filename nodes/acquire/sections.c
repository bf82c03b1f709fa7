// SPDX-License-Identifier: Apache-2.0
/* acquire/sections: read a folder with one image per section, also while it fills. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "formats/image.h"
#include "formats/sequence.h"

enum { IMAGE }; /* index into ports[] */
enum { SECTIONS_MAX = 1 << 20 };

struct sections {
	const char *path, *pattern, *marker; /* options: set before init() */
	struct fx_vec voxel;
	double tile, settle, silence, late;
	int first, count;
	bool watch;

	struct fx_sequence files;	      /* owned, from init() to finish() */
	int64_t start_ns, scan_ns, rescan_ns; /* first scan, last one, and none before */
	int64_t low, next, end; /* numbers: of z = 0, of what is sent next, behind the last */
	bool opened, ending;
	size_t height, width; /* of the first readable section: all must be so */
	enum fx_dtype dtype;  /* likewise */
	void *pixels;	      /* owned; one whole section, unless it is large */
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
	{ FX_FIELD(struct sections, count), .max = SECTIONS_MAX, .help = "how many; 0 is all" },
	{ FX_FIELD(struct sections, watch), .help = "wait for sections that are yet to appear" },
	{ FX_FIELD(struct sections, settle), .def = 1, .max = 3600, .unit = "s",
	  .help = "with watch: a file counts when it has not changed for this long" },
	{ FX_FIELD(struct sections, late), .def = 60, .max = 1e6, .unit = "s",
	  .help = "with watch: a section is missing when a later one has waited this long" },
	{ FX_FIELD(struct sections, silence), .max = 1e7, .unit = "s",
	  .help = "with watch: end when nothing has changed for this long; 0 is never" },
	{ FX_FIELD(struct sections, marker), .path = FX_PATH_NAME, .def_str = "",
	  .help = "with watch: end when a file of this name appears in the folder" },
	{ 0 },
};

/* The text of an error without the folder, which would fill a mark's reason. */
static const char *sections_reason(const struct sections *s, const char *text)
{
	const size_t len = strlen(s->path);

	if (strncmp(text, s->path, len) != 0)
		return text;
	return text[len] == '/' ? text + len + 1 : text + len;
}

static int sections_mark(struct fx_node *node, const struct sections *s, enum fx_mark_kind kind,
			 const char *reason)
{
	struct fx_mark m = { .kind = kind, .dtype = s->dtype };

	m.region.lo[0] = s->next - s->low;
	m.region.hi[0] = m.region.lo[0] + 1;
	m.region.hi[1] = (int64_t)s->height;
	m.region.hi[2] = (int64_t)s->width;
	if (kind == FX_MARK_OPEN) {
		m.region.lo[0] = 0;
		m.region.hi[0] = s->end == INT64_MAX ? 0 : s->end - s->low;
	}
	memcpy(m.voxel_nm, s->voxel.v, sizeof m.voxel_nm);
	strncpy(m.reason, reason, sizeof m.reason - 1);
	return fx_send_mark(node, IMAGE, &m);
}

static int64_t sections_ns(double seconds)
{
	return (int64_t)(seconds * 1e9);
}

static bool sections_settled(const struct sections *s, const struct fx_sequence_file *f)
{
	return !s->watch || s->scan_ns - f->since_ns >= sections_ns(s->settle);
}

static int sections_vanished(struct fx_node *node, const struct sections *s)
{
	return fx_fail(node, FX_EIO, "%s: the folder has vanished", s->path);
}

/* Where the numbers begin and end, as far as that is known. */
static int sections_range(struct fx_node *node, struct sections *s)
{
	const size_t len = s->files.len;
	const int64_t last = len ? s->files.files[len - 1].number + 1 : 0;

	if (!s->opened && len)
		s->next = s->low = s->first >= 0 ? s->first : s->files.files[0].number;
	s->end = s->watch && !s->ending ? INT64_MAX : last;
	if (s->count && (s->watch || s->low + s->count < last))
		s->end = s->low + s->count;
	if (s->end != INT64_MAX && s->end - s->low > SECTIONS_MAX)
		return fx_fail(node, FX_EINVAL,
			       "%s: numbers run from %lld to %lld, more than %d sections", s->path,
			       (long long)s->low, (long long)s->end - 1, SECTIONS_MAX);
	return FX_OK;
}

static int sections_scan(struct fx_node *node, struct sections *s)
{
	struct fx_error err = { 0 };
	const bool marked = s->watch && fx_sequence_marked(s->path, s->marker);

	s->scan_ns = fx_now_ns();
	if (fx_sequence_scan(&s->files, s->path, s->pattern, s->scan_ns, &err) < 0)
		return fx_is_dir(s->path) ? fx_fail_error(node, &err) : sections_vanished(node, s);
	if (marked || (s->silence > 0 && s->scan_ns - fx_sequence_changed(&s->files, s->start_ns) >=
						 sections_ns(s->silence)))
		s->ending = true;
	/* scans of a huge folder take at most a tenth of the time */
	s->rescan_ns = fx_now_ns() + 9 * (fx_now_ns() - s->scan_ns);
	return sections_range(node, s);
}

static int sections_init(struct fx_node *node, void *state)
{
	struct sections *s = state;
	int result;

	s->start_ns = fx_now_ns();
	if (!fx_is_dir(s->path))
		return fx_fail(node, FX_ENOENT, "%s is not a folder", s->path);
	result = sections_scan(node, s);
	if (s->files.unnumbered[0])
		fx_warn(node, "%s: %s has no number in its name and is not read", s->path,
			s->files.unnumbered);
	if (result < 0 || s->watch)
		return result;
	if (s->files.len == 0)
		return fx_fail(node, FX_ENOENT,
			       "%s holds no numbered .png, .tif or .tiff file that matches \"%s\"",
			       s->path, s->pattern);
	if (s->end <= s->low)
		return fx_fail(node, FX_ENOENT, "%s holds no section from number %d on", s->path,
			       s->first);
	return FX_OK;
}

/* Takes size and dtype from the first readable section and opens the stream. */
static int sections_open(struct fx_node *node, struct sections *s)
{
	struct fx_error first = { 0 };
	struct fx_image im = { 0 };
	bool unsettled = false;

	for (size_t i = 0; !s->opened && !unsettled && i < s->files.len; i++) {
		const struct fx_sequence_file *f = &s->files.files[i];
		char *path = f->number >= s->low ? fx_path_join(s->path, f->name) : NULL;

		unsettled = !sections_settled(s, f);
		if (path && !unsettled)
			s->opened = fx_image_open(path, &im, first.code ? NULL : &first) == FX_OK;
		free(path);
	}
	if (s->opened) {
		s->height = im.height;
		s->width = im.width;
		s->dtype = im.dtype;
		fx_image_close(&im);
		return sections_mark(node, s, FX_MARK_OPEN, "");
	}
	if (s->watch && (!s->ending || unsettled))
		return FX_IDLE;
	return fx_fail(node, FX_EINVAL, "%s: no section can be read; %s", s->path,
		       first.code ? sections_reason(s, first.text) : "none has come");
}

static int sections_tiles(struct fx_node *node, struct sections *s, struct fx_image *im)
{
	const size_t row_size = s->width * fx_dtype_size(s->dtype);
	const size_t fit = (size_t)(s->tile * (1 << 20)) / row_size, rows_max = fit ? fit : 1;
	struct fx_error err = { 0 };
	int result = FX_OK;

	for (size_t y = 0; result == FX_OK && y < s->height; y += rows_max) {
		const size_t left = s->height - y, rows = left < rows_max ? left : rows_max;
		struct fx_block *b = fx_new_block(node, IMAGE, s->dtype, 1,
						  (const size_t[3]){ 1, rows, s->width });

		if (!b)
			return fx_fail(node, FX_ENOMEM, "no memory for a tile");
		b->role = FX_IMAGE;
		b->origin[0] = s->next - s->low;
		b->origin[1] = (int64_t)y;
		memcpy(b->voxel_nm, s->voxel.v, sizeof b->voxel_nm);
		if (s->pixels)
			memcpy(b->data, (char *)s->pixels + y * row_size, rows * row_size);
		else if (fx_image_read(im, rows, b->data, &err) < 0) {
			fx_block_free(b);
			return fx_fail_error(node, &err);
		}
		result = fx_send(node, IMAGE, b);
	}
	return result == FX_OK ? sections_mark(node, s, FX_MARK_DONE, "") : result;
}

/* A section that cannot be had is missing, unless the whole folder has gone. */
static int sections_lost(struct fx_node *node, const struct sections *s, const struct fx_error *why)
{
	if (why->code == FX_ENOMEM)
		return fx_fail_error(node, why);
	if (!fx_is_dir(s->path))
		return sections_vanished(node, s);
	return sections_mark(node, s, FX_MARK_MISSING, sections_reason(s, why->text));
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

static bool sections_ready(const struct sections *s)
{
	const struct fx_sequence_file *f = fx_sequence_find(&s->files, s->next);

	return s->opened &&
	       (f ? sections_settled(s, f) :
		    s->ending || fx_sequence_waits(&s->files, s->next,
						   s->scan_ns - sections_ns(s->settle + s->late)));
}

static int sections_process(struct fx_node *node, void *state)
{
	struct sections *s = state;
	const struct fx_sequence_file *f;
	struct fx_error absent = { 0 };
	int result = FX_OK;

	if (fx_stopping(node))
		return FX_END;
	if (s->watch && !sections_ready(s) && fx_now_ns() >= s->rescan_ns)
		result = sections_scan(node, s);
	if (result == FX_OK && !s->opened)
		result = sections_open(node, s);
	if (result != FX_OK || s->next >= s->end)
		return result != FX_OK ? result : FX_END;
	if (s->watch && !sections_ready(s))
		return FX_IDLE;
	f = fx_sequence_find(&s->files, s->next);
	if (!f)
		fx_error_set(&absent, FX_ENOENT, "no file with number %lld in %s",
			     (long long)s->next, s->path);
	result = f ? sections_file(node, s, f->name) : sections_lost(node, s, &absent);
	s->next++;
	return result;
}

static void sections_finish(void *state)
{
	struct sections *s = state;

	fx_sequence_fini(&s->files);
	free(s->pixels);
}

FX_NODE(acquire_sections) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/sections",
	.summary = "read a folder with one image per section, also while it fills",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct sections),
	.init = sections_init,
	.process = sections_process,
	.finish = sections_finish,
};
