// SPDX-License-Identifier: Apache-2.0
/* unetmodel.c: reads U-Nets and runs them on blocks. */
#include "nn/unetmodel.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "block/voxel.h"
#include "nn/modelmeta.h"
#include "nn/op.h"
#include "nn/tiles.h"

/* The head that is run: channels of the file's heads, one behind the other. */
#define ALL_HEADS "heads"

static const struct {
	const char *name;
	size_t channels;
	bool required;
} heads[FX_UNET_HEADS] = {
	[FX_UNET_AFFINITY] = { "affinity", 3, true },
	[FX_UNET_DISTANCE] = { "distance", 1, true },
	[FX_UNET_ERODED] = { "eroded", 3, false },
	[FX_UNET_LONG] = { "long", 6, false },
};

/* Number of the head called @p name, or FX_UNET_HEADS. */
static size_t head_of(const char *name)
{
	size_t h = 0;

	while (h < FX_UNET_HEADS && strcmp(heads[h].name, name))
		h++;
	return h;
}

static int check_heads(const struct fx_arch *a, bool have[FX_UNET_HEADS], struct fx_error *err)
{
	for (size_t i = 0; i < a->heads; i++) {
		const size_t h = head_of(a->names[i]);

		if (h == FX_UNET_HEADS)
			return fx_error_set(err, FX_ETYPE,
					    "the network has a head \"%s\", but affinity, "
					    "distance, eroded and long are known here",
					    a->names[i]);
		if (a->head[i] != heads[h].channels)
			return fx_error_set(err, FX_ETYPE,
					    "head \"%s\" has %zu channels, but %zu are wanted",
					    a->names[i], a->head[i], heads[h].channels);
		have[h] = true;
	}
	for (size_t h = 0; h < FX_UNET_HEADS; h++)
		if (heads[h].required && !have[h])
			return fx_error_set(err, FX_ETYPE,
					    "the network has no head \"%s\", which is wanted here",
					    heads[h].name);
	return FX_OK;
}

static int check_arch(const struct fx_arch *a, const char *features, struct fx_error *err)
{
	if (a->kind != FX_ARCH_UNET)
		return fx_error_set(err, FX_ETYPE,
				    "a model of architecture \"%s\", but a \"unet\" is wanted here",
				    fx_arch_name(a));
	if (a->in != 1 || !features || strcmp(features, FX_UNETMODEL_FEATURES))
		return fx_error_set(err, FX_ETYPE,
				    "the network takes %zu channels of \"%.80s\", but 1 of \"%s\" "
				    "is wanted",
				    a->in, features ? features : "unknown features",
				    FX_UNETMODEL_FEATURES);
	return FX_OK;
}

static int parse_norm(struct fx_unetmodel *m, const char *text, struct fx_error *err)
{
	json_t *all = json_loads(text ? text : "", 0, NULL);
	const json_t *mean = json_object_get(all, "mean"), *sd = json_object_get(all, "sd");
	bool good = json_is_number(mean) && json_is_number(sd);

	m->mean = json_number_value(mean);
	m->sd = json_number_value(sd);
	good = good && isfinite(m->mean) && isfinite(m->sd) && m->sd > 0;
	json_decref(all);
	return good ? FX_OK :
		      fx_error_set(err, FX_EINVAL,
				   "input_norm must be {\"mean\": m, \"sd\": s}, one number each, "
				   "sd above 0");
}

/* A described net of the smallest shape; NULL without memory. */
static struct fx_nn *describe(const struct fx_arch *a, uint64_t seed)
{
	struct fx_arch_values values;
	struct fx_nn *net = fx_nn_new(seed);
	size_t n[3];

	fx_arch_multiple(a, n);
	if (net)
		fx_arch_build(a, net, (struct fx_nn_shape){ 1, n[0], n[1], n[2], a->in }, &values);
	return net;
}

/* Weights of a net cannot be more than the file has. */
static int check_size(const struct fx_nn *net, const struct fx_safetensors *s, struct fx_error *err)
{
	size_t values = FX_NN_ALIGN * net->params_len;

	for (size_t i = 0; i < s->len; i++)
		values += fx_tensor_count(&s->tensors[i]);
	return net->weights_len <= values ?
		       FX_OK :
		       fx_error_set(err, FX_EINVAL,
				    "arch_args tell of %zu weights, but the file has no more than "
				    "%zu: tensors are missing",
				    net->weights_len, values);
}

