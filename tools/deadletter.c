// SPDX-License-Identifier: Apache-2.0
/* deadletter.c: a message that its node could not take, given to the node once more. */
#include "deadletter.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/seglog.h"
#include "cmd.h"
#include "letterline.h"
#include "link/letter.h"
#include "node/lone.h"

enum { JSON_MAX = 4 << 20 };

/* What the node sends is printed and dropped. */
static int show_sent(void *context, unsigned port, enum fx_kind kind, void *message,
		     const struct fx_mark *mark)
{
	const struct fx_lone *l = context;
	struct fx_envelope e = { .kind = kind, .message = message };

	if (mark)
		e.mark = *mark;
	e.payload.raw_size = kind ? fx_wire_payload_size(kind, message) : 0;
	printf("%-12s", l->node.type->ports[port].name);
	letter_line(stdout, &e);
	printf("\n");
	fx_envelope_fini(&e);
	return FX_OK;
}

static json_t *read_json(const char *dir, struct fx_error *err)
{
	char *path = fx_path_join(dir, DEADLETTER_FILE);
	void *text = NULL;
	size_t size = 0;
	json_t *j = NULL;

	if (path && fx_file_read(path, JSON_MAX, &text, &size, err) == FX_OK) {
		j = json_loadb(text, size, 0, NULL);
		if (!json_is_object(j))
			fx_error_set(err, FX_ETYPE, "%s is not a JSON object", path);
	}
	free(text);
	free(path);
	return j;
}

static int read_letter(const char *dir, const char *name, struct fx_envelope *e,
		       struct fx_error *err)
{
	char *path = fx_path_join(dir, name);
	void *bytes = NULL;
	size_t size = 0;
	int result = path ? fx_file_read(path, FX_SEGLOG_RECORD_MAX, &bytes, &size, err) :
			    fx_error_set(err, FX_ENOMEM, "no memory");

	if (result == FX_OK) {
		result = fx_letter_read(bytes, size, e, err);
		if (result < 0)
			fx_error_prefix(err, "%s", path);
	}
	free(bytes);
	free(path);
	return result;
}

static const char *text_of(const json_t *j, const char *name)
{
	const char *text = json_string_value(json_object_get(j, name));

	return text ? text : "";
}

/* The node with its options, started. */
static int prepare(struct fx_lone *l, const struct fx_node_type *type, const json_t *letter,
		   struct fx_error *err)
{
	json_t *options = json_object_get(letter, "options"), *value;
	const char *name;
	int result = fx_lone_init(l, type, text_of(letter, "node"), err);

	l->sent = show_sent;
	l->context = l;
	json_object_foreach(options, name, value)
	{
		if (result == FX_OK && json_is_string(value))
			result = fx_node_set(&l->node, name, json_string_value(value), err);
	}
	if (result == FX_OK && fx_node_start(&l->node) < 0) {
		*err = l->node.error;
		result = err->code;
	}
	return result;
}

static int open_stream(struct fx_lone *l, unsigned port, const char *dir, struct fx_error *err)
{
	struct fx_envelope e;
	char *path = fx_path_join(dir, "open");
	const bool there = path && access(path, R_OK) == 0;
	int result;

	free(path);
	if (!there)
		return FX_OK;
	result = read_letter(dir, "open", &e, err);
	if (result == FX_OK && e.kind == FX_NOTHING && fx_lone_mark(l, port, &e.mark) < 0) {
		*err = l->node.error;
		result = err->code;
	}
	if (result == FX_OK)
		fx_envelope_fini(&e);
	return result;
}

static int give(struct fx_lone *l, unsigned port, const char *dir, struct fx_error *err)
{
	struct fx_envelope e;
	int result = read_letter(dir, "message", &e, err);

	if (result < 0)
		return cmd_wrong("%s", err->text);
	printf("%-12s", l->node.type->ports[port].name);
	letter_line(stdout, &e);
	printf("\n");
	fflush(stdout); /* before what may end this process */
	result = e.kind ? fx_lone_give(l, port, e.kind, e.message) : fx_lone_mark(l, port, &e.mark);
	if (l->warning[0])
		fprintf(stderr, "fornix: warning: %s\n", l->warning);
	if (result < 0)
		return cmd_failed("%s (%s): %s", l->node.name, l->node.type->name,
				  l->node.error.text);
	printf("%s (%s) took it\n", l->node.name, l->node.type->name);
	return CMD_DONE;
}

static int replay_letter(const char *dir, const json_t *letter, const struct fx_node_type *type,
			 struct fx_lone *l)
{
	struct fx_error err = { 0 };
	const int port = fx_type_port(type, text_of(letter, "port"), FX_IN);
	int result;

	if (port < 0)
		return cmd_wrong("%s has no input \"%s\"", type->name, text_of(letter, "port"));
	if (*text_of(letter, "cause"))
		printf("cause: %s\n", text_of(letter, "cause"));
	result = prepare(l, type, letter, &err);
	if (result == FX_OK)
		result = open_stream(l, (unsigned)port, dir, &err);
	if (result < 0)
		return cmd_wrong("%s: %s", text_of(letter, "node"), err.text);
	return give(l, (unsigned)port, dir, &err);
}

int deadletter_replay(const char *dir)
{
	struct fx_error err = { 0 };
	json_t *letter = read_json(dir, &err);
	struct fx_registry *r = letter && !err.code ? cmd_registry() : NULL;
	const struct fx_node_type *type =
		r ? fx_registry_find(r, text_of(letter, "type"), &err) : NULL;
	struct fx_lone *l = type ? calloc(1, sizeof *l) : NULL;
	int result = CMD_WRONG;

	if (l) {
		result = replay_letter(dir, letter, type, l);
		fx_lone_fini(l);
	} else {
		cmd_wrong("%s", err.code ? err.text : "no memory");
	}
	free(l);
	if (r)
		fx_registry_free(r);
	json_decref(letter);
	return result;
}
