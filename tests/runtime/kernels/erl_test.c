// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/kernels/erl.c. */
#include "support/test.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "kernels/erl.h"
#include "kernels/runs.h"
#include "support/labels_tiff.h"

static void assert_near(double a, double b, double limit)
{
	if (!(fabs(a - b) <= limit))
		fail_msg("%.17g is not %.17g within %g", a, b, limit);
}

/* A straight skeleton along x, 10 nm a step, with one segment a node. */
static size_t line(struct fx_erl_node *nodes, size_t at, uint64_t skeleton,
		   const uint64_t *segments, size_t n)
{
	for (size_t i = 0; i < n; i++)
		nodes[at + i] = (struct fx_erl_node){
			.skeleton = skeleton,
			.segment = segments[i],
			.pos_nm = { 0, (double)skeleton, 10 * (double)i },
			.parent = i ? (int64_t)(at + i - 1) : -1,
		};
	return at + n;
}

static void edges_fall_into_four_classes(void **unused)
{
	const uint64_t a[] = { 1, 1, 1, 2, 2, 0, 3 }, b[] = { 3, 3, 5, 5 };
	struct fx_erl_node nodes[16];
	struct fx_erl_scores s;
	size_t n = line(nodes, 0, 100, a, 7);

	(void)unused;
	n = line(nodes, n, 200, b, 4);
	assert_int_equal(fx_erl_compute(nodes, n, 1, &s, NULL), FX_OK);
	/* a: 1-1 1-1 correct, 1-2 split, 2-2 correct, 2-0 0-3 omitted; b: 3-3 merged (3 is in a
	 * too), 3-5 split, 5-5 correct */
	assert_near(s.length_nm, 90, 1e-12);
	assert_near(s.correct, 4.0 / 9, 1e-12);
	assert_near(s.split, 2.0 / 9, 1e-12);
	assert_near(s.omitted, 2.0 / 9, 1e-12);
	assert_near(s.merged, 1.0 / 9, 1e-12);
	assert_int_equal(s.merging_segments, 1);
	assert_int_equal(s.skeletons, 2);
	assert_near(s.erl_nm, (20 * 20 + 10 * 10 + 10 * 10) / 90.0, 1e-12);
	assert_near(s.ceiling_nm, (60 * 60 + 30 * 30) / 90.0, 1e-12);
	assert_near(s.normalised, s.erl_nm / s.ceiling_nm, 1e-15);
	assert_int_equal(s.edges, 9);
	assert_int_equal(s.correct_edges, 4);
	assert_int_equal(s.omitted_edges, 2);
	assert_int_equal(s.split_edges, 2);
	assert_int_equal(s.merged_edges, 1);
}

static void each_neuron_has_its_run(void **unused)
{
	const uint64_t a[] = { 1, 1, 1, 2, 2, 0, 3 }, b[] = { 3, 3, 5, 5 }, c[] = { 5 };
	struct fx_erl_node nodes[16];
	struct fx_erl_neuron *n;
	size_t len = line(nodes, 0, 200, a, 7), found;

	(void)unused;
	len = line(nodes, len, 100, b, 4);
	len = line(nodes, len, 300, c, 1);
	assert_int_equal(fx_erl_neurons(nodes, len, 1, &n, &found, NULL), FX_OK);
	assert_int_equal(found, 3);
	assert_true(n[0].skeleton == 100 && n[1].skeleton == 200 && n[2].skeleton == 300);
	assert_near(n[0].length_nm, 30, 1e-12);
	assert_near(n[0].run_nm, 0, 0); /* 5 is in the third one too */
	assert_near(n[0].merged, 2.0 / 3, 1e-12);
	assert_near(n[0].split, 1.0 / 3, 1e-12);
	assert_near(n[1].length_nm, 60, 1e-12);
	assert_near(n[1].run_nm, (20 * 20 + 10 * 10) / 60.0, 1e-12);
	assert_near(n[1].correct, 0.5, 1e-12);
	assert_near(n[1].omitted, 2.0 / 6, 1e-12);
	assert_int_equal(n[1].segments, 3);
	assert_int_equal(n[1].edges, 6);
	assert_true(n[2].length_nm == 0 && n[2].run_nm == 0 && n[2].edges == 0);
	free(n);
	nodes[1].parent = 20;
	assert_int_equal(fx_erl_neurons(nodes, len, 1, &n, &found, NULL), FX_EINVAL);
}

