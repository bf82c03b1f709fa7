// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/letter: a message becomes bytes and comes back; damaged bytes do not. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "link/letter.h"

/* The bytes of @p e in one piece; free(). */
static unsigned char *bytes_of(const struct fx_envelope *e, size_t *size)
{
	struct fx_letter l;
	struct fx_error err = { 0 };
	unsigned char *bytes;

	assert_int_equal(fx_letter_write(&l, e, &err), FX_OK);
	*size = 0;
	for (int i = 0; i < l.parts_len; i++)
		*size += l.parts[i].iov_len;
	bytes = malloc(*size);
	assert_non_null(bytes);
	*size = 0;
	for (int i = 0; i < l.parts_len; i++) {
		memcpy(bytes + *size, l.parts[i].iov_base, l.parts[i].iov_len);
		*size += l.parts[i].iov_len;
	}
	fx_letter_fini(&l);
	return bytes;
}

static struct fx_envelope block_of(enum fx_role role)
{
	struct fx_block *b = fx_block_new(FX_U32, 4, 8, 16);
	uint32_t *v = b->data;

	b->role = role;
	for (size_t i = 0; i < fx_block_len(b); i++)
		v[i] = role == FX_LABELS ? (uint32_t)(i / 100) : (uint32_t)(i * 2654435761u);
	return (struct fx_envelope){ .seq = 77, .kind = FX_BLOCK, .message = b };
}

static void voxels_come_back(enum fx_role role, size_t at_most)
{
	struct fx_envelope e = block_of(role), out;
	const struct fx_block *b = e.message, *c;
	struct fx_error err = { 0 };
	size_t size;
	unsigned char *bytes = bytes_of(&e, &size);

	assert_true(size <= at_most);
	assert_int_equal(fx_letter_read(bytes, size, &out, &err), FX_OK);
	c = out.message;
	assert_int_equal(out.seq, 77);
	assert_int_equal(c->shape[2], 16);
	assert_memory_equal(c->data, b->data, 4 * fx_block_len(b));
	fx_envelope_fini(&out);
	fx_envelope_fini(&e);
	free(bytes);
}

static void blocks_come_back(void **unused)
{
	(void)unused;
	voxels_come_back(FX_IMAGE, 2048 + 200);
	voxels_come_back(FX_LABELS, 400); /* coded */
}

static void marks_and_records_come_back(void **unused)
{
	struct fx_record *r = fx_record_new("equivalence");
	struct fx_envelope e = { .seq = 5, .kind = FX_RECORD, .message = r }, out;
	struct fx_envelope m = { .seq = 6, .mark = { .kind = FX_MARK_MISSING } };
	struct fx_error err = { 0 };
	unsigned char *bytes;
	size_t size;

	(void)unused;
	assert_int_equal(fx_record_table(r, 3, 2), FX_OK);
	for (size_t i = 0; i < 6; i++)
		r->table[i] = i * i;
	bytes = bytes_of(&e, &size);
	assert_int_equal(fx_letter_read(bytes, size, &out, &err), FX_OK);
	assert_int_equal(((struct fx_record *)out.message)->table[5], 25);
	fx_envelope_fini(&out);
	fx_envelope_fini(&e);
	free(bytes);
	snprintf(m.mark.reason, sizeof m.mark.reason, "torn");
	m.mark.region.hi[0] = 3;
	bytes = bytes_of(&m, &size);
	assert_int_equal(fx_letter_read(bytes, size, &out, &err), FX_OK);
	assert_int_equal(out.mark.region.hi[0], 3);
	assert_string_equal(out.mark.reason, "torn");
	free(bytes);
}

/* Every shorter letter, and every flipped byte of the sizes, is refused or reads as something. */
static void damaged_letters_are_refused(void **unused)
{
	struct fx_envelope e = block_of(FX_LABELS), out;
	struct fx_error err = { 0 };
	size_t size;
	unsigned char *bytes = bytes_of(&e, &size);

	(void)unused;
	for (size_t n = 0; n < size; n++)
		assert_true(fx_letter_read(bytes, n, &out, &err) < 0);
	for (size_t i = 0; i < size; i++) {
		bytes[i] ^= 0xff;
		if (fx_letter_read(bytes, size, &out, &err) == FX_OK)
			fx_envelope_fini(&out);
		bytes[i] ^= 0xff;
	}
	fx_envelope_fini(&e);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_come_back),
		cmocka_unit_test(marks_and_records_come_back),
		cmocka_unit_test(damaged_letters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
