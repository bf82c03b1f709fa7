// SPDX-License-Identifier: Apache-2.0
/* ffn.c: flood-filling of one object after another. */
#include "kernels/ffn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FOV_MAX = 255 };

static double logit(double probability)
{
	const double p = (double)(float)probability;

	return log(p / (1 - p));
}

struct fx_ffn_logits fx_ffn_logits(const struct fx_ffn_config *c)
{
	return (struct fx_ffn_logits){ .init = (float)logit(c->init),
				       .pad = (float)logit(c->pad),
				       .move = (float)logit(c->move),
				       .segment = (float)logit(c->segment),
				       .move_exact = logit(c->move) };
}

void fx_ffn_normalise(float *out, const void *in, enum fx_dtype dtype, size_t len, double mean,
		      double stddev)
{
	const float m = (float)mean, d = (float)stddev;
	const uint8_t *u8 = in;
	const uint16_t *u16 = in;
	const float *f32 = in;

	for (size_t i = 0; i < len; i++) {
		const float v = dtype == FX_U8	? (float)u8[i] :
				dtype == FX_U16 ? (float)u16[i] / 257 :
						  f32[i] * 255;

		out[i] = isfinite(v) ? (v - m) / d : 0;
	}
}

static int check_config(const struct fx_ffn_config *c, struct fx_error *err)
{
	const double p[] = { c->init, c->pad, c->move, c->segment };

	for (int i = 0; i < 3; i++)
		if (c->fov[i] % 2 == 0 || c->fov[i] > FOV_MAX || c->deltas[i] > c->fov[i] / 2)
			return fx_error_set(
				err, FX_EINVAL,
				"field of view %zu,%zu,%zu moved by %zu,%zu,%zu: the field "
				"must be odd and at most %d, moves at most half of it",
				c->fov[0], c->fov[1], c->fov[2], c->deltas[0], c->deltas[1],
				c->deltas[2], FOV_MAX);
	for (size_t i = 0; i < sizeof p / sizeof *p; i++)
		if (!((float)p[i] > 0 && (float)p[i] < 1))
			return fx_error_set(err, FX_EINVAL,
					    "probability %g of a flood: must be between 0 and 1",
					    p[i]);
	return FX_OK;
}

/* Sizes of the volume, the field and the grid of moves. False when they do not fit. */
static bool measure(struct fx_ffn *f, const size_t shape[3])
{
	f->len = f->cells_len = f->fov_len = 1;
	for (int i = 0; i < 3; i++) {
		const size_t d = f->config.deltas[i] ? f->config.deltas[i] : 1;

		if (!shape[i] || !fx_mul_size(f->len, shape[i], &f->len) || f->len > INT32_MAX)
			return false;
		f->shape[i] = shape[i];
		f->margin[i] = f->config.fov[i] / 2;
		f->fov_len *= f->config.fov[i];
		f->cells[i] = (shape[i] - 1) / d + 2;
		if (!fx_mul_size(f->cells_len, f->cells[i], &f->cells_len))
			return false;
	}
	return true;
}

int fx_ffn_init(struct fx_ffn *f, const struct fx_ffn_config *c, const struct fx_ffn_eval *eval,
		const float *image, int32_t *segments, const size_t shape[3],
		const struct fx_ffn_pos *seeds, size_t seeds_len, struct fx_error *err)
{
	const int bad = check_config(c, err);

	if (bad)
		return bad;
	*f = (struct fx_ffn){ .config = *c,
			      .logits = fx_ffn_logits(c),
			      .eval = *eval,
			      .image = image,
			      .segments = segments,
			      .seeds = seeds,
			      .seeds_len = seeds_len,
			      .next_id = 1 };
	if (!measure(f, shape))
		return fx_error_set(err, FX_EINVAL,
				    "a volume of %zux%zux%zu voxels: there must be 1 to 2^31",
				    shape[0], shape[1], shape[2]);
	f->pom = fx_alloc_aligned(f->len * sizeof *f->pom);
	f->done = fx_alloc_aligned(f->cells_len);
	f->patch = fx_alloc_aligned(3 * f->fov_len * sizeof *f->patch);
	if (!f->pom || !f->done || !f->patch) {
		fx_ffn_fini(f);
		return fx_error_set(err, FX_ENOMEM, "no memory to flood %zux%zux%zu voxels",
				    shape[0], shape[1], shape[2]);
	}
	for (size_t i = 0; i < f->len; i++)
		f->pom[i] = NAN;
	return FX_OK;
}

