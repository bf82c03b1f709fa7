// SPDX-License-Identifier: Apache-2.0
/* datafile.h: finds files that came with the program. */
#ifndef FX_BASE_DATAFILE_H
#define FX_BASE_DATAFILE_H

/** Path of data file @p name ("models/em-pixels.safetensors"): beside the running program as
 * installed (../share/fornix/NAME), or as built in a source tree (../../../NAME). free(). NULL when
 * it is at none of these, or without memory. */
char *fx_datafile_path(const char *name);

#endif
