// SPDX-License-Identifier: Apache-2.0
/* shards.c: how ids lie in shards, and reading them. Source: neuroglancer,
 * src/datasource/precomputed/sharded.md; MurmurHash3 by A. Appleby, x86, 128 bit. */
#include "formats/shards.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/gunzip.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "indices are read as they lie");

enum { ENTRY = 24, PRESHIFT = 9, MINISHARD = 3 };

static bool bits_of(const json_t *json, const char *name, json_int_t most, unsigned *bits)
{
	const json_t *v = json_object_get(json, name);

	*bits = (unsigned)json_integer_value(v);
	return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= most;
}

/* "raw" or "gzip"; raw when it is not told. */
static bool encoding_of(const json_t *json, const char *name, bool *gzip)
{
	const json_t *v = json_object_get(json, name);
	const char *text = v ? json_string_value(v) : "raw";

	*gzip = text && strcmp(text, "gzip") == 0;
	return *gzip || (text && strcmp(text, "raw") == 0);
}

int fx_sharding_parse(const json_t *json, struct fx_sharding *s, struct fx_error *err)
{
	const char *type = json_string_value(json_object_get(json, "@type"));
	const char *hash = json_string_value(json_object_get(json, "hash"));

	if (!type || strcmp(type, "neuroglancer_uint64_sharded_v1") != 0)
		return fx_error_set(err, FX_ETYPE,
				    "its \"sharding\" is not neuroglancer_uint64_sharded_v1");
	s->murmur = hash && strcmp(hash, "murmurhash3_x86_128") == 0;
	if (!s->murmur && (!hash || strcmp(hash, "identity") != 0))
		return fx_error_set(err, FX_ETYPE,
				    "its \"hash\" is not identity or murmurhash3_x86_128");
	if (!bits_of(json, "preshift_bits", 63, &s->preshift) ||
	    !bits_of(json, "minishard_bits", FX_MINISHARD_BITS_MAX, &s->minishard_bits) ||
	    !bits_of(json, "shard_bits", 64, &s->shard_bits) ||
	    s->minishard_bits + s->shard_bits > 64)
		return fx_error_set(err, FX_ETYPE,
				    "its \"sharding\" has no usable bits; at most %d for "
				    "minishards are accepted",
				    FX_MINISHARD_BITS_MAX);
	if (!encoding_of(json, "minishard_index_encoding", &s->gzip_index) ||
	    !encoding_of(json, "data_encoding", &s->gzip_data))
		return fx_error_set(err, FX_ETYPE, "an encoding of shards is not raw or gzip");
	return FX_OK;
}

json_t *fx_sharding_json(const struct fx_sharding *s)
{
	return json_pack("{s:s, s:i, s:s, s:i, s:i, s:s, s:s}", "@type",
			 "neuroglancer_uint64_sharded_v1", "preshift_bits", (int)s->preshift,
			 "hash", s->murmur ? "murmurhash3_x86_128" : "identity", "minishard_bits",
			 (int)s->minishard_bits, "shard_bits", (int)s->shard_bits,
			 "minishard_index_encoding", s->gzip_index ? "gzip" : "raw",
			 "data_encoding", s->gzip_data ? "gzip" : "raw");
}

/* Bits that number @p n things. */
static unsigned bits_for(size_t n)
{
	unsigned bits = 0;

	while (bits < 63 && (size_t)1 << bits < n)
		bits++;
	return bits;
}

struct fx_sharding fx_sharding_for(const size_t cells[3])
{
	struct fx_sharding s = { .gzip_index = true, .gzip_data = true };
	unsigned left = bits_for(cells[0]) + bits_for(cells[1]) + bits_for(cells[2]);

	s.preshift = left < PRESHIFT ? left : PRESHIFT;
	left -= s.preshift;
	s.minishard_bits = left < MINISHARD ? left : MINISHARD;
	s.shard_bits = left - s.minishard_bits;
	return s;
}

uint64_t fx_morton(const size_t grid[3], const size_t cells[3])
{
	uint64_t code = 0;
	unsigned at = 0;

	for (unsigned i = 0; i < 64 && at < 64; i++)
		for (int a = 2; a >= 0; a--)
			if (i < bits_for(cells[a]) && at < 64)
				code |= ((uint64_t)grid[a] >> i & 1) << at++;
	return code;
}

static uint32_t rotate(uint32_t v, int by)
{
	return v << by | v >> (32 - by);
}

static uint32_t mixed(uint32_t h)
{
	h = (h ^ h >> 16) * 0x85ebca6bU;
	h = (h ^ h >> 13) * 0xc2b2ae35U;
	return h ^ h >> 16;
}

