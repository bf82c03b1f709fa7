// SPDX-License-Identifier: Apache-2.0
/* cmd_simulate.c: fornix simulate: plays a volume or a phantom as a microscope. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "simulate.h"

enum { HELP_MAX = 128, OPTIONS_MAX = 48 };

/* A number on the command line. */
struct number {
	const char *name, *what, *help, *unit;
	double low, high;
	double def;   /* as it is written */
	double scale; /* of what is written to what is kept; 0: a whole number, to *whole */
	double *real;
	int64_t *whole;
};

/* Texts and help of all options, as long as they are parsed. */
struct words {
	struct cmd_option options[OPTIONS_MAX];
	const char *texts[OPTIONS_MAX];
	char help[OPTIONS_MAX][HELP_MAX];
	size_t len;
};

static const char about[] =
	"Plays VOLUME (multi-page TIFF, .npy, precomputed, a folder of sections, or "
	"phantom[:ZxYxX])\n"
	"as a microscope: sections into the folder OUT, or as ZeroMQ frames to an address, with\n"
	"everything that goes wrong. The same seed gives the same bytes, at any rate. The truth\n"
	"tells what was done to each section.\n\n"
	"  fornix simulate phantom:100x512x512 scope --rate 2 --drift 1 --defocus 3 --truth "
	"truth.jsonl\n"
	"  fornix simulate volume.tif scope --tiles 2x3 --overlap 10 --stage-error 2\n"
	"  fornix simulate volume.npy tcp://127.0.0.1:9999 --compression lz4\n"
	"  fornix simulate phantom scope --rate 1 --defocus 5 --requests again.jsonl --linger 20\n";

static int read_number(const struct number *n, const char *text)
{
	char *end;
	const double v = strtod(text, &end);

	if (end == text || *end || !(v >= n->low && v <= n->high) || (n->whole && v != floor(v)))
		return cmd_wrong("--%s is \"%s\": %s within %g to %g%s%s expected", n->name, text,
				 n->whole ? "a whole number" : "a number", n->low, n->high,
				 *n->unit ? " " : "", n->unit);
	if (n->whole)
		*n->whole = (int64_t)v;
	else
		*n->real = v * n->scale;
	return CMD_GO;
}

static void add_numbers(struct words *w, const struct number *numbers)
{
	for (const struct number *n = numbers; n->name; n++, w->len++) {
		snprintf(w->help[w->len], HELP_MAX, "%s, %g to %g%s%s (%g)", n->help, n->low,
			 n->high, *n->unit ? " " : "", n->unit, n->def);
		w->options[w->len] = (struct cmd_option){ n->name, NULL, w->texts + w->len, n->what,
							  w->help[w->len] };
	}
}

static int read_numbers(const struct words *w, const struct number *numbers)
{
	int result = CMD_GO;

	for (size_t i = 0; result == CMD_GO && numbers[i].name; i++) {
		const struct number *const n = numbers + i;

		if (n->whole)
			*n->whole = (int64_t)n->def;
		else
			*n->real = n->def * n->scale;
		if (w->texts[i])
			result = read_number(n, w->texts[i]);
	}
	return result;
}

static int read_tiles(struct sim_options *o, const char *text)
{
	unsigned rows, columns;
	int end = 0;

	if (sscanf(text, "%3ux%3u%n", &rows, &columns, &end) != 2 || text[end] || !rows ||
	    !columns || rows * columns > SIM_TILES_MAX)
		return cmd_wrong(
			"--tiles is \"%s\": ROWSxCOLUMNS expected, such as 2x3, at most %d "
			"tiles",
			text, SIM_TILES_MAX);
	o->rows = rows;
	o->columns = columns;
	return CMD_GO;
}

static int read_voxel(struct sim_options *o, const char *text)
{
	int end = 0;

	if (sscanf(text, "%lf,%lf,%lf%n", o->voxel, o->voxel + 1, o->voxel + 2, &end) != 3 ||
	    text[end])
		end = 0;
	for (int a = 0; a < 3 && end; a++)
		if (!(o->voxel[a] >= 1 && o->voxel[a] <= 200))
			end = 0;
	return end ? CMD_GO :
		     cmd_wrong("--voxel is \"%s\": three numbers z,y,x within 1 to 200 nm expected",
			       text);
}

static int check(struct sim_options *o)
{
	const bool stream = strstr(o->out, "://") != NULL;

	if (strcmp(o->format, "png") != 0 && strcmp(o->format, "tif") != 0)
		return cmd_wrong("--format is \"%s\": png or tif expected", o->format);
	if (strcmp(o->compression, "none") != 0 && strcmp(o->compression, "lz4") != 0)
		return cmd_wrong("--compression is \"%s\": none or lz4 expected", o->compression);
	o->tif = strcmp(o->format, "tif") == 0;
	if (!stream && (o->pub || o->connect || strcmp(o->compression, "none") != 0))
		return cmd_wrong("--pub, --connect and --compression are for an address such as "
				 "tcp://127.0.0.1:9999, but OUT is the folder %s",
				 o->out);
	if (stream && (o->in_place || o->sidecar || o->manifest || o->force || o->tif))
		return cmd_wrong(
			"--format, --in-place, --sidecar, --manifest and --force are for a "
			"folder, but OUT is %s",
			o->out);
	return CMD_GO;
}

