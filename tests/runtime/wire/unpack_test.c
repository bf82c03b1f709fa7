// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/wire/unpack.c: what costs more than it weighs is refused before it is unpacked. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "proto/block.pb-c.h"
#include "proto/control.pb-c.h"
#include "wire/unpack.h"
#include "wire/wire.h"

/* A message that holds one of its own kind, as no schema of ours does, and a very large one. */
struct knot {
	ProtobufCMessage base;
	struct knot *inner;
};
struct fat {
	ProtobufCMessage base;
	char rest[1 << 20];
};

static const ProtobufCMessageDescriptor knot_type;
static const ProtobufCFieldDescriptor knot_field = {
	.name = "inner",
	.id = 1,
	.label = PROTOBUF_C_LABEL_NONE,
	.type = PROTOBUF_C_TYPE_MESSAGE,
	.offset = offsetof(struct knot, inner),
	.descriptor = &knot_type,
};
static const unsigned by_name[] = { 0 };
static const ProtobufCIntRange ranges[] = { { 1, 0 }, { 0, 1 } };
static const ProtobufCMessageDescriptor knot_type = {
	.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
	.name = "knot",
	.sizeof_message = sizeof(struct knot),
	.n_fields = 1,
	.fields = &knot_field,
	.fields_sorted_by_name = by_name,
	.n_field_ranges = 1,
	.field_ranges = ranges,
};
static const ProtobufCMessageDescriptor fat_type = {
	.magic = PROTOBUF_C__MESSAGE_DESCRIPTOR_MAGIC,
	.name = "fat",
	.sizeof_message = sizeof(struct fat),
	.fields_sorted_by_name = by_name,
	.field_ranges = ranges + 1,
};

/* A frame that is being written. */
struct bytes {
	uint8_t *at;
	size_t len;
};

static struct bytes frame(enum fx__frame kind)
{
	struct bytes b = { calloc(FX_WIRE_HEADER_MAX + 16, 1), 4 };

	assert_non_null(b.at);
	b.at[0] = 'f';
	b.at[1] = 'x';
	b.at[2] = FX_WIRE_VERSION;
	b.at[3] = (uint8_t)kind;
	return b;
}

static void put(struct bytes *b, const char *bytes, size_t len)
{
	assert_true(b->len + len <= FX_WIRE_HEADER_MAX + 16);
	memcpy(b->at + b->len, bytes, len);
	b->len += len;
}

/* The result of unpacking the frame, which is freed; what was said must hold @p why. */
static void expect(struct bytes *b, enum fx__frame kind, const ProtobufCMessageDescriptor *type,
		   const char *why)
{
	struct fx__unpacked u = { 0 };
	struct fx_error err = { 0 };
	const int result = fx__unpack(&u, kind, type, b->at, b->len, &err);

	if (why ? result != FX_ETYPE || !strstr(err.text, why) : result != FX_OK)
		fail_msg("%d \"%s\", not \"%s\"", result, err.text, why ? why : "");
	assert_true((u.message != NULL) == (why == NULL));
	fx__unpack_fini(&u);
	free(b->at);
}

/* @p depth messages, each in the one before. The lengths are written as three bytes. */
static struct bytes nested(unsigned depth)
{
	struct bytes b = frame(FX__FRAME_HEADER);

	for (unsigned left = 4 * (depth - 1); left; left -= 4) {
		const unsigned n = left - 4;
		const uint8_t head[4] = { 0x0a, (uint8_t)(n | 0x80), (uint8_t)(n >> 7 | 0x80),
					  (uint8_t)(n >> 14) };

		put(&b, (const char *)head, 4);
	}
	return b;
}

static void deep_nesting_is_refused(void **unused)
{
	struct bytes b = nested(FX__UNPACK_DEPTH_MAX);

	(void)unused;
	expect(&b, FX__FRAME_HEADER, &knot_type, NULL);
	b = nested(FX__UNPACK_DEPTH_MAX + 1);
	expect(&b, FX__FRAME_HEADER, &knot_type, "nested");
	b = nested(16000); /* protobuf-c alone runs out of stack */
	expect(&b, FX__FRAME_HEADER, &knot_type, "nested");
}

