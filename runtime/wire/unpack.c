// SPDX-License-Identifier: Apache-2.0
/* unpack.c: the one way from bytes of a peer to a protobuf message, bounded before it begins. */
#include "wire/unpack.h"

#include <stdbool.h>
#include <stdlib.h>

enum { FIELDS_MAX = 32, VARINT_MAX = 10 };

/* Wire types of protobuf. */
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

/* What is left to look at. */
struct cursor {
	const uint8_t *at;
	size_t left;
};

static bool take(struct cursor *c, size_t n)
{
	if (n > c->left)
		return false;
	c->at += n;
	c->left -= n;
	return true;
}

static bool take_varint(struct cursor *c, uint64_t *value)
{
	*value = 0;
	for (unsigned i = 0; i < VARINT_MAX && i < c->left; i++) {
		const uint8_t byte = c->at[i];

		*value |= (uint64_t)(byte & 0x7f) << 7 * i;
		if (!(byte & 0x80))
			return take(c, i + 1);
	}
	return false;
}

/* One field: its tag, and where its contents are. */
struct member {
	uint64_t tag, wire;
	struct cursor body;
};

static bool take_member(struct cursor *c, struct member *m)
{
	uint64_t key, size = 0;

	if (!take_varint(c, &key) || key > UINT32_MAX || key >> 3 == 0)
		return false;
	m->tag = key >> 3;
	m->wire = key & 7;
	if (m->wire == WIRE_BYTES && !take_varint(c, &size))
		return false;
	m->body = *c;
	if (m->wire == WIRE_VARINT)
		return take_varint(c, &size);
	if (m->wire == WIRE_64 || m->wire == WIRE_32)
		size = m->wire == WIRE_64 ? 8 : 4;
	else if (m->wire != WIRE_BYTES)
		return false;
	m->body.left = size <= c->left ? (size_t)size : 0;
	return size <= c->left && take(c, (size_t)size);
}

/* Elements that protobuf-c makes of it, packed or not. */
static size_t elements(const ProtobufCFieldDescriptor *f, const struct member *m)
{
	size_t n = 0;

	if (m->wire != WIRE_BYTES)
		return 1;
	switch (f->type) {
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return 1;
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return m->body.left / 4;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return m->body.left / 8;
	default:
		for (size_t i = 0; i < m->body.left; i++)
			n += !(m->body.at[i] & 0x80);
		return n;
	}
}

/* A oneof counts as one field: that of its first member. */
static unsigned slot_of(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *f)
{
	for (unsigned i = 0; f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF && i < type->n_fields; i++)
		if (type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF &&
		    type->fields[i].quantifier_offset == f->quantifier_offset)
			return i;
	return (unsigned)(f - type->fields);
}

static int count_member(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *f,
			const struct member *m, size_t counts[FIELDS_MAX], struct fx_error *err)
{
	const bool many = f->label == PROTOBUF_C_LABEL_REPEATED;
	size_t *n = &counts[slot_of(type, f)];

	*n += many ? elements(f, m) : 1;
	if (many && *n > FX__UNPACK_ELEMENTS_MAX)
		return fx_error_set(err, FX_ETYPE, "%s.%s has more than %d elements", type->name,
				    f->name, FX__UNPACK_ELEMENTS_MAX);
	if (!many && *n > 1)
		return fx_error_set(err, FX_ETYPE, "%s.%s comes twice, or with another of its kind",
				    type->name, f->name);
	return FX_OK;
}

static int scan(const ProtobufCMessageDescriptor *type, struct cursor c, unsigned depth,
		size_t *members, struct fx_error *err)
{
	size_t counts[FIELDS_MAX] = { 0 };
	struct member m;
	int result = FX_OK;

	if (depth > FX__UNPACK_DEPTH_MAX || type->n_fields > FIELDS_MAX)
		return fx_error_set(err, FX_ETYPE, "messages nested more than %d deep",
				    FX__UNPACK_DEPTH_MAX);
	while (c.left && result == FX_OK) {
		const ProtobufCFieldDescriptor *f;

		if (!take_member(&c, &m))
			return fx_error_set(err, FX_ETYPE, "a %s that is cut short or damaged",
					    type->name);
		if (++*members > FX__UNPACK_MEMBERS_MAX)
			return fx_error_set(err, FX_ETYPE, "a frame of more than %d fields",
					    FX__UNPACK_MEMBERS_MAX);
		f = protobuf_c_message_descriptor_get_field(type, (unsigned)m.tag);
		if (f)
			result = count_member(type, f, &m, counts, err);
		if (f && result == FX_OK && f->type == PROTOBUF_C_TYPE_MESSAGE &&
		    m.wire == WIRE_BYTES)
			result = scan(f->descriptor, m.body, depth + 1, members, err);
	}
	return result;
}

int fx__unpack_scan(const ProtobufCMessageDescriptor *type, const void *bytes, size_t size,
		    struct fx_error *err)
{
	size_t members = 0;

	return scan(type, (struct cursor){ bytes, size }, 1, &members, err);
}

static void *capped_alloc(void *data, size_t size)
{
	struct fx__unpacked *u = data;

	if (size > u->left)
		return NULL;
	u->left -= size;
	return malloc(size);
}

static void capped_free(void *data, void *pointer)
{
	(void)data;
	free(pointer);
}

int fx__unpack(struct fx__unpacked *u, enum fx__frame kind, const ProtobufCMessageDescriptor *type,
	       const void *bytes, size_t size, struct fx_error *err)
{
	int result = fx__frame_check(kind, bytes, size, err);
	const uint8_t *body;

	if (result < 0)
		return result;
	body = (const uint8_t *)bytes + FX__PREFIX;
	result = fx__unpack_scan(type, body, size - FX__PREFIX, err);
	if (result < 0)
		return result;
	u->allocator = (ProtobufCAllocator){ capped_alloc, capped_free, u };
	u->left = FX__UNPACK_MEMORY_BASE + FX__UNPACK_MEMORY_PER_BYTE * size;
	u->message = protobuf_c_message_unpack(type, &u->allocator, size - FX__PREFIX, body);
	if (!u->message)
		return fx_error_set(err, FX_ETYPE, "a %s of %zu bytes that does not decode",
				    type->name, size);
	return FX_OK;
}

void fx__unpack_fini(struct fx__unpacked *u)
{
	if (u->message)
		protobuf_c_message_free_unpacked(u->message, &u->allocator);
	u->message = NULL;
}
