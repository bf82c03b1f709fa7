// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/skeleton.c. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "formats/skeleton.h"

static struct fx_tree *small_tree(void)
{
	struct fx_tree *t = fx_tree_new(7, 3);

	assert_non_null(t);
	t->nodes[0] = (struct fx_tree_node){ { 3, 2, 1 }, 0.5, -1, 1 };
	t->nodes[1] = (struct fx_tree_node){ { 6, 2, 1 }, 2, 0, 3 };
	t->nodes[2] = (struct fx_tree_node){ { 3, 4, 1 }, 1, 0, 6 };
	return t;
}

static void golden_bytes(void **unused)
{
	static const unsigned char want[] = {
		3, 0, 0,    0,	  2, 0, 0,    0,		      /* vertices, edges */
		0, 0, 0x80, 0x3f, 0, 0, 0,    0x40, 0, 0, 0x40, 0x40, /* x 1, y 2, z 3 */
		0, 0, 0x80, 0x3f, 0, 0, 0,    0x40, 0, 0, 0xc0, 0x40, /* 1 2 6 */
		0, 0, 0x80, 0x3f, 0, 0, 0x80, 0x40, 0, 0, 0x40, 0x40, /* 1 4 3 */
		0, 0, 0,    0,	  1, 0, 0,    0,		      /* edges */
		0, 0, 0,    0,	  2, 0, 0,    0,    0, 0, 0,	0x3f,
		0, 0, 0,    0x40, 0, 0, 0x80, 0x3f, /* radius */
		1, 3, 6,
	};
	struct fx_tree *t = small_tree(), *back;
	void *bytes;
	size_t size;

	(void)unused;
	assert_int_equal(fx_skeleton_encode(t, &bytes, &size, NULL), FX_OK);
	assert_int_equal(size, sizeof want);
	assert_memory_equal(bytes, want, size);
	assert_int_equal(fx_skeleton_decode(bytes, size, &back, NULL), FX_OK);
	assert_int_equal(back->len, 3);
	for (size_t i = 0; i < 3; i++)
		assert_memory_equal(&back->nodes[i], &t->nodes[i], sizeof t->nodes[i]);
	fx_tree_free(back);
	fx_tree_free(t);
	free(bytes);
}

static void edges_of_any_order_make_a_tree(void **unused)
{
	/* vertices 0..4 at x = 0..4; edges 3-1, 1-4, 0-3; 2 alone */
	unsigned char bytes[8 + 5 * 17 + 3 * 8] = { 5, 0, 0, 0, 3 };
	static const unsigned char edges[] = { 3, 1, 1, 4, 0, 3 };
	struct fx_tree *t;

	(void)unused;
	for (size_t i = 0; i < 6; i++)
		bytes[8 + 60 + 4 * i] = edges[i];
	assert_int_equal(fx_skeleton_decode(bytes, sizeof bytes, &t, NULL), FX_OK);
	assert_int_equal(t->len, 5);
	assert_int_equal(t->nodes[0].parent, -1);
	assert_int_equal(t->nodes[1].parent, 0);
	assert_int_equal(t->nodes[2].parent, 1);
	assert_int_equal(t->nodes[3].parent, 2);
	assert_int_equal(t->nodes[4].parent, -1);
	fx_tree_free(t);
	bytes[8 + 60] = 9; /* no such vertex */
	assert_int_equal(fx_skeleton_decode(bytes, sizeof bytes, &t, NULL), FX_EINVAL);
	bytes[8 + 60] = 1; /* an edge to itself */
	assert_int_equal(fx_skeleton_decode(bytes, sizeof bytes, &t, NULL), FX_EINVAL);
}

static void hostile_bytes_do_no_harm(void **unused)
{
	struct fx_tree *t = small_tree(), *back;
	void *bytes;
	size_t size;
	uint64_t seed = 2;

	(void)unused;
	assert_int_equal(fx_skeleton_encode(t, &bytes, &size, NULL), FX_OK);
	for (size_t n = 0; n < size; n++) {
		unsigned char *copy = malloc(n + 1);

		assert_non_null(copy);
		memcpy(copy, bytes, n);
		assert_int_equal(fx_skeleton_decode(copy, n, &back, NULL), FX_EINVAL);
		free(copy);
	}
	for (int i = 0; i < 2000; i++) {
		unsigned char *copy = malloc(size);

		assert_non_null(copy);
		memcpy(copy, bytes, size);
		copy[test_random(&seed) % size] = (unsigned char)(test_random(&seed) % 5);
		copy[44 + test_random(&seed) % 16] = (unsigned char)(test_random(&seed) % 4);
		if (fx_skeleton_decode(copy, size, &back, NULL) == FX_OK)
			fx_tree_free(back);
		free(copy);
	}
	free(bytes);
	t->nodes[1].parent = 2;
	assert_int_equal(fx_skeleton_encode(t, &bytes, &size, NULL), FX_EINVAL);
	fx_tree_free(t);
}

static void info_names_the_attributes(void **unused)
{
	char *text = fx_skeleton_info();

	(void)unused;
	assert_non_null(text);
	assert_non_null(strstr(text, "\"@type\": \"neuroglancer_skeletons\""));
	assert_true(strstr(text, "radius") < strstr(text, "vertex_types"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden_bytes),
		cmocka_unit_test(edges_of_any_order_make_a_tree),
		cmocka_unit_test(hostile_bytes_do_no_harm),
		cmocka_unit_test(info_names_the_attributes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
