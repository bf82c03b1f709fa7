// SPDX-License-Identifier: Apache-2.0
/* pack.c: values to a file and back, in order. */
#include "base/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/alloc.h"
#include "base/file.h"

enum { CHUNK = 1 << 16 };

struct fx_pack {
	char *path, *partial; /* owned */
	FILE *file;	      /* owned */
	uint64_t size;
	XXH3_state_t *sum; /* owned */
	bool failed;
};

struct fx_unpack {
	FILE *file; /* owned */
	uint64_t left;
	bool failed;
};

static void pack_free(struct fx_pack *p)
{
	if (p->file)
		fclose(p->file);
	XXH3_freeState(p->sum);
	free(p->path);
	free(p->partial);
	free(p);
}

struct fx_pack *fx_pack_open(const char *path, struct fx_error *err)
{
	struct fx_pack *p = calloc(1, sizeof *p);

	if (!p) {
		fx_error_set(err, FX_ENOMEM, "no memory for %s", path);
		return NULL;
	}
	p->path = fx_strdup(path);
	p->partial = fx_asprintf("%s.partial", path);
	p->sum = XXH3_createState();
	if (p->path && p->partial && p->sum)
		p->file = fopen(p->partial, "wbe");
	if (p->file) {
		XXH3_64bits_reset(p->sum);
		return p;
	}
	fx_error_set(err, FX_EIO, "%s: cannot write: %s", path, strerror(errno));
	pack_free(p);
	return NULL;
}

uint64_t fx_pack_size(const struct fx_pack *p)
{
	return p->size;
}

void fx_pack_put(struct fx_pack *p, const void *bytes, size_t size)
{
	if (!size || p->failed)
		return;
	if (fwrite(bytes, 1, size, p->file) != size ||
	    XXH3_64bits_update(p->sum, bytes, size) != XXH_OK)
		p->failed = true;
	p->size += size;
}

void fx_pack_bool(struct fx_pack *p, bool v)
{
	const unsigned char byte = v;

	fx_pack_put(p, &byte, sizeof byte);
}

void fx_pack_array(struct fx_pack *p, const void *items, size_t len, size_t size)
{
	const uint64_t n = len;
	size_t bytes;

	fx_pack_put(p, &n, sizeof n);
	if (fx_mul_size(len, size, &bytes))
		fx_pack_put(p, items, bytes);
	else
		p->failed = true;
}

/* Durable under its final name. */
static int pack_settle(struct fx_pack *p)
{
	const uint64_t sum = XXH3_64bits_digest(p->sum);

	if (p->failed || fwrite(&sum, sizeof sum, 1, p->file) != 1 || fflush(p->file) != 0 ||
	    fdatasync(fileno(p->file)) != 0)
		return FX_EIO;
	if (rename(p->partial, p->path) != 0)
		return FX_EIO;
	return fx_sync_parent(p->path) ? FX_EIO : FX_OK;
}

int fx_pack_close(struct fx_pack *p, bool keep, struct fx_error *err)
{
	int result = FX_OK;

	if (!p)
		return FX_OK;
	if (keep && pack_settle(p) < 0)
		result =
			fx_error_set(err, FX_EIO, "%s: cannot write: %s", p->path, strerror(errno));
	if (!keep || result < 0)
		unlink(p->partial);
	pack_free(p);
	return result;
}

/* True when the file ends with the checksum of all before it. */
static bool unpack_check(struct fx_unpack *u)
{
	XXH3_state_t *sum = XXH3_createState();
	unsigned char chunk[CHUNK];
	uint64_t left = u->left, expected = 0;
	bool ok = sum && XXH3_64bits_reset(sum) == XXH_OK;

	while (ok && left) {
		const size_t n = left < CHUNK ? (size_t)left : CHUNK;

		ok = fread(chunk, 1, n, u->file) == n &&
		     XXH3_64bits_update(sum, chunk, n) == XXH_OK;
		left -= n;
	}
	ok = ok && fread(&expected, sizeof expected, 1, u->file) == 1 &&
	     expected == XXH3_64bits_digest(sum);
	XXH3_freeState(sum);
	rewind(u->file);
	return ok;
}

struct fx_unpack *fx_unpack_open(const char *path, struct fx_error *err)
{
	struct fx_unpack *u = calloc(1, sizeof *u);
	struct stat st;

	if (!u) {
		fx_error_set(err, FX_ENOMEM, "no memory for %s", path);
		return NULL;
	}
	u->file = fopen(path, "rbe");
	if (!u->file) {
		fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO, "%s: cannot read: %s", path,
			     strerror(errno));
	} else if (fstat(fileno(u->file), &st) == 0 && S_ISREG(st.st_mode) &&
		   st.st_size >= (off_t)sizeof(uint64_t)) {
		u->left = (uint64_t)st.st_size - sizeof(uint64_t);
		if (unpack_check(u))
			return u;
	}
	if (u->file)
		fx_error_set(err, FX_ETYPE, "%s: damaged", path);
	fx_unpack_close(u);
	return NULL;
}

int fx_unpack_get(struct fx_unpack *u, void *bytes, size_t size)
{
	if (u->failed || size > u->left || (size && fread(bytes, 1, size, u->file) != size)) {
		u->failed = true;
		return FX_ETYPE;
	}
	u->left -= size;
	return FX_OK;
}

int fx_unpack_bool(struct fx_unpack *u, bool *v)
{
	unsigned char byte;

	if (fx_unpack_get(u, &byte, sizeof byte) < 0 || byte > 1)
		return FX_ETYPE;
	*v = byte;
	return FX_OK;
}

int fx_unpack_array(struct fx_unpack *u, void **items, size_t *len, size_t size)
{
	uint64_t n;

	*items = NULL;
	*len = 0;
	if (fx_unpack_get(u, &n, sizeof n) < 0)
		return FX_ETYPE;
	if (!size || n > u->left / size) {
		u->failed = true;
		return FX_ETYPE;
	}
	*items = fx_calloc((size_t)n, size);
	if (!*items)
		return FX_ENOMEM;
	*len = (size_t)n;
	return fx_unpack_get(u, *items, (size_t)n * size);
}

int fx_unpack_close(struct fx_unpack *u)
{
	int result;

	if (!u)
		return FX_OK;
	result = u->failed || u->left ? FX_ETYPE : FX_OK;
	if (u->file)
		fclose(u->file);
	free(u);
	return result;
}
