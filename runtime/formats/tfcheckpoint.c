// SPDX-License-Identifier: Apache-2.0
/* tfcheckpoint.c: a bounded reader of TensorFlow V2 checkpoints. */
#include "formats/tfcheckpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/file.h"

enum { FOOTER = 48, TRAILER = 5, MAGIC_AT = 40 };

/* Bytes that are read from the front; @p ok falls when they end too early. */
struct cursor {
	const uint8_t *at, *end;
	bool ok;
};

/* A part of a file. */
struct span {
	const uint8_t *at;
	size_t size;
};

uint32_t fx_tf_crc(const void *data, size_t size)
{
	const uint8_t *b = data;
	uint32_t crc = 0xffffffffU;

	for (size_t i = 0; i < size; i++) {
		crc ^= b[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78U : 0);
	}
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xa282ead8U;
}

static uint64_t little(const uint8_t *b, size_t size)
{
	uint64_t v = 0;

	for (size_t i = size; i-- > 0;)
		v = v << 8 | b[i];
	return v;
}

static uint64_t take_varint(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && c->at < c->end; shift += 7) {
		const uint8_t b = *c->at++;

		v |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return v;
	}
	c->ok = false;
	return 0;
}

static struct span take_bytes(struct cursor *c, uint64_t size)
{
	struct span s = { c->at, 0 };

	if (size > (uint64_t)(c->end - c->at)) {
		c->ok = false;
		return s;
	}
	s.size = (size_t)size;
	c->at += s.size;
	return s;
}

/* A span that is not there has no place, to which nothing may be added. */
static struct cursor cursor_of(struct span s)
{
	return (struct cursor){ s.at, s.size ? s.at + s.size : s.at, true };
}

/* One field of a protobuf message. */
struct field {
	uint64_t number, value;
	struct span bytes;
};

/* False at the end of the message, or when it is broken (then ok falls). */
static bool take_field(struct cursor *c, struct field *f)
{
	uint64_t tag;

	*f = (struct field){ 0 };
	if (!c->ok || c->at >= c->end)
		return false;
	tag = take_varint(c);
	f->number = tag >> 3;
	switch (tag & 7) {
	case 0:
		f->value = take_varint(c);
		break;
	case 1:
		f->bytes = take_bytes(c, 8);
		break;
	case 2:
		f->bytes = take_bytes(c, take_varint(c));
		break;
	case 5:
		f->bytes = take_bytes(c, 4);
		f->value = little(f->bytes.at, f->bytes.size);
		break;
	default:
		c->ok = false;
	}
	return c->ok;
}

static int damaged(struct fx_error *err, const char *what)
{
	return fx_error_set(err, FX_EINVAL, "no index of a TensorFlow V2 checkpoint: %s", what);
}

/* The contents of the block at a handle, behind which are its compression type and CRC. */
static int get_block(struct span file, struct cursor *handle, struct span *block,
		     struct fx_error *err)
{
	const uint64_t offset = take_varint(handle), size = take_varint(handle);

	if (!handle->ok || offset > file.size || size > file.size - offset ||
	    file.size - offset - size < TRAILER || size < 4)
		return damaged(err, "a block lies outside of the file");
	block->at = file.at + offset;
	block->size = (size_t)size;
	if (block->at[size] != 0)
		return damaged(err, "its blocks are compressed");
	if (!fx_sum_matches(little(block->at + size + 1, 4),
			    fx_tf_crc(block->at, (size_t)size + 1)))
		return damaged(err, "a block has a wrong checksum");
	return FX_OK;
}

/* The entries of a block, without the restarts at its end. */
static int get_entries(struct span block, struct cursor *entries, struct fx_error *err)
{
	const uint64_t restarts = little(block.at + block.size - 4, 4);

	if (restarts > (block.size - 4) / 4)
		return damaged(err, "a block has too many restarts");
	*entries = (struct cursor){ block.at, block.at + block.size - 4 - 4 * restarts, true };
	return FX_OK;
}

/* An entry of a block: its key goes on from the one before. */
struct entry {
	char key[FX_TF_NAME_MAX + 1];
	size_t key_len;
	struct span value;
};

