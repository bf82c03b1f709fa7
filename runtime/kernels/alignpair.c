// SPDX-License-Identifier: Apache-2.0
/* alignpair.c: the motion between two prepared sections, from coarse to fine. */
#include "kernels/alignpair.h"

#include <stdlib.h>

#include <fornix/error.h>

#include "base/alloc.h"
#include "kernels/dense.h"
#include "kernels/phase.h"

enum { WIDE = 14, NARROW = 5, FINE = 4, WIDE_HALF = 16, WIDE_GRID = 7 };
static const double linear_most = 0.3, texture = 8, dense_most = 3;

/* One pass over the patches of one level. */
struct pass {
	int level, half, reach, grid;
	double within; /* voxels of the level */
};

void fx_pair_fini(struct fx_pair *p)
{
	free(p->matches);
	*p = (struct fx_pair){ 0 };
}

/* The motion in the voxels of a level, and back. */
static struct fx_affine2 pair_level(const struct fx_affine2 *map, int level, bool down)
{
	const struct fx_affine2 up = fx_regimage_up(level), to = fx_regimage_down(level),
				first = fx_affine2_after(map, down ? &up : &to);

	return fx_affine2_after(down ? &to : &up, &first);
}

static bool pair_grow(struct fx_pair *out, const struct fx_patch_match *m)
{
	if (!fx_grow(&out->matches, &out->cap, out->len + 1, sizeof *out->matches))
		return false;
	out->matches[out->len++] = *m;
	return true;
}

/* A patch is at most a third of the level wide. */
static int pair_half(const struct fx_regimage *r, int level, int half)
{
	const size_t side = r->height[level] < r->width[level] ? r->height[level] : r->width[level];

	return (size_t)half > side / 6 ? (int)(side / 6) : half;
}

/* Patches on an axis: as many as are asked for, or that overlap by half; at least 3. */
static size_t pair_patches(size_t side, size_t half, size_t most)
{
	const size_t n = (side - 1 - 2 * half + half - 1) / (half ? half : 1) + 1;

	return n < 3 ? 3 : n < most ? n : most;
}

/* Matches of the patches at the places of a grid; how many have a place in the reference. */
static int pair_match(const struct fx_regimage *reference, const struct fx_regimage *section,
		      const struct pass *pass, const struct fx_affine2 *map, struct fx_pair *out,
		      size_t *tried)
{
	const struct fx_patch_how how = { pair_half(section, pass->level, pass->half), pass->reach,
					  texture };
	const struct fx_plane one = fx_regimage_plane(section, pass->level),
			      other = fx_regimage_plane(reference, pass->level);
	const size_t edge = (size_t)how.half,
		     rows = pair_patches(one.height, edge, (size_t)pass->grid),
		     columns = pair_patches(one.width, edge, (size_t)pass->grid);
	struct fx_patch p = { 0 };
	struct fx_patch_match m;
	int failed;

	out->len = 0;
	*tried = 0;
	if (how.half < 2) /* too small for patches */
		return FX_OK;
	failed = fx_patch_init(&p, &how);
	for (size_t i = 0; i < rows * columns && failed >= 0; i++) {
		const size_t y = edge + i / columns * (one.height - 1 - 2 * edge) / (rows - 1),
			     x = edge + i % columns * (one.width - 1 - 2 * edge) / (columns - 1);
		const int found = fx_patch_find(&p, &one, &other, map, y, x, &m);

		*tried += found != 0;
		if (found > 0 && !pair_grow(out, &m))
			failed = FX_ENOMEM;
	}
	fx_patch_fini(&p);
	return failed;
}

/* The part that agrees, less what may by chance, times the root of their mean correlation. */
static double pair_confidence(const struct fx_pair *out, const struct fx_affine_fitted *fit,
			      const struct pass *pass, size_t tried)
{
	const double side = 2 * pass->reach + 1,
		     chance = fmin(0.5, 6.3 * pass->within * pass->within / (side * side)),
		     part = (double)fit->agree / (double)tried;
	double sum = 0;

	for (size_t i = 0; i < out->len; i++) {
		double to[2];

		fx_affine2_apply(&fit->map, out->matches[i].from, to);
		if (hypot(to[0] - out->matches[i].to[0], to[1] - out->matches[i].to[1]) <=
		    pass->within)
			sum += out->matches[i].r;
	}
	return part > chance && sum > 0 ?
		       (part - chance) / (1 - chance) * sqrt(sum / (double)fit->agree) :
		       0;
}

