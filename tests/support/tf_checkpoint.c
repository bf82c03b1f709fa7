// SPDX-License-Identifier: Apache-2.0
/* tf_checkpoint.c: writes TensorFlow V2 checkpoints. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/tfcheckpoint.h"
#include "support/images.h"
#include "support/tf_checkpoint.h"

/* Bytes that grow. */
struct bytes {
	uint8_t *at;
	size_t len;
};

static void add(struct bytes *b, const void *data, size_t size)
{
	b->at = realloc(b->at, b->len + size + 1);
	assert_non_null(b->at);
	if (size)
		memcpy(b->at + b->len, data, size);
	b->len += size;
}

static void add_varint(struct bytes *b, uint64_t v)
{
	uint8_t byte;

	for (; v >= 0x80; v >>= 7) {
		byte = (uint8_t)(v | 0x80);
		add(b, &byte, 1);
	}
	byte = (uint8_t)v;
	add(b, &byte, 1);
}

static void add_u32(struct bytes *b, uint32_t v)
{
	const uint8_t bytes[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
				   (uint8_t)(v >> 24) };

	add(b, bytes, 4);
}

static void add_number(struct bytes *b, uint64_t field, uint64_t v)
{
	add_varint(b, field << 3);
	add_varint(b, v);
}

static void add_message(struct bytes *b, uint64_t field, const struct bytes *m)
{
	add_varint(b, field << 3 | 2);
	add_varint(b, m->len);
	add(b, m->at, m->len);
}

static struct bytes entry_of(const struct tf_tensor *t, size_t offset, size_t size)
{
	struct bytes entry = { 0 }, shape = { 0 };

	for (int i = 0; i < t->rank; i++) {
		struct bytes dim = { 0 };

		add_number(&dim, 1, t->shape[i]);
		add_message(&shape, 2, &dim);
		free(dim.at);
	}
	add_number(&entry, 1, 1);
	add_message(&entry, 2, &shape);
	if (offset)
		add_number(&entry, 4, offset);
	add_number(&entry, 5, size);
	add_varint(&entry, 6 << 3 | 5);
	add_u32(&entry, fx_tf_crc(t->values, size));
	free(shape.at);
	return entry;
}

/* An entry of a block whose key before was @p last. */
static void add_entry(struct bytes *block, const char *last, const char *key, const void *value,
		      size_t size)
{
	size_t shared = 0;

	while (last[shared] && last[shared] == key[shared])
		shared++;
	add_varint(block, shared);
	add_varint(block, strlen(key) - shared);
	add_varint(block, size);
	add(block, key + shared, strlen(key) - shared);
	add(block, value, size);
}

/* Ends a block, appends it to the file, and gives its handle. */
static struct bytes end_block(struct bytes *file, struct bytes *block)
{
	struct bytes handle = { 0 };

	add_u32(block, 0);
	add_u32(block, 1);
	add_varint(&handle, file->len);
	add_varint(&handle, block->len);
	add(block, "", 1);
	add(file, block->at, block->len);
	add_u32(file, fx_tf_crc(block->at, block->len));
	free(block->at);
	*block = (struct bytes){ 0 };
	return handle;
}

void test_tf_encode(const struct tf_tensor *tensors, size_t len, size_t per_block, void **index,
		    size_t *index_size, void **data, size_t *data_size)
{
	static const uint8_t header[] = { 0x08, 1, 0x1a, 2, 0x08, 1 };
	static const uint8_t magic[8] = { 0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb };
	struct bytes file = { 0 }, block = { 0 }, blocks = { 0 }, shard = { 0 }, meta, handle;
	const char *last = "";
	size_t footer;

	add_entry(&block, "", "", header, sizeof header);
	for (size_t i = 0; i < len; i++) {
		struct bytes entry;
		size_t size = sizeof(float);

		for (int a = 0; a < tensors[i].rank; a++)
			size *= tensors[i].shape[a];
		entry = entry_of(tensors + i, shard.len, size);
		add(&shard, tensors[i].values, size);
		add_entry(&block, last, tensors[i].name, entry.at, entry.len);
		last = tensors[i].name;
		free(entry.at);
		if (i + 1 < len && (i + 1) % per_block)
			continue;
		handle = end_block(&file, &block);
		add_entry(&blocks, "", last, handle.at, handle.len);
		free(handle.at);
		last = "";
	}
	meta = end_block(&file, &block);
	handle = end_block(&file, &blocks);
	footer = file.len;
	add(&file, meta.at, meta.len);
	add(&file, handle.at, handle.len);
	while (file.len < footer + 40)
		add(&file, "", 1);
	add(&file, magic, 8);
	free(meta.at);
	free(handle.at);
	*index = file.at;
	*index_size = file.len;
	*data = shard.at;
	*data_size = shard.len;
}

void test_tf_write(const char *prefix, const struct tf_tensor *tensors, size_t len)
{
	void *index, *data;
	size_t index_size, data_size;
	char path[4096];

	test_tf_encode(tensors, len, 3, &index, &index_size, &data, &data_size);
	snprintf(path, sizeof path, "%s.index", prefix);
	test_write_file(path, index, index_size);
	snprintf(path, sizeof path, "%s.data-00000-of-00001", prefix);
	test_write_file(path, data, data_size);
	free(index);
	free(data);
}

static int by_name(const void *a, const void *b)
{
	const struct tf_tensor *s = a, *t = b;

	return strcmp(s->name, t->name);
}

struct tf_tensor *test_tf_ffn(size_t depth, size_t features, size_t *len, float **values,
			      char **names)
{
	const size_t layers = 2 * depth + 1, largest = 27 * features * (features + 2) + features;
	struct tf_tensor *t = calloc(2 * layers, sizeof *t);
	float *v = malloc(layers * largest * sizeof *v);
	char *text = calloc(2 * layers, 64);
	uint64_t seed = 5;

	assert_true(t && v && text);
	for (size_t i = 0; i < layers * largest; i++)
		v[i] = (float)(test_random(&seed) % 2001) / 10000 - 0.1F;
	for (size_t i = 0; i < layers; i++) {
		struct tf_tensor *w = t + 2 * i, *b = w + 1;
		const size_t k = i < 2 * depth ? 3 : 1, in = i ? features : 2,
			     out = i < 2 * depth ? features : 1;
		char layer[32];

		snprintf(layer, sizeof layer, "conv%zu_%c", i / 2, i % 2 ? 'b' : 'a');
		snprintf(text + 128 * i, 64, "scope/%s/weights", k == 3 ? layer : "conv_lom");
		snprintf(text + 128 * i + 64, 64, "scope/%s/biases", k == 3 ? layer : "conv_lom");
		*w = (struct tf_tensor){ text + 128 * i, 5, { k, k, k, in, out }, v + i * largest };
		*b = (struct tf_tensor){
			text + 128 * i + 64, 1, { out }, v + i * largest + k * k * k * in * out
		};
	}
	qsort(t, 2 * layers, sizeof *t, by_name);
	*len = 2 * layers;
	*values = v;
	*names = text;
	return t;
}
