// SPDX-License-Identifier: Apache-2.0
/* decided.c: what a source decided, for its later lives. */
#include "node/decided.h"

#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/file.h"

enum { SEGMENT = 1 << 20 };

int fx_decided_open(struct fx_decided *d, struct fx_node *node)
{
	const char *const folder = fx_state_dir(node);
	char *path = folder ? fx_path_join(folder, "decided") : NULL;
	struct fx_error err = { 0 };

	if (!path)
		return fx_fail(node, FX_EIO, "no folder for what is decided");
	d->log = fx_seglog_open(path, SEGMENT, &err);
	free(path);
	return d->log ? FX_OK : fx_fail_error(node, &err);
}

void fx_decided_close(struct fx_decided *d)
{
	fx_seglog_close(d->log);
	d->log = NULL;
}

int fx_decided_peek(struct fx_decided *d, struct fx_node *node, struct fx_mark *m)
{
	struct fx_error err = { 0 };
	void *bytes;
	size_t size;
	const int result = fx_seglog_get(d->log, d->next, &bytes, &size, &err);

	if (result != FX_OK)
		return result < 0 ? fx_fail_error(node, &err) : result;
	if (size == sizeof *m)
		memcpy(m, bytes, size);
	free(bytes);
	if (size != sizeof *m)
		return fx_fail(node, FX_ETYPE, "what a former life decided cannot be read");
	m->reason[sizeof m->reason - 1] = 0;
	return FX_OK;
}

int fx_decided_add(struct fx_decided *d, struct fx_node *node, const struct fx_mark *m)
{
	struct fx_error err = { 0 };
	struct fx_mark copy = *m;
	const struct iovec part = { &copy, sizeof copy };

	if (d->next != fx_seglog_next(d->log))
		return fx_fail(
			node, FX_EIO,
			"what was sent before this node was killed is not there any more: %s",
			m->reason);
	if (fx_seglog_append(d->log, &part, 1, &err) < 0 || fx_seglog_sync(d->log, &err) < 0)
		return fx_fail_error(node, &err);
	d->next = fx_seglog_next(d->log);
	return FX_OK;
}