void fx_ffn_fini(struct fx_ffn *f)
{
	free(f->pom);
	free(f->done);
	free(f->patch);
	free(f->queue);
	*f = (struct fx_ffn){ 0 };
}

static size_t index_of(const struct fx_ffn *f, const struct fx_ffn_pos *p)
{
	return ((size_t)p->at[0] * f->shape[1] + (size_t)p->at[1]) * f->shape[2] + (size_t)p->at[2];
}

/* The field of view around @p p is inside of the volume. */
static bool fits(const struct fx_ffn *f, const struct fx_ffn_pos *p)
{
	for (int i = 0; i < 3; i++)
		if (p->at[i] < (int32_t)f->margin[i] ||
		    (size_t)p->at[i] + f->margin[i] >= f->shape[i])
			return false;
	return true;
}

/* The field fits, and no object is there. */
static bool is_free(struct fx_ffn *f, const struct fx_ffn_pos *p)
{
	if (fits(f, p) && f->segments[index_of(f, p)] <= 0)
		return true;
	f->counts.skipped_position++;
	return false;
}

/* An object is within the least distance of @p p. */
static bool is_crowded(const struct fx_ffn *f, const struct fx_ffn_pos *p)
{
	size_t lo[3], hi[3];

	for (int i = 0; i < 3; i++) {
		const size_t at = (size_t)p->at[i], d = f->config.min_distance[i];

		lo[i] = at > d ? at - d : 0;
		hi[i] = d < f->shape[i] - at ? at + d + 1 : f->shape[i];
	}
	for (size_t z = lo[0]; z < hi[0]; z++)
		for (size_t y = lo[1]; y < hi[1]; y++)
			for (size_t x = lo[2]; x < hi[2]; x++)
				if (f->segments[(z * f->shape[1] + y) * f->shape[2] + x] > 0)
					return true;
	return false;
}

static bool push(struct fx_ffn *f, struct fx_ffn_pos p)
{
	if (!fx_grow(&f->queue, &f->queue_cap, f->queue_len + 1, sizeof *f->queue))
		return false;
	f->queue[f->queue_len++] = p;
	return true;
}

int fx_ffn_begin(struct fx_ffn *f, struct fx_ffn_pos pos)
{
	if (f->flooding || !fits(f, &pos) || f->segments[index_of(f, &pos)] > 0)
		return FX_EINVAL;
	f->queue_len = f->queue_head = 0;
	if (!push(f, pos))
		return FX_ENOMEM;
	memset(f->done, 0, f->cells_len);
	f->pom[index_of(f, &pos)] = f->logits.init;
	f->object = (struct fx_ffn_object){ .start = pos, .low = pos, .high = pos };
	f->flooding = true;
	f->counts.floods++;
	return FX_OK;
}

/* Looks at one seed after another until one floods. */
static int next_seed(struct fx_ffn *f)
{
	while (f->seed < f->seeds_len) {
		const struct fx_ffn_pos pos = f->seeds[f->seed];
		int result = FX_OK;

		if (is_free(f, &pos)) {
			if (is_crowded(f, &pos))
				f->segments[index_of(f, &pos)] = -1;
			else
				result = fx_ffn_begin(f, pos);
		}
		if (result)
			return result;
		f->counts.seeds++;
		f->seed++;
		if (f->flooding)
			return FX_OK;
	}
	for (size_t i = 0; i < f->len; i++)
		if (f->segments[i] < 0)
			f->segments[i] = 0;
	return FX_FFN_FINISHED;
}

