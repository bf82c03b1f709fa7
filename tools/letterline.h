// SPDX-License-Identifier: Apache-2.0
/* letterline.h: a message as one line for people. */
#ifndef FX_TOOLS_LETTERLINE_H
#define FX_TOOLS_LETTERLINE_H

#include <stdio.h>

#include "wire/wire.h"

/** The words above the columns. */
void letter_line_head(FILE *f);
/** Prints number, kind, place, and what else its header tells, without a newline. */
void letter_line(FILE *f, const struct fx_envelope *e);

#endif
