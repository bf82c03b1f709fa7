// SPDX-License-Identifier: Apache-2.0
/* folder.h: which files lie in a folder and the folders in it, and how they change: told by the
 * kernel (inotify) where it can, else found by looking again. */
#ifndef FX_FORMATS_FOLDER_H
#define FX_FORMATS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/error.h>

enum fx_folder_way {
	FX_FOLDER_AUTO,	   /**< inotify, unless it is not to be had or the folder is on a network */
	FX_FOLDER_INOTIFY, /**< an error when it is not to be had */
	FX_FOLDER_POLL
};

enum fx_folder_news {
	FX_FOLDER_FOUND,  /**< it is there; it may be as it was */
	FX_FOLDER_CLOSED, /**< it was closed after writing, or got its name just now */
	FX_FOLDER_GONE
};

enum {
	FX_FOLDER_DEPTH = 8,	    /**< folders within folders; what lies deeper is not seen */
	FX_FOLDER_FOLDERS = 1 << 16 /**< most folders */
};

/** What is told: @p path is relative to the folder and borrowed. */
struct fx_folder_file {
	const char *path;
	enum fx_folder_news news;
	int64_t size, mtime_ns; /**< 0 when it is gone */
};

/** Who is told. Below 0 ends the look with that code. */
struct fx_folder_reader {
	int (*tell)(void *context, const struct fx_folder_file *file);
	void *context;
};

/** Zero-initialise; fx_folder_close() when done. */
struct fx_folder {
	const char *path;      /**< borrowed, from fx_folder_open() on */
	double interval_s;     /**< between looks by polling */
	int fd;		       /**< of inotify; -1: polling */
	bool open;	       /**< fd is ours */
	int64_t rescan_ns;     /**< no whole look before; 0: now */
	uint64_t scans;	       /**< whole looks so far */
	size_t len, cap;       /**< of the next */
	struct fx_folder_dir { /**< owned: folders that the kernel tells of */
		int wd;
		char *path; /**< owned, relative, "" is the folder itself */
	} * dirs;
};

/** Begins. @p interval_s: seconds between looks where it polls. FX_EIO when @p way is not to be
 * had. */
int fx_folder_open(struct fx_folder *f, const char *path, enum fx_folder_way way, double interval_s,
		   struct fx_error *err);
/** Tells @p r what is new; f->scans grows when that was every file that there is. Polling, a
 * look takes at most a tenth of the time. FX_EIO when the folder is gone; what tell() gave. */
int fx_folder_look(struct fx_folder *f, const struct fx_folder_reader *r, struct fx_error *err);
/** The next look is a whole one. */
void fx_folder_rescan(struct fx_folder *f);
/** Takes a zeroed one too. */
void fx_folder_close(struct fx_folder *f);

#endif
