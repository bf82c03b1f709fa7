// SPDX-License-Identifier: Apache-2.0
/* lone.c: one node in memory, without links. */
#include "node/lone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/file.h"
#include "graph/registry.h"

static enum fx_kind lone_waiting(const void *io, unsigned port)
{
	const struct fx_lone *l = io;

	return l->waiting[port];
}

static void *lone_take(void *io, unsigned port)
{
	struct fx_lone *l = io;
	void *message = l->message[port];

	l->waiting[port] = FX_NOTHING;
	l->message[port] = NULL;
	return message;
}

static bool lone_connected(const void *io, unsigned port)
{
	const struct fx_lone *l = io;

	return !l->unconnected[port];
}

static const struct fx_mark *lone_opened(const void *io, unsigned port)
{
	const struct fx_lone *l = io;

	return l->has_open[port] ? &l->open[port] : NULL;
}

static void lone_release(struct fx_block *b)
{
	free(b->data);
}

static int lone_voxels(void *io, unsigned port, size_t size, struct fx_block *b)
{
	(void)io;
	(void)port;
	b->data = fx_alloc_aligned(size);
	b->release = lone_release;
	return b->data ? FX_OK : FX_ENOMEM;
}

static int lone_send(void *io, unsigned port, enum fx_kind kind, void *message,
		     struct fx_error *err)
{
	const struct fx_lone *l = io;
	const int result = l->sent(l->context, port, kind, message, NULL);

	return result < 0 ? fx_error_set(err, result, "what was sent is not taken") : FX_OK;
}

static int lone_send_mark(void *io, unsigned port, const struct fx_mark *m, struct fx_error *err)
{
	const struct fx_lone *l = io;
	const int result = l->sent(l->context, port, FX_NOTHING, NULL, m);

	return result < 0 ? fx_error_set(err, result, "what was sent is not taken") : FX_OK;
}

static void lone_warn(void *io, const char *text)
{
	struct fx_lone *l = io;

	snprintf(l->warning, sizeof l->warning, "%s", text);
}

static void lone_progress(void *io, double done, double total, const char *unit)
{
	struct fx_lone *l = io;
	struct fx_gauge *g = fx_gauge_of(&l->stats, unit);

	l->too_many_gauges = l->too_many_gauges || !g;
	fx_gauge_set(g, done, total, 1);
}

static const char *lone_scratch(void *io)
{
	struct fx_lone *l = io;

	if (l->scratch[0])
		return l->scratch;
	snprintf(l->folder, sizeof l->folder, "/tmp/fornix-lone-XXXXXX");
	if (!mkdtemp(l->folder)) {
		l->folder[0] = 0;
		return NULL;
	}
	snprintf(l->scratch, sizeof l->scratch, "%s/node.0", l->folder);
	return mkdir(l->scratch, 0777) == 0 ? l->scratch : NULL;
}

static const char *lone_state_dir(void *io)
{
	const struct fx_lone *l = io;

	return l->state_dir ? l->state_dir : lone_scratch(io);
}

static void lone_want(void *io, unsigned port, struct fx_region region)
{
	(void)io;
	(void)port;
	(void)region;
}

static bool lone_stopping(const void *io)
{
	const struct fx_lone *l = io;

	return l->stopping;
}

static const struct fx_node_io lone_io = {
	.waiting = lone_waiting,
	.take = lone_take,
	.connected = lone_connected,
	.opened = lone_opened,
	.voxels = lone_voxels,
	.send = lone_send,
	.send_mark = lone_send_mark,
	.warn = lone_warn,
	.progress = lone_progress,
	.scratch = lone_scratch,
	.state_dir = lone_state_dir,
	.stopping = lone_stopping,
	.want = lone_want,
};

int fx_lone_init(struct fx_lone *l, const struct fx_node_type *type, const char *name,
		 struct fx_error *err)
{
	memset(l, 0, sizeof *l);
	if (fx_type_ports(type) > FX_LONE_PORTS)
		return fx_error_set(err, FX_EINVAL, "%s has more than %d ports", type->name,
				    FX_LONE_PORTS);
	if (fx_node_init(&l->node, type, name, &lone_io, l) < 0)
		return fx_error_set(err, FX_ENOMEM, "no memory for a node");
	return FX_OK;
}

void fx_lone_fini(struct fx_lone *l)
{
	fx_node_fini(&l->node);
	for (unsigned i = 0; i < FX_LONE_PORTS; i++)
		fx_message_free(l->waiting[i], l->message[i]);
	if (l->folder[0])
		fx_remove_tree(l->folder, NULL);
	memset(l, 0, sizeof *l);
}

int fx_lone_give(struct fx_lone *l, unsigned port, enum fx_kind kind, void *message)
{
	fx_message_free(l->waiting[port], l->message[port]); /* what was not taken is dropped */
	l->waiting[port] = kind;
	l->message[port] = message;
	return l->node.type->process(&l->node, l->node.state);
}

int fx_lone_mark(struct fx_lone *l, unsigned port, const struct fx_mark *m)
{
	int result = FX_OK;

	if (m->kind == FX_MARK_OPEN) {
		l->open[port] = *m;
		l->has_open[port] = true;
	}
	if (l->node.type->mark)
		return l->node.type->mark(&l->node, l->node.state, port, m);
	for (unsigned i = 0; result == FX_OK && i < fx_type_ports(l->node.type); i++)
		if (l->node.type->ports[i].dir == FX_OUT)
			result = fx_send_mark(&l->node, i, m);
	return result;
}
