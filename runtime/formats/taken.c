// SPDX-License-Identifier: Apache-2.0
/* taken.c: which tiles and versions of sections were sent. */
#include "formats/taken.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

int fx_taken_add(struct fx_taken *t, int64_t section, int64_t tile, int64_t version)
{
	if (!fx_grow(&t->list, &t->cap, t->len + 1, sizeof *t->list))
		return FX_ENOMEM;
	t->list[t->len++] = (struct fx_taken_one){ section, tile, version };
	return FX_OK;
}

int64_t fx_taken_version(const struct fx_taken *t, int64_t section, int64_t tile)
{
	int64_t version = INT64_MIN;

	for (size_t i = 0; i < t->len; i++)
		if (t->list[i].section == section && t->list[i].tile == tile &&
		    t->list[i].version > version)
			version = t->list[i].version;
	return version;
}

bool fx_taken_has(const struct fx_taken *t, int64_t section, int64_t tile, int64_t version)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->list[i].section == section && t->list[i].tile == tile &&
		    t->list[i].version == version)
			return true;
	return false;
}

bool fx_taken_any(const struct fx_taken *t, int64_t section)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->list[i].section == section)
			return true;
	return false;
}

void fx_taken_forget(struct fx_taken *t, int64_t section)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->len; i++)
		if (t->list[i].section >= section)
			t->list[kept++] = t->list[i];
	t->len = kept;
}

void fx_taken_pack(const struct fx_taken *t, struct fx_pack *to)
{
	fx_pack_array(to, t->list, t->len, sizeof *t->list);
}

int fx_taken_unpack(struct fx_taken *t, struct fx_unpack *from)
{
	void *list;
	const int result = fx_unpack_array(from, &list, &t->len, sizeof *t->list);

	if (result < 0) {
		t->len = 0;
		return result;
	}
	t->list = list;
	t->cap = t->len;
	return FX_OK;
}

void fx_taken_fini(struct fx_taken *t)
{
	free(t->list);
	memset(t, 0, sizeof *t);
}
