// SPDX-License-Identifier: Apache-2.0
/* trust.c: only those who hold an allowed key get a word in. */
#include "link/trust.h"

#include <errno.h>
#include <fornix/log.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <zmq.h>

#include "base/alloc.h"

#define ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define ZAP_DOMAIN   "fornix"

enum {
	FRAMES = 7,	 /* of a request: version, id, domain, address, identity, mechanism, key */
	FRAME_MAX = 256, /* bytes of one */
	FILES_MAX =
		65536, /* descriptors: a flood of connections must not use up those of the node */
	OVERHEAD = 64, /* bytes that encryption adds to a frame, and some */
	EVENTS = ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH,
};

struct fx_trust {
	void *zmq, *zap;
	struct fx_keys keys;
	uint8_t (*allowed)[FX_KEY_BYTES]; /* owned; the own key first */
	size_t allowed_len;
	void *monitors[FX_TRUST_SERVERS];
	size_t monitors_len;
	_Atomic uint64_t *refused;
	bool running, told_key, told_other;
	pthread_t thread;
};

struct frame {
	size_t size;
	char bytes[FRAME_MAX];
};

static bool decode_allowed(struct fx_trust *t, const struct fx_keys *keys)
{
	t->allowed = fx_calloc(keys->allowed_len + 1, sizeof *t->allowed);
	if (!t->allowed || !zmq_z85_decode(t->allowed[t->allowed_len++], keys->public_key))
		return false;
	for (size_t i = 0; i < keys->allowed_len; i++)
		if (!zmq_z85_decode(t->allowed[t->allowed_len++], keys->allowed[i]))
			return false;
	return true;
}

/* As many descriptors as are to be had: each half-open connection costs one. */
static void raise_files(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= FILES_MAX)
		return;
	l.rlim_cur = l.rlim_max < FILES_MAX ? l.rlim_max : FILES_MAX;
	setrlimit(RLIMIT_NOFILE, &l);
}

struct fx_trust *fx_trust_new(void *zmq, const struct fx_keys *keys, _Atomic uint64_t *refused,
			      struct fx_error *err)
{
	struct fx_trust *t = calloc(1, sizeof *t);
	const int zero = 0;

	if (!t || !decode_allowed(t, keys)) {
		fx_error_set(err, t && t->allowed ? FX_EINVAL : FX_ENOMEM,
			     "the keys of this run cannot be used");
		if (t)
			free(t->allowed);
		free(t);
		return NULL;
	}
	t->zmq = zmq;
	t->refused = refused;
	memcpy(t->keys.public_key, keys->public_key, FX_KEY_TEXT);
	memcpy(t->keys.secret_key, keys->secret_key, FX_KEY_TEXT);
	t->zap = zmq_socket(zmq, ZMQ_REP);
	if (!t->zap || zmq_bind(t->zap, ZAP_ENDPOINT) != 0) {
		fx_error_set(err, FX_EIO, "cannot check the keys of peers: %s",
			     zmq_strerror(errno));
		fx_trust_free(t);
		return NULL;
	}
	zmq_setsockopt(t->zap, ZMQ_LINGER, &zero, sizeof zero);
	raise_files();
	return t;
}

/* What both ends set; encryption makes frames longer than what they hold. */
static bool curve(const struct fx_trust *t, void *socket, int *failed)
{
	const int handshake_ms = FX_TRUST_HANDSHAKE_MS;
	int64_t max = -1;
	size_t size = sizeof max;

	*failed |= zmq_getsockopt(socket, ZMQ_MAXMSGSIZE, &max, &size);
	max += max >= 0 ? OVERHEAD : 0;
	*failed |= zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max, sizeof max);
	*failed |= zmq_setsockopt(socket, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof handshake_ms);
	*failed |= zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, t->keys.public_key, FX_KEY_TEXT);
	*failed |= zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, t->keys.secret_key, FX_KEY_TEXT);
	return !*failed;
}

static int curve_error(struct fx_error *err)
{
	return fx_error_set(err, FX_EIO, "cannot use the keys of this run: %s",
			    zmq_strerror(errno));
}

int fx_trust_server(struct fx_trust *t, void *socket, struct fx_error *err)
{
	const int one = 1, zero = 0;
	char endpoint[64];
	void *monitor;
	int failed = 0;

	if (t->running || t->monitors_len == FX_TRUST_SERVERS)
		return fx_error_set(err, FX_EINVAL, "more than %d listening sockets",
				    FX_TRUST_SERVERS);
	failed |= zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, ZAP_DOMAIN, strlen(ZAP_DOMAIN));
	failed |= zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &one, sizeof one);
	if (!curve(t, socket, &failed))
		return curve_error(err);
	snprintf(endpoint, sizeof endpoint, "inproc://fornix-refused-%zu", t->monitors_len);
	monitor = zmq_socket(t->zmq, ZMQ_PAIR);
	if (!monitor)
		return curve_error(err);
	t->monitors[t->monitors_len++] = monitor;
	zmq_setsockopt(monitor, ZMQ_LINGER, &zero, sizeof zero);
	return zmq_socket_monitor(socket, endpoint, EVENTS) == 0 &&
			       zmq_connect(monitor, endpoint) == 0 ?
		       FX_OK :
		       curve_error(err);
}

