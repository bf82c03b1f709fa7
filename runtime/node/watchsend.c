// SPDX-License-Identifier: Apache-2.0
/* watchsend.c: sends what formats/watchplan.h decided. */
#include "node/watchsend.h"

#include <math.h>
#include <string.h>

#include "node/bands.h"

/* What is sent now. */
struct sending {
	struct fx_node *node;
	struct fx_watchplan *p;
	const struct fx_mark *step;
	const struct fx_watchsend *to;
	int64_t z;
};

static int send_mark(const struct sending *s, enum fx_mark_kind kind)
{
	struct fx_mark m = { .kind = kind, .dtype = s->p->dtype };
	const bool tiles = s->p->map.len > 0;
	int result;

	m.region.lo[0] = kind == FX_MARK_OPEN ? 0 : s->z;
	m.region.hi[0] = kind == FX_MARK_OPEN ? s->p->come.count : s->z + 1;
	m.region.hi[1] = (int64_t)s->p->height;
	m.region.hi[2] = (int64_t)s->p->width;
	memcpy(m.voxel_nm, s->to->voxel_nm, sizeof m.voxel_nm);
	if (kind == FX_MARK_MISSING)
		memcpy(m.reason, s->step->reason, sizeof m.reason);
	result = fx_send_mark(s->node, tiles ? s->to->tiles : s->to->image, &m);
	if (result != FX_OK || kind == FX_MARK_DONE)
		return result;
	return fx_send_mark(s->node, s->to->attempts, &m);
}

static int send_rows(void *from, size_t rows, void *voxels, struct fx_error *err)
{
	return fx_image_read(from, rows, voxels, err);
}

/* The image in hand. */
static int send_image(const struct sending *s, unsigned port, const double place[2], double mib)
{
	struct fx_bands b = { .role = FX_IMAGE,
			      .dtype = s->p->dtype,
			      .z = s->z,
			      .y = llround(place[0]),
			      .x = llround(place[1]),
			      .height = s->p->im.height,
			      .width = s->p->im.width,
			      .voxels = s->p->pixels,
			      .rows = send_rows,
			      .from = &s->p->im };

	memcpy(b.voxel_nm, s->to->voxel_nm, sizeof b.voxel_nm);
	return fx_bands_send(s->node, port, &b, mib);
}

static struct fx_record *make_record(const struct sending *s, const char *kind, int64_t version)
{
	struct fx_record *r = fx_record_new(kind);

	if (!r || fx_record_add_number(r, "section", (double)s->z) < 0 ||
	    fx_record_add_number(r, "number", (double)s->step->region.lo[0]) < 0 ||
	    fx_record_add_number(r, "version", (double)version) < 0) {
		fx_record_free(r);
		return NULL;
	}
	r->region.lo[0] = s->z;
	r->region.hi[0] = s->z + 1;
	r->region.hi[1] = (int64_t)s->p->height;
	r->region.hi[2] = (int64_t)s->p->width;
	return r;
}

/* All of an attempt was sent. */
static int end_attempt(const struct sending *s, int64_t version)
{
	return fx_connected(s->node, s->to->attempts) ?
		       fx_send_record(s->node, s->to->attempts,
				      make_record(s, "attempt", version)) :
		       FX_OK;
}

static int send_attempt(const struct sending *s)
{
	const int result =
		send_image(s, s->to->attempts, (const double[2]){ 0, 0 }, s->to->tile_mib);

	return result == FX_OK ? end_attempt(s, s->step->region.lo[2]) : result;
}

static int add_tile(const struct sending *s, struct fx_record *r, const double place[2], bool come)
{
	const double shape[2] = { (double)s->p->im.height, (double)s->p->im.width };

	if (fx_record_add_number(r, "tile", (double)s->step->region.lo[1]) < 0 ||
	    fx_record_add_number(r, "y", place[0]) < 0 ||
	    fx_record_add_number(r, "x", place[1]) < 0)
		return FX_ENOMEM;
	if (!come)
		return fx_record_add_text(r, "missing", s->step->reason);
	if (fx_record_add_number(r, "height", shape[0]) < 0)
		return FX_ENOMEM;
	return fx_record_add_number(r, "width", shape[1]);
}

static int send_tile_to(const struct sending *s, unsigned port, bool come)
{
	const struct fx_tilemap_tile *t =
		fx_watchplan_tile(s->p, s->step->region.lo[0], s->step->region.lo[1]);
	struct fx_record *r = make_record(s, "tile", s->step->region.lo[2]);
	double place[2];
	int result;

	if (!t || !r) {
		fx_record_free(r);
		return fx_fail(s->node, t ? FX_ENOMEM : FX_EIO, "%s",
			       t ? "no memory for a record" : "the tile map has changed");
	}
	place[0] = t->y - (double)s->p->corner[0];
	place[1] = t->x - (double)s->p->corner[1];
	if (add_tile(s, r, place, come) < 0) {
		fx_record_free(r);
		return fx_fail(s->node, FX_ENOMEM, "no memory for a record");
	}
	result = fx_send_record(s->node, port, r);
	return result == FX_OK && come ? send_image(s, port, place, 256) : result;
}

/* What is sent once more is for attempts alone. A large image, which is read by rows, is read for
 * each of the two. */
static int send_tile(const struct sending *s, bool come)
{
	const bool attempts = fx_connected(s->node, s->to->attempts),
		   tiles = fx_connected(s->node, s->to->tiles) &&
			   s->step->region.lo[0] >= s->p->come.next;
	struct fx_error err = { 0 };
	int result = tiles ? send_tile_to(s, s->to->tiles, come) : FX_OK;

	if (result != FX_OK || !attempts)
		return result;
	if (tiles && come && fx_watchplan_load(s->p, s->step, &err) < 0)
		return fx_fail_error(s->node, &err);
	return send_tile_to(s, s->to->attempts, come);
}

int fx_watchsend(struct fx_node *node, struct fx_watchplan *p, const struct fx_mark *step,
		 const struct fx_watchsend *to)
{
	const struct sending s = { node, p, step, to, step->region.lo[0] - p->come.low };
	int result = FX_OK;

	if (step->kind != FX_MARK_DONE)
		return send_mark(&s, step->kind);
	switch (step->region.hi[0]) {
	case FX_STEP_ATTEMPT:
		return send_attempt(&s);
	case FX_STEP_TILE:
	case FX_STEP_ABSENT:
		return send_tile(&s, step->region.hi[0] == FX_STEP_TILE);
	case FX_STEP_AGAIN:
		return end_attempt(&s, step->region.lo[2]);
	default:
		if (*step->reason)
			result = send_image(&s, to->image, (const double[2]){ 0, 0 }, to->tile_mib);
		if (result == FX_OK)
			result = send_mark(&s, FX_MARK_DONE);
		return result == FX_OK && p->map.len ? end_attempt(&s, 1) : result;
	}
}
