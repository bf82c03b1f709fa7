// SPDX-License-Identifier: Apache-2.0
/* chunkmeta.c: what chunked formats have in common: sizes, names, the bytes of a chunk. */
#include "formats/chunkmeta.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "fill values and voxels are so");

void fx_chunkmeta_shape(const struct fx_chunkmeta *m, size_t shape[3], size_t chunk[3])
{
	for (size_t a = 0; a < 3; a++) {
		const bool there = a + m->rank >= 3;

		shape[a] = there ? m->shape[a + m->rank - 3] : 1;
		chunk[a] = there ? m->chunk[a + m->rank - 3] : 1;
	}
}

size_t fx_chunkmeta_voxel(const struct fx_chunkmeta *m)
{
	return m->real ? (size_t)m->real : fx_dtype_size(m->dtype);
}

size_t fx_chunkmeta_bytes(const struct fx_chunkmeta *m)
{
	size_t bytes = fx_chunkmeta_voxel(m);

	for (size_t a = 0; a < m->rank; a++)
		bytes *= m->chunk[a];
	return bytes;
}

static int check_chunk(const struct fx_chunkmeta *m, struct fx_error *err)
{
	size_t bytes = fx_chunkmeta_voxel(m);

	for (size_t a = 0; a < m->rank; a++)
		if (!m->chunk[a] || !fx_mul_size(bytes, m->chunk[a], &bytes) ||
		    bytes > FX_CHUNK_MAX)
			return fx_error_set(err, FX_EINVAL, "its chunks are empty or above %d MiB",
					    FX_CHUNK_MAX >> 20);
	return FX_OK;
}

static int check_shard(const struct fx_chunkmeta *m, struct fx_error *err)
{
	size_t chunks = 1;

	for (size_t a = 0; a < m->rank; a++)
		if (!m->shard[a] || m->shard[a] % m->chunk[a] ||
		    !fx_mul_size(chunks, m->shard[a] / m->chunk[a], &chunks) ||
		    chunks > FX_SHARD_CHUNKS_MAX)
			return fx_error_set(err, FX_EINVAL,
					    "its shards are no multiple of chunks, or more than "
					    "%d of them",
					    FX_SHARD_CHUNKS_MAX);
	return FX_OK;
}

int fx_chunkmeta_check(struct fx_chunkmeta *m, struct fx_error *err)
{
	int result;

	if (m->rank < 2 || m->rank > FX_CHUNK_AXES)
		return fx_error_set(err, FX_ETYPE, "has %zu axes; 2 to %d are accepted", m->rank,
				    FX_CHUNK_AXES);
	for (size_t a = 0; a + 3 < m->rank; a++)
		if (m->shape[a] != 1)
			return fx_error_set(err, FX_ETYPE,
					    "axis %zu of %zu, before z y x, has %zu entries; 1 is "
					    "accepted",
					    a, m->rank, m->shape[a]);
	m->codecs.elem = fx_chunkmeta_voxel(m);
	m->index_codecs.elem = 8;
	result = check_chunk(m, err);
	return result == FX_OK && m->sharded ? check_shard(m, err) : result;
}

void fx_chunkmeta_name(const struct fx_chunkmeta *m, const size_t grid[3], char *name, size_t size)
{
	size_t at = 0;

	name[0] = 0;
	if (m->prefix)
		at = (size_t)snprintf(name, size, "c%c", m->separator);
	for (size_t i = 0; i < m->rank && at < size; i++) {
		const size_t a = m->format == FX_CHUNKS_N5 ? m->rank - 1 - i : i;
		const size_t g = a + 3 < m->rank ? 0 : grid[a + 3 - m->rank];

		at += (size_t)snprintf(name + at, size - at, "%zu", g);
		if (i + 1 < m->rank && at + 1 < size) {
			name[at++] = m->separator;
			name[at] = 0;
		}
	}
}

/* The head of an N5 chunk: mode, number of axes, their sizes (x first), all big-endian. Gives the
 * sizes, slowest first, and how long it is; 0 when it is wrong. */
static size_t n5_head(const struct fx_chunkmeta *m, const uint8_t *b, size_t size,
		      size_t shape[FX_CHUNK_AXES])
{
	const size_t need = 4 + 4 * m->rank;

	if (size < need || b[0] != 0 || b[1] > 1 || (size_t)(b[2] << 8 | b[3]) != m->rank)
		return 0;
	for (size_t a = 0; a < m->rank; a++) {
		const uint8_t *n = b + 4 + 4 * (m->rank - 1 - a);

		shape[a] = (size_t)n[0] << 24 | (size_t)n[1] << 16 | (size_t)n[2] << 8 | n[3];
		if (!shape[a] || shape[a] > m->chunk[a])
			return 0;
	}
	return b[1] == 1 ? (size < need + 4 ? 0 : need + 4) : need;
}

static void chunk_strides(const struct fx_chunkmeta *m, const size_t shape[FX_CHUNK_AXES],
			  struct fx_chunk *c)
{
	size_t stride = 1, strides[FX_CHUNK_AXES] = { 0 };

