// SPDX-License-Identifier: Apache-2.0
/* simulate_truth.c: what a simulation has done to each section, as JSON lines. */
#include "simulate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static const char FIRST[] = "{\"format\":\"fornix-simulation\"";

static json_t *options_json(const struct sim_options *o)
{
	const struct fx_microscope_spec *const m = &o->microscope;

	return json_pack("{s:s, s:f, s:f, s:[I, I], s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, "
			 "s:f, s:f, s:f, s:f, s:f, s:f}",
			 "volume", o->volume, "rate", o->rate, "jitter", o->jitter, "tiles",
			 (json_int_t)o->rows, (json_int_t)o->columns, "overlap", o->overlap,
			 "stage_error", o->stage_error, "drift", m->drift, "rotation", m->rotation,
			 "affine", m->affine, "brightness", m->brightness, "noise", m->noise,
			 "defocus", m->defocus, "charging", m->charging, "folds", m->folds, "blank",
			 m->blank, "missing", m->missing, "duplicate", m->duplicate, "disorder",
			 o->disorder, "late", o->late);
}

json_t *sim_truth_head(const struct sim_options *o, const struct sim_source *s)
{
	const size_t *const shape = sim_source_shape(s);
	const double *const nm = sim_source_voxel(s);

	return json_pack("{s:s, s:i, s:I, s:I, s:I, s:[I, I], s:[f, f, f], s:o}", "format",
			 "fornix-simulation", "version", 1, "seed", (json_int_t)o->microscope.seed,
			 "first", (json_int_t)o->first, "sections", (json_int_t)o->count, "shape",
			 (json_int_t)shape[1], (json_int_t)shape[2], "voxel_nm", nm[0], nm[1],
			 nm[2], "options", options_json(o));
}

static json_t *fold_json(const struct fx_microscope_shot *shot)
{
	const struct fx_microscope_fold *const f = &shot->fold;

	return shot->folded ? json_pack("{s:[f, f], s:[f, f], s:f, s:f, s:f, s:f}", "through",
					f->through[0], f->through[1], "normal", f->normal[0],
					f->normal[1], "width", f->width, "shift", f->shift, "reach",
					f->reach, "bend", f->bend) :
			      json_null();
}

static json_t *edge_json(const struct fx_microscope_shot *shot)
{
	return shot->partly ?
		       json_pack("{s:[f, f], s:[f, f]}", "through", shot->edge[0], shot->edge[1],
				 "outward", shot->outward[0], shot->outward[1]) :
		       json_null();
}

json_t *sim_truth_shot(const struct fx_microscope_shot *shot, const struct sim_visit *v)
{
	const double(*const a)[3] = shot->affine;
	const json_int_t section = (json_int_t)shot->section;

	if (shot->missing)
		return json_pack("{s:I, s:b}", "section", section, "missing", 1);
	return json_pack("{s:I, s:I, s:f, s:[[f, f, f], [f, f, f]], s:f, s:f, s:f, s:o, s:f, s:f, "
			 "s:o, s:b, s:o, s:f}",
			 "section", section, "version", (json_int_t)shot->version, "time_s",
			 v->time_s, "affine", a[0][0], a[0][1], a[0][2], a[1][0], a[1][1], a[1][2],
			 "gain", shot->gain, "offset", shot->offset, "defocus_voxel", shot->defocus,
			 "defocus_edge", edge_json(shot), "noise_sd", shot->noise, "charging",
			 shot->charging, "fold", fold_json(shot), "blank", (int)shot->blank,
			 "duplicate_of",
			 shot->imaged != shot->section ? json_integer(shot->imaged) : json_null(),
			 "late_s", v->late_s);
}

/* It replaces an earlier truth, and nothing else. */
int sim_truth_open(const char *path, FILE **out, struct fx_error *err)
{
	char begin[sizeof FIRST] = "";
	FILE *old;

	*out = NULL;
	if (!path)
		return FX_OK;
	old = fopen(path, "re");
	if (old) {
		const size_t n = fread(begin, 1, sizeof FIRST - 1, old);

		fclose(old);
		if (n && strcmp(begin, FIRST) != 0)
			return fx_error_set(err, FX_EINVAL,
					    "--truth %s is there and is no truth of a simulation",
					    path);
	}
	if (fx_make_parents(path, err) < 0)
		return FX_EIO;
	*out = fopen(path, "we");
	return *out ? FX_OK :
		      fx_error_set(err, FX_EIO, "%s: cannot write: %s", path, strerror(errno));
}

int sim_truth_put(FILE *file, json_t *line, struct fx_error *err)
{
	const bool ok =
		line &&
		(!file || (json_dumpf(line, file, JSON_COMPACT | JSON_REAL_PRECISION(12)) == 0 &&
			   fputc('\n', file) != EOF && fflush(file) == 0));

	json_decref(line);
	return ok ? FX_OK : fx_error_set(err, FX_EIO, "cannot write the truth");
}
