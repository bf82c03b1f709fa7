// SPDX-License-Identifier: Apache-2.0
/* chunkwriter.c: cuts blocks into the chunks of a precomputed volume. */
#include "formats/chunkwriter.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const char file[] = "chunks"; /* of labels that wait */

static int chunk_sizes(struct fx_chunkwriter *w, struct fx_region core, const size_t want[3],
		       struct fx_error *err)
{
	size_t bytes = fx_dtype_size(w->info.dtype);

	for (int a = 0; a < 3; a++) {
		const int64_t lo = core.lo[a] - w->info.offset[a], len = core.hi[a] - core.lo[a];
		const int64_t chunk = (int64_t)want[a];
		const bool last = core.hi[a] == w->extent.hi[a];

		w->info.chunk[a] =
			lo % chunk == 0 && (last || len % chunk == 0) ? want[a] : (size_t)len;
		if (!fx_mul_size(bytes, w->info.chunk[a], &bytes) ||
		    bytes > FX_PRECOMPUTED_CHUNK_MAX)
			return fx_error_set(err, FX_EINVAL,
					    "chunks larger than 256 MiB: use smaller blocks");
	}
	return FX_OK;
}

static int scratch_open(struct fx_chunkwriter *w, const char *folder, struct fx_error *err)
{
	if (!folder)
		return fx_error_set(err, FX_EIO,
				    "cannot make a scratch file for labels: no scratch folder");
	w->scratch = fx_blobstore_named(folder, file, err);
	if (w->scratch)
		return FX_OK;
	return err ? err->code : FX_EIO;
}

static int chunks_begin(struct fx_chunkwriter *w, enum fx_role role, const struct fx_block *first,
			struct fx_region extent, const size_t chunk[3], struct fx_outdir *out,
			struct fx_error *err)
{
	int result;

	w->first = fx_block_core(first);
	w->extent = extent;
	w->info.role = role;
	w->info.dtype = role == FX_LABELS ? FX_U64 : first->dtype;
	w->info.compressed = role == FX_LABELS;
	for (int a = 0; a < 3; a++) {
		w->info.offset[a] = w->end[a] = extent.lo[a];
		w->info.voxel_nm[a] = first->voxel_nm[a];
		w->info.cseg_block[a] = 8;
	}
	fx_precomputed_set_key(&w->info);
	result = chunk_sizes(w, fx_block_core(first), chunk, err);
	return result == FX_OK ? fx_outdir_folder(out, w->info.key, err) : result;
}

int fx_chunkwriter_start(struct fx_chunkwriter *w, enum fx_role role, const struct fx_block *first,
			 struct fx_region extent, const size_t chunk[3], const char *scratch,
			 struct fx_outdir *out, struct fx_error *err)
{
	int result = chunks_begin(w, role, first, extent, chunk, out, err);

	if (result == FX_OK && role == FX_LABELS)
		result = scratch_open(w, scratch, err);
	w->started = result == FX_OK;
	return result;
}

/* A core must begin on the grid, and end on it or at the end of the volume. On z that may come
 * earlier than was told: where the stream was stopped. */
static int core_check(struct fx_chunkwriter *w, struct fx_region core, struct fx_error *err)
{
	for (int a = 0; a < 3; a++) {
		const int64_t chunk = (int64_t)w->info.chunk[a];
		const bool odd = (core.hi[a] - w->info.offset[a]) % chunk != 0;
		const bool past = w->extent.hi[a] && core.hi[a] > w->extent.hi[a];
		const bool behind_end =
			core.lo[a] >= w->end[a] && (w->end[a] - w->info.offset[a]) % chunk != 0;

		if (core.lo[a] < w->info.offset[a] || (core.lo[a] - w->info.offset[a]) % chunk ||
		    core.hi[a] <= core.lo[a] || past || behind_end ||
		    (odd && a > 0 && w->extent.hi[a] && core.hi[a] != w->extent.hi[a]) ||
		    (odd && core.hi[a] < w->end[a]) ||
		    (core.hi[a] > w->end[a] && core.lo[a] < w->end[a]))
			return fx_error_set(err, FX_EINVAL,
					    "block %lld..%lld on axis %c is not on the grid of "
					    "chunks of %lld voxels: its blocks must all have one "
					    "size",
					    (long long)core.lo[a], (long long)core.hi[a], "zyx"[a],
					    (long long)chunk);
		if (core.hi[a] > w->end[a])
			w->end[a] = core.hi[a];
	}
	return FX_OK;
}