static void memory_follows_the_length(void **unused)
{
	struct bytes b = frame(FX__FRAME_HEADER);

	(void)unused;
	put(&b, "\x10\x01", 2);
	expect(&b, FX__FRAME_HEADER, &fat_type, "does not decode");
	b = frame(FX__FRAME_HEADER); /* of 64 KiB; room for it */
	for (int i = 0; i < 60; i++) {
		put(&b, "\x12\xe8\x07", 3); /* an unknown field of 1000 bytes */
		b.len += 1000;
	}
	expect(&b, FX__FRAME_HEADER, &fat_type, NULL);
}

static void what_may_come_once_comes_once(void **unused)
{
	static const struct {
		const char *bytes, *why;
		size_t len;
	} all[] = {
		{ "\x1a\x00\x10\x05", NULL, 4 },		  /* block {}, seq 5 */
		{ "\x1a\x00\x1a\x00", "comes twice", 4 },	  /* block {}, block {} */
		{ "\x1a\x00\x22\x00", "comes twice", 4 },	  /* block {}, tree {} */
		{ "\x10\x05\x10\x05", "comes twice", 4 },	  /* seq 5, seq 5 */
		{ "\x32\x04\x12\x00\x12\x00", "comes twice", 6 }, /* mark { region, region } */
		{ "\x32\x04\x2a\x00\x2a\x00", "comes twice", 6 }, /* mark { reason, reason } */
		{ "\x2a\x04\x1a\x00\x1a\x00", NULL, 6 },	  /* record { field, field } */
		{ "\xb8\x01\x05\xb8\x01\x05", NULL, 6 },	  /* field 23, of a later version */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct bytes b = frame(FX__FRAME_HEADER);

		put(&b, all[i].bytes, all[i].len);
		expect(&b, FX__FRAME_HEADER, &fornix__header__descriptor, all[i].why);
	}
}

static void expect_acks(unsigned n, bool packed, const char *why)
{
	struct bytes b = frame(FX__FRAME_CONTROL);
	const unsigned inner = packed ? n + 3 : 2 * n;
	const uint8_t head[7] = { 0x1a, (uint8_t)(inner | 0x80), (uint8_t)(inner >> 7),
				  0x0a, (uint8_t)(n | 0x80),	 (uint8_t)(n >> 7) };

	put(&b, (const char *)head, packed ? 6 : 3);
	for (unsigned i = 0; i < n; i++)
		put(&b, packed ? "\x07" : "\x08\x07", packed ? 1 : 2);
	expect(&b, FX__FRAME_CONTROL, &fornix__control__descriptor, why);
}

static void many_elements_are_refused(void **unused)
{
	(void)unused;
	expect_acks(FX__UNPACK_ELEMENTS_MAX, true, NULL);
	expect_acks(FX__UNPACK_ELEMENTS_MAX, false, NULL);
	expect_acks(FX__UNPACK_ELEMENTS_MAX + 1, true, "elements");
	expect_acks(FX__UNPACK_ELEMENTS_MAX + 1, false, "elements");
}

static void many_fields_are_refused(void **unused)
{
	(void)unused;
	for (unsigned over = 0; over < 2; over++) {
		struct bytes b = frame(FX__FRAME_HEADER);

		for (unsigned i = 0; i < FX__UNPACK_MEMBERS_MAX + over; i++)
			put(&b, "\xb8\x01\x05", 3);
		expect(&b, FX__FRAME_HEADER, &fornix__header__descriptor, over ? "fields" : NULL);
	}
}

static void damage_is_refused(void **unused)
{
	static const struct {
		const char *bytes;
		size_t len;
	} all[] = {
		{ "\x02\x00", 2 },					    /* field 0 */
		{ "\x1b\x1c", 2 },					    /* a group */
		{ "\x10", 1 },						    /* no value */
		{ "\x10\x80", 2 },					    /* half a value */
		{ "\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12 }, /* too long */
		{ "\x1a\x05\x08\x01", 4 },				    /* too short */
		{ "\x1a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },	    /* 2^64 - 1 bytes */
		{ "\x31\x00\x00\x00", 4 },				    /* half a double */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00", 11 },	    /* field 2^61 - 1 */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		struct bytes b = frame(FX__FRAME_HEADER);

		put(&b, all[i].bytes, all[i].len);
		expect(&b, FX__FRAME_HEADER, &fornix__header__descriptor, "cut short");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deep_nesting_is_refused),
		cmocka_unit_test(memory_follows_the_length),
		cmocka_unit_test(what_may_come_once_comes_once),
		cmocka_unit_test(many_elements_are_refused),
		cmocka_unit_test(many_fields_are_refused),
		cmocka_unit_test(damage_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
