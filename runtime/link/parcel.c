// SPDX-License-Identifier: Apache-2.0
/* parcel.c: a message on its way. */
#include "link/parcel.h"

#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "link/form.h"
#include "link/letter.h"
#include "link/seal.h"
#include "link/slot.h"

enum { INLINE_MAX = 4096 };

static void free_message(struct fx_envelope *e)
{
	fx_envelope_fini(e);
}

/* Voxels into a slot: they lie there already, or are copied. */
static int payload_to_slot(struct fx__parcel *p, struct fx_pool *pool, struct fx_envelope *e,
			   size_t size)
{
	struct fx_block *b = e->message;

	p->slot = e->kind == FX_BLOCK ? fx__slot_give(b, pool) : -1;
	if (p->slot < 0) {
		p->slot = fx_pool_take(pool);
		if (p->slot < 0)
			return FX_IDLE;
		memcpy(fx_pool_slot(pool, (unsigned)p->slot), fx_wire_payload(e->kind, e->message),
		       size);
	}
	p->pool = pool;
	e->payload.in_slot = true;
	e->payload.slot = (uint32_t)p->slot;
	return FX_OK;
}

static int payload_to_frame(struct fx__parcel *p, struct fx_envelope *e, size_t size,
			    enum fx_codec codec)
{
	const void *raw = fx_wire_payload(e->kind, e->message);
	struct fx__form *f = &p->form;
	const int got = fx__form_code(codec, raw, size, &p->grid, &f->payload, &f->payload_size);

	if (got < 0)
		return got;
	f->asked = codec;
	f->codec = e->payload.codec = (enum fx_codec)got;
	if (!f->payload) {
		f->payload_size = size;
		f->payload = malloc(size);
		if (!f->payload)
			return FX_ENOMEM;
		memcpy(f->payload, raw, size);
	}
	e->payload.size = f->payload_size;
	return FX_OK;
}

static int parcel_payload(struct fx__parcel *p, struct fx_pool *pool, enum fx_way way,
			  struct fx_envelope *e, struct fx_error *err)
{
	const size_t size = e->kind ? fx_wire_payload_size(e->kind, e->message) : 0;
	int result = FX_OK;

	e->payload = (struct fx_payload){ .size = size, .raw_size = size };
	p->bytes = size;
	p->grey = size && !fx_letter_worth_coding(e);
	if (p->grey) {
		const struct fx_block *b = e->message;

		p->grid = (struct fx__grid){ fx_dtype_size(b->dtype), b->shape[2] };
	}
	if (size > FX_WIRE_PAYLOAD_MAX)
		return fx_error_set(
			err, FX_EINVAL,
			"a message of %zu bytes is over the limit of %d: use smaller blocks", size,
			FX_WIRE_PAYLOAD_MAX);
	if (size && pool && size > INLINE_MAX)
		result = payload_to_slot(p, pool, e, size);
	else if (size)
		result = payload_to_frame(p, e, size,
					  fx__form_codec(pool ? FX_WAY_NONE : way, p->grey, false));
	return result == FX_ENOMEM ? fx_error_set(err, result, "no memory for %zu bytes", size) :
				     result;
}

int fx__parcel_new(struct fx_pool *pool, enum fx_way way, struct fx_envelope *e,
		   struct fx__parcel **out, struct fx_error *err)
{
	struct fx__parcel *p = calloc(1, sizeof *p);
	int result;

	if (!p) {
		free_message(e);
		return fx_error_set(err, FX_ENOMEM, "no memory for a message");
	}
	p->seq = e->seq;
	p->data = e->kind != FX_NOTHING;
	p->mark = e->mark.kind;
	p->placed = e->kind == FX_BLOCK;
	if (p->placed)
		p->region = fx_block_region(e->message);
	p->slot = -1;
	p->refs = 1;
	p->fixed = pool != NULL;
	p->queued_ns = fx_now_ns();
	result = parcel_payload(p, pool, way, e, err);
	if (result == FX_OK)
		result = fx_wire_encode(e, &p->form.header, &p->form.header_size, err);
	if (result == FX_OK)
		result = fx__seal_add(&p->form.header, &p->form.header_size, p->form.payload,
				      p->form.payload_size, err);
	if (result != FX_IDLE)
		free_message(e);
	if (result != FX_OK) {
		fx__parcel_unref(p);
		return result;
	}
	*out = p;
	return FX_OK;
}

bool fx__parcel_outside(const struct fx__parcel *p, struct fx_region want)
{
	return p->placed && fx_region_empty(fx_region_intersect(p->region, want));
}

bool fx__form_skip(struct fx__form *f, uint64_t seq)
{
	const struct fx_envelope e = { .seq = seq, .mark = { .kind = FX_MARK_SKIP } };

	*f = (struct fx__form){ 0 };
	return fx_wire_encode(&e, &f->header, &f->header_size, NULL) == FX_OK &&
	       fx__seal_add(&f->header, &f->header_size, NULL, 0, NULL) == FX_OK;
}

void fx__parcel_unref(struct fx__parcel *p)
{
	if (--p->refs)
		return;
	if (p->slot >= 0)
		fx_pool_drop(p->pool, (unsigned)p->slot, 0);
	free(p->form.header);
	free(p->form.payload);
	fx__parcel_forms_fini(p);
	free(p);
}

int fx__form_send(const struct fx__form *f, void *socket)
{
	if (zmq_send(socket, f->header, f->header_size, f->payload ? ZMQ_SNDMORE : 0) < 0)
		return FX_EIO;
	if (f->payload && zmq_send(socket, f->payload, f->payload_size, 0) < 0)
		return FX_EIO;
	return FX_OK;
}

unsigned fx__skip_rest(void *socket, const void *last)
{
	unsigned n = 0;
	int more = zmq_msg_more((const zmq_msg_t *)last);

	while (more) {
		zmq_msg_t m;

		zmq_msg_init(&m);
		if (zmq_msg_recv(&m, socket, ZMQ_DONTWAIT) < 0)
			more = 0;
		else
			more = zmq_msg_more(&m);
		zmq_msg_close(&m);
		n++;
	}
	return n;
}
