// SPDX-License-Identifier: Apache-2.0
/* watchplan.c: what comes next in a stream of sections that a microscope writes to a folder. */
#include "formats/watchplan.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "formats/watchopen.h"

enum { NO_TILE = -1, WHOLE = -2, NEVER = -1 };

int fx_watchplan_begin(struct fx_watchplan *p, enum fx_folder_way way, double interval_s,
		       struct fx_error *err)
{
	return fx_folder_open(&p->come.folder, p->come.path, way, interval_s, err);
}

static bool plan_was_taken(const void *context, const struct fx_arrival *f)
{
	const struct fx_watchplan *const p = context;

	return fx_taken_has(&p->taken, f->section, f->tile, f->version) ||
	       fx_taken_has(&p->taken, f->section, NO_TILE, NEVER);
}

const struct fx_tilemap_tile *fx_watchplan_tile(const struct fx_watchplan *p, int64_t section,
						int64_t tile)
{
	size_t len;
	const struct fx_tilemap_tile *const t = fx_tilemap_section(&p->map, section, &len);

	for (size_t i = 0; i < len; i++)
		if (t[i].tile == tile)
			return &t[i];
	return NULL;
}

/* Size that an image must have. */
static void plan_shape(const struct fx_watchplan *p, int64_t section, int64_t tile, size_t shape[2])
{
	const struct fx_tilemap_tile *const t = fx_watchplan_tile(p, section, tile);

	shape[0] = t && t->height ? t->height : p->tile_height;
	shape[1] = t && t->width ? t->width : p->tile_width;
}

/* Decodes a file of a section, unless it is the one in hand. */
static int plan_read(struct fx_watchplan *p, int64_t section, int64_t tile, const char *path,
		     struct fx_error *err)
{
	char *whole;
	size_t shape[2], size;
	int result;

	if (strcmp(p->loaded, path) == 0 && p->pixels)
		return FX_OK;
	plan_shape(p, section, tile, shape);
	size = shape[0] * shape[1] * fx_dtype_size(p->dtype);
	if (size != p->pixels_size) {
		free(p->pixels);
		p->pixels = NULL;
		p->pixels_size = size;
	}
	fx_image_close(&p->im);
	p->loaded[0] = 0;
	whole = fx_path_join(p->come.path, path);
	if (!whole)
		return fx_error_set(err, FX_ENOMEM, "no memory for a path");
	result = fx_image_load(whole, shape[0], shape[1], p->dtype, &p->pixels, &p->im, err);
	free(whole);
	if (result == FX_OK)
		snprintf(p->loaded, sizeof p->loaded, "%s", path);
	else
		fx_image_close(&p->im);
	return result;
}

/* Whether the file of a step is what it was when that was decided. */
static bool is_same(const char *whole, const struct fx_mark *step)
{
	struct stat st;

	return stat(whole, &st) == 0 && st.st_size == step->region.hi[1] &&
	       st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec == step->region.hi[2];
}

int fx_watchplan_load(struct fx_watchplan *p, const struct fx_mark *step, struct fx_error *err)
{
	char *whole;
	int result;

	if (p->pixels && strcmp(p->loaded, step->reason) == 0)
		return FX_OK; /* it was read to decide this */
	whole = fx_path_join(p->come.path, step->reason);
	if (!whole)
		return fx_error_set(err, FX_ENOMEM, "no memory for a path");
	if (is_same(whole, step))
		result = plan_read(p, step->region.lo[0], step->region.lo[1], step->reason, err);
	else if (!fx_is_dir(p->come.path))
		result = fx_error_set(err, FX_EIO, "%s: the folder has vanished", p->come.path);
	else
		result = fx_error_set(err, FX_EIO,
				      "%s is not what it was when it was first read: what was "
				      "sent before cannot be sent again",
				      whole);
	free(whole);
	return result;
}

/* A file that is complete is decoded: FX_OK when it can be; FX_IDLE when not, which is noted. */
static int plan_try(struct fx_watchplan *p, struct fx_arrival *f, struct fx_error *err)
{
	struct fx_error why = { 0 };

	if (plan_read(p, f->section, f->tile, f->path, &why) == FX_OK)
		return FX_OK;
	if (why.code != FX_ENOMEM && fx_arrivals_broken(&p->come, f, why.text) == FX_OK)
		return FX_IDLE;
	return fx_error_set(err, FX_ENOMEM, "%s", why.text);
}

static int step_file(struct fx_mark *step, enum fx_step what, const struct fx_arrival *f)
{
	*step = (struct fx_mark){ .kind = FX_MARK_DONE,
				  .region = { { f->section, f->tile, f->version },
					      { what, f->size, f->mtime_ns } } };
	snprintf(step->reason, sizeof step->reason, "%s", f->path);
	return FX_OK;
}

