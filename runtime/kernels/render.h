// SPDX-License-Identifier: Apache-2.0
/* render.h: pictures of sections, segments and skeletons for people. */
#ifndef FX_KERNELS_RENDER_H
#define FX_KERNELS_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"

/** Pixels of red, green, blue bytes, rows first. */
struct fx_picture {
	size_t h, w;
	uint8_t *rgb; /**< owned */
};

/** A picture all of one colour (rgb 0xRRGGBB); its rgb is NULL without memory or when h or w is 0.
 * Free with fx_picture_fini(). */
struct fx_picture fx_picture_new(size_t h, size_t w, uint32_t colour);
void fx_picture_fini(struct fx_picture *p);

/** The colour 0xRRGGBB of segment @p id: the same at all times, well apart for ids in a row, of
 * even lightness (a hash into the hues of Oklab; Ottosson, "A perceptual color space", 2020). 0 is
 * black. */
uint32_t fx_render_colour(uint64_t id);

/** A section of @p h x @p w samples, each drawn as @p scale x @p scale pixels. */
struct fx_render_section {
	size_t h, w, scale;
	const uint8_t *grey;	/**< NULL: black */
	const uint64_t *labels; /**< NULL or 0 in it: no colour */
};

/** Draws the section with its upper left at (y, x) of @p p, cut at the rim: grey values
 * interpolated; where @p colours, segments are tinted and parted by dark lines. */
void fx_render_section(struct fx_picture *p, size_t y, size_t x, const struct fx_render_section *s,
		       bool colours);

/** Tubes seen along z, the nearest (smallest z) in front. */
struct fx_render_space {
	size_t h, w;	   /**< of the buffers: twice the pixels of the picture on each side */
	float *depth;	   /**< owned; z, or infinity where nothing is */
	uint32_t *colour;  /**< owned */
	uint8_t *light;	   /**< owned */
	float front, back; /**< least and largest z of what was drawn */
};

/** An empty space for @p h x @p w pixels; depth is NULL without memory. */
struct fx_render_space fx_render_space_new(size_t h, size_t w);
void fx_render_space_fini(struct fx_render_space *s);
/** Draws a tube between two points {z, y, x, radius}, in pixels of the picture, in @p colour;
 * what lies outside is cut. Points that are not finite draw nothing. */
void fx_render_tube(struct fx_render_space *s, const float from[4], const float to[4],
		    uint32_t colour);
/** Puts what was drawn, and takes it back to a space of the same size. FX_ETYPE. */
void fx_render_space_pack(const struct fx_render_space *s, struct fx_pack *to);
int fx_render_space_unpack(struct fx_render_space *s, struct fx_unpack *from);
/** Puts the space, its far end dimmed, on @p p at (y, x), cut at the rim. */
void fx_render_space_show(const struct fx_render_space *s, struct fx_picture *p, size_t y,
			  size_t x);

/** Draws a bar of a round length of at most @p longest pixels, @p nm_per_pixel, and its length in
 * letters above; its lower left at (y, x). */
void fx_render_scale_bar(struct fx_picture *p, size_t y, size_t x, size_t longest,
			 double nm_per_pixel);

#endif
