// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/consensus/oversegmentation.c and runtime/node/joined.c. */
#include "support/test.h"

#include <string.h>

#include "support/node_test.h"

extern const struct fx_node_type fx_node_consensus_oversegmentation;

#define NO_MORE "-c", "-d", "-e", "-f", "-g", "-h"

static const char *const two[] = { NO_MORE, NULL };

/* A line of labels at x, a digit each, with so much halo. */
static struct fx_block *line(int64_t x, const char *labels, uint32_t halo_lo, uint32_t halo_hi)
{
	const size_t n = strlen(labels);
	struct fx_block *b = fx_block_new(FX_U16, 1, 1, n);

	b->role = FX_LABELS;
	b->origin[2] = x;
	b->halo_lo[2] = halo_lo;
	b->halo_hi[2] = halo_hi;
	b->voxel_nm[1] = 16;
	for (size_t i = 0; i < n; i++)
		((uint16_t *)b->data)[i] = (uint16_t)(labels[i] - '0');
	return b;
}

static struct fx_mark mark(enum fx_mark_kind kind, int64_t lo, int64_t hi)
{
	const struct fx_mark m = { .kind = kind,
				   .region = { { 0, 0, lo }, { 1, 1, hi } },
				   .voxel_nm = { 8, 8, 8 },
				   .dtype = FX_U16 };

	return m;
}

static void give_mark(struct node_test *t, const char *port, enum fx_mark_kind kind, int64_t lo,
		      int64_t hi)
{
	const struct fx_mark m = mark(kind, lo, hi);

	node_test_mark(t, port, &m);
	assert_int_equal(node_test_result(t), FX_OK);
}

static void check_line(const struct node_test *t, size_t i, int64_t x, const char *labels)
{
	const struct sent *s = node_test_get(t, "labels", FX_BLOCK, i);
	const struct fx_block *b;

	assert_non_null(s);
	b = s->message;
	assert_int_equal(b->dtype, FX_U32);
	assert_int_equal(b->role, FX_LABELS);
	assert_int_equal(b->origin[2], x);
	assert_true(b->voxel_nm[1] > 15);
	assert_int_equal(b->shape[2], strlen(labels));
	for (size_t k = 0; labels[k]; k++)
		assert_int_equal(((const uint32_t *)b->data)[k], labels[k] - '0');
}

/* Two blocks of a line of 12, with a halo of 1. */
static struct node_test *live(const char *lives)
{
	const char *const options[] = { NO_MORE, lives, NULL };
	struct node_test *t = node_test_new(&fx_node_consensus_oversegmentation, options);

	give_mark(t, "a", FX_MARK_OPEN, 0, 12);
	node_test_block(t, "a", line(0, "1112220", 0, 1));
	node_test_block(t, "a", line(5, "2044444", 1, 0));
	give_mark(t, "a", FX_MARK_DONE, 0, 12);
	give_mark(t, "b", FX_MARK_OPEN, 0, 12);
	assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 0);
	node_test_block(t, "b", line(5, "9997799", 1, 0));
	node_test_block(t, "b", line(0, "5555599", 0, 1));
	give_mark(t, "b", FX_MARK_DONE, 0, 12);
	return t;
}

static void blocks_meet_by_place(void **unused)
{
	struct node_test *t = live(NULL);

	(void)unused;
	assert_int_equal(node_test_sent_len(t), 4);
	assert_int_equal(node_test_sent(t, 0)->mark.kind, FX_MARK_OPEN);
	assert_int_equal(node_test_sent(t, 0)->mark.dtype, FX_U32);
	check_line(t, 0, 5, "1023344");
	check_line(t, 1, 0, "1112230");
	assert_int_equal(node_test_sent(t, 3)->mark.kind, FX_MARK_DONE);
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_sent_len(t), 4);
	node_test_free(t);
}

static void another_life_sends_the_same(void **unused)
{
	struct node_test *t[3];

	(void)unused;
	node_test_lives(live, t);
	for (size_t i = 0; i < 3; i++)
		node_test_free(t[i]);
}

static struct node_test *waiting(const char *lives)
{
	const char *const options[] = { NO_MORE, lives, NULL };
	struct node_test *t = node_test_new(&fx_node_consensus_oversegmentation, options);

	give_mark(t, "a", FX_MARK_OPEN, 0, 12);
	node_test_block(t, "a", line(0, "1112220", 0, 1));
	give_mark(t, "b", FX_MARK_OPEN, 0, 12);
	node_test_block(t, "b", line(5, "9997799", 1, 0));
	give_mark(t, "b", FX_MARK_MISSING, 0, 6);
	return t;
}

static void what_it_saved_is_checked(void **unused)
{
	struct node_test *t = waiting("+saved");

	(void)unused;
	node_test_hostile(t);
	node_test_free(t);
}

