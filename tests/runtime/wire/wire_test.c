// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/wire/: what goes in comes out, and hostile bytes are refused. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto/block.pb-c.h"
#include "wire/wire.h"

static struct fx_block *some_block(void)
{
	struct fx_block *b = fx_block_new(FX_U16, 3, 4, 5);

	b->role = FX_LABELS;
	b->level = 2;
	for (int a = 0; a < 3; a++) {
		b->origin[a] = -7 * (a + 1);
		b->halo_lo[a] = (uint32_t)a;
		b->halo_hi[a] = 1;
		b->voxel_nm[a] = 8.5 * (a + 1);
	}
	return b;
}

static struct fx_envelope envelope_of(enum fx_kind kind, void *message)
{
	struct fx_envelope e = { .seq = 12345678901234u, .kind = kind, .message = message };

	e.payload.size = e.payload.raw_size = kind ? fx_wire_payload_size(kind, message) : 0;
	return e;
}

static struct fx_envelope through(struct fx_envelope *e)
{
	struct fx_envelope out;
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	assert_int_equal(fx_wire_encode(e, &bytes, &size, &err), FX_OK);
	assert_int_equal(fx_wire_decode(bytes, size, &out, &err), FX_OK);
	free(bytes);
	assert_int_equal(out.seq, e->seq);
	assert_int_equal(out.kind, e->kind);
	return out;
}

static void a_block_comes_back(void **unused)
{
	struct fx_block *b = some_block();
	struct fx_envelope e = envelope_of(FX_BLOCK, b);
	struct fx_envelope out = through(&e);
	const struct fx_block *c = out.message;

	(void)unused;
	assert_int_equal(c->dtype, FX_U16);
	assert_int_equal(c->role, FX_LABELS);
	assert_int_equal(c->level, 2);
	assert_memory_equal(c->origin, b->origin, sizeof b->origin);
	assert_memory_equal(c->shape, b->shape, sizeof b->shape);
	assert_memory_equal(c->halo_lo, b->halo_lo, sizeof b->halo_lo);
	assert_memory_equal(c->halo_hi, b->halo_hi, sizeof b->halo_hi);
	assert_memory_equal(c->voxel_nm, b->voxel_nm, sizeof b->voxel_nm);
	fx_envelope_fini(&out);
	fx_envelope_fini(&e);
}

static void a_tree_comes_back(void **unused)
{
	struct fx_tree *t = fx_tree_new(99, 3);
	struct fx_envelope e, out;

	(void)unused;
	t->confidence = 0.25;
	t->nodes[0].parent = -1;
	t->nodes[2].parent = 1;
	t->nodes[2].pos_nm[1] = 17.5;
	e = envelope_of(FX_TREE, t);
	out = through(&e);
	assert_int_equal(fx_wire_fill(&out, t->nodes, NULL), FX_OK);
	assert_memory_equal(((struct fx_tree *)out.message)->nodes, t->nodes, 3 * sizeof *t->nodes);
	assert_int_equal(((struct fx_tree *)out.message)->segment, 99);
	t->nodes[1].parent = 2; /* a parent behind its child */
	assert_true(fx_wire_fill(&out, t->nodes, NULL) < 0);
	t->nodes[1].parent = 0;
	t->nodes[1].radius_nm = (double)NAN;
	assert_true(fx_wire_fill(&out, t->nodes, NULL) < 0);
	fx_envelope_fini(&out);
	fx_envelope_fini(&e);
}

static void a_record_and_a_mark_come_back(void **unused)
{
	struct fx_record *r = fx_record_new("scores");
	struct fx_mark m = { .kind = FX_MARK_MISSING, .region = { { 1, 2, 3 }, { 4, 5, 6 } } };
	struct fx_envelope e, out;

	(void)unused;
	fx_record_add_number(r, "voi", 1.25);
	fx_record_add_text(r, "unit", "bit");
	fx_record_table(r, 2, 3);
	e = envelope_of(FX_RECORD, r);
	out = through(&e);
	assert_true(fx_record_number(out.message, "voi", 0) == 1.25);
	assert_string_equal(fx_record_text(out.message, "unit"), "bit");
	assert_int_equal(((struct fx_record *)out.message)->rows, 2);
	fx_envelope_fini(&out);
	fx_envelope_fini(&e);
	strcpy(m.reason, "no file");
	e = (struct fx_envelope){ .seq = 5, .mark = m };
	out = through(&e);
	assert_int_equal(out.mark.kind, FX_MARK_MISSING);
	assert_string_equal(out.mark.reason, "no file");
	assert_memory_equal(&out.mark.region, &m.region, sizeof m.region);
}