static void small_contacts_are_tolerated(void **unused)
{
	const uint64_t a[] = { 1, 1, 1, 3 }, b[] = { 3, 3, 3 };
	struct fx_erl_node nodes[16];
	struct fx_erl_scores s;
	size_t n = line(nodes, 0, 100, a, 4);

	(void)unused;
	n = line(nodes, n, 200, b, 3);
	assert_int_equal(fx_erl_compute(nodes, n, 2, &s, NULL), FX_OK);
	assert_int_equal(s.merging_segments, 0);
	assert_near(s.merged, 0, 0);
	assert_near(s.correct, 4.0 / 5, 1e-12);
	assert_near(s.omitted, 1.0 / 5, 1e-12); /* 1-3: its end does not count */
	assert_int_equal(fx_erl_compute(nodes, n, 4, &s, NULL), FX_OK);
	assert_near(s.omitted, 1, 1e-12);
	assert_near(s.erl_nm, 0, 0);
}

static void broken_skeletons_are_refused(void **unused)
{
	const uint64_t a[] = { 1, 1 };
	struct fx_erl_node nodes[2];
	struct fx_erl_scores s;
	struct fx_error err = { 0 };

	(void)unused;
	line(nodes, 0, 1, a, 2);
	nodes[1].parent = 2;
	assert_int_equal(fx_erl_compute(nodes, 2, 1, &s, &err), FX_EINVAL);
	assert_string_equal(err.text, "node 1 has parent 2, of 2 nodes");
	nodes[1].parent = 0;
	nodes[1].pos_nm[0] = (double)INFINITY;
	assert_int_equal(fx_erl_compute(nodes, 2, 1, &s, &err), FX_EINVAL);
	assert_int_equal(fx_erl_compute(nodes, 1, 1, &s, &err), FX_EINVAL);
	assert_string_equal(err.text, "the skeletons have no cable to score");
}

/* The reference skeletons, unpacked by tar into a folder of its own. */
static size_t load_skeletons(const char *data, const struct fx_block *seg,
			     struct fx_erl_node **nodes)
{
	char *dir = test_tmp_dir(), command[1024];
	size_t len = 0, cap = 0;

	snprintf(command, sizeof command,
		 "tar xzf '%s/labels/kimimaro/fib25-truth-z000-124.swc.tar.gz' -C %s", data, dir);
	if (system("tar --version >/dev/null 2>&1") != 0) {
		fx_remove_tree(dir, NULL);
		free(dir);
		return 0;
	}
	assert_int_equal(system(command), 0);
	for (uint64_t id = 1; id < 1000; id++) {
		struct fx_tree *tree;
		const size_t base = len;

		snprintf(command, sizeof command, "%s/%d.swc", dir, (int)id);
		if (access(command, R_OK) != 0)
			continue;
		tree = test_swc(command, id);
		assert_true(fx_grow(nodes, &cap, len + tree->len, sizeof **nodes));
		for (size_t i = 0; i < tree->len; i++, len++) {
			struct fx_erl_node *n = &(*nodes)[len];
			size_t v[3];

			n->skeleton = id;
			n->parent = tree->nodes[i].parent < 0 ?
					    -1 :
					    (int64_t)base + tree->nodes[i].parent;
			memcpy(n->pos_nm, tree->nodes[i].pos_nm, sizeof n->pos_nm);
			for (int a = 0; a < 3; a++) {
				v[a] = (size_t)llround(n->pos_nm[a] / 8);
				assert_true(v[a] < seg->shape[a]);
			}
			n->segment =
				fx_label_at(seg->data, seg->dtype,
					    (v[0] * seg->shape[1] + v[1]) * seg->shape[2] + v[2]);
		}
		fx_tree_free(tree);
	}
	fx_remove_tree(dir, NULL);
	free(dir);
	return len;
}