static int chunk_write(struct fx_chunkwriter *w, const struct fx_block *chunk,
		       struct fx_outdir *out, struct fx_error *err)
{
	char name[300];
	const void *bytes;
	void *owned;
	size_t size;
	int result = fx_precomputed_encode(&w->info, chunk, &bytes, &size, &owned, err);

	if (result < 0)
		return result;
	fx_precomputed_chunk_name(&w->info, fx_block_region(chunk), name, sizeof name);
	result = fx_outdir_write(out, name, bytes, size, true, err);
	free(owned);
	return result;
}

static int chunk_wait(struct fx_chunkwriter *w, const struct fx_block *chunk, struct fx_error *err)
{
	struct fx_block *wide = fx_labels_widen(chunk);
	int result;

	if (!wide || !fx_grow(&w->waits, &w->waits_cap, w->waits_len + 1, sizeof *w->waits))
		result = fx_error_set(err, FX_ENOMEM, "no memory for labels");
	else
		result = fx_blobstore_put(w->scratch, w->waits_len, wide->data, fx_block_size(wide),
					  err);
	fx_block_free(wide);
	if (result == FX_OK)
		w->waits[w->waits_len++] = fx_block_region(chunk);
	return result;
}

static int core_cut(struct fx_chunkwriter *w, const struct fx_block *b, struct fx_region r,
		    struct fx_outdir *out, struct fx_error *err)
{
	struct fx_block *chunk = fx_block_crop(b, fx_region_intersect(r, fx_block_core(b)));
	int result;

	if (!chunk)
		return fx_error_set(err, FX_ENOMEM, "no memory for a chunk");
	result = w->info.role == FX_LABELS ? chunk_wait(w, chunk, err) :
					     chunk_write(w, chunk, out, err);
	fx_block_free(chunk);
	return result;
}

int fx_chunkwriter_add(struct fx_chunkwriter *w, const struct fx_block *b, struct fx_outdir *out,
		       struct fx_error *err)
{
	const struct fx_region core = fx_block_core(b);
	const int64_t n[3] = { (int64_t)w->info.chunk[0], (int64_t)w->info.chunk[1],
			       (int64_t)w->info.chunk[2] };
	const bool masked = b->channels == 2 && b->role == FX_IMAGE; /* the mask is not written */
	int result;

	if ((b->channels != 1 && !masked) ||
	    (w->info.role != FX_LABELS && b->dtype != w->info.dtype) ||
	    (w->info.role == FX_LABELS && !(b->dtype & (FX_U16 | FX_U32 | FX_U64))))
		return fx_error_set(err, FX_ETYPE, "block of %u channels of %s in a volume of %s",
				    b->channels, fx_dtype_name(b->dtype),
				    fx_dtype_name(w->info.dtype));
	result = core_check(w, core, err);
	for (int64_t z = core.lo[0]; z < core.hi[0]; z += n[0])
		for (int64_t y = core.lo[1]; y < core.hi[1]; y += n[1])
			for (int64_t x = core.lo[2]; x < core.hi[2] && result == FX_OK; x += n[2])
				result = core_cut(
					w, b,
					(struct fx_region){ { z, y, x },
							    { z + n[0], y + n[1], x + n[2] } },
					out, err);
	return result;
}

static int wait_write(struct fx_chunkwriter *w, size_t number, const struct fx_final_ids *final,
		      struct fx_outdir *out, struct fx_error *err)
{
	const struct fx_region r = w->waits[number];
	struct fx_block *chunk =
		fx_block_new(FX_U64, (size_t)(r.hi[0] - r.lo[0]), (size_t)(r.hi[1] - r.lo[1]),
			     (size_t)(r.hi[2] - r.lo[2]));
	int result;

	if (!chunk)
		return fx_error_set(err, FX_ENOMEM, "no memory for a chunk");
	memcpy(chunk->origin, r.lo, sizeof chunk->origin);
	result = fx_blobstore_read(w->scratch, number, chunk->data, fx_block_size(chunk), err);
	if (result == FX_OK)
		result = fx_final_ids_relabel(final, chunk->data, fx_block_len(chunk), err);
	if (result == FX_OK)
		result = chunk_write(w, chunk, out, err);
	fx_block_free(chunk);
	return result;
}

