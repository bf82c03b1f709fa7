// SPDX-License-Identifier: Apache-2.0
/* acquire/watch: read the sections that a microscope writes to a folder, as they appear. */
#include <fornix/node.h>

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/pack.h"
#include "formats/watchplan.h"
#include "node/decided.h"
#include "node/watchsend.h"

enum { IMAGE, ATTEMPTS, TILES }; /* index into ports[] */
enum { TOLD_MAX = 8 };		 /* warnings of files that do not count, one by one */

static const char *const ways[] = { "auto", "inotify", "poll", NULL };

struct watch {
	const char *path, *pattern, *manifest, *map, *sidecar, *marker; /* options */
	struct fx_vec voxel;
	double tile, settle, late, silence, interval, gather;
	int first, count, again, notice;

	struct fx_watchplan plan;  /* owned, from init() to finish() */
	struct fx_decided decided; /* owned, the same: steps of plan */
	uint64_t told;		   /* files that do not count, of which the user knows */
};

static const struct fx_port ports[] = {
	[IMAGE] = { "image", FX_OUT, FX_BLOCK, FX_U8 | FX_U16, 1 << FX_IMAGE, false,
		    "sections as tiles, in order, the newest version of each" },
	[ATTEMPTS] = { "attempts", FX_OUT, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16, 1 << FX_IMAGE,
		       false,
		       "every version of every section as it comes, each with a record; with a "
		       "tile "
		       "map its tiles" },
	[TILES] = { "tiles", FX_OUT, FX_BLOCK | FX_RECORD, FX_U8 | FX_U16, 1 << FX_IMAGE, false,
		    "with a tile map: overlapping tiles, a record before each, section by "
		    "section" },
	{ 0 },
};

static const struct fx_option options[] = {
	{ FX_FIELD(struct watch, path), .path = FX_PATH_READ,
	  .help = "folder that fills with images; folders in it count too" },
	{ FX_FIELD(struct watch, pattern), .path = FX_PATH_NAME, .def_str = "",
	  .help = "names of image files: # section, % tile, @ version, * any; empty is z012.png "
		  "or section-12-tile-3-v2.tif" },
	{ FX_FIELD(struct watch, manifest), .path = FX_PATH_NAME, .def_str = "",
	  .help = "CSV file in the folder that lists section, tile, version, file; instead of "
		  "pattern" },
	{ FX_FIELD(struct watch, map), .path = FX_PATH_NAME, .def_str = "",
	  .help = "CSV or JSON file in the folder that tells where tiles lie: tile, y, x" },
	{ FX_FIELD(struct watch, voxel), .def_str = "8 8 8", .unit = "nm", .min = 1e-3, .max = 1e9,
	  .help = "voxel size z y x" },
	{ FX_FIELD(struct watch, tile), .def = 4, .min = 0.001, .max = 64, .unit = "MiB",
	  .help = "most that is sent at once, of a whole section" },
	{ FX_FIELD(struct watch, first), .def = -1, .min = -1, .max = INT32_MAX,
	  .help = "number of the first section; -1 is the lowest when the first is complete" },
	{ FX_FIELD(struct watch, count), .max = FX_ARRIVALS_MAX,
	  .help = "end after this many sections; 0 is never" },
	{ FX_FIELD(struct watch, marker), .path = FX_PATH_NAME, .def_str = "acquisition.done",
	  .help = "end when a file of this name appears in the folder" },
	{ FX_FIELD(struct watch, silence), .max = 1e7, .unit = "s",
	  .help = "end when nothing has changed for this long; 0 is never" },
	{ FX_FIELD(struct watch, settle), .def = 1, .max = 3600, .unit = "s",
	  .help = "a file that was not seen to be closed counts when unchanged for this long" },
	{ FX_FIELD(struct watch, sidecar), .path = FX_PATH_NAME, .def_str = "",
	  .help = "an image counts when a file of its name with this ending, such as .done, is "
		  "there" },
	{ FX_FIELD(struct watch, late), .def = 60, .max = 1e6, .unit = "s",
	  .help = "a section is missing when a later one has waited this long" },
	{ FX_FIELD(struct watch, again), .def = 64, .max = 65536,
	  .help = "with attempts: sections behind the next, of which newer versions are sent" },
	{ FX_FIELD(struct watch, gather), .def = 5, .max = 3600, .unit = "s",
	  .help = "with attempts and a map: a section comes again so long after its last new "
		  "tile" },
	{ FX_FIELD(struct watch, notice), .choices = ways,
	  .help = "how changes are noticed; auto polls folders on a network" },
	{ FX_FIELD(struct watch, interval), .def = 0.5, .min = 0.01, .max = 3600, .unit = "s",
	  .help = "between looks, by polling" },
	{ 0 },
};

