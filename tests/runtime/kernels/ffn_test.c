// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/ffn.c, ffn_moves.c and ffn_state.c against plain versions of the rules. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/ffn.h"
#include "kernels/ffn_state.h"

enum { Z = 22, Y = 26, X = 30, LEN = Z * Y * X, SEEDS = 40, QUEUE = 100000 };

static const size_t shape[3] = { Z, Y, X };

static const struct fx_ffn_config config = {
	.fov = { 7, 9, 7 },
	.deltas = { 2, 3, 2 },
	.init = 0.95,
	.pad = 0.05,
	.move = 0.9,
	.segment = 0.6,
	.min_voxels = 800,
	.min_distance = { 1, 1, 1 },
};

static float random_unit(uint64_t *seed)
{
	return (float)(test_random(seed) >> 40) / (float)(1 << 24);
}

/* A network of no use: what it answers depends on image and seed, and flips at times. */
static void toy(void *arg, float *logits, const float *image, const float *seed)
{
	const size_t len = config.fov[0] * config.fov[1] * config.fov[2];
	size_t *calls = arg;

	(*calls)++;
	for (size_t i = 0; i < len; i++)
		logits[i] = 0.3F * seed[i] + image[i] +
			    (seed[len - 1 - i] > 1 ? 0.5F * image[i / 2] : 0);
}

/* Smooth blobs from -5 to 5. */
static float *blobs(uint64_t seed)
{
	float *image = malloc(LEN * sizeof *image);
	float phase[6];

	assert_non_null(image);
	for (int i = 0; i < 6; i++)
		phase[i] = 6.3F * random_unit(&seed);
	for (size_t i = 0; i < LEN; i++) {
		const float z = (float)(i / (Y * X)), y = (float)(i / X % Y), x = (float)(i % X);

		image[i] = 2.2F * (sinf(0.5F * z + phase[0]) + sinf(0.45F * y + phase[1]) +
				   sinf(0.4F * x + phase[2])) +
			   sinf(0.3F * (x + z) + phase[3]) + random_unit(&seed);
	}
	return image;
}

static struct fx_ffn_pos *random_seeds(uint64_t seed)
{
	struct fx_ffn_pos *seeds = malloc(SEEDS * sizeof *seeds);

	assert_non_null(seeds);
	for (size_t i = 0; i < SEEDS; i++)
		for (int a = 0; a < 3; a++)
			seeds[i].at[a] = (int32_t)(test_random(&seed) % shape[a]);
	return seeds;
}

/* The rules once more, as plainly as possible: maps and sets are arrays that are searched. */
struct plain {
	const float *image;
	int32_t seg[LEN];
	float pom[LEN];
	struct fx_ffn_pos queue[QUEUE], done[QUEUE];
	size_t queue_len, done_len, calls, evaluations, floods;
	int32_t ids;
};

static size_t at3(int z, int y, int x)
{
	return ((size_t)z * Y + (size_t)y) * X + (size_t)x;
}

static bool plain_valid(const struct plain *p, struct fx_ffn_pos c)
{
	for (int a = 0; a < 3; a++) {
		const int m = (int)config.fov[a] / 2;

		if (c.at[a] - m < 0 || c.at[a] + m >= (int)shape[a])
			return false;
	}
	return p->seg[at3(c.at[0], c.at[1], c.at[2])] <= 0;
}

static struct fx_ffn_pos plain_cell(struct fx_ffn_pos c, struct fx_ffn_pos start)
{
	struct fx_ffn_pos q;

	for (int a = 0; a < 3; a++)
		q.at[a] = (int32_t)floor(
			(c.at[a] - start.at[a] + floor((double)config.deltas[a] / 2)) /
			(double)config.deltas[a]);
	return q;
}

static bool plain_done(const struct plain *p, struct fx_ffn_pos cell)
{
	for (size_t i = 0; i < p->done_len; i++)
		if (memcmp(&p->done[i], &cell, sizeof cell) == 0)
			return true;
	return false;
}

