// SPDX-License-Identifier: Apache-2.0
/* option.c: the text of an option to its field. */
#include "graph/option.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

struct unit {
	const char *family, *name;
	double factor; /* to the family's unit */
};

static const struct unit units[] = {
	{ "nm", "nm", 1 },	 { "nm", "um", 1e3 },	   { "nm", "mm", 1e6 },
	{ "s", "s", 1 },	 { "s", "ms", 1e-3 },	   { "s", "min", 60 },
	{ "MiB", "MiB", 1 },	 { "MiB", "GiB", 1024 },   { "MiB", "KiB", 1.0 / 1024 },
	{ "voxel", "voxel", 1 }, { "voxel", "voxels", 1 }, { "%", "%", 1 },
};

/* The factor of @p name where @p wanted is expected; 0 when it does not fit. */
static double unit_factor(const char *name, const char *wanted)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(units[i].family, wanted) == 0 && strcmp(units[i].name, name) == 0)
			return units[i].factor;
	return strcmp(name, wanted) == 0 ? 1 : 0;
}

bool fx_unit_known(const char *unit)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(units[i].family, unit) == 0)
			return true;
	return false;
}

/* Reads up to @p max numbers and an optional unit; the count, or a negative code. */
static int parse_numbers(const struct fx_option *o, const char *text, double *v, int max,
			 struct fx_error *err)
{
	const char *p = text;
	char unit[16];
	double factor = 1;
	int n = 0;

	while (n < max) {
		char *end;
		const double x = strtod(p, &end);

		if (end == p)
			break;
		if (!isfinite(x))
			return fx_error_set(err, FX_EINVAL, "\"%s\" is not a finite number", text);
		v[n++] = x;
		p = end;
		while (isspace((unsigned char)*p) || (n < max && *p == ','))
			p++;
	}
	if (n == 0 || strlen(p) >= sizeof unit)
		return fx_error_set(err, FX_EINVAL, "\"%s\" is not a number", text);
	snprintf(unit, sizeof unit, "%s", p);
	while (*unit && isspace((unsigned char)unit[strlen(unit) - 1]))
		unit[strlen(unit) - 1] = 0;
	if (*unit && !o->unit)
		return fx_error_set(err, FX_EINVAL,
				    "\"%s\": unexpected \"%s\" behind a plain number", text, unit);
	if (*unit && (factor = unit_factor(unit, o->unit)) == 0)
		return fx_error_set(err, FX_EINVAL, "unit \"%s\", but this is in %s", unit,
				    o->unit);
	for (int i = 0; i < n; i++)
		v[i] *= factor;
	return n;
}

static int check_range(const struct fx_option *o, double v, struct fx_error *err)
{
	char range[128];

	if (o->min == o->max || (v >= o->min && v <= o->max))
		return FX_OK;
	fx_option_range_text(o, range, sizeof range);
	return fx_error_set(err, FX_EINVAL, "%.10g is not within %s", v, range);
}

static int set_choice(const struct fx_option *o, const char *text, void *field,
		      struct fx_error *err)
{
	struct fx_nearest near = { 0 };
	char list[256];

	for (int i = 0; o->choices[i]; i++) {
		if (strcmp(o->choices[i], text) == 0) {
			if (field)
				memcpy(field, &i, sizeof i);
			return FX_OK;
		}
		fx_nearest_offer(&near, text, o->choices[i]);
	}
	fx_option_range_text(o, list, sizeof list);
	return fx_error_set(err, FX_EINVAL, "\"%s\" is not one of %s", text, list);
}

static int set_bool(const char *text, void *field, struct fx_error *err)
{
	static const char *const words[] = { "false", "true", "off", "on", "no", "yes" };

	for (int i = 0; i < 6; i++)
		if (strcmp(text, words[i]) == 0) {
			const bool v = i % 2;

			if (field)
				memcpy(field, &v, sizeof v);
			return FX_OK;
		}
	return fx_error_set(err, FX_EINVAL, "\"%s\" is not true or false", text);
}

static int set_number(const struct fx_option *o, const char *text, void *field,
		      struct fx_error *err)
{
	double v;
	int n = parse_numbers(o, text, &v, 1, err);