	for (size_t i = m->rank; i-- > 0;) {
		strides[m->order[i]] = stride;
		stride *= shape[m->order[i]];
	}
	for (size_t a = 0; a < 3; a++) {
		c->shape[a] = a + m->rank >= 3 ? shape[a + m->rank - 3] : 1;
		c->stride[a] = a + m->rank >= 3 ? strides[a + m->rank - 3] : 0;
	}
}

int fx_chunk_decode(const struct fx_chunkmeta *m, const void *bytes, size_t size,
		    struct fx_chunk *c, struct fx_error *err)
{
	size_t shape[FX_CHUNK_AXES] = { 0 }, want = fx_chunkmeta_voxel(m), got = 0, head = 0;
	const void *voxels = NULL;
	int result;

	memset(c, 0, sizeof *c);
	memcpy(shape, m->chunk, sizeof shape);
	if (m->format == FX_CHUNKS_N5 && !(head = n5_head(m, bytes, size, shape)))
		return fx_error_set(err, FX_EINVAL, "the head of a chunk is not of N5");
	for (size_t a = 0; a < m->rank; a++)
		want *= shape[a];
	result = fx_codecs_decode(&m->codecs, (const uint8_t *)bytes + head, size - head, want,
				  &voxels, &got, &c->owned, err);
	if (result < 0)
		return result;
	if (got != want) {
		free(c->owned);
		c->owned = NULL;
		return fx_error_set(err, FX_EINVAL, "a chunk has %zu bytes, not %zu", got, want);
	}
	c->voxels = voxels;
	chunk_strides(m, shape, c);
	return FX_OK;
}

/* One voxel: bytes turned where needed. */
static void copy_voxel(uint8_t *to, const uint8_t *from, size_t bytes, bool turn)
{
	for (size_t k = 0; k < bytes; k++)
		to[k] = from[turn ? bytes - 1 - k : k];
}

static void copy_row(const struct fx_chunkmeta *m, struct fx_chunk *c, size_t from, uint8_t *to,
		     size_t len)
{
	const size_t bytes = fx_dtype_size(m->dtype);

	if (c->voxels && m->real) {
		c->rounded = fx_real_read(m->real, c->voxels + from * m->real, len, c->stride[2],
					  m->big, (float *)(void *)to) ||
			     c->rounded;
		return;
	}
	if (c->voxels && c->stride[2] == 1 && (!m->big || bytes == 1)) {
		memcpy(to, c->voxels + from * bytes, len * bytes);
		return;
	}
	for (size_t x = 0; x < len; x++, to += bytes)
		copy_voxel(to, c->voxels ? c->voxels + (from + x * c->stride[2]) * bytes : m->fill,
			   bytes, m->big && c->voxels);
}

/* A row has no voxel whose highest bit is set. */
static bool row_positive(const uint8_t *row, size_t len, size_t bytes)
{
	uint8_t all = 0;

	for (size_t x = 0; x < len; x++)
		all |= row[x * bytes + bytes - 1];
	return !(all & 0x80);
}

int fx_chunk_paste(const struct fx_chunkmeta *m, struct fx_chunk *c, const int64_t at[3],
		   struct fx_block *b, struct fx_error *err)
{
	const size_t bytes = fx_dtype_size(m->dtype);
	size_t lo[3], hi[3];

	for (int a = 0; a < 3; a++) { /* of the block */
		const int64_t from = at[a] - b->origin[a];
		const int64_t to = from + (int64_t)c->shape[a];

		if (to <= 0 || from >= (int64_t)b->shape[a])
			return FX_OK;
		lo[a] = from > 0 ? (size_t)from : 0;
		hi[a] = to < (int64_t)b->shape[a] ? (size_t)to : b->shape[a];
	}
	for (size_t z = lo[0]; z < hi[0]; z++)
		for (size_t y = lo[1]; y < hi[1]; y++) {
			uint8_t *to = (uint8_t *)b->data +
				      ((z * b->shape[1] + y) * b->shape[2] + lo[2]) * bytes;
			const size_t from =
				(size_t)((int64_t)z + b->origin[0] - at[0]) * c->stride[0] +
				(size_t)((int64_t)y + b->origin[1] - at[1]) * c->stride[1] +
				(size_t)((int64_t)lo[2] + b->origin[2] - at[2]) * c->stride[2];

			copy_row(m, c, from, to, hi[2] - lo[2]);
			if (m->is_signed && !row_positive(to, hi[2] - lo[2], bytes))
				return fx_error_set(err, FX_ETYPE,
						    "has negative voxels, which are not accepted");
		}
	return FX_OK;
}

bool fx_shard_find(const uint8_t *index, size_t i, uint64_t *offset, uint64_t *size)
{
	memcpy(offset, index + 16 * i, 8);
	memcpy(size, index + 16 * i + 8, 8);
	return !(*offset == UINT64_MAX && *size == UINT64_MAX);
}