/* Whether the cell of moves of @p p was evaluated; a byte of the grid. */
static uint8_t *cell_of(const struct fx_ffn *f, const struct fx_ffn_pos *p)
{
	size_t index = 0;

	for (int i = 0; i < 3; i++) {
		const int32_t start = f->object.start.at[i];
		const size_t d = f->config.deltas[i];
		const int32_t first = fx_ffn_cell(0, start, d);

		index = index * f->cells[i] + (size_t)(fx_ffn_cell(p->at[i], start, d) - first);
	}
	return f->done + index;
}

/* Takes the next place that is worth an evaluation out of the queue. */
static bool pop(struct fx_ffn *f, struct fx_ffn_pos *p)
{
	while (f->queue_head < f->queue_len) {
		*p = f->queue[f->queue_head++];
		if (*cell_of(f, p))
			continue;
		if (!(f->pom[index_of(f, p)] >= f->logits.move))
			f->counts.skipped_threshold++;
		else if (is_free(f, p))
			return true;
	}
	return false;
}

/* Where row z, y of the field around @p p begins in the volume. */
static size_t row_of(const struct fx_ffn *f, const struct fx_ffn_pos *p, size_t z, size_t y)
{
	return (((size_t)p->at[0] - f->margin[0] + z) * f->shape[1] + (size_t)p->at[1] -
		f->margin[1] + y) *
		       f->shape[2] +
	       (size_t)p->at[2] - f->margin[2];
}

static void gather(const struct fx_ffn *f, const struct fx_ffn_pos *p, float *image, float *seed)
{
	const size_t *fov = f->config.fov;

	for (size_t r = 0; r < fov[0] * fov[1]; r++) {
		const size_t from = row_of(f, p, r / fov[1], r % fov[1]), to = r * fov[2];

		memcpy(image + to, f->image + from, fov[2] * sizeof *image);
		for (size_t x = 0; x < fov[2]; x++)
			seed[to + x] = isnan(f->pom[from + x]) ? f->logits.pad : f->pom[from + x];
	}
}

/* Writes the logits back. With @p hold, voxels that were unsure before do not rise. */
static void scatter(const struct fx_ffn *f, const struct fx_ffn_pos *p, float *logits, bool hold)
{
	const size_t *fov = f->config.fov;

	for (size_t r = 0; r < fov[0] * fov[1]; r++) {
		float *old = f->pom + row_of(f, p, r / fov[1], r % fov[1]);
		float *now = logits + r * fov[2];

		for (size_t x = 0; x < fov[2]; x++) {
			if (hold && old[x] < 0 && now[x] > old[x])
				now[x] = old[x];
			old[x] = now[x];
		}
	}
}

/* The part of sure voxels is above the limit of the disconnect rule. */
static bool is_full(const struct fx_ffn *f, const float *logits)
{
	size_t sure = 0;

	if (!(f->config.disconnect >= 0))
		return false;
	for (size_t i = 0; i < f->fov_len; i++)
		sure += logits[i] >= f->logits.move;
	return (double)sure / (double)f->fov_len > f->config.disconnect;
}

static int evaluate(struct fx_ffn *f, const struct fx_ffn_pos *p)
{
	float *image = f->patch, *seed = image + f->fov_len, *logits = seed + f->fov_len;
	struct fx_ffn_move moves[6];
	size_t len;

	gather(f, p, image, seed);
	f->eval.run(f->eval.arg, logits, image, seed);
	scatter(f, p, logits, is_full(f, logits));
	*cell_of(f, p) = 1;
	for (int i = 0; i < 3; i++) {
		if (p->at[i] < f->object.low.at[i])
			f->object.low.at[i] = p->at[i];
		if (p->at[i] > f->object.high.at[i])
			f->object.high.at[i] = p->at[i];
	}
	f->object.evaluations++;
	f->counts.evaluations++;
	len = fx_ffn_moves(moves, logits, f->config.fov, f->config.deltas, f->logits.move_exact);
	for (size_t i = 0; i < len; i++) {
		for (int a = 0; a < 3; a++)
			moves[i].step.at[a] += p->at[a];
		f->queue[f->queue_len++] = moves[i].step; /* step() made room */
	}
	return FX_FFN_EVALUATED;
}

