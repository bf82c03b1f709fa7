// SPDX-License-Identifier: Apache-2.0
/* json.c: small helpers over jansson. */
#include "graph/json.h"

#include <stdlib.h>

#include <fornix/error.h>

#include "base/alloc.h"

json_t *fx_json_text(const char *text)
{
	json_t *j = json_string(text);
	char *copy;

	if (j)
		return j;
	copy = fx_strdup(text);
	for (char *p = copy; p && *p; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	j = copy ? json_string(copy) : NULL;
	free(copy);
	return j;
}

int fx_json_print(json_t *j, FILE *out)
{
	int result = j ? FX_OK : FX_ENOMEM;

	if (j && (json_dumpf(j, out, JSON_INDENT(2)) != 0 || fputc('\n', out) == EOF))
		result = FX_EIO;
	json_decref(j);
	return result;
}
