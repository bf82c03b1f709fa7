// SPDX-License-Identifier: Apache-2.0
/* unpack.h: the one way from bytes of a peer to a protobuf message, bounded before it begins. */
#ifndef FX_WIRE_UNPACK_H
#define FX_WIRE_UNPACK_H

#include <fornix/error.h>
#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/frame.h"

enum {
	FX__UNPACK_DEPTH_MAX = 4,	/**< messages inside of messages, the outer one counted */
	FX__UNPACK_MEMBERS_MAX = 8192,	/**< fields of a frame, at all depths, unknown ones too */
	FX__UNPACK_ELEMENTS_MAX = 4096, /**< of one repeated field */
	FX__UNPACK_MEMORY_BASE = 4096,	/**< bytes that unpacking may take, and */
	FX__UNPACK_MEMORY_PER_BYTE = 64 /**< so many more for each byte that came */
};

/** A message and the bounded memory it lies in; zeroed before fx__unpack(). */
struct fx__unpacked {
	ProtobufCMessage *message; /**< owned, of the type asked for; NULL when there is none */
	ProtobufCAllocator allocator;
	size_t left; /**< bytes that it may still take */
};

/** Looks through @p size bytes that are to become a message of @p type, without taking memory.
 * FX_ETYPE for what is cut short, nested too deep, has too many members or elements, or a field
 * that may come once (or its oneof) twice. protobuf-c checks none of these; the last would make it
 * merge, which costs the square of the size. */
int fx__unpack_scan(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		    struct fx_error *err);
/** Checks the frame's prefix and looks through it, then unpacks it with an allocator that gives at
 * most FX__UNPACK_MEMORY_BASE + FX__UNPACK_MEMORY_PER_BYTE x @p size bytes in all. @p u must be
 * finished also after a failure. */
int fx__unpack(struct fx__unpacked *u, enum fx__frame kind, const ProtobufCMessageDescriptor *type,
	       const void *bytes, size_t size, struct fx_error *err);
void fx__unpack_fini(struct fx__unpacked *u);

#endif
