// SPDX-License-Identifier: Apache-2.0
/* volume_chunks.c: a folder of chunks as a volume: Zarr 2 and 3, OME-Zarr, N5. */
#include "formats/volume_ops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/file.h"
#include "formats/chunkmeta.h"
#include "formats/slab.h"

enum { DEPTH_MAX = 4, ENTRIES_MAX = 4096, INDEXES = 16, NAME_SIZE = 128 };

static const char *const metas[] = { ".zarray", "zarr.json", "attributes.json" };

/* The index of a shard that was read last. */
struct shard_index {
	uint8_t *entries; /* owned; NULL: empty */
	size_t grid[3];
};

struct volume_chunks {
	struct fx_chunkmeta meta;
	char *folder; /* owned; of the array */
	const char *meta_name;
	struct fx_slab slab;
	bool rounded; /* a voxel of what was read */
	struct shard_index indexes[INDEXES];
	size_t next; /* of indexes: to be replaced */
};

static void forget(struct fx_volume *v)
{
	struct volume_chunks *c = v->impl;

	fx_slab_fini(&c->slab);
	for (size_t i = 0; i < INDEXES; i++) {
		free(c->indexes[i].entries);
		c->indexes[i].entries = NULL;
	}
}

static void volume_chunks_close(struct fx_volume *v)
{
	struct volume_chunks *c = v->impl;

	if (c) {
		forget(v);
		free(c->folder);
	}
	free(c);
}

/* Reads FOLDER/NAME; FX_ENOENT when it is not there. */
static int read_meta(const char *folder, const char *name, void **text, size_t *size,
		     struct fx_error *err)
{
	char *path = fx_path_join(folder, name);
	int result = path ? fx_file_read(path, FX_CHUNK_META_MAX, text, size, err) : FX_ENOMEM;

	free(path);
	return result;
}

static bool has_file(const char *folder, const char *name)
{
	char *path = fx_path_join(folder, name);
	const bool is = path && access(path, F_OK) == 0;

	free(path);
	return is;
}

bool fx__volume_is_chunks(const char *folder)
{
	bool is = has_file(folder, ".zgroup") || has_file(folder, ".zattrs");

	for (size_t i = 0; i < sizeof metas / sizeof metas[0]; i++)
		is = is || has_file(folder, metas[i]);
	return is;
}

static int parse_meta(size_t kind, const char *text, size_t size, struct fx_chunkmeta *m,
		      struct fx_error *err)
{
	return kind == 0 ? fx_zarr2_parse(text, size, m, err) :
	       kind == 1 ? fx_zarr3_parse(text, size, m, err) :
			   fx_n5_parse(text, size, m, err);
}

/* FX_ENOENT when @p folder is no array. */
static int open_array(const char *folder, struct volume_chunks *c, struct fx_error *err)
{
	for (size_t i = 0; i < sizeof metas / sizeof metas[0]; i++) {
		void *text = NULL;
		size_t size = 0;
		int result = read_meta(folder, metas[i], &text, &size, err);

		if (result == FX_ENOENT)
			continue;
		if (result == FX_OK &&
		    !memmem(text, size, i == 2 ? "\"dimensions\"" : "\"shape\"", i == 2 ? 12 : 7)) {
			free(text); /* of a group */
			continue;
		}
		if (result == FX_OK)
			result = parse_meta(i, text, size, &c->meta, err);
		free(text);
		c->meta_name = metas[i];
		return result;
	}
	return FX_ENOENT;
}

/* What the attributes of @p folder tell; nothing when there are none, or not of this kind. */
static int group_attributes(const char *folder, struct fx_multiscale *m, struct fx_error *err)
{
	static const char *const names[] = { ".zattrs", "zarr.json" };
	int result = FX_OK;

	memset(m, 0, sizeof *m);
	for (size_t i = 0; i < 2 && result == FX_OK && !m->path[0]; i++) {
		struct fx_multiscale found;
		void *text = NULL;
		size_t size = 0;

		if (read_meta(folder, names[i], &text, &size, NULL) < 0)
			continue;
		result = fx_multiscale_parse(text, size, &found, err);
		if (result == FX_OK)
			*m = found;
		free(text);
	}
	return result;
}

