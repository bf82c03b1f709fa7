// SPDX-License-Identifier: Apache-2.0
/* sandbox.c: a graph of someone else may only touch what the user has named. */
#include "graph/sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"

static void cut_slashes(char *path)
{
	for (size_t len = strlen(path); len > 1 && path[len - 1] == '/';)
		path[--len] = 0;
}

/* Moves the last name of *head, which is not there, to the front of *tail; false when it is no name
 * or without memory. */
static bool move_name(char **head, char **tail)
{
	char *slash = strrchr(*head, '/'), *name = slash ? slash + 1 : *head, *longer, *shorter;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	longer = fx_asprintf("/%s%s", name, *tail);
	if (slash)
		slash[slash == *head] = 0;
	shorter = fx_strdup(slash ? *head : ".");
	free(*tail);
	free(*head);
	*tail = longer;
	*head = shorter;
	return longer && shorter;
}

/* Where @p path leads: what is there of it with links resolved, the rest as plain names. NULL when
 * that cannot be told: a link to nothing, dots behind what is not there, no permission. free(). */
static char *resolve(const char *path)
{
	char *head = fx_strdup(path), *tail = fx_strdup(""), *real = NULL, *whole = NULL;
	bool going = head && tail && *head;

	while (going) {
		struct stat st;

		cut_slashes(head);
		real = realpath(head, NULL);
		going = !real && errno == ENOENT && lstat(head, &st) != 0 &&
			move_name(&head, &tail);
	}
	if (real)
		whole = fx_asprintf("%s%s", strcmp(real, "/") == 0 && *tail ? "" : real, tail);
	free(real);
	free(head);
	free(tail);
	return whole;
}

/* Of FILE:/PATH, a data set in a file, the file; any other path as it is. free(). */
static char *without_data_set(const char *path)
{
	char *file = fx_strdup(path), *colon = file ? strrchr(file, ':') : NULL;
	struct stat st;

	if (!colon || lstat(path, &st) == 0)
		return file;
	*colon = 0;
	if (stat(file, &st) != 0 || !S_ISREG(st.st_mode))
		*colon = ':';
	return file;
}

static char *resolve_read(const char *path)
{
	char *file = without_data_set(path), *real = file ? resolve(file) : NULL;

	free(file);
	return real;
}

/* @p path is @p root, or below it. */
static bool lies_in(const char *root, const char *path)
{
	const size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);

	return strncmp(root, path, len) == 0 && (!path[len] || path[len] == '/');
}

static void add_readable(struct fx_sandbox *s, char *real, struct fx_graph_errors *errors)
{
	char **grown = realloc(s->readable, (s->readable_len + 1) * sizeof *grown);

	if (!grown) {
		fx_graph_error_add(errors, 0, 0, "no memory for --sandbox");
		free(real);
		return;
	}
	s->readable = grown;
	s->readable[s->readable_len++] = real;
}

static void find_places(struct fx_sandbox *s, const struct fx_graph *g,
			struct fx_graph_errors *errors)
{
	char *folder = fx_strdup(g->file), *slash = folder ? strrchr(folder, '/') : NULL, *real;

	if (slash)
		slash[slash == folder] = 0;
	real = folder ? realpath(slash ? folder : ".", NULL) : NULL;
	if (real)
		add_readable(s, real, errors);
	free(folder);
	for (size_t i = 0; i < g->params_len; i++) {
		const struct fx_graph_param *p = &g->params[i];
		const bool out = strcmp(p->name, "out") == 0;

		if (out && !p->given && p->value)
			fx_graph_error_add(errors, p->line, p->col,
					   "with --sandbox, out has to be given on the command "
					   "line");
		if (out && p->given)
			s->writable = resolve(p->value);
		folder = p->given && *p->value ? without_data_set(p->value) : NULL;
		real = folder ? realpath(folder, NULL) : NULL;
		free(folder);
		if (real)
			add_readable(s, real, errors);
	}
}

static bool may_read(const struct fx_sandbox *s, const char *real)
{
	for (size_t i = 0; i < s->readable_len; i++)
		if (lies_in(s->readable[i], real))
			return true;
	return s->writable && lies_in(s->writable, real);
}

/* Below, and not the folder itself: what is written has neighbours for a while. */
static bool may_write(const struct fx_sandbox *s, const char *real)
{
	return s->writable && lies_in(s->writable, real) && strcmp(s->writable, real) != 0;
}

static void check_option(const struct fx_sandbox *s, const struct fx_graph_node *n,
			 const struct fx_graph_option *set, enum fx_path path,
			 struct fx_graph_errors *errors)
{
	char *real = path == FX_PATH_NAME ? NULL :
		     path == FX_PATH_READ ? resolve_read(set->value) :
					    resolve(set->value);

	if (!*set->value)
		;
	else if (path == FX_PATH_NAME && strchr(set->value, '/'))
		fx_graph_error_add(errors, set->line, set->col,
				   "%s.%s: with --sandbox, \"%.100s\" has to be a name without a "
				   "slash",
				   n->name, set->name, set->value);
	else if (path == FX_PATH_READ && (!real || !may_read(s, real)))
		fx_graph_error_add(
			errors, set->line, set->col,
			"%s.%s: with --sandbox, \"%.100s\" may not be read: it leads out "
			"of the graph's folder and of what the command line names",
			n->name, set->name, set->value);
	else if (path == FX_PATH_WRITE && !s->writable)
		fx_graph_error_add(errors, set->line, set->col,
				   "%s.%s: with --sandbox, \"%.100s\" may not be written: the "
				   "command line gives no out=FOLDER to the graph",
				   n->name, set->name, set->value);
	else if (path == FX_PATH_WRITE && (!real || !may_write(s, real)))
		fx_graph_error_add(errors, set->line, set->col,
				   "%s.%s: with --sandbox, \"%.100s\" may not be written: it does "
				   "not lead to below %.100s",
				   n->name, set->name, set->value, s->writable);
	free(real);
}

/* What starts fornix on a host is a command that the graph says: ssh takes commands in its options,
 * too. `here` starts nothing. */
static void check_hosts(const struct fx_graph *g, struct fx_graph_errors *errors)
{
	for (size_t i = 1; i < g->hosts_len; i++)
		fx_graph_error_add(errors, g->hosts[i].line, g->hosts[i].col,
				   "host %s: with --sandbox, a graph may not start programs: it "
				   "runs on this machine alone",
				   g->hosts[i].name);
}

void fx_sandbox_check(struct fx_sandbox *s, const struct fx_graph *g,
		      struct fx_graph_errors *errors)
{
	find_places(s, g, errors);
	check_hosts(g, errors);
	for (size_t i = 0; i < g->nodes_len; i++)
		for (size_t k = 0; k < g->nodes[i].options_len; k++) {
			const struct fx_graph_option *set = &g->nodes[i].options[k];
			const struct fx_option *o = fx_type_option(g->nodes[i].type, set->name);

			if (o && o->type == FX_OPT_STR && o->path != FX_PATH_NONE)
				check_option(s, &g->nodes[i], set, o->path, errors);
		}
}

void fx_sandbox_fini(struct fx_sandbox *s)
{
	for (size_t i = 0; i < s->readable_len; i++)
		free(s->readable[i]);
	free(s->readable);
	free(s->writable);
	memset(s, 0, sizeof *s);
}
