// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/conduct/channel.c: messages over two descriptors, whatever else comes there. */
#include "support/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conduct/channel.h"

static void open_one(struct fx_channel *c, int *other)
{
	struct fx_error err = { 0 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(fx_channel_open(c, pair[0], pair[0], &err), FX_OK);
	*other = pair[1];
}

static void open_two(struct fx_channel *a, struct fx_channel *b)
{
	struct fx_error err = { 0 };
	int fd;

	open_one(a, &fd);
	assert_int_equal(fx_channel_open(b, fd, fd, &err), FX_OK);
}

static void messages_come_whole_and_in_order(void **unused)
{
	enum { BIG = 3 << 20 };
	char *big = malloc(BIG);
	struct fx_channel a, b;
	struct fx_error err = { 0 };
	enum fx_channel_kind kind;
	const char *bytes;
	size_t size, got = 0;

	(void)unused;
	open_two(&a, &b);
	memset(big, 'x', BIG);
	assert_true(fx_channel_send(&a, FX_CHANNEL_JSON, "{}", 2));
	assert_true(fx_channel_send(&a, FX_CHANNEL_COUNTERS, big, BIG));
	assert_true(fx_channel_send(&a, FX_CHANNEL_JSON, "", 0));
	while (got < 3) {
		assert_int_equal(fx_channel_pump(&a, &err), FX_OK);
		assert_int_equal(fx_channel_pump(&b, &err), FX_OK);
		while (fx_channel_next(&b, &kind, &bytes, &size)) {
			static const size_t sizes[] = { 2, BIG, 0 };

			assert_int_equal(size, sizes[got]);
			assert_int_equal(kind, got == 1 ? FX_CHANNEL_COUNTERS : FX_CHANNEL_JSON);
			if (got == 1)
				assert_memory_equal(bytes, big, BIG);
			assert_int_equal(bytes[size], 0);
			got++;
		}
	}
	fx_channel_close(&a);
	assert_int_equal(fx_channel_pump(&b, &err), FX_END);
	fx_channel_close(&b);
	free(big);
}

static void what_a_shell_says_first_is_skipped(void **unused)
{
	static const char said[] =
		"Welcome to lab2!\n\nfornix is a program\n" FX_CHANNEL_HELLO "\3\0\0\0J{}";
	enum fx_channel_kind kind;
	struct fx_channel c;
	struct fx_error err = { 0 };
	const char *bytes;
	size_t size;
	int fd;

	(void)unused;
	open_one(&c, &fd);
	for (size_t i = 0; i < sizeof said - 1; i++) {
		assert_false(fx_channel_next(&c, &kind, &bytes, &size));
		assert_int_equal(write(fd, said + i, 1), 1);
		assert_int_equal(fx_channel_pump(&c, &err), FX_OK);
	}
	assert_true(fx_channel_next(&c, &kind, &bytes, &size));
	assert_string_equal(bytes, "{}");
	close(fd);
	fx_channel_close(&c);
}

static void what_is_no_agent_is_refused(void **unused)
{
	static const char long_one[] = FX_CHANNEL_HELLO "\377\377\377\377J";
	char noise[FX_CHANNEL_BANNER + 1];
	struct fx_channel c;
	struct fx_error err = { 0 };
	int fd;

	(void)unused;
	open_one(&c, &fd);
	memset(noise, 'y', sizeof noise);
	assert_int_equal(write(fd, noise, sizeof noise), sizeof noise);
	assert_int_equal(fx_channel_pump(&c, &err), FX_ETYPE);
	assert_string_equal(err.text, "what answers is no agent of fornix");
	close(fd);
	fx_channel_close(&c);
	open_one(&c, &fd);
	assert_int_equal(write(fd, long_one, sizeof long_one - 1), sizeof long_one - 1);
	assert_int_equal(fx_channel_pump(&c, &err), FX_ETYPE);
	assert_non_null(strstr(err.text, "a message of 4294967295 bytes"));
	close(fd);
	fx_channel_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_whole_and_in_order),
		cmocka_unit_test(what_a_shell_says_first_is_skipped),
		cmocka_unit_test(what_is_no_agent_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
