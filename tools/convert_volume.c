// SPDX-License-Identifier: Apache-2.0
/* convert_volume.c: fornix convert, a volume to another format. */
#include "convert.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "cmd.h"
#include "formats/volume_copy.h"

enum { TELL_NS = 500000000 };

/* What is told on a terminal while it goes on. */
struct teller {
	const char *what;
	int64_t told_ns;
	bool quiet;
};

static int tell(void *context, double part)
{
	struct teller *t = context;
	const int64_t now = fx_now_ns();

	if (cmd_interrupted())
		return -1;
	if (!t->quiet && now - t->told_ns > TELL_NS) {
		fprintf(stderr, "\r%s: %3.0f %%", t->what, 100 * part);
		t->told_ns = now;
	}
	return 0;
}

static bool to_sizes(const char *name, const char *text, double hi, size_t out[3])
{
	double v[3];

	if (!text)
		return true;
	if (!convert_numbers(name, text, 1, hi, v, 3))
		return false;
	for (int a = 0; a < 3; a++) {
		if (v[a] != floor(v[a])) {
			cmd_wrong("--%s is %s: whole numbers expected", name, text);
			return false;
		}
		out[a] = (size_t)v[a];
	}
	return true;
}

static bool to_dtype(const char *text, enum fx_dtype *out)
{
	static const enum fx_dtype all[] = { FX_U8, FX_U16, FX_U32, FX_U64, FX_F32 };

	for (size_t i = 0; text && i < sizeof all / sizeof all[0]; i++)
		if (strcmp(text, fx_dtype_name(all[i])) == 0) {
			*out = all[i];
			return true;
		}
	if (text)
		cmd_wrong("--dtype is %s: there are u8, u16, u32, u64, f32", text);
	return !text;
}

/* How the voxels count: as the option says, or the file, or their type. */
static bool to_role(const char *text, const struct fx_volume *v, bool *labels)
{
	*labels = v->labels || v->dtype == FX_U32 || v->dtype == FX_U64;
	if (!text)
		return true;
	*labels = strcmp(text, "labels") == 0;
	if (*labels || strcmp(text, "image") == 0)
		return true;
	cmd_wrong("--role is %s: there are image, labels", text);
	return false;
}

static bool to_numbers(const struct convert *c, struct fx_volume_spec *s)
{
	double levels = 0, memory = 1024, offset[3];

	if (c->levels && !convert_numbers("levels", c->levels, 1, FX_LEVELS_MAX, &levels, 1))
		return false;
	if (c->memory && !convert_numbers("memory", c->memory, 1, 1 << 24, &memory, 1))
		return false;
	if (c->voxel && !convert_numbers("voxel", c->voxel, 1e-6, 1e12, s->voxel_nm, 3))
		return false;
	if (c->offset && !convert_numbers("offset", c->offset, -1e12, 1e12, offset, 3))
		return false;
	for (int a = 0; c->offset && a < 3; a++)
		s->offset[a] = llrint(offset[a]);
	s->levels = (size_t)levels;
	s->memory = (size_t)memory << 20;
	return to_sizes("chunk", c->chunk, 1 << 20, s->chunk) &&
	       to_sizes("shard", c->shard, 1 << 20, s->shard) && to_dtype(c->dtype, &s->dtype);
}

/* FILE.h5:/PATH as FILE.h5, and PATH in *inside. free(). */
static char *file_of(const char *path, const char **inside)
{
	static const char *const endings[] = { ".h5:", ".hdf5:", ".hdf:" };
	char *file = fx_strdup(path);

	*inside = NULL;
	for (size_t i = 0; file && i < 3; i++) {
		char *at = strstr(file, endings[i]);

		if (!at)
			continue;
		at += strlen(endings[i]);
		at[-1] = 0;
		*inside = path + (at - file) + (*at == '/');
		break;
	}
	return file;
}

/* The real path of @p path, of which the last parts need not exist. free(). NULL without memory. */
static char *real_of(const char *path)
{
	char *real = realpath(path, NULL), *copy = real ? NULL : fx_strdup(path), *slash, *above;
	size_t len = copy ? strlen(copy) : 0;

	if (real || !copy)
		return real;
	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = 0;
	slash = strrchr(copy, '/');
	if (slash)
		*slash = 0;
	above = real_of(slash ? (slash > copy ? copy : "/") : ".");
	real = above ? fx_path_join(above, slash ? slash + 1 : copy) : NULL;
	free(above);
	free(copy);
	return real;
}

static bool lies_in(const char *path, const char *folder)
{
	const size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == 0);
}