/* The weights of @p to from those of the same name of @p from; its heads are put together. */
static void take_weights(struct fx_nn *to, const struct fx_nn *from)
{
	static const char *const kinds[] = { "weight", "bias" };
	static const enum fx_unet_head order[] = { FX_UNET_AFFINITY, FX_UNET_DISTANCE,
						   FX_UNET_ERODED };
	char name[FX_NN_NAME_MAX];

	for (size_t i = 0; i < to->params_len; i++) {
		const struct fx_nn_param *p = &to->params[i], *q = fx_nn_param(from, p->name);

		if (q)
			memcpy(to->weights + p->at, from->weights + q->at,
			       p->len * sizeof *to->weights);
	}
	for (int k = 0; k < 2; k++) {
		size_t at;

		snprintf(name, sizeof name, "%s.%s", ALL_HEADS, kinds[k]);
		at = fx_nn_param(to, name)->at;
		for (int h = 0; h < 3; h++) {
			const struct fx_nn_param *q;

			snprintf(name, sizeof name, "%s.%s", heads[order[h]].name, kinds[k]);
			q = fx_nn_param(from, name);
			if (!q)
				continue;
			memcpy(to->weights + at, from->weights + q->at,
			       q->len * sizeof *to->weights);
			at += q->len;
		}
	}
}

/* Weights of what is run, m->arch, from the whole net. */
static int keep_weights(struct fx_unetmodel *m, const struct fx_nn *whole, struct fx_error *err)
{
	struct fx_nn *net = describe(&m->arch, 0);
	int result = net ? fx_nn_plan(net, FX_NN_INFER, err) :
			   fx_error_set(err, FX_ENOMEM, "no memory for the network");

	if (result == FX_OK) {
		take_weights(net, whole);
		m->weights_len = net->weights_len;
		m->weights = fx_calloc(m->weights_len, sizeof *m->weights);
		if (m->weights)
			memcpy(m->weights, net->weights, m->weights_len * sizeof *m->weights);
		else
			result = fx_error_set(err, FX_ENOMEM, "no memory for %zu weights",
					      m->weights_len);
	}
	fx_nn_free(net);
	return result;
}

/* What is run of a net with the heads of @p a: those that are used, as one. */
static void reduce(struct fx_unetmodel *m, const struct fx_arch *a, bool eroded)
{
	m->eroded = eroded;
	m->arch = *a;
	m->arch.heads = 1;
	m->arch.head[0] = eroded ? 7 : 4;
	memcpy(m->arch.names[0], ALL_HEADS, sizeof ALL_HEADS);
}

/* Weights of a net with all heads: those of a file, or (NULL) as training starts. */
static int begin(struct fx_unetmodel *m, const struct fx_arch *a, const struct fx_safetensors *s,
		 uint64_t seed, struct fx_error *err)
{
	struct fx_nn *whole = describe(a, seed);
	int result = whole ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for the network");

	if (result == FX_OK && s)
		result = check_size(whole, s, err);
	if (result == FX_OK)
		result = fx_nn_plan(whole, FX_NN_INFER, err);
	if (result == FX_OK && s)
		result = fx_nn_load(whole, s, err);
	if (result == FX_OK)
		result = keep_weights(m, whole, err);
	fx_nn_free(whole);
	return result;
}

int fx_unetmodel_start(struct fx_unetmodel *m, const struct fx_arch *a, uint64_t seed,
		       struct fx_error *err)
{
	bool have[FX_UNET_HEADS] = { false };
	int result = check_arch(a, FX_UNETMODEL_FEATURES, err);

	if (result == FX_OK)
		result = check_heads(a, have, err);
	if (result < 0)
		return result;
	m->mean = 0.5;
	m->sd = 0.25;
	m->voxel_nm[0] = m->voxel_nm[1] = m->voxel_nm[2] = 8;
	reduce(m, a, have[FX_UNET_ERODED]);
	return begin(m, a, NULL, seed, err);
}

