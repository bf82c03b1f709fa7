// SPDX-License-Identifier: Apache-2.0
/* errors.c: what is wrong with a graph, in order of place. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph/graph.h"

static bool before(const struct fx_graph_error *a, const struct fx_graph_error *b)
{
	return a->line != b->line ? a->line < b->line : a->col < b->col;
}

/* A terminal or a log must not obey what stands in a file. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

void fx_graph_error_add(struct fx_graph_errors *e, int line, int col, const char *fmt, ...)
{
	struct fx_graph_error error = { .line = line, .col = col };
	size_t at = e->len;
	va_list args;

	va_start(args, fmt);
	vsnprintf(error.text, sizeof error.text, fmt, args);
	va_end(args);
	make_printable(error.text);
	while (at && before(&error, &e->list[at - 1]))
		at--;
	if (e->len < FX_GRAPH_ERRORS_MAX)
		e->len++;
	else
		e->more++;
	if (at == FX_GRAPH_ERRORS_MAX)
		return;
	memmove(&e->list[at + 1], &e->list[at], (e->len - 1 - at) * sizeof error);
	e->list[at] = error;
}

bool fx_graph_hopeless(const struct fx_graph_errors *e)
{
	return e->more >= 100;
}

void fx_graph_error_text(const struct fx_graph_errors *e, size_t i, char *text, size_t size)
{
	const struct fx_graph_error *error = &e->list[i];

	if (error->line)
		snprintf(text, size, "%s:%d:%d: %s", e->file, error->line, error->col, error->text);
	else
		snprintf(text, size, "%s: %s", e->file, error->text);
}