static int step_other(const struct fx_watchplan *p, struct fx_mark *step, int64_t section,
		      int64_t what, int64_t tile)
{
	*step = (struct fx_mark){ .kind = what ? FX_MARK_DONE : FX_MARK_MISSING,
				  .region = { { section, tile }, { what } } };
	if (what != FX_STEP_CLOSE)
		fx_arrivals_why(&p->come, section, tile, step->reason, sizeof step->reason);
	return FX_OK;
}

static int plan_attempt(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	const int64_t end = fx_arrivals_end(&p->come);
	int result = FX_IDLE;

	for (size_t i = 0; i < p->come.len && result == FX_IDLE; i++) {
		struct fx_arrival *const f = &p->come.files[i];

		if (f->taken || f->section >= end || !fx_arrivals_ready(&p->come, f))
			continue;
		result = plan_try(p, f, err);
		if (result == FX_OK)
			return step_file(step, FX_STEP_ATTEMPT, f);
	}
	return result;
}

/* One past the last file of section `next`. */
static size_t plan_behind(const struct fx_watchplan *p, size_t at)
{
	while (at < p->come.len && p->come.files[at].section == p->come.next)
		at++;
	return at;
}

/* The newest version of section `next` that can be read. */
static int plan_section(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	const size_t first = fx_arrivals_find(&p->come, p->come.next);
	int result = FX_IDLE;

	for (size_t i = plan_behind(p, first); i > first && result == FX_IDLE; i--) {
		struct fx_arrival *const f = &p->come.files[i - 1];

		if (f->tile)
			return fx_error_set(err, FX_EINVAL,
					    "%s is a tile of a section: the option map names the "
					    "file that tells where tiles lie",
					    f->path);
		if (!p->image && f->taken)
			return step_other(p, step, p->come.next, FX_STEP_CLOSE, 0);
		if (!p->image || !fx_arrivals_ready(&p->come, f))
			continue;
		result = plan_try(p, f, err);
		if (result == FX_OK)
			return step_file(step, FX_STEP_CLOSE, f);
	}
	return result;
}

static bool is_replaced(const struct fx_watchplan *p, size_t at)
{
	const struct fx_arrival *const f = &p->come.files[at];

	return at + 1 < p->come.len && f[1].section == f->section && f[1].tile == f->tile &&
	       fx_arrivals_ready(&p->come, &f[1]);
}

/* A tile of section `next` that is not sent, or a newer version of one. */
static int plan_tile(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	int result = FX_IDLE;

	for (size_t i = fx_arrivals_find(&p->come, p->come.next);
	     i < p->come.len && p->come.files[i].section == p->come.next && result == FX_IDLE;
	     i++) {
		struct fx_arrival *const f = &p->come.files[i];

		if (f->taken || !fx_arrivals_ready(&p->come, f) || is_replaced(p, i) ||
		    f->version <= fx_taken_version(&p->taken, f->section, f->tile))
			continue;
		if (!fx_watchplan_tile(p, f->section, f->tile)) {
			if (fx_arrivals_broken(&p->come, f, "is not in the tile map") < 0)
				return fx_error_set(err, FX_ENOMEM, "no memory");
			continue;
		}
		result = plan_try(p, f, err);
		if (result == FX_OK)
			return step_file(step, FX_STEP_TILE, f);
	}
	return result;
}

/* A newer version of a tile of closed section @p s: NULL, or the newest file; *waits when one is
 * not complete. *all: there is one of every tile. */
static struct fx_arrival *newer_tile(struct fx_watchplan *p, int64_t s, bool *waits, bool *all)
{
	struct fx_arrival *newest = NULL;
	size_t tiles, found = 0;
	int64_t tile = NO_TILE;

	fx_tilemap_section(&p->map, s, &tiles);
	for (size_t i = fx_arrivals_find(&p->come, s);
	     i < p->come.len && p->come.files[i].section == s; i++) {
		struct fx_arrival *const f = &p->come.files[i];

		if (f->taken || f->broken || !fx_watchplan_tile(p, s, f->tile) ||
		    f->version <= fx_taken_version(&p->taken, s, f->tile))
			continue;
		if (!fx_arrivals_ready(&p->come, f)) {
			*waits = *waits || !*p->come.sidecar;
			continue;
		}
		found += f->tile != tile;
		tile = f->tile;
		if (!newest || f->since_ns > newest->since_ns)
			newest = f;
	}
	*all = found == tiles;
	return newest;
}

