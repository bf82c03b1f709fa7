// SPDX-License-Identifier: Apache-2.0
/* recording.h: a recording of the stream of one output: a folder that can be played again.
 *
 * DIR/messages is a log of records (base/seglog.h), one a message or mark, in the order in which
 * they came: 8 bytes, little-endian, nanoseconds since the first, then a letter (link/letter.h).
 * DIR/recording.json tells what was recorded, and whether it is all. */
#ifndef FX_NODE_RECORDING_H
#define FX_NODE_RECORDING_H

#include <jansson.h>
#include <stdbool.h>

#include "wire/wire.h"

#define FX_RECORDING_FILE "recording.json"

struct fx_recorder;

/** What a recording has come to. */
struct fx_recording_sum {
	uint64_t messages;	/**< blocks, trees, records and marks; END too */
	uint64_t bytes;		/**< of their payloads */
	uint64_t missed_before; /**< numbers below the first that came, but for OPEN */
	uint64_t missed;	/**< numbers that did not come, those included; of a stream in
				 * parts: how often some did not */
	bool ended;		/**< END came */
};

/** Begins a recording, of a stream in @p parts (link/turn.h), in @p dir, which is made. An earlier
 * recording there is removed; anything else there is FX_EINVAL. @p about: JSON object of texts kept
 * in the file (edge, graph, params),
 * "" for none. */
struct fx_recorder *fx_recorder_new(const char *dir, unsigned parts, const char *about,
				    struct fx_error *err);
/** Writes what came; a number that came before is dropped. @p e stays the caller's. */
int fx_recorder_put(struct fx_recorder *r, const struct fx_envelope *e, struct fx_error *err);
/** So far. */
struct fx_recording_sum fx_recorder_sum(const struct fx_recorder *r);
/** Makes all durable and tells in the file what it is. */
int fx_recorder_close(struct fx_recorder *r, struct fx_error *err);
/** Frees; without fx_recorder_close() the file says that it is not complete. Takes NULL. */
void fx_recorder_free(struct fx_recorder *r);

/** A recording to be played: in order of number, each once. */
struct fx_recording {
	json_t *file; /**< owned: what recording.json says */
	size_t len;
	bool complete;

	struct fx_seglog *log;		    /**< private */
	struct fx_recording_entry *entries; /**< private */
	size_t cap;			    /**< private */
};

/** Opens @p dir and looks through it. Zero-initialise @p r; fx_recording_close(). FX_ENOENT when
 * there is none, FX_ETYPE when it is damaged. */
int fx_recording_open(struct fx_recording *r, const char *dir, struct fx_error *err);
/** Takes a zeroed one. */
void fx_recording_close(struct fx_recording *r);
/** Nanoseconds after the first message that the @p i-th came; never falls. */
int64_t fx_recording_ns(const struct fx_recording *r, size_t i);
/** The @p i-th message; e->message is the caller's. */
int fx_recording_get(struct fx_recording *r, size_t i, struct fx_envelope *e, struct fx_error *err);

#endif
