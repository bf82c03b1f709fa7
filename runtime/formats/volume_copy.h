// SPDX-License-Identifier: Apache-2.0
/* volume_copy.h: from a volume that is read to one that is written, in bounded memory. */
#ifndef FX_FORMATS_VOLUME_COPY_H
#define FX_FORMATS_VOLUME_COPY_H

#include "formats/volume.h"
#include "formats/volume_write.h"

/** Copies all voxels of @p from, whose shape that of @p to is, in parts that to->step asks for; a
 * voxel type of @p to other than that of @p from is taken as long as each voxel keeps its value,
 * else FX_ETYPE with the first place where it does not. Holds at most about spec.memory bytes of
 * voxels, at least one part, beside what the volumes hold: where a part of whole sections is more,
 * parts are bands of rows; where @p from has sections and @p to has chunks, or the other way round,
 * the part lies in a file without a name in folder @p scratch. Calls spec.progress with the part
 * that was copied. */
int fx_volume_copy(struct fx_volume *from, struct fx_volume_write *to, const char *scratch,
		   struct fx_error *err);
/** The voxels of @p b as @p dtype, in place of them; FX_ETYPE when one would change. */
int fx_volume_cast(struct fx_block **b, enum fx_dtype dtype, struct fx_error *err);

#endif
