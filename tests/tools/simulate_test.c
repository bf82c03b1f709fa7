// SPDX-License-Identifier: Apache-2.0
/* Tests fornix simulate: files, the truth, requests, and what it refuses. */
#include "support/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "formats/image.h"
#include "support/images.h"
#include "support/outputs.h"
#include "support/simulate.h"

enum { H = 60, W = 80 };

static void refused(const char *dir, const char *words, const char *says)
{
	void *text;
	size_t size;

	assert_int_equal(play(dir, words), 2);
	assert_int_equal(fx_file_read(test_path(dir, "log"), 65536, &text, &size, NULL), FX_OK);
	if (!strstr(text, says))
		fail_msg("%s: said %s", words, (char *)text);
	free(text);
}

static void await(const char *dir, const char *name)
{
	const int64_t until = fx_now_ns() + WAIT_MS * (int64_t)1000000;

	while (!test_is_there(dir, name)) {
		if (fx_now_ns() > until)
			fail_msg("%s does not come", name);
		fx_sleep_ms(10);
	}
}

/* Ends it as a user does: no time that it waits is too short, then. */
static void stop(pid_t pid)
{
	assert_int_equal(kill(pid, SIGINT), 0);
	assert_int_equal(ended(pid), 1);
}

static void same_truth(const char *dir, const char *a, const char *b)
{
	test_same_files(test_path(dir, a), test_path(dir, b));
}

#define ARTEFACTS                                                                                  \
	"--drift 1 --rotation 1 --brightness 4 --noise 3 --defocus 30 --charging 30 --folds 30 "   \
	"--blank 10 --missing 10 --duplicate 20 --disorder 20 --late 10 "

