// SPDX-License-Identifier: Apache-2.0
/* simulate.h: the parts of fornix simulate: where sections come from, when they are imaged, where
 * images go, what is told of it, and who asks for them again. */
#ifndef FX_TOOLS_SIMULATE_H
#define FX_TOOLS_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "kernels/microscope.h"

enum { SIM_TILES_MAX = 400, SIM_NAME_MAX = 96, SIM_SECTIONS_MAX = 1 << 24 };

/** What the command line says. Rates are parts, not percent. */
struct sim_options {
	const char *volume, *out; /**< borrowed, like all texts here */
	const char *truth, *requests, *compression, *format;
	struct fx_microscope_spec microscope; /**< its size is set with the source */
	double rate, jitter, overlap, stage_error, disorder, late, linger;
	double voxel[3];
	size_t rows, columns; /**< of tiles */
	int64_t first, count; /**< count 0: all from first on */
	uint64_t tissue;
	bool tif, in_place, sidecar, manifest, pub, connect, force, quiet, json;
};

/* ---- simulate_source.c */

struct sim_source;

/** Opens what is to be imaged: a volume, a folder of sections, or "phantom[:ZxYxX]". NULL after
 * an error: FX_EINVAL, FX_ETYPE, FX_ENOENT, FX_EIO. sim_source_close(). */
struct sim_source *sim_source_open(const struct sim_options *o, struct fx_error *err);
/** Sections, rows, columns; dtype u8 or u16; voxel size in nm. */
const size_t *sim_source_shape(const struct sim_source *s);
enum fx_dtype sim_source_dtype(const struct sim_source *s);
const double *sim_source_voxel(const struct sim_source *s);
/** Section @p z, which is inside. Valid until the next call. */
int sim_source_get(struct sim_source *s, int64_t z, struct fx_specimen **out, struct fx_error *err);
/** Takes NULL. */
void sim_source_close(struct sim_source *s);

/* ---- simulate_plan.c */

/** When a section is imaged, and how much later its image appears; seconds from the beginning. */
struct sim_visit {
	int64_t section;
	double time_s, late_s;
};

/** Plans @p count sections from @p first on, in the order in which they appear: *out is the
 * caller's. The same for any rate but for the unit of time. FX_ENOMEM. */
int sim_plan(const struct sim_options *o, int64_t first, int64_t count, struct sim_visit **out,
	     struct fx_error *err);

/** Tiles of a section in raster order, voxels. Nominal places are whole. */
struct sim_layout {
	size_t rows, columns, height, width; /**< of all tiles alike */
	size_t section[2];
};

/** Cuts sections of @p height x @p width. FX_EINVAL when they are too small. */
int sim_layout(const struct sim_options *o, size_t height, size_t width, struct sim_layout *l,
	       struct fx_error *err);
/** Where tile @p t is meant to be, and where the stage has put it. */
void sim_tile_place(const struct sim_layout *l, const struct sim_options *o, int64_t section,
		    size_t t, double nominal[2], double actual[2]);

/* ---- simulate_image.c */

/** Encodes dense rows of u8 or u16 as PNG (fast, filter none) or TIFF (one strip, as it is) into
 * *out (free()). FX_ENOMEM. */
int sim_image_encode(const void *voxels, enum fx_dtype dtype, size_t h, size_t w, bool tif,
		     void **out, size_t *size, struct fx_error *err);

/* ---- simulate_folder.c and simulate_stream.c: where images go */

/** One image of a tile. */
struct sim_frame {
	int64_t section, version;
	int tile; /**< -1: the section has only one */
	size_t height, width;
	enum fx_dtype dtype;
	void *voxels;
};

struct sim_out;

/** Opens the folder or address o->out. sim_out_close(). */
struct sim_out *sim_folder_open(const struct sim_options *o, const struct sim_layout *l,
				struct fx_error *err);
struct sim_out *sim_stream_open(const struct sim_options *o, const struct sim_layout *l,
				struct fx_error *err);

/** What a place for images is: both kinds begin with this. */
struct sim_out {
	/** Room for the voxels of the next frame; valid until put(). NULL without memory. */
	void *(*room)(struct sim_out *out, size_t size);
	/** Sends the frame whose voxels lie in the room. What it is called there goes into
	 * @p name. FX_IDLE when stop() said so meanwhile. */
	int (*put)(struct sim_out *out, const struct sim_frame *f, char name[SIM_NAME_MAX],
		   struct fx_error *err);
	/** After the last image. */
	int (*end)(struct sim_out *out, struct fx_error *err);
	void (*close)(struct sim_out *out);
	bool (*stop)(void *arg); /**< asked while put() and end() wait */
	void *arg;
	const char *names; /**< "files" or "frames": what put() names */
	uint64_t frames, bytes;
	double slow_s; /**< how long one file takes to be written in place */
};

/* ---- simulate_truth.c: what was done, as JSON lines */

/** The first line. json_decref(). NULL without memory. */
json_t *sim_truth_head(const struct sim_options *o, const struct sim_source *s);
/** The line of an image, or of a missing section. */
json_t *sim_truth_shot(const struct fx_microscope_shot *shot, const struct sim_visit *v);
/** Begins the file; NULL for no file. FX_EINVAL when something else lies there. */
int sim_truth_open(const char *path, FILE **out, struct fx_error *err);
/** Writes a line and frees it. NULL file: only frees. */
int sim_truth_put(FILE *file, json_t *line, struct fx_error *err);

/* ---- simulate_requests.c: who asks for images again */

struct sim_requests;

struct sim_request {
	int64_t section;
	int tile; /**< -1: all */
};

/** Watches a file of JSON lines, which may not be there yet, or connects to an address of a
 * publisher. sim_requests_close(). */
struct sim_requests *sim_requests_open(const char *where, struct fx_error *err);
/** The next request that was not there before: FX_OK, or FX_IDLE when there is none now. */
int sim_requests_next(struct sim_requests *r, struct sim_request *out, struct fx_error *err);
/** Lines that were no requests. */
uint64_t sim_requests_wrong(const struct sim_requests *r);
/** Takes NULL. */
void sim_requests_close(struct sim_requests *r);

/* ---- simulate_run.c */

/** Plays @p o to the end; the exit code. */
int sim_run(struct sim_options *o);

#endif
