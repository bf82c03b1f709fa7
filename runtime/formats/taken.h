// SPDX-License-Identifier: Apache-2.0
/* taken.h: which tiles and versions of sections were sent, for those that may still change. */
#ifndef FX_FORMATS_TAKEN_H
#define FX_FORMATS_TAKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pack.h"

struct fx_taken_one {
	int64_t section, tile, version;
};

/** Zero-initialise; fx_taken_fini() when done. */
struct fx_taken {
	struct fx_taken_one *list; /**< owned; in the order they were sent */
	size_t len, cap;
};

/** FX_ENOMEM. */
int fx_taken_add(struct fx_taken *t, int64_t section, int64_t tile, int64_t version);
/** The greatest version of a tile that was sent; INT64_MIN: none. */
int64_t fx_taken_version(const struct fx_taken *t, int64_t section, int64_t tile);
bool fx_taken_has(const struct fx_taken *t, int64_t section, int64_t tile, int64_t version);
/** Something of @p section was sent. */
bool fx_taken_any(const struct fx_taken *t, int64_t section);
/** Drops sections below @p section. */
void fx_taken_forget(struct fx_taken *t, int64_t section);
void fx_taken_pack(const struct fx_taken *t, struct fx_pack *to);
/** To a zeroed one. FX_ETYPE, FX_ENOMEM. */
int fx_taken_unpack(struct fx_taken *t, struct fx_unpack *from);
/** Takes a zeroed one too. */
void fx_taken_fini(struct fx_taken *t);

#endif
