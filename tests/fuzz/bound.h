// SPDX-License-Identifier: Apache-2.0
/* bound.h: how much a reader allocates for an input, where a sanitizer can tell. */
#ifndef FX_TESTS_FUZZ_BOUND_H
#define FX_TESTS_FUZZ_BOUND_H

#include <stddef.h>

/** Counts from now on. */
void fuzz_bound_begin(void);
/** Ends the process when more than @p base bytes and @p each for each of @p size bytes of the input
 * were allocated at once since then. */
void fuzz_bound_end(size_t size, size_t base, size_t each);
/** The bytes as a file without a name: its path, /proc/self/fd/..., and *fd, to be closed. */
const char *fuzz_file(const void *data, size_t size, int *fd, char path[32]);
/** A fresh folder with the bytes as its file @p name: the folder and the file. fuzz_folder_end().
 */
void fuzz_folder(const void *data, size_t size, const char *name, char folder[64], char path[96]);
void fuzz_folder_end(const char *folder, const char *path);

#endif
