// SPDX-License-Identifier: Apache-2.0
/* form.c: the frames of a parcel, coded as the link wants them. */
#include "link/form.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "link/seal.h"

_Static_assert((int)FX_STATS_CODECS == (int)FX_CODECS, "a counter for each codec");

enum fx_codec fx__form_codec(enum fx_way way, bool grey, bool harder)
{
	switch (way) {
	case FX_WAY_NONE:
		return FX_CODEC_STORED;
	case FX_WAY_LZ4:
		return FX_CODEC_LZ4;
	case FX_WAY_ZSTD:
		return FX_CODEC_ZSTD;
	case FX_WAY_AUTO:
		break;
	}
	return !grey ? FX_CODEC_LZ4 : harder ? FX_CODEC_ZSTD : FX_CODEC_STORED;
}

int fx__form_code(enum fx_codec codec, const void *raw, size_t size, const struct fx__grid *grid,
		  void **out, size_t *out_size)
{
	int result = FX_OK;

	*out = NULL;
	if (codec == FX_CODEC_ZSTD)
		result = fx_codec_compress_zstd(raw, size, grid->elem, grid->row, out, out_size);
	if (*out || result < 0)
		return result < 0 ? result : FX_CODEC_ZSTD;
	if (codec != FX_CODEC_STORED) /* what is all alike is too much for zstd, not for LZ4 */
		result = fx_codec_compress(raw, size, out, out_size);
	return result < 0 ? result : *out ? FX_CODEC_LZ4 : FX_CODEC_STORED;
}

/* The header of @p p for another payload frame. */
static int form_header(const struct fx__parcel *p, struct fx__form *f)
{
	struct fx_envelope e;
	int result = fx_wire_decode(p->form.header, p->form.header_size, &e, NULL);

	if (result < 0)
		return result;
	e.payload.codec = f->codec;
	e.payload.size = f->payload_size;
	result = fx_wire_encode(&e, &f->header, &f->header_size, NULL);
	fx_envelope_fini(&e);
	if (result == FX_OK)
		result = fx__seal_add(&f->header, &f->header_size, f->payload, f->payload_size,
				      NULL);
	return result;
}

/* The payload before coding: that of the first form, or a copy (*owned, free()). */
static const void *form_raw(const struct fx__parcel *p, void **owned)
{
	const struct fx__form *f = &p->form;

	*owned = NULL;
	if (f->codec == FX_CODEC_STORED)
		return f->payload;
	*owned = malloc(p->bytes);
	if (*owned && fx_codec_decompress(f->codec, f->payload, f->payload_size, *owned, p->bytes,
					  NULL) == FX_OK)
		return *owned;
	free(*owned);
	*owned = NULL;
	return NULL;
}

static void form_fini(struct fx__form *f)
{
	free(f->header);
	free(f->payload);
	*f = (struct fx__form){ .codec = FX_CODEC_STORED };
}

/* Codes the payload anew; left without a header when that is of no use. */
static void form_make(struct fx__parcel *p, enum fx_codec codec, struct fx__form *f,
		      struct fx__effort *e)
{
	const int64_t start = fx_now_ns();
	void *owned;
	const void *raw = form_raw(p, &owned);
	int got =
		raw ? fx__form_code(codec, raw, p->bytes, &p->grid, &f->payload, &f->payload_size) :
		      FX_ENOMEM;

	if (got == FX_CODEC_STORED && p->form.codec != FX_CODEC_STORED) {
		f->payload = malloc(p->bytes);
		f->payload_size = p->bytes;
		if (f->payload)
			memcpy(f->payload, raw, p->bytes);
		else
			got = FX_ENOMEM;
	}
	if (got >= 0 && codec == FX_CODEC_ZSTD && p->grey)
		fx__effort_note(e, p->bytes, f->payload ? f->payload_size : p->bytes,
				fx_now_ns() - start, fx_now_ns());
	free(owned);
	f->codec = got >= 0 ? (enum fx_codec)got : FX_CODEC_STORED;
	if (got < 0 || !f->payload || form_header(p, f) < 0)
		form_fini(f);
}

struct fx__form fx__parcel_form(struct fx__parcel *p, enum fx_codec codec, struct fx__effort *e)
{
	struct fx__form *f = &p->more[codec];

	if (!p->form.payload || p->fixed || p->form.asked == codec)
		return p->form;
	if (!p->tried[codec]) {
		p->tried[codec] = true;
		form_make(p, codec, f, e);
	}
	return f->header ? *f : p->form;
}

void fx__form_count(const struct fx__form *f, struct fx_lane_stats *s)
{
	if (!f->payload)
		return;
	atomic_fetch_add(&s->framed, f->payload_size);
	atomic_fetch_add(&s->coded[f->codec], 1);
}

void fx__form_look(struct fx__pace *p, void *message, const struct fx__effort *e,
		   struct fx_lane_stats *s)
{
	fx__pace_look(p, zmq_msg_get(message, ZMQ_SRCFD), e);
	atomic_store(&s->rate, (uint64_t)p->rate);
}

void fx__parcel_forms_fini(struct fx__parcel *p)
{
	for (int i = 0; i < FX_CODECS; i++)
		form_fini(&p->more[i]);
}
