// SPDX-License-Identifier: Apache-2.0
/* frame.h: the four bytes before every frame. */
#ifndef FX_WIRE_FRAME_H
#define FX_WIRE_FRAME_H

#include <fornix/error.h>
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

enum { FX__PREFIX = 4 };

/** What follows the prefix. */
enum fx__frame { FX__FRAME_HEADER = 'H', FX__FRAME_CONTROL = 'C' };

/** Packs @p m behind the prefix into fresh memory. */
int fx__frame_pack(enum fx__frame kind, const ProtobufCMessage *m, void **bytes, size_t *size,
		   struct fx_error *err);
/** Checks length, magic, version and kind of a frame. */
int fx__frame_check(enum fx__frame kind, const void *bytes, size_t size, struct fx_error *err);

#endif
