// SPDX-License-Identifier: Apache-2.0
/* simulate_run.c: plays a simulation: each section when it is due, and again when it is asked for.
 */
#include "simulate.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cmd.h"

enum { SLEEP_MS = 20, TELL_NS = 2000000000 };

/* How often what happened. */
struct counts {
	uint64_t images, again, refused, missing, blank, defocus, charging, folds, duplicates, late;
};

struct sim {
	struct sim_options *o;
	struct sim_source *source;
	struct sim_layout layout;
	struct sim_visit *visits;
	struct fx_microscope scope;
	struct sim_out *out;
	struct sim_requests *requests;
	FILE *truth;
	int32_t *versions; /* of each section from the first on; 0: not imaged */
	struct counts counts;
	int64_t began_ns, told_ns;
	double now_s; /* planned time of the last section */
	bool stopped;
};

static bool is_stopped(void *arg)
{
	struct sim *s = arg;

	s->stopped = s->stopped || cmd_interrupted();
	return s->stopped;
}

static double seconds_since(int64_t ns)
{
	return (double)(fx_now_ns() - ns) / 1e9;
}

static int put_tile(struct sim *s, const struct fx_microscope_shot *shot,
		    struct fx_specimen *specimen, size_t t, json_t *names, json_t *places,
		    struct fx_error *err)
{
	const size_t size[2] = { s->layout.height, s->layout.width };
	struct sim_frame f = { .section = shot->section,
			       .version = shot->version,
			       .tile = s->layout.rows * s->layout.columns > 1 ? (int)t : -1,
			       .height = size[0],
			       .width = size[1],
			       .dtype = sim_source_dtype(s->source) };
	double nominal[2], actual[2];
	char name[SIM_NAME_MAX];
	int result;

	sim_tile_place(&s->layout, s->o, shot->section, t, nominal, actual);
	f.voxels = s->out->room(s->out, size[0] * size[1] * fx_dtype_size(f.dtype));
	if (!f.voxels)
		return fx_error_set(err, FX_ENOMEM, "no memory for an image");
	result = fx_microscope_expose(shot, specimen, actual, size, (unsigned)t, f.voxels, err);
	if (result == FX_OK)
		result = s->out->put(s->out, &f, name, err);
	if (result == FX_OK &&
	    (json_array_append_new(names, json_string(name)) != 0 ||
	     json_array_append_new(places, json_pack("{s:i, s:f, s:f}", "tile", (int)t, "y",
						     actual[0], "x", actual[1])) != 0))
		result = fx_error_set(err, FX_ENOMEM, "no memory for the truth");
	return result;
}

/* Images tile @p only of a section, or all when it is -1, and tells of it. */
static int image(struct sim *s, const struct fx_microscope_shot *shot, const struct sim_visit *v,
		 int only, struct fx_error *err)
{
	const size_t n = s->layout.rows * s->layout.columns;
	json_t *line = sim_truth_shot(shot, v), *names = json_array(), *places = json_array();
	struct fx_specimen *specimen = NULL;
	int result = line && names && places ?
			     sim_source_get(s->source, shot->imaged, &specimen, err) :
			     fx_error_set(err, FX_ENOMEM, "no memory for the truth");

	for (size_t t = 0; result == FX_OK && t < n; t++)
		if (only < 0 || t == (size_t)only)
			result = put_tile(s, shot, specimen, t, names, places, err);
	if (result == FX_OK && n > 1 && json_object_set(line, "tiles", places) != 0)
		result = fx_error_set(err, FX_ENOMEM, "no memory for the truth");
	if (result == FX_OK && json_object_set(line, s->out->names, names) != 0)
		result = fx_error_set(err, FX_ENOMEM, "no memory for the truth");
	if (result == FX_OK)
		result = sim_truth_put(s->truth, line, err);
	else
		json_decref(line);
	json_decref(names);
	json_decref(places);
	return result;
}

static void count(struct counts *c, const struct fx_microscope_shot *shot, bool late)
{
	c->images += !shot->missing;
	c->again += shot->version > 1;
	c->missing += shot->missing;
	c->late += late && !shot->missing;
	if (shot->missing)
		return;
	c->blank += shot->blank;
	c->defocus += shot->defocus > 0;
	c->charging += shot->charging > 0;
	c->folds += shot->folded;
	c->duplicates += shot->imaged != shot->section;
}

