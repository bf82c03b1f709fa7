// SPDX-License-Identifier: Apache-2.0
/* form.h: the frames of a parcel, coded as the link wants them. */
#ifndef FX_LINK_FORM_H
#define FX_LINK_FORM_H

#include "link/pace.h"
#include "link/parcel.h"
#include "link/stats.h"

/* The codec for @p p on a lane whose edge says @p way; @p harder: the link is slow. */
enum fx_codec fx__form_codec(enum fx_way way, bool grey, bool harder);
/* The frames of @p p coded by @p codec, made when they are not there, from those that are. Where
 * that does not make it smaller, or there is no memory, other frames with the same content.
 * Borrowed from @p p, until its last reference goes. @p e: takes in what it cost, when it is for
 * grey values. */
struct fx__form fx__parcel_form(struct fx__parcel *p, enum fx_codec codec, struct fx__effort *e);
/* Codes @p size bytes by @p codec, or by one that costs less when that is of no use. *out stays
 * NULL when they are best sent as they are. The codec; FX_ENOMEM. */
int fx__form_code(enum fx_codec codec, const void *raw, size_t size, const struct fx__grid *grid,
		  void **out, size_t *out_size);
/* Counts that @p f goes out on a lane. */
void fx__form_count(const struct fx__form *f, struct fx_lane_stats *s);
/* An acknowledgement (zmq_msg_t) has come on a lane: looks at its connection. */
void fx__form_look(struct fx__pace *p, void *message, const struct fx__effort *e,
		   struct fx_lane_stats *s);
/* Frees what fx__parcel_form() has made. */
void fx__parcel_forms_fini(struct fx__parcel *p);

#endif
