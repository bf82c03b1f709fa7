// SPDX-License-Identifier: Apache-2.0
/* shards_write.c: writes shards: what comes is appended to a file of its shard, and put in order
 * when all has come. */
#include "formats/shards.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/encode.h"

/* A string in the file of a shard. */
struct entry {
	uint64_t minishard, id;
	uint64_t start, size;
};

/* A shard that is being gathered. */
struct fx_shard_file {
	uint64_t shard, end;
	struct entry *entries; /* owned */
	size_t len, cap;
};

static char *path_of(const struct fx_shard_writer *w, uint64_t shard, const char *ending)
{
	return fx_asprintf("%s/%0*" PRIx64 "%s", w->folder, (int)((w->sharding.shard_bits + 3) / 4),
			   shard, ending);
}

static int failed_to(struct fx_error *err, const char *path, int failed)
{
	if (!path)
		return fx_error_set(err, FX_ENOMEM, "no memory for shards");
	return fx_error_set(err, FX_EIO, "%s: cannot write: %s", path, strerror(-failed));
}

static struct fx_shard_file *file_of(struct fx_shard_writer *w, uint64_t shard)
{
	uint64_t *number = fx_map64_at(&w->numbers, shard);

	if (!number)
		return NULL;
	if (!*number) {
		if (!fx_grow(&w->files, &w->cap, w->len + 1, sizeof *w->files))
			return NULL;
		w->files[w->len++] = (struct fx_shard_file){ .shard = shard };
		*number = w->len;
	}
	return &w->files[*number - 1];
}

int fx_shard_writer_put(struct fx_shard_writer *w, uint64_t id, const void *bytes, size_t size,
			struct fx_error *err)
{
	struct fx_shard_file *f;
	struct entry e = { .id = id };
	uint64_t shard;
	void *packed = NULL;
	char *path;
	int fd, failed;

	fx_sharding_place(&w->sharding, id, &shard, &e.minishard);
	f = file_of(w, shard);
	path = f && fx_grow(&f->entries, &f->cap, f->len + 1, sizeof e) ?
		       path_of(w, shard, ".gathered") :
		       NULL;
	if (!path)
		return failed_to(err, NULL, 0);
	if (w->sharding.gzip_data &&
	    fx_encode(FX_ENCODE_GZIP, 1, bytes, size, &packed, &size, err) < 0) {
		free(path);
		return err ? err->code : FX_ENOMEM;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	failed = fd < 0 ? -errno : fx_pwrite_all(fd, packed ? packed : bytes, size, (off_t)f->end);
	if (fd >= 0 && close(fd) != 0 && !failed)
		failed = -errno;
	if (failed)
		failed_to(err, path, failed);
	free(path);
	free(packed);
	e.start = f->end;
	e.size = size;
	f->end += size;
	f->entries[f->len++] = e;
	return failed ? FX_EIO : FX_OK;
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->minishard != y->minishard)
		return x->minishard < y->minishard ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

/* A shard that is being written: its strings, then the indices of its minishards. */
struct shard {
	const struct fx_sharding *s;
	int from, to;
	uint64_t at; /* behind the index of the shard */
	uint64_t *index;
};

static int put_bytes(struct shard *out, const void *bytes, size_t size)
{
	const off_t head = (off_t)16 << out->s->minishard_bits;
	const int failed = fx_pwrite_all(out->to, bytes, size, head + (off_t)out->at);

	out->at += size;
	return failed;
}

static int copy_strings(struct shard *out, struct fx_shard_file *f)
{
	int failed = 0;

	for (size_t i = 0; i < f->len && !failed; i++) {
		struct entry *e = &f->entries[i];
		void *bytes = malloc(e->size ? e->size : 1);

		failed = bytes ? fx_pread_all(out->from, bytes, e->size, (off_t)e->start) : -ENOMEM;
		e->start = out->at;
		if (!failed)
			failed = put_bytes(out, bytes, e->size);
		free(bytes);
	}
	return failed;
}

/* The index of one minishard, of its entries. */
static int put_minishard(struct shard *out, const struct entry *entries, size_t n)
{
	uint64_t *table = fx_calloc(3 * n, sizeof *table), id = 0, end = 0;
	size_t size = 3 * n * sizeof *table;
	void *packed = NULL;
	int failed = table ? 0 : -ENOMEM;

	for (size_t i = 0; table && i < n; i++) {
		table[i] = entries[i].id - id;
		table[n + i] = entries[i].start - end;
		table[2 * n + i] = entries[i].size;
		id = entries[i].id;
		end = entries[i].start + entries[i].size;
	}
	if (!failed && out->s->gzip_index &&
	    fx_encode(FX_ENCODE_GZIP, 8, table, size, &packed, &size, NULL) < 0)
		failed = -ENOMEM;
	out->index[2 * entries->minishard] = out->at;
	if (!failed)
		failed = put_bytes(out, packed ? packed : table, size);
	out->index[2 * entries->minishard + 1] = out->at;
	free(packed);
	free(table);
	return failed;
}

static int write_shard(struct shard *out, struct fx_shard_file *f)
{
	const size_t len = (size_t)2 << out->s->minishard_bits;
	int failed;

	out->index = fx_calloc(len, sizeof *out->index);
	if (!out->index)
		return -ENOMEM;
	qsort(f->entries, f->len, sizeof *f->entries, by_place);
	failed = copy_strings(out, f);
	for (size_t i = 0, n; i < f->len && !failed; i += n) {
		for (n = 1;
		     i + n < f->len && f->entries[i + n].minishard == f->entries[i].minishard;)
			n++;
		failed = put_minishard(out, &f->entries[i], n);
	}
	if (!failed)
		failed = fx_pwrite_all(out->to, out->index, len * sizeof *out->index, 0);
	free(out->index);
	return failed;
}

static int finish_one(const struct fx_shard_writer *w, struct fx_shard_file *f,
		      struct fx_error *err)
{
	char *from = path_of(w, f->shard, ".gathered"), *to = path_of(w, f->shard, ".shard");
	struct shard out = { .s = &w->sharding, .from = -1, .to = -1 };
	int failed = 0;

	if (from && to) {
		out.from = open(from, O_RDONLY | O_CLOEXEC);
		out.to = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		failed = out.from < 0 || out.to < 0 ? -errno : write_shard(&out, f);
	}
	if (out.from >= 0)
		close(out.from);
	if (out.to >= 0 && close(out.to) != 0 && !failed)
		failed = -errno;
	if (!from || !to || failed)
		failed_to(err, from ? to : NULL, failed);
	else
		unlink(from);
	failed = !from || !to ? -ENOMEM : failed;
	free(from);
	free(to);
	return failed ? FX_EIO : FX_OK;
}

int fx_shard_writer_finish(struct fx_shard_writer *w, struct fx_error *err)
{
	int result = FX_OK;

	for (size_t i = 0; i < w->len && result == FX_OK; i++)
		result = finish_one(w, &w->files[i], err);
	return result;
}

void fx_shard_writer_fini(struct fx_shard_writer *w)
{
	for (size_t i = 0; i < w->len; i++)
		free(w->files[i].entries);
	free(w->files);
	fx_map64_fini(&w->numbers);
	w->files = NULL;
	w->len = w->cap = 0;
}
