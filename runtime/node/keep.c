// SPDX-License-Identifier: Apache-2.0
/* keep.c: what a node with state keeps on disk for its next life. */
#include "node/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/pack.h"
#include "base/seglog.h"
#include "link/letter.h"

enum {
	SEGMENT = 16 << 20, /* bytes: what is trimmed at once */
	SPARES = 3,	    /* segments that are written over: what a save makes free, mostly */
	DUE_MS = 1000,	    /* between two saves of a node without journal */
};

static const uint64_t magic = 0x316576617366u; /* "fsave1" */

struct fx_keep {
	char *saved, *waiting_path; /* owned */
	struct fx_seglog *journal;  /* owned */
	uint64_t read;		    /* the record that fx_keep_next() gives */
	uint64_t due;		    /* bytes that the journal grows, at least, between two saves */
	uint64_t grown, last_size;  /* bytes: journal since the last save, and of that save */
	uint64_t written, raw; /* bytes: of the last message, and before its payload was coded */
	int64_t saved_ns;
	uint64_t needs; /* of the save that waits: the first record that must stay */
	bool had_save, waits, ended;
	struct fx_keep_place waiting;
};

static int keep_paths(struct fx_keep *k, const char *folder, struct fx_error *err)
{
	char *journal = fx_path_join(folder, "journal");
	int result = FX_OK;

	k->saved = fx_path_join(folder, "saved");
	k->waiting_path = fx_path_join(folder, "saved.waiting");
	if (!journal || !k->saved || !k->waiting_path)
		result = fx_error_set(err, FX_ENOMEM, "no memory for the state in %s", folder);
	else if (!(k->journal = fx_seglog_open(journal, SEGMENT, err)))
		result = FX_EIO;
	else
		fx_seglog_spares(k->journal, SPARES);
	free(journal);
	return result;
}

struct fx_keep *fx_keep_open(const char *folder, unsigned save_mib, struct fx_error *err)
{
	struct fx_keep *k = calloc(1, sizeof *k);

	if (!k) {
		fx_error_set(err, FX_ENOMEM, "no memory for the state in %s", folder);
		return NULL;
	}
	if (fx_make_dirs(folder, err) < 0 || keep_paths(k, folder, err) < 0) {
		fx_keep_close(k);
		return NULL;
	}
	k->due = (uint64_t)save_mib << 20;
	unlink(k->waiting_path); /* was never committed */
	k->had_save = access(k->saved, F_OK) == 0;
	k->read = fx_seglog_first(k->journal);
	k->saved_ns = fx_now_ns();
	return k;
}

void fx_keep_close(struct fx_keep *k)
{
	if (!k)
		return;
	fx_seglog_close(k->journal);
	free(k->saved);
	free(k->waiting_path);
	free(k);
}

bool fx_keep_returns(const struct fx_keep *k)
{
	return k->had_save;
}

int fx_keep_message(struct fx_keep *k, unsigned port, const struct fx_envelope *e,
		    struct fx_error *err)
{
	unsigned char head = (unsigned char)port;
	struct iovec parts[4] = { { &head, 1 } };
	struct fx_letter l;
	int result = fx_letter_write(&l, e, err);

	if (result < 0)
		return result;
	memcpy(parts + 1, l.parts, sizeof l.parts);
	result = fx_seglog_append(k->journal, parts, 1 + l.parts_len, err);
	k->written = 0;
	for (int i = 0; i < 1 + l.parts_len; i++)
		k->written += parts[i].iov_len;
	k->grown += k->written;
	k->raw = k->written;
	if (l.parts_len == 3)
		k->raw += fx_wire_payload_size(e->kind, e->message) - l.parts[2].iov_len;
	fx_letter_fini(&l);
	return result;
}

uint64_t fx_keep_written(const struct fx_keep *k, uint64_t *raw)
{
	*raw = k->raw;
	return k->written;
}

uint64_t fx_keep_number(const struct fx_keep *k)
{
	return k->ended ? fx_seglog_next(k->journal) : k->read;
}

int fx_keep_sync(struct fx_keep *k, struct fx_error *err)
{
	return fx_seglog_sync(k->journal, err);
}

