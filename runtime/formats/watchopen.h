// SPDX-License-Identifier: Apache-2.0
/* watchopen.h: how a stream of sections that a microscope writes to a folder begins. Private to
 * runtime/formats. */
#ifndef FX_FORMATS_WATCHOPEN_H
#define FX_FORMATS_WATCHOPEN_H

#include "formats/watchplan.h"

/** The step OPEN, once the tile map, if there is one, and the first image can be read; else
 * FX_IDLE, or FX_EINVAL when no more will come. */
int fx__watchplan_open(struct fx_watchplan *p, struct fx_mark *step, struct fx_error *err);
/** Takes note that OPEN was carried out. FX_EINVAL when the tile map is not there any more. */
int fx__watchplan_opened(struct fx_watchplan *p, const struct fx_mark *step, struct fx_error *err);

#endif
