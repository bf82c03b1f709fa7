// SPDX-License-Identifier: Apache-2.0
/* Two releases that speak different wire versions: both ends say so in a sentence, neither waits
 * for ever, and whoever sends rubbish does not fill the log. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/inlet.h"
#include "link/outlet.h"

enum { OTHER = FX_WIRE_VERSION + 1, MANY = 500, PATIENCE_MS = 60000 };

struct ends {
	void *zmq, *peer; /* the peer is a bare socket */
	char *dir, endpoint[100];
	struct fx_lane_stats stats;
};

static struct ends ends_new(int peer_type)
{
	struct ends e = { .zmq = zmq_ctx_new(), .dir = test_tmp_dir() };
	const int wait_ms = PATIENCE_MS, zero = 0;

	snprintf(e.endpoint, sizeof e.endpoint, "ipc://%s/x", e.dir);
	e.peer = zmq_socket(e.zmq, peer_type);
	zmq_setsockopt(e.peer, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
	zmq_setsockopt(e.peer, ZMQ_LINGER, &zero, sizeof zero);
	zmq_setsockopt(e.peer, ZMQ_SNDHWM, &zero, sizeof zero);
	zmq_setsockopt(e.peer, ZMQ_RCVHWM, &zero, sizeof zero);
	return e;
}

static void ends_fini(struct ends *e)
{
	zmq_close(e->peer);
	zmq_ctx_term(e->zmq);
	fx_remove_tree(e->dir, NULL);
	free(e->dir);
}

/* A control frame as a release of @p version writes it; free(). */
static uint8_t *control(enum fx_control_kind kind, int version, size_t *size)
{
	const struct fx_control c = {
		.kind = kind, .node = "to", .port = "in", .credit_messages = 1, .credit_bytes = 1
	};
	void *bytes;

	assert_int_equal(fx_control_encode(&c, &bytes, size, NULL), FX_OK);
	((uint8_t *)bytes)[2] = (uint8_t)version;
	return bytes;
}

static void a_consumer_names_both_versions(void **unused)
{
	struct ends e = ends_new(ZMQ_ROUTER);
	const struct fx_inlet_lane lane = { e.endpoint, -1, 1, &e.stats };
	_Atomic uint64_t floor = 0;
	const struct fx_inlet_config config = { .zmq = e.zmq,
						.node = "to",
						.port = "in",
						.ordered = true,
						.credit_messages = 1,
						.credit_bytes = 1,
						.floor = &floor,
						.lanes_len = 1,
						.lanes = &lane };
	struct fx_error err = { 0 };
	struct fx_inlet *in;
	char route[128], hello[256], both[256];
	int route_size;
	size_t size;
	uint8_t *welcome = control(FX_CONTROL_WELCOME, OTHER, &size);

	(void)unused;
	assert_int_equal(zmq_bind(e.peer, e.endpoint), 0);
	in = fx_inlet_new(&config, &err);
	assert_non_null(in);
	fx_inlet_pump(in, &err);
	route_size = zmq_recv(e.peer, route, sizeof route, 0);
	assert_true(route_size > 0 && zmq_recv(e.peer, hello, sizeof hello, 0) > 0);
	for (int i = 0; i < 3; i++) { /* once or twice it could be damage */
		zmq_send(e.peer, route, (size_t)route_size, ZMQ_SNDMORE);
		zmq_send(e.peer, welcome, size, 0);
	}
	for (int i = 0; i < PATIENCE_MS && !err.code; i++) {
		fx_inlet_pump(in, &err);
		fx_sleep_ms(1);
	}
	snprintf(
		both, sizeof both,
		"input in from %s: the peer speaks wire version %d, this fornix speaks %d: use the "
		"same release of fornix on both sides",
		e.endpoint, OTHER, FX_WIRE_VERSION);
	assert_int_equal(err.code, FX_ETYPE);
	assert_string_equal(err.text, both);
	free(welcome);
	fx_inlet_free(in);
	ends_fini(&e);
}

/* What the log says goes to @p path until log_end(). */
static int log_begin(const char *path)
{
	const int kept = dup(2);

	assert_non_null(freopen(path, "w", stderr));
	return kept;
}

static char *log_end(const char *path, int kept)
{
	void *text;
	size_t size;

	fflush(stderr);
	dup2(kept, 2);
	close(kept);
	assert_int_equal(fx_file_read(path, 1 << 20, &text, &size, NULL), FX_OK);
	return text;
}

/* Greets @p n times in another version; the refusals that were counted. */
static unsigned greet(struct ends *e, struct fx_outlet *o, unsigned n)
{
	unsigned refused = 0;
	size_t size;
	uint8_t *hello = control(FX_CONTROL_HELLO, OTHER, &size);

	for (unsigned i = 0; i < n; i++)
		zmq_send(e->peer, hello, size, 0);
	for (int i = 0; i < PATIENCE_MS && refused < n; i++) {
		refused += fx_outlet_pump(o);
		fx_sleep_ms(1);
	}
	free(hello);
	return refused;
}

static unsigned lines(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void a_producer_says_so_and_answers(void **unused)
{
	struct ends e = ends_new(ZMQ_DEALER);
	const struct fx_outlet_lane lane = { 1, &e.stats };
	const struct fx_outlet_edge edge = { "to", "in", 1, &lane, 0, 0, 0 };
	const struct fx_outlet_config config = { .zmq = e.zmq,
						 .node = "from",
						 .port = "out",
						 .endpoint = e.endpoint,
						 .listen_fd = -1,
						 .edges_len = 1,
						 .edges = &edge };
	struct fx_outlet *o = fx_outlet_new(&config, NULL);
	char *path = fx_path_join(e.dir, "log"), *log, said[256];
	uint8_t answer[256];
	int kept, no_wait = 50;
	unsigned answers = 0;

	(void)unused;
	assert_non_null(o);
	zmq_setsockopt(e.peer, ZMQ_ROUTING_ID, "to/in/0/0\n", 10);
	assert_int_equal(zmq_connect(e.peer, e.endpoint), 0);
	kept = log_begin(path);
	greet(&e, o, 1);
	log = log_end(path, kept);
	snprintf(said, sizeof said,
		 "refused a control message of to/in/0/0? to from.out: the peer speaks wire "
		 "version %d, this fornix speaks %d: use the same release of fornix on both "
		 "sides\n",
		 OTHER, FX_WIRE_VERSION);
	assert_non_null(strstr(log, said));
	free(log);
	/* the peer sees which version is spoken here */
	assert_true(zmq_recv(e.peer, answer, sizeof answer, 0) > 4);
	assert_int_equal(fx_wire_version(answer, 4), FX_WIRE_VERSION);
	assert_true(fx_wire_is_control(answer, 4));
	kept = log_begin(path);
	assert_int_equal(greet(&e, o, MANY), MANY);
	log = log_end(path, kept);
	assert_in_range(lines(log), 20, 40);
	for (; answers < 20; answers++) /* and perhaps some more */
		assert_true(zmq_recv(e.peer, answer, sizeof answer, 0) > 0);
	zmq_setsockopt(e.peer, ZMQ_RCVTIMEO, &no_wait, sizeof no_wait);
	while (zmq_recv(e.peer, answer, sizeof answer, 0) > 0)
		answers++;
	assert_in_range(answers, 20, 40);
	free(log);
	free(path);
	fx_outlet_free(o);
	ends_fini(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_consumer_names_both_versions),
		cmocka_unit_test(a_producer_says_so_and_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
