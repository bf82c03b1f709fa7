// SPDX-License-Identifier: Apache-2.0
/* spool.h: an inlet that writes what comes to disk, and acknowledges that. A thread receives, also
 * while the node computes; the node gets the messages from there, in the order in which they came.
 * The functions are those of inlet.h, for an inlet with a spool. */
#ifndef FX_LINK_SPOOL_H
#define FX_LINK_SPOOL_H

#include "link/inlet.h"

struct fx__spool;

/* Opens the folder config->spool_dir, made when it is not there; what a former life left there
 * comes first. */
struct fx__spool *fx__spool_new(const struct fx_inlet_config *config, struct fx_error *err);
void fx__spool_free(struct fx__spool *s);
/* Has something when there is more to pump. */
void *fx__spool_socket(const struct fx__spool *s);
/* Messages before @p first were handed on in a former life. */
void fx__spool_begin(struct fx__spool *s, uint64_t first);
unsigned fx__spool_pump(struct fx__spool *s, struct fx_error *err);
const struct fx_envelope *fx__spool_peek(const struct fx__spool *s);
bool fx__spool_pop(struct fx__spool *s, struct fx_envelope *e);
void fx__spool_ack(struct fx__spool *s, uint64_t seq);
const struct fx_mark *fx__spool_opened(const struct fx__spool *s);
bool fx__spool_reopens(struct fx__spool *s, uint64_t *seq);

#endif
