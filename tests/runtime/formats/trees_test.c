// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/formats/trees.c and trees_write.c: skeletons from each format to each, and what
 * real SWC files hold. */
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "formats/shards.h"
#include "formats/skeleton.h"
#include "formats/trees.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/volumes.h"

enum { TREES = 5 };

static const double voxel_nm[3] = { 40, 8, 4 };

/* Tree @p s has s * 3 nodes in two pieces, at whole voxels. */
static struct fx_tree *make(uint64_t s)
{
	struct fx_tree *t = fx_tree_new(s, s * 3);

	assert_non_null(t);
	for (size_t i = 0; i < t->len; i++) {
		t->nodes[i] =
			(struct fx_tree_node){ .radius_nm = 16 * (double)(i % 4),
					       .parent = i == 0 || i == s ? -1 : (int32_t)(i - 1),
					       .type = 0 };
		for (int a = 0; a < 3; a++)
			t->nodes[i].pos_nm[a] =
				voxel_nm[a] * (double)((s * 31 + i * 7 + (size_t)a * 3) % 50);
	}
	return t;
}

static void write_all(const char *path, enum fx_trees_format format, enum fx_swc_unit unit)
{
	struct fx_trees_writer w = { .format = format, .path = path, .unit = unit };
	struct fx_error err = { 0 };

	memcpy(w.voxel_nm, voxel_nm, sizeof w.voxel_nm);
	if (fx_trees_write_open(&w, &err) < 0)
		fail_msg("%s", err.text);
	for (uint64_t s = 1; s <= TREES; s++) {
		struct fx_tree *t = make(s);

		const struct fx_trees_item item = { t, "", NULL, 0 };

		if (fx_trees_write_put(&w, &item, &err) < 0)
			fail_msg("%s", err.text);
		if (format != FX_TREES_SWC)
			assert_int_equal(fx_trees_write_put(&w, &item, &err), FX_EINVAL);
		fx_tree_free(t);
	}
	assert_int_equal(access(path, F_OK), -1);
	if (fx_trees_write_close(&w, &err) < 0)
		fail_msg("%s", err.text);
	fx_trees_writer_fini(&w);
}

/* What came of reading. */
struct seen {
	size_t trees, nodes, roots;
	double length_nm;
	uint64_t segments; /* a bit each */
	bool compare;
};

static int see(void *context, const struct fx_trees_item *item, struct fx_error *err)
{
	const struct fx_tree *t = item->tree;
	struct seen *s = context;
	struct fx_tree *want = s->compare ? make(t->segment) : NULL;

	(void)err;
	s->trees++;
	s->nodes += t->len;
	s->length_nm += fx_tree_length_nm(t);
	s->segments |= (uint64_t)1 << (t->segment & 63);
	for (size_t i = 0; i < t->len; i++) {
		assert_true(t->nodes[i].parent < (int32_t)i);
		s->roots += t->nodes[i].parent < 0;
		for (int a = 0; want && a < 3; a++)
			assert_true(fabs(t->nodes[i].pos_nm[a] - want->nodes[i].pos_nm[a]) < 1e-3);
		if (want)
			assert_true(t->nodes[i].parent == want->nodes[i].parent &&
				    fabs(t->nodes[i].radius_nm - want->nodes[i].radius_nm) < 1e-3);
	}
	fx_tree_free(want);
	return FX_OK;
}

