// SPDX-License-Identifier: Apache-2.0
/* blobstore.c: compressed byte strings by key, in one file. */
#include "formats/blobstore.h"

#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/map64.h"

struct blob {
	uint64_t offset;
	uint32_t size, packed; /* bytes; equal when stored as they are; packed 0: dropped */
};

struct fx_blobstore {
	int fd;
	uint64_t end, kept, max; /* bytes */
	struct blob *blob;
	size_t len, cap;
	struct fx_map64 number; /* key -> index of the blob and 1; 0: dropped */
	bool packed;		/* a save refers to the file */
	struct blob *gone;	/* owned; dropped since, the first of them before the last pack */
	size_t gone_len, gone_cap, gone_before;
};

/* As a save has it. */
struct packed_blob {
	uint64_t key, offset;
	uint32_t size, packed;
};

struct fx_blobstore *fx_blobstore_open(const char *dir, uint64_t max_bytes, struct fx_error *err)
{
	struct fx_blobstore *s = calloc(1, sizeof *s);
	char *name = fx_path_join(dir, "scratch-XXXXXX");

	if (s && name) {
		s->max = max_bytes ? max_bytes : UINT64_MAX;
		s->fd = mkostemp(name, O_CLOEXEC);
		if (s->fd >= 0) {
			unlink(name);
			free(name);
			return s;
		}
		fx_error_set(err, FX_EIO, "%s: cannot make: %s", name, strerror(errno));
	} else {
		fx_error_set(err, FX_ENOMEM, "%s: no memory", dir);
	}
	free(name);
	free(s);
	return NULL;
}

struct fx_blobstore *fx_blobstore_named(const char *dir, const char *name, struct fx_error *err)
{
	struct fx_blobstore *s = calloc(1, sizeof *s);
	char *path = fx_path_join(dir, name);

	if (s && path) {
		s->max = UINT64_MAX;
		s->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		if (s->fd >= 0) {
			free(path);
			return s;
		}
		fx_error_set(err, FX_EIO, "%s: cannot make: %s", path, strerror(errno));
	} else {
		fx_error_set(err, FX_ENOMEM, "%s: no memory", dir);
	}
	free(path);
	free(s);
	return NULL;
}

void fx_blobstore_close(struct fx_blobstore *s)
{
	if (!s)
		return;
	close(s->fd);
	fx_map64_fini(&s->number);
	free(s->blob);
	free(s->gone);
	free(s);
}

static struct blob *blob_find(const struct fx_blobstore *s, uint64_t key)
{
	const uint64_t *number = fx_map64_find(&s->number, key);

	return number && *number ? &s->blob[*number - 1] : NULL;
}

static int blob_write(struct fx_blobstore *s, const void *bytes, struct blob *b,
		      struct fx_error *err)
{
	int failed;

	if (b->packed > s->max - s->kept)
		return fx_error_set(err, FX_ENOMEM, "scratch file: more than %ju bytes",
				    (uintmax_t)s->max);
	b->offset = s->end;
	failed = fx_pwrite_all(s->fd, bytes, b->packed, (off_t)b->offset);
	return failed ? fx_error_set(err, FX_EIO, "scratch file: cannot write: %s",
				     strerror(-failed)) :
			FX_OK;
}

static int blob_add(struct fx_blobstore *s, uint64_t key, struct blob b, struct fx_error *err)
{
	uint64_t *number;

	if (!fx_grow(&s->blob, &s->cap, s->len + 1, sizeof *s->blob) ||
	    !(number = fx_map64_at(&s->number, key)))
		return fx_error_set(err, FX_ENOMEM, "scratch file: no memory");
	s->blob[s->len++] = b;
	*number = s->len;
	s->end += b.packed;
	s->kept += b.packed;
	return FX_OK;
}

int fx_blobstore_put(struct fx_blobstore *s, uint64_t key, const void *bytes, size_t size,
		     struct fx_error *err)
{
	struct blob b = { 0, (uint32_t)size, (uint32_t)size };
	char *packed;
	int n, result;

