// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/trust.c: who holds an allowed key gets messages; all others get nothing, are
 * counted, and neither slow what flows nor leave anything behind. */
#include "support/test.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "link/inlet.h"
#include "link/outlet.h"
#include "link/trust.h"

enum { SIDE = 64, HELD = 200, SHORT = 1000, ROUNDS = 60, GROWTH = 65536, PATIENCE_MS = 60000 };

/* A producer with keys on loopback, and the consumer that it expects. */
struct rig {
	void *producer, *consumer, *stranger; /* contexts */
	struct fx_keys keys;
	_Atomic uint64_t refused, ignored, floor;
	struct fx_trust *server, *client;
	char endpoint[64];
	struct sockaddr_in address;
	struct fx_lane_stats stats;
	struct fx_outlet_lane out_lane;
	struct fx_outlet_edge edge;
	struct fx_inlet_lane in_lane;
	struct fx_outlet *outlet;
	struct fx_inlet *inlet;
};

static int listen_somewhere(struct rig *r)
{
	socklen_t len = sizeof r->address;
	const int fd = socket(AF_INET, SOCK_STREAM, 0);

	r->address.sin_family = AF_INET;
	r->address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (const struct sockaddr *)&r->address, sizeof r->address), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&r->address, &len), 0);
	snprintf(r->endpoint, sizeof r->endpoint, "tcp://127.0.0.1:%d", ntohs(r->address.sin_port));
	return fd;
}

static void start_producer(struct rig *r)
{
	struct fx_error err = { 0 };
	struct fx_outlet_config config = { .zmq = r->producer,
					   .node = "from",
					   .port = "out",
					   .endpoint = r->endpoint,
					   .edges_len = 1,
					   .edges = &r->edge };

	r->server = fx_trust_new(r->producer, &r->keys, &r->refused, &err);
	assert_non_null(r->server);
	config.listen_fd = listen_somewhere(r);
	config.trust = r->server;
	r->out_lane = (struct fx_outlet_lane){ 1, &r->stats };
	r->edge = (struct fx_outlet_edge){
		.node = "to", .port = "in", .lanes_len = 1, .lanes = &r->out_lane
	};
	r->outlet = fx_outlet_new(&config, &err);
	if (!r->outlet || fx_trust_start(r->server, &err) < 0)
		fail_msg("%s", err.text);
}

static void start_consumer(struct rig *r)
{
	struct fx_error err = { 0 };
	struct fx_inlet_config config = { .zmq = r->consumer,
					  .node = "to",
					  .port = "in",
					  .ordered = true,
					  .credit_messages = 4,
					  .credit_bytes = 1 << 20,
					  .floor = &r->floor,
					  .lanes_len = 1,
					  .lanes = &r->in_lane };

	r->client = fx_trust_new(r->consumer, &r->keys, &r->ignored, &err);
	assert_non_null(r->client);
	config.trust = r->client;
	r->in_lane = (struct fx_inlet_lane){ r->endpoint, -1, 1, &r->stats };
	r->inlet = fx_inlet_new(&config, &err);
	if (!r->inlet || fx_trust_start(r->client, &err) < 0)
		fail_msg("%s", err.text);
}

static struct rig *rig_new(void)
{
	struct rig *r = calloc(1, sizeof *r);

	r->producer = zmq_ctx_new();
	r->consumer = zmq_ctx_new();
	r->stranger = zmq_ctx_new();
	assert_int_equal(zmq_curve_keypair(r->keys.public_key, r->keys.secret_key), 0);
	return r;
}

static void rig_free(struct rig *r)
{
	fx_inlet_free(r->inlet);
	fx_outlet_free(r->outlet);
	fx_trust_free(r->server);
	fx_trust_free(r->client);
	zmq_ctx_term(r->stranger);
	zmq_ctx_term(r->consumer);
	zmq_ctx_term(r->producer);
	fx_keys_fini(&r->keys);
	free(r);
}

static void pump(struct rig *r)
{
	assert_int_equal(fx_outlet_pump(r->outlet), 0);
	if (r->inlet)
		assert_int_equal(fx_inlet_pump(r->inlet, NULL), 0);
	fx_sleep_ms(1);
}

static void pass_one(struct rig *r, uint64_t seq)
{
	struct fx_block *b = fx_block_new(FX_U32, 1, SIDE, SIDE);
	struct fx_envelope e = { .seq = seq, .kind = FX_BLOCK, .message = b };

	for (size_t i = 0; i < SIDE * SIDE; i++)
		((uint32_t *)b->data)[i] = (uint32_t)(seq * 1000 + i);
	assert_int_equal(fx_outlet_queue(r->outlet, &e, NULL), FX_OK);
	for (int i = 0; i < PATIENCE_MS && !fx_inlet_peek(r->inlet); i++)
		pump(r);
	assert_true(fx_inlet_pop(r->inlet, &e));
	assert_int_equal(e.seq, seq);
	assert_int_equal(((uint32_t *)((struct fx_block *)e.message)->data)[77], seq * 1000 + 77);
	fx_envelope_fini(&e);
	fx_inlet_ack(r->inlet, seq);
}

