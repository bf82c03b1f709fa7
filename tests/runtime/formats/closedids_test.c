// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/closedids.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pack.h"
#include "formats/closedids.h"

enum { LAYERS = 5, IDS = 30000, ALL = LAYERS * IDS };

/* Ids of several layers of sections, each with a smaller id of its segment: near or far. */
static void make_rows(uint64_t (*rows)[2], uint64_t *want, uint64_t *segments)
{
	uint64_t seed = 8;

	*segments = 0;
	for (uint64_t i = 0; i < ALL; i++) {
		const uint64_t kind = test_random(&seed) % 4;
		const uint64_t to = kind == 0 || i == 0 ? i :
				    kind == 1		? test_random(&seed) % i :
						i - 1 - test_random(&seed) % (i < 9 ? i : 9);

		rows[i][0] = (1 + i / IDS) << 46 | i % IDS;
		rows[i][1] = rows[to][0];
		want[i] = to == i ? ++*segments : want[to];
	}
}

static void shuffle(uint64_t (*rows)[2], uint64_t seed)
{
	for (size_t i = ALL - 1; i > 0; i--) {
		const size_t k = test_random(&seed) % (i + 1);
		const uint64_t swap[2] = { rows[i][0], rows[i][1] };

		memcpy(rows[i], rows[k], sizeof swap);
		memcpy(rows[k], swap, sizeof swap);
	}
}

/* What take() is given, compared with what is wanted. */
struct taking {
	const uint64_t (*rows)[2], *want;
	size_t at;
};

static int take(void *context, const uint64_t (*rows)[2], size_t len)
{
	struct taking *t = context;

	assert_true(t->at + len <= ALL);
	for (size_t i = 0; i < len; i++, t->at++) {
		assert_int_equal(rows[i][0], t->rows[t->at][0]);
		assert_int_equal(rows[i][1], t->want[t->at]);
	}
	return FX_OK;
}

/* Saves all, and goes on with what was read back; what was put since is not there any more. */
static void return_from_save(struct fx_closed_ids *c, const char *dir)
{
	char *path = fx_asprintf("%s/save", dir);
	const uint64_t lost[1][2] = { { 99, 99 } };
	struct fx_error err = { 0 };
	struct fx_pack *to = fx_pack_open(path, &err);
	struct fx_unpack *from;

	assert_int_equal(fx_closed_ids_pack(c, to, &err), FX_OK);
	assert_int_equal(fx_pack_close(to, true, &err), FX_OK);
	assert_int_equal(fx_closed_ids_put(c, dir, lost, 1, &err), FX_OK);
	fx_closed_ids_fini(c);
	from = fx_unpack_open(path, &err);
	assert_int_equal(fx_closed_ids_unpack(c, dir, from, &err), FX_OK);
	assert_int_equal(fx_unpack_close(from), FX_OK);
	free(path);
}

static void numbers_segments_by_their_smallest_ids(void **folder)
{
	uint64_t(*rows)[2] = calloc(ALL, sizeof *rows), (*mixed)[2] = calloc(ALL, sizeof *mixed);
	uint64_t *want = calloc(ALL, sizeof *want), segments, n, len;

	make_rows(rows, want, &segments);
	for (uint64_t seed = 1; seed < 3; seed++) {
		struct fx_closed_ids c = { 0 };
		struct taking t = { (const uint64_t(*)[2])rows, want, 0 };
		struct fx_error err = { 0 };

		memcpy(mixed, rows, ALL * sizeof *rows);
		shuffle(mixed, seed);
		for (size_t i = 0; i < ALL; i += 1000) {
			assert_int_equal(fx_closed_ids_put(&c, *folder,
							   (const uint64_t(*)[2])mixed + i, 1000,
							   &err),
					 FX_OK);
			assert_true(c.len < 70000);
			if (i == 20000 || i == 100000)
				return_from_save(&c, *folder);
		}
		assert_int_equal(fx_closed_ids_number(&c, *folder, take, &t, &n, &len, &err),
				 FX_OK);
		assert_int_equal(n, segments);
		assert_int_equal(len, ALL);
		assert_int_equal(t.at, ALL);
	}
	free(rows);
	free(mixed);
	free(want);
}

static int take_any(void *context, const uint64_t (*rows)[2], size_t len)
{
	(void)rows;
	*(size_t *)context += len;
	return FX_OK;
}

static void nothing_and_what_lacks_its_id(void **folder)
{
	const uint64_t here[2][2] = { { 7, 7 }, { 9, 8 } },
		       there[2][2] = { { 7, 7 }, { UINT64_C(1) << 46, 8 } };
	struct fx_closed_ids c = { 0 };
	struct fx_error err = { 0 };
	uint64_t segments, len;
	size_t taken = 0;

	assert_int_equal(fx_closed_ids_number(&c, *folder, take_any, &taken, &segments, &len, &err),
			 FX_OK);
	assert_int_equal(segments + len + taken, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fx_closed_ids_put(&c, *folder, i ? there : here, 2, &err), FX_OK);
		assert_int_equal(
			fx_closed_ids_number(&c, *folder, take_any, &taken, &segments, &len, &err),
			FX_EINVAL);
		assert_string_equal(err.text, "id 8 has no final id");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_segments_by_their_smallest_ids,
						test_folder_make, test_folder_remove),
		cmocka_unit_test_setup_teardown(nothing_and_what_lacks_its_id, test_folder_make,
						test_folder_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
