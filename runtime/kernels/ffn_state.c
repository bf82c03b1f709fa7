// SPDX-License-Identifier: Apache-2.0
/* ffn_state.c: saves and restores flood-filling. */
#include "kernels/ffn_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* What is at the start of the bytes. The queue, the runs and, while flooding, the cells and the
 * object map of the object's box follow, then the hash of it all. */
struct head {
	char magic[8];
	uint64_t key, size, seeds_len, seed, queue_len, runs;
	int64_t next_id, flooding;
	struct fx_ffn_object object;
	struct fx_ffn_counts counts;
};

struct run {
	int32_t value;
	uint32_t len;
};

static const char magic[8] = { 'F', 'X', 'F', 'F', 'N', '0', '0', '1' };

uint64_t fx_ffn_hash(uint64_t hash, const void *data, size_t size)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ b[i]) * 0x100000001b3U;
	return hash;
}

uint64_t fx_ffn_key(const struct fx_ffn *f, uint64_t model)
{
	uint64_t h = fx_ffn_hash(FX_FFN_HASH, &model, sizeof model);

	h = fx_ffn_hash(h, &f->config, sizeof f->config);
	h = fx_ffn_hash(h, f->shape, sizeof f->shape);
	if (f->seeds_len)
		h = fx_ffn_hash(h, f->seeds, f->seeds_len * sizeof *f->seeds);
	return fx_ffn_hash(h, f->image, f->len * sizeof *f->image);
}

/* The run of equal segments from @p at on. */
static struct run run_at(const struct fx_ffn *f, size_t at)
{
	struct run r = { f->segments[at], 1 };

	while (at + r.len < f->len && f->segments[at + r.len] == r.value)
		r.len++;
	return r;
}

static size_t count_runs(const struct fx_ffn *f)
{
	size_t n = 0;

	for (size_t at = 0; at < f->len; at += run_at(f, at).len)
		n++;
	return n;
}

/* The box of object map that is kept: voxels that were evaluated, and the seed. */
struct box {
	size_t lo[3], shape[3], len;
};

static struct box box_of(const struct fx_ffn *f, const struct fx_ffn_object *o)
{
	struct box b = { .len = 1 };

	for (int i = 0; i < 3; i++) {
		b.lo[i] = (size_t)o->low.at[i] - f->margin[i];
		b.shape[i] = (size_t)(o->high.at[i] - o->low.at[i]) + 2 * f->margin[i] + 1;
		b.len *= b.shape[i];
	}
	return b;
}

static float *box_row(const struct fx_ffn *f, const struct box *b, size_t row)
{
	const size_t z = b->lo[0] + row / b->shape[1], y = b->lo[1] + row % b->shape[1];

	return f->pom + (z * f->shape[1] + y) * f->shape[2] + b->lo[2];
}

static uint8_t *put(uint8_t *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
	return to + size;
}

int fx_ffn_save(const struct fx_ffn *f, uint64_t key, void **bytes, size_t *size)
{
	struct head h = { .key = key,
			  .seeds_len = f->seeds_len,
			  .seed = f->seed,
			  .queue_len = f->queue_len - f->queue_head,
			  .runs = count_runs(f),
			  .next_id = f->next_id,
			  .flooding = f->flooding,
			  .object = f->object,
			  .counts = f->counts };
	const struct box b = f->flooding ? box_of(f, &f->object) : (struct box){ 0 };
	uint8_t *all, *at;
	uint64_t hash;

	memcpy(h.magic, magic, sizeof magic);
	h.size = sizeof h + h.queue_len * sizeof *f->queue + h.runs * sizeof(struct run) +
		 (f->flooding ? f->cells_len + b.len * sizeof *f->pom : 0) + sizeof hash;
	all = malloc(h.size);
	if (!all)
		return FX_ENOMEM;
	at = put(all, &h, sizeof h);
	at = put(at, f->queue + f->queue_head, h.queue_len * sizeof *f->queue);
	for (size_t i = 0; i < f->len;) {
		const struct run r = run_at(f, i);

		at = put(at, &r, sizeof r);
		i += r.len;
	}
	if (f->flooding)
		at = put(at, f->done, f->cells_len);
	for (size_t r = 0; r < b.shape[0] * b.shape[1]; r++)
		at = put(at, box_row(f, &b, r), b.shape[2] * sizeof *f->pom);
	hash = fx_ffn_hash(FX_FFN_HASH, all, (size_t)(at - all));
	put(at, &hash, sizeof hash);
	*bytes = all;
	*size = h.size;
	return FX_OK;
}

