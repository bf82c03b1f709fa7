// SPDX-License-Identifier: Apache-2.0
/* simulate_requests.c: requests to image a section again, from a file that grows or a publisher. */
#include "simulate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/chance.h"
#include "base/map64.h"

enum { LINE_MAX_SIZE = 65536 };

static const char TOPIC[] = "fornix.again";

struct sim_requests {
	char *path; /* owned; NULL for a socket */
	off_t at;
	char line[LINE_MAX_SIZE]; /* begun, not ended yet */
	size_t len;
	void *zmq, *socket;
	struct fx_map64 seen; /* of what was asked for */
	uint64_t wrong;
};

uint64_t sim_requests_wrong(const struct sim_requests *r)
{
	return r->wrong;
}

static int connect_publisher(struct sim_requests *r, const char *where, struct fx_error *err)
{
	const int64_t largest = LINE_MAX_SIZE;

	r->zmq = zmq_ctx_new();
	r->socket = r->zmq ? zmq_socket(r->zmq, ZMQ_SUB) : NULL;
	if (!r->socket || zmq_setsockopt(r->socket, ZMQ_MAXMSGSIZE, &largest, sizeof largest) ||
	    zmq_setsockopt(r->socket, ZMQ_SUBSCRIBE, TOPIC, sizeof TOPIC - 1) ||
	    zmq_connect(r->socket, where))
		return fx_error_set(err, FX_EINVAL, "--requests %s: cannot connect: %s", where,
				    zmq_strerror(errno));
	return FX_OK;
}

struct sim_requests *sim_requests_open(const char *where, struct fx_error *err)
{
	struct sim_requests *r = fx_calloc(1, sizeof *r);
	int result = r ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory");

	if (r && strstr(where, "://"))
		result = connect_publisher(r, where, err);
	else if (r && !(r->path = fx_strdup(where)))
		result = fx_error_set(err, FX_ENOMEM, "no memory");
	if (result == FX_OK)
		return r;
	sim_requests_close(r);
	return NULL;
}

/* A line as the inspector writes it. False when it is none, or was there before. */
static bool take_line(struct sim_requests *r, const char *text, size_t len, struct sim_request *out)
{
	json_t *j = json_loadb(text, len, 0, NULL);
	json_int_t section = -1, tile = -1, attempt = 0;
	bool fresh = false;

	if (j &&
	    json_unpack(j, "{s:I, s?I, s?I}", "section", &section, "tile", &tile, "attempt",
			&attempt) == 0 &&
	    section >= 0 && section < SIM_SECTIONS_MAX && tile >= -1 && tile < SIM_TILES_MAX) {
		const int64_t what[3] = { section, tile, attempt };
		const uint64_t key = fx_chance_mix(FX_CHANCE_START, what, sizeof what);
		uint64_t *const times = fx_map64_at(&r->seen, key);

		fresh = times && (*times)++ == 0;
		*out = (struct sim_request){ section, (int)tile };
	} else {
		r->wrong++;
	}
	json_decref(j);
	return fresh;
}

/* Moves the next whole line to r->line; false when there is none yet. A file that became shorter
 * is a new one. */
static bool next_line(struct sim_requests *r)
{
	const int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	ssize_t n = 0;
	char *end = NULL;

	r->len = 0;
	if (fd >= 0 && fstat(fd, &st) == 0) {
		if (st.st_size < r->at)
			r->at = 0;
		n = pread(fd, r->line, sizeof r->line, r->at);
	}
	if (fd >= 0)
		close(fd);
	if (n > 0)
		end = memchr(r->line, '\n', (size_t)n);
	if (end) {
		r->len = (size_t)(end - r->line);
		r->at += (off_t)r->len + 1;
	} else if (n == sizeof r->line) { /* too long to be one of ours */
		r->at += n;
	}
	return end || n == sizeof r->line;
}

static int next_message(struct sim_requests *r, struct sim_request *out)
{
	int more = 0, n;
	size_t size = sizeof more;

	while ((n = zmq_recv(r->socket, r->line, sizeof r->line, ZMQ_DONTWAIT)) >= 0) {
		zmq_getsockopt(r->socket, ZMQ_RCVMORE, &more, &size);
		if (!more && n <= (int)sizeof r->line && take_line(r, r->line, (size_t)n, out))
			return FX_OK;
	}
	return FX_IDLE;
}

int sim_requests_next(struct sim_requests *r, struct sim_request *out, struct fx_error *err)
{
	(void)err;
	if (r->socket)
		return next_message(r, out);
	while (next_line(r))
		if (r->len && take_line(r, r->line, r->len, out))
			return FX_OK;
	return FX_IDLE;
}

void sim_requests_close(struct sim_requests *r)
{
	const int zero = 0;

	if (!r)
		return;
	if (r->socket) {
		zmq_setsockopt(r->socket, ZMQ_LINGER, &zero, sizeof zero);
		zmq_close(r->socket);
	}
	if (r->zmq)
		zmq_ctx_term(r->zmq);
	fx_map64_fini(&r->seen);
	free(r->path);
	free(r);
}