static int load(struct fx_unetmodel *m, const struct fx_safetensors *s, struct fx_error *err)
{
	bool have[FX_UNET_HEADS] = { false };
	struct fx_arch arch;
	int result = fx_arch_of(&arch, s, err);

	if (result == FX_OK)
		result = check_arch(&arch, fx_safetensors_meta(s, "features"), err);
	if (result == FX_OK)
		result = check_heads(&arch, have, err);
	if (result == FX_OK)
		result = parse_norm(m, fx_safetensors_meta(s, "input_norm"), err);
	if (result == FX_OK)
		result = fx_model_voxel(m->voxel_nm, s, err);
	if (result < 0)
		return result;
	reduce(m, &arch, have[FX_UNET_ERODED]);
	return begin(m, &arch, s, 0, err);
}

int fx_unetmodel_read(struct fx_unetmodel *m, const char *path, struct fx_error *err)
{
	struct fx_safetensors s = { 0 };
	int result = fx_safetensors_read(&s, path, FX_UNETMODEL_SIZE_MAX, err);

	if (result == FX_OK && (result = load(m, &s, err)) < 0)
		fx_error_prefix(err, "%s", path);
	fx_safetensors_fini(&s);
	return result;
}

void fx_unetmodel_fini(struct fx_unetmodel *m)
{
	fx_nn_free(m->net);
	free(m->weights);
	memset(m, 0, sizeof *m);
}

/* Plans the net for tiles of @p size, unless it is already. */
static int plan(struct fx_unetmodel *m, const size_t size[3], struct fx_error *err)
{
	const struct fx_nn_shape shape = { 1, size[0], size[1], size[2], m->arch.in };
	int result;

	if (m->net && fx_nn_same(m->net->values[m->values.in].shape, shape))
		return FX_OK;
	fx_nn_free(m->net);
	m->net = fx_nn_new(0);
	if (!m->net)
		return fx_error_set(err, FX_ENOMEM, "no memory for the network");
	m->net->winograd = true;
	fx_arch_build(&m->arch, m->net, shape, &m->values);
	if (m->values.in >= 0)
		m->net->values[m->values.in].keep = false; /* fill() writes all of it */
	result = fx_nn_plan(m->net, FX_NN_INFER, err);
	if (result < 0) {
		fx_nn_free(m->net);
		m->net = NULL;
		return result;
	}
	memcpy(m->net->weights, m->weights, m->weights_len * sizeof *m->weights);
	fx_nn_touch(m->net);
	return FX_OK;
}

/* Voxel @p i of an axis of @p n voxels that is mirrored beyond its ends. */
static size_t mirrored(size_t i, size_t n)
{
	const size_t k = i % (2 * n);

	return k < n ? k : 2 * n - 1 - k;
}

/* The tile whose first voxel is @p from, to the input of the net. */
static void fill(const struct fx_unetmodel *m, const struct fx_unet_image *image,
		 const size_t from[3])
{
	const struct fx_nn_value *in = &m->net->values[m->values.in];
	const struct fx_nn_shape s = in->shape;
	const size_t *n = image->shape, step = nn_step(in);
	const NN_REAL mean = (NN_REAL)m->mean, factor = 1 / (NN_REAL)m->sd;

	if (in->shared)
		memset(in->data, 0, in->size * sizeof *in->data);
#pragma omp parallel for schedule(static)
	for (size_t row = 0; row < s.z * s.y; row++) {
		const size_t z = mirrored(from[0] + row / s.y, n[0]),
			     y = mirrored(from[1] + row % s.y, n[1]), at = (z * n[1] + y) * n[2];
		NN_REAL *to = in->data + nn_at(in, 0, row / s.y, row % s.y, 0);

		for (size_t x = 0; x < s.x; x++)
			to[x * step] =
				((NN_REAL)fx_voxel_brightness(image->data, image->dtype,
							      at + mirrored(from[2] + x, n[2])) -
				 mean) *
				factor;
	}
}

/* A run over a block: its tiles and their shares along each axis. */
struct pass {
	struct fx_unetmodel *m;
	const struct fx_unet_image *image;
	const struct fx_unet_logits *logits;
	struct fx_tiles tiles[3];
	float *weight[3]; /* owned: of the tile at hand */
	bool first;	  /* logits are not begun yet, and there is one tile only */
};