static void same_seed_same_bytes(void **unused)
{
	char *dir = test_tmp_dir();

	(void)unused;
	assert_int_equal(play(dir, "phantom:12x60x80 @/a --truth @/a.jsonl --tiles 2x2 "
				   "--stage-error 1 --seed 4 " ARTEFACTS),
			 0);
	assert_int_equal(play(dir, "phantom:12x60x80 @/b --truth @/b.jsonl --tiles 2x2 "
				   "--stage-error 1 --seed 4 " ARTEFACTS),
			 0);
	assert_int_equal(play(dir, "phantom:12x60x80 @/c --truth @/c.jsonl --tiles 2x2 "
				   "--stage-error 1 --seed 4 --rate 200 --in-place " ARTEFACTS),
			 0);
	test_same_folders(test_path(dir, "a"), test_path(dir, "b"));
	test_same_folders(test_path(dir, "a"), test_path(dir, "c"));
	same_truth(dir, "a.jsonl", "b.jsonl");
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* The lines of a truth: each json_decref(). */
static size_t read_lines(const char *path, json_t **lines, size_t max)
{
	FILE *in = fopen(path, "re");
	size_t n = 0;

	assert_non_null(in);
	while (n < max && (lines[n] = json_loadf(in, JSON_DISABLE_EOF_CHECK, NULL)))
		n++;
	fclose(in);
	return n;
}

static void truth_tells_of_every_section_and_file(void **unused)
{
	char *dir = test_tmp_dir();
	json_t *lines[40];
	size_t n, files = 0, missing = 0, late = 0;
	json_int_t last = -1;

	(void)unused;
	assert_int_equal(play(dir, "phantom:30x60x80 @/a --truth @/truth.jsonl --manifest "
				   "--sidecar --first 5 --count 24 --seed 9 " ARTEFACTS),
			 0);
	n = read_lines(test_path(dir, "truth.jsonl"), lines, 40);
	assert_int_equal(n, 25);
	assert_int_equal(json_integer_value(json_object_get(lines[0], "sections")), 24);
	for (size_t i = 1; i < n; i++) {
		const json_t *names = json_object_get(lines[i], "files");
		const json_int_t z = json_integer_value(json_object_get(lines[i], "section"));
		char name[64];

		assert_true(z >= 5 && z < 29);
		late += z < last;
		last = z;
		snprintf(name, sizeof name, "a/section-%06d.png", (int)z);
		missing += json_is_true(json_object_get(lines[i], "missing"));
		assert_int_equal(test_is_there(dir, name), names != NULL);
		files += json_array_size(names);
		json_decref(lines[i]);
	}
	json_decref(lines[0]);
	assert_true(missing > 0 && late > 0);
	assert_int_equal(files, 24 - missing);
	assert_int_equal(test_count_files(test_path(dir, "a"), ".png"), files);
	assert_int_equal(test_count_files(test_path(dir, "a"), ".png.done"), files);
	assert_true(test_is_there(dir, "a/acquisition.done"));
	assert_false(test_is_there(dir, "a/tiles.csv"));
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* The sections of a truth in the order of their lines, and how much they are late. */
static void order(const char *dir, const char *words, int64_t sections[], double late_s[], size_t n)
{
	json_t *lines[40];

	assert_int_equal(play(dir, words), 0);
	assert_int_equal(read_lines(test_path(dir, "order.jsonl"), lines, 40), n + 1);
	for (size_t i = 0; i <= n; i++) {
		if (i)
			sections[i - 1] = json_integer_value(json_object_get(lines[i], "section"));
		if (i)
			late_s[i - 1] = json_real_value(json_object_get(lines[i], "late_s"));
		json_decref(lines[i]);
	}
}

static void order_in_which_sections_appear(void **unused)
{
	char *dir = test_tmp_dir();
	int64_t z[30];
	double late[30];
	int moved = 0;

	(void)unused;
	order(dir, "phantom:30x20x20 @/a --truth @/order.jsonl --disorder 20", z, late, 30);
	for (int i = 0; i < 30; i++) {
		if (late[i] <= 0)
			continue;
		assert_true(i == 29 || z[i] <= i);
		moved += z[i] < i;
	}
	assert_true(moved > 1 && moved < 15);
	order(dir, "phantom:30x20x20 @/b --truth @/order.jsonl --late 60 --rate 1000", z, late, 30);
	moved = 0;
	for (int i = 0; i < 30; i++) {
		assert_true(late[i] <= 0 || (late[i] >= 0.003 && late[i] <= 0.01));
		moved += z[i] <= i - 3;
	}
	assert_true(moved > 1 && moved < 25);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void tiles_cover_the_section_and_their_map_says_where(void **unused)
{
	char *dir = test_tmp_dir(), pixels[4 * H * W];
	struct fx_image im = { 0 };
	uint8_t got[31 * 43];
	void *map;
	size_t size;

	(void)unused;
	for (size_t i = 0; i < sizeof pixels; i++)
		pixels[i] = (char)(i * 7 + i / W * 3);
	test_write_tiff(test_path(dir, "in.tif"), 4, H, W, 8, 1, 0, pixels);
	assert_int_equal(play(dir, "@/in.tif @/a --tiles 2x2 --overlap 5 --format tif"), 0);
	assert_int_equal(fx_file_read(test_path(dir, "a/tiles.csv"), 4096, &map, &size, NULL),
			 FX_OK);
	assert_string_equal(map, "tile,y,x,height,width\n0,0,0,31,42\n1,0,38,31,42\n"
				 "2,29,0,31,42\n3,29,38,31,42\n");
	free(map);
	assert_int_equal(fx_image_open(test_path(dir, "a/section-000002-tile-003.tif"), &im, NULL),
			 FX_OK);
	assert_true(im.height == 31 && im.width == 42 && im.dtype == FX_U8);
	assert_int_equal(fx_image_read_all(&im, got, NULL), FX_OK);
	fx_image_close(&im);
	for (size_t y = 0; y < 31; y++)
		assert_memory_equal(got + y * 42, pixels + (2 * H + 29 + y) * W + 38, 42);
	assert_int_equal(test_count_files(test_path(dir, "a"), ".tif"), 16);
	assert_int_equal(play(dir, "@/in.tif @/b --count 1 --format tif"), 0);
	assert_int_equal(play(dir, "@/in.tif @/c --count 1 --format tif --stage-error 9"), 0);
	test_same_folders(test_path(dir, "b"), test_path(dir, "c"));
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void sections_of_a_folder_at_16_bit(void **unused)
{
	char *dir = test_tmp_dir();
	uint16_t pixels[H * W], got[H * W];
	struct fx_image im = { 0 };

	(void)unused;
	assert_int_equal(fx_make_dirs(test_path(dir, "in"), NULL), FX_OK);
	for (size_t z = 0; z < 3; z++) {
		char name[32];

		for (size_t i = 0; i < H * W; i++)
			pixels[i] = (uint16_t)(i * 13 + z * 1000);
		snprintf(name, sizeof name, "in/z%zu.png", z);
		test_write_png(test_path(dir, name), H, W, 16, 0, 0, pixels);
	}
	assert_int_equal(play(dir, "@/in @/a"), 0);
	assert_int_equal(fx_image_open(test_path(dir, "a/section-000002.png"), &im, NULL), FX_OK);
	assert_true(im.height == H && im.width == W && im.dtype == FX_U16);
	assert_int_equal(fx_image_read_all(&im, got, NULL), FX_OK);
	fx_image_close(&im);
	assert_memory_equal(got, pixels, sizeof got);
	refused(dir, "@/in @/in/out", "which is to be imaged");
	refused(dir, "@/in @/in --force", "holds what is to be imaged");
	assert_int_equal(test_count_files(test_path(dir, "in"), ".png"), 3);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void replaces_only_what_a_simulation_wrote(void **unused)
{
	char *dir = test_tmp_dir();

	(void)unused;
	assert_int_equal(play(dir, "phantom:4x60x80 @/a --tiles 1x2 --sidecar --manifest"), 0);
	refused(dir, "phantom:2x60x80 @/a", "is not empty: --force");
	assert_int_equal(play(dir, "phantom:2x60x80 @/a --force"), 0);
	assert_int_equal(test_count_files(test_path(dir, "a"), ""), 3);
	test_write_file(test_path(dir, "a/section-notes.txt"), "x", 1);
	refused(dir, "phantom:2x60x80 @/a --force", "was not written by a simulation");
	assert_int_equal(test_count_files(test_path(dir, "a"), ""), 4);
	test_write_file(test_path(dir, "notes"), "mine", 4);
	refused(dir, "phantom:2x60x80 @/b --truth @/notes", "is no truth of a simulation");
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void wrong_words_are_refused(void **unused)
{
	char *dir = test_tmp_dir();

	(void)unused;
	refused(dir, "phantom:4x60 @/a", "must be phantom:ZxYxX");
	refused(dir, "phantom:4x60x80 @/a --defocus 101", "within 0 to 100 % expected");
	refused(dir, "phantom:4x60x80 @/a --seed 1.5", "a whole number within");
	refused(dir, "phantom:4x60x80 @/a --tiles 2", "ROWSxCOLUMNS expected");
	refused(dir, "phantom:4x60x80 @/a --tiles 100x1", "has only 60 x 80");
	refused(dir, "phantom:4x60x80 @/a --first 4", "--first is 4");
	refused(dir, "phantom:4x60x80 @/a --format jpg", "png or tif");
	refused(dir, "phantom:4x60x80 @/a --pub", "are for an address");
	refused(dir, "phantom:4x60x80 tcp://127.0.0.1:1 --sidecar", "are for a folder");
	refused(dir, "@/none.tif @/a", "none.tif");
	assert_false(test_is_there(dir, "a"));
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void images_again_on_request(void **unused)
{
	static const char asked[] =
		"{\"section\":2,\"tile\":-1,\"reason\":\"defocus\",\"attempt\":2}\n"
		"{\"section\":2,\"tile\":-1,\"reason\":\"defocus\",\"attempt\":2}\n"
		"{\"section\":1,\"tile\":1,\"attempt\":2}\n"
		"{\"section\":99,\"attempt\":2}\nno JSON\n"
		"{\"section\":2,\"atte";
	char *dir = test_tmp_dir(), *text;
	json_t *lines[20], *sum;
	json_int_t again, wrong, refuses;
	size_t n;
	pid_t pid;
	FILE *to;

	(void)unused;
	text = expand(dir, "phantom:4x60x80 @/a --tiles 1x2 --requests @/again.jsonl --linger 3600 "
			   "--json --truth @/t.jsonl --defocus 50 --noise 2");
	pid = start(text, dir);
	free(text);
	await(dir, "a/section-000003-tile-001.png");
	test_write_file(test_path(dir, "again.jsonl"), asked, sizeof asked - 1);
	await(dir, "a/section-000002-tile-001-v2.png");
	await(dir, "a/section-000001-tile-001-v2.png");
	fx_sleep_ms(100); /* the line that is begun is looked at */
	assert_false(test_is_there(dir, "a/acquisition.done"));
	to = fopen(test_path(dir, "again.jsonl"), "ae");
	assert_non_null(to);
	fputs("mpt\":3}\n", to);
	fclose(to);
	await(dir, "a/section-000002-tile-001-v3.png");
	stop(pid);
	assert_true(test_is_there(dir, "a/section-000002-tile-000-v3.png"));
	assert_true(test_is_there(dir, "a/section-000001-tile-001-v2.png"));
	assert_false(test_is_there(dir, "a/section-000001-tile-000-v2.png"));
	assert_true(test_is_there(dir, "a/acquisition.done"));
	assert_int_equal(test_count_files(test_path(dir, "a"), ".png"), 8 + 2 + 1 + 2);
	sum = test_json(dir, "out");
	assert_int_equal(json_unpack(sum, "{s:I, s:I, s:I}", "again", &again, "requests_wrong",
				     &wrong, "requests_refused", &refuses),
			 0);
	json_decref(sum);
	assert_true(again == 3 && wrong == 1 && refuses == 1);
	n = read_lines(test_path(dir, "t.jsonl"), lines, 20);
	assert_int_equal(n, 1 + 4 + 3);
	assert_true(json_equal(json_object_get(lines[3], "affine"),
			       json_object_get(lines[5], "affine")));
	assert_int_equal(json_integer_value(json_object_get(lines[5], "version")), 2);
	while (n > 0)
		json_decref(lines[--n]);
	fx_remove_tree(dir, NULL);
	free(dir);
}

static void nobody_asks(void **unused)
{
	char *dir = test_tmp_dir();
	const int64_t start = fx_now_ns();

	(void)unused;
	assert_int_equal(play(dir, "phantom:3x20x20 @/a --requests @/none --linger 0.5"), 0);
	assert_true(fx_now_ns() - start >= 500000000);
	assert_true(test_is_there(dir, "a/acquisition.done"));
	assert_int_equal(test_count_files(test_path(dir, "a"), ".png"), 3);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* What is behind what is kept is grown again, the same. */
static void the_first_section_again_after_many(void **unused)
{
	static const char asked[] = "{\"section\":0,\"attempt\":2}\n";
	char *dir = test_tmp_dir();
	char *text = expand(dir, "phantom:70x20x20 @/a --requests @/again.jsonl --linger 3600");
	const pid_t pid = start(text, dir);

	(void)unused;
	free(text);
	await(dir, "a/section-000069.png");
	test_write_file(test_path(dir, "again.jsonl"), asked, sizeof asked - 1);
	await(dir, "a/section-000000-v2.png");
	stop(pid);
	test_same_files(test_path(dir, "a/section-000000.png"),
			test_path(dir, "a/section-000000-v2.png"));
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* As the inspector publishes it: said again and again, as the subscriber may come late. */
static void images_again_on_a_publishers_word(void **unused)
{
	static const char line[] = "{\"section\":1,\"tile\":-1,\"attempt\":2}";
	char *dir = test_tmp_dir(), *address = expand(dir, "ipc://@/pub");
	char *text = expand(dir, "phantom:3x20x20 @/a --requests ipc://@/pub --linger 3600");
	void *zmq = zmq_ctx_new(), *socket = zmq_socket(zmq, ZMQ_PUB);
	const int64_t until = fx_now_ns() + WAIT_MS * (int64_t)1000000;
	const int zero = 0;
	pid_t pid;

	(void)unused;
	assert_int_equal(zmq_bind(socket, address), 0);
	pid = start(text, dir);
	await(dir, "a/section-000002.png");
	while (!test_is_there(dir, "a/section-000001-v2.png") && fx_now_ns() < until) {
		zmq_send(socket, "fornix.again", 12, ZMQ_SNDMORE);
		zmq_send(socket, line, sizeof line - 1, 0);
		fx_sleep_ms(20);
	}
	stop(pid);
	assert_int_equal(test_count_files(test_path(dir, "a"), ".png"), 4);
	assert_true(test_is_there(dir, "a/section-000001-v2.png"));
	zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
	zmq_close(socket);
	zmq_ctx_term(zmq);
	fx_remove_tree(dir, NULL);
	free(address);
	free(text);
	free(dir);
}

static void ctrl_c_ends_it_well(void **unused)
{
	char *dir = test_tmp_dir(), *text = fx_asprintf("phantom:900x60x80 %s/a --rate 5", dir);
	const pid_t pid = start(text, dir);

	(void)unused;
	free(text);
	await(dir, "a/section-000001.png");
	stop(pid);
	assert_true(test_is_there(dir, "a/acquisition.done"));
	assert_int_equal(test_count_files(dir, ".part"), 0);
	assert_true(test_count_files(dir, ".png") < 900);
	fx_remove_tree(dir, NULL);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_same_bytes),
		cmocka_unit_test(truth_tells_of_every_section_and_file),
		cmocka_unit_test(order_in_which_sections_appear),
		cmocka_unit_test(tiles_cover_the_section_and_their_map_says_where),
		cmocka_unit_test(sections_of_a_folder_at_16_bit),
		cmocka_unit_test(replaces_only_what_a_simulation_wrote),
		cmocka_unit_test(wrong_words_are_refused),
		cmocka_unit_test(images_again_on_request),
		cmocka_unit_test(nobody_asks),
		cmocka_unit_test(the_first_section_again_after_many),
		cmocka_unit_test(images_again_on_a_publishers_word),
		cmocka_unit_test(ctrl_c_ends_it_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
