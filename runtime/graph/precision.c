// SPDX-License-Identifier: Apache-2.0
/* precision.c: the key `precision` of a node: as what its outputs send numbers of 32 bits. */
#include <string.h>

#include "graph/describe.h"
#include "graph/draft.h"
#include "graph/hint.h"

enum {
	RATES = 1 << FX_PROBABILITY | 1 << FX_AFFINITY,
	VALUES = RATES | 1 << FX_IMAGE,
	PORTS = 32, /* that have a bit */
};

/* By the number of a word in names[]. */
static const char *const names[] = { "as-is", "f16", "u8" };
static const unsigned dtypes[] = { 0, FX_F16, FX_U8 };

enum { NAMES = sizeof names / sizeof *names };

unsigned fx_precision_roles(unsigned dtype)
{
	return dtype == FX_U8 ? RATES : VALUES;
}

/* Of what @p p sends, some is meant. */
static bool fits(const struct fx_port *p, unsigned dtype)
{
	return p->dir == FX_OUT && (p->kinds & FX_BLOCK) && (p->dtypes & FX_F32) &&
	       (!p->roles || (p->roles & fx_precision_roles(dtype)));
}

static const char *meant(unsigned dtype)
{
	return dtype == FX_U8 ? "u8 is for f32 probabilities and affinities" :
				"f16 is for f32 images, probabilities and affinities";
}

static void set(struct fx_precision *p, size_t port, unsigned dtype)
{
	if (port < PORTS && dtype == FX_F16)
		p->f16 |= 1U << port;
	else if (port < PORTS && dtype == FX_U8)
		p->u8 |= 1U << port;
}

static void set_all(const struct fx_draft *d, struct fx_draft_node *n,
		    const struct fx_draft_precision *p)
{
	bool found = !p->dtype;

	for (size_t i = 0; n->type->ports[i].name; i++)
		if (p->dtype && fits(&n->type->ports[i], p->dtype)) {
			set(&n->precision, i, p->dtype);
			found = true;
		}
	if (!found)
		fx_graph_error_add(d->errors, p->at.line, p->at.col,
				   "%s.precision: %s, and it sends none", n->name, meant(p->dtype));
}

static void set_one(const struct fx_draft *d, struct fx_draft_node *n,
		    const struct fx_draft_precision *p)
{
	const int port = fx_type_port(n->type, p->output, FX_OUT);
	struct fx_hint hint = { 0 };
	char sends[160];

	for (const struct fx_port *o = n->type->ports; port < 0 && o->name; o++)
		if (o->dir == FX_OUT)
			fx_hint_offer(&hint, p->output, o->name);
	if (port < 0) {
		fx_graph_error_add(d->errors, p->at.line, p->at.col,
				   "%s.precision: %s has no output \"%.100s\"%s", n->name,
				   n->type->name, p->output, fx_hint_text(&hint));
		return;
	}
	if (!p->dtype || fits(&n->type->ports[port], p->dtype)) {
		set(&n->precision, (size_t)port, p->dtype);
		return;
	}
	fx_port_text(&n->type->ports[port], sends, sizeof sends);
	fx_graph_error_add(d->errors, p->at.line, p->at.col, "%s.precision: %s, and %s sends %s",
			   n->name, meant(p->dtype), p->output, sends);
}

void fx_draft_precision(struct fx_draft *d, struct fx_draft_node *n, const struct fx_yaml *y,
			const struct fx_yaml_entry *output, const char *text)
{
	const int k = fx_draft_word(d, n, "precision", y, text, names, NAMES);
	struct fx_draft_precision p = { .at = { y->line, y->col } };

	if (k < 0)
		return;
	p.dtype = dtypes[k];
	if (output) {
		p.output = output->key;
		p.at = (struct fx_place){ output->line, output->col };
	}
	n->precisions[n->precisions_len++] = p;
}

void fx_draft_precisions(struct fx_draft *d)
{
	for (size_t i = 0; i < d->nodes_len; i++) {
		struct fx_draft_node *n = &d->nodes[i];

		for (size_t k = 0; n->type && k < n->precisions_len; k++) {
			if (n->precisions[k].output)
				set_one(d, n, &n->precisions[k]);
			else
				set_all(d, n, &n->precisions[k]);
		}
	}
}

unsigned fx_precision_of(struct fx_precision p, unsigned port)
{
	if (port >= PORTS)
		return 0;
	return p.u8 >> port & 1 ? FX_U8 : p.f16 >> port & 1 ? FX_F16 : 0;
}

struct fx_port fx_precision_port(const struct fx_port *port, unsigned dtype)
{
	struct fx_port p = *port;

	if (dtype)
		p.dtypes = (p.dtypes & ~(unsigned)FX_F32) | dtype;
	if (dtype == FX_U8)
		p.dtypes &= ~(unsigned)FX_F16;
	return p;
}

unsigned fx_precision_taken(const struct fx_port *in)
{
	return in->dtypes & FX_F32 ? in->dtypes | FX_F16 : in->dtypes;
}