static void every_prefix_is_refused(void **unused)
{
	struct fx_block *b = some_block();
	struct fx_envelope e = envelope_of(FX_BLOCK, b), out;
	void *bytes;
	size_t size;

	(void)unused;
	fx_wire_encode(&e, &bytes, &size, NULL);
	for (size_t n = 0; n < size; n++) {
		char *copy = malloc(n ? n : 1); /* so that a sanitizer sees what is read beyond */

		memcpy(copy, bytes, n);
		if (fx_wire_decode(copy, n, &out, NULL) == FX_OK)
			fx_envelope_fini(&out);
		free(copy);
	}
	assert_true(fx_wire_decode(bytes, 4, &out, NULL) < 0);
	((char *)bytes)[2] = FX_WIRE_VERSION + 1;
	assert_true(fx_wire_decode(bytes, size, &out, NULL) < 0);
	free(bytes);
	fx_envelope_fini(&e);
}

/* The frame @p bytes with one member of its block changed. */
static void *spoil(const void *bytes, size_t *size, int what)
{
	Fornix__Header *h = fornix__header__unpack(NULL, *size - 4, (const uint8_t *)bytes + 4);
	uint8_t *out;

	assert_non_null(h);
	switch (what) {
	case 0:
		h->block->dtype = 3;
		break;
	case 1:
		h->block->channels = 0;
		break;
	case 2:
		h->block->halo_lo[1] = 3;
		break; /* with halo_hi: nothing is left */
	case 3:
		h->block->voxel_nm[0] = -1;
		break;
	case 4:
		h->block->origin[2] = INT64_MAX;
		break;
	case 5:
		h->payload->size = --h->payload->raw_size;
		break;
	case 6:
		h->block->shape[0] = SIZE_MAX / 2;
		break;
	case 7:
		h->block->role = 17;
		break;
	}
	*size = 4 + fornix__header__get_packed_size(h);
	out = malloc(*size);
	memcpy(out, bytes, 4);
	fornix__header__pack(h, out + 4);
	fornix__header__free_unpacked(h, NULL);
	return out;
}

static void geometry_out_of_bounds_is_refused(void **unused)
{
	struct fx_block *b = some_block();
	struct fx_envelope e = envelope_of(FX_BLOCK, b), out;
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	(void)unused;
	assert_int_equal(fx_wire_encode(&e, &bytes, &size, &err), FX_OK);
	for (int i = 0; i < 9; i++) {
		size_t spoilt_size = size;
		void *spoilt = spoil(bytes, &spoilt_size, i);

		if (i == 8) { /* as it was */
			assert_int_equal(fx_wire_decode(spoilt, spoilt_size, &out, &err), FX_OK);
			fx_envelope_fini(&out);
		} else {
			assert_true(fx_wire_decode(spoilt, spoilt_size, &out, &err) < 0);
		}
		free(spoilt);
	}
	free(bytes);
	fx_envelope_fini(&e);
}

static void refuse_to_send(enum fx_kind kind, void *message)
{
	struct fx_envelope e = envelope_of(kind, message);
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	assert_true(fx_wire_encode(&e, &bytes, &size, &err) < 0);
	assert_true(err.text[0]);
	fx_envelope_fini(&e);
}