static void who_has_the_key_gets_messages(void **unused)
{
	struct rig *r = rig_new();

	(void)unused;
	start_producer(r);
	start_consumer(r);
	for (uint64_t s = 0; s < 8; s++)
		pass_one(r, s);
	for (int i = 0; i < PATIENCE_MS && r->stats.acked < 8; i++)
		pump(r);
	assert_int_equal(r->stats.acked, 8);
	assert_int_equal(r->refused, 0);
	rig_free(r);
}

/* Encrypted, a frame of the most bytes that are accepted is longer: it passes, a longer one not. */
static void the_largest_message_passes(void **unused)
{
	enum { MOST = 1000 };
	struct rig *r = rig_new();
	void *in = zmq_socket(r->producer, ZMQ_PULL), *out = zmq_socket(r->consumer, ZMQ_PUSH);
	const int64_t most = MOST;
	const int zero = 0, patience_ms = PATIENCE_MS;
	char bytes[2 * MOST] = "";

	(void)unused;
	r->server = fx_trust_new(r->producer, &r->keys, &r->refused, NULL);
	r->client = fx_trust_new(r->consumer, &r->keys, &r->ignored, NULL);
	zmq_setsockopt(in, ZMQ_MAXMSGSIZE, &most, sizeof most);
	zmq_setsockopt(in, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms);
	zmq_setsockopt(out, ZMQ_LINGER, &zero, sizeof zero);
	assert_int_equal(fx_trust_server(r->server, in, NULL), FX_OK);
	assert_int_equal(fx_trust_client(r->client, out, NULL), FX_OK);
	assert_int_equal(zmq_bind(in, "tcp://127.0.0.1:*"), 0);
	assert_int_equal(fx_trust_start(r->server, NULL), FX_OK);
	assert_int_equal(
		zmq_getsockopt(in, ZMQ_LAST_ENDPOINT, r->endpoint, &(size_t){ sizeof r->endpoint }),
		0);
	assert_int_equal(zmq_connect(out, r->endpoint), 0);
	zmq_send(out, bytes, MOST, 0);
	assert_int_equal(zmq_recv(in, bytes, sizeof bytes, 0), MOST);
	zmq_setsockopt(in, ZMQ_RCVTIMEO, &(int){ 100 }, sizeof(int));
	zmq_send(out, bytes, MOST + 100, 0);
	assert_int_equal(zmq_recv(in, bytes, sizeof bytes, 0), -1);
	zmq_close(in);
	zmq_close(out);
	rig_free(r);
}

/* A bare socket that says what the expected consumer would say; @p own: its key pair, NULL: it
 * knows of none. */
static void *stranger(struct rig *r, const struct fx_keys *own, const char *server)
{
	void *s = zmq_socket(r->stranger, ZMQ_DEALER);
	const struct fx_control c = { .kind = FX_CONTROL_HELLO,
				      .node = "to",
				      .port = "in",
				      .credit_messages = 100,
				      .credit_bytes = 1 << 30 };
	const int zero = 0;
	void *hello;
	size_t size;

	zmq_setsockopt(s, ZMQ_LINGER, &zero, sizeof zero);
	if (own) {
		zmq_setsockopt(s, ZMQ_CURVE_SERVERKEY, server, FX_KEY_TEXT);
		zmq_setsockopt(s, ZMQ_CURVE_PUBLICKEY, own->public_key, FX_KEY_TEXT);
		zmq_setsockopt(s, ZMQ_CURVE_SECRETKEY, own->secret_key, FX_KEY_TEXT);
	}
	assert_int_equal(zmq_connect(s, r->endpoint), 0);
	assert_int_equal(fx_control_encode(&c, &hello, &size, NULL), FX_OK);
	zmq_send(s, hello, size, 0);
	free(hello);
	return s;
}

/* What is sent is for the expected consumer; it waits. */
static void queue_one(struct rig *r)
{
	struct fx_envelope e = { .kind = FX_BLOCK, .message = fx_block_new(FX_U8, 1, SIDE, SIDE) };

	assert_int_equal(fx_outlet_queue(r->outlet, &e, NULL), FX_OK);
}

static void strangers_get_nothing_and_are_counted(void **unused)
{
	struct fx_keys other = { 0 };
	char byte;

	(void)unused;
	assert_int_equal(zmq_curve_keypair(other.public_key, other.secret_key), 0);
	for (int kind = 0; kind < 3; kind++) {
		struct rig *r = rig_new();
		void *s;

		start_producer(r);
		queue_one(r);
		/* no key; a key that is not allowed; the server taken for another */
		s = stranger(r, kind ? &other : NULL,
			     kind == 2 ? other.public_key : r->keys.public_key);
		for (int i = 0; i < PATIENCE_MS && !r->refused; i++)
			pump(r);
		assert_true(r->refused >= 1);
		for (int i = 0; i < 100; i++)
			pump(r);
		assert_int_equal(r->stats.sent, 0);
		assert_int_equal(zmq_recv(s, &byte, 1, ZMQ_DONTWAIT), -1);
		zmq_close(s);
		rig_free(r);
	}
}

