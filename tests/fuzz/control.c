// SPDX-License-Identifier: Apache-2.0
/* control.c: control frames. What is accepted is within its bounds, and comes back the same. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "wire/wire.h"

static void send_on(const struct fx_control *c)
{
	struct fx_control again;
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	fuzz_must(fx_control_encode(c, &bytes, &size, &err) == FX_OK);
	fuzz_must(fx_control_decode(bytes, size, &again, &err) == FX_OK);
	fuzz_must(again.kind == c->kind && again.instance == c->instance &&
		  again.epoch == c->epoch && again.credit_messages == c->credit_messages &&
		  again.credit_bytes == c->credit_bytes && again.acks_len == c->acks_len &&
		  again.lists == c->lists && strcmp(again.node, c->node) == 0 &&
		  strcmp(again.port, c->port) == 0);
	fuzz_must(!c->acks_len || memcmp(again.acks, c->acks, c->acks_len * sizeof *c->acks) == 0);
	free(again.acks);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fx_control c;
	struct fx_error err = { 0 };
	const int result = fx_control_decode(data, size, &c, &err);

	fuzz_must_tell(result, &err);
	if (result == FX_OK) {
		fuzz_must(c.acks_len <= FX_WIRE_ACKS_MAX);
		send_on(&c);
	}
	free(c.acks);
	return 0;
}
