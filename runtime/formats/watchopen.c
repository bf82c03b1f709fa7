// SPDX-License-Identifier: Apache-2.0
/* watchopen.c: how a stream of sections that a microscope writes to a folder begins. */
#include "formats/watchopen.h"

#include <math.h>
#include <stdlib.h>

#include "base/file.h"

enum { SIDE_MAX = 1 << 20 };

/* Where the map begins and ends, with images of `step` where it does not tell. */
static int plan_extent(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	const double far = 1e300;
	double lo[2] = { far, far }, hi[2] = { -far, -far };

	for (size_t i = 0; i < p->map.len; i++) {
		const struct fx_tilemap_tile *const t = &p->map.tiles[i];
		const double place[2] = { t->y, t->x };
		const double size[2] = { t->height ? (double)t->height : step->voxel_nm[1],
					 t->width ? (double)t->width : step->voxel_nm[2] };

		for (int a = 0; a < 2; a++) {
			lo[a] = fmin(lo[a], floor(place[a]));
			hi[a] = fmax(hi[a], ceil(place[a] + size[a]));
		}
	}
	for (int a = 0; a < 2; a++) {
		if (hi[a] - lo[a] > SIDE_MAX)
			return fx_error_set(err, FX_EINVAL,
					    "%s/%s: tiles lie %.0f voxels apart; "
					    "a section has at most 2^20",
					    p->come.path, p->map_name, hi[a] - lo[a]);
		step->region.lo[1 + a] = (int64_t)lo[a];
		step->region.hi[1 + a] = (int64_t)hi[a];
	}
	return FX_OK;
}

/* The tile map may come after this node has begun. */
static int plan_map(struct fx_watchplan *p, struct fx_error *err)
{
	char *path = fx_path_join(p->come.path, p->map_name);
	struct fx_error why = { 0 };
	int result;

	if (!path)
		return fx_error_set(err, FX_ENOMEM, "no memory for a path");
	result = fx_tilemap_read(&p->map, path, &why);
	free(path);
	if (result < 0)
		fx_tilemap_fini(&p->map);
	if (result < 0 && why.code == FX_ENOMEM)
		return fx_error_set(err, why.code, "%s", why.text);
	return result < 0 ? FX_IDLE : FX_OK; /* it may be half written */
}

/* The first image that can be opened gives size and dtype. */
static int plan_first(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	struct fx_error first = { 0 };
	struct fx_image im = { 0 };
	bool found = false, waits = false;

	for (size_t i = 0; i < p->come.len && !found && !waits; i++) {
		const struct fx_arrival *const f = &p->come.files[i];
		char *path = fx_path_join(p->come.path, f->path);

		waits = !fx_arrivals_ready(&p->come, f) && !(p->come.ending && *p->come.sidecar);
		if (path && !waits)
			found = fx_image_open(path, &im, first.code ? NULL : &first) == FX_OK;
		free(path);
	}
	if (!found && (!p->come.ending || waits))
		return FX_IDLE;
	if (!found)
		return fx_error_set(err, FX_EINVAL, "%s: no section can be read; %s", p->come.path,
				    first.code ? fx_image_reason(p->come.path, first.text) :
						 "none has come");
	step->dtype = im.dtype;
	step->region.hi[1] = (int64_t)im.height;
	step->region.hi[2] = (int64_t)im.width;
	step->voxel_nm[1] = (double)im.height;
	step->voxel_nm[2] = (double)im.width;
	fx_image_close(&im);
	return FX_OK;
}

int fx__watchplan_open(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err)
{
	const struct fx_arrivals *const a = &p->come;
	int result;

	*step = (struct fx_mark){ .kind = FX_MARK_OPEN };
	result = *p->map_name && !p->map.len ? plan_map(p, err) : FX_OK;
	if (result == FX_IDLE && a->ending)
		return fx_error_set(err, FX_EINVAL, "%s/%s: the tile map is not there, or broken",
				    a->path, p->map_name);
	if (result == FX_OK)
		result = plan_first(p, step, err);
	if (result == FX_OK && p->map.len)
		result = plan_extent(p, step, err);
	step->region.lo[0] = a->first;
	if (result == FX_OK && a->first < 0)
		step->region.lo[0] = a->list.len ? a->list.low : a->files[0].section;
	step->region.hi[0] = a->count ? step->region.lo[0] + a->count : INT64_MAX;
	return result;
}

int fx__watchplan_opened(struct fx_watchplan *p, const struct fx_mark *step, struct fx_error *err)
{
	if (*p->map_name && !p->map.len && plan_map(p, err) != FX_OK)
		return fx_error_set(err, FX_EINVAL, "%s/%s: the tile map is not there any more",
				    p->come.path, p->map_name);
	fx_arrivals_open(&p->come, step->region.lo[0]);
	for (int a = 0; a < 2; a++)
		p->corner[a] = step->region.lo[1 + a];
	p->height = (size_t)(step->region.hi[1] - step->region.lo[1]);
	p->width = (size_t)(step->region.hi[2] - step->region.lo[2]);
	p->tile_height = (size_t)step->voxel_nm[1];
	p->tile_width = (size_t)step->voxel_nm[2];
	p->dtype = step->dtype;
	return FX_OK;
}
