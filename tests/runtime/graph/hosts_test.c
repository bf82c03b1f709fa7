// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/graph/hosts.c: the machines of a graph, and where its nodes may run. */
#include "support/test.h"

#include <stdio.h>
#include <string.h>

#include "graph/graph.h"
#include "runtime/graph/fake_types.h"

#define HOSTS                                                                                      \
	"version: 1\n"                                                                             \
	"params: { far: { default: 10.0.0.7 } }\n"                                                 \
	"hosts:\n"                                                                                 \
	"  here: { address: 10.0.0.1, slots: 3 }\n"                                                \
	"  far: { address: $far, login: me@far, command: /opt/fornix, options: -p 22, tags: big "  \
	"gpu, memory: 2 GiB }\n"                                                                   \
	"  near: { launcher: local, tags: big }\n"                                                 \
	"nodes:\n"

static void hosts_and_where_nodes_may_run(void **unused)
{
	static const char text[] =
		HOSTS "  a: { type: acquire/truth }\n"
		      "  b: { type: acquire/truth, host: near here }\n"
		      "  c: { type: acquire/truth, tags: big }\n"
		      "  d: { type: acquire/truth, tags: gpu, host: \"far, near\" }\n";
	static const struct {
		const char *node;
		uint64_t hosts;
	} want[] = { { "a", 7 }, { "b", 5 }, { "c", 6 }, { "d", 2 } };
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g = fx_graph_parse("g", text, sizeof text - 1, r, NULL, 0, 0, &errors);

	(void)unused;
	if (!g)
		fail_msg("%s", errors.list[0].text);
	assert_int_equal(g->hosts_len, 3);
	assert_string_equal(g->hosts[0].name, "here");
	assert_string_equal(g->hosts[0].address, "10.0.0.1");
	assert_int_equal(g->hosts[0].slots, 3);
	assert_int_equal(g->hosts[0].launcher, FX_LAUNCH_HERE);
	assert_string_equal(g->hosts[1].address, "10.0.0.7");
	assert_string_equal(g->hosts[1].login, "me@far");
	assert_string_equal(g->hosts[1].command, "/opt/fornix");
	assert_string_equal(g->hosts[1].options, "-p 22");
	assert_true(g->hosts[1].memory_mib == 2048);
	assert_int_equal(g->hosts[1].launcher, FX_LAUNCH_SSH);
	assert_int_equal(g->hosts[2].launcher, FX_LAUNCH_LOCAL);
	for (size_t i = 0; i < sizeof want / sizeof *want; i++)
		assert_int_equal(g->nodes[fx_graph_find(g, want[i].node)].hosts, want[i].hosts);
	fx_graph_free(g);
	fx_registry_free(r);
}

static void without_hosts_all_run_here(void **unused)
{
	static const char text[] = "version: 1\nnodes:\n  a: { type: acquire/truth }\n";
	struct fx_registry *r = fake_registry();
	struct fx_graph_errors errors = { 0 };
	struct fx_graph *g = fx_graph_parse("g", text, sizeof text - 1, r, NULL, 0, 0, &errors);

	(void)unused;
	assert_non_null(g);
	assert_int_equal(g->hosts_len, 0);
	assert_int_equal(g->nodes[0].hosts, 1);
	fx_graph_free(g);
	fx_registry_free(r);
}

static void what_is_wrong_is_told(void **unused)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{ "hosts: { far: { address: far.example } }\nnodes: { a: { type: acquire/truth } "
		  "}\n",
		  "g:2:15: host far: address \"far.example\" is not an IPv4 address, such as "
		  "192.168.1.5; names belong to login" },
		{ "hosts: { far: { tags: x } }\nnodes: { a: { type: acquire/truth } }\n",
		  "g:2:15: host far: has no address by which the other hosts reach it" },
		{ "hosts: { far: { launcher: shh, address: 10.0.0.1 } }\nnodes: { a: { type: "
		  "acquire/truth } }\n",
		  "g:2:27: host far: no launcher \"shh\"; did you mean \"ssh\"?" },
		{ "hosts: { here: { launcher: ssh } }\nnodes: { a: { type: acquire/truth } }\n",
		  "g:2:28: host here: is the machine of the conductor and needs no launcher" },
		{ "hosts: { a: { launcher: local, slot: 3 } }\nnodes: { a: { type: acquire/truth } "
		  "}\n",
		  "g:2:32: a host: unknown key \"slot\"; did you mean \"slots\"?" },
		{ "hosts: { a: { launcher: local, slots: -1 } }\nnodes: { a: { type: "
		  "acquire/truth } }\n",
		  "g:2:39: host a: slots: -1 is not within 0..4096" },
		{ "hosts: { Big: { launcher: local } }\nnodes: { a: { type: acquire/truth } }\n",
		  "g:2:10: \"Big\" is not a name of a host: small letters, digits, _ and -, at "
		  "most 63, a letter first" },
		{ "hosts: { far: 10.0.0.1 }\nnodes: { a: { type: acquire/truth } }\n",
		  "g:2:15: host far: must be a map, such as { address: 192.168.1.5 }" },
		{ "hosts: { a: { launcher: ssh, address: 10.0.0.1, login: -oProxyCommand=x } }\n"
		  "nodes: { a: { type: acquire/truth } }\n",
		  "g:2:13: host a: login begins with a dash" },
		{ "hosts: { far: { launcher: local } }\nnodes: { a: { type: acquire/truth, host: "
		  "fra } }\n",
		  "g:3:42: a.host: there is no host \"fra\"; did you mean \"far\"?" },
		{ "nodes: { a: { type: acquire/truth, host: far } }\n",
		  "g:2:42: a.host: there is no host \"far\"; the graph has no hosts" },
		{ "hosts: { far: { launcher: local, tags: big } }\nnodes: { a: { type: "
		  "acquire/truth, tags: gpu } }\n",
		  "g:3:42: a.tags: no host that it may run on has the tag \"gpu\"" },
	};
	struct fx_registry *r = fake_registry();

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct fx_graph_errors errors = { 0 };
		char text[1024], said[1024];

		snprintf(text, sizeof text, "version: 1\n%s", cases[i].text);
		assert_null(fx_graph_parse("g", text, strlen(text), r, NULL, 0, 0, &errors));
		assert_true(errors.len >= 1);
		fx_graph_error_text(&errors, 0, said, sizeof said);
		assert_string_equal(said, cases[i].said);
	}
	fx_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_where_nodes_may_run),
		cmocka_unit_test(without_hosts_all_run_here),
		cmocka_unit_test(what_is_wrong_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