static int take_entry(struct cursor *c, struct entry *e, struct fx_error *err)
{
	const uint64_t shared = take_varint(c), more = take_varint(c), size = take_varint(c);
	const struct span key = take_bytes(c, more);

	e->value = take_bytes(c, size);
	if (!c->ok || shared > e->key_len || key.size > FX_TF_NAME_MAX - (size_t)shared)
		return damaged(err, "an entry is broken or its name is too long");
	if (key.size)
		memcpy(e->key + shared, key.at, key.size);
	e->key_len = (size_t)shared + key.size;
	e->key[e->key_len] = '\0';
	if (memchr(e->key, '\0', e->key_len))
		return damaged(err, "a name has a NUL in it");
	return FX_OK;
}

/* The entry without a name: how the data are stored. */
static int read_header(struct fx_tf_checkpoint *c, struct span value, struct fx_error *err)
{
	struct cursor at = cursor_of(value);
	struct field f;

	while (take_field(&at, &f)) {
		if (f.number == 1)
			c->shards = f.value;
		if (f.number == 2 && f.value != 0)
			return damaged(err, "its data are big-endian");
	}
	if (!at.ok || c->shards < 1 || c->shards > 99999)
		return damaged(err, "its header is broken");
	return FX_OK;
}

static int read_shape(struct fx_tf_tensor *t, struct span value)
{
	struct cursor at = cursor_of(value);
	struct field f, d;

	while (take_field(&at, &f)) {
		struct cursor dim = cursor_of(f.bytes);
		uint64_t size = 0;

		if (f.number == 3 && f.value)
			return FX_EINVAL;
		if (f.number != 2)
			continue;
		if (!f.bytes.at || t->rank == FX_TF_RANK_MAX)
			return FX_EINVAL;
		while (take_field(&dim, &d))
			if (d.number == 1)
				size = d.value;
		if (!dim.ok || size > SIZE_MAX / 16)
			return FX_EINVAL;
		t->shape[t->rank++] = (size_t)size;
	}
	return at.ok ? FX_OK : FX_EINVAL;
}

static int read_tensor(struct fx_tf_checkpoint *c, const struct entry *e, struct fx_error *err)
{
	struct cursor at = cursor_of(e->value);
	struct fx_tf_tensor t = { 0 };
	struct field f;
	bool sound = true;

	while (sound && take_field(&at, &f)) {
		if (f.number == 1)
			t.dtype = f.value;
		else if (f.number == 2)
			sound = f.bytes.at && read_shape(&t, f.bytes) == FX_OK;
		else if (f.number == 3)
			t.shard = f.value;
		else if (f.number == 4)
			t.offset = f.value;
		else if (f.number == 5)
			t.size = f.value;
		else if (f.number == 6)
			t.crc = (uint32_t)f.value;
		else if (f.number == 7)
			sound = false;
	}
	if (!sound || !at.ok || t.offset > INT64_MAX || t.size > (uint64_t)INT64_MAX - t.offset)
		return fx_error_set(
			err, FX_EINVAL,
			"tensor %.200s of the checkpoint is broken, cut into slices, or "
			"has more than %d axes",
			e->key, FX_TF_RANK_MAX);
	if (c->len == FX_TF_TENSORS_MAX)
		return damaged(err, "too many tensors");
	t.name = fx_strdup(e->key);
	if (!t.name || !fx_grow(&c->tensors, &c->cap, c->len + 1, sizeof t)) {
		free(t.name);
		return fx_error_set(err, FX_ENOMEM, "no memory for the checkpoint");
	}
	c->tensors[c->len++] = t;
	return FX_OK;
}

/* All tensors of a data block. */
static int read_block(struct fx_tf_checkpoint *c, struct span block, struct fx_error *err)
{
	struct cursor entries = { 0 };
	struct entry e = { 0 };
	int result = get_entries(block, &entries, err);

	while (!result && entries.at < entries.end) {
		result = take_entry(&entries, &e, err);
		if (!result)
			result = e.key_len ? read_tensor(c, &e, err) : read_header(c, e.value, err);
	}
	return result;
}

int fx_tf_parse(struct fx_tf_checkpoint *c, const void *bytes, size_t size, struct fx_error *err)
{
	static const uint8_t magic[8] = { 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb };
	const struct span file = { bytes, size };
	struct cursor handles, entries = { 0 };
	struct entry e = { 0 };
	struct span block = { 0 };
	int result;

	*c = (struct fx_tf_checkpoint){ 0 };
	if (size < FOOTER || memcmp(file.at + size - 8, magic, 8) != 0)
		return damaged(err, "it does not end like one");
	handles = (struct cursor){ file.at + size - FOOTER, file.at + size - 8, true };
	take_varint(&handles); /* of the metaindex: not used */
	take_varint(&handles);
	result = get_block(file, &handles, &block, err);
	if (!result)
		result = get_entries(block, &entries, err);
	while (!result && entries.at < entries.end) {
		struct cursor handle;

		result = take_entry(&entries, &e, err);
		handle = cursor_of(e.value);
		if (!result)
			result = get_block(file, &handle, &block, err);
		if (!result)
			result = read_block(c, block, err);
	}
	if (!result && !c->shards)
		result = damaged(err, "it has no header");
	if (result)
		fx_tf_fini(c);
	return result;
}