static void plain_evaluate(struct plain *p, struct fx_ffn_pos c, struct fx_ffn_pos start)
{
	const int fz = 7, fy = 9, fx = 7;
	const double move = log((double)0.9F / (1 - (double)0.9F));
	float image[7 * 9 * 7], seed[7 * 9 * 7], out[7 * 9 * 7];
	struct fx_ffn_move moves[6];
	bool full = false;
	size_t n = 0, len;

	for (int z = 0; z < fz; z++)
		for (int y = 0; y < fy; y++)
			for (int x = 0; x < fx; x++, n++) {
				const size_t i =
					at3(c.at[0] + z - 3, c.at[1] + y - 4, c.at[2] + x - 3);

				image[n] = p->image[i];
				seed[n] = isnan(p->pom[i]) ?
						  (float)log((double)0.05F / (1 - (double)0.05F)) :
						  p->pom[i];
			}
	toy(&p->calls, out, image, seed);
	p->evaluations++;
	for (size_t i = 0; i < n; i++)
		full |= out[i] >= (float)move;
	n = 0;
	for (int z = 0; z < fz; z++)
		for (int y = 0; y < fy; y++)
			for (int x = 0; x < fx; x++, n++) {
				float *old = &p->pom[at3(c.at[0] + z - 3, c.at[1] + y - 4,
							 c.at[2] + x - 3)];

				if (full && *old < 0 && out[n] > *old)
					out[n] = *old;
				*old = out[n];
			}
	p->done[p->done_len++] = plain_cell(c, start);
	len = fx_ffn_moves(moves, out, config.fov, config.deltas, move);
	for (size_t i = 0; i < len; i++) {
		for (int a = 0; a < 3; a++)
			p->queue[p->queue_len].at[a] = c.at[a] + moves[i].step.at[a];
		p->queue_len++;
	}
}

static void plain_flood(struct plain *p, struct fx_ffn_pos start)
{
	const float move = (float)log((double)0.9F / (1 - (double)0.9F));
	const float sure = (float)log((double)0.6F / (1 - (double)0.6F));
	const size_t from = at3(start.at[0], start.at[1], start.at[2]);
	size_t before = p->evaluations, voxels = 0;

	for (size_t i = 0; i < LEN; i++)
		p->pom[i] = NAN;
	p->pom[from] = (float)log((double)0.95F / (1 - (double)0.95F));
	p->done_len = 0;
	p->queue_len = 1;
	p->queue[0] = start;
	p->floods++;
	for (size_t head = 0; head < p->queue_len; head++) {
		const struct fx_ffn_pos c = p->queue[head];

		assert_true(p->queue_len + 6 < QUEUE);
		if (plain_done(p, plain_cell(c, start)) ||
		    !(p->pom[at3(c.at[0], c.at[1], c.at[2])] >= move) || !plain_valid(p, c))
			continue;
		if (p->pom[from] < move)
			break;
		plain_evaluate(p, c, start);
	}
	if (p->evaluations == before)
		return;
	for (size_t i = 0; i < LEN; i++)
		voxels += p->pom[i] >= sure && p->seg[i] <= 0;
	if (p->pom[from] < move || voxels < config.min_voxels) {
		p->seg[from] = p->seg[from] ? p->seg[from] : -1;
		return;
	}
	p->ids++;
	for (size_t i = 0; i < LEN; i++)
		if (p->pom[i] >= sure && p->seg[i] <= 0)
			p->seg[i] = p->ids;
}

static void plain_run(struct plain *p, const struct fx_ffn_pos *seeds)
{
	for (size_t i = 0; i < SEEDS; i++) {
		const struct fx_ffn_pos s = seeds[i];
		bool near = false;

		if (!plain_valid(p, s))
			continue;
		for (int n = 0; n < 27; n++)
			near |= p->seg[at3(s.at[0] + n / 9 - 1, s.at[1] + n / 3 % 3 - 1,
					   s.at[2] + n % 3 - 1)] > 0;
		if (near)
			p->seg[at3(s.at[0], s.at[1], s.at[2])] = -1;
		else
			plain_flood(p, s);
	}
	for (size_t i = 0; i < LEN; i++)
		p->seg[i] = p->seg[i] < 0 ? 0 : p->seg[i];
}

/* Runs to the end or until @p steps steps were done. */
static int run(struct fx_ffn *f, size_t steps)
{
	int did = FX_OK;

	for (size_t i = 0; i < steps && did != FX_FFN_FINISHED; i++) {
		did = fx_ffn_step(f);
		assert_true(did > 0);
	}
	return did;
}