int fx_trust_client(const struct fx_trust *t, void *socket, struct fx_error *err)
{
	int failed = zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, t->keys.public_key, FX_KEY_TEXT);

	return curve(t, socket, &failed) ? FX_OK : curve_error(err);
}

/* One message, its first frames as far as they fit; the number of frames, 0 when there is none. */
static size_t receive(void *socket, struct frame frames[FRAMES])
{
	size_t n = 0;
	int more = 1;
	zmq_msg_t m;

	memset(frames, 0, FRAMES * sizeof *frames);
	while (more) {
		zmq_msg_init(&m);
		if (zmq_msg_recv(&m, socket, ZMQ_DONTWAIT) < 0)
			return 0;
		if (n < FRAMES && zmq_msg_size(&m) < FRAME_MAX) {
			frames[n].size = zmq_msg_size(&m);
			memcpy(frames[n].bytes, zmq_msg_data(&m), frames[n].size);
		}
		n++;
		more = zmq_msg_more(&m);
		zmq_msg_close(&m);
	}
	return n;
}

static bool is_allowed(const struct fx_trust *t, const struct frame *f, size_t n)
{
	if (n != FRAMES || strcmp(f[5].bytes, "CURVE") != 0 || f[6].size != FX_KEY_BYTES)
		return false;
	for (size_t i = 0; i < t->allowed_len; i++)
		if (memcmp(t->allowed[i], f[6].bytes, FX_KEY_BYTES) == 0)
			return true;
	return false;
}

static void tell_key(struct fx_trust *t, const struct frame *f)
{
	char key[FX_KEY_TEXT] = "?";

	if (t->told_key)
		return;
	t->told_key = true;
	if (f[6].size == FX_KEY_BYTES)
		zmq_z85_encode(key, (const uint8_t *)f[6].bytes, FX_KEY_BYTES);
	fx_log(FX_LOG_WARN,
	       "refused a peer at %s: its key %s is not allowed; further ones are only counted",
	       f[3].bytes, key);
}

static void answer(struct fx_trust *t)
{
	struct frame f[FRAMES];
	const size_t n = receive(t->zap, f);
	const bool ok = is_allowed(t, f, n);

	if (!n)
		return;
	if (!ok)
		tell_key(t, f);
	zmq_send(t->zap, "1.0", 3, ZMQ_SNDMORE);
	zmq_send(t->zap, f[1].bytes, f[1].size, ZMQ_SNDMORE);
	zmq_send(t->zap, ok ? "200" : "400", 3, ZMQ_SNDMORE);
	zmq_send(t->zap, ok ? "OK" : "no", 2, ZMQ_SNDMORE);
	zmq_send(t->zap, "", 0, ZMQ_SNDMORE);
	zmq_send(t->zap, "", 0, 0);
}

/* Counts all that a listening socket has told of. */
static void count(struct fx_trust *t, void *monitor)
{
	struct frame f[FRAMES];
	uint16_t event;

	while (receive(monitor, f)) {
		memcpy(&event, f[0].bytes, sizeof event);
		if (!(event & EVENTS)) /* it has ended */
			continue;
		atomic_fetch_add(t->refused, 1);
		if (event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH && !t->told_other)
			fx_log(FX_LOG_WARN,
			       "refused a peer that shows no key of a run; further ones are only "
			       "counted");
		t->told_other = t->told_other || event != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
	}
}

static void *serve(void *context)
{
	struct fx_trust *t = context;
	zmq_pollitem_t items[FX_TRUST_SERVERS + 1] = { { .socket = t->zap, .events = ZMQ_POLLIN } };
	const int n = (int)t->monitors_len + 1;

	for (int i = 1; i < n; i++)
		items[i] = (zmq_pollitem_t){ .socket = t->monitors[i - 1], .events = ZMQ_POLLIN };
	while (zmq_poll(items, n, -1) >= 0 || errno == EINTR) {
		if (items[0].revents)
			answer(t);
		for (int i = 1; i < n; i++)
			if (items[i].revents)
				count(t, items[i].socket);
	}
	return NULL;
}

/* Without signals: they are for the thread of the node. */
int fx_trust_start(struct fx_trust *t, struct fx_error *err)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&t->thread, NULL, serve, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	t->running = !failed;
	return failed ? fx_error_set(err, FX_EIO, "cannot start a thread: %s", strerror(failed)) :
			FX_OK;
}

void fx_trust_free(struct fx_trust *t)
{
	if (!t)
		return;
	if (t->running) {
		zmq_ctx_shutdown(t->zmq);
		pthread_join(t->thread, NULL);
	}
	for (size_t i = 0; i < t->monitors_len; i++)
		zmq_close(t->monitors[i]);
	if (t->zap)
		zmq_close(t->zap);
	free(t->allowed);
	fx_keys_fini(&t->keys);
	free(t);
}
