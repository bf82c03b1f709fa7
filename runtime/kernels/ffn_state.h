// SPDX-License-Identifier: Apache-2.0
/* ffn_state.h: a volume half flooded as bytes, so that a later process goes on where one ended. */
#ifndef FX_KERNELS_FFN_STATE_H
#define FX_KERNELS_FFN_STATE_H

#include "kernels/ffn.h"

/** 64-bit FNV-1a of @p size bytes, going on from @p hash (begin with FX_FFN_HASH). */
#define FX_FFN_HASH 0xcbf29ce484222325U
uint64_t fx_ffn_hash(uint64_t hash, const void *data, size_t size);

/** Key of all that decides the result of @p f: image, shape, seeds, constants; and of the network
 * by its own @p model hash. */
uint64_t fx_ffn_key(const struct fx_ffn *f, uint64_t model);

/** All that changed since fx_ffn_init(): segments in runs, the flood in progress, counts. @p key
 * tells which volume, network and constants it belongs to. Gives *bytes (free()) and *size.
 * FX_ENOMEM. For the same machine: numbers are as in memory. */
int fx_ffn_save(const struct fx_ffn *f, uint64_t key, void **bytes, size_t *size);
/** Brings @p f, just initialised with the same volume, constants and seeds, to where it was saved.
 * FX_EINVAL with a text, and @p f as before, when the bytes (any bytes) are no such state, are
 * damaged, or belong to another @p key. FX_ENOMEM. */
int fx_ffn_restore(struct fx_ffn *f, uint64_t key, const void *bytes, size_t size,
		   struct fx_error *err);

#endif