static int visit(struct sim *s, const struct sim_visit *v, struct fx_error *err)
{
	struct fx_microscope_shot shot;
	int result;

	fx_microscope_shoot(&s->scope, v->section, 1, &shot);
	s->now_s = v->time_s + v->late_s;
	if (shot.missing)
		result = sim_truth_put(s->truth, sim_truth_shot(&shot, v), err);
	else
		result = image(s, &shot, v, -1, err);
	if (result != FX_OK)
		return result;
	count(&s->counts, &shot, v->late_s > 0);
	if (!shot.missing)
		s->versions[v->section - s->o->first] = 1;
	return FX_OK;
}

/* Images a section once more; one that has not been, or is missing, is refused. */
static int again(struct sim *s, const struct sim_request *r, struct fx_error *err)
{
	const int64_t index = r->section - s->o->first;
	const struct sim_visit v = { r->section, s->now_s, 0 };
	struct fx_microscope_shot shot;
	int result;

	if (index < 0 || index >= s->o->count || !s->versions[index] ||
	    r->tile >= (int)(s->layout.rows * s->layout.columns)) {
		s->counts.refused++;
		return FX_OK;
	}
	fx_microscope_shoot(&s->scope, r->section, s->versions[index] + 1, &shot);
	result = image(s, &shot, &v, r->tile, err);
	if (result == FX_OK) {
		s->versions[index]++;
		count(&s->counts, &shot, false);
	}
	return result;
}

/* Answers what was asked for; FX_IDLE when that was nothing. */
static int answer(struct sim *s, struct fx_error *err)
{
	struct sim_request r;
	int result = s->requests ? sim_requests_next(s->requests, &r, err) : FX_IDLE, any = FX_IDLE;

	while (result == FX_OK && !is_stopped(s)) {
		result = again(s, &r, err);
		any = FX_OK;
		if (result == FX_OK)
			result = sim_requests_next(s->requests, &r, err);
	}
	return result == FX_IDLE ? any : result;
}

static void tell(struct sim *s, int64_t done, double behind)
{
	if (s->o->quiet || fx_now_ns() - s->told_ns < TELL_NS)
		return;
	s->told_ns = fx_now_ns();
	fprintf(stderr, "fornix simulate: %" PRId64 " of %" PRId64 " sections", done, s->o->count);
	if (s->o->rate > 0 && behind > 1)
		fprintf(stderr, ", %.0f s behind the plan", behind);
	fprintf(stderr, "\n");
}

/* Until a section is due; meanwhile what is asked for. */
static int await(struct sim *s, double due_s, struct fx_error *err)
{
	int result = FX_IDLE;

	while (!is_stopped(s)) {
		double left = due_s - seconds_since(s->began_ns);

		result = answer(s, err);
		if (result < 0)
			return result;
		left = due_s - seconds_since(s->began_ns);
		if (s->o->rate <= 0 || left <= 0)
			return FX_OK;
		left = left * 1000 < SLEEP_MS ? left * 1000 : SLEEP_MS;
		fx_sleep_ms((int64_t)left + 1);
	}
	return FX_OK;
}

/* After the last section: as long as it is asked again within the time. */
static int linger(struct sim *s, struct fx_error *err)
{
	int64_t since = fx_now_ns();
	int result = FX_OK;

	while (s->requests && !is_stopped(s) && seconds_since(since) < s->o->linger) {
		result = answer(s, err);
		if (result < 0)
			return result;
		if (result == FX_OK)
			since = fx_now_ns();
		fx_sleep_ms(SLEEP_MS);
	}
	return FX_OK;
}

static int play(struct sim *s, struct fx_error *err)
{
	int result = FX_OK;

	s->began_ns = s->told_ns = fx_now_ns();
	for (int64_t i = 0; result == FX_OK && i < s->o->count; i++) {
		const struct sim_visit *const v = s->visits + i;
		const double due = v->time_s + v->late_s;

		result = await(s, due, err);
		if (s->stopped)
			break;
		if (result == FX_OK)
			result = visit(s, v, err);
		if (i == 0) /* it may have waited for a peer */
			s->began_ns = fx_now_ns() - (int64_t)(due * 1e9);
		tell(s, i + 1, seconds_since(s->began_ns) - due);
	}
	if (result == FX_OK)
		result = linger(s, err);
	if (result == FX_OK || result == FX_IDLE)
		result = s->out->end(s->out, err);
	return result == FX_IDLE ? FX_OK : result;
}

static int choose_sections(struct sim *s, struct fx_error *err)
{
	const int64_t depth = (int64_t)sim_source_shape(s->source)[0];

	if (s->o->first >= depth)
		return fx_error_set(err, FX_EINVAL,
				    "--first is %" PRId64 ", but %s has %" PRId64 " sections",
				    s->o->first, s->o->volume, depth);
	if (s->o->count == 0 || s->o->count > depth - s->o->first)
		s->o->count = depth - s->o->first;
	s->versions = fx_calloc((size_t)s->o->count, sizeof *s->versions);
	return s->versions ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory");
}

