// SPDX-License-Identifier: Apache-2.0
/* verdicts.c: what inspector/quality said of sections, until their images have come. */
#include "node/verdicts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pack.h"

void fx_verdicts_fini(struct fx_verdicts *v)
{
	free(v->all);
	*v = (struct fx_verdicts){ 0 };
}

static struct fx_verdict_of *verdicts_new(struct fx_verdicts *v)
{
	if (!fx_grow(&v->all, &v->cap, v->len + 1, sizeof *v->all))
		return NULL;
	memset(&v->all[v->len], 0, sizeof *v->all);
	return &v->all[v->len++];
}

int fx_verdicts_add(struct fx_verdicts *v, const struct fx_record *r)
{
	const char *text = fx_record_text(r, "verdict");
	struct fx_verdict_of *one;

	if (strcmp(r->kind, "quality") != 0 || fx_record_number(r, "tile", -1) >= 0)
		return FX_OK;
	if (!text)
		return FX_ETYPE;
	one = verdicts_new(v);
	if (!one)
		return FX_ENOMEM;
	one->z = r->region.lo[0];
	one->good = strcmp(text, "good") == 0;
	one->badness = fx_record_number(r, "badness", one->good ? 0 : 1);
	one->region = r->region;
	snprintf(one->reason, sizeof one->reason, "%s", text);
	return FX_OK;
}

int fx_verdicts_miss(struct fx_verdicts *v, int64_t z)
{
	struct fx_verdict_of *one = verdicts_new(v);

	if (!one)
		return FX_ENOMEM;
	one->z = z;
	one->missing = true;
	return FX_OK;
}

void fx_verdicts_shift(struct fx_verdicts *v)
{
	memmove(v->all, v->all + 1, --v->len * sizeof *v->all);
}

void fx_verdicts_pack(const struct fx_verdicts *v, struct fx_pack *to)
{
	const uint64_t len = v->len;

	fx_pack_put(to, &len, sizeof len);
	for (size_t i = 0; i < v->len; i++) {
		const struct fx_verdict_of *one = &v->all[i];

		fx_pack_put(to, &one->z, sizeof one->z);
		fx_pack_bool(to, one->missing);
		fx_pack_bool(to, one->good);
		fx_pack_put(to, &one->badness, sizeof one->badness);
		fx_pack_put(to, &one->region, sizeof one->region);
		fx_pack_put(to, one->reason, sizeof one->reason);
	}
}

int fx_verdicts_unpack(struct fx_verdicts *v, struct fx_unpack *from)
{
	uint64_t len;

	if (fx_unpack_get(from, &len, sizeof len) < 0)
		return FX_ETYPE;
	for (uint64_t i = 0; i < len; i++) {
		struct fx_verdict_of *one = verdicts_new(v);

		if (!one)
			return FX_ENOMEM;
		if (fx_unpack_get(from, &one->z, sizeof one->z) < 0 ||
		    fx_unpack_bool(from, &one->missing) < 0 ||
		    fx_unpack_bool(from, &one->good) < 0 ||
		    fx_unpack_get(from, &one->badness, sizeof one->badness) < 0 ||
		    fx_unpack_get(from, &one->region, sizeof one->region) < 0 ||
		    fx_unpack_get(from, one->reason, sizeof one->reason) < 0)
			return FX_ETYPE;
		one->reason[sizeof one->reason - 1] = 0;
	}
	return FX_OK;
}
