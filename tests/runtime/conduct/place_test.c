// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/place.c and costs.c: which process runs on which host. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conduct/place.h"
#include "runtime/graph/fake_types.h"

#define HOSTS                                                                                      \
	"version: 1\nhosts: { here: { slots: 2 }, a: { launcher: local }, b: { launcher: "         \
	"local, tags: big } }\nnodes:\n  s: { type: acquire/fake, host: here, set: { path: x } "   \
	"}\n"

struct fixture {
	struct fx_registry *registry;
	struct fx_graph *graph;
	struct fx_costs costs;
	struct fx_places places;
};

static void fixture_open(struct fixture *f, const char *nodes)
{
	struct fx_graph_errors errors = { 0 };
	struct fx_error err = { 0 };
	char text[2048];

	*f = (struct fixture){ .registry = fake_registry() };
	snprintf(text, sizeof text, HOSTS "%s", nodes);
	f->graph = fx_graph_parse("g", text, strlen(text), f->registry, NULL, 0, 0, &errors);
	if (!f->graph)
		fail_msg("%s", errors.list[0].text);
	assert_int_equal(fx_costs_guess(&f->costs, f->graph, &err), FX_OK);
}

static void fixture_close(struct fixture *f)
{
	fx_places_fini(&f->places);
	fx_costs_fini(&f->costs);
	fx_graph_free(f->graph);
	fx_registry_free(f->registry);
}

static int host_of(const struct fixture *f, const char *node, size_t k)
{
	const size_t n = (size_t)fx_graph_find(f->graph, node);

	return (int)f->places.host[fx_first_instance(f->graph, n) + k];
}

static void workers_are_spread_and_nodes_stay_where_they_must(void **unused)
{
	const int slots[FX_GRAPH_HOSTS_MAX] = { 2, 2, 2 };
	struct fx_error err = { 0 };
	struct fixture f;
	int on[3] = { 0 };

	(void)unused;
	fixture_open(&f, "  w: { type: segmenter/fake, workers: 6, from: { image: s.image } }\n"
			 "  t: { type: acquire/truth, tags: big }\n");
	assert_int_equal(fx_place(&f.places, f.graph, &f.costs, slots, 0, &err), FX_OK);
	assert_int_equal(f.places.len, 8);
	assert_int_equal(host_of(&f, "s", 0), 0);
	assert_int_equal(host_of(&f, "t", 0), 2);
	for (size_t k = 0; k < 6; k++)
		on[host_of(&f, "w", k)]++;
	for (int h = 0; h < 3; h++)
		assert_int_equal(on[h], 2);
	fixture_close(&f);
}

static void those_of_a_host_that_is_gone_go_elsewhere(void **unused)
{
	const int slots[FX_GRAPH_HOSTS_MAX] = { 2, 2, 2 };
	struct fx_error err = { 0 };
	struct fixture f;

	(void)unused;
	fixture_open(&f, "  w: { type: segmenter/fake, workers: 6, from: { image: s.image } }\n"
			 "  t: { type: acquire/truth, tags: big }\n");
	assert_int_equal(fx_place(&f.places, f.graph, &f.costs, slots, 0, &err), FX_OK);
	for (size_t i = 0; i < f.places.len; i++)
		if (f.places.host[i] == 1)
			assert_int_equal(fx_place_again(&f.places, f.graph, &f.costs, slots, 1 << 1,
							i, &err),
					 FX_OK);
	for (size_t i = 0; i < f.places.len; i++)
		assert_int_not_equal(f.places.host[i], 1);
	assert_int_equal(
		fx_place_again(&f.places, f.graph, &f.costs, slots, 1 << 2,
			       fx_first_instance(f.graph, (size_t)fx_graph_find(f.graph, "t")),
			       &err),
		FX_EINVAL);
	assert_non_null(strstr(err.text, "t can run nowhere"));
	fixture_close(&f);
}

static void what_was_measured_counts(void **unused)
{
	char path[] = "/tmp/fornix-place-XXXXXX";
	static const char receipt[] =
		"{\"nodes\": [{\"node\": \"w\", \"work_seconds\": 3.5}, {\"node\": \"w\", "
		"\"work_seconds\": 1.5}, {\"node\": \"x\", \"work_seconds\": -1}],"
		"\"edges\": [{\"from\": \"s.image\", \"to\": \"w.image\", \"bytes\": 4096}]}";
	const int fd = mkstemp(path);
	struct fx_costs c = { 0 };
	struct fx_error err = { 0 };
	struct fixture f;

	(void)unused;
	fixture_open(&f, "  w: { type: segmenter/fake, workers: 2, from: { image: s.image } }\n");
	assert_int_equal(write(fd, receipt, sizeof receipt - 1), sizeof receipt - 1);
	close(fd);
	assert_int_equal(fx_costs_read(&c, f.graph, path, &err), FX_OK);
	assert_true(c.measured);
	assert_true(c.seconds[fx_graph_find(f.graph, "w")] == 5);
	assert_true(c.bytes[0] == 4096);
	fx_costs_fini(&c);
	assert_int_equal(truncate(path, 20), 0);
	assert_int_equal(fx_costs_read(&c, f.graph, path, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "is not the receipt of a run"));
	unlink(path);
	fixture_close(&f);
}

static void a_host_that_joins_takes_its_share(void **unused)
{
	const int slots[FX_GRAPH_HOSTS_MAX] = { 2, 2, 4 };
	bool may[8] = { false, true, true, true, true, true, true, false };
	struct fx_error err = { 0 };
	struct fixture f;
	size_t i, n = 0;
	int on[3] = { 0 };

	(void)unused;
	fixture_open(&f, "  w: { type: segmenter/fake, workers: 6, from: { image: s.image } }\n"
			 "  t: { type: acquire/truth, host: here }\n");
	assert_int_equal(fx_place(&f.places, f.graph, &f.costs, slots, 4, &err), FX_OK);
	may[fx_first_instance(f.graph, (size_t)fx_graph_find(f.graph, "t"))] = false;
	while (fx_place_share(&f.places, f.graph, &f.costs, slots, 2, may, &i) == FX_OK) {
		assert_true(may[i]);
		may[i] = false;
		n++;
	}
	for (size_t k = 0; k < 6; k++)
		on[host_of(&f, "w", k)]++;
	assert_int_equal(on[2], n);
	assert_int_equal(n, 3); /* half of the processors, half of the work */
	assert_true(on[0] >= 1 && on[1] >= 1);
	assert_int_equal(host_of(&f, "t", 0), 0);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers_are_spread_and_nodes_stay_where_they_must),
		cmocka_unit_test(those_of_a_host_that_is_gone_go_elsewhere),
		cmocka_unit_test(what_was_measured_counts),
		cmocka_unit_test(a_host_that_joins_takes_its_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