/* Options that are no numbers, behind those. */
static void add_others(struct words *w, struct sim_options *o, const char **tiles,
		       const char **voxel, bool *push)
{
	const struct cmd_option others[] = {
		{ "tiles", NULL, tiles, "RxC", "tiles of a section, rows x columns (1x1)" },
		{ "voxel", NULL, voxel, "Z,Y,X", "nm, where the volume does not tell (8,8,8)" },
		{ "truth", NULL, &o->truth, "FILE", "write what was done, as JSON lines" },
		{ "requests", NULL, &o->requests, "WHERE",
		  "image again on request: a file of JSON lines or an address to subscribe to" },
		{ "format", NULL, &o->format, "F", "of files: png or tif (png)" },
		{ "in-place", &o->in_place, NULL, NULL,
		  "write files slowly under their names; else complete ones are renamed" },
		{ "sidecar", &o->sidecar, NULL, NULL, "an empty NAME.done after each file" },
		{ "manifest", &o->manifest, NULL, NULL, "list files in manifest.csv as they come" },
		{ "force", &o->force, NULL, NULL, "replace an earlier simulation in OUT" },
		{ "push", push, NULL, NULL, "frames: PUSH socket, each to one of its peers (so)" },
		{ "pub", &o->pub, NULL, NULL,
		  "frames: publish, from the first subscriber on, at the pace of the slowest" },
		{ "connect", &o->connect, NULL, NULL, "connect to the address; else it is bound" },
		{ "compression", NULL, &o->compression, "C", "of frames: none or lz4 (none)" },
		{ "json", &o->json, NULL, NULL, "print a summary on stdout as JSON" },
		{ "quiet", &o->quiet, NULL, NULL, "tell nothing on stderr" },
	};

	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		w->options[w->len++] = others[i];
}

int cmd_simulate(int argc, char **argv)
{
	struct sim_options o = { .format = "png",
				 .compression = "none",
				 .rows = 1,
				 .columns = 1,
				 .voxel = { 8, 8, 8 } };
	struct fx_microscope_spec *const m = &o.microscope;
	int64_t seed, tissue;
	const struct number numbers[] = {
		{ "rate", "N", "sections per second, 0 as fast as possible", "1/s", 0, 1e4, 0, 1,
		  &o.rate, NULL },
		{ "jitter", "P", "deviation of the time between sections", "%", 0, 100, 0, 0.01,
		  &o.jitter, NULL },
		{ "overlap", "P", "overlap of tiles", "%", 0, 90, 10, 0.01, &o.overlap, NULL },
		{ "stage-error", "N", "deviation of the place of a tile", "voxel", 0, 1000, 0, 1,
		  &o.stage_error, NULL },
		{ "drift", "N", "step between sections", "voxel", 0, 1000, 0, 1, &m->drift, NULL },
		{ "rotation", "N", "deviation of the rotation", "deg", 0, 15, 0, 1, &m->rotation,
		  NULL },
		{ "affine", "P", "deviation of scale and shear", "%", 0, 10, 0, 0.01, &m->affine,
		  NULL },
		{ "brightness", "P", "deviation of brightness and contrast", "%", 0, 50, 0, 0.01,
		  &m->brightness, NULL },
		{ "noise", "N", "shot noise added at medium grey", "of 255", 0, 100, 0, 1,
		  &m->noise, NULL },
		{ "defocus", "P", "of sections out of focus", "%", 0, 100, 0, 0.01, &m->defocus,
		  NULL },
		{ "charging", "P", "of sections with bright streaks", "%", 0, 100, 0, 0.01,
		  &m->charging, NULL },
		{ "folds", "P", "of sections with a fold", "%", 0, 100, 0, 0.01, &m->folds, NULL },
		{ "blank", "P", "of sections without tissue", "%", 0, 100, 0, 0.01, &m->blank,
		  NULL },
		{ "missing", "P", "of sections lost", "%", 0, 100, 0, 0.01, &m->missing, NULL },
		{ "duplicate", "P", "of sections that show the one before", "%", 0, 100, 0, 0.01,
		  &m->duplicate, NULL },
		{ "disorder", "P", "of sections behind the next one", "%", 0, 100, 0, 0.01,
		  &o.disorder, NULL },
		{ "late", "P", "of sections 3 to 10 sections late", "%", 0, 100, 0, 0.01, &o.late,
		  NULL },
		{ "seed", "N", "of all that happens by chance", "", 0, 2147483647, 1, 0, NULL,
		  &seed },
		{ "tissue", "N", "seed of the phantom", "", 0, 2147483647, 1, 0, NULL, &tissue },
		{ "first", "N", "number of the first section", "", 0, SIM_SECTIONS_MAX, 0, 0, NULL,
		  &o.first },
		{ "count", "N", "sections, 0 all", "", 0, SIM_SECTIONS_MAX, 0, 0, NULL, &o.count },
		{ "linger", "N", "with --requests: stay after the last image", "s", 0, 1e6, 10, 1,
		  &o.linger, NULL },
		{ 0 },
	};
	const char *tiles = "1x1", *voxel = "8,8,8";
	bool push = false;
	struct words w = { .len = 0 };
	struct cmd_line line = {
		.usage =
			"fornix simulate VOLUME|phantom[:ZxYxX] OUT|tcp://HOST:PORT [--rate N] ...",
		.about = about,
		.options = w.options,
		.min_words = 2,
		.max_words = 2,
	};
	int result;

	add_numbers(&w, numbers);
	add_others(&w, &o, &tiles, &voxel, &push);
	result = cmd_parse(&line, argc, argv);
	if (result == CMD_GO)
		result = read_numbers(&w, numbers);
	if (result == CMD_GO)
		result = read_tiles(&o, tiles);
	if (result == CMD_GO)
		result = read_voxel(&o, voxel);
	if (result != CMD_GO)
		return result;
	if (push && o.pub)
		return cmd_wrong("--push and --pub: one of them is possible");
	o.volume = line.words[0];
	o.out = line.words[1];
	m->seed = (uint64_t)seed;
	o.tissue = (uint64_t)tissue;
	result = check(&o);
	return result == CMD_GO ? sim_run(&o) : result;
}
