// SPDX-License-Identifier: Apache-2.0
/* letter.c: one message, payload included, as bytes. */
#include "link/letter.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "block/heap.h"

bool fx_letter_worth_coding(const struct fx_envelope *e)
{
	const struct fx_block *b = e->message;

	return e->kind != FX_BLOCK || b->role == FX_LABELS || b->role == FX_MASK;
}

static void letter_part(struct fx_letter *l, const void *bytes, size_t size)
{
	l->parts[l->parts_len++] = (struct iovec){ (void *)(uintptr_t)bytes, size };
}

int fx_letter_write(struct fx_letter *l, const struct fx_envelope *e, struct fx_error *err)
{
	const size_t size = e->kind ? fx_wire_payload_size(e->kind, e->message) : 0;
	const void *payload = size ? fx_wire_payload(e->kind, e->message) : NULL;
	struct fx_envelope in_frame = *e;
	size_t coded_size = 0;
	int result;

	*l = (struct fx_letter){ .header_size = 0 };
	in_frame.payload = (struct fx_payload){ .size = size, .raw_size = size };
	if (size && fx_letter_worth_coding(e) &&
	    fx_codec_compress(payload, size, &l->coded, &coded_size) < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory for %zu bytes", size);
	if (l->coded) {
		in_frame.payload.codec = FX_CODEC_LZ4;
		in_frame.payload.size = coded_size;
	}
	result = fx_wire_encode(&in_frame, &l->header, &l->header_size, err);
	if (result < 0) {
		fx_letter_fini(l);
		return result;
	}
	for (int i = 0; i < 4; i++)
		l->head[i] = (unsigned char)(l->header_size >> (8 * i));
	letter_part(l, l->head, sizeof l->head);
	letter_part(l, l->header, l->header_size);
	if (size)
		letter_part(l, l->coded ? l->coded : payload, in_frame.payload.size);
	return FX_OK;
}

void fx_letter_fini(struct fx_letter *l)
{
	free(l->header);
	free(l->coded);
	*l = (struct fx_letter){ .header_size = 0 };
}

int fx_letter_fill(struct fx_envelope *e, const void *bytes, size_t size, struct fx_error *err)
{
	void *raw;
	int result;

	if (size != e->payload.size)
		return fx_error_set(err, FX_ETYPE, "a payload of %zu bytes, %zu announced", size,
				    e->payload.size);
	raw = fx_alloc_aligned(e->payload.raw_size);
	if (!raw)
		return fx_error_set(err, FX_ENOMEM, "no memory for a payload");
	result = fx_codec_decompress(e->payload.codec, bytes, size, raw, e->payload.raw_size, err);
	if (result == FX_OK && e->kind == FX_BLOCK) {
		fx__block_heap(e->message, raw);
		return FX_OK;
	}
	if (result == FX_OK)
		result = fx_wire_fill(e, raw, err);
	free(raw);
	return result;
}

int fx_letter_read(const void *bytes, size_t size, struct fx_envelope *e, struct fx_error *err)
{
	const unsigned char *from = bytes;
	size_t header = 0;
	int result;

	for (int i = 3; i >= 0 && size >= 4; i--)
		header = header << 8 | from[i];
	if (size < 4 || header > size - 4)
		return fx_error_set(err, FX_ETYPE, "a letter of %zu bytes is cut short", size);
	result = fx_wire_decode(from + 4, header, e, err);
	if (result < 0)
		return result;
	if (e->payload.in_slot)
		result = fx_error_set(err, FX_ETYPE, "a letter whose payload is in a slot");
	else if (e->payload.raw_size)
		result = fx_letter_fill(e, from + 4 + header, size - 4 - header, err);
	else if (size > 4 + header)
		result = fx_error_set(err, FX_ETYPE, "a letter with %zu bytes too many",
				      size - 4 - header);
	if (result < 0)
		fx_envelope_fini(e);
	return result;
}
