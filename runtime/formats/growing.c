// SPDX-License-Identifier: Apache-2.0
/* growing.c: a volume, also while it is being written. */
#include "formats/growing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "base/file.h"
#include "formats/volume_ops.h"

enum { REST_NS = 20000000 };

static int64_t nanoseconds(double seconds)
{
	return (int64_t)(seconds * 1e9);
}

static void growing_close(struct fx_growing *g)
{
	if (g->open)
		fx_volume_close(&g->file);
	g->open = false;
}

/* Opens it anew, as another process may have written since. */
static int growing_open(struct fx_growing *g, struct fx_error *err)
{
	int result;

	growing_close(g);
	result = fx_volume_open(g->path, &g->file, err);
	if (result < 0)
		return result;
	g->open = true;
	if (g->was_open && (g->file.shape[1] != g->shape[1] || g->file.shape[2] != g->shape[2] ||
			    g->file.dtype != g->dtype))
		return fx_error_set(err, FX_ETYPE, "%s: has become another volume, of %zu x %zu %s",
				    g->path, g->file.shape[1], g->file.shape[2],
				    fx_dtype_name(g->file.dtype));
	if (!g->was_open) {
		memcpy(g->shape, g->file.shape, sizeof g->shape);
		g->dtype = g->file.dtype;
	}
	g->was_open = true;
	return FX_OK;
}

int fx_growing_start(struct fx_growing *g, struct fx_error *err)
{
	int result;

	g->start_ns = g->changed_ns = fx_now_ns();
	if (g->grows)
		return FX_OK;
	result = growing_open(g, err);
	g->ending = true;
	return result;
}

/* The marker lies in the folder of the volume, or in the folder that its file lies in. */
static bool growing_marked(const struct fx_growing *g)
{
	const char *inside;
	char *folder = *g->marker ? fx__volume_file(g->path, &inside) : NULL;
	char *slash = folder && !fx_is_dir(folder) ? strrchr(folder, '/') : NULL;
	char *path;
	bool is;

	if (slash)
		slash[slash == folder] = 0;
	path = folder ? fx_path_join(fx_is_dir(folder) ? folder : ".", g->marker) : NULL;
	is = path && access(path, F_OK) == 0;
	free(path);
	free(folder);
	return is;
}

/* When what is there has changed, silence begins anew. */
static void growing_notice(struct fx_growing *g, const struct fx_volume_there *t,
			   const struct fx_volume_there *later, int64_t now)
{
	uint64_t about[6] = { t->state,
			      t->there,
			      later->state,
			      later->there,
			      g->open ? g->file.shape[0] : 0,
			      (uint64_t)g->complete };
	const struct iovec part = { about, sizeof about };
	const uint64_t seen = fx_checksum(&part, 1);

	if (seen != g->seen)
		g->changed_ns = now;
	g->seen = seen;
	if (t->state != g->state || !g->since_ns) {
		g->since_ns = now;
		fx_volume_forget(&g->file);
	}
	g->state = t->state;
	g->late_ns = !later->parts || later->there < later->parts ? 0 :
		     g->late_ns					  ? g->late_ns :
								    now;
}

/* Looks at what is there of section @p z, and of one in later chunks. */
static int growing_there(struct fx_growing *g, size_t z, struct fx_volume_there *t,
			 struct fx_error *err)
{
	struct fx_volume_there later = { 0 };
	int result = FX_OK;

	memset(t, 0, sizeof *t);
	g->complete = 0;
	if (*g->attribute)
		fx_volume_attribute(&g->file, g->attribute, &g->complete, NULL);
	else if (z < g->file.shape[0])
		result = fx_volume_there(&g->file, z, t, err);
	if (result == FX_OK && t->parts && t->end < g->file.shape[0])
		result = fx_volume_there(&g->file, t->end, &later, err);
	growing_notice(g, t, &later, fx_now_ns());
	return result;
}

/* Section @p z, of which @p t is there, does not change any more. */
static bool growing_ready(const struct fx_growing *g, size_t z, const struct fx_volume_there *t)
{
	const size_t shape = g->file.shape[0];
	const bool whole = t->end <= shape || g->ending || (g->count && shape >= (size_t)g->count);

	if (*g->attribute)
		return z < shape && (double)z < g->complete;
	if (z >= shape || t->there < t->parts)
		return false;
	return whole &&
	       (g->ending || !t->state || fx_now_ns() - g->since_ns >= nanoseconds(g->settle));
}

/* No part of section @p z will come any more. */
static bool growing_lost(const struct fx_growing *g)
{
	return g->ending ||
	       (g->late_ns && fx_now_ns() - g->late_ns >= nanoseconds(g->settle + g->late));
}

/* Opens the volume anew, and sees whether it is marked as complete. */
static int growing_scan(struct fx_growing *g, struct fx_error *err)
{
	const bool marked = growing_marked(g);
	int result = growing_open(g, &g->why);

	if (result == FX_ETYPE && g->was_open)
		return fx_error_set(err, result, "%s", g->why.text);
	g->ending = g->ending || marked;
	if (g->ending && !g->open)
		return fx_error_set(err, FX_EINVAL, "no volume has come: %s", g->why.text);
	return FX_OK;
}

static int growing_judge(struct fx_growing *g, size_t z, struct fx_error *reason)
{
	struct fx_volume_there t;
	int result;

	if (!g->open)
		return FX_IDLE;
	result = growing_there(g, z, &t, reason);
	if (result < 0)
		return result;
	if (growing_ready(g, z, &t))
		return FX_OK;
	if (z >= g->file.shape[0])
		return !g->ending ? FX_IDLE :
		       g->count	  ? fx_error_set(reason, FX_ENOENT, "the volume ended before it") :
				    FX_END;
	if (!growing_lost(g))
		return FX_IDLE;
	if (*g->attribute)
		return fx_error_set(reason, FX_ENOENT, "the volume ended before it was complete");
	if (g->fill)
		return FX_OK;
	return fx_error_set(reason, FX_ENOENT, "%zu of its %zu chunks did not come",
			    t.parts - t.there, t.parts);
}

/* Nothing has changed for so long, as was just seen, that no more will come. */
static bool growing_silent(struct fx_growing *g)
{
	return !g->ending && g->silence > 0 &&
	       fx_now_ns() - g->changed_ns >= nanoseconds(g->silence);
}

/* A whole look. */
static int growing_look(struct fx_growing *g, size_t z, struct fx_error *reason)
{
	int result = growing_scan(g, reason);

	if (result == FX_OK)
		result = growing_judge(g, z, reason);
	if (result != FX_IDLE || !growing_silent(g))
		return result;
	g->ending = true;
	if (!g->open)
		return fx_error_set(reason, FX_EINVAL, "no volume has come: %s", g->why.text);
	return growing_judge(g, z, reason);
}

int fx_growing_look(struct fx_growing *g, int64_t z, struct fx_error *reason)
{
	int64_t now = fx_now_ns();
	int result;

	if (g->count && z >= g->count)
		return FX_END;
	if (!g->grows)
		return z < (int64_t)g->file.shape[0] ? FX_OK : FX_END;
	result = growing_judge(g, (size_t)z, reason);
	if (result != FX_IDLE || now < g->rescan_ns)
		return result;
	result = growing_look(g, (size_t)z, reason);
	now = fx_now_ns() - now;
	g->rescan_ns = fx_now_ns() + (9 * now > REST_NS ? 9 * now : REST_NS);
	return result;
}

void fx_growing_fini(struct fx_growing *g)
{
	growing_close(g);
}
