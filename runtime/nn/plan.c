// SPDX-License-Identifier: Apache-2.0
/* plan.c: where everything lies in memory: arrays whose lifetimes do not meet share places. */
#include "nn/op.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* An array and the steps at which it is needed. Forward of layer i is step i, its backward step
 * 2 * layers - 1 - i. */
struct piece {
	size_t size, from, to, at;
	NN_REAL **place;
	bool *shared; /* becomes true when others have the same place; may be NULL */
};

struct pieces {
	struct piece *list;
	size_t len, end; /* end of the arena */
};

static void piece_add(struct pieces *p, NN_REAL **place, size_t size, size_t from, size_t to)
{
	size = (size + FX_NN_ALIGN - 1) / FX_NN_ALIGN * FX_NN_ALIGN;
	p->list[p->len++] = (struct piece){ size, from, to, 0, place, NULL };
}

static size_t back_step(const struct fx_nn *net, size_t layer)
{
	return 2 * net->layers_len - 1 - layer;
}

/* Backward of @p l adds to the gradient of its input @p k. */
static bool derives(const struct fx_nn *net, const struct fx_nn_layer *l, int k)
{
	return l->in[k] >= 0 && net->values[l->out].learns && (k == 0 || !l->op->loss);
}

/* What no loss depends on does not learn. */
static void prune(struct fx_nn *net)
{
	for (size_t v = net->values_len; v-- > 0;) {
		const int maker = net->values[v].maker;
		bool live = maker >= 0 && net->layers[maker].op->loss;

		for (size_t i = 0; i < net->layers_len && !live; i++)
			for (int k = 0; k < FX_NN_IN_MAX; k++)
				live |= net->layers[i].in[k] == (int)v &&
					derives(net, &net->layers[i], k);
		net->values[v].learns &= live;
	}
}

/* Last step that reads value @p v: *first_grad becomes the first that adds to its gradient. */
static size_t last_use(const struct fx_nn *net, int v, size_t *first_grad, bool *used)
{
	const int maker = net->values[v].maker;
	size_t last = maker < 0 ? 0 : (size_t)maker;

	if (net->train && maker >= 0 && net->layers[maker].op->reads_out && net->values[v].learns)
		last = back_step(net, (size_t)maker);
	for (size_t i = 0; i < net->layers_len; i++) {
		const struct fx_nn_layer *l = &net->layers[i];

		for (int k = 0; k < FX_NN_IN_MAX; k++) {
			const size_t step = net->train && l->op->reads_in ? back_step(net, i) : i;

			if (l->in[k] != v)
				continue;
			*used = true;
			last = step > last ? step : last;
			if (derives(net, l, k))
				*first_grad = back_step(net, i);
		}
	}
	return last;
}

/* The value that @p v is written over when nothing is derived: the second input of its layer when
 * nobody needs that later; else -1. */
static int written_over(const struct fx_nn *net, size_t v)
{
	const struct fx_nn_layer *l =
		net->values[v].maker < 0 ? NULL : &net->layers[net->values[v].maker];
	size_t grad = 0;
	bool used = false;

	if (!l || net->train || !l->op->over || l->in[1] < 0 || l->in[1] == l->in[0] ||
	    net->values[l->in[1]].keep ||
	    last_use(net, l->in[1], &grad, &used) > (size_t)net->values[v].maker)
		return -1;
	return l->in[1];
}

/* The piece of a value, or of the first of those that are written over each other. */
static struct piece *piece_of(struct pieces *p, const struct fx_nn *net, size_t v)
{
	size_t i = 0;

	for (int over = written_over(net, v); over >= 0; over = written_over(net, v))
		v = (size_t)over;
	while (p->list[i].place != &net->values[v].data)
		i++;
	return &p->list[i];
}

static void add_values(struct fx_nn *net, struct pieces *p)
{
	const size_t end = 2 * net->layers_len;

	for (size_t v = 0; v < net->values_len; v++) {
		struct fx_nn_value *value = &net->values[v];
		size_t grad = end, last;
		const int over = written_over(net, v);
		bool used = false;

		last = last_use(net, (int)v, &grad, &used);
		if (!used)
			value->keep = true;
		if (over >= 0) {
			piece_of(p, net, (size_t)over)->to = value->keep ? end : last;
			continue;
		}
		piece_add(p, &value->data, value->size, value->maker < 0 ? 0 : (size_t)value->maker,
			  value->keep ? end : last);
		p->list[p->len - 1].shared = &value->shared;
		if (!net->train || !value->learns || grad == end)
			continue;
		piece_add(p, &value->grad, value->size, grad,
			  value->maker < 0 ? end : back_step(net, (size_t)value->maker));
	}
}