/* Tile @p at of closed section @p s, once more: its newest version; or the end of them. */
static int plan_repeat(struct fx_watchplan *p, int64_t s, size_t at, struct fx_mark *step,
		       struct fx_error *err)
{
	size_t len;
	const struct fx_tilemap_tile *const tiles = fx_tilemap_section(&p->map, s, &len);
	const size_t first = fx_arrivals_find(&p->come, s);
	size_t i = first;
	int result = FX_IDLE;

	if (at >= len) {
		const int64_t last = fx_taken_version(&p->taken, s, WHOLE);

		*step = (struct fx_mark){ .kind = FX_MARK_DONE,
					  .region = { { s, NO_TILE, last < 1 ? 2 : last + 1 },
						      { FX_STEP_AGAIN } } };
		return FX_OK;
	}
	while (i < p->come.len && p->come.files[i].section == s)
		i++;
	for (; i > first && result == FX_IDLE; i--) {
		struct fx_arrival *const f = &p->come.files[i - 1];

		if (f->tile == tiles[at].tile && fx_arrivals_ready(&p->come, f))
			result = plan_try(p, f, err);
		if (result == FX_OK)
			return step_file(step, FX_STEP_TILE, f);
	}
	return result == FX_IDLE ? step_other(p, step, s, FX_STEP_ABSENT, tiles[at].tile) : result;
}

/* A section that is closed begins once more; *waits: one may soon. */
static int plan_again(struct fx_watchplan *p, struct fx_mark *step, bool *waits,
		      struct fx_error *err)
{
	const int64_t kept = p->come.next - p->come.keep;

	for (int64_t s = kept > p->come.low ? kept : p->come.low; s < p->come.next; s++) {
		bool pending = false, all = false;
		struct fx_arrival *const f = newer_tile(p, s, &pending, &all);
		int result;

		*waits = *waits || pending || f;
		if (!f || pending ||
		    (!all && !p->come.ending &&
		     p->come.now_ns - f->since_ns < (int64_t)(p->gather * 1e9)))
			continue;
		result = plan_try(p, f, err);
		if (result == FX_OK)
			return plan_repeat(p, s, 0, step, err);
		if (result != FX_IDLE)
			return result;
	}
	return FX_IDLE;
}

/* Whether section `next` is done: all of its tiles are sent, or absent. */
static int plan_tiles(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	const int64_t section = p->come.next;
	const struct fx_tilemap_tile *tiles, *absent = NULL;
	bool some = false;
	size_t len;
	int result = plan_tile(p, step, err);

	if (result != FX_IDLE)
		return result;
	tiles = fx_tilemap_section(&p->map, section, &len);
	for (size_t i = 0; i < len; i++) {
		if (fx_taken_version(&p->taken, section, tiles[i].tile) != INT64_MIN)
			some = true;
		else if (!absent)
			absent = &tiles[i];
	}
	if (some && !absent)
		return step_other(p, step, section, FX_STEP_CLOSE, 0);
	if (!fx_arrivals_overdue(&p->come, section))
		return FX_IDLE;
	return some ? step_other(p, step, section, FX_STEP_ABSENT, absent->tile) :
		      step_other(p, step, section, 0, NO_TILE);
}

/* What comes next where sections have tiles. Sections come one behind the other: one that is made
 * again does not come into another. */
static int plan_mosaic(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	bool waits = false;
	int result = FX_IDLE;

	if (p->repeats)
		return plan_repeat(p, p->repeated, p->repeated_at, step, err);
	if (p->attempts && !fx_taken_any(&p->taken, p->come.next))
		result = plan_again(p, step, &waits, err);
	if (result != FX_IDLE)
		return result;
	if (p->come.next < fx_arrivals_end(&p->come))
		return plan_tiles(p, step, err);
	return waits ? FX_IDLE : FX_END;
}

/* A version that is wanted is about to be complete. */
static bool plan_pending(const struct fx_watchplan *p)
{
	for (size_t i = 0; i < p->come.len && p->attempts && !*p->come.sidecar; i++) {
		const struct fx_arrival *const f = &p->come.files[i];

		if (!f->taken && !f->broken && f->section < fx_arrivals_end(&p->come))
			return true;
	}
	return false;
}

int fx_watchplan_next(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	int result;

	p->come.was_taken = plan_was_taken;
	p->come.context = p;
	result = fx_arrivals_look(&p->come, err);
	if (result != FX_OK)
		return result;
	if (!p->come.opened)
		return fx__watchplan_open(p, step, err);
	if (p->map.len)
		return plan_mosaic(p, step, err);
	if (p->attempts)
		result = plan_attempt(p, step, err);
	if (p->attempts && result != FX_IDLE)
		return result;
	if (p->come.next >= fx_arrivals_end(&p->come))
		return plan_pending(p) ? FX_IDLE : FX_END;
	result = plan_section(p, step, err);
	if (result == FX_IDLE && fx_arrivals_overdue(&p->come, p->come.next))
		return step_other(p, step, p->come.next, 0, NO_TILE);
	return result;
}