static void from_each_format_the_same(void **unused)
{
	static const struct {
		const char *name;
		enum fx_trees_format format;
		enum fx_swc_unit unit;
	} cases[] = { { "a.swc", FX_TREES_SWC, FX_SWC_NM },
		      { "b", FX_TREES_SWC_FOLDER, FX_SWC_UM },
		      { "c", FX_TREES_SWC_FOLDER, FX_SWC_VOXEL },
		      { "d.nml", FX_TREES_NML, FX_SWC_NM },
		      { "e", FX_TREES_SKELETONS, FX_SWC_NM } };
	char *dir = volumes_dir();
	struct fx_error err = { 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const bool one = cases[i].format == FX_TREES_SWC;
		struct seen seen = { .compare = !one };
		struct fx_trees_reader r = { .path = test_path(dir, cases[i].name),
					     .take = see,
					     .context = &seen };

		write_all(r.path, cases[i].format, cases[i].unit);
		assert_int_equal(fx_trees_at(r.path), cases[i].format);
		if (fx_trees_read(&r, &err) < 0)
			fail_msg("%s: %s", r.path, err.text);
		assert_int_equal(seen.trees, one ? 1 : TREES);
		assert_int_equal(seen.nodes, 3 * TREES * (TREES + 1) / 2);
		assert_int_equal(seen.roots, 2 * TREES);
		assert_true(one || seen.segments == 0x3E);
		assert_int_equal(r.repairs, 0);
	}
	assert_int_equal(test_count_files(dir, "partial"), 0);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* As other programs write them: other attributes, a transform, shards. */
static void skeletons_of_others(void **unused)
{
	static const char info[] =
		"{\"@type\": \"neuroglancer_skeletons\", \"transform\": [1000,0,0,5, 0,1000,0,0, "
		"0,0,1000,0], \"vertex_attributes\": [{\"id\": \"color\", \"data_type\": "
		"\"uint8\", \"num_components\": 3}, {\"id\": \"radius\", \"data_type\": "
		"\"float32\", \"num_components\": 1}], \"sharding\": {\"@type\": "
		"\"neuroglancer_uint64_sharded_v1\", \"preshift_bits\": 1, \"hash\": "
		"\"murmurhash3_x86_128\", \"minishard_bits\": 2, \"shard_bits\": 1, "
		"\"minishard_index_encoding\": \"gzip\", \"data_encoding\": \"gzip\"}}";
	static const float at[2][3] = { { 1, 2, 3 }, { 4, 2, 3 } }, radius[2] = { 7, 8 };
	static const uint32_t head[2] = { 2, 1 }, edge[2] = { 1, 0 };
	char *dir = volumes_dir();
	struct seen seen = { 0 };
	struct fx_trees_reader r = { .path = dir, .take = see, .context = &seen };
	struct fx_shard_writer w = { .folder = dir, .sharding = { 1, 2, 1, true, true, true } };
	struct fx_error err = { 0 };
	uint8_t bytes[8 + 24 + 8 + 6 + 8] = { 0 };

	(void)unused;
	memcpy(bytes, head, 8);
	memcpy(bytes + 8, at, 24);
	memcpy(bytes + 32, edge, 8);
	memcpy(bytes + 46, radius, 8);
	test_write_file(test_path(dir, "info"), info, sizeof info - 1);
	for (uint64_t id = 1; id <= 20; id++)
		assert_int_equal(fx_shard_writer_put(&w, id, bytes, sizeof bytes, &err), FX_OK);
	assert_int_equal(fx_shard_writer_finish(&w, &err), FX_OK);
	fx_shard_writer_fini(&w);
	if (fx_trees_read(&r, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(seen.trees, 20);
	assert_true(seen.segments == 0x1FFFFE && seen.length_nm == 20 * 3000.0);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void wrong_ones_are_told(void **unused)
{
	char *dir = volumes_dir();
	struct seen seen = { 0 };
	struct fx_trees_reader r = { .path = dir, .take = see, .context = &seen };
	struct fx_trees_writer w = { .format = FX_TREES_NML, .path = test_path(dir, "x.nml") };
	struct fx_error err = { 0 };

	(void)unused;
	assert_int_equal(fx_trees_read(&r, &err), FX_ETYPE);
	test_write_file(test_path(dir, "bad.swc"), "1 1 0 0 0 1 -1\n2 1 x 0 0 1 1\n", 29);
	assert_int_equal(fx_trees_read(&r, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "bad.swc: line 2: not \"id type x y z radius parent\""));
	test_write_file(test_path(dir, "info"), "{\"@type\": \"neuroglancer_skeletons\"}", 35);
	test_write_file(test_path(dir, "12"), "short", 5);
	assert_int_equal(fx_trees_read(&r, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "skeleton 12: 5 bytes do not fit"));
	assert_int_equal(fx_trees_write_open(&w, &err), FX_EINVAL);
	assert_non_null(strstr(err.text, "whose size is not known"));
	fx_trees_writer_fini(&w);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* Each real file is read: so many nodes, roots, and repairs. */
static const struct {
	const char *name;
	size_t nodes, roots, repairs;
} files[] = {
	{ "navis/hemibrain-754534424.swc", 4696, 1, 0 },
	{ "neurom/Neuron-flat.swc", 847, 1, 0 },
	{ "neurom/Neuron.swc", 847, 1, 0 },
	{ "neurom/Neuron_3_random_walker_branches.swc", 1503, 1, 0 },
	{ "neurom/Neuron_disconnected_components.swc", 843, 5, 0 },
	{ "neurom/Neuron_missing_ids.swc", 8, 3, 2 },
	{ "neurom/Neuron_zero_length_sections.swc", 847, 1, 0 },
	{ "neurom/Neuron_zero_radius.swc", 9, 1, 0 },
	{ "neurom/Single_apical.swc", 214, 1, 0 },
	{ "neurom/Single_apical_no_soma.swc", 211, 1, 0 },
	{ "neurom/Soma_origin.swc", 3, 1, 0 },
	{ "neurom/custom_type.swc", 9, 1, 0 },
	{ "neurom/dangling_axon.swc", 9, 1, 0 },
	{ "neurom/empty_segments.swc", 4, 1, 0 },
	{ "neurom/fat_end.swc", 10, 1, 0 },
	{ "neurom/multiple_somata.swc", 10, 2, 0 },
	{ "neurom/point_soma.swc", 1, 1, 0 },
	{ "neurom/point_soma_single_neurite.swc", 5, 1, 0 },
	{ "neurom/random_trunk_off_0_16pt.swc", 16, 1, 0 },
	{ "neurom/repeated_id.swc", 5, 1, 1 },
	{ "neurom/sequential_trunk_off_0_16pt.swc", 16, 1, 0 },
	{ "neurom/simple-different-soma.swc", 9, 1, 0 },
	{ "neurom/simple.swc", 9, 1, 0 },
	{ "neurom/simple_reversed.swc", 9, 1, 0 },
	{ "neurom/soma_zero_radius.swc", 9, 1, 0 },
	{ "neurom/z_jump.swc", 11, 1, 0 },
	{ "neurom/ordering/sample.swc", 53, 1, 0 },
	{ "neurom/ordering/sample_disordered.swc", 53, 1, 0 },
	{ "neurom/soma/three_pt_soma.swc", 23, 1, 0 },
	{ "snt/TreeV.swc", 532, 1, 0 },
};

static void real_swc_files(void **unused)
{
	const char *data = test_data_dir();

	(void)unused;
	if (!data)
		test_skip("SWC files of other programs: there are no shared data");
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		char *path = fx_asprintf("%s/swc/%s", data, files[i].name);
		struct seen seen = { 0 };
		struct fx_trees_reader r = { .path = path, .take = see, .context = &seen };
		struct fx_error err = { 0 };

		if (fx_trees_read(&r, &err) < 0)
			fail_msg("%s", err.text);
		if (seen.nodes != files[i].nodes || seen.roots != files[i].roots ||
		    r.repairs != files[i].repairs)
			fail_msg("{ \"%s\", %zu, %zu, %zu },", files[i].name, seen.nodes,
				 seen.roots, r.repairs);
		free(path);
	}
	assert_int_equal(test_count_files(test_path(data, "swc"), ".swc"),
			 sizeof files / sizeof files[0]);
}

/* A reader's trees to a writer. */
static int pass(void *context, const struct fx_trees_item *item, struct fx_error *err)
{
	return fx_trees_write_put(context, item, err);
}

static char *converted(const char *dir, const char *from, const char *to,
		       enum fx_trees_format format)
{
	struct fx_trees_writer w = { .format = format,
				     .path = test_path(dir, to),
				     .unit = FX_SWC_NM,
				     .voxel_nm = { 30, 5, 4 } };
	struct fx_trees_reader r = { .path = test_path(dir, from), .take = pass, .context = &w };
	struct fx_error err = { 0 };
	void *text;
	size_t size;

	if (fx_trees_write_open(&w, &err) < 0 || fx_trees_read(&r, &err) < 0 ||
	    fx_trees_write_close(&w, &err) < 0)
		fail_msg("%s", err.text);
	fx_trees_writer_fini(&w);
	if (format == FX_TREES_SWC_FOLDER)
		return NULL;
	assert_int_equal(fx_file_read(test_path(dir, to), 1 << 20, &text, &size, &err), FX_OK);
	return text;
}

static void says(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("%s is not in: %s", what, text);
}

/* Comments and branch points stay with their nodes, whose numbers are others. */
static void notes_go_along(void **unused)
{
	static const char nml[] =
		"<things><parameters><scale x='4' y='5' z='30'/></parameters>"
		"<thing id='7'><nodes><node id='12' x='1' y='2' z='3'/>"
		"<node id='10' x='2' y='2' z='3'/><node id='99' x='0' y='0' z='1'/></nodes><edges>"
		"<edge source='99' target='10'/><edge source='12' target='99'/></edges></thing>"
		"<thing id='3'><nodes><node id='1' x='1' y='1' z='1'/></nodes></thing>"
		"<branchpoints><branchpoint id='1'/><branchpoint id='10'/></branchpoints>"
		"<comments><comment node='1' content='b'/>"
		"<comment node='12' content='soma &quot;a&quot;&#10;or so'/></comments></things>";
	char *dir = volumes_dir(), *text, *again;
	struct fx_error err = { 0 };
	void *swc;
	size_t size;

	(void)unused;
	test_write_file(test_path(dir, "a.nml"), nml, sizeof nml - 1);
	text = converted(dir, "a.nml", "b.nml", FX_TREES_NML);
	says(text, "  <branchpoints>\n    <branchpoint id=\"3\"/>\n    <branchpoint id=\"4\"/>\n"
		   "  </branchpoints>\n  <comments>\n"
		   "    <comment node=\"1\" content=\"soma &quot;a&quot;&#10;or so\"/>\n"
		   "    <comment node=\"4\" content=\"b\"/>\n  </comments>\n</things>");
	again = converted(dir, "b.nml", "c.nml", FX_TREES_NML);
	assert_string_equal(text, again);
	free(text);
	free(again);
	text = converted(dir, "a.nml", "d.swc", FX_TREES_SWC);
	assert_ptr_equal(strstr(text, "# branchpoint 3\n# comment 1 soma \"a\" or so\n"
				      "# branchpoint 4\n# comment 4 b\n# written by fornix\n"),
			 text);
	free(text);
	converted(dir, "a.nml", "e", FX_TREES_SWC_FOLDER);
	assert_int_equal(fx_file_read(test_path(dir, "e/3.swc"), 1000, &swc, &size, &err), FX_OK);
	assert_memory_equal(swc, "# branchpoint 1\n# comment 1 b\n# w", 33);
	free(swc);
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_each_format_the_same),
		cmocka_unit_test(skeletons_of_others),
		cmocka_unit_test(wrong_ones_are_told),
		cmocka_unit_test(real_swc_files),
		cmocka_unit_test(notes_go_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
