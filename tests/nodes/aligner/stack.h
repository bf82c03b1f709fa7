// SPDX-License-Identifier: Apache-2.0
/* stack.h: a stack of sections of a known texture, each moved, for aligners. Include after
 * support/test.h. */
#ifndef FX_TESTS_STACK_H
#define FX_TESTS_STACK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/affine2.h"
#include "support/sections.h"
#include "support/texture.h"

enum { STACK_MOST = 128 };

/** How the sections of a stack lie. */
struct stack {
	size_t len, side;
	double noise;
	struct fx_affine2 map[STACK_MOST]; /**< voxel -> place in the texture */
	bool bad[STACK_MOST];		   /**< nothing but noise */
};

/** Jitter of @p shift voxels and @p turn radians about the middle. */
static inline struct stack stack_new(size_t len, size_t side, double shift, double turn)
{
	struct stack s = { .len = len, .side = side, .noise = 8 };
	const double c = ((double)side - 1) / 2;
	uint64_t seed = 21;

	for (size_t z = 0; z < len; z++) {
		const double a = turn * (2 * texture_chance(&seed) - 1),
			     y = shift * (2 * texture_chance(&seed) - 1),
			     x = shift * (2 * texture_chance(&seed) - 1);

		s.map[z] = (struct fx_affine2){
			{ { cos(a), -sin(a), c - c * cos(a) + c * sin(a) + y },
			  { sin(a), cos(a), c - c * sin(a) - c * cos(a) + x } }
		};
	}
	return s;
}

/** Its voxels, u8. */
static inline struct fx_block *stack_volume(const struct stack *s)
{
	struct fx_block *v = fx_block_new(FX_U8, s->len, s->side, s->side);
	const size_t area = s->side * s->side;

	assert_non_null(v);
	for (size_t z = 0; z < s->len; z++) {
		uint8_t *to = (uint8_t *)v->data + z * area;
		uint64_t seed = 77 + z;

		if (!s->bad[z])
			texture_fill(6, to, s->side, s->side, s->map[z].m, s->noise, 1 + z);
		for (size_t i = 0; i < area && s->bad[z]; i++)
			to[i] = (uint8_t)(100 + test_random(&seed) % 40);
	}
	return v;
}

/** The node has got all of @p v. */
static inline struct node_test *stack_run(const struct fx_node_type *type,
					  const char *const *options, const struct fx_block *v)
{
	struct node_test *t = node_test_new(type, options);

	if (node_test_result(t) != FX_OK)
		fail_msg("%s", node_test_error(t));
	sections_open(t, "image", v);
	for (size_t z = 0; z < v->shape[0]; z++)
		sections_give(t, "image", v, (int64_t)z, (struct cut){ 1000, 1000, false });
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_count(t, "transforms", FX_RECORD), v->shape[0]);
	return t;
}

static inline const struct fx_record *stack_record(const struct node_test *t, size_t z)
{
	const struct fx_record *r = node_test_get(t, "transforms", FX_RECORD, z)->message;

	assert_true(fx_record_number(r, "section", -1) == (double)z);
	return r;
}

static inline struct fx_affine2 stack_map(const struct node_test *t, size_t z)
{
	static const char *const names[6] = { "a", "b", "ty", "c", "d", "tx" };
	struct fx_affine2 map;

	for (int i = 0; i < 6; i++)
		map.m[i / 3][i % 3] = fx_record_number(stack_record(t, z), names[i], 1e9);
	return map;
}

/** How far the corners of two good sections miss each other, at most, where they were put. */
static inline double stack_miss(const struct node_test *t, const struct stack *s, size_t one,
				size_t other)
{
	const struct fx_affine2 a = stack_map(t, one), b = stack_map(t, other);
	struct fx_affine2 back, to;
	double worst = 0;

	assert_true(fx_affine2_invert(&s->map[other], &back));
	to = fx_affine2_after(&back, &s->map[one]); /* voxel of one -> voxel of other */
	for (int k = 0; k < 4; k++) {
		const double p[2] = { k & 1 ? (double)s->side - 1 : 0,
				      k & 2 ? (double)s->side - 1 : 0 };
		double q[2], x[2], y[2], e;

		fx_affine2_apply(&to, p, q);
		fx_affine2_apply(&a, p, x);
		fx_affine2_apply(&b, q, y);
		e = hypot(x[0] - y[0], x[1] - y[1]);
		worst = e > worst ? e : worst;
	}
	return worst;
}

#endif