/* What has come of a section that is missing does not count any more. */
static void forget_section(struct fx_watchplan *p, int64_t section)
{
	for (size_t i = fx_arrivals_find(&p->come, section);
	     i < p->come.len && p->come.files[i].section == section; i++)
		p->come.files[i].taken = true;
}

static int done_file(struct fx_watchplan *p, const struct fx_mark *step)
{
	const int64_t *const what = step->region.lo;

	for (size_t i = fx_arrivals_find(&p->come, what[0]);
	     i < p->come.len && p->come.files[i].section == what[0]; i++)
		if (p->come.files[i].tile == what[1] && p->come.files[i].version == what[2])
			p->come.files[i].taken = true;
	return fx_taken_has(&p->taken, what[0], what[1], what[2]) ?
		       FX_OK :
		       fx_taken_add(&p->taken, what[0], what[1], what[2]);
}

/* A tile of a section that is closed: the one behind it comes next. */
static void done_repeat(struct fx_watchplan *p, const struct fx_mark *step)
{
	const struct fx_tilemap_tile *const t =
		fx_watchplan_tile(p, step->region.lo[0], step->region.lo[1]);
	size_t len;

	p->repeats = t != NULL;
	p->repeated = step->region.lo[0];
	if (t)
		p->repeated_at = (size_t)(t - fx_tilemap_section(&p->map, p->repeated, &len)) + 1;
}

int fx_watchplan_done(struct fx_watchplan *p, const struct fx_mark *step, struct fx_error *err)
{
	const int64_t what = step->kind == FX_MARK_DONE ? step->region.hi[0] : 0;
	int result = FX_OK;

	if (step->kind == FX_MARK_OPEN)
		return fx__watchplan_opened(p, step, err);
	if ((what == FX_STEP_TILE || what == FX_STEP_ABSENT) && step->region.lo[0] < p->come.next)
		done_repeat(p, step);
	if (what == FX_STEP_ATTEMPT || what == FX_STEP_TILE)
		result = done_file(p, step);
	else if (what == FX_STEP_AGAIN)
		result = fx_taken_add(&p->taken, step->region.lo[0], WHOLE, step->region.lo[2]);
	else if (what == FX_STEP_ABSENT)
		result = fx_taken_add(&p->taken, step->region.lo[0], step->region.lo[1], NEVER);
	else if (step->kind == FX_MARK_MISSING)
		result = fx_taken_add(&p->taken, step->region.lo[0], NO_TILE, NEVER);
	if (result < 0)
		return fx_error_set(err, result, "no memory for what was sent");
	p->repeats = p->repeats && what != FX_STEP_AGAIN;
	if (step->kind == FX_MARK_MISSING)
		forget_section(p, step->region.lo[0]);
	if (step->kind == FX_MARK_MISSING || what == FX_STEP_CLOSE) {
		fx_arrivals_close(&p->come);
		fx_taken_forget(&p->taken, p->come.next - p->come.keep);
	}
	return FX_OK;
}

void fx_watchplan_pack(const struct fx_watchplan *p, struct fx_pack *to)
{
	fx_pack_put(to, &p->come.next, sizeof p->come.next);
	fx_pack_bool(to, p->repeats);
	fx_pack_put(to, &p->repeated, sizeof p->repeated);
	fx_pack_put(to, &p->repeated_at, sizeof p->repeated_at);
	fx_taken_pack(&p->taken, to);
}

int fx_watchplan_unpack(struct fx_watchplan *p, struct fx_unpack *from)
{
	int64_t next;

	if (fx_unpack_get(from, &next, sizeof next) < 0 || next < p->come.low ||
	    next > p->come.low + FX_ARRIVALS_MAX)
		return FX_ETYPE;
	p->come.next = next;
	if (fx_unpack_bool(from, &p->repeats) < 0 ||
	    fx_unpack_get(from, &p->repeated, sizeof p->repeated) < 0 ||
	    fx_unpack_get(from, &p->repeated_at, sizeof p->repeated_at) < 0 ||
	    (p->repeats && (p->repeated < p->come.low || p->repeated >= next)))
		return FX_ETYPE;
	return fx_taken_unpack(&p->taken, from);
}

void fx_watchplan_fini(struct fx_watchplan *p)
{
	fx_image_close(&p->im);
	free(p->pixels);
	fx_arrivals_fini(&p->come);
	fx_tilemap_fini(&p->map);
	fx_taken_fini(&p->taken);
}
