// SPDX-License-Identifier: Apache-2.0
/* render_tube.c: skeletons as lit tubes with hidden surfaces removed. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "kernels/render.h"

enum { FINE = 2 }; /* samples per pixel and side */

struct fx_render_space fx_render_space_new(size_t h, size_t w)
{
	struct fx_render_space s = { .front = INFINITY, .back = -INFINITY };
	size_t n;

	if (!fx_mul_size(h, FINE, &s.h) || !fx_mul_size(w, FINE, &s.w) ||
	    !fx_mul_size(s.h, s.w, &n))
		return s;
	s.depth = fx_calloc(n, sizeof *s.depth);
	s.colour = fx_calloc(n, sizeof *s.colour);
	s.light = fx_calloc(n, 1);
	if (!s.depth || !s.colour || !s.light) {
		fx_render_space_fini(&s);
		return s;
	}
	for (size_t i = 0; i < n; i++)
		s.depth[i] = INFINITY;
	return s;
}

void fx_render_space_fini(struct fx_render_space *s)
{
	free(s->depth);
	free(s->colour);
	free(s->light);
	*s = (struct fx_render_space){ 0 };
}

static size_t inside(float v, size_t end)
{
	return v <= 0 ? 0 : v >= (float)end ? end : (size_t)v;
}

/* Light that falls on a ball at (ny, nx) of its radius from the middle: from the upper left. */
static uint8_t light_of(float ny, float nx)
{
	const float nz = sqrtf(fmaxf(1 - ny * ny - nx * nx, 0));
	const float direct = fmaxf(0.86f * nz - 0.36f * ny - 0.36f * nx, 0);

	return (uint8_t)(255 * (0.32f + 0.68f * fminf(direct, 1)));
}

/* A ball with its middle at @p c, where it is in front. */
static void draw_ball(struct fx_render_space *s, const float c[4], uint32_t colour)
{
	const size_t y_lo = inside(ceilf(c[1] - c[3]), s->h);
	const size_t y_hi = inside(floorf(c[1] + c[3]) + 1, s->h);
	const size_t x_lo = inside(ceilf(c[2] - c[3]), s->w);
	const size_t x_hi = inside(floorf(c[2] + c[3]) + 1, s->w);

	for (size_t y = y_lo; y < y_hi; y++)
		for (size_t x = x_lo; x < x_hi; x++) {
			const float dy = (float)y - c[1], dx = (float)x - c[2];
			const float high = c[3] * c[3] - dy * dy - dx * dx;
			const size_t i = y * s->w + x;
			float z;

			if (high < 0)
				continue;
			z = c[0] - sqrtf(high);
			if (z >= s->depth[i])
				continue;
			s->depth[i] = z;
			s->colour[i] = colour;
			s->light[i] = light_of(dy / c[3], dx / c[3]);
		}
}

/* A tube is a row of balls, so close that their outline is smooth. */
static void draw(struct fx_render_space *s, const float a[4], const float b[4], uint32_t colour)
{
	const float length = hypotf(hypotf(b[0] - a[0], b[1] - a[1]), b[2] - a[2]);
	const float step = fmaxf(0.12f * fminf(a[3], b[3]), 0.7f);
	const int n = (int)fminf(length / step, 4096) + 1;
	float c[4];

	for (int k = 0; k <= n; k++) {
		for (int i = 0; i < 4; i++)
			c[i] = a[i] + (b[i] - a[i]) * (float)k / (float)n;
		draw_ball(s, c, colour);
	}
}

void fx_render_tube(struct fx_render_space *s, const float from[4], const float to[4],
		    uint32_t colour)
{
	float a[4], b[4];

	for (int i = 0; i < 4; i++) {
		a[i] = from[i] * FINE;
		b[i] = to[i] * FINE;
		if (!isfinite(a[i]) || !isfinite(b[i]))
			return;
	}
	a[3] = fmaxf(a[3], 0.8f);
	b[3] = fmaxf(b[3], 0.8f);
	s->front = fminf(s->front, fminf(a[0], b[0]));
	s->back = fmaxf(s->back, fmaxf(a[0], b[0]));
	draw(s, a, b, colour);
}

void fx_render_space_show(const struct fx_render_space *s, struct fx_picture *p, size_t y, size_t x)
{
	const float range = s->back > s->front ? s->back - s->front : 1;

	for (size_t i = 0; i < s->h / FINE && y + i < p->h; i++)
		for (size_t j = 0; j < s->w / FINE && x + j < p->w; j++) {
			uint8_t *rgb = p->rgb + ((y + i) * p->w + x + j) * 3;
			float sum[3] = { 0 };

			for (size_t k = 0; k < FINE * FINE; k++) {
				const size_t at =
					(i * FINE + k / FINE) * s->w + j * FINE + k % FINE;
				const bool empty = s->depth[at] == INFINITY;
				const float deep = empty ? 0 : (s->depth[at] - s->front) / range;
				const float light = (float)s->light[at] / 255 *
						    (1.05f - 0.6f * fminf(fmaxf(deep, 0), 1));

				for (int c = 0; c < 3; c++)
					sum[c] += empty ? rgb[c] :
							  light * (float)(s->colour[at] >>
										  (16 - 8 * c) &
									  0xff);
			}
			for (int c = 0; c < 3; c++)
				rgb[c] = (uint8_t)fminf(sum[c] / (FINE * FINE), 255);
		}
}

void fx_render_space_pack(const struct fx_render_space *s, struct fx_pack *to)
{
	const size_t n = s->depth ? s->h * s->w : 0;

	fx_pack_put(to, &s->front, sizeof s->front);
	fx_pack_put(to, &s->back, sizeof s->back);
	fx_pack_put(to, s->depth, n * sizeof *s->depth);
	fx_pack_put(to, s->colour, n * sizeof *s->colour);
	fx_pack_put(to, s->light, n);
}

int fx_render_space_unpack(struct fx_render_space *s, struct fx_unpack *from)
{
	const size_t n = s->depth ? s->h * s->w : 0;

	if (fx_unpack_get(from, &s->front, sizeof s->front) < 0 ||
	    fx_unpack_get(from, &s->back, sizeof s->back) < 0 ||
	    fx_unpack_get(from, s->depth, n * sizeof *s->depth) < 0 ||
	    fx_unpack_get(from, s->colour, n * sizeof *s->colour) < 0 ||
	    fx_unpack_get(from, s->light, n) < 0)
		return FX_ETYPE;
	for (size_t i = 0; i < n; i++)
		if (isnan(s->depth[i]))
			return FX_ETYPE;
	return isnan(s->front) || isnan(s->back) ? FX_ETYPE : FX_OK;
}
