// SPDX-License-Identifier: Apache-2.0
/* simulate_folder.c: images as files of a folder, as a microscope writes them. */
#include "simulate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"

enum { PIECES = 8 };

struct folder {
	struct sim_out out;
	const struct sim_options *o; /* borrowed */
	FILE *manifest;
	void *room; /* owned */
	size_t room_size;
};

static void *folder_room(struct sim_out *out, size_t size)
{
	struct folder *f = (struct folder *)out;

	if (size > f->room_size) {
		free(f->room);
		f->room = fx_alloc_aligned(size);
		f->room_size = f->room ? size : 0;
	}
	return f->room;
}

static void frame_name(const struct folder *f, const struct sim_frame *frame,
		       char name[SIM_NAME_MAX])
{
	char tile[24] = "", version[24] = "";

	if (frame->tile >= 0)
		snprintf(tile, sizeof tile, "-tile-%03d", frame->tile);
	if (frame->version > 1)
		snprintf(version, sizeof version, "-v%lld", (long long)frame->version);
	snprintf(name, SIM_NAME_MAX, "section-%06lld%s%s.%s", (long long)frame->section, tile,
		 version, f->o->tif ? "tif" : "png");
}

/* Writes to a file that is made, in pieces with waits between them that make @p slow seconds. */
static int write_slowly(const struct folder *f, const char *path, const void *data, size_t size,
			double slow)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	const size_t piece = slow > 0 ? size / PIECES + 1 : size;
	int failed = fd < 0 ? -errno : 0;

	for (size_t at = 0; !failed && at < size; at += piece) {
		if (at && !f->out.stop(f->out.arg))
			fx_sleep_ms((int64_t)(slow * 1000 / PIECES));
		failed = fx_pwrite_all(fd, (const char *)data + at,
				       size - at < piece ? size - at : piece, (off_t)at);
	}
	if (fd >= 0 && close(fd) != 0 && !failed)
		failed = -errno;
	return failed;
}

static int write_renamed(const struct folder *f, const char *name, const char *path,
			 const void *data, size_t size)
{
	char *part = fx_asprintf("%s/.%s.part", f->o->out, name);
	int failed = part ? write_slowly(f, part, data, size, 0) : -ENOMEM;

	if (!failed && rename(part, path) != 0)
		failed = -errno;
	free(part);
	return failed;
}

static int write_empty(const struct folder *f, const char *name, const char *ending)
{
	char *path = fx_asprintf("%s/%s%s", f->o->out, name, ending);
	const int failed = path ? write_slowly(f, path, "", 0, 0) : -ENOMEM;

	free(path);
	return failed;
}

static int folder_write(struct folder *f, const struct sim_frame *frame, const char *name,
			const void *data, size_t size, struct fx_error *err)
{
	char *path = fx_path_join(f->o->out, name);
	int failed = -ENOMEM;

	if (path && f->o->in_place)
		failed = write_slowly(f, path, data, size, f->out.slow_s);
	else if (path)
		failed = write_renamed(f, name, path, data, size);
	free(path);
	if (!failed && f->o->sidecar)
		failed = write_empty(f, name, ".done");
	if (!failed && f->manifest &&
	    (fprintf(f->manifest, "%lld,%d,%lld,%s\n", (long long)frame->section,
		     frame->tile < 0 ? 0 : frame->tile, (long long)frame->version, name) < 0 ||
	     fflush(f->manifest) != 0))
		failed = -errno;
	return failed ? fx_error_set(err, FX_EIO, "%s/%s: cannot write: %s", f->o->out, name,
				     strerror(-failed)) :
			FX_OK;
}

static int folder_put(struct sim_out *out, const struct sim_frame *frame, char name[SIM_NAME_MAX],
		      struct fx_error *err)
{
	struct folder *f = (struct folder *)out;
	void *data = NULL;
	size_t size;
	int result = sim_image_encode(frame->voxels, frame->dtype, frame->height, frame->width,
				      f->o->tif, &data, &size, err);

	frame_name(f, frame, name);
	if (result == FX_OK)
		result = folder_write(f, frame, name, data, size, err);
	free(data);
	if (result == FX_OK) {
		out->frames++;
		out->bytes += size;
	}
	return result;
}

static int folder_end(struct sim_out *out, struct fx_error *err)
{
	const struct folder *f = (const struct folder *)out;
	const int failed = write_empty(f, "acquisition.done", "");

	return failed ? fx_error_set(err, FX_EIO, "%s/acquisition.done: cannot write: %s",
				     f->o->out, strerror(-failed)) :
			FX_OK;
}

static void folder_close(struct sim_out *out)
{
	struct folder *f = (struct folder *)out;

	if (f->manifest)
		fclose(f->manifest);
	free(f->room);
	free(f);
}

