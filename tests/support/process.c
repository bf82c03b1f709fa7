// SPDX-License-Identifier: Apache-2.0
/* process.c: a test that is a conductor, and the program of its nodes as well. */
#include "support/test.h"

#include "support/process.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "node/host.h"

bool test_is_node(int argc, char **argv)
{
	return argc == 6 && strcmp(argv[1], "node") == 0;
}

static struct fx_wiring *read_wiring(const char *fd_text)
{
	const int fd = (int)strtol(fd_text, NULL, 10);
	struct fx_error err = { 0 };
	struct fx_wiring *w = NULL;
	struct stat st;
	char *text;

	if (fstat(fd, &st) != 0 || !(text = malloc((size_t)st.st_size)))
		return NULL;
	if (fx_pread_all(fd, text, (size_t)st.st_size, 0) == 0)
		w = fx_wiring_from_json(text, (size_t)st.st_size, &err);
	free(text);
	close(fd);
	return w;
}

int test_node_main(char **argv, const struct fx_node_type *const *types,
		   void (*before)(const struct fx_wiring *w))
{
	struct fx_registry *r = fx_registry_new(types, NULL);
	struct fx_wiring *w = read_wiring(argv[5]);
	struct fx_error err = { 0 };
	int result = 1;

	alarm(600);
	if (w && before)
		before(w);
	if (w && r)
		result = fx_host_run(w, fx_registry_find(r, w->type, &err)) == FX_OK ? 0 : 1;
	fx_wiring_free(w);
	fx_registry_free(r);
	return result;
}

json_t *test_graph_run(const char *text, const struct fx_node_type *const *types,
		       const struct fx_run_options *o, int result)
{
	struct fx_registry *r = fx_registry_new(types, NULL);
	struct fx_graph_errors errors = { 0 };
	struct fx_error err = { 0 };
	char *receipt = NULL;
	struct fx_graph *g;
	json_t *j;

	g = fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors);
	if (!g)
		fail_msg("%s", errors.list[0].text);
	if (fx_run_graph(g, o, &receipt, &err) != result)
		fail_msg("%s%s", err.text, receipt ? receipt : "");
	j = json_loads(receipt, 0, NULL);
	assert_non_null(j);
	free(receipt);
	fx_graph_free(g);
	fx_registry_free(r);
	return j;
}

int test_restarts(const json_t *receipt)
{
	const json_t *nodes = json_object_get(receipt, "nodes");
	json_int_t n = 0;

	for (size_t i = 0; i < json_array_size(nodes); i++)
		n += json_integer_value(json_object_get(json_array_get(nodes, i), "restarts"));
	return (int)n;
}
