// SPDX-License-Identifier: Apache-2.0
/* header.c: header frames of blocks, trees, records and marks. What is accepted is within its
 * bounds, and comes back the same when it is sent on. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "wire/wire.h"

enum { FILL_MAX = 1 << 16 };

/* The payload of a tree or record, where it is not large: zeros, so the first tree node is its own
 * parent and must be refused. */
static void fill(struct fx_envelope *e)
{
	struct fx_error err = { 0 };
	void *raw = calloc(e->payload.raw_size + 1, 1);
	int result;

	fuzz_must(raw != NULL);
	result = fx_wire_fill(e, raw, &err);
	fuzz_must_tell(result, &err);
	fuzz_must(e->kind != FX_TREE || !e->payload.raw_size || result < 0);
	free(raw);
	for (size_t i = 0; e->kind == FX_TREE && i < ((struct fx_tree *)e->message)->len; i++)
		((struct fx_tree *)e->message)->nodes[i].parent = -1;
}

static void send_on(const struct fx_envelope *e)
{
	struct fx_envelope again;
	struct fx_error err = { 0 };
	void *first, *second;
	size_t first_size, second_size;

	fuzz_must(fx_wire_encode(e, &first, &first_size, &err) == FX_OK);
	fuzz_must(fx_wire_decode(first, first_size, &again, &err) == FX_OK);
	fuzz_must(again.kind == e->kind && again.seq == e->seq);
	if (again.kind == FX_TREE)
		fill(&again);
	fuzz_must(fx_wire_encode(&again, &second, &second_size, &err) == FX_OK);
	fuzz_must(first_size == second_size && memcmp(first, second, first_size) == 0);
	fx_envelope_fini(&again);
	free(first);
	free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_envelope e;
	struct fx_error err = { 0 };
	const int result = fx_wire_decode(data, size, &e, &err);

	fuzz_must_tell(result, &err);
	if (result < 0) {
		fuzz_must(e.message == NULL);
		return 0;
	}
	fuzz_must(fx_wire_payload_size(e.kind, e.message) == e.payload.raw_size);
	fuzz_must(e.payload.raw_size <= FX_WIRE_PAYLOAD_MAX);
	fuzz_must(strnlen(e.mark.reason, sizeof e.mark.reason) < sizeof e.mark.reason);
	if (e.payload.raw_size <= FILL_MAX) {
		fill(&e);
		send_on(&e);
	}
	fx_envelope_fini(&e);
	return 0;
}