/* A name that a simulation gives: without what may stand around it, section-NNNNNN... */
static bool is_own(const char *name)
{
	static const char *const others[] = { "tiles.csv", "manifest.csv", "acquisition.done" };
	long long section;
	int version, tile, end = 0;

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	name += *name == '.';
	if (sscanf(name, "section-%lld%n", &section, &end) != 1)
		return false;
	name += end;
	end = 0;
	if (sscanf(name, "-tile-%d%n", &tile, &end) == 1)
		name += end;
	end = 0;
	if (sscanf(name, "-v%d%n", &version, &end) == 1)
		name += end;
	if (strncmp(name, ".png", 4) != 0 && strncmp(name, ".tif", 4) != 0)
		return false;
	return !name[4] || strcmp(name + 4, ".part") == 0 || strcmp(name + 4, ".done") == 0;
}

/* Looks at every name in the folder: all must be own; with @p remove they go. */
static int sweep(const char *path, bool remove_them, struct fx_error *err)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	int result = FX_OK;

	if (!dir)
		return fx_error_set(err, FX_EIO, "%s: cannot open: %s", path, strerror(errno));
	while (result == FX_OK && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (!is_own(e->d_name))
			result = fx_error_set(err, FX_EINVAL,
					      "%s/%.80s was not written by a simulation: --force "
					      "removes nothing else",
					      path, e->d_name);
		else if (remove_them && unlinkat(dirfd(dir), e->d_name, 0) != 0)
			result = fx_error_set(err, FX_EIO, "%s/%.80s: cannot remove: %s", path,
					      e->d_name, strerror(errno));
	}
	closedir(dir);
	return result;
}

static bool is_empty(const char *path)
{
	DIR *dir = opendir(path);
	int names = 0;

	while (dir && names <= 2 && readdir(dir))
		names++;
	if (dir)
		closedir(dir);
	return names <= 2;
}

/* One of the two is the other or lies in it. */
static bool is_inside(const char *a, const char *b)
{
	char *in = realpath(a, NULL), *out = realpath(b, NULL);
	const size_t n = in && out ? strlen(out) : 0;
	const bool inside = n && strncmp(in, out, n) == 0 && (!in[n] || in[n] == '/');

	free(in);
	free(out);
	return inside;
}

static int take_folder(const struct sim_options *o, struct fx_error *err)
{
	int result = FX_OK;

	if (fx_is_dir(o->out) && !is_empty(o->out)) {
		if (is_inside(o->volume, o->out))
			return fx_error_set(err, FX_EINVAL, "%s holds what is to be imaged",
					    o->out);
		if (!o->force)
			return fx_error_set(err, FX_EINVAL,
					    "%s is not empty: --force removes what an earlier "
					    "simulation wrote",
					    o->out);
		result = sweep(o->out, false, err);
		if (result == FX_OK)
			result = sweep(o->out, true, err);
	}
	if (result == FX_OK)
		result = fx_make_dirs(o->out, err);
	if (result == FX_OK && is_inside(o->out, o->volume))
		return fx_error_set(err, FX_EINVAL, "%s lies in %s, which is to be imaged", o->out,
				    o->volume);
	return result;
}

static int write_tiles(const struct sim_options *o, const struct sim_layout *l,
		       struct fx_error *err)
{
	char *path = fx_path_join(o->out, "tiles.csv"), *text = NULL;
	double nominal[2], actual[2];
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	int result = FX_ENOMEM;

	if (path && to) {
		fprintf(to, "tile,y,x,height,width\n");
		for (size_t t = 0; t < l->rows * l->columns; t++) {
			sim_tile_place(l, o, 0, t, nominal, actual);
			fprintf(to, "%zu,%.0f,%.0f,%zu,%zu\n", t, nominal[0], nominal[1], l->height,
				l->width);
		}
	}
	if (to && fclose(to) == 0 && path && text)
		result = fx_file_write(path, text, size, err);
	free(text);
	free(path);
	return result == FX_ENOMEM ? fx_error_set(err, result, "no memory") : result;
}

static int open_manifest(struct folder *f, struct fx_error *err)
{
	char *path = fx_path_join(f->o->out, "manifest.csv");

	f->manifest = path ? fopen(path, "we") : NULL;
	free(path);
	if (!f->manifest || fprintf(f->manifest, "section,tile,version,file\n") < 0 ||
	    fflush(f->manifest) != 0)
		return fx_error_set(err, FX_EIO, "%s/manifest.csv: cannot write: %s", f->o->out,
				    strerror(errno));
	return FX_OK;
}

struct sim_out *sim_folder_open(const struct sim_options *o, const struct sim_layout *l,
				struct fx_error *err)
{
	struct folder *f = fx_calloc(1, sizeof *f);
	int result = f ? take_folder(o, err) : fx_error_set(err, FX_ENOMEM, "no memory");

	if (result == FX_OK && l->rows * l->columns > 1)
		result = write_tiles(o, l, err);
	if (result == FX_OK) {
		f->o = o;
		f->out = (struct sim_out){ .room = folder_room,
					   .put = folder_put,
					   .end = folder_end,
					   .close = folder_close,
					   .names = "files" };
		if (o->manifest)
			result = open_manifest(f, err);
	}
	if (result == FX_OK)
		return &f->out;
	if (f && f->manifest)
		fclose(f->manifest);
	free(f);
	return NULL;
}
