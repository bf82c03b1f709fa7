// SPDX-License-Identifier: Apache-2.0
/* Tests nodes/inspector/feedback.c. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/file.h"
#include "support/artefacts.h"
#include "support/sections.h"

extern const struct fx_node_type fx_node_inspector_feedback;

enum { SIDE = 12, SECTIONS = 12 };

/* A node with its file of requests. */
struct scene {
	struct node_test *t;
	struct fx_block *v;
	char *dir, *file;
};

static void attempt(struct scene *c, int64_t z, int version)
{
	struct fx_record *r = fx_record_new("attempt");

	memset(artefacts_section(c->v, (size_t)z), (int)z + 50 * version, SIDE * SIDE);
	sections_tiles(c->t, "attempts", c->v, z, (struct cut){ 5, 7, version % 2 });
	r->region = sections_mark(c->v, FX_MARK_DONE, z).region;
	assert_int_equal(fx_record_add_number(r, "section", (double)z), FX_OK);
	assert_int_equal(fx_record_add_number(r, "version", version), FX_OK);
	if (node_test_record(c->t, "attempts", r) != FX_OK)
		fail_msg("%s", node_test_error(c->t));
}

static void verdict(struct scene *c, int64_t z, const char *text)
{
	struct fx_record *r = fx_record_new("quality");

	r->region = (struct fx_region){ { z, 2, 0 }, { z + 1, 9, SIDE } };
	assert_int_equal(fx_record_add_text(r, "verdict", text), FX_OK);
	assert_int_equal(fx_record_add_number(r, "tile", -1), FX_OK);
	assert_int_equal(fx_record_add_number(r, "badness", strcmp(text, "good") ? 3 : 0.1), FX_OK);
	if (node_test_record(c->t, "quality", r) != FX_OK)
		fail_msg("%s", node_test_error(c->t));
}

static void missing(struct scene *c, const char *port, int64_t z)
{
	struct fx_mark m = sections_mark(c->v, FX_MARK_MISSING, z);

	snprintf(m.reason, sizeof m.reason, "the knife slipped");
	assert_int_equal(node_test_mark(c->t, port, &m), FX_OK);
}

/* Its node may have failed to start. */
static struct scene scene_make(const char *how, const char *option)
{
	struct scene c = { .v = fx_block_new(FX_U8, SECTIONS, SIDE, SIDE), .dir = test_tmp_dir() };
	const char *options[8] = { "attempts=2", "deadline=6", "patience=4", "hold=7" };
	char file[256];
	size_t n = 4;

	assert_non_null(c.v);
	c.file = fx_path_join(c.dir, "again.jsonl");
	assert_non_null(c.file);
	snprintf(file, sizeof file, "file=%s", c.file);
	options[n++] = file;
	if (how)
		options[n++] = how;
	options[n] = option;
	c.t = node_test_new(&fx_node_inspector_feedback, options);
	return c;
}

static void scene_open(struct scene *c)
{
	if (node_test_result(c->t) != FX_OK)
		fail_msg("%s", node_test_error(c->t));
	sections_open(c->t, "attempts", c->v);
	sections_open(c->t, "quality", c->v);
}

static struct scene scene_new(const char *how, const char *option)
{
	struct scene c = scene_make(how, option);

	scene_open(&c);
	return c;
}

static void scene_free(struct scene *c)
{
	node_test_free(c->t);
	fx_remove_tree(c->dir, NULL);
	fx_block_free(c->v);
	free(c->file);
	free(c->dir);
}

static char *lines(const struct scene *c)
{
	void *text;
	size_t size;

	assert_int_equal(fx_file_read(c->file, 1 << 20, &text, &size, NULL), FX_OK);
	return text;
}

/* What was sent on image: for each section its grey value, or that it is missing. */
static void sent_words(const struct node_test *t, char *to, size_t size)
{
	int grey = -1;

	to[0] = 0;
	for (size_t i = 0; i < node_test_sent_len(t); i++) {
		const struct sent *s = node_test_sent(t, i);
		const size_t at = strlen(to);

		if (s->port != 2)
			continue;
		if (s->kind == FX_BLOCK)
			grey = ((const uint8_t *)((const struct fx_block *)s->message)->data)[0];
		else if (s->mark.kind == FX_MARK_DONE)
			snprintf(to + at, size - at, "%d:%d ", (int)s->mark.region.lo[0], grey);
		else if (s->mark.kind == FX_MARK_MISSING)
			snprintf(to + at, size - at, "%d(%s) ", (int)s->mark.region.lo[0],
				 s->mark.reason);
	}
}

