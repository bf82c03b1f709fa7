// SPDX-License-Identifier: Apache-2.0
/* sequence.h: a folder of numbered files, such as z000.png, z001.png, ... */
#ifndef FX_FORMATS_SEQUENCE_H
#define FX_FORMATS_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum { FX_SEQUENCE_MAX = 1 << 20 }; /**< numbers from the first to the last */

/** One file of a sequence. */
struct fx_sequence_file {
	int64_t number; /**< from its name */
	char *name;	/**< owned; without the folder */
};

/** The files of a folder in the order of their numbers. Zero-initialise;
 * fx_sequence_fini() when done. */
struct fx_sequence {
	struct fx_sequence_file *files; /**< owned */
	size_t len, cap;
	char unnumbered[64]; /**< one image without a number in its name, "" when there is none */
};

/** The number in a file name, -1 when it has none: with '#' in @p pattern the digits there,
 * else the last group of digits before the ending. At most 15 digits. -2 when @p name is not one
 * of the sequence: hidden, not matching the shell pattern @p pattern ("*" matches all), or without
 * the ending .png, .tif or .tiff. */
int64_t fx_sequence_number(const char *name, const char *pattern);

/** Lists @p folder, in place of what was listed before. FX_ENOENT when it is no folder, FX_EINVAL
 * when two files have one number, FX_ENOMEM; then @p s is as before. */
int fx_sequence_scan(struct fx_sequence *s, const char *folder, const char *pattern,
		     struct fx_error *err);
/** The file with @p number, or NULL. Valid until the next scan. */
const struct fx_sequence_file *fx_sequence_find(const struct fx_sequence *s, int64_t number);
/** The numbers to read: from @p first (-1: the lowest there is), @p count of them (0: all there
 * are), to *low and *end, which is behind the last. FX_ENOENT when there are none, FX_EINVAL when
 * they are more than FX_SEQUENCE_MAX; errors name @p folder and @p pattern. */
int fx_sequence_range(const struct fx_sequence *s, const char *folder, const char *pattern,
		      int64_t first, int64_t count, int64_t *low, int64_t *end,
		      struct fx_error *err);
/** Takes a zeroed one too. */
void fx_sequence_fini(struct fx_sequence *s);

#endif
