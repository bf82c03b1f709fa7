// SPDX-License-Identifier: Apache-2.0
/* cseg.c: Neuroglancer's compressed_segmentation. */
#include "formats/cseg.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map64.h"

enum { TABLE_OFFSET_MAX = (1 << 24) - 1 };

/* What is being written; offsets count words from `base`, where the only channel begins. */
struct encoder {
	const uint64_t *labels;
	const size_t *shape, *block;
	uint32_t *words; /* owned until handed out */
	size_t len, cap, base;
	struct fx_map64 tables;		   /* hash of a table -> its offset + 1 */
	uint64_t table[FX_CSEG_BLOCK_MAX]; /* sorted labels of the block at hand */
	size_t table_len;
};

static bool words_add(struct encoder *e, size_t count)
{
	if (!fx_grow(&e->words, &e->cap, e->len + count, sizeof *e->words))
		return false;
	memset(e->words + e->len, 0, count * sizeof *e->words);
	e->len += count;
	return true;
}

static size_t table_find(const struct encoder *e, uint64_t label)
{
	size_t lo = 0, hi = e->table_len;

	while (lo < hi) {
		const size_t mid = lo + (hi - lo) / 2;

		if (e->table[mid] < label)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Begin and end of block number i along an axis. */
static size_t block_end(const struct encoder *e, int axis, size_t begin)
{
	const size_t end = begin + e->block[axis];

	return end < e->shape[axis] ? end : e->shape[axis];
}

static const uint64_t *label_row(const struct encoder *e, size_t z, size_t y)
{
	return e->labels + (z * e->shape[1] + y) * e->shape[2];
}

static void table_collect(struct encoder *e, const size_t at[3])
{
	const size_t x_end = block_end(e, 2, at[2]);

	e->table_len = 0;
	for (size_t z = at[0]; z < block_end(e, 0, at[0]); z++)
		for (size_t y = at[1]; y < block_end(e, 1, at[1]); y++) {
			const uint64_t *row = label_row(e, z, y);

			for (size_t x = at[2]; x < x_end; x++) {
				size_t i;

				if (e->table_len && x > at[2] && row[x] == row[x - 1])
					continue;
				i = table_find(e, row[x]);
				if (i < e->table_len && e->table[i] == row[x])
					continue;
				memmove(e->table + i + 1, e->table + i,
					(e->table_len - i) * sizeof *e->table);
				e->table[i] = row[x];
				e->table_len++;
			}
		}
}

static void values_pack(struct encoder *e, const size_t at[3], size_t first, unsigned bits)
{
	const size_t x_end = block_end(e, 2, at[2]);

	for (size_t z = at[0]; z < block_end(e, 0, at[0]); z++)
		for (size_t y = at[1]; y < block_end(e, 1, at[1]); y++) {
			const uint64_t *row = label_row(e, z, y);
			size_t place =
				e->block[2] * ((y - at[1]) + e->block[1] * (z - at[0])) * bits;
			size_t index = 0;

			for (size_t x = at[2]; x < x_end; x++, place += bits) {
				if (x == at[2] || row[x] != row[x - 1])
					index = table_find(e, row[x]);
				e->words[first + place / 32] |= (uint32_t)index << place % 32;
			}
		}
}

static uint64_t table_hash(const struct encoder *e)
{
	uint64_t hash = 0xcbf29ce484222325u ^ e->table_len;

	for (size_t i = 0; i < e->table_len; i++) {
		hash = (hash ^ e->table[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash;
}

/* Puts the table behind the words, or finds an equal one; its offset. */
static int table_put(struct encoder *e, size_t *offset)
{
	uint64_t *known = fx_map64_at(&e->tables, table_hash(e));

	if (!known)
		return FX_ENOMEM;
	if (*known) {
		*offset = (size_t)*known - 1;
		if (e->base + *offset + 2 * e->table_len <= e->len &&
		    memcmp(e->words + e->base + *offset, e->table,
			   e->table_len * sizeof *e->table) == 0)
			return FX_OK;
	}
	*offset = e->len - e->base;
	*known = *offset + 1;
	if (!words_add(e, 2 * e->table_len))
		return FX_ENOMEM;
	for (size_t i = 0; i < e->table_len; i++) {
		e->words[e->base + *offset + 2 * i] = (uint32_t)e->table[i];
		e->words[e->base + *offset + 2 * i + 1] = (uint32_t)(e->table[i] >> 32);
	}
	return FX_OK;
}

static int block_encode(struct encoder *e, const size_t at[3], size_t header)
{
	const size_t voxels = e->block[0] * e->block[1] * e->block[2], first = e->len;
	unsigned bits = 0;
	size_t offset;

	table_collect(e, at);
	while (bits < 32 && (UINT64_C(1) << bits) < e->table_len)
		bits = bits ? 2 * bits : 1;
	if (!words_add(e, (voxels * bits + 31) / 32))
		return FX_ENOMEM;
	if (bits)
		values_pack(e, at, first, bits);
	if (table_put(e, &offset) < 0)
		return FX_ENOMEM;
	if (offset > TABLE_OFFSET_MAX)
		return FX_EINVAL;
	e->words[header] = (uint32_t)offset | (uint32_t)bits << 24;
	e->words[header + 1] = (uint32_t)(first - e->base);
	return FX_OK;
}

static int blocks_encode(struct encoder *e)
{
	size_t header = e->base, blocks = 1;
	int result = FX_OK;

	for (int a = 0; a < 3; a++)
		if (!fx_mul_size(blocks, (e->shape[a] + e->block[a] - 1) / e->block[a], &blocks))
			return FX_ENOMEM;
	if (blocks > TABLE_OFFSET_MAX)
		return FX_EINVAL;
	if (!words_add(e, 1 + 2 * blocks))
		return FX_ENOMEM;
	e->words[0] = 1;
	for (size_t z = 0; z < e->shape[0]; z += e->block[0])
		for (size_t y = 0; y < e->shape[1]; y += e->block[1])
			for (size_t x = 0; x < e->shape[2] && result == FX_OK; x += e->block[2]) {
				result = block_encode(e, (const size_t[3]){ z, y, x }, header);
				header += 2;
			}
	return result;
}

int fx_cseg_encode(const uint64_t *labels, const size_t shape[3], const size_t block[3],
		   uint32_t **words, size_t *words_len, struct fx_error *err)
{
	struct encoder *e;
	size_t voxels = block[0];
	int result;

	if (!fx_mul_size(voxels, block[1], &voxels) || !fx_mul_size(voxels, block[2], &voxels) ||
	    !voxels || voxels > FX_CSEG_BLOCK_MAX)
		return fx_error_set(err, FX_EINVAL,
				    "compressed_segmentation blocks have 1 to %d voxels",
				    FX_CSEG_BLOCK_MAX);
	e = calloc(1, sizeof *e);
	if (!e)
		return fx_error_set(err, FX_ENOMEM, "no memory to encode labels");
	*e = (struct encoder){ .labels = labels, .shape = shape, .block = block, .base = 1 };
	result = blocks_encode(e);
	if (result == FX_OK) {
		*words = e->words;
		*words_len = e->len;
	} else {
		free(e->words);
		fx_error_set(err, result,
			     result == FX_ENOMEM ?
				     "no memory to encode labels" :
				     "too many labels in one chunk for compressed_segmentation: "
				     "use smaller chunks");
	}
	fx_map64_fini(&e->tables);
	free(e);
	return result;
}

/* What is being read; `words` is where the channel begins. */
struct decoder {
	const unsigned char *bytes;
	size_t words, label_words;
	const size_t *shape, *block;
	void *out;
};

static uint32_t word_at(const struct decoder *d, size_t i)
{
	const unsigned char *const b = d->bytes + 4 * i;

	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

struct block_header {
	size_t table, values;
	unsigned bits;
};

static bool voxel_decode(const struct decoder *d, const struct block_header *h, size_t place,
			 size_t voxel)
{
	const size_t word = h->values + place * h->bits / 32;
	size_t index = 0;

	if (h->bits) {
		const uint32_t mask = h->bits == 32 ? UINT32_MAX : (1u << h->bits) - 1;

		if (word >= d->words)
			return false;
		index = word_at(d, word) >> (place * h->bits % 32) & mask;
	}
	index = h->table + index * d->label_words;
	if (index + d->label_words > d->words)
		return false;
	if (d->label_words == 1)
		((uint32_t *)d->out)[voxel] = word_at(d, index);
	else
		((uint64_t *)d->out)[voxel] = word_at(d, index) | (uint64_t)word_at(d, index + 1)
									  << 32;
	return true;
}

static bool block_decode(const struct decoder *d, const size_t at[3], size_t header)
{
	struct block_header h;
	size_t end[3];

	if (header + 2 > d->words)
		return false;
	h.table = word_at(d, header) & 0xffffff;
	h.bits = word_at(d, header) >> 24;
	h.values = word_at(d, header + 1);
	if (h.bits > 32 || (h.bits & (h.bits - 1)))
		return false;
	for (int a = 0; a < 3; a++)
		end[a] = d->shape[a] - at[a] < d->block[a] ? d->shape[a] : at[a] + d->block[a];
	for (size_t z = at[0]; z < end[0]; z++)
		for (size_t y = at[1]; y < end[1]; y++) {
			const size_t row = (z * d->shape[1] + y) * d->shape[2];
			const size_t place =
				d->block[2] * ((y - at[1]) + d->block[1] * (z - at[0]));

			for (size_t x = at[2]; x < end[2]; x++)
				if (!voxel_decode(d, &h, place + x - at[2], row + x))
					return false;
		}
	return true;
}

int fx_cseg_decode(const void *bytes, size_t size, const size_t shape[3], const size_t block[3],
		   enum fx_dtype dtype, void *out, struct fx_error *err)
{
	struct decoder d = { bytes, size / 4, dtype == FX_U64 ? 2 : 1, shape, block, out };
	size_t header = 0, first, voxels;
	bool ok = size >= 4 && size % 4 == 0 && block[0] && block[1] && block[2] &&
		  fx_mul_size(block[0], block[1], &voxels) &&
		  fx_mul_size(voxels, block[2], &voxels) && voxels < SIZE_MAX / 64;

	if (ok) {
		first = word_at(&d, 0);
		ok = first >= 1 && first <= d.words;
		d.bytes += ok ? 4 * first : 0;
		d.words -= ok ? first : 0;
	}
	for (size_t z = 0; z < shape[0] && ok; z += block[0])
		for (size_t y = 0; y < shape[1] && ok; y += block[1])
			for (size_t x = 0; x < shape[2] && ok; x += block[2], header += 2)
				ok = block_decode(&d, (const size_t[3]){ z, y, x }, header);
	return ok ? FX_OK : fx_error_set(err, FX_EINVAL, "not valid compressed_segmentation data");
}