/* Rows of the box of all that was evaluated: calls @p row with the start of each. */
static uint64_t each_row(struct fx_ffn *f, uint64_t (*row)(struct fx_ffn *f, size_t from, size_t n))
{
	size_t lo[3], hi[3];
	uint64_t sum = 0;

	for (int i = 0; i < 3; i++) {
		lo[i] = (size_t)f->object.low.at[i] - f->margin[i];
		hi[i] = (size_t)f->object.high.at[i] + f->margin[i] + 1;
	}
	for (size_t z = lo[0]; z < hi[0]; z++)
		for (size_t y = lo[1]; y < hi[1]; y++)
			sum += row(f, (z * f->shape[1] + y) * f->shape[2] + lo[2], hi[2] - lo[2]);
	return sum;
}

static uint64_t count_row(struct fx_ffn *f, size_t from, size_t n)
{
	uint64_t voxels = 0;

	for (size_t i = from; i < from + n; i++)
		voxels += f->pom[i] >= f->logits.segment && f->segments[i] <= 0;
	return voxels;
}

static uint64_t assign_row(struct fx_ffn *f, size_t from, size_t n)
{
	uint64_t overlapping = 0;

	for (size_t i = from; i < from + n; i++)
		if (f->pom[i] >= f->logits.segment) {
			if (f->segments[i] <= 0)
				f->segments[i] = f->object.id;
			else
				overlapping++;
		}
	return overlapping;
}

static uint64_t forget_row(struct fx_ffn *f, size_t from, size_t n)
{
	for (size_t i = from; i < from + n; i++)
		f->pom[i] = NAN;
	return 0;
}

/* The object is complete: kept with the next id, or rejected and its seed marked. */
static int end_flood(struct fx_ffn *f)
{
	const size_t at = index_of(f, &f->object.start);
	const bool weak = f->object.evaluations && !(f->pom[at] >= f->logits.move);
	const uint64_t voxels = f->object.evaluations && !weak ? each_row(f, count_row) : 0;

	if (f->object.evaluations && (weak || voxels < f->config.min_voxels)) {
		if (f->segments[at] == 0)
			f->segments[at] = -1;
		f->counts.weak += weak;
		f->counts.small += !weak;
	} else if (f->object.evaluations) {
		f->object.id = f->next_id++;
		f->object.voxels = voxels;
		f->counts.accepted++;
		f->counts.voxels += voxels;
		f->counts.overlapping += each_row(f, assign_row);
	}
	each_row(f, forget_row);
	f->flooding = false;
	return FX_FFN_ENDED;
}

int fx_ffn_step(struct fx_ffn *f)
{
	struct fx_ffn_pos p;

	if (!f->flooding) {
		const int result = next_seed(f);

		if (result)
			return result;
	}
	if (!fx_grow(&f->queue, &f->queue_cap, f->queue_len + 6, sizeof *f->queue))
		return FX_ENOMEM;
	if (!pop(f, &p))
		return end_flood(f);
	if (!(f->pom[index_of(f, &f->object.start)] >= f->logits.move)) {
		f->counts.stopped++;
		return end_flood(f);
	}
	return evaluate(f, &p);
}

double fx_ffn_settled(struct fx_ffn *f)
{
	const uint64_t now = f->flooding && f->object.evaluations ? each_row(f, count_row) : 0;
	const double kept = (double)(f->counts.voxels + now), rest = (double)f->len - kept;

	return f->seeds_len ? kept + rest * (double)f->seed / (double)f->seeds_len : (double)f->len;
}
