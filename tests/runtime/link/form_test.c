// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/form.c: one message goes to several consumers, to each coded as its edge says,
 * and all get the same. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/form.h"
#include "link/inlet.h"
#include "link/outlet.h"

enum { WAYS = 4, SIDE = 64, PATIENCE_MS = 60000 };

/* One output, and a consumer for every way. */
struct rig {
	void *zmq;
	char *dir, endpoint[100], node[WAYS][8];
	struct fx_lane_stats stats[WAYS];
	struct fx_outlet_lane out[WAYS];
	struct fx_outlet_edge edges[WAYS];
	struct fx_inlet_lane in[WAYS];
	_Atomic uint64_t floor[WAYS];
	struct fx_outlet *outlet;
	struct fx_inlet *inlet[WAYS];
};

/* The edge of @p first stands first. */
static struct rig *rig_new(enum fx_way first)
{
	struct rig *r = calloc(1, sizeof *r);
	struct fx_error err = { 0 };

	r->zmq = zmq_ctx_new();
	r->dir = test_tmp_dir();
	snprintf(r->endpoint, sizeof r->endpoint, "ipc://%s/0", r->dir);
	for (unsigned i = 0; i < WAYS; i++) {
		const unsigned way = ((unsigned)first + i) % WAYS;

		snprintf(r->node[i], sizeof r->node[i], "to%u", way);
		r->out[i] = (struct fx_outlet_lane){ 0, &r->stats[way] };
		r->edges[i] = (struct fx_outlet_edge){ r->node[i], "in",	 1,
						       &r->out[i], FX_DROP_NONE, (enum fx_way)way,
						       0 };
	}
	r->outlet = fx_outlet_new(&(struct fx_outlet_config){ .zmq = r->zmq,
							      .node = "from",
							      .port = "out",
							      .endpoint = r->endpoint,
							      .listen_fd = -1,
							      .edges_len = WAYS,
							      .edges = r->edges },
				  &err);
	assert_non_null(r->outlet);
	for (unsigned i = 0; i < WAYS; i++) {
		const unsigned way = ((unsigned)first + i) % WAYS;

		r->in[way] = (struct fx_inlet_lane){ r->endpoint, -1, 0, &r->stats[way] };
		r->inlet[way] = fx_inlet_new(&(struct fx_inlet_config){ .zmq = r->zmq,
									.node = r->node[i],
									.port = "in",
									.ordered = true,
									.credit_messages = 4,
									.credit_bytes = 1 << 24,
									.floor = &r->floor[way],
									.lanes_len = 1,
									.lanes = &r->in[way] },
					     &err);
		assert_non_null(r->inlet[way]);
	}
	return r;
}

static void rig_free(struct rig *r)
{
	for (int w = 0; w < WAYS; w++)
		fx_inlet_free(r->inlet[w]);
	fx_outlet_free(r->outlet);
	zmq_ctx_term(r->zmq);
	fx_remove_tree(r->dir, NULL);
	free(r->dir);
	free(r);
}

/* Sends @p b, and gives what came by each way. */
static void through(struct rig *r, struct fx_block *b, struct fx_block *got[WAYS])
{
	struct fx_envelope e = { .kind = FX_BLOCK, .message = b };

	assert_int_equal(fx_outlet_queue(r->outlet, &e, NULL), FX_OK);
	for (int w = 0; w < WAYS; w++) {
		for (int i = 0; i < PATIENCE_MS && !fx_inlet_peek(r->inlet[w]); i++) {
			fx_outlet_pump(r->outlet);
			fx_inlet_pump(r->inlet[w], NULL);
			fx_sleep_ms(1);
		}
		assert_true(fx_inlet_pop(r->inlet[w], &e));
		got[w] = e.message;
		fx_inlet_ack(r->inlet[w], 0);
	}
}

/* A block of every dtype, of smooth values with some noise in them. */
static struct fx_block *some_block(enum fx_dtype dtype, enum fx_role role)
{
	struct fx_block *b = fx_block_new(dtype, 4, SIDE, SIDE);
	const size_t elem = fx_dtype_size(dtype);
	uint8_t *bytes = b->data;
	uint64_t seed = 1;