/* Where a value's gradient is made of several, the layer that comes first in backward starts it. */
static void mark_first(struct fx_nn *net)
{
	for (size_t i = 0; i < net->layers_len; i++)
		for (int k = 0; k < FX_NN_IN_MAX; k++) {
			struct fx_nn_layer *l = &net->layers[i];
			bool first = derives(net, l, k);

			for (size_t j = i; j < net->layers_len && first; j++)
				for (int m = j == i ? k + 1 : 0; m < FX_NN_IN_MAX; m++)
					first &= net->layers[j].in[m] != l->in[k] ||
						 !derives(net, &net->layers[j], m);
			l->first[k] = first;
		}
}

static int larger_first(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return (x->from > y->from) - (x->from < y->from);
}

/* The lowest place that no earlier piece of overlapping lifetime takes. */
static size_t lowest_place(const struct pieces *p, size_t i)
{
	const struct piece *own = &p->list[i];
	size_t at = 0;

	for (bool moved = true; moved;) {
		moved = false;
		for (size_t k = 0; k < i; k++) {
			const struct piece *o = &p->list[k];

			if (o->from <= own->to && own->from <= o->to && at < o->at + o->size &&
			    o->at < at + own->size) {
				at = o->at + o->size;
				moved = true;
			}
		}
	}
	return at;
}

static void place_all(struct pieces *p)
{
	qsort(p->list, p->len, sizeof *p->list, larger_first);
	for (size_t i = 0; i < p->len; i++) {
		p->list[i].at = lowest_place(p, i);
		if (p->list[i].at + p->list[i].size > p->end)
			p->end = p->list[i].at + p->list[i].size;
	}
}

static void *zeroed(size_t numbers)
{
	void *p = fx_alloc_aligned(numbers ? numbers * sizeof(NN_REAL) : 1);

	if (p)
		memset(p, 0, numbers * sizeof(NN_REAL));
	return p;
}

static void mark_shared(const struct pieces *p)
{
	for (size_t i = 0; i < p->len; i++)
		for (size_t k = 0; k < p->len && p->list[i].shared; k++) {
			const struct piece *a = &p->list[i], *b = &p->list[k];

			if (i != k && a->at < b->at + b->size && b->at < a->at + a->size)
				*a->shared = true;
		}
}

static int give(struct fx_nn *net, const struct pieces *p, struct fx_error *err)
{
	net->weights = zeroed(net->weights_len * (net->train ? 2 : 1));
	net->arena = zeroed(p->end);
	if (!net->weights || !net->arena)
		return fx_error_set(err, FX_ENOMEM, "no memory for a network of %zu + %zu numbers",
				    net->weights_len, p->end);
	net->grads = net->train ? net->weights + net->weights_len : NULL;
	net->arena_len = p->end;
	for (size_t i = 0; i < p->len; i++)
		*p->list[i].place = net->arena + p->list[i].at;
	for (size_t v = 0; v < net->values_len; v++) {
		const int over = written_over(net, v);

		if (over < 0)
			continue;
		net->values[v].data = net->values[over].data;
		net->values[v].shared = net->values[over].shared;
	}
	return FX_OK;
}

int fx_nn_plan_memory(struct fx_nn *net, struct fx_error *err)
{
	const size_t end = 2 * net->layers_len, most = 2 * net->values_len + net->layers_len + 1;
	struct pieces p = { .list = fx_calloc(most, sizeof *p.list) };
	size_t scratch = 0;
	int result;

	if (!p.list)
		return fx_error_set(err, FX_ENOMEM, "no memory to plan %zu layers",
				    net->layers_len);
	prune(net);
	add_values(net, &p);
	mark_first(net);
	for (size_t i = 0; i < net->layers_len; i++) {
		struct fx_nn_layer *l = &net->layers[i];

		scratch = l->scratch > scratch ? l->scratch : scratch;
		if (l->memory)
			piece_add(&p, &l->mem, l->memory, 0, end);
	}
	piece_add(&p, &net->scratch, scratch, 0, end);
	place_all(&p);
	mark_shared(&p);
	result = give(net, &p, err);
	free(p.list);
	return result;
}
