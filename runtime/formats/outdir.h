// SPDX-License-Identifier: Apache-2.0
/* outdir.h: an output folder that appears complete or not at all, replaces an earlier output of the
 * same kind, and refuses to touch anything else. */
#ifndef FX_FORMATS_OUTDIR_H
#define FX_FORMATS_OUTDIR_H

#include <stdbool.h>
#include <stddef.h>

#include <fornix/error.h>

#include "base/map64.h"

/** A folder that is being written. Zero-initialise; fx_outdir_fini() when done. */
struct fx_outdir {
	char *path;		 /**< owned; where it will be */
	char *partial;		 /**< owned; where it is written: PATH.fornix-partial */
	const char *kind;	 /**< borrowed */
	int lock;		 /**< private: of the partial folder, locked while it is written */
	bool kept;		 /**< private: a later life needs what is not committed */
	struct fx_map64 numbers; /**< private: of fx_outdir_write_number() */
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
/** Writes a file whose name is @p number and @p ending. One number twice is FX_EINVAL. */
int fx_outdir_write_number(struct fx_outdir *d, uint64_t number, const char *ending,
			   const void *data, size_t size, struct fx_error *err);
/** Makes a folder in it. */
int fx_outdir_folder(struct fx_outdir *d, const char *name, struct fx_error *err);
/** For save(): makes all that was written durable, and puts which numbers were. From then on the
 * folder stays when it is not committed. FX_EIO, FX_ENOMEM. */
int fx_outdir_pack(struct fx_outdir *d, struct fx_pack *to, struct fx_error *err);
/** In place of begin, in a later life: goes on with the folder that the former one wrote to, also
 * when it was committed. Then fx_outdir_unpack() gets what fx_outdir_pack() put. Files that were
 * written since may be written once more. */
int fx_outdir_resume(struct fx_outdir *d, const char *path, const char *kind, struct fx_error *err);
int fx_outdir_unpack(struct fx_outdir *d, struct fx_unpack *from);
/** Adds a provenance file as cloud-volume writes them (without the date, so that equal runs give
 * equal bytes), makes all durable, and puts the folder in its place. */
int fx_outdir_commit(struct fx_outdir *d, struct fx_error *err);
/** Text of such a file: a @p kind of output made of @p source (NULL: not told). free(). NULL
 * without memory. */
char *fx_provenance(const char *kind, const char *source);
/** Removes what was not committed, unless it was packed. Takes a zeroed one too. */
void fx_outdir_fini(struct fx_outdir *d);

#endif