/* The low 64 bits of the hash of 8 bytes, seed 0: two words, both of the tail. */
static uint64_t murmur(uint64_t id)
{
	const uint32_t c1 = 0x239b961bU, c2 = 0xab0e9789U, c3 = 0x38b34ae5U;
	uint32_t h1 = 0, h2 = 0, h3 = 0, h4 = 0;

	h2 ^= rotate((uint32_t)(id >> 32) * c2, 16) * c3;
	h1 ^= rotate((uint32_t)id * c1, 15) * c2;
	h1 ^= 8;
	h2 ^= 8;
	h3 ^= 8;
	h4 ^= 8;
	h1 += h2 + h3 + h4;
	h2 += h1;
	h3 += h1;
	h4 += h1;
	h1 = mixed(h1);
	h2 = mixed(h2);
	h3 = mixed(h3);
	h4 = mixed(h4);
	h1 += h2 + h3 + h4;
	h2 += h1;
	return (uint64_t)h2 << 32 | h1;
}

static uint64_t low_bits(uint64_t v, unsigned bits)
{
	return bits >= 64 ? v : v & (((uint64_t)1 << bits) - 1);
}

void fx_sharding_place(const struct fx_sharding *s, uint64_t id, uint64_t *shard,
		       uint64_t *minishard)
{
	uint64_t v = id >> s->preshift;

	v = s->murmur ? murmur(v) : v;
	*minishard = low_bits(v, s->minishard_bits);
	*shard = s->minishard_bits >= 64 ? 0 : low_bits(v >> s->minishard_bits, s->shard_bits);
}

static int entries_compare(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

int fx_minishard_parse(const void *bytes, size_t size, uint64_t **entries, size_t *len,
		       struct fx_error *err)
{
	const size_t n = size / ENTRY;
	uint64_t id = 0, start = 0, *to;
	const char *from = bytes;

	if (size % ENTRY || size > FX_MINISHARD_MAX)
		return fx_error_set(err, FX_EINVAL, "the index of a minishard is damaged");
	to = fx_calloc(3 * n, sizeof *to);
	if (!to)
		return fx_error_set(err, FX_ENOMEM, "no memory for the index of a minishard");
	for (size_t i = 0; i < n; i++) {
		uint64_t v[3];

		for (size_t k = 0; k < 3; k++)
			memcpy(&v[k], from + 8 * (k * n + i), 8);
		id += v[0];
		start += v[1];
		to[3 * i] = id;
		to[3 * i + 1] = start;
		to[3 * i + 2] = v[2];
		start += v[2];
	}
	qsort(to, n, ENTRY, entries_compare);
	*entries = to;
	*len = n;
	return FX_OK;
}

/* Reads @p size bytes at @p from behind the index of the shard, at most @p max. */
static int read_part(const struct fx_shards *s, int fd, uint64_t from, uint64_t size, size_t max,
		     void **bytes, struct fx_error *err)
{
	const uint64_t head = (uint64_t)16 << s->sharding.minishard_bits;
	struct stat st;

	if (fstat(fd, &st) != 0 || size > max || from > (uint64_t)st.st_size ||
	    head + from > (uint64_t)st.st_size || size > (uint64_t)st.st_size - head - from)
		return fx_error_set(err, FX_EINVAL, "a part of a shard lies beyond its end");
	*bytes = malloc(size ? size : 1);
	if (!*bytes)
		return fx_error_set(err, FX_ENOMEM, "no memory for a part of a shard");
	if (fx_pread_all(fd, *bytes, size, (off_t)(head + from)) == 0)
		return FX_OK;
	free(*bytes);
	return fx_error_set(err, FX_EIO, "a part of a shard cannot be read");
}

/* Replaces *bytes by what they are inflated. */
static int inflate_part(void **bytes, size_t *size, size_t max, struct fx_error *err)
{
	void *out;
	const int result = fx_gunzip(*bytes, *size, max, &out, size, err);

	free(*bytes);
	*bytes = result == FX_OK ? out : NULL;
	return result;
}

static int load_minishard(struct fx_shards *s, int fd, uint64_t shard, uint64_t minishard,
			  struct fx_error *err)
{
	struct fx_minishard *m = &s->last;
	uint64_t where[2];
	void *bytes = NULL;
	size_t size;
	int result = FX_OK;

	if (m->known && m->shard == shard && m->number == minishard)
		return FX_OK;
	fx_shards_fini(s);
	if (fx_pread_all(fd, where, sizeof where, (off_t)(16 * minishard)) != 0 ||
	    where[1] < where[0])
		return fx_error_set(err, FX_EINVAL, "the index of a shard is damaged");
	size = (size_t)(where[1] - where[0]);
	if (size)
		result = read_part(s, fd, where[0], size, FX_MINISHARD_MAX, &bytes, err);
	if (result == FX_OK && size && s->sharding.gzip_index)
		result = inflate_part(&bytes, &size, FX_MINISHARD_MAX, err);
	if (result == FX_OK)
		result = fx_minishard_parse(bytes, size, &m->entries, &m->len, err);
	free(bytes);
	m->shard = shard;
	m->number = minishard;
	m->known = result == FX_OK;
	return result;
}

static const uint64_t *find_entry(const struct fx_minishard *m, uint64_t id)
{
	return m->len ? bsearch(&id, m->entries, m->len, ENTRY, entries_compare) : NULL;
}

static int shard_open(const struct fx_shards *s, uint64_t shard, struct fx_error *err)
{
	char *path = fx_asprintf("%s/%0*" PRIx64 ".shard", s->folder,
				 (int)((s->sharding.shard_bits + 3) / 4), shard);
	const int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	int result = fd;

	if (!path)
		result = fx_error_set(err, FX_ENOMEM, "no memory for a path");
	else if (fd < 0)
		result = fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO,
				      "%s: cannot open: %s", path, strerror(errno));
	free(path);
	return result;
}

