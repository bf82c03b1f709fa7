// SPDX-License-Identifier: Apache-2.0
/* judge.c: which sections of a stream are bad. */
#include "kernels/judge.h"

#include <math.h>

#include <fornix/error.h>

#include "base/alloc.h"

enum { FOCUS, NOISE, STRIPES, SIGNAL, SATURATED, FOLD, STREAK }; /* figures */

static const double blank_snr = 0.02;	   /* nothing is there, whatever is usual */
static const double blank_signal = 0.05;   /* of the power that is usual */
static const double saturated_first = 0.5; /* while nothing is known to be usual */

/* Deviations are at least this: figures of a steady stream vary less than matters. All but
 * shares are logarithms. */
static const double spread_min[FX_JUDGE_FIGURES] = { 0.03, 0.1, 0.2, 0.1, 0.01, 0.05, 0.08 };

const char *fx_fault_name(unsigned fault)
{
	static const char *const names[FX_FAULTS] = { "good", "blank",	 "saturated", "duplicate",
						      "fold", "defocus", "noise",     "charging" };

	return fault < FX_FAULTS ? names[fault] : "?";
}

int fx_judge_init(struct fx_judge *j, const struct fx_judge_rules *rules, size_t parts)
{
	size_t series;

	*j = (struct fx_judge){ .rules = *rules, .parts = parts };
	if (!fx_mul_size(parts, FX_JUDGE_FIGURES, &series) ||
	    fx_running_init(&j->whole, FX_JUDGE_FIGURES, rules->window) < 0 ||
	    fx_running_init(&j->part, series, rules->window) < 0)
		return FX_ENOMEM;
	return FX_OK;
}

void fx_judge_fini(struct fx_judge *j)
{
	fx_running_fini(&j->whole);
	fx_running_fini(&j->part);
}

static void figures_of(float f[FX_JUDGE_FIGURES], const struct fx_verdict *v)
{
	const struct fx_quality *q = &v->quality;

	f[FOCUS] = (float)log(fmax(q->focus, 1e-4));
	f[NOISE] = (float)-log(fmax(q->snr, 1e-9));
	f[STRIPES] = (float)log(fmax(q->stripes, 1e-6));
	f[SIGNAL] = (float)log(fmax(q->signal, 1e-9));
	f[SATURATED] = (float)(q->low + q->high);
	f[FOLD] = (float)v->fold;
	f[STREAK] = (float)log(fmax(q->streak, 1e-3));
}

/* Fault @p f is there when @p badness is at least 1. */
static void accuse(struct fx_verdict *v, enum fx_fault f, double badness)
{
	const bool plain = v->fault != FX_FAULT_NONE && v->fault <= FX_FAULT_FOLD;

	if (plain || !(badness > v->badness))
		return;
	v->badness = badness;
	if (badness >= 1)
		v->fault = f;
}

/* Judges a whole or a part by the series from @p series on. */
static void judge_one(struct fx_verdict *v, const struct fx_running *usual, size_t series,
		      double deviations, const struct fx_judge_rules *rules)
{
	double median[FX_JUDGE_FIGURES], off[FX_JUDGE_FIGURES], spread;
	const bool known = usual->len > 0;
	float f[FX_JUDGE_FIGURES];

	figures_of(f, v);
	for (size_t k = 0; k < FX_JUDGE_FIGURES; k++) {
		fx_running_usual(usual, series + k, &median[k], &spread);
		off[k] = known ? ((double)f[k] - median[k]) / fmax(spread, spread_min[k]) : 0;
	}
	v->fault = FX_FAULT_NONE;
	v->local = 0;
	v->badness = 0;
	v->focus_off = -off[FOCUS];
	v->noise_off = off[NOISE];
	v->stripes_off = fmax(off[STRIPES], off[STREAK]);
	accuse(v, FX_FAULT_BLANK, v->quality.snr < blank_snr ? 2 : 0);
	if (known)
		accuse(v, FX_FAULT_BLANK,
		       (median[SIGNAL] - (double)f[SIGNAL]) / -log(blank_signal));
	accuse(v, FX_FAULT_SATURATED,
	       known ? ((double)f[SATURATED] - median[SATURATED]) / rules->saturated :
		       (double)f[SATURATED] / saturated_first);
	accuse(v, FX_FAULT_DUPLICATE, v->duplicate ? 2 : 0);
	if (known)
		accuse(v, FX_FAULT_FOLD,
		       fmin(off[FOLD] / deviations,
			    ((double)f[FOLD] - median[FOLD]) / rules->fold));
	accuse(v, FX_FAULT_DEFOCUS, v->focus_off / deviations);
	accuse(v, FX_FAULT_NOISE, v->noise_off / deviations);
	accuse(v, FX_FAULT_CHARGING, v->stripes_off / deviations);
}