static bool fits(const struct fx_ffn *f, const struct fx_ffn_pos *p, bool whole)
{
	for (int i = 0; i < 3; i++) {
		const int64_t m = whole ? (int64_t)f->margin[i] : 0;

		if (p->at[i] < m || p->at[i] + m >= (int64_t)f->shape[i])
			return false;
	}
	return true;
}

/* The numbers of the head make sense for @p f, and the parts behind it have the right size. */
static bool is_sane(const struct fx_ffn *f, const struct head *h, size_t size)
{
	const struct fx_ffn_object *o = &h->object;
	size_t rest = size - sizeof *h - sizeof(uint64_t), part;

	if (h->seeds_len != f->seeds_len || h->seed > f->seeds_len || h->next_id < 1 ||
	    h->next_id > INT32_MAX || (h->flooding != 0 && h->flooding != 1))
		return false;
	if (!fx_mul_size(h->queue_len, sizeof *f->queue, &part) || part > rest)
		return false;
	rest -= part;
	if (!fx_mul_size(h->runs, sizeof(struct run), &part) || part > rest)
		return false;
	rest -= part;
	if (!h->flooding)
		return rest == 0;
	if (!fits(f, &o->start, true) || !fits(f, &o->low, true) || !fits(f, &o->high, true))
		return false;
	for (int i = 0; i < 3; i++)
		if (o->low.at[i] > o->high.at[i])
			return false;
	return rest == f->cells_len + box_of(f, o).len * sizeof *f->pom;
}

/* The runs cover the volume, and the queue is inside of it. */
static bool is_complete(const struct fx_ffn *f, const struct head *h, const uint8_t *queue)
{
	const uint8_t *runs = queue + h->queue_len * sizeof *f->queue;
	size_t len = 0;

	for (size_t i = 0; i < h->queue_len; i++) {
		struct fx_ffn_pos p;

		memcpy(&p, queue + i * sizeof p, sizeof p);
		if (!fits(f, &p, false))
			return false;
	}
	for (size_t i = 0; i < h->runs; i++) {
		struct run r;

		memcpy(&r, runs + i * sizeof r, sizeof r);
		if (!r.len || r.len > f->len - len || r.value < -1)
			return false;
		len += r.len;
	}
	return len == f->len;
}

static void take(struct fx_ffn *f, const struct head *h, const uint8_t *at)
{
	const size_t queue_size = h->queue_len * sizeof *f->queue;
	int32_t *to = f->segments;

	if (queue_size)
		memcpy(f->queue, at, queue_size);
	at += queue_size;
	for (size_t i = 0; i < h->runs; i++, at += sizeof(struct run)) {
		struct run r;

		memcpy(&r, at, sizeof r);
		for (uint32_t k = 0; k < r.len; k++)
			*to++ = r.value;
	}
	f->seed = h->seed;
	f->next_id = (int32_t)h->next_id;
	f->flooding = h->flooding;
	f->object = h->object;
	f->counts = h->counts;
	f->queue_head = 0;
	f->queue_len = h->queue_len;
	if (f->flooding) {
		const struct box b = box_of(f, &f->object);

		memcpy(f->done, at, f->cells_len);
		at += f->cells_len;
		for (size_t r = 0; r < b.shape[0] * b.shape[1]; r++) {
			memcpy(box_row(f, &b, r), at, b.shape[2] * sizeof *f->pom);
			at += b.shape[2] * sizeof *f->pom;
		}
	}
}

int fx_ffn_restore(struct fx_ffn *f, uint64_t key, const void *bytes, size_t size,
		   struct fx_error *err)
{
	const uint8_t *all = bytes;
	struct head h;
	uint64_t hash;

	if (size < sizeof h + sizeof hash)
		return fx_error_set(err, FX_EINVAL, "no state of a flood: only %zu bytes", size);
	memcpy(&h, all, sizeof h);
	memcpy(&hash, all + size - sizeof hash, sizeof hash);
	if (memcmp(h.magic, magic, sizeof magic) != 0 || h.size != size ||
	    hash != fx_ffn_hash(FX_FFN_HASH, all, size - sizeof hash))
		return fx_error_set(err, FX_EINVAL, "no state of a flood, or a damaged one");
	if (h.key != key)
		return fx_error_set(err, FX_EINVAL,
				    "the state of another block, model or set of options");
	if (!is_sane(f, &h, size) || !is_complete(f, &h, all + sizeof h))
		return fx_error_set(err, FX_EINVAL, "a state of a flood that cannot be");
	if (!fx_grow(&f->queue, &f->queue_cap, h.queue_len + 6, sizeof *f->queue))
		return fx_error_set(err, FX_ENOMEM, "no memory to go on with a flood");
	take(f, &h, all + sizeof h);
	return FX_OK;
}
