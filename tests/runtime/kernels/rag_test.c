// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/rag.c against a count of every face. */
#include "support/test.h"

#include <stdbool.h>
#include <stdlib.h>

#include <fornix/error.h>

#include "kernels/rag.h"

enum { NODES = 6 };

/* Faces between a and b by bin, counted voxel by voxel. */
static void count_faces(uint32_t hist[FX_RAG_BINS], const uint32_t *labels, const size_t n[3],
			const struct fx_rag_evidence *e, uint32_t a, uint32_t b)
{
	const size_t step[3] = { n[1] * n[2], n[2], 1 };

	for (size_t i = 0; i < n[0] * n[1] * n[2]; i++) {
		const size_t at[3] = { i / n[2] / n[1], i / n[2] % n[1], i % n[2] };

		for (int axis = 0; axis < 3; axis++) {
			size_t k = i - step[axis];
			unsigned v;

			if (!at[axis] || !((labels[i] == a && labels[k] == b) ||
					   (labels[i] == b && labels[k] == a)))
				continue;
			v = e->face[axis] ? e->face[axis][i] : e->boundary[i];
			if (!e->face[axis] && e->boundary[k] > v)
				v = e->boundary[k];
			hist[v / 4]++;
		}
	}
}

static const uint32_t *find_edge(const struct fx_rag *rag, uint32_t a, uint32_t b)
{
	const uint32_t *found = NULL;

	for (size_t i = 0; i < rag->edges_len; i++) {
		if (rag->edges[i].a != a || rag->edges[i].b != b)
			continue;
		assert_null(found);
		found = rag->hist[i];
	}
	return found;
}

static void assert_graph(const struct fx_rag *rag, const uint32_t *labels, const size_t n[3],
			 const struct fx_rag_evidence *e)
{
	for (uint32_t a = 1; a <= NODES; a++) {
		uint32_t size = 0;

		for (size_t i = 0; i < n[0] * n[1] * n[2]; i++)
			size += labels[i] == a;
		assert_int_equal(rag->size[a], size);
		for (uint32_t b = a + 1; b <= NODES; b++) {
			uint32_t want[FX_RAG_BINS] = { 0 }, faces = 0;
			const uint32_t *got = find_edge(rag, a, b);

			count_faces(want, labels, n, e, a, b);
			for (int i = 0; i < FX_RAG_BINS; i++)
				faces += want[i];
			assert_int_equal(got != NULL, faces > 0);
			if (got)
				assert_memory_equal(got, want, sizeof want);
		}
	}
}

static void assert_counts(const size_t n[3], bool affinities)
{
	size_t len = n[0] * n[1] * n[2];
	uint32_t *labels = malloc(len * sizeof *labels);
	uint8_t *v = malloc(3 * len);
	struct fx_rag_evidence e = { .boundary = v };
	struct fx_rag rag = { 0 };
	uint64_t seed = len;

	assert_non_null(labels);
	assert_non_null(v);
	for (size_t i = 0; i < len; i++)
		labels[i] = (uint32_t)(test_random(&seed) % (NODES + 1));
	for (size_t i = 0; i < 3 * len; i++)
		v[i] = (uint8_t)test_random(&seed);
	if (affinities)
		e = (struct fx_rag_evidence){ NULL, { v, v + len, v + 2 * len } };
	assert_int_equal(fx_rag_build(&rag, labels, NODES, n, &e), FX_OK);
	assert_graph(&rag, labels, n, &e);
	fx_rag_fini(&rag);
	free(labels);
	free(v);
}

static void counts_every_face(void **unused)
{
	static const size_t shapes[][3] = { { 1, 1, 1 }, { 1, 1, 40 }, { 1, 30, 1 }, { 20, 1, 1 },
					    { 1, 9, 7 }, { 6, 1, 8 },  { 4, 5, 6 } };

	(void)unused;
	for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
		assert_counts(shapes[s], false);
		assert_counts(shapes[s], true);
	}
}

static void refuses_a_label_above_the_nodes(void **unused)
{
	static const uint32_t labels[] = { 1, 2, 3 };
	static const uint8_t boundary[] = { 0, 0, 0 };
	const struct fx_rag_evidence e = { .boundary = boundary };
	const size_t n[3] = { 1, 1, 3 }, none[3] = { 1, 0, 3 };
	struct fx_rag rag = { 0 };

	(void)unused;
	assert_int_equal(fx_rag_build(&rag, labels, 2, n, &e), FX_EINVAL);
	fx_rag_fini(&rag);
	assert_int_equal(fx_rag_build(&rag, labels, 3, none, &e), FX_EINVAL);
	fx_rag_fini(&rag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_every_face),
		cmocka_unit_test(refuses_a_label_above_the_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
