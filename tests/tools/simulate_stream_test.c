// SPDX-License-Identifier: Apache-2.0
/* Tests fornix simulate with an address: frames over ZeroMQ. */
#include "support/test.h"

#include <jansson.h>
#include <lz4.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "formats/image.h"
#include "support/images.h"
#include "support/simulate.h"

enum { H = 60, W = 80 };

/* One part of a message; its size. Fails the test when none comes. */
static int receive(void *socket, void *to, size_t size)
{
	const int n = zmq_recv(socket, to, size, 0);

	if (n < 0)
		fail_msg("nothing comes: %s", zmq_strerror(zmq_errno()));
	assert_true((size_t)n <= size);
	return n;
}

static json_t *receive_json(void *socket)
{
	char text[2048];
	const int n = receive(socket, text, sizeof text);
	json_t *j = json_loadb(text, (size_t)n, 0, NULL);

	assert_non_null(j);
	return j;
}

/* The frame @p wanted is section @p wanted + 2, and shows what the file of it does. */
static void check_frame(const char *dir, void *socket, json_int_t wanted, bool lz4)
{
	json_t *j = receive_json(socket);
	json_int_t frame, section, tile, version, h, w;
	const char *dtype, *compression;
	uint8_t bytes[2 * H * W], voxels[H * W], file[H * W];
	struct fx_image im = { 0 };
	char name[32];
	int n;

	assert_int_equal(json_unpack(j, "{s:I, s:I, s:I, s:I, s:[I, I], s:s, s:s}", "frame", &frame,
				     "section", &section, "tile", &tile, "version", &version,
				     "shape", &h, &w, "dtype", &dtype, "compression", &compression),
			 0);
	assert_true(frame == wanted && section == wanted + 2 && tile == 0 && version == 1);
	assert_true(h == H && w == W && strcmp(dtype, "uint8") == 0);
	assert_string_equal(compression, lz4 ? "lz4" : "none");
	assert_string_equal(json_string_value(json_object_get(j, "series")), "fornix-3");
	json_decref(j);
	n = receive(socket, bytes, sizeof bytes);
	if (lz4)
		n = LZ4_decompress_safe((char *)bytes, (char *)voxels, n, sizeof voxels);
	else
		memcpy(voxels, bytes, sizeof voxels);
	assert_int_equal(n, sizeof voxels);
	snprintf(name, sizeof name, "a/section-%06d.png", (int)section);
	assert_int_equal(fx_image_open(test_path(dir, name), &im, NULL), FX_OK);
	assert_int_equal(fx_image_read_all(&im, file, NULL), FX_OK);
	fx_image_close(&im);
	assert_memory_equal(file, voxels, sizeof file);
}

static void frames(const char *dir, const char *options, int type, bool lz4)
{
	const int wait = WAIT_MS;
	char *address = fx_asprintf("ipc://%s/socket", dir);
	char *text = fx_asprintf("phantom:6x60x80 %s --first 2 --seed 3 --drift 1 --noise 4 %s",
				 address, options);
	void *zmq = zmq_ctx_new(), *socket = zmq_socket(zmq, type);
	json_t *end;
	pid_t pid;

	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, sizeof wait);
	if (type == ZMQ_SUB)
		zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
	assert_int_equal(strstr(options, "--connect") ? zmq_bind(socket, address) :
							zmq_connect(socket, address),
			 0);
	pid = start(text, dir);
	for (int i = 0; i < 4; i++)
		check_frame(dir, socket, i, lz4);
	end = receive_json(socket);
	assert_true(json_is_true(json_object_get(end, "end")));
	assert_int_equal(json_integer_value(json_object_get(end, "frames")), 4);
	json_decref(end);
	zmq_close(socket);
	zmq_ctx_term(zmq);
	assert_int_equal(ended(pid), 0);
	free(address);
	free(text);
}

static void frames_are_what_files_are(void **unused)
{
	char *dir = test_tmp_dir();

	(void)unused;
	assert_int_equal(play(dir, "phantom:6x60x80 @/a --first 2 --seed 3 --drift 1 --noise 4"),
			 0);
	frames(dir, "--truth /dev/null", ZMQ_PULL, false);
	frames(dir, "--push --connect --compression lz4", ZMQ_PULL, true);
	frames(dir, "--pub", ZMQ_SUB, false);
	fx_remove_tree(dir, NULL);
	free(dir);
}

/* Many frames for one that begins to read when they are far more than may wait: all come. */
static void all_come(const char *dir, const char *words, int type)
{
	enum { MANY = 4000 };
	const int wait = WAIT_MS, one = 1;
	char *address = expand(dir, "ipc://@/slow"), *text = expand(dir, words);
	void *zmq = zmq_ctx_new(), *socket = zmq_socket(zmq, type);
	uint8_t voxels[64];
	json_t *j;
	pid_t pid;

	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, sizeof wait);
	zmq_setsockopt(socket, ZMQ_RCVHWM, &one, sizeof one);
	if (type == ZMQ_SUB)
		zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
	assert_int_equal(zmq_connect(socket, address), 0);
	pid = start(text, dir);
	for (int i = 0; i < MANY; i++) {
		j = receive_json(socket);
		if (i == 0 || i == MANY - 500) /* the rest can leave the sender meanwhile */
			fx_sleep_ms(400);
		assert_int_equal(json_integer_value(json_object_get(j, "frame")), i);
		json_decref(j);
		assert_int_equal(receive(socket, voxels, sizeof voxels), 16);
	}
	j = receive_json(socket);
	assert_int_equal(json_integer_value(json_object_get(j, "frames")), MANY);
	json_decref(j);
	zmq_close(socket); /* until then it stays */
	zmq_ctx_term(zmq);
	assert_int_equal(ended(pid), 0);
	free(address);
	free(text);
}

static void a_slow_peer_gets_all(void **unused)
{
	char *dir = test_tmp_dir(), *bytes = fx_calloc(1, 128 + 4000 * 16);

	(void)unused;
	assert_non_null(bytes);
	memcpy(bytes, "\x93NUMPY\1\0\x76\0", 10);
	snprintf(bytes + 10, 119, "%-117s\n",
		 "{'descr': '|u1', 'fortran_order': False, 'shape': (4000, 4, 4), }");
	bytes[128] = 0;
	test_write_file(test_path(dir, "in.npy"), bytes, 128 + 4000 * 16);
	all_come(dir, "@/in.npy ipc://@/slow", ZMQ_PULL);
	all_come(dir, "@/in.npy ipc://@/slow --pub", ZMQ_SUB);
	fx_remove_tree(dir, NULL);
	free(bytes);
	free(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_what_files_are),
		cmocka_unit_test(a_slow_peer_gets_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
