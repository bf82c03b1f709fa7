// SPDX-License-Identifier: Apache-2.0
/* instance.c: one node with its options set; the functions of node.h. */
#include "node/instance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/option.h"
#include "graph/registry.h"

void fx_message_free(enum fx_kind kind, void *message)
{
	if (kind == FX_BLOCK)
		fx_block_free(message);
	else if (kind == FX_TREE)
		fx_tree_free(message);
	else if (kind == FX_RECORD)
		fx_record_free(message);
}

int fx_node_init(struct fx_node *n, const struct fx_node_type *type, const char *name,
		 const struct fx_node_io *io, void *io_context)
{
	memset(n, 0, sizeof *n);
	n->type = type;
	n->io = io;
	n->io_context = io_context;
	n->parts = 1;
	n->name = fx_strdup(name);
	n->state = fx_calloc(1, type->state_size ? type->state_size : 1);
	if (!n->name || !n->state)
		return FX_ENOMEM;
	fx_option_defaults(type, n->state);
	return FX_OK;
}

void fx_node_fini(struct fx_node *n)
{
	if (n->type && n->type->finish && n->state && !n->finished)
		n->type->finish(n->state);
	for (size_t i = 0; i < n->texts_len; i++)
		free(n->texts[i]);
	free(n->texts);
	free(n->state);
	free(n->name);
	memset(n, 0, sizeof *n);
}

int fx_node_set(struct fx_node *n, const char *option, const char *text, struct fx_error *err)
{
	const struct fx_option *o = fx_type_option(n->type, option);
	char *copy;

	if (!o)
		return fx_error_set(err, FX_EINVAL, "%s has no option \"%s\"", n->type->name,
				    option);
	copy = fx_strdup(text);
	if (!copy || !fx_grow(&n->texts, &n->texts_cap, n->texts_len + 1, sizeof *n->texts)) {
		free(copy);
		return fx_error_set(err, FX_ENOMEM, "no memory for option %s", option);
	}
	n->texts[n->texts_len++] = copy;
	if (fx_option_set(o, copy, n->state, err) < 0)
		return fx_error_prefix(err, "%s.%s", n->name, option);
	return FX_OK;
}

static const char *missing_option(const struct fx_node *n)
{
	for (const struct fx_option *o = n->type->options; o && o->name; o++) {
		const char *text;

		if (o->type != FX_OPT_STR)
			continue;
		memcpy(&text, (const char *)n->state + o->offset, sizeof text);
		if (!text)
			return o->name;
	}
	return NULL;
}

int fx_node_start(struct fx_node *n)
{
	const char *missing = missing_option(n);

	if (missing)
		return fx_fail(n, FX_EINVAL, "option \"%s\" is not set", missing);
	return n->type->init ? n->type->init(n, n->state) : FX_OK;
}

enum fx_kind fx_waiting(const struct fx_node *node, unsigned port)
{
	return node->io->waiting(node->io_context, port);
}

static void *take_kind(struct fx_node *node, unsigned port, enum fx_kind kind)
{
	return fx_waiting(node, port) == kind ? node->io->take(node->io_context, port) : NULL;
}

struct fx_block *fx_take(struct fx_node *node, unsigned port)
{
	return take_kind(node, port, FX_BLOCK);
}

struct fx_tree *fx_take_tree(struct fx_node *node, unsigned port)
{
	return take_kind(node, port, FX_TREE);
}

struct fx_record *fx_take_record(struct fx_node *node, unsigned port)
{
	return take_kind(node, port, FX_RECORD);
}

bool fx_connected(const struct fx_node *node, unsigned port)
{
	return node->io->connected(node->io_context, port);
}

const struct fx_mark *fx_opened(const struct fx_node *node, unsigned port)
{
	return node->io->opened(node->io_context, port);
}

struct fx_block *fx_new_block(struct fx_node *node, unsigned port, enum fx_dtype dtype,
			      uint32_t channels, const size_t shape[3])
{
	struct fx_block *b = calloc(1, sizeof *b);
	size_t size = fx_dtype_size(dtype);

	if (!b || !size || !fx_mul_size(size, channels, &size) ||
	    !fx_mul_size(size, shape[0], &size) || !fx_mul_size(size, shape[1], &size) ||
	    !fx_mul_size(size, shape[2], &size) || !size ||
	    node->io->voxels(node->io_context, port, size, b) < 0) {
		free(b);
		return NULL;
	}
	b->dtype = dtype;
	b->channels = channels;
	memcpy(b->shape, shape, sizeof b->shape);
	b->voxel_nm[0] = b->voxel_nm[1] = b->voxel_nm[2] = 1;
	return b;
}

static int send_kind(struct fx_node *node, unsigned port, enum fx_kind kind, void *message)
{
	struct fx_error err = { 0 };

	if (!message)
		return fx_fail(node, FX_ENOMEM, "no memory for a message on \"%s\"",
			       node->type->ports[port].name);
	if (node->io->send(node->io_context, port, kind, message, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

int fx_send(struct fx_node *node, unsigned port, struct fx_block *b)
{
	return send_kind(node, port, FX_BLOCK, b);
}

int fx_send_tree(struct fx_node *node, unsigned port, struct fx_tree *t)
{
	return send_kind(node, port, FX_TREE, t);
}

int fx_send_record(struct fx_node *node, unsigned port, struct fx_record *r)
{
	return send_kind(node, port, FX_RECORD, r);
}

int fx_send_mark(struct fx_node *node, unsigned port, const struct fx_mark *m)
{
	struct fx_error err = { 0 };

	if (node->io->send_mark(node->io_context, port, m, &err) < 0)
		return fx_fail_error(node, &err);
	return FX_OK;
}

int fx_fail(struct fx_node *node, int err, const char *fmt, ...)
{
	va_list args;

	node->error.code = err;
	va_start(args, fmt);
	vsnprintf(node->error.text, sizeof node->error.text, fmt, args);
	va_end(args);
	return err;
}

int fx_fail_error(struct fx_node *node, const struct fx_error *e)
{
	node->error = *e;
	return e->code;
}

void fx_warn(struct fx_node *node, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	node->io->warn(node->io_context, text);
}

void fx_progress(struct fx_node *node, double done, double total, const char *unit)
{
	node->io->progress(node->io_context, done, total, unit);
}

const char *fx_node_name(const struct fx_node *node)
{
	return node->name;
}

const char *fx_scratch_dir(struct fx_node *node)
{
	return node->io->scratch(node->io_context);
}

const char *fx_state_dir(struct fx_node *node)
{
	return node->io->state_dir(node->io_context);
}

bool fx_returns(const struct fx_node *node)
{
	return node->returns;
}

uint64_t fx_message(const struct fx_node *node)
{
	return node->message;
}

void fx_needs(struct fx_node *node, uint64_t first)
{
	if (first < node->needs)
		node->needs = first;
}

bool fx_again(const struct fx_node *node)
{
	return node->again;
}

unsigned fx_part(const struct fx_node *node, unsigned *parts)
{
	if (parts)
		*parts = node->parts;
	return node->part;
}

void fx_want(struct fx_node *node, unsigned port, struct fx_region region)
{
	node->io->want(node->io_context, port, region);
}

bool fx_stopping(const struct fx_node *node)
{
	return node->io->stopping(node->io_context);
}