	if (n < 0 || check_range(o, v, err) < 0)
		return FX_EINVAL;
	if (o->type == FX_OPT_REAL) {
		if (field)
			memcpy(field, &v, sizeof v);
		return FX_OK;
	}
	if (v != floor(v) || v < INT_MIN || v > INT_MAX)
		return fx_error_set(err, FX_EINVAL, "%s is not a whole number within %d..%d", text,
				    INT_MIN, INT_MAX);
	n = (int)v;
	if (field)
		memcpy(field, &n, sizeof n);
	return FX_OK;
}

static int set_vec(const struct fx_option *o, const char *text, void *field, struct fx_error *err)
{
	struct fx_vec vec;
	const int n = parse_numbers(o, text, vec.v, 3, err);

	if (n < 0)
		return n;
	if (n == 2)
		return fx_error_set(err, FX_EINVAL,
				    "\"%s\": need three numbers z y x, or one for all", text);
	if (n == 1)
		vec.v[1] = vec.v[2] = vec.v[0];
	for (int a = 0; a < 3; a++)
		if (check_range(o, vec.v[a], err) < 0)
			return FX_EINVAL;
	if (field)
		memcpy(field, &vec, sizeof vec);
	return FX_OK;
}

int fx_option_set(const struct fx_option *o, const char *text, void *state, struct fx_error *err)
{
	void *field = state ? (char *)state + o->offset : NULL;

	if (o->choices)
		return set_choice(o, text, field, err);
	switch (o->type) {
	case FX_OPT_BOOL:
		return set_bool(text, field, err);
	case FX_OPT_STR:
		if (field)
			memcpy(field, &text, sizeof text);
		return FX_OK;
	case FX_OPT_VEC:
		return set_vec(o, text, field, err);
	case FX_OPT_INT:
	case FX_OPT_REAL:
		break;
	}
	return set_number(o, text, field, err);
}

void fx_option_defaults(const struct fx_node_type *t, void *state)
{
	for (const struct fx_option *o = t->options; o && o->name; o++) {
		void *field = (char *)state + o->offset;
		const int whole = (int)o->def;
		const bool flag = o->def != 0;

		if (o->type == FX_OPT_STR || o->type == FX_OPT_VEC) {
			if (o->def_str)
				fx_option_set(o, o->def_str, state, NULL);
		} else if (o->type == FX_OPT_REAL) {
			memcpy(field, &o->def, sizeof o->def);
		} else if (o->type == FX_OPT_BOOL) {
			memcpy(field, &flag, sizeof flag);
		} else {
			memcpy(field, &whole, sizeof whole);
		}
	}
}

bool fx_option_required(const struct fx_option *o)
{
	return !o->choices && !o->def_str && (o->type == FX_OPT_STR || o->type == FX_OPT_VEC);
}

void fx_option_default_text(const struct fx_option *o, char *text, size_t size)
{
	if (o->choices)
		snprintf(text, size, "%s", o->choices[(int)o->def]);
	else if (o->type == FX_OPT_STR || o->type == FX_OPT_VEC)
		snprintf(text, size, "%s", o->def_str ? o->def_str : "required");
	else if (o->type == FX_OPT_BOOL)
		snprintf(text, size, "%s", o->def != 0 ? "true" : "false");
	else
		snprintf(text, size, "%.10g", o->def);
}

void fx_option_range_text(const struct fx_option *o, char *text, size_t size)
{
	const char *const unit = o->unit ? o->unit : "";
	const char *const gap = o->unit ? " " : "";
	size_t used = 0;

	*text = 0;
	if (o->choices) {
		for (int i = 0; o->choices[i] && used < size; i++)
			used += (size_t)snprintf(text + used, size - used, "%s%s", i ? "|" : "",
						 o->choices[i]);
	} else if (o->type == FX_OPT_BOOL) {
		snprintf(text, size, "true|false");
	} else if (o->type == FX_OPT_STR) {
		snprintf(text, size, "text");
	} else if (o->min == o->max) {
		snprintf(text, size, "%s%s%s", o->type == FX_OPT_INT ? "whole number" : "number",
			 gap, unit);
	} else {
		snprintf(text, size, "%.10g..%.10g%s%s", o->min, o->max, gap, unit);
	}
}