	b->role = role;
	for (size_t i = 0; i < fx_block_len(b); i++) {
		const uint64_t noise = test_random(&seed);
		const uint64_t v = role == FX_LABELS ? i / 50 : i / 7 + noise % 4;

		memcpy(bytes + i * elem, &v, elem);
	}
	return b;
}

static void check(enum fx_way first, enum fx_dtype dtype, enum fx_role role)
{
	struct fx_block *want = some_block(dtype, role), *got[WAYS];
	const size_t size = fx_block_size(want);
	struct rig *r = rig_new(first);
	const struct fx_lane_stats *s = r->stats;
	const bool labels = role == FX_LABELS;

	through(r, some_block(dtype, role), got);
	for (int w = 0; w < WAYS; w++) {
		assert_memory_equal(got[w]->data, want->data, size);
		assert_int_equal(s[w].bytes, size);
		fx_block_free(got[w]);
	}
	assert_int_equal(s[FX_WAY_NONE].framed, size);
	assert_int_equal(s[FX_WAY_NONE].coded[FX_CODEC_STORED], 1);
	assert_int_equal(s[FX_WAY_ZSTD].coded[FX_CODEC_ZSTD], 1);
	assert_in_range(s[FX_WAY_ZSTD].framed, 1, size / 2);
	assert_int_equal(s[FX_WAY_AUTO].coded[labels ? FX_CODEC_LZ4 : FX_CODEC_STORED], 1);
	if (labels)
		assert_in_range(s[FX_WAY_LZ4].framed, 1, size / 4);
	fx_block_free(want);
	rig_free(r);
}

static void each_gets_the_same_by_its_own_way(void **unused)
{
	static const enum fx_dtype dtypes[] = { FX_U8, FX_U16, FX_U32, FX_U64, FX_F16, FX_F32 };

	(void)unused;
	for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
		check((enum fx_way)(i % WAYS), dtypes[i], FX_IMAGE);
	for (int w = 0; w < WAYS; w++)
		check((enum fx_way)w, FX_U32, FX_LABELS);
}

/* Noise is sent as it is whatever the edge says; what is all alike is too much for zstd and goes by
 * LZ4. */
static void what_codes_badly_goes_as_it_can(void **unused)
{
	struct fx_block *b = fx_block_new(FX_U8, 4, SIDE, SIDE), *got[WAYS];
	uint8_t *bytes = b->data, want[SIDE];
	uint64_t seed = 2;
	struct rig *r = rig_new(FX_WAY_AUTO);

	(void)unused;
	for (size_t i = 0; i < fx_block_size(b); i++)
		bytes[i] = (uint8_t)(test_random(&seed) >> 20);
	memcpy(want, bytes, sizeof want);
	through(r, b, got);
	for (int w = 0; w < WAYS; w++) {
		assert_memory_equal(got[w]->data, want, sizeof want);
		assert_int_equal(r->stats[w].coded[FX_CODEC_STORED], 1);
		fx_block_free(got[w]);
	}
	rig_free(r);
	r = rig_new(FX_WAY_NONE);
	through(r, fx_block_new(FX_U8, 16, SIDE, SIDE), got);
	for (int w = 0; w < WAYS; w++) {
		for (size_t i = 0; i < fx_block_size(got[w]); i++)
			assert_int_equal(((uint8_t *)got[w]->data)[i], 0);
		fx_block_free(got[w]);
	}
	assert_int_equal(r->stats[FX_WAY_ZSTD].coded[FX_CODEC_LZ4], 1);
	rig_free(r);
}

static void what_is_chosen(void **unused)
{
	(void)unused;
	assert_int_equal(fx__form_codec(FX_WAY_AUTO, true, false), FX_CODEC_STORED);
	assert_int_equal(fx__form_codec(FX_WAY_AUTO, true, true), FX_CODEC_ZSTD);
	assert_int_equal(fx__form_codec(FX_WAY_AUTO, false, true), FX_CODEC_LZ4);
	assert_int_equal(fx__form_codec(FX_WAY_NONE, false, true), FX_CODEC_STORED);
	assert_int_equal(fx__form_codec(FX_WAY_ZSTD, true, false), FX_CODEC_ZSTD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_gets_the_same_by_its_own_way),
		cmocka_unit_test(what_codes_badly_goes_as_it_can),
		cmocka_unit_test(what_is_chosen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
