// SPDX-License-Identifier: Apache-2.0
/* frame.c: the four bytes before every frame. */
#include "wire/frame.h"

#include <stdlib.h>

#include "wire/wire.h"

int fx__frame_pack(enum fx__frame kind, const ProtobufCMessage *m, void **bytes, size_t *size,
		   struct fx_error *err)
{
	const size_t len = protobuf_c_message_get_packed_size(m);
	uint8_t *out;

	if (len > FX_WIRE_HEADER_MAX - FX__PREFIX)
		return fx_error_set(err, FX_EINVAL, "a header of %zu bytes is over the limit of %d",
				    len, FX_WIRE_HEADER_MAX);
	out = malloc(FX__PREFIX + len);
	if (!out)
		return fx_error_set(err, FX_ENOMEM, "no memory for a header of %zu bytes", len);
	out[0] = 'f';
	out[1] = 'x';
	out[2] = FX_WIRE_VERSION;
	out[3] = (uint8_t)kind;
	protobuf_c_message_pack(m, out + FX__PREFIX);
	*bytes = out;
	*size = FX__PREFIX + len;
	return FX_OK;
}

int fx_wire_version(const void *bytes, size_t size)
{
	const uint8_t *in = bytes;

	return size < FX__PREFIX || in[0] != 'f' || in[1] != 'x' ? -1 : in[2];
}

int fx__frame_check(enum fx__frame kind, const void *bytes, size_t size, struct fx_error *err)
{
	const uint8_t *in = bytes;

	if (size < FX__PREFIX || in[0] != 'f' || in[1] != 'x')
		return fx_error_set(err, FX_ETYPE, "not a fornix frame (%zu bytes)", size);
	if (in[2] != FX_WIRE_VERSION)
		return fx_error_set(
			err, FX_ETYPE,
			"the peer speaks wire version %d, this fornix speaks %d: use the same "
			"release of fornix on both sides",
			in[2], FX_WIRE_VERSION);
	if (size > FX_WIRE_HEADER_MAX || in[3] != (uint8_t)kind)
		return fx_error_set(err, FX_ETYPE, "unexpected frame of kind %d, %zu bytes", in[3],
				    size);
	return FX_OK;
}