/* The only folder in @p folder that is an array, or FX_ENOENT with what there is. free() *name. */
static int only_child(const char *folder, char **name, struct fx_error *err)
{
	DIR *dir = opendir(folder);
	const struct dirent *e;
	size_t found = 0;
	int left = ENTRIES_MAX;

	*name = NULL;
	while (dir && found < 2 && left-- > 0 && (e = readdir(dir))) {
		char *path = e->d_name[0] == '.' ? NULL : fx_path_join(folder, e->d_name);
		bool is = false;

		for (size_t i = 0; path && i < sizeof metas / sizeof metas[0]; i++)
			is = is || has_file(path, metas[i]);
		free(path);
		if (is && found++ == 0)
			*name = fx_strdup(e->d_name);
	}
	if (dir)
		closedir(dir);
	if (found == 1 && *name)
		return FX_OK;
	free(*name);
	return fx_error_set(err, found ? FX_EINVAL : FX_ENOENT,
			    found ? "holds several arrays: name one, as FOLDER/NAME" :
				    "holds no array of Zarr or N5");
}

/* Finds the array in or below c->folder, which becomes its folder. */
static int find_array(struct volume_chunks *c, struct fx_multiscale *about, struct fx_error *err)
{
	int result = FX_ENOENT;

	for (int depth = 0; depth < DEPTH_MAX && result == FX_ENOENT; depth++) {
		struct fx_multiscale scale;
		char *name = NULL, *deeper;

		result = group_attributes(c->folder, &scale, err);
		if (result == FX_OK && scale.voxel_nm[0] > 0) {
			memcpy(about->voxel_nm, scale.voxel_nm, sizeof scale.voxel_nm);
			memcpy(about->translation_nm, scale.translation_nm,
			       sizeof scale.translation_nm);
		}
		about->labels = about->labels || (result == FX_OK && scale.labels);
		if (result == FX_OK)
			result = open_array(c->folder, c, err);
		if (result != FX_ENOENT)
			return result;
		if (scale.path[0])
			name = fx_strdup(scale.path);
		else if (has_file(c->folder, "s0/attributes.json"))
			name = fx_strdup("s0");
		else if (only_child(c->folder, &name, err) < 0)
			return err ? err->code : FX_ENOENT;
		deeper = name ? fx_path_join(c->folder, name) : NULL;
		free(name);
		if (!deeper)
			return fx_error_set(err, FX_ENOMEM, "no memory for a path");
		free(c->folder);
		c->folder = deeper;
	}
	return fx_error_set(err, FX_ENOENT, "holds no array within %d folders", DEPTH_MAX);
}

static int shard_open(const struct volume_chunks *c, const size_t grid[3], char name[NAME_SIZE],
		      struct fx_error *err)
{
	char *path;
	int fd;

	fx_chunkmeta_name(&c->meta, grid, name, NAME_SIZE);
	path = fx_path_join(c->folder, name);
	if (!path)
		return fx_error_set(err, FX_ENOMEM, "no memory for a path");
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO, "%s: cannot open: %s", path,
			     strerror(errno));
	free(path);
	return fd < 0 ? (errno == ENOENT ? FX_ENOENT : FX_EIO) : fd;
}

/* Number of chunks in a shard. */
static size_t shard_len(const struct fx_chunkmeta *m)
{
	size_t n = 1;

	for (size_t a = 0; a < m->rank; a++)
		n *= m->shard[a] / m->chunk[a];
	return n;
}

/* Reads and decodes the index of an open shard; free(). */
static uint8_t *shard_read_index(const struct fx_chunkmeta *m, int fd, struct fx_error *err)
{
	const size_t size = shard_len(m) * 16, sums = 4 * m->index_codecs.len;
	uint8_t *raw = malloc(size + sums);
	const void *out = NULL;
	void *owned = NULL;
	size_t got = 0;
	struct stat st;
	int failed = !raw || fstat(fd, &st) != 0 || (uint64_t)st.st_size < size + sums;

	if (!failed)
		failed = fx_pread_all(fd, raw, size + sums,
				      m->index_first ? 0 : st.st_size - (off_t)(size + sums));
	if (!failed)
		failed = fx_codecs_decode(&m->index_codecs, raw, size + sums, size, &out, &got,
					  &owned, err) < 0 ||
			 got != size;
	if (!failed && owned)
		memcpy(raw, out, size);
	free(owned);
	if (!failed)
		return raw;
	fx_error_set(err, FX_EINVAL, "the index of a shard is damaged");
	free(raw);
	return NULL;
}

static const uint8_t *shard_index(struct volume_chunks *c, int fd, const size_t grid[3],
				  struct fx_error *err)
{
	struct shard_index *to = &c->indexes[c->next % INDEXES];