/* A row of channel @p c of the tile, times its shares, added to the block's. */
static void blend_row(const struct pass *p, float *to, const NN_REAL *from, size_t step, size_t len,
		      float share)
{
	const float *weight = p->weight[2];

	if (p->first)
		for (size_t x = 0; x < len; x++)
			to[x] = (float)from[x * step];
	else
		for (size_t x = 0; x < len; x++)
			to[x] += share * weight[x] * (float)from[x * step];
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void blend(const struct pass *p, const size_t from[3])
{
	const struct fx_nn_value *v = &p->m->net->values[p->m->values.heads[0]];
	const size_t *n = p->image->shape, step = nn_step(v),
		     depth = smaller(v->shape.z, n[0] - from[0]),
		     height = smaller(v->shape.y, n[1] - from[1]),
		     width = smaller(v->shape.x, n[2] - from[2]);

#pragma omp parallel for schedule(static)
	for (size_t row = 0; row < depth * height; row++) {
		const size_t z = row / height, y = row % height,
			     at = ((from[0] + z) * n[1] + from[1] + y) * n[2] + from[2];
		const NN_REAL *data = v->data + nn_at(v, 0, z, y, 0);

		for (size_t c = 0; c < v->shape.c; c++)
			if (p->logits->out[c])
				blend_row(p, p->logits->out[c] + at, data + c, step, width,
					  p->weight[0][z] * p->weight[1][y]);
	}
}

static void run_tiles(struct pass *p)
{
	const struct fx_tiles *t = p->tiles;

	for (size_t i = 0; i < t[0].count * t[1].count * t[2].count; i++) {
		const size_t tile[3] = { i / t[2].count / t[1].count, i / t[2].count % t[1].count,
					 i % t[2].count };
		size_t from[3];

		for (int a = 0; a < 3; a++) {
			from[a] = fx_tiles_start(&t[a], tile[a]);
			fx_tiles_weights(&t[a], tile[a], p->weight[a]);
		}
		fill(p->m, p->image, from);
		fx_nn_forward(p->m->net);
		blend(p, from);
	}
}

static bool valid(const struct fx_unet_image *image, size_t *len)
{
	const size_t *n = image->shape;

	return n[0] && n[1] && n[2] && fx_mul_size(n[0], n[1], len) &&
	       fx_mul_size(*len, n[2], len) && *len < SIZE_MAX / 64 &&
	       (image->dtype == FX_U8 || image->dtype == FX_U16 || image->dtype == FX_F32);
}

int fx_unetmodel_run(struct fx_unetmodel *m, const struct fx_unet_image *image,
		     const struct fx_unet_tiles *tiles, const struct fx_unet_logits *logits,
		     struct fx_error *err)
{
	struct pass p = { .m = m, .image = image, .logits = logits, .first = true };
	size_t len, unit[3], size[3];
	int result;

	if (!valid(image, &len))
		return fx_error_set(err, FX_EINVAL, "a block of %zux%zux%zu voxels of type %s",
				    image->shape[0], image->shape[1], image->shape[2],
				    fx_dtype_name(image->dtype));
	fx_arch_multiple(&m->arch, unit);
	for (int a = 0; a < 3; a++) {
		p.tiles[a] =
			fx_tiles_cut(image->shape[a], unit[a], tiles->most[a], tiles->overlap[a]);
		size[a] = p.tiles[a].size;
		p.first &= p.tiles[a].count == 1;
		p.weight[a] = fx_calloc(size[a], sizeof *p.weight[a]);
	}
	result = p.weight[0] && p.weight[1] && p.weight[2] ?
			 plan(m, size, err) :
			 fx_error_set(err, FX_ENOMEM, "no memory for %zu shares", size[0]);
	for (size_t c = 0; c < m->arch.head[0] && result == FX_OK && !p.first; c++)
		if (logits->out[c])
			memset(logits->out[c], 0, len * sizeof *logits->out[c]);
	if (result == FX_OK)
		run_tiles(&p);
	for (int a = 0; a < 3; a++)
		free(p.weight[a]);
	return result;
}

double fx_unetmodel_flop(const struct fx_arch *a)
{
	struct fx_nn *net = describe(a, 0);
	double flop = 0, voxels;

	if (!net)
		return 0;
	voxels = (double)fx_nn_count(net->values[0].shape) / (double)a->in;
	for (size_t i = 0; i < net->layers_len; i++) {
		const struct fx_nn_layer *l = &net->layers[i];
		const struct fx_nn_value *v = l->args.flag ? nn_in(net, l, 0) : nn_out(net, l);

		if (l->param >= 0)
			flop += 2 * (double)net->params[l->param].len *
				(double)fx_nn_count(v->shape) / (double)v->shape.c;
	}
	fx_nn_free(net);
	return flop / voxels;
}
