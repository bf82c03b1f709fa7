// SPDX-License-Identifier: Apache-2.0
/* yaml.c: restricted YAML from the events of libyaml. */
#include "graph/yaml.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/alloc.h"

enum { SKIP_DEPTH_MAX = 100 }; /* libyaml takes quadratic time over what is nested */

struct reader {
	yaml_parser_t parser;
	struct fx_graph_errors *errors;
	const char *text;
	size_t size;
	bool skipping; /* inside of what was refused: what is wrong there says nothing new */
};

static int line_of(yaml_mark_t mark)
{
	return (int)mark.line + 1;
}

static int col_of(yaml_mark_t mark)
{
	return (int)mark.column + 1;
}

/* The most likely slip: "{ path: ${out}/x }" is a map in a map to YAML. */
static const char *hint_braces(const struct reader *r, int line)
{
	const char *at = r->text, *end = r->text + r->size;

	for (int i = 1; at && i < line; i++) {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : NULL;
	}
	for (; at && at + 1 < end && *at != '\n'; at++)
		if (at[0] == '$' && at[1] == '{')
			return "; inside { } a text with ${name} stands in quotes";
	return "";
}

/* What libyaml says about the text that it cannot read. */
static int reader_broken(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	int line = line_of(p->problem_mark), col = col_of(p->problem_mark);

	if (p->error == YAML_MEMORY_ERROR) {
		fx_graph_error_add(r->errors, 0, 0, "no memory to read it");
		return FX_ENOMEM;
	}
	if (r->skipping)
		return FX_EINVAL;
	if (p->error == YAML_READER_ERROR) {
		line = col = 1;
		for (size_t i = 0; i < p->problem_offset && i < r->size; i++) {
			col = r->text[i] == '\n' ? 1 : col + 1;
			line += r->text[i] == '\n';
		}
	}
	fx_graph_error_add(r->errors, line, col, "not valid YAML: %s%s%s%s",
			   p->problem ? p->problem : "unreadable", p->context ? ", " : "",
			   p->context ? p->context : "", hint_braces(r, line));
	return FX_EINVAL;
}

static int reader_next(struct reader *r, yaml_event_t *event)
{
	return yaml_parser_parse(&r->parser, event) ? FX_OK : reader_broken(r);
}

static int refuse(struct reader *r, const yaml_event_t *event, const char *what)
{
	fx_graph_error_add(r->errors, line_of(event->start_mark), col_of(event->start_mark), "%s",
			   what);
	return FX_EINVAL;
}

/* Anchors and tags are told, and otherwise ignored. */
static void check_properties(struct reader *r, const yaml_event_t *event)
{
	const bool map = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *anchor =
		map ? event->data.mapping_start.anchor : event->data.scalar.anchor;
	const yaml_char_t *tag = map ? event->data.mapping_start.tag : event->data.scalar.tag;

	if (anchor)
		refuse(r, event, "anchors (&name) are not used in a graph; write the value again");
	if (tag)
		refuse(r, event,
		       "tags (!name) are not used in a graph; the option decides the type");
}

static int read_scalar(struct reader *r, const yaml_event_t *event, char **text)
{
	const char *value = (const char *)event->data.scalar.value;

	check_properties(r, event);
	if (strlen(value) != event->data.scalar.length)
		refuse(r, event, "a NUL character is not used in a graph");
	*text = fx_strdup(value);
	if (*text)
		return FX_OK;
	fx_graph_error_add(r->errors, 0, 0, "no memory to read it");
	return FX_ENOMEM;
}

/* Passes over the rest of a list or a map whose start has been read. */
static int skip_nested(struct reader *r)
{
	int depth = 1, result = FX_OK;

	while (depth && result == FX_OK) {
		yaml_event_t event;

		r->skipping = true;
		result = reader_next(r, &event);
		r->skipping = false;
		if (result < 0)
			return result;
		if (event.type == YAML_SEQUENCE_START_EVENT ||
		    event.type == YAML_MAPPING_START_EVENT) {
			if (depth++ == SKIP_DEPTH_MAX)
				result = refuse(r, &event, "nested too deeply");
		}
		if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
			depth--;
		yaml_event_delete(&event);
	}
	return result;
}

static int read_value(struct reader *r, const yaml_event_t *event, struct fx_yaml *value,
		      int depth);

/* Reads the event of a value and the value. */
static int next_value(struct reader *r, struct fx_yaml *value, int depth)
{
	yaml_event_t event;
	int result;

	if (reader_next(r, &event) < 0)
		return FX_EINVAL;
	result = read_value(r, &event, value, depth);
	yaml_event_delete(&event);
	return result;
}

