// SPDX-License-Identifier: Apache-2.0
/* checkpoint.c: networks as safetensors files. */
#include "nn/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { NAME_MAX_ALL = FX_NN_NAME_MAX + 8, EXTRA = 3 };

#ifdef NN_DOUBLE
#define REAL_DTYPE   FX_TENSOR_F64
#define tensor_reals fx_tensor_doubles
#else
#define REAL_DTYPE   FX_TENSOR_F32
#define tensor_reals fx_tensor_floats
#endif

/* A list of tensors that is being made, and their names. */
struct list {
	struct fx_tensor *tensors;
	char (*names)[NAME_MAX_ALL];
	size_t len;
};

static void list_add(struct list *to, const char *prefix, const struct fx_nn_param *p,
		     const NN_REAL *values)
{
	struct fx_tensor *t = &to->tensors[to->len];
	char *name = to->names[to->len++];

	snprintf(name, NAME_MAX_ALL, "%s%s", prefix, p->name);
	*t = (struct fx_tensor){
		.name = name, .dtype = REAL_DTYPE, .rank = p->rank, .data = values + p->at
	};
	memcpy(t->shape, p->dims, sizeof p->dims);
}

static void list_add_bytes(struct list *to, const char *name, enum fx_tensor_dtype dtype, size_t n,
			   const void *data)
{
	to->tensors[to->len++] = (struct fx_tensor){
		.name = name, .dtype = dtype, .rank = 1, .shape = { n }, .data = data
	};
}

static void list_fill(struct list *to, const struct fx_nn *net, const struct fx_optim *optim,
		      const struct fx_pcg *rng)
{
	for (size_t i = 0; i < net->params_len; i++) {
		list_add(to, "", &net->params[i], net->weights);
		if (optim)
			list_add(to, "opt.m.", &net->params[i], optim->m);
		if (optim && optim->v)
			list_add(to, "opt.v.", &net->params[i], optim->v);
	}
	if (optim) {
		list_add_bytes(to, "opt.step", FX_TENSOR_U64, 1, &optim->step);
		list_add_bytes(to, "rng.net", FX_TENSOR_U8, sizeof net->rng, &net->rng);
	}
	if (rng)
		list_add_bytes(to, "rng.state", FX_TENSOR_U8, sizeof *rng, rng);
}

int fx_nn_save(const struct fx_nn *net, const struct fx_optim *optim, const struct fx_pcg *rng,
	       const struct fx_tensor_meta *meta, size_t meta_len, const char *path,
	       struct fx_error *err)
{
	const size_t most = 3 * net->params_len + EXTRA;
	struct list list = { .tensors = fx_calloc(most, sizeof *list.tensors),
			     .names = fx_calloc(most, sizeof *list.names) };
	int result = FX_ENOMEM;

	if (list.tensors && list.names) {
		list_fill(&list, net, optim, rng);
		result = fx_safetensors_write(path, list.tensors, list.len, meta, meta_len, err);
	} else {
		fx_error_set(err, FX_ENOMEM, "%s: no memory for a list of %zu tensors", path, most);
	}
	free(list.tensors);
	free(list.names);
	return result;
}

static int load_one(const struct fx_safetensors *s, const char *prefix, const struct fx_nn_param *p,
		    NN_REAL *to, struct fx_error *err)
{
	char name[NAME_MAX_ALL];
	const struct fx_tensor *t;
	bool same;

	snprintf(name, sizeof name, "%s%s", prefix, p->name);
	t = fx_safetensors_find(s, name);
	if (!t)
		return fx_error_set(err, FX_ENOENT, "tensor \"%s\" is missing", name);
	same = t->rank == p->rank;
	for (int i = 0; i < p->rank && same; i++)
		same = t->shape[i] == p->dims[i];
	if (!same)
		return fx_error_set(err, FX_ETYPE,
				    "tensor \"%s\" has %zu values in %d axes, the network wants "
				    "another shape (%zu values in %d axes)",
				    name, fx_tensor_count(t), t->rank, p->len, p->rank);
	if (tensor_reals(t, to + p->at, err) < 0)
		return FX_ETYPE;
	for (size_t i = 0; i < p->len; i++)
		if (!isfinite(to[p->at + i]))
			return fx_error_set(err, FX_EINVAL,
					    "tensor \"%s\" holds values that are not finite", name);
	return FX_OK;
}

/* Tensors that the net has no place for. */
static int check_extra(const struct fx_nn *net, const struct fx_safetensors *s,
		       struct fx_error *err)
{
	for (size_t i = 0; i < s->len; i++) {
		const char *name = s->tensors[i].name;

		if (strncmp(name, "opt.", 4) && strncmp(name, "rng.", 4) && !fx_nn_param(net, name))
			return fx_error_set(err, FX_EINVAL,
					    "tensor \"%.80s\" has no place in the network", name);
	}
	return FX_OK;
}

int fx_nn_load(struct fx_nn *net, const struct fx_safetensors *s, struct fx_error *err)
{
	int result = check_extra(net, s, err);

	for (size_t i = 0; i < net->params_len && result == FX_OK; i++)
		result = load_one(s, "", &net->params[i], net->weights, err);
	net->stale = true;
	return result;
}

static int load_bytes(const struct fx_safetensors *s, const char *name, size_t size, void *to,
		      struct fx_error *err)
{
	const struct fx_tensor *t = fx_safetensors_find(s, name);

	if (!t || t->size != size)
		return fx_error_set(err, t ? FX_ETYPE : FX_ENOENT,
				    "tensor \"%s\" is missing or not of %zu bytes", name, size);
	memcpy(to, t->data, size);
	return FX_OK;
}

int fx_nn_resume(struct fx_nn *net, struct fx_optim *optim, struct fx_pcg *rng,
		 const struct fx_safetensors *s, struct fx_error *err)
{
	int result = FX_OK;

	for (size_t i = 0; i < net->params_len && result == FX_OK; i++) {
		result = load_one(s, "opt.m.", &net->params[i], optim->m, err);
		if (result == FX_OK && optim->v)
			result = load_one(s, "opt.v.", &net->params[i], optim->v, err);
	}
	if (result == FX_OK)
		result = load_bytes(s, "opt.step", sizeof optim->step, &optim->step, err);
	if (result == FX_OK)
		result = load_bytes(s, "rng.net", sizeof net->rng, &net->rng, err);
	if (result == FX_OK && rng)
		result = load_bytes(s, "rng.state", sizeof *rng, rng, err);
	return result;
}