/* One pass: from the motion that is known to a better one. */
static int pair_pass(const struct fx_regimage *reference, const struct fx_regimage *section,
		     const struct fx_pair_how *how, const struct pass *pass, struct fx_pair *out)
{
	const struct fx_affine_fit fit = { how->motion, pass->within, linear_most, how->seed };
	struct fx_affine2 map = pair_level(&out->map, pass->level, true);
	struct fx_affine_fitted found;
	size_t tried;
	int failed;

	for (int i = 0; i < 2 && how->motion == FX_MOTION_SHIFT; i++)
		map.m[i][2] = round(map.m[i][2]); /* nothing is between voxels then */
	failed = pair_match(reference, section, pass, &map, out, &tried);

	out->confidence = 0;
	if (failed < 0 || !fx_affine_fit(out->matches, out->len, &fit, &found))
		return failed;
	out->confidence = pair_confidence(out, &found, pass, tried);
	out->map = pair_level(&found.map, pass->level, false);
	out->rms = ldexp(found.rms, pass->level);
	return FX_OK;
}

/* The passes, coarse to fine; a mere shift is known too well for the first. */
static int pair_refine(const struct fx_regimage *reference, const struct fx_regimage *section,
		       const struct fx_pair_how *how, struct fx_pair *out)
{
	const int top = section->levels - 1;
	int failed = FX_OK;

	for (int i = how->guess			    ? top + 1 :
		     how->motion == FX_MOTION_SHIFT ? 1 :
						      0;
	     i < 2 + top && failed >= 0; i++) {
		struct pass pass = { i < 2 ? top : top - (i - 1), how->half, FINE, how->grid, 0 };
		const double within = ldexp(how->within, -pass.level);

		pass.within = pass.level ? fmax(within, 1) : within;
		if (i == 0) {
			pass.reach = WIDE;
			pass.half = how->half < WIDE_HALF ? how->half : WIDE_HALF;
			pass.grid = how->grid < WIDE_GRID ? how->grid : WIDE_GRID;
			pass.within = fmax(within, 3);
		} else if (i == 1) {
			pass.reach = NARROW;
		}
		if (i == top + 1)
			pass.reach = how->reach > pass.reach ? how->reach : pass.reach;
		failed = pair_pass(reference, section, how, &pass, out);
		if (!(out->confidence > 0))
			break;
	}
	return failed;
}

/* The whole, by phase correlation of the coarsest level. */
static int pair_whole(const struct fx_regimage *reference, const struct fx_regimage *section,
		      const struct fx_pair_how *how, struct fx_pair *out)
{
	const int top = section->levels - 1;
	const struct fx_plane a = fx_regimage_plane(reference, top),
			      b = fx_regimage_plane(section, top);
	struct fx_phase phase = FX_PHASE_DEFAULT;
	struct fx_affine2 map;
	struct fx_shift shift;
	int failed;

	phase.overlap = 0.3;
	phase.limit[0] = phase.limit[1] = ldexp(how->limit, -top);
	failed = fx_phase_shift(&a, &b, &phase, &shift);
	if (failed < 0)
		return failed;
	map = fx_affine2_shift(shift.by[0], shift.by[1]);
	out->map = pair_level(&map, top, false);
	out->confidence = shift.confidence;
	return FX_OK;
}

int fx_pair_find(const struct fx_regimage *reference, const struct fx_regimage *section,
		 const struct fx_pair_how *how, struct fx_pair *out)
{
	const struct fx_plane one = fx_regimage_plane(section, 0),
			      other = fx_regimage_plane(reference, 0);
	int failed = FX_OK;

	out->rms = 0;
	out->len = 0;
	if (how->guess)
		out->map = *how->guess;
	else
		failed = pair_whole(reference, section, how, out);
	if (failed >= 0)
		failed = pair_refine(reference, section, how, out);
	if (failed >= 0 && out->confidence > 0)
		fx_dense_fit(&other, &one, how->motion, dense_most, &out->map);
	return failed;
}