static void asks_and_takes_the_better_one(void **unused)
{
	struct scene c = scene_new(NULL, NULL);
	char words[512], *text;

	(void)unused;
	attempt(&c, 0, 1);
	attempt(&c, 1, 1);
	verdict(&c, 0, "good");
	verdict(&c, 1, "defocus");
	verdict(&c, 2, "good"); /* before its image */
	attempt(&c, 2, 1);
	missing(&c, "attempts", 3);
	attempt(&c, 1, 2);
	sent_words(c.t, words, sizeof words);
	assert_string_equal(words, "0:50 ");
	missing(&c, "quality", 3);
	verdict(&c, 1, "good");
	sent_words(c.t, words, sizeof words);
	assert_string_equal(words, "0:50 1:101 2:52 3(the knife slipped) ");
	text = lines(&c);
	assert_string_equal(text,
			    "{\"section\":1,\"tile\":-1,\"region\":{\"lo\":[1,2,0],\"hi\":[2,9,"
			    "12]},\"reason\":\"defocus\",\"attempt\":1,\"deadline_section\":7,"
			    "\"deadline\":null}\n");
	free(text);
	assert_int_equal(node_test_count(c.t, "requests", FX_RECORD), 1);
	attempt(&c, 1, 3); /* too late: changes nothing */
	verdict(&c, 1, "good");
	assert_int_equal(node_test_drain(c.t), FX_OK);
	sent_words(c.t, words, sizeof words);
	assert_string_equal(words, "0:50 1:101 2:52 3(the knife slipped) ");
	scene_free(&c);
}

static void gives_up(void **unused)
{
	struct scene c = scene_new(NULL, NULL);
	char words[1024], *text;

	(void)unused;
	for (int64_t z = 0; z < 9; z++) {
		attempt(&c, z, 1);
		verdict(&c, z, z == 1 ? "fold" : z == 8 ? "noise" : "good");
	}
	sent_words(c.t, words, sizeof words);
	assert_string_equal(words, "0:50 1(fold: no better image came before its deadline) 2:52 "
				   "3:53 4:54 5:55 6:56 7:57 ");
	text = lines(&c);
	assert_non_null(strstr(text, "\"attempt\":2"));
	assert_non_null(strstr(text, "\"section\":8"));
	free(text);
	assert_int_equal(node_test_drain(c.t), FX_OK);
	sent_words(c.t, words, sizeof words);
	assert_non_null(strstr(words, "8(noise: the stream ended)"));
	scene_free(&c);
}

/* Verdicts before or behind the images: the same decisions. */
static void order_of_inputs_does_not_matter(void **unused)
{
	static const char *const said[] = { "good", "blank", "good", "good", "good", "blank" };
	static const int64_t order[] = { 0, 1, 2, 3, 5, 4 };
	struct scene c[3];

	(void)unused;
	for (int k = 0; k < 3; k++) {
		c[k] = scene_new(NULL, NULL);
		for (int i = 0; i < 6; i++) {
			if (k == 0)
				verdict(&c[k], order[i], said[order[i]]);
			attempt(&c[k], order[i], 1);
			if (k == 1)
				verdict(&c[k], order[i], said[order[i]]);
		}
		for (int i = 0; i < 6 && k == 2; i++)
			verdict(&c[k], order[i], said[order[i]]);
		attempt(&c[k], 1, 2);
		verdict(&c[k], 1, "good");
		assert_int_equal(node_test_drain(c[k].t), FX_OK);
		node_test_same(c[0].t, c[k].t);
	}
	for (int k = 0; k < 3; k++)
		scene_free(&c[k]);
}

static void live(struct scene *c)
{
	for (int64_t z = 0; z < 8; z++) {
		attempt(c, z, 1);
		if (z == 4) {
			attempt(c, 1, 2);
			missing(c, "attempts", 9);
		}
		if (z >= 2)
			verdict(c, z - 2, z == 3 || z == 5 ? "defocus" : "good");
		if (z == 6) {
			verdict(c, 1, "good");
			missing(c, "quality", 9);
		}
	}
	sections_tiles(c->t, "attempts", c->v, 8, (struct cut){ 5, 1000, false });
	verdict(c, 6, "charging");
}

