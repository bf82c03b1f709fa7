// SPDX-License-Identifier: Apache-2.0
/* ffnstate.h: files of flood-filling in progress, from which a killed process goes on. */
#ifndef FX_NN_FFNSTATE_H
#define FX_NN_FFNSTATE_H

#include "kernels/ffn_state.h"

/** Name in @p folder of the state of a block at @p origin whose result @p key decides; free(). NULL
 * without memory. */
char *fx_ffn_state_path(const char *folder, const int64_t origin[3], uint64_t key);
/** Writes the state of @p f, whole or not at all: a kill leaves this one or the one before. */
int fx_ffn_state_write(const struct fx_ffn *f, uint64_t key, const char *path,
		       struct fx_error *err);
/** Brings @p f, just initialised, to the state in the file. FX_ENOENT when there is none. FX_EINVAL
 * and others with a text, and @p f as before, when it is damaged or of another key. */
int fx_ffn_state_read(struct fx_ffn *f, uint64_t key, const char *path, struct fx_error *err);
/** Removes the file, and parts of it that a kill has left. */
void fx_ffn_state_remove(const char *path);

#endif