	if (size > LZ4_MAX_INPUT_SIZE || blob_find(s, key))
		return fx_error_set(err, FX_EINVAL, "scratch file: %zu bytes for key %ju: %s", size,
				    (uintmax_t)key,
				    size > LZ4_MAX_INPUT_SIZE ? "too many" : "the key is there");
	packed = malloc((size_t)LZ4_compressBound((int)size));
	if (!packed)
		return fx_error_set(err, FX_ENOMEM, "scratch file: no memory for %zu bytes", size);
	n = size ? LZ4_compress_default(bytes, packed, (int)size, LZ4_compressBound((int)size)) : 0;
	if (n > 0 && (size_t)n < size)
		b.packed = (uint32_t)n;
	result = blob_write(s, b.packed < b.size ? packed : bytes, &b, err);
	free(packed);
	return result == FX_OK ? blob_add(s, key, b, err) : result;
}

static int blob_read(const struct fx_blobstore *s, const struct blob *b, void *out,
		     struct fx_error *err)
{
	char *packed = b->packed < b->size ? malloc(b->packed + (size_t)1) : NULL;
	int failed, result = FX_OK;

	if (b->packed < b->size && !packed)
		return fx_error_set(err, FX_ENOMEM, "scratch file: no memory");
	failed = fx_pread_all(s->fd, packed ? packed : out, b->packed, (off_t)b->offset);
	if (failed)
		result = fx_error_set(err, FX_EIO, "scratch file: cannot read: %s",
				      strerror(-failed));
	else if (packed &&
		 LZ4_decompress_safe(packed, out, (int)b->packed, (int)b->size) != (int)b->size)
		result = fx_error_set(err, FX_EIO, "scratch file: damaged at byte %ju",
				      (uintmax_t)b->offset);
	free(packed);
	return result;
}

static const struct blob *blob_known(const struct fx_blobstore *s, uint64_t key,
				     struct fx_error *err)
{
	const struct blob *b = blob_find(s, key);

	if (!b)
		fx_error_set(err, FX_ENOENT, "scratch file: no key %ju", (uintmax_t)key);
	return b;
}

int fx_blobstore_get(const struct fx_blobstore *s, uint64_t key, void **bytes, size_t *size,
		     struct fx_error *err)
{
	const struct blob *b = blob_known(s, key, err);
	char *out;
	int result;

	if (!b)
		return FX_ENOENT;
	out = malloc(b->size + (size_t)1);
	result = out ? blob_read(s, b, out, err) :
		       fx_error_set(err, FX_ENOMEM, "scratch file: no memory");
	if (result != FX_OK) {
		free(out);
		return result;
	}
	*bytes = out;
	*size = b->size;
	return FX_OK;
}

int fx_blobstore_read(const struct fx_blobstore *s, uint64_t key, void *bytes, size_t size,
		      struct fx_error *err)
{
	const struct blob *b = blob_known(s, key, err);

	if (!b)
		return FX_ENOENT;
	if (b->size != size)
		return fx_error_set(err, FX_EINVAL, "scratch file: key %ju has %ju bytes, not %zu",
				    (uintmax_t)key, (uintmax_t)b->size, size);
	return blob_read(s, b, bytes, err);
}

/* Best effort: a file system without holes only keeps the bytes until all are dropped. */
static void blob_punch(struct fx_blobstore *s, const struct blob *b)
{
	(void)!fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)b->offset,
			 (off_t)b->packed);
}

void fx_blobstore_drop(struct fx_blobstore *s, uint64_t key)
{
	const struct blob *b = blob_find(s, key);

	if (!b)
		return;
	s->kept -= b->packed;
	if (!s->packed)
		blob_punch(s, b);
	else if (fx_grow(&s->gone, &s->gone_cap, s->gone_len + 1, sizeof *s->gone))
		s->gone[s->gone_len++] = *b;
	if (s->kept == 0 && !s->packed) {
		s->end = 0;
		(void)!ftruncate(s->fd, 0);
	}
	*fx_map64_at(&s->number, key) = 0;
}

