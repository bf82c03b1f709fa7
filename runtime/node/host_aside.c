// SPDX-License-Identifier: Apache-2.0
/* host_aside.c: a message that has killed its node again and again is set aside: written to the
 * dead-letter folder, and told as missing in its place. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "link/letter.h"
#include "node/host_private.h"

enum { LOG_MAX = 1 << 20 };

/* What the conductor says of h->current; NULL: nothing. */
static const struct fx_aside *aside_of(const struct fx__host *h)
{
	const uint32_t len = atomic_load(&h->me->aside_len);

	for (uint32_t i = 0; i < len && i < FX_STATS_ASIDE; i++)
		if (h->me->aside[i].port == h->current_port &&
		    h->me->aside[i].seq == h->current.seq)
			return &h->me->aside[i];
	return NULL;
}

bool fx__host_is_aside(const struct fx__host *h)
{
	return aside_of(h) != NULL;
}

/* The place that a message is about; all zero when it is about none. */
static struct fx_region region_of(const struct fx_envelope *e)
{
	if (e->kind == FX_BLOCK)
		return fx_block_core(e->message);
	if (e->kind == FX_RECORD)
		return ((const struct fx_record *)e->message)->region;
	return e->kind ? (struct fx_region){ 0 } : e->mark.region;
}

static json_t *letter_json(const struct fx__host *h, const struct fx_aside *a)
{
	const struct fx_wiring *w = h->wiring;
	const struct fx_region r = region_of(&h->current);
	json_t *options = json_object();

	for (size_t i = 0; i < w->options_len; i++)
		json_object_set_new(options, w->options[i].name, json_string(w->options[i].text));
	return json_pack("{s:s, s:s, s:s, s:o, s:I, s:s, s:{s:[I,I,I], s:[I,I,I]}, s:i}", "node",
			 w->node, "type", w->type, "port", h->type->ports[h->current_port].name,
			 "options", options, "seq", (json_int_t)h->current.seq, "cause", a->cause,
			 "region", "lo", (json_int_t)r.lo[0], (json_int_t)r.lo[1],
			 (json_int_t)r.lo[2], "hi", (json_int_t)r.hi[0], (json_int_t)r.hi[1],
			 (json_int_t)r.hi[2], "restarts", (int)w->epoch);
}

/* Writes @p size bytes as FOLDER/NAME; frees them, NULL is no memory. */
static int put_file(const char *folder, const char *name, void *bytes, size_t size,
		    struct fx_error *err)
{
	char *path = fx_path_join(folder, name);
	int result = path && bytes ? fx_file_write(path, bytes, size, err) :
				     fx_error_set(err, FX_ENOMEM, "no memory for %s", name);

	free(path);
	free(bytes);
	return result;
}

static int put_message(const char *folder, const char *name, const struct fx_envelope *e,
		       struct fx_error *err)
{
	struct fx_letter l;
	size_t size = 0;
	char *bytes;

	if (fx_letter_write(&l, e, err) < 0)
		return err->code;
	for (int i = 0; i < l.parts_len; i++)
		size += l.parts[i].iov_len;
	bytes = malloc(size);
	size = 0;
	for (int i = 0; bytes && i < l.parts_len; i++) {
		memcpy(bytes + size, l.parts[i].iov_base, l.parts[i].iov_len);
		size += l.parts[i].iov_len;
	}
	fx_letter_fini(&l);
	return put_file(folder, name, bytes, size, err);
}

/* What opened the stream, for a node that will not look at a message before. */
static int put_open(const struct fx__host *h, const char *folder, struct fx_error *err)
{
	const struct fx_inlet *in = h->inlets[h->current_port];
	const struct fx_mark *m = in ? fx_inlet_opened(in) : NULL;
	struct fx_envelope e = { .kind = FX_NOTHING };

	if (!m || (!h->current.kind && h->current.mark.kind == FX_MARK_OPEN))
		return FX_OK;
	e.mark = *m;
	return put_message(folder, "open", &e, err);
}

/* What this process and its former lives have said; a log that cannot be read is left out. */
static int put_log(const struct fx__host *h, const char *folder, struct fx_error *err)
{
	char *path = fx_asprintf("%s/logs/%s.%u.log", h->wiring->run_dir, h->wiring->node,
				 h->wiring->instance);
	void *text = NULL;
	size_t size;
	int result = FX_OK;

	if (path && fx_file_read(path, LOG_MAX, &text, &size, NULL) == FX_OK)
		result = put_file(folder, "log", text, size, err);
	free(path);
	return result;
}

/* The folder appears when all is in it; that of a former life stays. */
static int put_letter(const struct fx__host *h, const struct fx_aside *a, const char *folder,
		      struct fx_error *err)
{
	char *partial = fx_asprintf("%s.partial", folder), *text = NULL;
	json_t *j = letter_json(h, a);
	int result = FX_ENOMEM;

	if (partial && j)
		text = json_dumps(j, JSON_INDENT(2));
	json_decref(j);
	if (text)
		result = fx_make_dirs(partial, err);
	if (result == FX_OK)
		result = put_file(partial, "letter.json", text, strlen(text), err);
	else
		free(text);
	if (result == FX_OK)
		result = put_message(partial, "message", &h->current, err);
	if (result == FX_OK)
		result = put_open(h, partial, err);
	if (result == FX_OK)
		result = put_log(h, partial, err);
	if (result == FX_OK && rename(partial, folder) != 0)
		result = fx_error_set(err, FX_EIO, "cannot make %s", folder);
	free(partial);
	return result;
}

static int write_letter(struct fx__host *h, const struct fx_aside *a)
{
	char *folder = fx_asprintf("%s/%s-%s-%" PRIu64, h->wiring->dead_dir, h->wiring->node,
				   h->type->ports[h->current_port].name, h->current.seq);
	struct fx_error err = { 0 };
	int result = FX_OK;

	if (!folder)
		return fx_fail(&h->node, FX_ENOMEM, "no memory for a dead letter");
	if (!fx_is_dir(folder) && put_letter(h, a, folder, &err) < 0)
		result = fx_fail(&h->node, FX_EIO, "cannot set a message aside: %s", err.text);
	else
		fx_log(FX_LOG_WARN, "set aside: %s", folder);
	free(folder);
	return result;
}

int fx__host_set_aside(struct fx__host *h, struct fx_mark *missing)
{
	const struct fx_aside *a = aside_of(h);

	if (!h->current.kind && h->current.mark.kind == FX_MARK_END)
		return fx_fail(&h->node, FX_EIO, "has died %s, each time while it finished",
			       a->cause);
	*missing = (struct fx_mark){ .kind = FX_MARK_MISSING, .region = region_of(&h->current) };
	snprintf(missing->reason, sizeof missing->reason, "set aside: %s %.160s", h->wiring->node,
		 a->cause);
	return write_letter(h, a);
}
