// SPDX-License-Identifier: Apache-2.0
/* convert.h: the parts of fornix convert. */
#ifndef FX_TOOLS_CONVERT_H
#define FX_TOOLS_CONVERT_H

#include <stdbool.h>

/** Options of a conversion as they were typed; NULL where one was not. */
struct convert {
	const char *from, *to; /**< paths */
	const char *kind;      /**< --to */
	const char *voxel, *offset, *levels, *chunk, *codec, *dtype, *role, *memory, *unit,
		*from_unit, *name, *shard;
	bool sharded, force, quiet;
};

/** Converts a volume; the exit code. */
int convert_volume(const struct convert *c);
/** Converts skeletons; the exit code. */
int convert_trees(const struct convert *c);
/** @p c is about skeletons: IN is some. */
bool convert_is_trees(const struct convert *c);
/** Converts a checkpoint of FFN; the exit code. */
int convert_model(int argc, char **argv);
/** What is written is not the input, nor in it, nor around it. False after a message. */
bool convert_apart(const char *from, const char *to);
/** @p len numbers separated by commas, each from @p lo to @p hi. False after a message that names
 * option @p name. */
bool convert_numbers(const char *name, const char *text, double lo, double hi, double *out,
		     int len);

#endif
