// SPDX-License-Identifier: Apache-2.0
/* fib25.c: reads the FIB-25 files, and floods a published object again. */
#include "support/test.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "formats/image.h"
#include "support/fib25.h"
#include "support/labels_tiff.h"

const size_t fib25_shape[3] = { FIB25_SIDE, FIB25_SIDE, FIB25_SIDE };

const struct fx_ffn_config fib25_config = {
	.fov = { 33, 33, 33 },
	.deltas = { 8, 8, 8 },
	.init = 0.95,
	.pad = 0.05,
	.move = 0.9,
	.segment = 0.6,
	.min_voxels = 1000,
	.min_distance = { 1, 1, 1 },
};

const struct fx_ffn_seeding fib25_seeding = {
	.sigma = 49.0 / 6.0, .noise = 1e-4, .random = 42, .spacing = 3
};

static void *memory(size_t size)
{
	void *p = malloc(size);

	assert_non_null(p);
	return p;
}

uint8_t *fib25_grey(const char *data)
{
	uint8_t *grey = memory(FIB25_LEN);

	for (size_t z = 0; z < FIB25_SIDE; z++) {
		struct fx_image im = { 0 };
		struct fx_error err = { 0 };
		void *pixels = grey + z * FIB25_SIDE * FIB25_SIDE;
		char path[4096];

		snprintf(path, sizeof path, "%s/fib25/sections/z%03zu.png", data, z);
		if (fx_image_load(path, FIB25_SIDE, FIB25_SIDE, FX_U8, &pixels, &im, &err))
			fail_msg("%s", err.text);
		fx_image_close(&im);
	}
	return grey;
}

float *fib25_image(const char *data)
{
	float *image = memory(FIB25_LEN * sizeof *image);
	uint8_t *grey = fib25_grey(data);

	fx_ffn_normalise(image, grey, FX_U8, FIB25_LEN, 128, 33);
	free(grey);
	return image;
}

int32_t *fib25_published(const char *data)
{
	struct fx_block *b = test_labels_tiff(data, "fib25/ffn-published.tif", 0);
	int32_t *ids = memory(FIB25_LEN * sizeof *ids);

	assert_int_equal(fx_block_len(b), FIB25_LEN);
	assert_int_equal(b->dtype, FX_U8);
	for (size_t i = 0; i < FIB25_LEN; i++)
		ids[i] = ((const uint8_t *)b->data)[i];
	fx_block_free(b);
	return ids;
}

struct fx_ffn_pos *fib25_seeds(const char *data, size_t *len)
{
	struct fx_error err = { 0 };
	struct fx_ffn_pos *seeds;
	uint8_t *bytes;
	void *file;
	size_t size, head;
	char path[4096];

	snprintf(path, sizeof path, "%s/fib25/ffn-seeds.npy", data);
	if (fx_file_read(path, 1 << 20, &file, &size, &err))
		fail_msg("%s", err.text);
	bytes = file;
	head = 10 + (size_t)bytes[8] + ((size_t)bytes[9] << 8);
	assert_true(size > head && (size - head) % sizeof *seeds == 0);
	*len = (size - head) / sizeof *seeds;
	seeds = memory(size - head);
	memcpy(seeds, bytes + head, size - head);
	free(file);
	return seeds;
}

static size_t number(const json_t *object, const char *key)
{
	const json_t *v = json_object_get(object, key);

	assert_true(json_is_integer(v));
	return (size_t)json_integer_value(v);
}

struct fib25_object *fib25_objects(const char *data, size_t *len)
{
	struct fib25_object *objects;
	json_t *root, *list;
	char path[4096];

	snprintf(path, sizeof path, "%s/fib25/ffn-objects.json", data);
	root = json_load_file(path, 0, NULL);
	list = json_object_get(root, "objects");
	*len = json_array_size(list);
	assert_true(*len > 0);
	objects = memory(*len * sizeof *objects);
	for (size_t i = 0; i < *len; i++) {
		const json_t *o = json_array_get(list, i), *at = json_object_get(o, "origin_zyx");

		objects[i].id = (int)number(o, "id");
		objects[i].evaluations = number(o, "evaluations");
		objects[i].voxels = number(o, "voxels");
		for (size_t a = 0; a < 3; a++)
			objects[i].origin.at[a] =
				(int32_t)json_integer_value(json_array_get(at, a));
	}
	json_decref(root);
	return objects;
}

struct fx_ffn_net *fib25_net_of(const struct fx_ffn_model *m, enum fx_conv3d_path path)
{
	struct fx_ffn_weights w = { .depth = m->depth, .features = m->features };
	struct fx_error err = { 0 };
	struct fx_ffn_net *net;

	for (size_t i = 0; i < 2 * m->depth + 1; i++) {
		w.weight[i] = m->weight[i];
		w.bias[i] = m->bias[i];
	}
	net = fx_ffn_net_new(&w, m->fov, path, 0, &err);
	if (!net)
		fail_msg("%s", err.text);
	return net;
}

struct fx_ffn_net *fib25_net(const char *data, enum fx_conv3d_path path)
{
	struct fx_ffn_model m = { 0 };
	struct fx_error err = { 0 };
	struct fx_ffn_net *net;
	char file[4096];

	snprintf(file, sizeof file, "%s/models/fib25-ffn.safetensors", data);
	if (fx_ffn_model_read(&m, file, &err))
		fail_msg("%s", err.text);
	assert_memory_equal(m.fov, fib25_config.fov, sizeof m.fov);
	assert_memory_equal(m.deltas, fib25_config.deltas, sizeof m.deltas);
	assert_true(m.mean == 128 && m.stddev == 33 && m.depth == 12 && m.features == 32);
	net = fib25_net_of(&m, path);
	fx_ffn_model_fini(&m);
	return net;
}

size_t fib25_replay(const struct fib25_object *o, struct fx_ffn_net *net, const float *image,
		    const int32_t *published, size_t *evaluations)
{
	const struct fx_ffn_eval eval = { fx_ffn_net_run, net };
	int32_t *canvas = memory(FIB25_LEN * sizeof *canvas);
	struct fx_error err = { 0 };
	struct fx_ffn f = { 0 };
	size_t differ = 0;

	for (size_t i = 0; i < FIB25_LEN; i++)
		canvas[i] = published[i] < o->id ? published[i] : 0;
	if (fx_ffn_init(&f, &fib25_config, &eval, image, canvas, fib25_shape, NULL, 0, &err))
		fail_msg("%s", err.text);
	f.next_id = o->id;
	assert_int_equal(fx_ffn_begin(&f, o->origin), FX_OK);
	while (fx_ffn_step(&f) == FX_FFN_EVALUATED)
		;
	*evaluations = f.object.evaluations;
	for (size_t i = 0; i < FIB25_LEN; i++)
		differ += (canvas[i] == o->id) != (published[i] == o->id);
	fx_ffn_fini(&f);
	free(canvas);
	return differ;
}