static void a_key_of_the_list_is_let_in(void **unused)
{
	struct rig *r = rig_new();
	struct fx_keys friend = { 0 };
	uint8_t answer[256] = "";
	void *s;

	(void)unused;
	assert_int_equal(zmq_curve_keypair(friend.public_key, friend.secret_key), 0);
	r->keys.allowed = calloc(1, sizeof *r->keys.allowed);
	memcpy(r->keys.allowed[r->keys.allowed_len++], friend.public_key, FX_KEY_TEXT);
	start_producer(r);
	queue_one(r);
	s = stranger(r, &friend, r->keys.public_key);
	for (int i = 0; i < PATIENCE_MS && zmq_recv(s, answer, sizeof answer, ZMQ_DONTWAIT) < 0;
	     i++)
		pump(r);
	assert_true(fx_wire_is_control(answer, 4));
	assert_int_equal(r->stats.sent, 1);
	assert_int_equal(r->refused, 0);
	zmq_close(s);
	rig_free(r);
}

static int open_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

extern size_t __sanitizer_get_current_allocated_bytes(void) __attribute__((weak));

static size_t heap_bytes(void)
{
	return __sanitizer_get_current_allocated_bytes ? __sanitizer_get_current_allocated_bytes() :
							 mallinfo2().uordblks;
}

static int connection(const struct rig *r)
{
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	connect(fd, (const struct sockaddr *)&r->address, sizeof r->address);
	return fd;
}

/* How long the producer waits for one that says nothing. */
static int64_t handshake_ns(const struct rig *r)
{
	int ms = 0;
	size_t size = sizeof ms;

	assert_int_equal(zmq_getsockopt(fx_outlet_socket(r->outlet), ZMQ_HANDSHAKE_IVL, &ms, &size),
			 0);
	assert_true(ms > 0);
	return ms * INT64_C(1000000);
}

/* Connections that say nothing, say rubbish, or go at once, and peers without and with a key that
 * try again and again: all at once, while blocks flow. */
static void a_flood_leaves_nothing_behind(void **unused)
{
	struct rig *r = rig_new();
	struct fx_keys other = { 0 };
	int held[HELD], files;
	void *peers[8];
	uint64_t seq = 0;
	size_t heap;
	int64_t start;

	(void)unused;
	assert_int_equal(zmq_curve_keypair(other.public_key, other.secret_key), 0);
	start_producer(r);
	start_consumer(r);
	for (; seq < 8; seq++)
		pass_one(r, seq);
	zmq_close(zmq_socket(r->stranger, ZMQ_DEALER)); /* its threads have files, too */
	files = open_files();
	heap = heap_bytes();
	start = fx_now_ns();
	for (int i = 0; i < HELD; i++)
		held[i] = connection(r);
	for (int i = 0; i < 8; i++)
		peers[i] = stranger(r, i % 2 ? &other : NULL, r->keys.public_key);
	for (int i = 0; i < ROUNDS; i++, seq++) {
		for (int k = 0; k < SHORT / ROUNDS; k++) {
			const int fd = connection(r);

			if (k % 2)
				send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
			close(fd);
		}
		pass_one(r, seq);
	}
	/* were one of them waited for, it would be until its handshake is given up */
	assert_true(fx_now_ns() - start < handshake_ns(r) * HELD / 10);
	for (int i = 0; i < 8; i++)
		zmq_close(peers[i]);
	/* those that say nothing are dropped, long before the 30 s that ZeroMQ gives them by
	 * itself: only the own ends are left */
	assert_true(handshake_ns(r) <= INT64_C(10000000000));
	for (int i = 0;
	     i < PATIENCE_MS && (open_files() > files + HELD || heap_bytes() > heap + GROWTH); i++)
		pump(r);
	assert_true(open_files() <= files + HELD);
	for (int i = 0; i < HELD; i++)
		close(held[i]);
	for (int i = 0; i < PATIENCE_MS && open_files() > files; i++)
		pump(r); /* the other ends of the last of them go in their own time */
	assert_true(open_files() <= files);
	assert_true(heap_bytes() <= heap + GROWTH);
	assert_true(r->refused >= HELD);
	pass_one(r, seq);
	rig_free(r);
}

static void what_is_no_key_makes_no_trust(void **unused)
{
	struct rig *r = rig_new();
	struct fx_error err = { 0 };

	(void)unused;
	r->keys.public_key[3] = ' ';
	assert_null(fx_trust_new(r->producer, &r->keys, &r->refused, &err));
	assert_non_null(strstr(err.text, "cannot be used"));
	fx_trust_free(NULL);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_the_key_gets_messages),
		cmocka_unit_test(the_largest_message_passes),
		cmocka_unit_test(strangers_get_nothing_and_are_counted),
		cmocka_unit_test(a_key_of_the_list_is_let_in),
		cmocka_unit_test(a_flood_leaves_nothing_behind),
		cmocka_unit_test(what_is_no_key_makes_no_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
