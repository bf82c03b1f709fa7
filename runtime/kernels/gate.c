// SPDX-License-Identifier: Apache-2.0
/* gate.c: lets good sections pass in order, asks for bad ones again, and gives them up in time. */
#include "kernels/gate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static const int64_t jump_max = 1 << 20, section_max = (int64_t)1 << 40;

void fx_gate_init(struct fx_gate *g, const struct fx_gate_rules *rules, int64_t first)
{
	*g = (struct fx_gate){ .rules = *rules, .next = first, .latest = first - 1 };
}

void fx_gate_fini(struct fx_gate *g)
{
	free(g->sections);
	*g = (struct fx_gate){ 0 };
}

/* Section @p z, made when it is new; NULL when it has passed or on failure, which *err tells. */
static struct fx_gate_section *section_at(struct fx_gate *g, int64_t z, int *err)
{
	*err = z > section_max || z > g->latest + jump_max ? FX_EINVAL : FX_OK;
	if (*err < 0 || z < g->next)
		return NULL;
	for (; g->latest < z; g->latest++) {
		if (!fx_grow(&g->sections, &g->cap, g->len + 1, sizeof *g->sections)) {
			*err = FX_ENOMEM;
			return NULL;
		}
		memset(&g->sections[g->len++], 0, sizeof *g->sections);
	}
	return &g->sections[z - g->next];
}

int fx_gate_judged(struct fx_gate *g, const struct fx_gate_verdict *v)
{
	int err;
	struct fx_gate_section *s = section_at(g, v->region.lo[0], &err);
	const bool first = s && !s->versions;

	if (!s)
		return err;
	s->versions++;
	if (!v->good && s->state == FX_GATE_GOOD)
		return FX_OK;
	if (v->good || first || !(v->badness > s->badness)) {
		s->kept = v->image;
		s->badness = v->badness;
	}
	s->state = v->good ? FX_GATE_GOOD : FX_GATE_BAD;
	s->region = v->region;
	snprintf(s->reason, sizeof s->reason, "%s", v->reason);
	return FX_OK;
}

int fx_gate_lost(struct fx_gate *g, int64_t z, const char *reason)
{
	int err;
	struct fx_gate_section *s = section_at(g, z, &err);

	if (s && s->state == FX_GATE_AWAITED) {
		s->state = FX_GATE_LOST;
		snprintf(s->reason, sizeof s->reason, "%s", reason);
	}
	return err;
}

/* It is bad, and may be asked for now. */
static bool to_ask(const struct fx_gate *g, const struct fx_gate_section *s)
{
	if (s->state != FX_GATE_BAD || s->asked >= g->rules.attempts)
		return false;
	if (!s->asked)
		return g->rules.deadline > 0;
	return g->latest < s->deadline &&
	       (s->versions > s->asked || g->latest - s->asked_at >= g->rules.patience);
}

static void ask(struct fx_gate *g, struct fx_gate_section *s)
{
	if (!s->asked)
		s->deadline = g->latest + g->rules.deadline;
	s->asked_at = g->latest;
	s->asked++;
}

/* Why a bad section is not waited for any more; NULL: it is. */
static const char *given_up(const struct fx_gate *g, const struct fx_gate_section *s)
{
	if (s->versions > s->asked)
		return s->asked ? "every attempt failed" : "it is not asked for again";
	return g->latest >= s->deadline ? "no better image came before its deadline" : NULL;
}

/* Whether the next section may go, and why it is closed, if it is. */
static enum fx_gate_act fate(const struct fx_gate *g, bool ended, const char **why)
{
	const struct fx_gate_section *s = &g->sections[0];

	*why = NULL;
	if (s->state == FX_GATE_GOOD)
		return FX_GATE_PASS;
	if (s->state == FX_GATE_LOST)
		*why = "it does not come";
	else if (s->state == FX_GATE_BAD)
		*why = given_up(g, s);
	if (!*why && ended)
		*why = "the stream ended";
	if (!*why && g->latest - g->next >= g->rules.hold)
		*why = "no more sections can be held";
	if (!*why)
		return FX_GATE_WAIT;
	return s->state == FX_GATE_BAD && g->rules.pass ? FX_GATE_PASS : FX_GATE_CLOSE;
}

struct fx_gate_move fx_gate_step(struct fx_gate *g, bool ended)
{
	struct fx_gate_move m = { .act = FX_GATE_WAIT };

	for (size_t i = 0; i < g->len && !ended; i++)
		if (to_ask(g, &g->sections[i])) {
			ask(g, &g->sections[i]);
			m.act = FX_GATE_ASK;
			m.z = g->next + (int64_t)i;
			m.section = g->sections[i];
			return m;
		}
	if (!g->len)
		return m;
	m.act = fate(g, ended, &m.why);
	if (m.act == FX_GATE_WAIT)
		return m;
	m.z = g->next++;
	m.section = g->sections[0];
	memmove(g->sections, g->sections + 1, --g->len * sizeof *g->sections);
	return m;
}

bool fx_gate_keeps(const struct fx_gate *g, int64_t z, uint64_t image)
{
	const struct fx_gate_section *s;

	if (z < g->next || z > g->latest)
		return false;
	s = &g->sections[z - g->next];
	return s->versions && s->kept == image &&
	       (s->state == FX_GATE_GOOD || s->state == FX_GATE_BAD);
}

void fx_gate_pack(const struct fx_gate *g, struct fx_pack *to)
{
	fx_pack_put(to, &g->next, sizeof g->next);
	fx_pack_array(to, g->sections, g->len, sizeof *g->sections);
}

int fx_gate_unpack(struct fx_gate *g, struct fx_unpack *from)
{
	void *sections;
	int64_t next;
	size_t len;
	int result = fx_unpack_get(from, &next, sizeof next);

	if (result < 0)
		return result;
	result = fx_unpack_array(from, &sections, &len, sizeof *g->sections);
	if (result < 0)
		return result;
	free(g->sections);
	g->sections = sections;
	g->len = g->cap = len;
	if (next < 0 || next > section_max || len > (size_t)jump_max)
		return FX_ETYPE;
	g->next = next;
	g->latest = next + (int64_t)len - 1;
	for (size_t i = 0; i < len; i++) {
		struct fx_gate_section *s = &g->sections[i];

		if (s->state > FX_GATE_LOST || s->deadline > 2 * section_max ||
		    s->asked_at > section_max || s->asked_at < 0 || s->deadline < 0)
			return FX_ETYPE;
		s->reason[FX_GATE_REASON - 1] = 0;
	}
	return FX_OK;
}