/* Everything in a save is checked by its checksum; that it is of this node, by what it was told. */
static int load_from(struct fx_unpack *u, struct fx_node *node, struct fx_keep_place *place,
		     uint64_t *needs)
{
	uint64_t m;
	char type[64];
	int result;

	if (fx_unpack_get(u, &m, sizeof m) < 0 || m != magic ||
	    fx_unpack_get(u, type, sizeof type) < 0 ||
	    strncmp(type, node->type->name, sizeof type) != 0 ||
	    fx_unpack_get(u, place, sizeof *place) < 0)
		return FX_ETYPE;
	result = node->type->load(node, node->state, u);
	return result < 0 ? result : fx_unpack_get(u, needs, sizeof *needs);
}

int fx_keep_load(struct fx_keep *k, struct fx_node *node, struct fx_keep_place *place,
		 struct fx_error *err)
{
	struct fx_unpack *u;
	int result, closed;

	memset(place, 0, sizeof *place);
	if (!k->had_save || !node->type->load)
		return FX_OK;
	u = fx_unpack_open(k->saved, err);
	if (!u)
		return err->code;
	result = load_from(u, node, place, &k->read);
	closed = fx_unpack_close(u);
	if (result == FX_OK)
		result = closed;
	if (result < 0)
		return node->error.code ?
			       fx_error_set(err, result, "%s: %s", k->saved, node->error.text) :
			       fx_error_set(err, result, "%s: not a state of this node", k->saved);
	return FX_OK;
}

int fx_keep_next(struct fx_keep *k, unsigned *port, struct fx_envelope *e, struct fx_error *err)
{
	unsigned char *bytes;
	void *record;
	size_t size;
	int result = fx_seglog_get(k->journal, k->read, &record, &size, err);

	k->ended = result == FX_END;
	if (result != FX_OK)
		return result;
	bytes = record;
	if (!size || bytes[0] >= FX_KEEP_PORTS)
		result = fx_error_set(err, FX_ETYPE, "a journal with a message of no input");
	else
		result = fx_letter_read(bytes + 1, size - 1, e, err);
	*port = size ? bytes[0] : 0;
	free(record);
	k->read++;
	k->grown += size;
	return result;
}

bool fx_keep_due(const struct fx_keep *k)
{
	if (k->waits)
		return false;
	if (fx_seglog_next(k->journal))
		return k->grown > k->due + (k->due ? k->last_size : 0);
	return !k->due || fx_now_ns() - k->saved_ns > DUE_MS * INT64_C(1000000);
}

int fx_keep_save(struct fx_keep *k, struct fx_node *node, struct fx_keep_place *place,
		 struct fx_error *err)
{
	struct fx_pack *p = fx_pack_open(k->waiting_path, err);
	char type[64] = "";
	int result;

	if (!p || fx_seglog_sync(k->journal, err) < 0) {
		fx_pack_close(p, false, NULL);
		return err->code;
	}
	place->record = fx_seglog_next(k->journal);
	snprintf(type, sizeof type, "%s", node->type->name);
	fx_pack_put(p, &magic, sizeof magic);
	fx_pack_put(p, type, sizeof type);
	fx_pack_put(p, place, sizeof *place);
	node->needs = place->record;
	result = node->type->save(node, node->state, p);
	k->needs = node->needs;
	fx_pack_put(p, &k->needs, sizeof k->needs);
	if (result < 0)
		*err = node->error;
	k->last_size = fx_pack_size(p);
	if (fx_pack_close(p, result == FX_OK, err) < 0)
		result = FX_EIO;
	k->waits = result == FX_OK;
	k->waiting = *place;
	k->grown = 0;
	k->saved_ns = fx_now_ns();
	return result;
}

const struct fx_keep_place *fx_keep_waiting(const struct fx_keep *k)
{
	return k->waits ? &k->waiting : NULL;
}

int fx_keep_commit(struct fx_keep *k, struct fx_error *err)
{
	k->waits = false;
	if (rename(k->waiting_path, k->saved) != 0 || fx_sync_parent(k->saved) != 0)
		return fx_error_set(err, FX_EIO, "%s: cannot replace: %s", k->saved,
				    strerror(errno));
	return fx_seglog_trim(k->journal, k->needs, err);
}