int fx_chunkwriter_finish(struct fx_chunkwriter *w, const struct fx_final_ids *final,
			  const char *skeletons, struct fx_outdir *out, struct fx_error *err)
{
	char *text;
	int result = FX_OK;

	for (size_t i = 0; i < w->waits_len && result == FX_OK; i++)
		result = wait_write(w, i, final, out, err);
	if (result < 0)
		return result;
	for (int a = 0; a < 3; a++) {
		const int64_t hi = a > 0 && w->extent.hi[a] ? w->extent.hi[a] : w->end[a];

		w->info.size[a] = (size_t)(hi - w->info.offset[a]);
	}
	text = fx_precomputed_info(&w->info, 1, skeletons);
	if (!text)
		return fx_error_set(err, FX_ENOMEM, "no memory for the info file");
	result = fx_outdir_write(out, "info", text, strlen(text), true, err);
	free(text);
	return result;
}

void fx_chunkwriter_fini(struct fx_chunkwriter *w)
{
	fx_blobstore_close(w->scratch);
	free(w->waits);
	memset(w, 0, sizeof *w);
}

int fx_chunkwriter_pack(struct fx_chunkwriter *w, struct fx_pack *to, struct fx_error *err)
{
	const int32_t dtype = (int32_t)w->info.dtype;

	fx_pack_bool(to, w->started);
	if (!w->started)
		return FX_OK;
	fx_pack_put(to, &dtype, sizeof dtype);
	fx_pack_put(to, w->info.voxel_nm, sizeof w->info.voxel_nm);
	fx_pack_put(to, &w->first, sizeof w->first);
	fx_pack_put(to, w->end, sizeof w->end);
	fx_pack_array(to, w->waits, w->waits_len, sizeof *w->waits);
	return w->scratch ? fx_blobstore_pack(w->scratch, to, err) : FX_OK;
}

/* As the first block was, without voxels. */
static int first_unpack(struct fx_block *b, struct fx_unpack *from)
{
	const int64_t most = (int64_t)1 << 40;
	struct fx_region core;
	int32_t dtype;

	if (fx_unpack_get(from, &dtype, sizeof dtype) < 0 ||
	    fx_unpack_get(from, b->voxel_nm, sizeof b->voxel_nm) < 0 ||
	    fx_unpack_get(from, &core, sizeof core) < 0)
		return FX_ETYPE;
	b->dtype = (enum fx_dtype)dtype;
	b->channels = 1;
	for (int a = 0; a < 3; a++) {
		if (core.lo[a] < -most || core.hi[a] > most || core.hi[a] <= core.lo[a] ||
		    !(b->voxel_nm[a] > 0 && b->voxel_nm[a] < 1e12))
			return FX_ETYPE;
		b->origin[a] = core.lo[a];
		b->shape[a] = (size_t)(core.hi[a] - core.lo[a]);
	}
	return fx_dtype_size(b->dtype) ? FX_OK : FX_ETYPE;
}

static bool waits_good(const struct fx_chunkwriter *w)
{
	for (size_t i = 0; i < w->waits_len; i++)
		for (int a = 0; a < 3; a++) {
			const int64_t lo = w->waits[i].lo[a], hi = w->waits[i].hi[a];

			if (lo < w->info.offset[a] || hi > w->end[a] || lo >= hi ||
			    (uint64_t)(hi - lo) > w->info.chunk[a])
				return false;
		}
	return true;
}

int fx_chunkwriter_unpack(struct fx_chunkwriter *w, enum fx_role role, struct fx_region extent,
			  const size_t chunk[3], const char *scratch, struct fx_outdir *out,
			  struct fx_unpack *from, struct fx_error *err)
{
	struct fx_block first = { 0 };
	void *waits = NULL;
	int result = fx_unpack_bool(from, &w->started);

	if (result == FX_OK && !w->started)
		return FX_OK;
	if (result == FX_OK)
		result = first_unpack(&first, from);
	if (result == FX_OK)
		result = chunks_begin(w, role, &first, extent, chunk, out, err);
	if (result == FX_OK)
		result = fx_unpack_get(from, w->end, sizeof w->end);
	if (result == FX_OK)
		result = fx_unpack_array(from, &waits, &w->waits_len, sizeof *w->waits);
	w->waits = waits;
	w->waits_cap = w->waits_len;
	if (result == FX_OK && !waits_good(w))
		result = FX_ETYPE;
	if (result < 0)
		return fx_error_set(err, result, "chunks cannot be as they were saved");
	if (role == FX_LABELS && scratch)
		w->scratch = fx_blobstore_unpack(scratch, file, from, err);
	return role == FX_LABELS && !w->scratch ? FX_ETYPE : FX_OK;
}
