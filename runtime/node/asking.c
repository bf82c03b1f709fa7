// SPDX-License-Identifier: Apache-2.0
/* asking.c: requests to image a region again. */
#include "node/asking.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/file.h"

enum { SEGMENT = 1 << 20, WAITING_MAX = 10000 };

static const char topic[] = "fornix.again";

/* One line with its newline; free(). NULL without memory. */
static char *request_line(const struct fx_request *r)
{
	const int64_t *lo = r->region.lo, *hi = r->region.hi;
	json_t *o =
		json_pack("{s:I, s:i, s:{s:[I,I,I], s:[I,I,I]}, s:s, s:i, s:I, s:n}", "section",
			  (json_int_t)r->section, "tile", -1, "region", "lo", (json_int_t)lo[0],
			  (json_int_t)lo[1], (json_int_t)lo[2], "hi", (json_int_t)hi[0],
			  (json_int_t)hi[1], (json_int_t)hi[2], "reason", r->reason, "attempt",
			  (int)r->attempt, "deadline_section", (json_int_t)r->deadline, "deadline");
	char *text = o ? json_dumps(o, JSON_COMPACT) : NULL,
	     *line = text ? fx_asprintf("%s\n", text) : NULL;

	free(text);
	json_decref(o);
	return line;
}

static int asking_write(struct fx_asking *a, struct fx_node *node, const void *line, size_t len)
{
	int failed = a->fd ? fx_pwrite_all(a->fd, line, len, a->size) : 0;

	if (!failed && a->fd && fdatasync(a->fd) != 0)
		failed = -errno;
	if (failed)
		return fx_fail(node, FX_EIO, "cannot write a request: %s", strerror(-failed));
	a->size += (off_t)len;
	return FX_OK;
}

/* The file holds what the log has: what came behind the last whole line is cut off, lines that were
 * not written any more are. */
static int asking_take_up(struct fx_asking *a, struct fx_node *node)
{
	struct fx_error err = { 0 };
	struct stat st;

	if (fstat(a->fd, &st) != 0)
		return fx_fail(node, FX_EIO, "cannot look at the file of requests");
	for (uint64_t i = 0; i < fx_seglog_next(a->log); i++) {
		void *line;
		size_t len;
		int failed = fx_seglog_get(a->log, i, &line, &len, &err);

		if (failed < 0)
			return fx_fail_error(node, &err);
		if (a->size + (off_t)len > st.st_size)
			failed = asking_write(a, node, line, len);
		else
			a->size += (off_t)len;
		free(line);
		if (failed < 0)
			return failed;
	}
	return ftruncate(a->fd, a->size) == 0 ?
		       FX_OK :
		       fx_fail(node, FX_EIO, "cannot cut the file of requests");
}

static int asking_file(struct fx_asking *a, struct fx_node *node, const char *file)
{
	struct fx_error err = { 0 };

	if (fx_make_parents(file, &err) < 0)
		return fx_fail_error(node, &err);
	a->fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (a->fd < 0) {
		a->fd = 0;
		return fx_fail(node, FX_EIO, "%s: %s", file, strerror(errno));
	}
	fx_sync_parent(file);
	return asking_take_up(a, node);
}

static int asking_publish(struct fx_asking *a, struct fx_node *node, const char *address)
{
	const int waiting = WAITING_MAX, linger = 1000;

	if (strncmp(address, "tcp://127.0.0.1:", 16) != 0)
		return fx_fail(node, FX_EINVAL,
			       "publish %s must be tcp://127.0.0.1:PORT: requests leave this "
			       "machine by the file",
			       address);
	a->zmq = zmq_ctx_new();
	a->pub = a->zmq ? zmq_socket(a->zmq, ZMQ_PUB) : NULL;
	if (!a->pub || zmq_setsockopt(a->pub, ZMQ_SNDHWM, &waiting, sizeof waiting) != 0 ||
	    zmq_setsockopt(a->pub, ZMQ_LINGER, &linger, sizeof linger) != 0 ||
	    zmq_bind(a->pub, address) != 0)
		return fx_fail(node, FX_EIO, "cannot publish at %s: %s", address,
			       zmq_strerror(zmq_errno()));
	return FX_OK;
}

int fx_asking_open(struct fx_asking *a, struct fx_node *node, const char *file, const char *address)
{
	const char *const folder = fx_state_dir(node);
	char *path = folder ? fx_path_join(folder, "asked") : NULL;
	struct fx_error err = { 0 };
	int result = FX_OK;

	if (!path)
		return fx_fail(node, FX_EIO, "no folder for requests");
	a->log = fx_seglog_open(path, SEGMENT, &err);
	free(path);
	if (!a->log)
		return fx_fail_error(node, &err);
	if (*file)
		result = asking_file(a, node, file);
	if (result == FX_OK && *address)
		result = asking_publish(a, node, address);
	return result;
}

void fx_asking_close(struct fx_asking *a)
{
	if (a->pub)
		zmq_close(a->pub);
	if (a->zmq)
		zmq_ctx_term(a->zmq);
	if (a->fd)
		close(a->fd);
	fx_seglog_close(a->log);
	*a = (struct fx_asking){ 0 };
}

/* A former life asked this. */
static int asking_compare(struct fx_asking *a, struct fx_node *node, const char *line)
{
	struct fx_error err = { 0 };
	void *had;
	size_t len;
	const int failed = fx_seglog_get(a->log, a->next, &had, &len, &err);
	bool same;

	if (failed < 0)
		return fx_fail_error(node, &err);
	same = len == strlen(line) && memcmp(had, line, len) == 0;
	free(had);
	if (!same)
		return fx_fail(node, FX_EIO,
			       "request %llu was another one before this node was killed",
			       (unsigned long long)a->next);
	a->next++;
	return FX_OK;
}

static int asking_new(struct fx_asking *a, struct fx_node *node, char *line)
{
	const size_t len = strlen(line);
	const struct iovec part = { line, len };
	struct fx_error err = { 0 };

	if (fx_seglog_append(a->log, &part, 1, &err) < 0 || fx_seglog_sync(a->log, &err) < 0)
		return fx_fail_error(node, &err);
	a->next++;
	if (asking_write(a, node, line, len) < 0)
		return FX_EIO;
	if (a->pub && (zmq_send(a->pub, topic, sizeof topic - 1, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
		       zmq_send(a->pub, line, len - 1, ZMQ_DONTWAIT) < 0))
		fx_warn(node, "a request is not published: %s", zmq_strerror(zmq_errno()));
	return FX_OK;
}

int fx_asking_ask(struct fx_asking *a, struct fx_node *node, const struct fx_request *r)
{
	char *line = request_line(r);
	int result;

	if (!line)
		return fx_fail(node, FX_ENOMEM, "no memory for a request");
	result = a->next < fx_seglog_next(a->log) ? asking_compare(a, node, line) :
						    asking_new(a, node, line);
	free(line);
	return result;
}

struct fx_record *fx_asking_record(const struct fx_request *r)
{
	struct fx_record *record = fx_record_new("request");

	if (!record || fx_record_add_number(record, "section", (double)r->section) < 0 ||
	    fx_record_add_number(record, "attempt", r->attempt) < 0 ||
	    fx_record_add_number(record, "deadline_section", (double)r->deadline) < 0 ||
	    fx_record_add_text(record, "reason", r->reason) < 0) {
		fx_record_free(record);
		return NULL;
	}
	record->region = r->region;
	return record;
}

int fx_asking_resume(struct fx_asking *a, uint64_t next)
{
	if (next > fx_seglog_next(a->log))
		return FX_ETYPE;
	a->next = next;
	return FX_OK;
}
