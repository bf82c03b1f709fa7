// SPDX-License-Identifier: Apache-2.0
/* sequence.h: a folder of numbered files, such as z000.png, z001.png, ... */
#ifndef FX_FORMATS_SEQUENCE_H
#define FX_FORMATS_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

/** One file of a sequence. */
struct fx_sequence_file {
	int64_t number; /**< from its name */
	char *name;	/**< owned; without the folder */
	int64_t size, mtime_ns;
	int64_t since_ns; /**< time of the first scan that saw this size and mtime */
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

/** Lists @p folder again; files that did not change keep since_ns, the others get @p now_ns. Fails
 * with FX_ENOENT when it is no longer a folder, FX_EINVAL when two files have one number; then
 * @p s is as before. */
int fx_sequence_scan(struct fx_sequence *s, const char *folder, const char *pattern, int64_t now_ns,
		     struct fx_error *err);
/** The file with @p number, or NULL. Valid until the next scan. */
const struct fx_sequence_file *fx_sequence_find(const struct fx_sequence *s, int64_t number);
/** The latest since_ns of any file, at least @p start_ns. */
int64_t fx_sequence_changed(const struct fx_sequence *s, int64_t start_ns);
/** True when a file with a number above @p number is as it is since @p ns or longer. */
bool fx_sequence_waits(const struct fx_sequence *s, int64_t number, int64_t ns);
/** True when a file called @p marker lies in @p folder; false for "". Look before a scan, as the
 * marker is written last. */
bool fx_sequence_marked(const char *folder, const char *marker);
/** Takes a zeroed one too. */
void fx_sequence_fini(struct fx_sequence *s);

#endif
