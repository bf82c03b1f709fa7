// SPDX-License-Identifier: Apache-2.0
/* outplace.h: a file or folder that is written beside its place and gets its name when it is whole.
 */
#ifndef FX_FORMATS_OUTPLACE_H
#define FX_FORMATS_OUTPLACE_H

#include <stdbool.h>

#include <fornix/error.h>

/** Zero-initialise; fx_outplace_fini() when done. */
struct fx_outplace {
	char *path;	/**< owned; where it will be */
	char *partial;	/**< owned; where it is written: PATH.fornix-partial; NULL: nothing is */
	bool is_folder; /**< else a file */
	int lock;	/**< private: of partial, locked while it is written; 0: none */
};

/** Makes partial, empty, with the folders above it. What is at @p path already is FX_EINVAL, unless
 * @p replace: then a file is replaced by a file, and a folder by a folder when it holds a volume or
 * skeletons (a file of metadata, or nothing but images) or nothing. It is not touched before the
 * commit. What a run that was killed left of partial is removed; while another writes there, it is
 * refused. */
int fx_outplace_begin(struct fx_outplace *o, const char *path, bool is_folder, bool replace,
		      struct fx_error *err);
/** Makes all durable and puts it in its place. */
int fx_outplace_commit(struct fx_outplace *o, struct fx_error *err);
/** Removes what was not committed. Takes a zeroed one too. */
void fx_outplace_fini(struct fx_outplace *o);

#endif
