// SPDX-License-Identifier: Apache-2.0
/* host_keep.c: a node with state is killed and lives again: its host writes down every message
 * before the node gets it, acknowledges it when that is durable, and a later life starts with the
 * last save and the messages behind it. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "node/host_private.h"

/* Acknowledgements wait for company, so that one flush serves several: half of the usual credit. */
enum { OWED_MAX = 3, OWED_NS = 20000000 };

int fx__host_keep_open(struct fx__host *h, struct fx_error *err)
{
	if (h->type->stateless || !h->wiring->keeps)
		return FX_OK;
	h->state =
		fx_asprintf("%s/%s.%u", h->wiring->state_dir, h->wiring->node, h->wiring->instance);
	if (!h->state)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	h->keep = fx_keep_open(h->state, h->wiring->save_mib, err);
	if (!h->keep)
		return err->code;
	h->node.returns = fx_keep_returns(h->keep) && h->type->load;
	return FX_OK;
}

void fx__host_keep_close(struct fx__host *h)
{
	fx_keep_close(h->keep);
	free(h->owed);
	free(h->state);
}

/* From here on messages come from the links. */
void fx__host_keep_replayed(struct fx__host *h)
{
	for (unsigned p = 0; p < FX__PORTS_MAX; p++)
		if (h->inlets[p] && h->keep)
			fx_inlet_begin(h->inlets[p], h->place.next_in[p]);
	h->replaying = false;
}

/* What a save says of the links: outputs go on where they were and open again, for consumers that
 * are new as well. */
static int keep_resume_links(struct fx__host *h, struct fx_error *err)
{
	for (unsigned p = 0; p < FX__PORTS_MAX; p++) {
		struct fx_envelope open = { .seq = h->place.open_seq[p], .mark = h->place.open[p] };

		h->next_seq[p] = h->place.next_out[p];
		if (h->inlets[p] && h->place.opened[p])
			fx_inlet_open(h->inlets[p], &h->place.open[p]);
		if (h->outlets[p] && h->place.opened[p] &&
		    fx_outlet_queue(h->outlets[p], &open, err) < 0)
			return err->code;
	}
	return FX_OK;
}

int fx__host_keep_restore(struct fx__host *h)
{
	struct fx_error err = { 0 };
	size_t replayed = 0;
	unsigned port;
	int result;

	if (!h->keep)
		return FX_OK;
	h->replaying = true;
	if (h->node.returns && (fx_keep_load(h->keep, &h->node, &h->place, &err) < 0 ||
				keep_resume_links(h, &err) < 0))
		return fx_fail_error(&h->node, &err);
	memcpy(h->ended, h->place.ended, sizeof h->place.ended);
	for (;;) {
		h->node.message = fx_keep_number(h->keep);
		h->node.again = h->node.message < h->place.record;
		result = fx_keep_next(h->keep, &port, &h->current, &err);
		if (result != FX_OK)
			break;
		if (!h->inlets[port]) {
			fx_envelope_fini(&h->current);
			return fx_fail(&h->node, FX_ETYPE, "a journal of another graph");
		}
		replayed++;
		result = fx__host_hand_over(h, port);
		if (result < 0 || fx__host_terminated())
			return result;
	}
	if (result == FX_END && h->node.again)
		return fx_fail(&h->node, FX_ETYPE, "the journal lacks what the save needs");
	if (result != FX_END)
		return fx_fail_error(&h->node, &err);
	if (h->replaying)
		fx__host_keep_replayed(h);
	if (replayed || h->node.returns)
		fx_log(FX_LOG_INFO, "goes on where its former life was: %zu messages read again",
		       replayed);
	return FX_OK;
}

int fx__host_keep_message(struct fx__host *h)
{
	struct fx_error err = { 0 };
	uint64_t raw;

	if (!h->keep || h->replaying)
		return FX_OK;
	h->node.message = fx_keep_number(h->keep);
	if (fx_keep_message(h->keep, h->current_port, &h->current, &err) < 0)
		return fx_fail_error(&h->node, &err);
	atomic_fetch_add(&h->me->journal_bytes, fx_keep_written(h->keep, &raw));
	atomic_fetch_add(&h->me->journal_raw_bytes, raw);
	return FX_OK;
}

int fx__host_keep_owe(struct fx__host *h, unsigned port, uint64_t seq)
{
	if (!fx_grow(&h->owed, &h->owed_cap, h->owed_len + 1, sizeof *h->owed))
		return fx_fail(&h->node, FX_ENOMEM, "no memory for an acknowledgement");
	if (!h->owed_len)
		h->owed_ns = fx_now_ns();
	h->owed[h->owed_len++] = (struct fx__owed){ port, seq };
	return FX_OK;
}

static void keep_pay(struct fx__host *h)
{
	if (fx_keep_sync(h->keep, &h->unkept) < 0)
		return;
	for (size_t i = 0; i < h->owed_len; i++)
		fx_inlet_ack(h->inlets[h->owed[i].port], h->owed[i].seq);
	h->owed_len = 0;
}

/* A save counts when nothing that was sent before it can be asked for again. */
static bool keep_may_commit(const struct fx__host *h)
{
	const struct fx_keep_place *w = fx_keep_waiting(h->keep);

	for (unsigned p = 0; w && p < FX__PORTS_MAX; p++)
		if (h->outlets[p] && fx_outlet_floor(h->outlets[p]) < w->next_out[p])
			return false;
	return w != NULL;
}

void fx__host_keep_pump(struct fx__host *h, bool idle)
{
	if (!h->keep || h->replaying || h->unkept.code)
		return;
	if (h->owed_len && (idle || h->owed_len >= OWED_MAX || fx_now_ns() - h->owed_ns > OWED_NS))
		keep_pay(h);
	if (keep_may_commit(h))
		fx_keep_commit(h->keep, &h->unkept);
}

int fx__host_keep_save(struct fx__host *h)
{
	struct fx_error err = { 0 };

	if (!h->keep || !h->type->save || h->replaying || fx__host_terminated() ||
	    !fx_keep_due(h->keep))
		return FX_OK;
	memcpy(h->place.next_out, h->next_seq, sizeof h->place.next_out);
	memcpy(h->place.ended, h->ended, sizeof h->place.ended);
	if (fx_keep_save(h->keep, &h->node, &h->place, &err) < 0)
		return fx_fail_error(&h->node, &err);
	return FX_OK;
}