static void start(struct fx_ffn *f, size_t *calls, const float *image, int32_t *segments,
		  const struct fx_ffn_pos *seeds)
{
	const struct fx_ffn_eval eval = { toy, calls };

	memset(segments, 0, LEN * sizeof *segments);
	assert_int_equal(fx_ffn_init(f, &config, &eval, image, segments, shape, seeds, SEEDS, NULL),
			 FX_OK);
}

static void floods_as_the_plain_rules(void **unused)
{
	size_t objects = 0, weak = 0, small = 0, evaluations = 0;

	(void)unused;
	for (uint64_t seed = 1; seed <= 6; seed++) {
		struct plain *p = calloc(1, sizeof *p);
		int32_t *segments = malloc(LEN * sizeof *segments);
		struct fx_ffn_pos *seeds = random_seeds(seed * 77);
		float *image = blobs(seed * 1001);
		struct fx_ffn f = { 0 };
		size_t calls = 0;

		assert_true(p && segments);
		p->image = image;
		plain_run(p, seeds);
		start(&f, &calls, image, segments, seeds);
		assert_int_equal(run(&f, SIZE_MAX), FX_FFN_FINISHED);
		assert_memory_equal(segments, p->seg, LEN * sizeof *segments);
		assert_int_equal(calls, p->calls);
		assert_int_equal(f.counts.evaluations, p->evaluations);
		assert_int_equal(f.counts.floods, p->floods);
		assert_int_equal(f.counts.accepted, p->ids);
		assert_int_equal(f.counts.seeds, SEEDS);
		objects += f.counts.accepted;
		weak += f.counts.weak;
		small += f.counts.small;
		evaluations += f.counts.evaluations;
		fx_ffn_fini(&f);
		free(image);
		free(seeds);
		free(segments);
		free(p);
	}
	assert_true(objects > 4 && weak > 6 && small > 0 && evaluations > 100);
}

static void goes_on_after_any_step(void **unused)
{
	struct fx_ffn_pos *seeds = random_seeds(5);
	int32_t *want = malloc(LEN * sizeof *want), *got = malloc(LEN * sizeof *got);
	float *image = blobs(6);
	struct fx_ffn f = { 0 }, g = { 0 };
	size_t calls = 0, steps = 0;

	(void)unused;
	assert_true(want && got);
	start(&f, &calls, image, want, seeds);
	while (run(&f, 1) != FX_FFN_FINISHED)
		steps++;
	assert_true(steps > 20);
	for (size_t cut = 0; cut < steps; cut += 7) {
		void *bytes;
		size_t size;

		start(&g, &calls, image, got, seeds);
		run(&g, cut);
		assert_int_equal(fx_ffn_save(&g, 99, &bytes, &size), FX_OK);
		fx_ffn_fini(&g);
		start(&g, &calls, image, got, seeds);
		assert_int_equal(fx_ffn_restore(&g, 98, bytes, size, NULL), FX_EINVAL);
		assert_int_equal(fx_ffn_restore(&g, 99, bytes, size, NULL), FX_OK);
		run(&g, SIZE_MAX);
		assert_memory_equal(got, want, LEN * sizeof *want);
		assert_memory_equal(&g.counts, &f.counts, sizeof f.counts);
		fx_ffn_fini(&g);
		free(bytes);
	}
	fx_ffn_fini(&f);
	free(image);
	free(seeds);
	free(want);
	free(got);
}