static int watch_init(struct fx_node *node, void *state)
{
	struct watch *s = state;
	struct fx_arrivals *a = &s->plan.come;
	struct fx_error err = { 0 };

	a->path = s->path;
	a->pattern = s->pattern;
	a->manifest = s->manifest;
	a->sidecar = s->sidecar;
	a->marker = s->marker;
	a->settle = s->settle;
	a->late = s->late;
	a->silence = s->silence;
	a->first = s->first;
	a->count = s->count;
	s->plan.map_name = s->map;
	s->plan.attempts = fx_connected(node, ATTEMPTS);
	s->plan.gather = s->gather;
	s->plan.image = fx_connected(node, IMAGE);
	a->keep = s->plan.attempts ? s->again : 0;
	if (*s->map && fx_connected(node, IMAGE))
		return fx_fail(node, FX_EINVAL,
			       "with a tile map there is no output image: aligner/mosaic makes "
			       "sections of tiles, or of attempts");
	if (!*s->map && fx_connected(node, TILES))
		return fx_fail(node, FX_EINVAL,
			       "the output tiles needs a tile map: the option map");
	if (!fx_is_dir(s->path))
		return fx_fail(node, FX_ENOENT, "%s is not a folder", s->path);
	if (fx_decided_open(&s->decided, node) < 0)
		return FX_EIO;
	if (fx_watchplan_begin(&s->plan, (enum fx_folder_way)s->notice, s->interval, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

/* Carries out a step that is written down. */
static int watch_step(struct fx_node *node, struct watch *s, const struct fx_mark *step)
{
	const struct fx_watchsend to = { IMAGE, ATTEMPTS, TILES, s->voxel.v, s->tile };
	const int64_t what = step->kind == FX_MARK_DONE ? step->region.hi[0] : 0;
	struct fx_error err = { 0 };
	int result;

	if (step->kind == FX_MARK_END)
		return FX_END;
	if (what && what != FX_STEP_ABSENT && *step->reason &&
	    fx_watchplan_load(&s->plan, step, &err) < 0)
		return fx_fail_error(node, &err);
	if (step->kind == FX_MARK_OPEN && fx_watchplan_done(&s->plan, step, &err) < 0)
		return fx_fail_error(node, &err);
	result = fx_watchsend(node, &s->plan, step, &to);
	if (result == FX_OK && step->kind != FX_MARK_OPEN &&
	    fx_watchplan_done(&s->plan, step, &err) < 0)
		return fx_fail_error(node, &err);
	return result;
}

/* Files that do not count: the first few one by one. */
static void watch_tell(struct fx_node *node, struct watch *s)
{
	const struct fx_arrivals_counts *c = &s->plan.come.counts;
	const uint64_t sum = c->late + c->twice + c->other;

	if (sum != s->told && s->told < TOLD_MAX)
		fx_warn(node, "%s: %s: it is not read", s->path, c->last);
	s->told = sum;
}

static int watch_process(struct fx_node *node, void *state)
{
	struct watch *s = state;
	struct fx_error err = { 0 };
	struct fx_mark step;
	int result;

	if (fx_stopping(node))
		return FX_END;
	result = fx_decided_peek(&s->decided, node, &step);
	if (result == FX_END) {
		result = fx_watchplan_next(&s->plan, &step, &err);
		watch_tell(node, s);
		if (result != FX_OK)
			return result < 0 ? fx_fail_error(node, &err) : result;
		result = fx_decided_add(&s->decided, node, &step);
	} else if (result == FX_OK) {
		s->decided.next++;
	}
	return result == FX_OK ? watch_step(node, s, &step) : result;
}

/* Where the stream ended: files that come later do not count. */
static int watch_drain(struct fx_node *node, void *state)
{
	struct watch *s = state;
	const struct fx_mark end = { .kind = FX_MARK_END };
	const struct fx_arrivals_counts *c = &s->plan.come.counts;
	struct fx_mark m;
	const int result = s->plan.come.opened ? fx_decided_peek(&s->decided, node, &m) : FX_OK;

	if (c->late + c->twice + c->other > TOLD_MAX)
		fx_warn(node,
			"%s: %llu files came too late, %llu were of a version that there "
			"was, %llu had no usable name",
			s->path, (unsigned long long)c->late, (unsigned long long)c->twice,
			(unsigned long long)c->other);
	return result == FX_END ? fx_decided_add(&s->decided, node, &end) : result;
}

static int watch_save(struct fx_node *node, void *state, struct fx_pack *to)
{
	const struct watch *s = state;

	(void)node;
	fx_pack_bool(to, s->plan.come.opened);
	fx_pack_put(to, &s->decided.next, sizeof s->decided.next);
	fx_watchplan_pack(&s->plan, to);
	return FX_OK;
}

static int watch_load(struct fx_node *node, void *state, struct fx_unpack *from)
{
	struct watch *s = state;
	struct fx_error err = { 0 };
	uint64_t next;
	struct fx_mark open;
	bool opened;

	if (fx_unpack_bool(from, &opened) < 0 || fx_unpack_get(from, &next, sizeof next) < 0)
		return FX_ETYPE;
	if (opened && (fx_decided_peek(&s->decided, node, &open) != FX_OK ||
		       open.kind != FX_MARK_OPEN || fx_watchplan_done(&s->plan, &open, &err) < 0))
		return FX_ETYPE;
	if (next > fx_seglog_next(s->decided.log))
		return FX_ETYPE;
	s->decided.next = next;
	return fx_watchplan_unpack(&s->plan, from);
}

static void watch_finish(void *state)
{
	struct watch *s = state;

	fx_watchplan_fini(&s->plan);
	fx_decided_close(&s->decided);
}

FX_NODE(acquire_watch) = {
	.abi = FX_NODE_ABI,
	.name = "acquire/watch",
	.summary = "read the sections that a microscope writes to a folder, as they appear",
	.ports = ports,
	.options = options,
	.state_size = sizeof(struct watch),
	.init = watch_init,
	.process = watch_process,
	.drain = watch_drain,
	.finish = watch_finish,
	.save = watch_save,
	.load = watch_load,
};