static int open_out(struct sim *s, struct fx_error *err)
{
	const bool stream = strstr(s->o->out, "://") != NULL;

	s->out = stream ? sim_stream_open(s->o, &s->layout, err) :
			  sim_folder_open(s->o, &s->layout, err);
	if (!s->out)
		return FX_EINVAL;
	s->out->stop = is_stopped;
	s->out->arg = s;
	s->out->slow_s =
		s->o->rate > 0 ? 0.4 / s->o->rate / (double)(s->o->rows * s->o->columns) : 0.05;
	return FX_OK;
}

static int prepare(struct sim *s, struct fx_error *err)
{
	struct fx_microscope_spec *const spec = &s->o->microscope;
	int result;

	s->source = sim_source_open(s->o, err);
	if (!s->source)
		return FX_EINVAL;
	spec->height = sim_source_shape(s->source)[1];
	spec->width = sim_source_shape(s->source)[2];
	s->scope.spec = *spec;
	result = fx_microscope_check(spec, err);
	if (result == FX_OK)
		result = choose_sections(s, err);
	if (result == FX_OK)
		result = sim_layout(s->o, spec->height, spec->width, &s->layout, err);
	if (result == FX_OK)
		result = sim_plan(s->o, s->o->first, s->o->count, &s->visits, err);
	if (result == FX_OK && s->o->requests) {
		s->requests = sim_requests_open(s->o->requests, err);
		result = s->requests ? FX_OK : FX_EINVAL;
	}
	if (result == FX_OK)
		result = open_out(s, err);
	if (result == FX_OK)
		result = sim_truth_open(s->o->truth, &s->truth, err);
	if (result == FX_OK)
		result = sim_truth_put(s->truth, sim_truth_head(s->o, s->source), err);
	return result;
}

static void summarise(const struct sim *s, double seconds)
{
	const struct counts *const c = &s->counts;
	const uint64_t wrong = s->requests ? sim_requests_wrong(s->requests) : 0;
	json_t *j;

	if (!s->o->quiet)
		fprintf(stderr,
			"%s: %" PRIu64 " images of %" PRId64 " sections in %" PRIu64
			" %s, %.3g MB, %.3g s%s\n",
			s->o->out, c->images, s->o->count, s->out->frames, s->out->names,
			(double)s->out->bytes / 1e6, seconds, s->stopped ? "; not to the end" : "");
	if (!s->o->json)
		return;
	j = json_pack("{s:I, s:I, s:I, s:I, s:f, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
		      "s:I}",
		      "sections", (json_int_t)s->o->count, "images", (json_int_t)c->images,
		      s->out->names, (json_int_t)s->out->frames, "bytes", (json_int_t)s->out->bytes,
		      "seconds", seconds, "complete", !s->stopped, "again", (json_int_t)c->again,
		      "requests_refused", (json_int_t)c->refused, "requests_wrong",
		      (json_int_t)wrong, "missing", (json_int_t)c->missing, "blank",
		      (json_int_t)c->blank, "defocus", (json_int_t)c->defocus, "charging",
		      (json_int_t)c->charging, "folds", (json_int_t)c->folds, "duplicates",
		      (json_int_t)c->duplicates, "late", (json_int_t)c->late);
	if (j)
		json_dumpf(j, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	printf("\n");
	json_decref(j);
}

/* From here on Ctrl-C ends it at once: what is left may wait for a peer. */
static void clean_up(struct sim *s)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (s->out)
		s->out->close(s->out);
	sim_requests_close(s->requests);
	sim_source_close(s->source);
	if (s->truth)
		fclose(s->truth);
	free(s->visits);
	free(s->versions);
}

int sim_run(struct sim_options *o)
{
	struct sim s = { .o = o };
	struct fx_error err = { 0 };
	int64_t began;
	int result, code;

	mallopt(M_MMAP_MAX, 0); /* images are large and many: memory that was used is used again */
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	cmd_catch_interrupts();
	result = prepare(&s, &err);
	if (result != FX_OK) {
		code = cmd_wrong("%s", err.text);
		clean_up(&s);
		return code;
	}
	began = fx_now_ns();
	result = play(&s, &err);
	if (result == FX_OK)
		summarise(&s, seconds_since(began));
	code = result != FX_OK ? cmd_failed("%s", err.text) : s.stopped ? CMD_FAILED : CMD_DONE;
	clean_up(&s);
	return code;
}
