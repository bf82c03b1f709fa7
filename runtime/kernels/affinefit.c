// SPDX-License-Identifier: Apache-2.0
/* affinefit.c: the affine map that most matches agree on. */
#include "kernels/affinefit.h"

#include "base/chance.h"
#include "kernels/spd.h"

enum { DRAWS = 300, STEPS = 12 };

static double fit_error(const struct fx_affine2 *map, const struct fx_patch_match *m)
{
	double to[2];

	fx_affine2_apply(map, m->from, to);
	return hypot(to[0] - m->to[0], to[1] - m->to[1]);
}

static size_t fit_count(const struct fx_patch_match *m, size_t len, const struct fx_affine2 *map,
			double within)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += fit_error(map, &m[i]) <= within;
	return n;
}

static bool fit_plausible(const struct fx_affine2 *a, double most)
{
	return fabs(a->m[0][0] - 1) <= most && fabs(a->m[1][1] - 1) <= most &&
	       fabs(a->m[0][1]) <= most && fabs(a->m[1][0]) <= most;
}

/* The map through three matches; false when they are nearly on a line. */
static bool fit_through(const struct fx_patch_match *const p[3], struct fx_affine2 *a)
{
	const double y1 = p[1]->from[0] - p[0]->from[0], x1 = p[1]->from[1] - p[0]->from[1],
		     y2 = p[2]->from[0] - p[0]->from[0], x2 = p[2]->from[1] - p[0]->from[1],
		     det = y1 * x2 - y2 * x1;

	if (fabs(det) < 0.1 * (hypot(y1, x1) * hypot(y2, x2) + 1))
		return false;
	for (int i = 0; i < 2; i++) {
		const double t1 = p[1]->to[i] - p[0]->to[i], t2 = p[2]->to[i] - p[0]->to[i];

		a->m[i][0] = (t1 * x2 - t2 * x1) / det;
		a->m[i][1] = (t2 * y1 - t1 * y2) / det;
		a->m[i][2] = p[0]->to[i] - a->m[i][0] * p[0]->from[0] - a->m[i][1] * p[0]->from[1];
	}
	return true;
}

/* The map of some matches; false when they do not make a plausible one. */
static bool fit_draw(const struct fx_patch_match *m, size_t len, const struct fx_affine_fit *how,
		     uint64_t draw, struct fx_affine2 *a)
{
	const struct fx_patch_match *p[3];

	for (uint64_t k = 0; k < 3; k++)
		p[k] = &m[fx_chance_bits(how->seed, draw, k) % len];
	if (how->motion == FX_MOTION_SHIFT) {
		*a = fx_affine2_shift(p[0]->to[0] - p[0]->from[0], p[0]->to[1] - p[0]->from[1]);
		return true;
	}
	return fit_through((const struct fx_patch_match *const *)p, a) &&
	       fit_plausible(a, how->most);
}

/* Weighted least squares, once: weights by the errors of @p a. */
static bool fit_step(const struct fx_patch_match *m, size_t len, const struct fx_affine_fit *how,
		     double scale, struct fx_affine2 *a)
{
	const size_t n = how->motion == FX_MOTION_SHIFT ? 1 : 3;
	double normal[9] = { 0 }, right[6] = { 0 };

	for (size_t i = 0; i < len; i++) {
		const double e = fit_error(a, &m[i]) / scale,
			     robust = e < 1 ? (1 - e * e) * (1 - e * e) : 0,
			     w = robust * (m[i].r > 0 ? m[i].r * m[i].r : 0),
			     basis[3] = { 1, m[i].from[0], m[i].from[1] };

		for (size_t j = 0; j < n; j++) {
			for (size_t k = 0; k < n; k++)
				normal[j * n + k] += w * basis[j] * basis[k];
			for (size_t c = 0; c < 2; c++)
				right[j * 2 + c] +=
					w * basis[j] *
					(n == 1 ? m[i].to[c] - m[i].from[c] : m[i].to[c]);
		}
	}
	if (!fx_spd_solve(normal, right, n, 2))
		return false;
	if (n == 1)
		*a = fx_affine2_shift(right[0], right[1]);
	for (int c = 0; c < 2 && n == 3; c++) {
		a->m[c][0] = right[2 + c];
		a->m[c][1] = right[4 + c];
		a->m[c][2] = right[c];
	}
	return true;
}

bool fx_affine_fit(const struct fx_patch_match *m, size_t len, const struct fx_affine_fit *how,
		   struct fx_affine_fitted *out)
{
	const size_t least = how->motion == FX_MOTION_SHIFT ? 2 : 6;
	struct fx_affine2 a, best = fx_affine2_shift(0, 0);
	size_t most = 0;
	double squares = 0;

	for (uint64_t d = 0; d < DRAWS && len >= least; d++) {
		const bool drawn = fit_draw(m, len, how, d, &a);
		const size_t n = drawn ? fit_count(m, len, &a, how->within) : 0;

		if (n > most) {
			most = n;
			best = a;
		}
	}
	if (most < least)
		return false;
	for (int i = 0; i < STEPS; i++)
		if (!fit_step(m, len, how, 2 * how->within, &best))
			return false;
	if (how->motion == FX_MOTION_AFFINE && !fit_plausible(&best, how->most))
		return false;
	out->map = best;
	out->agree = fit_count(m, len, &best, how->within);
	for (size_t i = 0; i < len; i++) {
		const double e = fit_error(&best, &m[i]);

		squares += e <= how->within ? e * e : 0;
	}
	out->rms = out->agree ? sqrt(squares / (double)out->agree) : 0;
	return out->agree >= least;
}
