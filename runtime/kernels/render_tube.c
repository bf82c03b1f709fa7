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

/* Colours one sample when the tube is in front there: @p off of its radius beside the axis. */
static void put(struct fx_render_space *s, size_t i, float z, float off, uint32_t colour)
{
	if (z >= s->depth[i])
		return;
	s->depth[i] = z;
	s->colour[i] = colour;
	s->light[i] = (uint8_t)(255 * (0.4f + 0.6f * sqrtf(off < 1 ? 1 - off * off : 0)));
}

static size_t inside(float v, size_t end)
{
	return v <= 0 ? 0 : v >= (float)end ? end : (size_t)v;
}

static void draw(struct fx_render_space *s, const float a[4], const float b[4], uint32_t colour)
{
	const float wide = fmaxf(a[3], b[3]) + 1;
	const float dy = b[1] - a[1], dx = b[2] - a[2], length = dy * dy + dx * dx;
	const size_t y_lo = inside(fminf(a[1], b[1]) - wide, s->h);
	const size_t y_hi = inside(fmaxf(a[1], b[1]) + wide + 1, s->h);
	const size_t x_lo = inside(fminf(a[2], b[2]) - wide, s->w);
	const size_t x_hi = inside(fmaxf(a[2], b[2]) + wide + 1, s->w);

	for (size_t y = y_lo; y < y_hi; y++)
		for (size_t x = x_lo; x < x_hi; x++) {
			const float py = (float)y - a[1], px = (float)x - a[2];
			float t = length > 0 ? (py * dy + px * dx) / length : 0, d, r;

			t = t < 0 ? 0 : t > 1 ? 1 : t;
			d = hypotf(py - t * dy, px - t * dx);
			r = a[3] + t * (b[3] - a[3]);
			if (d <= r)
				put(s, y * s->w + x,
				    a[0] + t * (b[0] - a[0]) - sqrtf(r * r - d * d), d / r, colour);
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
