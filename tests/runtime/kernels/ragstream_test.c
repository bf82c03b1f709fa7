// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/ragstream.c and ragstream_graph.c against the graph of the whole volume. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>

#include "kernels/ragstream.h"

enum { Z = 9, Y = 11, X = 13, LEN = Z * Y * X, LABELS = 12 };
static const size_t shape[3] = { Z, Y, X };

/* Labels in patches, some 0, and evidence of one or three channels (f32: the same as u8). */
static struct fx_block *labels_volume(void)
{
	struct fx_block *b = fx_block_new(FX_U32, Z, Y, X);
	uint64_t seed = 4;

	for (size_t i = 0; i < LEN; i++) {
		const size_t patch = i / (Y * X) / 3 * 9 + i / X % Y / 4 * 3 + i % X / 5;

		((uint32_t *)b->data)[i] =
			(uint32_t)((patch * 7 + (test_random(&seed) % 7 == 0)) % (LABELS + 1));
	}
	b->role = FX_LABELS;
	return b;
}

static struct fx_block *evidence_volume(uint32_t channels)
{
	struct fx_block *b = fx_block_new(FX_U8, Z * channels, Y, X);
	uint64_t seed = 8;

	for (size_t i = 0; i < channels * LEN; i++)
		((uint8_t *)b->data)[i] = (uint8_t)test_random(&seed);
	b->shape[0] = Z;
	b->channels = channels;
	b->role = channels == 3 ? FX_AFFINITY : FX_PROBABILITY;
	return b;
}

/* The part of a volume with all its channels; @p real makes values of 0 to 1 of it. */
static struct fx_block *part(const struct fx_block *all, struct fx_region r, bool real)
{
	const size_t n[3] = { (size_t)(r.hi[0] - r.lo[0]), (size_t)(r.hi[1] - r.lo[1]),
			      (size_t)(r.hi[2] - r.lo[2]) };
	const size_t len = n[0] * n[1] * n[2];
	struct fx_block *b = fx_block_new(real ? FX_F32 : FX_U8, n[0] * all->channels, n[1], n[2]);

	b->shape[0] = n[0];
	b->channels = all->channels;
	b->role = all->role;
	memcpy(b->origin, r.lo, sizeof b->origin);
	for (size_t i = 0; i < len * b->channels; i++) {
		const size_t c = i / len, z = i % len / n[2] / n[1] + (size_t)r.lo[0],
			     y = i / n[2] % n[1] + (size_t)r.lo[1], x = i % n[2] + (size_t)r.lo[2];
		const uint8_t v = ((uint8_t *)all->data)[c * LEN + (z * Y + y) * X + x];

		if (real)
			((float *)b->data)[i] = (float)v / 255;
		else
			((uint8_t *)b->data)[i] = v;
	}
	return b;
}

static void add_cell(struct fx_ragstream *s, const struct fx_block *labels,
		     const struct fx_block *evidence, const int64_t lo[3], const int64_t cell[3],
		     int64_t halo)
{
	struct fx_region core, wide;
	struct fx_error err = { 0 };
	struct fx_block *l, *e;

	for (int a = 0; a < 3; a++) {
		const int64_t end = (int64_t)shape[a];

		core.lo[a] = lo[a];
		core.hi[a] = lo[a] + cell[a] < end ? lo[a] + cell[a] : end;
		wide.lo[a] = core.lo[a] > halo ? core.lo[a] - halo : 0;
		wide.hi[a] = core.hi[a] + halo < end ? core.hi[a] + halo : end;
	}
	l = fx_block_crop(labels, wide);
	for (int a = 0; a < 3; a++) {
		l->halo_lo[a] = (uint32_t)(core.lo[a] - wide.lo[a]);
		l->halo_hi[a] = (uint32_t)(wide.hi[a] - core.hi[a]);
	}
	e = part(evidence, wide, halo > 1);
	if (fx_ragstream_add(s, l, e, &err) < 0)
		fail_msg("%s", err.text);
	fx_block_free(l);
	fx_block_free(e);
}

