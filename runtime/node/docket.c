// SPDX-License-Identifier: Apache-2.0
/* docket.c: sections that were measured and wait for their verdict. */
#include "node/docket.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct fx_case *fx_docket_add(struct fx_docket *d, const struct fx_mark *m)
{
	struct fx_case *c;

	if (!fx_grow(&d->cases, &d->cap, d->len + 1, sizeof *d->cases))
		return NULL;
	c = &d->cases[d->len];
	memset(c, 0, sizeof *c);
	if (m)
		c->mark = *m;
	else if (!(c->verdicts = fx_calloc(d->parts + 1, sizeof *c->verdicts)))
		return NULL;
	d->len++;
	return c;
}

size_t fx_docket_sections(const struct fx_docket *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->len; i++)
		n += d->cases[i].verdicts != NULL;
	return n;
}

int fx_docket_judge(struct fx_docket *d, struct fx_judge *judge)
{
	struct fx_verdict **sections = fx_calloc(d->len, sizeof *sections);
	size_t n = 0;

	if (!sections)
		return FX_ENOMEM;
	for (size_t i = 0; i < d->len; i++)
		if (d->cases[i].verdicts)
			sections[n++] = d->cases[i].verdicts;
	if (!judge->learned)
		fx_judge_first(judge, sections, n);
	else
		for (size_t i = 0; i < n; i++)
			fx_judge_next(judge, sections[i]);
	free(sections);
	return FX_OK;
}

void fx_docket_clear(struct fx_docket *d)
{
	for (size_t i = 0; i < d->len; i++)
		free(d->cases[i].verdicts);
	free(d->cases);
	*d = (struct fx_docket){ .parts = d->parts };
}

void fx_docket_pack(const struct fx_docket *d, struct fx_pack *to)
{
	const uint64_t len = d->len;

	fx_pack_put(to, &len, sizeof len);
	for (size_t i = 0; i < d->len; i++) {
		const struct fx_case *c = &d->cases[i];

		fx_pack_put(to, &c->mark, sizeof c->mark);
		fx_pack_put(to, &c->z, sizeof c->z);
		fx_pack_put(to, &c->version, sizeof c->version);
		fx_pack_array(to, c->verdicts, c->verdicts ? d->parts + 1 : 0, sizeof *c->verdicts);
	}
}

static int case_unpack(struct fx_docket *d, struct fx_unpack *from)
{
	struct fx_mark mark;
	struct fx_case *c;
	void *verdicts;
	size_t len;
	int result = fx_unpack_get(from, &mark, sizeof mark);

	if (result < 0)
		return result;
	mark.reason[sizeof mark.reason - 1] = 0;
	c = fx_docket_add(d, mark.kind ? &mark : NULL);
	if (!c)
		return FX_ENOMEM;
	if (fx_unpack_get(from, &c->z, sizeof c->z) < 0 ||
	    fx_unpack_get(from, &c->version, sizeof c->version) < 0)
		return FX_ETYPE;
	result = fx_unpack_array(from, &verdicts, &len, sizeof *c->verdicts);
	if (result < 0)
		return result;
	if (len != (c->verdicts ? d->parts + 1 : 0))
		result = FX_ETYPE;
	else if (len)
		memcpy(c->verdicts, verdicts, len * sizeof *c->verdicts);
	for (size_t i = 0; i < len && result == FX_OK; i++)
		if (c->verdicts[i].fault >= FX_FAULTS)
			result = FX_ETYPE;
	free(verdicts);
	return result;
}

int fx_docket_unpack(struct fx_docket *d, struct fx_unpack *from)
{
	uint64_t len;
	int result = fx_unpack_get(from, &len, sizeof len);

	for (uint64_t i = 0; i < len && result == FX_OK; i++)
		result = case_unpack(d, from);
	return result;
}