/* A section is as bad as the worst of its parts, when enough of them are bad. */
static void judge_by_parts(const struct fx_judge *j, struct fx_verdict *section)
{
	const struct fx_verdict *worst = section + 1;
	size_t bad = 0;

	for (size_t i = 0; i < j->parts; i++) {
		bad += section[1 + i].fault != FX_FAULT_NONE;
		worst = section[1 + i].badness > worst->badness ? section + 1 + i : worst;
	}
	if (section->fault != FX_FAULT_NONE || !bad ||
	    (double)bad < j->rules.bad_parts * (double)j->parts)
		return;
	section->fault = worst->fault;
	section->local = 1;
	section->badness = worst->badness;
}

static void judge_section(const struct fx_judge *j, struct fx_verdict *section)
{
	judge_one(section, &j->whole, 0, j->rules.deviations, &j->rules);
	for (size_t i = 0; i < j->parts; i++)
		judge_one(section + 1 + i, &j->part, i * FX_JUDGE_FIGURES, j->rules.tile_deviations,
			  &j->rules);
	judge_by_parts(j, section);
}

static void learn(struct fx_judge *j, const struct fx_verdict *section)
{
	float *parts = fx_running_push(&j->part);

	figures_of(fx_running_push(&j->whole), section);
	for (size_t i = 0; i < j->parts; i++)
		figures_of(parts + i * FX_JUDGE_FIGURES, section + 1 + i);
}

static void forget(struct fx_judge *j)
{
	fx_running_clear(&j->whole);
	fx_running_clear(&j->part);
	j->bad_in_row = 0;
}

void fx_judge_first(struct fx_judge *j, struct fx_verdict *const *sections, size_t n)
{
	forget(j);
	for (size_t i = 0; i < n; i++)
		judge_section(j,
			      sections[i]); /* nothing is usual yet: only what is bad in itself */
	for (size_t i = 0; i < n; i++)
		if (sections[i]->fault == FX_FAULT_NONE)
			learn(j, sections[i]);
	for (size_t i = 0; i < n; i++)
		judge_section(j, sections[i]);
	forget(j);
	for (size_t i = 0; i < n; i++)
		if (sections[i]->fault == FX_FAULT_NONE)
			learn(j, sections[i]);
	j->learned = j->whole.len > 0;
}

void fx_judge_next(struct fx_judge *j, struct fx_verdict *section)
{
	judge_section(j, section);
	if (section->fault == FX_FAULT_NONE) {
		j->bad_in_row = 0;
		learn(j, section);
	} else if (j->rules.relearn && section->fault != FX_FAULT_BLANK &&
		   ++j->bad_in_row >= j->rules.relearn) {
		forget(j);
		j->learned = false;
	}
}

void fx_judge_pack(const struct fx_judge *j, struct fx_pack *to)
{
	const uint64_t bad = j->bad_in_row;

	fx_pack_bool(to, j->learned);
	fx_pack_put(to, &bad, sizeof bad);
	fx_running_pack(&j->whole, to);
	fx_running_pack(&j->part, to);
}

int fx_judge_unpack(struct fx_judge *j, struct fx_unpack *from)
{
	uint64_t bad;
	int result = fx_unpack_bool(from, &j->learned);

	if (result == FX_OK)
		result = fx_unpack_get(from, &bad, sizeof bad);
	if (result < 0)
		return result;
	j->bad_in_row = (size_t)bad;
	result = fx_running_unpack(&j->whole, from);
	if (result == FX_OK)
		result = fx_running_unpack(&j->part, from);
	if (result == FX_OK && j->whole.len != j->part.len)
		result = FX_ETYPE;
	return result;
}