static bool has_metadata(const char *folder)
{
	static const char *const names[] = { ".zgroup", ".zattrs", "zarr.json", "info",
					     "attributes.json" };
	bool has = false;

	for (size_t i = 0; i < sizeof names / sizeof names[0] && !has; i++) {
		char *path = fx_path_join(folder, names[i]);

		has = path && access(path, F_OK) == 0;
		free(path);
	}
	return has;
}

/* From an array to the outermost group that it lies in, in place. */
static void widen(char *path)
{
	for (;;) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return;
		*slash = 0;
		if (!has_metadata(path)) {
			*slash = '/';
			return;
		}
	}
}

bool convert_apart(const char *from, const char *to)
{
	const char *inside;
	char *file = file_of(from, &inside);
	char *in = file ? real_of(file) : NULL, *out = real_of(to);
	bool well = in && out;

	if (well) {
		widen(in);
		well = !lies_in(out, in) && !lies_in(in, out);
	}
	if (!well)
		cmd_wrong("%s is %s, or lies in or around it: nothing is written into what is read",
			  to, from);
	free(file);
	free(in);
	free(out);
	return well;
}

static bool to_spec(const struct convert *c, const struct fx_volume *v, struct fx_volume_spec *s)
{
	memcpy(s->shape, v->shape, sizeof s->shape);
	memcpy(s->voxel_nm, v->voxel_nm, sizeof s->voxel_nm);
	memcpy(s->offset, v->offset, sizeof s->offset);
	s->dtype = v->dtype;
	s->format = fx_volume_format_of(c->kind, s->path);
	s->codec = c->codec;
	s->sharded = c->sharded || c->shard;
	s->replace = c->force;
	s->source = c->from;
	if (s->format == FX_VOLUME_UNKNOWN) {
		cmd_wrong(c->kind ? "--to is %s: there are zarr, zarr3, precomputed, hdf5, tiff, "
				    "png, npy" :
				    "%s tells no format: --to FORMAT is needed (zarr, zarr3, "
				    "precomputed, hdf5, tiff, png, npy)",
			  c->kind ? c->kind : s->path);
		return false;
	}
	return to_numbers(c, s) && to_role(c->role, v, &s->labels);
}

static void say_done(const struct convert *c, const struct fx_volume_write *w)
{
	const struct fx_volume_spec *s = &w->spec;

	printf("%s: %zu x %zu x %zu voxels (z y x) of %s, %s, ", c->to, s->shape[0], s->shape[1],
	       s->shape[2], fx_dtype_name(s->dtype), s->labels ? "labels" : "image");
	if (s->voxel_nm[0] > 0)
		printf("%g x %g x %g nm", s->voxel_nm[0], s->voxel_nm[1], s->voxel_nm[2]);
	else
		printf("voxel size not known: --voxel Z,Y,X tells it");
	printf(s->levels > 1 ? ", %zu levels\n" : "\n", s->levels);
}

static int run(const struct convert *c, struct fx_volume *from, struct fx_volume_spec *s)
{
	const char *scratch = getenv("TMPDIR");
	struct teller teller = { .what = "copied", .quiet = c->quiet || !isatty(2) };
	struct fx_volume_write w = { 0 };
	struct fx_error err = { 0 };
	int result;

	s->progress = tell;
	s->context = &teller;
	cmd_catch_interrupts();
	result = fx_volume_write_open(&w, s, &err);
	if (result < 0)
		return cmd_wrong("%s", err.text);
	result = fx_volume_copy(from, &w, scratch && *scratch ? scratch : "/tmp", &err);
	teller.what = "levels";
	if (result == FX_OK)
		result = fx_volume_write_close(&w, &err);
	if (!teller.quiet && teller.told_ns)
		fprintf(stderr, "\r%*s\r", 20, "");
	if (result == FX_OK && from->rounded && !c->quiet)
		fprintf(stderr,
			"fornix: %s has voxels of float64 that f32 does not hold: they became the "
			"nearest\n",
			c->from);
	if (result == FX_OK && !c->quiet)
		say_done(c, &w);
	fx_volume_write_fini(&w);
	return result == FX_OK ? CMD_DONE : cmd_failed("%s", err.text);
}

int convert_volume(const struct convert *c)
{
	struct fx_volume from = { 0 };
	struct fx_volume_spec s = { .format = FX_VOLUME_UNKNOWN };
	struct fx_error err = { 0 };
	char *file = file_of(c->to, &s.inside);
	int result = CMD_WRONG;

	s.path = file;
	if (!file)
		cmd_failed("no memory");
	else if (convert_apart(c->from, file)) {
		if (fx_volume_open(c->from, &from, &err) < 0)
			result = cmd_wrong("%s", err.text);
		else if (to_spec(c, &from, &s))
			result = run(c, &from, &s);
		fx_volume_close(&from);
	}
	free(file);
	return result;
}