/* Damage with a hash that is right again: numbers that cannot be are seen one by one. */
static void what_is_settled_grows_to_all(void **unused)
{
	float *image = blobs(5);
	struct fx_ffn_pos *seeds = random_seeds(6);
	int32_t *segments = calloc(LEN, sizeof *segments);
	struct fx_ffn f = { 0 };
	double last = 0, in_flood = 0;
	size_t calls = 0;
	int did = 0;

	(void)unused;
	assert_non_null(segments);
	start(&f, &calls, image, segments, seeds);
	assert_true(fx_ffn_settled(&f) == 0);
	while (did != FX_FFN_FINISHED) {
		const double kept = (double)f.counts.voxels,
			     least = kept + (LEN - kept) * (double)f.seed / SEEDS;
		const double now = fx_ffn_settled(&f);

		assert_true(now >= least - 1e-6 && now <= LEN);
		if (f.flooding && now - least > in_flood)
			in_flood = now - least;
		assert_true(f.flooding || fabs(now - least) < 1e-6);
		if (did == FX_FFN_ENDED) {
			assert_true(now > last);
			last = now;
		}
		did = fx_ffn_step(&f);
		assert_true(did > 0);
	}
	assert_true(in_flood > 100);
	assert_true(f.counts.accepted > 0);
	assert_true(fabs(fx_ffn_settled(&f) - LEN) < 1e-6);
	fx_ffn_fini(&f);
	free(segments);
	free(seeds);
	free(image);
}

static void wrong_states_are_refused(void **unused)
{
	struct fx_ffn_pos *seeds = random_seeds(5);
	int32_t *segments = malloc(LEN * sizeof *segments);
	float *image = blobs(6);
	struct fx_ffn f = { 0 };
	size_t calls = 0, size, refused = 0;
	uint64_t seed = 3;
	uint8_t *bytes;
	void *saved;

	(void)unused;
	assert_non_null(segments);
	start(&f, &calls, image, segments, seeds);
	do
		run(&f, 1);
	while (!f.flooding || f.counts.evaluations < 5);
	assert_int_equal(fx_ffn_save(&f, 1, &saved, &size), FX_OK);
	fx_ffn_fini(&f);
	bytes = saved;
	for (size_t cut = 0; cut < size; cut += 1 + cut / 2) {
		start(&f, &calls, image, segments, seeds);
		assert_int_equal(fx_ffn_restore(&f, 1, bytes, cut, NULL), FX_EINVAL);
		fx_ffn_fini(&f);
	}
	for (int i = 0; i < 300; i++) {
		const size_t at = test_random(&seed) % (i < 200 ? 300 : size - 8);
		const uint8_t old = bytes[at];
		uint64_t hash;

		bytes[at] = (uint8_t)test_random(&seed);
		hash = fx_ffn_hash(FX_FFN_HASH, bytes, size - 8);
		memcpy(bytes + size - 8, &hash, 8);
		start(&f, &calls, image, segments, seeds);
		if (fx_ffn_restore(&f, 1, bytes, size, NULL) == FX_OK)
			run(&f, 50); /* whatever it is, it stays inside */
		else
			refused++;
		fx_ffn_fini(&f);
		bytes[at] = old;
	}
	assert_true(refused > 50);
	free(saved);
	free(image);
	free(seeds);
	free(segments);
}

static void cells_are_floors(void **unused)
{
	(void)unused;
	for (int pos = -40; pos <= 40; pos++)
		for (size_t delta = 1; delta < 10; delta++)
			assert_int_equal(
				fx_ffn_cell(pos, 3, delta),
				(int)floor((pos - 3 + (double)(delta / 2)) / (double)delta));
	assert_int_equal(fx_ffn_cell(5, 3, 0), 2);
}

static void logits_are_those_of_float32(void **unused)
{
	const struct fx_ffn_logits l = fx_ffn_logits(&config);
	const float want[] = { l.init, l.pad, l.move, l.segment };
	const uint32_t bits[] = { 0x403c71af, 0xc03c71b0, 0x400c9f53, 0x3ecf9923 };

	(void)unused;
	for (size_t i = 0; i < 4; i++) {
		uint32_t b;

		memcpy(&b, &want[i], sizeof b);
		assert_int_equal(b, bits[i]);
	}
	assert_true(fabs(l.move_exact - 2.19722431) < 1e-8);
}

