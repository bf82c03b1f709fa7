// SPDX-License-Identifier: Apache-2.0
/* spare.h: whether enough files may still be opened, before it is too late to say that they may
 * not. */
#ifndef FX_BASE_SPARE_H
#define FX_BASE_SPARE_H

#include <stddef.h>

#include <fornix/error.h>

/** FX_OK when this process may open @p n more files now; FX_EIO, with what to do, when not. */
int fx_spare_files(size_t n, struct fx_error *err);

#endif