/* No consumer would take these, and the run would wait for them for ever. */
static void what_is_refused_is_not_sent(void **unused)
{
	struct fx_envelope mark = { .mark = { .kind = FX_MARK_OPEN, .voxel_nm = { 8, 8, 8 } } };
	struct fx_block *b = some_block();
	struct fx_tree *t = fx_tree_new(1, 1);
	struct fx_record *fields = fx_record_new("scores"), *columns = fx_record_new("scores");
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;

	(void)unused;
	b->voxel_nm[2] = 0;
	refuse_to_send(FX_BLOCK, b);
	b = some_block();
	b->halo_lo[0] = 2;
	refuse_to_send(FX_BLOCK, b);
	t->nodes[0].parent = 0;
	refuse_to_send(FX_TREE, t);
	for (int i = 0; i < 1025; i++)
		fx_record_add_number(fields, "n", i);
	refuse_to_send(FX_RECORD, fields);
	fx_record_table(columns, 1, 65);
	refuse_to_send(FX_RECORD, columns);
	assert_true(fx_wire_encode(&mark, &bytes, &size, &err) < 0); /* no dtype */
	mark.mark.dtype = FX_U8;
	assert_int_equal(fx_wire_encode(&mark, &bytes, &size, &err), FX_OK);
	free(bytes);
}

static void mutated_bytes_never_crash(void **unused)
{
	uint64_t seed = 1;
	struct fx_record *r = fx_record_new("scores");
	struct fx_envelope e;
	void *bytes;
	size_t size;

	(void)unused;
	fx_record_add_text(r, "unit", "bit");
	fx_record_table(r, 4, 2);
	e = envelope_of(FX_RECORD, r);
	fx_wire_encode(&e, &bytes, &size, NULL);
	for (int i = 0; i < 20000; i++) {
		struct fx_envelope out;
		uint8_t *copy = malloc(size);

		memcpy(copy, bytes, size);
		for (int k = 0; k < 3; k++)
			copy[4 + test_random(&seed) % (size - 4)] = (uint8_t)test_random(&seed);
		if (fx_wire_decode(copy, size, &out, NULL) == FX_OK)
			fx_envelope_fini(&out);
		free(copy);
	}
	free(bytes);
	fx_envelope_fini(&e);
}

static void codec_keeps_bytes_and_refuses_bombs(void **unused)
{
	enum { SIZE = 100000 };
	uint8_t *raw = calloc(SIZE, 1), *back = calloc(SIZE, 1);
	void *coded;
	size_t size;
	uint64_t seed = 3;

	(void)unused;
	for (int i = 0; i < SIZE; i += 997)
		raw[i] = (uint8_t)i;
	assert_int_equal(fx_codec_compress(raw, SIZE, &coded, &size), FX_OK);
	assert_non_null(coded);
	assert_true(size < SIZE / 10);
	assert_int_equal(fx_codec_decompress(FX_CODEC_LZ4, coded, size, back, SIZE, NULL), FX_OK);
	assert_memory_equal(raw, back, SIZE);
	assert_true(fx_codec_decompress(FX_CODEC_LZ4, coded, size, back, SIZE / 2, NULL) < 0);
	assert_true(fx_codec_decompress(FX_CODEC_LZ4, coded, size / 2, back, SIZE, NULL) < 0);
	assert_true(fx_codec_decompress(FX_CODEC_STORED, coded, size, back, SIZE, NULL) < 0);
	free(coded);
	for (int i = 0; i < SIZE; i++)
		raw[i] = (uint8_t)test_random(&seed);
	assert_int_equal(fx_codec_compress(raw, SIZE, &coded, &size), FX_OK);
	assert_null(coded); /* noise is stored */
	free(raw);
	free(back);
}

/* A few bytes that say they become the most there may be: refused before memory is taken. */
static void a_bomb_is_refused_by_its_header(void **unused)
{
	struct fx_block *b = fx_block_new(FX_U8, 1, 510, 10);
	struct fx_envelope e = envelope_of(FX_BLOCK, b), out;
	struct fx_error err = { 0 };

	(void)unused;
	e.payload.codec = FX_CODEC_ZSTD;
	for (e.payload.size = 19; e.payload.size <= 20; e.payload.size++) {
		void *bytes;
		size_t size;
		int result;

		assert_int_equal(fx_wire_encode(&e, &bytes, &size, &err), FX_OK);
		result = fx_wire_decode(bytes, size, &out, &err);
		assert_int_equal(result, e.payload.size == 20 ? FX_OK : FX_ETYPE);
		if (result == FX_OK)
			fx_envelope_fini(&out);
		free(bytes);
	}
	fx_envelope_fini(&e);
}

