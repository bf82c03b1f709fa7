// SPDX-License-Identifier: Apache-2.0
/* faults.h: a bad network, by chance: what is sent is lost, doubled, late, out of order or damaged.
 * For tests; FORNIX_FAULT in the environment of a run switches it on (docs/testing-faults.md).
 * Payloads in shared memory do not travel: of their messages only the header does. */
#ifndef FX_LINK_FAULTS_H
#define FX_LINK_FAULTS_H

#include <fornix/error.h>

#include "link/parcel.h"

struct fx_faults;

/** From text such as
 * "seed=7,drop=0.01,duplicate=0.01,reorder=0.01,corrupt=0.001,delay=0.05,delay_ms=20": rates 0..1
 * of messages. @p who (a process) makes faults of processes differ. *out is NULL when
 * @p text is NULL or empty: nothing happens. FX_EINVAL, with a sentence, when it cannot be read. */
int fx_faults_new(const char *text, const char *who, struct fx_faults **out, struct fx_error *err);
void fx_faults_free(struct fx_faults *f);
/** Sends what was held back and is due. Takes NULL. */
void fx_faults_pump(struct fx_faults *f);

/* Sends a message to @p route, or what becomes of it. @p f NULL: just sends it. */
void fx__faults_send(struct fx_faults *f, void *socket, const void *route, size_t route_size,
		     const struct fx__form *form);
/* The same for a control frame on a DEALER. */
void fx__faults_control(struct fx_faults *f, void *socket, const void *bytes, size_t size);

#endif