uint64_t fx_blobstore_size(const struct fx_blobstore *s)
{
	return s->kept;
}

static int by_key(const void *a, const void *b)
{
	const struct packed_blob *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

int fx_blobstore_pack(struct fx_blobstore *s, struct fx_pack *to, struct fx_error *err)
{
	struct packed_blob *all = fx_calloc(s->number.len, sizeof *all);
	size_t n = 0;

	if (!all)
		return fx_error_set(err, FX_ENOMEM, "scratch file: no memory");
	if (fdatasync(s->fd) != 0) {
		free(all);
		return fx_error_set(err, FX_EIO, "scratch file: cannot write: %s", strerror(errno));
	}
	for (size_t i = 0; i < s->gone_before; i++)
		blob_punch(s, &s->gone[i]);
	s->gone_len -= s->gone_before;
	if (s->gone_before && s->gone_len)
		memmove(s->gone, s->gone + s->gone_before, s->gone_len * sizeof *s->gone);
	s->gone_before = s->gone_len;
	s->packed = true;
	for (size_t i = 0; i < s->number.cap; i++) {
		const struct fx_map64_slot *slot = &s->number.slots[i];
		const struct blob *b = slot->value ? &s->blob[slot->value - 1] : NULL;

		if (b)
			all[n++] = (struct packed_blob){ slot->key, b->offset, b->size, b->packed };
	}
	qsort(all, n, sizeof *all, by_key);
	fx_pack_put(to, &s->end, sizeof s->end);
	fx_pack_array(to, all, n, sizeof *all);
	free(all);
	return FX_OK;
}

static int blobs_take(struct fx_blobstore *s, const struct packed_blob *all, size_t n,
		      struct fx_error *err)
{
	const uint64_t end = s->end;
	int result = FX_OK;

	for (size_t i = 0; result == FX_OK && i < n; i++) {
		const struct packed_blob *b = &all[i];

		if (b->packed > b->size || b->size > LZ4_MAX_INPUT_SIZE || b->offset > end ||
		    b->packed > end - b->offset || blob_find(s, b->key))
			return fx_error_set(err, FX_ETYPE, "scratch file: cannot be as it was");
		result = blob_add(s, b->key, (struct blob){ b->offset, b->size, b->packed }, err);
	}
	s->end = end;
	return result;
}

struct fx_blobstore *fx_blobstore_unpack(const char *dir, const char *name, struct fx_unpack *from,
					 struct fx_error *err)
{
	struct fx_blobstore *s = calloc(1, sizeof *s);
	char *path = fx_path_join(dir, name);
	void *all = NULL;
	struct stat st;
	size_t n = 0;
	int result = s && path ? FX_OK : FX_ENOMEM;

	if (s)
		s->fd = -1;
	if (result == FX_OK) {
		s->max = UINT64_MAX;
		s->packed = true;
		s->fd = open(path, O_RDWR | O_CLOEXEC);
		if (s->fd < 0 || fstat(s->fd, &st) != 0)
			result = FX_EIO;
		else if (fx_unpack_get(from, &s->end, sizeof s->end) < 0 || st.st_size < 0 ||
			 s->end > (uint64_t)st.st_size)
			result = FX_ETYPE;
		else
			result = fx_unpack_array(from, &all, &n, sizeof(struct packed_blob));
	}
	if (result == FX_OK && ftruncate(s->fd, (off_t)s->end) != 0)
		result = FX_EIO;
	if (result == FX_OK)
		result = blobs_take(s, all, n, err);
	else
		fx_error_set(err, result, "%s: is not as it was saved", path ? path : dir);
	free(all);
	free(path);
	if (result == FX_OK)
		return s;
	if (s && s->fd >= 0)
		fx_blobstore_close(s);
	else
		free(s);
	return NULL;
}