/* Takes over @p entry, or tells why not and frees it. */
static int map_add(struct reader *r, struct fx_yaml *map, struct fx_yaml_entry *entry)
{
	const struct fx_yaml_entry *first = fx_yaml_find(map, entry->key);
	int result = FX_OK;

	if (first) {
		fx_graph_error_add(r->errors, entry->line, entry->col,
				   "\"%.100s\" is given twice, first on line %d", entry->key,
				   first->line);
	} else if (map->len == FX_YAML_ENTRIES_MAX) {
		fx_graph_error_add(r->errors, entry->line, entry->col,
				   "more than %d entries in one place", FX_YAML_ENTRIES_MAX);
		result = FX_EINVAL;
	} else if (!fx_grow(&map->entries, &map->cap, map->len + 1, sizeof *map->entries)) {
		fx_graph_error_add(r->errors, 0, 0, "no memory to read it");
		result = FX_ENOMEM;
	} else {
		map->entries[map->len++] = *entry;
		return FX_OK;
	}
	free(entry->key);
	fx_yaml_fini(&entry->value);
	return result;
}

/* One key, of which @p event is the start, and its value. */
static int read_entry(struct reader *r, const yaml_event_t *event, struct fx_yaml *map, int depth)
{
	struct fx_yaml_entry entry = {
		.line = line_of(event->start_mark),
		.col = col_of(event->start_mark),
	};
	struct fx_yaml dropped = { 0 };
	int result;

	if (event->type != YAML_SCALAR_EVENT) {
		refuse(r, event, "a key must be a word");
		result = event->type == YAML_ALIAS_EVENT ? FX_OK : skip_nested(r);
		if (result == FX_OK)
			result = next_value(r, &dropped, depth);
		fx_yaml_fini(&dropped);
		return result;
	}
	result = read_scalar(r, event, &entry.key);
	if (result == FX_OK)
		result = next_value(r, &entry.value, depth);
	if (result == FX_OK)
		return map_add(r, map, &entry);
	free(entry.key);
	fx_yaml_fini(&entry.value);
	return result;
}

static int read_map(struct reader *r, struct fx_yaml *map, int depth)
{
	for (;;) {
		yaml_event_t event;
		int result;

		if (reader_next(r, &event) < 0)
			return FX_EINVAL;
		if (event.type == YAML_MAPPING_END_EVENT) {
			yaml_event_delete(&event);
			return FX_OK;
		}
		result = read_entry(r, &event, map, depth);
		yaml_event_delete(&event);
		if (result < 0)
			return result;
	}
}

static int read_value(struct reader *r, const yaml_event_t *event, struct fx_yaml *value, int depth)
{
	value->line = line_of(event->start_mark);
	value->col = col_of(event->start_mark);
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		value->kind = FX_YAML_TEXT;
		return read_scalar(r, event, &value->text);
	case YAML_MAPPING_START_EVENT:
		check_properties(r, event);
		if (depth == FX_YAML_DEPTH_MAX)
			return refuse(r, event, "nested too deeply");
		value->kind = FX_YAML_MAP;
		return read_map(r, value, depth + 1);
	case YAML_SEQUENCE_START_EVENT:
		refuse(r, event,
		       "lists are not used in a graph; several numbers stand in one "
		       "text: 8 8 8");
		return skip_nested(r);
	case YAML_ALIAS_EVENT:
		refuse(r, event, "aliases (*name) are not used in a graph; write the value again");
		return FX_OK;
	default:
		return refuse(r, event, "a value is missing");
	}
}

/* Everything from the start of the stream to its end. */
static int read_stream(struct reader *r, struct fx_yaml *root)
{
	int documents = 0;

	for (;;) {
		yaml_event_t event;
		int result = reader_next(r, &event);

		if (result < 0)
			return result;
		if (event.type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&event);
			return FX_OK;
		}
		if (event.type == YAML_DOCUMENT_START_EVENT) {
			if (documents++)
				result = refuse(r, &event, "a graph is one document only");
			else if (event.data.document_start.version_directive ||
				 event.data.document_start.tag_directives.start !=
					 event.data.document_start.tag_directives.end)
				refuse(r, &event, "directives (%) are not used in a graph");
		} else if (event.type != YAML_STREAM_START_EVENT &&
			   event.type != YAML_DOCUMENT_END_EVENT) {
			result = read_value(r, &event, root, 0);
		}
		yaml_event_delete(&event);
		if (result < 0)
			return result;
	}
}

int fx_yaml_read(struct fx_yaml *root, const char *text, size_t size,
		 struct fx_graph_errors *errors)
{
	struct reader r = { .errors = errors, .text = text, .size = size };
	int result;

	memset(root, 0, sizeof *root);
	root->line = root->col = 1;
	if (!yaml_parser_initialize(&r.parser)) {
		fx_graph_error_add(errors, 0, 0, "no memory to read it");
		return FX_ENOMEM;
	}
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, size);
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	result = read_stream(&r, root);
	yaml_parser_delete(&r.parser);
	return result;
}

void fx_yaml_fini(struct fx_yaml *y)
{
	for (size_t i = 0; i < y->len; i++) {
		free(y->entries[i].key);
		fx_yaml_fini(&y->entries[i].value);
	}
	free(y->entries);
	free(y->text);
	memset(y, 0, sizeof *y);
}

const struct fx_yaml_entry *fx_yaml_find(const struct fx_yaml *map, const char *key)
{
	for (size_t i = 0; i < map->len; i++)
		if (strcmp(map->entries[i].key, key) == 0)
			return &map->entries[i];
	return NULL;
}