/* All cells of a grid, forth or back. */
static void stream(struct fx_ragstream *s, const struct fx_block *labels,
		   const struct fx_block *evidence, const int64_t cell[3], int64_t halo, bool back)
{
	int64_t n[3], count = 1;

	for (int a = 0; a < 3; a++) {
		s->extent[a] = (int64_t)shape[a];
		n[a] = ((int64_t)shape[a] + cell[a] - 1) / cell[a];
		count *= n[a];
	}
	for (int64_t i = 0; i < count; i++) {
		const int64_t k = back ? count - 1 - i : i;
		const int64_t lo[3] = { k / (n[1] * n[2]) * cell[0], k / n[2] % n[1] * cell[1],
					k % n[2] * cell[2] };

		add_cell(s, labels, evidence, lo, cell, halo);
	}
	assert_null(s->faces);
	assert_int_equal(s->open_size, 0);
}

static void check_edges(const struct fx_rag *rag, const struct fx_rag *want, const uint64_t *ids)
{
	assert_int_equal(rag->edges_len, want->edges_len);
	for (size_t i = 0; i < want->edges_len; i++) {
		size_t k = 0;

		while (k < rag->edges_len && (ids[rag->edges[k].a] != want->edges[i].a ||
					      ids[rag->edges[k].b] != want->edges[i].b))
			k++;
		assert_true(k < rag->edges_len);
		assert_memory_equal(rag->hist[k], want->hist[i], sizeof *want->hist);
	}
}

static void any_grid_gives_the_graph_of_the_whole(void **unused)
{
	static const int64_t cells[3][3] = { { 9, 11, 13 }, { 4, 4, 4 }, { 1, 6, 5 } };
	struct fx_block *labels = labels_volume();

	(void)unused;
	for (uint32_t channels = 1; channels <= 3; channels += 2) {
		struct fx_block *evidence = evidence_volume(channels);
		struct fx_rag_evidence given = { .boundary = evidence->data };
		uint8_t inverse[3][LEN];
		struct fx_rag want = { 0 };

		for (size_t i = 0; i < channels * LEN; i++)
			inverse[i / LEN][i % LEN] = 255 - ((uint8_t *)evidence->data)[i];
		if (channels == 3)
			given = (struct fx_rag_evidence){ .face = { inverse[0], inverse[1],
								    inverse[2] } };
		assert_int_equal(fx_rag_build(&want, labels->data, LABELS, shape, &given), FX_OK);
		assert_true(want.edges_len > 20);
		for (int k = 0; k < 12; k++) {
			struct fx_ragstream s = { 0 };
			struct fx_rag rag = { 0 };
			uint64_t *ids;
			uint32_t *node_of;

			stream(&s, labels, evidence, cells[k % 3], k / 3 % 2 * 2, k > 5);
			assert_int_equal(fx_ragstream_graph(&s, NULL, &rag, &ids, &node_of, NULL),
					 FX_OK);
			assert_int_equal(rag.nodes, LABELS);
			for (uint32_t i = 1; i <= LABELS; i++) {
				assert_int_equal(ids[i], i);
				assert_int_equal(rag.size[i], want.size[i]);
				assert_int_equal(s.ids[i - 1], ids[node_of[i - 1]]);
			}
			check_edges(&rag, &want, ids);
			fx_rag_fini(&rag);
			fx_ragstream_fini(&s);
			free(ids);
			free(node_of);
		}
		fx_rag_fini(&want);
		fx_block_free(evidence);
	}
	fx_block_free(labels);
}