int fx_tf_open(struct fx_tf_checkpoint *c, const char *prefix, struct fx_error *err)
{
	char *path = fx_asprintf("%s.index", prefix);
	void *bytes = NULL;
	size_t size = 0;
	int result = path ? fx_file_read(path, FX_TF_INDEX_MAX, &bytes, &size, err) :
			    fx_error_set(err, FX_ENOMEM, "no memory");

	*c = (struct fx_tf_checkpoint){ 0 };
	if (!result) {
		result = fx_tf_parse(c, bytes, size, err);
		if (result)
			fx_error_prefix(err, "%s", path);
	}
	if (!result) {
		c->prefix = fx_strdup(prefix);
		if (!c->prefix) {
			fx_tf_fini(c);
			result = fx_error_set(err, FX_ENOMEM, "no memory");
		}
	}
	free(path);
	free(bytes);
	return result;
}

void fx_tf_fini(struct fx_tf_checkpoint *c)
{
	for (size_t i = 0; i < c->len; i++)
		free(c->tensors[i].name);
	free(c->tensors);
	free(c->prefix);
	*c = (struct fx_tf_checkpoint){ 0 };
}

const struct fx_tf_tensor *fx_tf_find(const struct fx_tf_checkpoint *c, const char *name)
{
	for (size_t i = 0; i < c->len; i++)
		if (strcmp(c->tensors[i].name, name) == 0)
			return c->tensors + i;
	return NULL;
}

/* Reads @p size bytes of the shard of @p t. */
static int read_shard(const struct fx_tf_checkpoint *c, const struct fx_tf_tensor *t, void *to,
		      struct fx_error *err)
{
	char *path = fx_asprintf("%s.data-%05llu-of-%05llu", c->prefix,
				 (unsigned long long)t->shard, (unsigned long long)c->shards);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, failed;
	int result = FX_OK;

	if (fd < 0)
		result = fx_error_set(err, errno == ENOENT ? FX_ENOENT : FX_EIO,
				      "cannot open %s: %s", path ? path : "a shard",
				      strerror(errno));
	failed = fd < 0 ? 0 : fx_pread_all(fd, to, (size_t)t->size, (off_t)t->offset);
	if (failed)
		result = fx_error_set(err, FX_EIO, "cannot read %s: %s", path,
				      failed == -ENODATA ? "it is too short" : strerror(-failed));
	if (!result && !fx_sum_matches(t->crc, fx_tf_crc(to, (size_t)t->size)))
		result = fx_error_set(err, FX_EINVAL, "%s: tensor %.200s has a wrong checksum",
				      path, t->name);
	if (fd >= 0)
		close(fd);
	free(path);
	return result;
}

int fx_tf_floats(const struct fx_tf_checkpoint *c, const struct fx_tf_tensor *t, float **values,
		 size_t *len, struct fx_error *err)
{
	size_t count = 1;
	float *read;
	int result;

	if (t->dtype != FX_TF_FLOAT)
		return fx_error_set(err, FX_ETYPE, "tensor %.200s is not of float32", t->name);
	for (int i = 0; i < t->rank; i++)
		if (!fx_mul_size(count, t->shape[i], &count))
			count = SIZE_MAX / 8;
	if (count > SIZE_MAX / 8 || t->size > INT32_MAX || t->size != count * sizeof *read)
		return fx_error_set(err, FX_EINVAL,
				    "tensor %.200s has %llu bytes, which does not fit its shape or "
				    "is over 2 GiB",
				    t->name, (unsigned long long)t->size);
	read = malloc(count ? count * sizeof *read : 1);
	if (!read)
		return fx_error_set(err, FX_ENOMEM, "no memory for tensor %.200s", t->name);
	result = read_shard(c, t, read, err);
	if (result) {
		free(read);
		return result;
	}
	*values = read;
	*len = count;
	return FX_OK;
}