/* The mean of the neurons' runs by their lengths is the whole's. */
static void assert_neurons(const struct fx_erl_node *nodes, size_t len, uint64_t min_nodes,
			   const struct fx_erl_scores *all)
{
	struct fx_erl_neuron *n;
	double length = 0, run = 0, merged = 0;
	size_t found;

	assert_int_equal(fx_erl_neurons(nodes, len, min_nodes, &n, &found, NULL), FX_OK);
	assert_int_equal(found, all->skeletons);
	for (size_t i = 0; i < found; i++) {
		length += n[i].length_nm;
		run += n[i].length_nm * n[i].run_nm;
		merged += n[i].length_nm * n[i].merged;
	}
	assert_near(length, all->length_nm, 1e-8);
	assert_near(run / length, all->erl_nm, 1e-8);
	assert_near(merged / length, all->merged, 1e-12);
	free(n);
}

static void assert_result(const struct fx_erl_node *nodes, size_t len, const json_t *want)
{
	const json_t *share = json_object_get(want, "share_of_length");
	struct fx_erl_scores s;

	assert_int_equal(
		fx_erl_compute(nodes, len,
			       (uint64_t)json_integer_value(json_object_get(want, "min_nodes")), &s,
			       NULL),
		FX_OK);
	assert_near(s.erl_nm, json_number_value(json_object_get(want, "erl_nm")), 1e-8);
	assert_int_equal(s.merging_segments,
			 json_integer_value(json_object_get(want, "merging_segments")));
	assert_near(s.correct, json_number_value(json_object_get(share, "correct")), 1e-12);
	assert_near(s.split, json_number_value(json_object_get(share, "split")), 1e-12);
	assert_near(s.merged, json_number_value(json_object_get(share, "merged")), 1e-12);
	assert_near(s.omitted, json_number_value(json_object_get(share, "omitted")), 1e-12);
	assert_near(s.length_nm, 164620.25085475997, 1e-8);
	assert_near(s.ceiling_nm, 7060.201772479093, 1e-8);
	assert_int_equal(s.skeletons, 118);
	assert_int_equal(s.edges,
			 s.correct_edges + s.omitted_edges + s.split_edges + s.merged_edges);
	assert_neurons(nodes, len, (uint64_t)json_integer_value(json_object_get(want, "min_nodes")),
		       &s);
}

static void the_published_ffn_runs_as_published(void **unused)
{
	const char *data = test_data_dir();
	struct fx_erl_node *nodes = NULL;
	struct fx_block *seg;
	json_t *json, *result;
	char *path;
	size_t len, i;

	(void)unused;
	if (!data)
		test_skip("expected run length of the published FFN segmentation");
	seg = test_labels_tiff(data, "fib25/ffn-published.tif", 125);
	len = load_skeletons(data, seg, &nodes);
	fx_block_free(seg);
	if (!len)
		test_skip("expected run length: there is no tar");
	assert_int_equal(len, 14718);
	path = fx_path_join(data, "metrics/fib25-ffn-reference.json");
	json = json_load_file(path, 0, NULL);
	json_array_foreach(json_object_get(json_object_get(json, "erl"), "results"), i, result)
		assert_result(nodes, len, result);
	assert_int_equal(i, 6);
	json_decref(json);
	free(path);
	free(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edges_fall_into_four_classes),
		cmocka_unit_test(each_neuron_has_its_run),
		cmocka_unit_test(small_contacts_are_tolerated),
		cmocka_unit_test(broken_skeletons_are_refused),
		cmocka_unit_test(the_published_ffn_runs_as_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