/* In every life the same is sent, and the file has every request once. */
static void another_life_decides_the_same(void **unused)
{
	static const char *const lives[] = { NULL, "+saved", "+killed", NULL };
	struct scene c[4];
	char *text[4];

	(void)unused;
	for (int k = 0; k < 4; k++) {
		c[k] = scene_new(lives[k], lives[k] ? "memory=0" : NULL);
		live(&c[k]);
		if (k == 3) { /* from the beginning, without a save */
			node_test_again(c[k].t, false);
			sections_open(c[k].t, "attempts", c[k].v);
			sections_open(c[k].t, "quality", c[k].v);
			live(&c[k]);
		}
		assert_int_equal(node_test_drain(c[k].t), FX_OK);
		node_test_same(c[0].t, c[k].t);
		text[k] = lines(&c[k]);
		assert_string_equal(text[0], text[k]);
	}
	assert_int_equal(node_test_count(c[0].t, "requests", FX_RECORD), 3);
	for (int k = 0; k < 4; k++) {
		free(text[k]);
		scene_free(&c[k]);
	}
	c[0] = scene_new("+saved", NULL);
	live(&c[0]);
	node_test_hostile(c[0].t);
	scene_free(&c[0]);
}

/* It dies behind the log and before the file: the line is written by the next life. */
static void a_torn_file_is_mended(void **unused)
{
	struct scene c = scene_new("+saved", NULL);
	char *whole, *mended;

	(void)unused;
	attempt(&c, 0, 1);
	verdict(&c, 0, "defocus");
	attempt(&c, 1, 1);
	verdict(&c, 1, "defocus");
	whole = lines(&c);
	for (size_t cut = 0; cut <= strlen(whole); cut += strlen(whole) / 7) {
		FILE *f = fopen(c.file, "w");

		assert_non_null(f);
		assert_int_equal(fwrite(whole, 1, cut, f), cut);
		assert_int_equal(fclose(f), 0);
		node_test_again(c.t, true);
		mended = lines(&c);
		assert_string_equal(mended, whole);
		free(mended);
	}
	free(whole);
	scene_free(&c);
}

/* At a port where no one else listens. */
static struct scene scene_publishing(char option[64])
{
	struct scene c;

	for (int i = 0; i < 100; i++) {
		snprintf(option, 64, "publish=tcp://127.0.0.1:%d",
			 21000 + ((int)getpid() + 101 * i) % 11000);
		c = scene_make(NULL, option);
		if (node_test_result(c.t) == FX_OK || !strstr(node_test_error(c.t), "in use"))
			break;
		scene_free(&c);
	}
	scene_open(&c);
	return c;
}

/* What is told before the subscription has come is told to no one. */
static void publishes(void **unused)
{
	void *zmq = zmq_ctx_new(), *sub = zmq_socket(zmq, ZMQ_SUB);
	const int patience = 500;
	char topic[32] = "", text[512] = "", option[64];
	struct scene c = scene_publishing(option);
	int len = -1;

	(void)unused;
	assert_int_equal(zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "fornix.again", 12), 0);
	assert_int_equal(zmq_connect(sub, strchr(option, '=') + 1), 0);
	for (int64_t z = 0; z < SECTIONS && len < 0; z++) {
		const int wait = patience << (z / 2); /* at last 16 s */

		assert_int_equal(zmq_setsockopt(sub, ZMQ_RCVTIMEO, &wait, sizeof wait), 0);
		attempt(&c, z, 1);
		verdict(&c, z, "blank");
		len = zmq_recv(sub, topic, sizeof topic - 1, 0);
	}
	assert_int_equal(len, 12);
	assert_true(zmq_recv(sub, text, sizeof text - 1, 0) > 0);
	assert_string_equal(topic, "fornix.again");
	assert_non_null(strstr(text, "\"reason\":\"blank\""));
	assert_null(strchr(text, '\n'));
	zmq_close(sub);
	zmq_ctx_term(zmq);
	scene_free(&c);
}

static void refuses(void **unused)
{
	const char *const far[] = { "publish=tcp://0.0.0.0:5000", NULL };
	struct node_test *t = node_test_new(&fx_node_inspector_feedback, far);
	struct scene c;

	(void)unused;
	assert_int_equal(node_test_result(t), FX_EINVAL);
	assert_non_null(strstr(node_test_error(t), "must be tcp://127.0.0.1:PORT"));
	node_test_free(t);
	c = scene_new(NULL, NULL);
	attempt(&c, 0, 1);
	{
		struct fx_record *r = fx_record_new("quality");

		assert_int_equal(fx_record_add_text(r, "verdict", "good"), FX_OK);
		r->region = (struct fx_region){ { 5, 0, 0 }, { 6, 1, 1 } };
		assert_int_equal(node_test_record(c.t, "quality", r), FX_EINVAL);
	}
	assert_non_null(strstr(node_test_error(c.t), "section 0 came, but the verdict is on "
						     "section 5"));
	scene_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asks_and_takes_the_better_one),
		cmocka_unit_test(gives_up),
		cmocka_unit_test(order_of_inputs_does_not_matter),
		cmocka_unit_test(another_life_decides_the_same),
		cmocka_unit_test(a_torn_file_is_mended),
		cmocka_unit_test(publishes),
		cmocka_unit_test(refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