int fx_shards_get(struct fx_shards *s, uint64_t id, size_t max, void **bytes, size_t *size,
		  struct fx_error *err)
{
	uint64_t shard, minishard;
	const uint64_t *entry;
	int fd, result;

	fx_sharding_place(&s->sharding, id, &shard, &minishard);
	fd = shard_open(s, shard, err);
	if (fd < 0)
		return fd;
	result = load_minishard(s, fd, shard, minishard, err);
	entry = result == FX_OK ? find_entry(&s->last, id) : NULL;
	if (result == FX_OK && !entry)
		result = fx_error_set(err, FX_ENOENT, "there is no %" PRIu64, id);
	if (entry) {
		*size = (size_t)entry[2];
		result = read_part(s, fd, entry[1], entry[2],
				   max + (s->sharding.gzip_data ? max / 8 + 4096 : 0), bytes, err);
	}
	if (result == FX_OK && s->sharding.gzip_data)
		result = inflate_part(bytes, size, max, err);
	close(fd);
	return result < 0 ? fx_error_prefix(err, "%s: shard %" PRIx64, s->folder, shard) : FX_OK;
}

static int is_shard(const struct dirent *e)
{
	const size_t hex = strspn(e->d_name, "0123456789abcdef");

	return hex && hex <= 16 && strcmp(e->d_name + hex, ".shard") == 0;
}

/* Ids of a list that grows. */
struct ids {
	uint64_t *list; /* owned */
	size_t len, cap;
};

static int shard_ids(struct fx_shards *s, uint64_t shard, struct ids *ids, struct fx_error *err)
{
	const int fd = shard_open(s, shard, err);
	int result = fd < 0 ? fd : FX_OK;

	for (uint64_t m = 0; m < (uint64_t)1 << s->sharding.minishard_bits && result == FX_OK;
	     m++) {
		result = load_minishard(s, fd, shard, m, err);
		if (result == FX_OK &&
		    !fx_grow(&ids->list, &ids->cap, ids->len + s->last.len, sizeof *ids->list))
			result = fx_error_set(err, FX_ENOMEM, "no memory for ids");
		for (size_t i = 0; i < s->last.len && result == FX_OK; i++)
			ids->list[ids->len++] = s->last.entries[3 * i];
	}
	if (fd >= 0)
		close(fd);
	return result;
}

int fx_shards_ids(struct fx_shards *s, uint64_t **ids, size_t *len, struct fx_error *err)
{
	struct ids all = { 0 };
	struct dirent **list;
	const int n = scandir(s->folder, &list, is_shard, alphasort);
	int result = n < 0 ? fx_error_set(err, FX_EIO, "%s", strerror(errno)) : FX_OK;

	for (int i = 0; i < n; i++) {
		if (result == FX_OK)
			result = shard_ids(s, strtoull(list[i]->d_name, NULL, 16), &all, err);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	if (result < 0) {
		free(all.list);
		return fx_error_prefix(err, "%s", s->folder);
	}
	if (all.len)
		qsort(all.list, all.len, sizeof *all.list, entries_compare);
	*ids = all.list;
	*len = all.len;
	return FX_OK;
}

void fx_shards_fini(struct fx_shards *s)
{
	free(s->last.entries);
	memset(&s->last, 0, sizeof s->last);
}