	for (size_t i = 0; i < INDEXES; i++)
		if (c->indexes[i].entries && memcmp(c->indexes[i].grid, grid, sizeof to->grid) == 0)
			return c->indexes[i].entries;
	free(to->entries);
	to->entries = shard_read_index(&c->meta, fd, err);
	memcpy(to->grid, grid, sizeof to->grid);
	c->next++;
	return to->entries;
}

/* Most bytes that a chunk may have in its file. */
static size_t stored_max(const struct fx_chunkmeta *m)
{
	const size_t bytes = fx_chunkmeta_bytes(m);

	return bytes + bytes / 8 + FX_CODEC_EXPAND;
}

/* The number of a chunk within its shard, and the shard's place in the grid of shards. */
static size_t place_in_shard(const struct fx_chunkmeta *m, const size_t grid[3], size_t outer[3])
{
	size_t i = 0;

	for (size_t a = 0; a < m->rank; a++) {
		const size_t per = m->shard[a] / m->chunk[a];
		const size_t g = a + 3 < m->rank ? 0 : grid[a + 3 - m->rank];

		i = i * per + g % per;
		if (a + 3 >= m->rank)
			outer[a + 3 - m->rank] = g / per;
	}
	return i;
}

static int read_from_shard(struct volume_chunks *c, const size_t grid[3], void **bytes,
			   size_t *size, struct fx_error *err)
{
	char name[NAME_SIZE];
	size_t outer[3] = { 0 };
	const size_t i = place_in_shard(&c->meta, grid, outer);
	const int fd = shard_open(c, outer, name, err);
	const uint8_t *index = fd < 0 ? NULL : shard_index(c, fd, outer, err);
	uint64_t offset = 0, len = 0;
	int result = fd < 0 ? fd : FX_EINVAL;

	if (index && !fx_shard_find(index, i, &offset, &len))
		result = FX_ENOENT;
	else if (index && (len > stored_max(&c->meta) || offset > INT64_MAX - len))
		fx_error_set(err, FX_EINVAL, "%s: a chunk is larger than it can be", name);
	else if (index && (*bytes = malloc(len + 1)))
		result = fx_pread_all(fd, *bytes, len, (off_t)offset) == 0 ?
				 FX_OK :
				 fx_error_set(err, FX_EIO, "%s: a chunk cannot be read", name);
	else if (index)
		result = fx_error_set(err, FX_ENOMEM, "no memory for a chunk");
	*size = len;
	if (fd >= 0)
		close(fd);
	return result;
}

/* Bytes of a chunk in *bytes, also to be freed after an error; FX_ENOENT: it is not there. */
static int read_chunk(struct volume_chunks *c, const size_t grid[3], void **bytes, size_t *size,
		      struct fx_error *err)
{
	char name[NAME_SIZE], *path;
	int result;

	*bytes = NULL;
	if (c->meta.sharded)
		return read_from_shard(c, grid, bytes, size, err);
	fx_chunkmeta_name(&c->meta, grid, name, sizeof name);
	path = fx_path_join(c->folder, name);
	if (!path)
		return fx_error_set(err, FX_ENOMEM, "no memory for a path");
	result = fx_file_read(path, stored_max(&c->meta), bytes, size, err);
	free(path);
	return result;
}

static int load_chunk(void *context, const size_t grid[3], struct fx_block *into, bool *there,
		      struct fx_error *err)
{
	struct volume_chunks *c = context;
	struct fx_chunk chunk = { .stride = { 0, 0, 1 } };
	size_t size = 0, shape[3];
	void *bytes;
	int64_t at[3];
	int result = read_chunk(c, grid, &bytes, &size, err);

	fx_chunkmeta_shape(&c->meta, shape, chunk.shape);
	for (int a = 0; a < 3; a++)
		at[a] = (int64_t)(grid[a] * chunk.shape[a]);
	*there = result != FX_ENOENT;
	if (result == FX_OK)
		result = fx_chunk_decode(&c->meta, bytes, size, &chunk, err);
	if (result == FX_OK || result == FX_ENOENT)
		result = fx_chunk_paste(&c->meta, &chunk, at, into, err);
	c->rounded = c->rounded || chunk.rounded;
	if (result < 0)
		fx_error_prefix(err, "chunk %zu %zu %zu", grid[0], grid[1], grid[2]);
	free(chunk.owned);
	free(bytes);
	return result;
}

