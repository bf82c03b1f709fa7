// SPDX-License-Identifier: Apache-2.0
/* error.c: an error text that travels on the caller's stack. */
#include <fornix/error.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int fx_error_set(struct fx_error *e, int code, const char *fmt, ...)
{
	va_list args;

	if (!e)
		return code;
	e->code = code;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, args);
	va_end(args);
	return code;
}

int fx_error_prefix(struct fx_error *e, const char *fmt, ...)
{
	char old[sizeof e->text];
	va_list args;
	size_t used;

	if (!e)
		return FX_EINVAL;
	memcpy(old, e->text, sizeof old);
	va_start(args, fmt);
	vsnprintf(e->text, sizeof e->text, fmt, args);
	va_end(args);
	used = strlen(e->text);
	snprintf(e->text + used, sizeof e->text - used, ": %s", old);
	return e->code;
}