/* Every voxel of the faces, ordered, against what is returned. */
static void moves_are_the_surest_voxels(void **unused)
{
	static const size_t fov[3] = { 9, 7, 11 }, deltas[3] = { 2, 3, 4 };
	float logits[9 * 7 * 11];
	uint64_t seed = 12;

	(void)unused;
	for (int round = 0; round < 50; round++) {
		struct fx_ffn_move moves[6];
		size_t len, found = 0;

		for (size_t i = 0; i < 9 * 7 * 11; i++) /* coarse: many ties */
			logits[i] = (float)(test_random(&seed) % 40) / 10;
		len = fx_ffn_moves(moves, logits, fov, deltas, 3.8);
		for (int face = 0; face < 6; face++) {
			const int d[3] = { 2, 3, 4 }, axis = face / 2;
			int best[3] = { 0 };
			float score = -1;
			bool there = false;

			for (int z = -d[0]; z <= d[0]; z++)
				for (int y = -d[1]; y <= d[1]; y++)
					for (int x = -d[2]; x <= d[2]; x++) {
						const int c[3] = { z, y, x };
						const float v =
							logits[((4 + z) * 7 + 3 + y) * 11 + 5 + x];

						if (c[axis] == (face % 2 ? d[axis] : -d[axis]) &&
						    v > score) {
							score = v;
							memcpy(best, c, sizeof best);
						}
					}
			for (size_t i = 0; i < len; i++)
				there |= memcmp(moves[i].step.at, best, sizeof best) == 0;
			assert_int_equal(there, (double)score >= 3.8);
			found += there;
		}
		assert_true(found >= len); /* an edge may be the best of two faces */
		for (size_t i = 1; i < len; i++) {
			const int *a = moves[i - 1].step.at, *b = moves[i].step.at;

			assert_true(moves[i - 1].score >= moves[i].score);
			if (!(moves[i - 1].score > moves[i].score))
				assert_true(a[0] > b[0] ||
					    (a[0] == b[0] &&
					     (a[1] > b[1] || (a[1] == b[1] && a[2] > b[2]))));
		}
	}
}

static void a_volume_below_the_field_has_nothing(void **unused)
{
	static const size_t small[3] = { 6, 40, 40 };
	const struct fx_ffn_pos seed = { { 3, 20, 20 } };
	size_t calls = 0;
	const struct fx_ffn_eval eval = { toy, &calls };
	float *image = calloc(6 * 40 * 40, sizeof *image);
	int32_t *segments = calloc(6 * 40 * 40, sizeof *segments);
	struct fx_ffn f = { 0 };

	(void)unused;
	assert_true(image && segments);
	assert_int_equal(fx_ffn_init(&f, &config, &eval, image, segments, small, &seed, 1, NULL),
			 FX_OK);
	assert_int_equal(fx_ffn_step(&f), FX_FFN_FINISHED);
	assert_int_equal(f.counts.skipped_position, 1);
	assert_int_equal(fx_ffn_begin(&f, seed), FX_EINVAL);
	assert_int_equal(calls, 0);
	fx_ffn_fini(&f);
	free(image);
	free(segments);
}

static void wrong_constants_are_refused(void **unused)
{
	const struct fx_ffn_eval eval = { toy, NULL };
	struct fx_ffn_config c = config;
	struct fx_error err = { 0 };
	struct fx_ffn f = { 0 };
	float image = 0;
	int32_t segment = 0;
	static const size_t one[3] = { 1, 1, 1 }, none[3] = { 1, 0, 1 };

	(void)unused;
	c.fov[1] = 8;
	assert_int_equal(fx_ffn_init(&f, &c, &eval, &image, &segment, one, NULL, 0, &err),
			 FX_EINVAL);
	assert_non_null(strstr(err.text, "7,8,7"));
	c = config;
	c.deltas[0] = 4;
	assert_int_equal(fx_ffn_init(&f, &c, &eval, &image, &segment, one, NULL, 0, &err),
			 FX_EINVAL);
	c = config;
	c.move = 1;
	assert_int_equal(fx_ffn_init(&f, &c, &eval, &image, &segment, one, NULL, 0, &err),
			 FX_EINVAL);
	assert_int_equal(fx_ffn_init(&f, &config, &eval, &image, &segment, none, NULL, 0, &err),
			 FX_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(floods_as_the_plain_rules),
		cmocka_unit_test(goes_on_after_any_step),
		cmocka_unit_test(what_is_settled_grows_to_all),
		cmocka_unit_test(wrong_states_are_refused),
		cmocka_unit_test(cells_are_floors),
		cmocka_unit_test(logits_are_those_of_float32),
		cmocka_unit_test(moves_are_the_surest_voxels),
		cmocka_unit_test(a_volume_below_the_field_has_nothing),
		cmocka_unit_test(wrong_constants_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