static int chunks_start(const char *path, struct volume_chunks *c, struct fx_volume *v,
			struct fx_error *err)
{
	struct fx_multiscale about = { .path = "" };
	int result = find_array(c, &about, err);

	if (result < 0)
		return fx_error_prefix(err, "%s", path);
	for (int a = 0; a < 3; a++) {
		v->voxel_nm[a] = c->meta.voxel_nm[0] > 0 ? c->meta.voxel_nm[a] : about.voxel_nm[a];
		v->offset[a] = fx_volume_offset(about.translation_nm[a], v->voxel_nm[a]);
	}
	v->labels = about.labels;
	fx_chunkmeta_shape(&c->meta, v->shape, c->slab.chunk);
	memcpy(v->chunk, c->slab.chunk, sizeof v->chunk);
	v->dtype = c->meta.dtype;
	memcpy(c->slab.shape, v->shape, sizeof v->shape);
	c->slab.dtype = v->dtype;
	c->slab.load = load_chunk;
	c->slab.context = c;
	return fx_volume_check(path, v, err);
}

static int volume_chunks_open(const char *path, struct fx_volume *v, struct fx_error *err)
{
	struct volume_chunks *c = calloc(1, sizeof *c);
	int result;

	v->impl = c;
	if (!c || !(c->folder = fx_strdup(path))) {
		free(c);
		return fx_error_set(err, FX_ENOMEM, "%s: no memory", path);
	}
	result = chunks_start(path, c, v, err);
	if (result < 0)
		volume_chunks_close(v);
	return result;
}

static int volume_chunks_read(struct fx_volume *v, struct fx_block *b, struct fx_error *err)
{
	struct volume_chunks *c = v->impl;
	const int result = fx_slab_read(&c->slab, b, err);

	v->rounded = c->rounded;
	return result;
}

/* A chunk (or the file of many that it lies in) is there; what it looks like goes to *state. */
static bool chunk_there(struct volume_chunks *c, const size_t grid[3], uint64_t *state)
{
	char name[NAME_SIZE], *path;
	size_t outer[3] = { grid[0], grid[1], grid[2] };
	struct stat st;
	bool there;

	if (c->meta.sharded)
		place_in_shard(&c->meta, grid, outer);
	fx_chunkmeta_name(&c->meta, outer, name, sizeof name);
	path = fx_path_join(c->folder, name);
	there = path && stat(path, &st) == 0 && S_ISREG(st.st_mode);
	free(path);
	if (there) {
		int64_t about[4] = { (int64_t)*state, st.st_size, st.st_mtim.tv_sec,
				     st.st_mtim.tv_nsec };
		const struct iovec part = { about, sizeof about };

		*state = fx_checksum(&part, 1);
	}
	return there;
}

static int volume_chunks_there(struct fx_volume *v, size_t z, struct fx_volume_there *t,
			       struct fx_error *err)
{
	struct volume_chunks *c = v->impl;
	size_t g[3] = { z / c->slab.chunk[0], 0, 0 };

	(void)err;
	t->end = (g[0] + 1) * c->slab.chunk[0];
	for (g[1] = 0; g[1] * c->slab.chunk[1] < v->shape[1]; g[1]++)
		for (g[2] = 0; g[2] * c->slab.chunk[2] < v->shape[2]; g[2]++) {
			t->parts++;
			t->there += chunk_there(c, g, &t->state);
		}
	return FX_OK;
}

static int volume_chunks_attribute(struct fx_volume *v, const char *name, double *number,
				   struct fx_error *err)
{
	const struct volume_chunks *c = v->impl;
	const char *file = strcmp(c->meta_name, ".zarray") == 0 ? ".zattrs" : c->meta_name;
	void *text = NULL;
	size_t size = 0;
	int result = read_meta(c->folder, file, &text, &size, err);

	if (result == FX_OK)
		result = fx_attribute_parse(text, size, name, number, err);
	free(text);
	return result;
}

static void volume_chunks_keep(struct fx_volume *v, size_t bytes)
{
	struct volume_chunks *c = v->impl;

	fx_slab_fini(&c->slab);
	c->slab.max = bytes;
}

const struct fx_volume_ops fx_volume_chunks = {
	.open = volume_chunks_open,
	.read = volume_chunks_read,
	.close = volume_chunks_close,
	.there = volume_chunks_there,
	.attribute = volume_chunks_attribute,
	.forget = forget,
	.keep = volume_chunks_keep,
};