static void what_one_input_lacks_is_missing(void **unused)
{
	struct node_test *t = waiting(NULL);

	(void)unused;
	assert_int_equal(node_test_sent_len(t), 1); /* OPEN */
	give_mark(t, "a", FX_MARK_DONE, 0, 12);
	give_mark(t, "b", FX_MARK_DONE, 0, 12);
	assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 0);
	assert_int_equal(node_test_sent_len(t), 4); /* each core once, and DONE */
	assert_int_equal(node_test_sent(t, 1)->mark.kind, FX_MARK_MISSING);
	assert_int_equal(node_test_sent(t, 1)->mark.region.lo[2], 6);
	assert_int_equal(node_test_sent(t, 2)->mark.kind, FX_MARK_MISSING);
	assert_int_equal(node_test_sent(t, 2)->mark.region.hi[2], 6);
	assert_int_equal(node_test_sent(t, 3)->mark.kind, FX_MARK_DONE);
	node_test_free(t);
	t = waiting(NULL); /* the same without DONE */
	assert_int_equal(node_test_drain(t), FX_OK);
	assert_int_equal(node_test_sent_len(t), 3);
	node_test_free(t);
}

static void a_missing_section_is_told_once(void **unused)
{
	struct node_test *t = node_test_new(&fx_node_consensus_oversegmentation, two);

	(void)unused;
	give_mark(t, "a", FX_MARK_OPEN, 0, 12);
	give_mark(t, "a", FX_MARK_MISSING, 0, 12);
	give_mark(t, "b", FX_MARK_OPEN, 0, 12);
	give_mark(t, "b", FX_MARK_MISSING, 0, 12);
	assert_int_equal(node_test_sent_len(t), 2);
	assert_int_equal(node_test_sent(t, 1)->mark.kind, FX_MARK_MISSING);
	node_test_drain(t);
	assert_int_equal(node_test_sent_len(t), 2);
	node_test_free(t);
}

static void options_reach_the_kernel(void **unused)
{
	static const struct {
		const char *const options[9], *c, *want;
	} cases[] = {
		{ { "-d", "-e", "-f", "-g", "-h", NULL }, "333330", "110020" },
		{ { "-d", "-e", "-f", "-g", "-h", "unassigned=all", NULL }, "333330", "112345" },
		{ { "-d", "-e", "-f", "-g", "-h", "unassigned=first", NULL }, "333330", "112034" },
		{ { "-d", "-e", "-f", "-g", "-h", "min_voxels=2", NULL }, "333330", "110000" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct node_test *t =
			node_test_new(&fx_node_consensus_oversegmentation, cases[i].options);

		give_mark(t, "a", FX_MARK_OPEN, 0, 6);
		give_mark(t, "b", FX_MARK_OPEN, 0, 6);
		give_mark(t, "c", FX_MARK_OPEN, 0, 6);
		node_test_block(t, "a", line(0, "111022", 0, 0));
		node_test_block(t, "b", line(0, "440066", 0, 0));
		assert_int_equal(node_test_count(t, "labels", FX_BLOCK), 0);
		node_test_block(t, "c", line(0, cases[i].c, 0, 0));
		check_line(t, 0, 0, cases[i].want);
		node_test_free(t);
	}
}

static void refuse(struct fx_block *a, struct fx_block *b, const char *other_port, const char *text)
{
	struct node_test *t = node_test_new(&fx_node_consensus_oversegmentation, two);

	assert_int_equal(node_test_block(t, "a", a), FX_OK);
	assert_int_equal(node_test_block(t, other_port, b), FX_EINVAL);
	if (!strstr(node_test_error(t), text))
		fail_msg("%s", node_test_error(t));
	node_test_free(t);
}

static void wrong_blocks_are_refused(void **unused)
{
	const struct fx_mark open = mark(FX_MARK_OPEN, 0, 12), other = mark(FX_MARK_OPEN, 0, 13);
	struct node_test *t = node_test_new(&fx_node_consensus_oversegmentation, two);

	(void)unused;
	refuse(line(0, "11", 0, 0), line(0, "11", 0, 0), "a", "came twice");
	refuse(line(0, "111", 0, 0), line(1, "11", 0, 0), "b", "one grid");
	refuse(line(0, "111", 0, 1), line(0, "11", 0, 0), "b", "same halo");
	node_test_mark(t, "a", &open);
	node_test_mark(t, "b", &other);
	assert_int_equal(node_test_result(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "all must show one volume"));
	node_test_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_meet_by_place),
		cmocka_unit_test(another_life_sends_the_same),
		cmocka_unit_test(what_it_saved_is_checked),
		cmocka_unit_test(what_one_input_lacks_is_missing),
		cmocka_unit_test(a_missing_section_is_told_once),
		cmocka_unit_test(options_reach_the_kernel),
		cmocka_unit_test(wrong_blocks_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