/* The graph after labels became one is that of the volume in which they are one. */
static void labels_that_are_one_share_their_contacts(void **unused)
{
	static const int64_t cell[3] = { 4, 4, 4 };
	struct fx_block *labels = labels_volume(), *evidence = evidence_volume(1);
	const struct fx_rag_evidence given = { .boundary = evidence->data };
	struct fx_record *r = fx_record_new("equivalence");
	struct fx_labelmap map = { 0 };
	struct fx_ragstream s = { 0 };
	struct fx_rag want = { 0 }, rag = { 0 };
	uint64_t *ids;
	uint32_t *node_of;

	(void)unused;
	assert_int_equal(fx_record_table(r, 2, 2), FX_OK);
	memcpy(r->table, (const uint64_t[]){ 2, 9, 9, 5 }, 4 * sizeof *r->table);
	fx_labelmap_add(&map, r, NULL);
	stream(&s, labels, evidence, cell, 0, false);
	for (size_t i = 0; i < LEN; i++) {
		uint32_t *v = (uint32_t *)labels->data + i;

		*v = *v == 5 || *v == 9 ? 2 : *v;
	}
	assert_int_equal(fx_rag_build(&want, labels->data, LABELS, shape, &given), FX_OK);
	assert_int_equal(fx_ragstream_graph(&s, &map, &rag, &ids, &node_of, NULL), FX_OK);
	assert_int_equal(rag.nodes, LABELS - 2);
	assert_int_equal(rag.size[2], want.size[2]);
	check_edges(&rag, &want, ids);
	for (size_t i = 1; i < rag.edges_len; i++)
		assert_true(rag.edges[i - 1].a < rag.edges[i].a ||
			    (rag.edges[i - 1].a == rag.edges[i].a &&
			     rag.edges[i - 1].b < rag.edges[i].b));
	free(ids);
	free(node_of);
	fx_rag_fini(&rag);
	fx_rag_fini(&want);
	fx_ragstream_fini(&s);
	fx_labelmap_fini(&map);
	fx_record_free(r);
	fx_block_free(labels);
	fx_block_free(evidence);
}

/* What waits is one layer for each open face, and what cannot come is dropped. */
static void memory_is_the_open_surface(void **unused)
{
	static const int64_t cell[3] = { 9, 11, 4 };
	struct fx_block *labels = labels_volume(), *evidence = evidence_volume(1);
	const struct fx_region rest = { { 0, 0, 8 }, { Z, Y, X } };
	struct fx_ragstream s = { .extent = { Z, Y, X } };

	(void)unused;
	for (int64_t x = 0; x < 8; x += 4) {
		const int64_t lo[3] = { 0, 0, x };

		add_cell(&s, labels, evidence, lo, cell, 1);
		assert_int_equal(s.open_size, sizeof *s.faces + (size_t)(Z * Y * 5));
	}
	fx_ragstream_done(&s, rest);
	assert_null(s.faces);
	fx_ragstream_fini(&s);
	fx_block_free(labels);
	fx_block_free(evidence);
}

static void refuse(struct fx_ragstream *s, const struct fx_block *l, const struct fx_block *e,
		   int code, const char *text)
{
	struct fx_error err = { 0 };

	assert_int_equal(fx_ragstream_add(s, l, e, &err), code);
	if (!strstr(err.text, text))
		fail_msg("%s", err.text);
}

static void wrong_blocks_are_refused(void **unused)
{
	struct fx_block *l = fx_block_new(FX_U32, 2, 2, 2), *e = fx_block_new(FX_U8, 2, 2, 2);
	struct fx_ragstream s = { 0 };

	(void)unused;
	l->origin[2] = 1;
	refuse(&s, l, e, FX_EINVAL, "evidence 0..1 on axis x does not cover labels 1..2");
	l->origin[2] = 0;
	e->role = FX_AFFINITY;
	refuse(&s, l, e, FX_ETYPE, "evidence of 1 channels of u8");
	e->role = FX_PROBABILITY;
	assert_int_equal(fx_ragstream_add(&s, l, e, NULL), FX_OK);
	refuse(&s, l, e, FX_EINVAL, "came twice");
	l->dtype = FX_F32;
	refuse(&s, l, e, FX_ETYPE, "labels of f32");
	l->dtype = FX_U32;
	fx_ragstream_fini(&s);
	fx_block_free(l);
	fx_block_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_grid_gives_the_graph_of_the_whole),
		cmocka_unit_test(labels_that_are_one_share_their_contacts),
		cmocka_unit_test(memory_is_the_open_surface),
		cmocka_unit_test(wrong_blocks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
