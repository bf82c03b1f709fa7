// SPDX-License-Identifier: Apache-2.0
/* file.h: files and folders; whole reads with a bound, writes that appear complete or not at all.
 */
#ifndef FX_BASE_FILE_H
#define FX_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <fornix/error.h>

/** Reads a whole file of at most @p max bytes. Gives *data (with a NUL behind it; free()) and
 * *size. Errors name the path. */
int fx_file_read(const char *path, size_t max, void **data, size_t *size, struct fx_error *err);
/** Writes @p size bytes to @p path.tmp, fsyncs, renames to @p path. What a process that was killed
 * there left behind is written over by the next; two may not write one path at a time. */
int fx_file_write(const char *path, const void *data, size_t size, struct fx_error *err);
/** Makes a folder and its parents; fine when it is there. */
int fx_make_dirs(const char *path, struct fx_error *err);
/** Makes the folder that @p path is to be in, and its parents. */
int fx_make_parents(const char *path, struct fx_error *err);
/** Makes the names in the folder that @p path lies in durable; 0 or -errno. */
int fx_sync_parent(const char *path);
/** Removes a file or a folder with all in it; fine when it is not there. Follows no links. */
int fx_remove_tree(const char *path, struct fx_error *err);
/** A path is a folder. */
bool fx_is_dir(const char *path);
/** Folder and name joined by one slash. free(). NULL without memory. */
char *fx_path_join(const char *folder, const char *name);
/** True when @p path ends with @p ending, letter case ignored. */
bool fx_path_ends(const char *path, const char *ending);
/** Writes all bytes at @p offset, over interruptions; 0 or -errno. */
int fx_pwrite_all(int fd, const void *data, size_t size, off_t offset);
/** Reads all bytes at @p offset; 0, -errno, or -ENODATA at a short file. */
int fx_pread_all(int fd, void *data, size_t size, off_t offset);
/** Writes a line and a newline in one call where possible; best effort. @p line has room for one
 * more byte behind its NUL. */
void fx_write_line(int fd, char *line);

#endif
