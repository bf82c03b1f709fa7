// SPDX-License-Identifier: Apache-2.0
/* outdir.h: an output folder that appears complete or not at all, replaces an earlier output of the
 * same kind, and refuses to touch anything else. */
#ifndef FX_FORMATS_OUTDIR_H
#define FX_FORMATS_OUTDIR_H

#include <stdbool.h>
#include <stddef.h>

#include <fornix/error.h>

/** A folder that is being written. Zero-initialise; fx_outdir_fini() when done. */
struct fx_outdir {
	char *path;	  /**< owned; where it will be */
	char *partial;	  /**< owned; where it is written: PATH.fornix-partial */
	const char *kind; /**< borrowed */
	int lock;	  /**< private: of the partial folder, locked while it is written */
};

/** Makes an empty folder beside @p path to write to, with its parents. @p path must not exist, or
 * be an empty folder, or hold an earlier output of the same @p kind (a word such as
 * "segmentation"), told by its provenance file, with nothing in it but "info", "provenance" and
 * names that @p own accepts. It is not touched before the commit. What a run that was killed left
 * of it is removed; while another writes there, this is refused. */
int fx_outdir_begin(struct fx_outdir *d, const char *path, const char *kind,
		    bool (*own)(const char *name), struct fx_error *err);
/** Writes a file. Its folder must exist: fx_outdir_folder(). With @p replace false a second file
 * of a name is FX_EINVAL. */
int fx_outdir_write(struct fx_outdir *d, const char *name, const void *data, size_t size,
		    bool replace, struct fx_error *err);
/** Makes a folder in it. */
int fx_outdir_folder(struct fx_outdir *d, const char *name, struct fx_error *err);
/** Adds a provenance file as cloud-volume writes them (without the date, so that equal runs give
 * equal bytes), makes all durable, and puts the folder in its place. */
int fx_outdir_commit(struct fx_outdir *d, struct fx_error *err);
/** Removes what was not committed. Takes a zeroed one too. */
void fx_outdir_fini(struct fx_outdir *d);

#endif