/* A name that is cut could be that of another. */
static void a_long_name_is_refused(void **unused)
{
	static const uint8_t start[] = { 'f', 'x', FX_WIRE_VERSION, 'C', 0x12, 2, 0x12, 0 };

	(void)unused;
	for (uint8_t field = 0x12; field <= 0x1a; field += 8) /* node, port */
		for (uint8_t len = 63; len <= 64; len++) {
			uint8_t bytes[sizeof start + 64];
			struct fx_control out;

			memcpy(bytes, start, sizeof start);
			memset(bytes + sizeof start, 'n', 64);
			bytes[5] = (uint8_t)(2 + len);
			bytes[6] = field;
			bytes[7] = len;
			assert_int_equal(fx_control_decode(bytes, sizeof start + len, &out, NULL),
					 len < 64 ? FX_OK : FX_ETYPE);
		}
}

static void control_comes_back(void **unused)
{
	uint64_t acks[3] = { 1, 5, 1u << 31 };
	struct fx_control c = { .kind = FX_CONTROL_HELLO,
				.node = "segment",
				.port = "image",
				.instance = 3,
				.epoch = 2,
				.credit_messages = 4,
				.credit_bytes = 99 };
	struct fx_control out;
	void *bytes;
	size_t size;

	(void)unused;
	fx_control_encode(&c, &bytes, &size, NULL);
	assert_true(fx_wire_is_control(bytes, size));
	assert_int_equal(fx_control_decode(bytes, size, &out, NULL), FX_OK);
	assert_string_equal(out.node, "segment");
	assert_true(out.instance == 3 && out.epoch == 2 && out.credit_bytes == 99);
	assert_true(!out.lists && !out.acks);
	assert_true(!out.wants && out.want.lo[1] == INT64_MIN && out.want.hi[2] == INT64_MAX);
	free(bytes);
	c.wants = true;
	c.want = (struct fx_region){ { -5, 0, 7 }, { INT64_MAX, 1, 1 << 20 } };
	fx_control_encode(&c, &bytes, &size, NULL);
	assert_int_equal(fx_control_decode(bytes, size, &out, NULL), FX_OK);
	assert_true(out.wants);
	assert_memory_equal(&out.want, &c.want, sizeof c.want);
	free(bytes);
	c.lists = true;
	c.acks = acks;
	c.acks_len = 3;
	fx_control_encode(&c, &bytes, &size, NULL);
	assert_int_equal(fx_control_decode(bytes, size, &out, NULL), FX_OK);
	assert_true(out.lists && out.acks_len == 3);
	assert_memory_equal(out.acks, acks, sizeof acks);
	free(out.acks);
	free(bytes);
	c = (struct fx_control){ .kind = FX_CONTROL_ACK, .acks = acks, .acks_len = 3 };
	fx_control_encode(&c, &bytes, &size, NULL);
	assert_int_equal(fx_control_decode(bytes, size, &out, NULL), FX_OK);
	assert_memory_equal(out.acks, acks, sizeof acks);
	free(out.acks);
	assert_true(fx_control_decode(bytes, 3, &out, NULL) < 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_comes_back),
		cmocka_unit_test(a_tree_comes_back),
		cmocka_unit_test(a_record_and_a_mark_come_back),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(geometry_out_of_bounds_is_refused),
		cmocka_unit_test(what_is_refused_is_not_sent),
		cmocka_unit_test(mutated_bytes_never_crash),
		cmocka_unit_test(codec_keeps_bytes_and_refuses_bombs),
		cmocka_unit_test(a_bomb_is_refused_by_its_header),
		cmocka_unit_test(a_long_name_is_refused),
		cmocka_unit_test(control_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
