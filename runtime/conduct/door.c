// SPDX-License-Identifier: Apache-2.0
/* door.c: by which commands of its user ask something of a run that lasts. */
#include "conduct/door.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "conduct/procfs.h"

enum { PACKET_MAX = 64 << 10, GUESTS = 8 };

void fx_door_init(struct fx_door *d)
{
	*d = (struct fx_door){ -1, -1 };
}

static int address_of(struct sockaddr_un *a, const char *dir, struct fx_error *err)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if ((size_t)snprintf(a->sun_path, sizeof a->sun_path, "%s/" FX_DOOR, dir) >=
	    sizeof a->sun_path)
		return fx_error_set(err, FX_EINVAL, "%s: too long for a socket", dir);
	return FX_OK;
}

int fx_door_open(struct fx_door *d, const char *dir, struct fx_error *err)
{
	struct sockaddr_un a;

	if (address_of(&a, dir, err) < 0)
		return FX_EINVAL;
	d->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (d->fd >= 0 && bind(d->fd, (const struct sockaddr *)&a, sizeof a) == 0 &&
	    listen(d->fd, GUESTS) == 0)
		return FX_OK;
	fx_error_set(err, FX_EIO, "%s: cannot listen: %s", a.sun_path, strerror(errno));
	fx_door_close(d);
	return FX_EIO;
}

static void let_go(struct fx_door *d)
{
	if (d->guest >= 0)
		close(d->guest);
	d->guest = -1;
}

/* Another user may not ask, whatever the modes of the folder let him; nor may a node: it is under
 * more restrictions than we are. */
static bool is_welcome(int fd)
{
	struct ucred who;
	socklen_t len = sizeof who;
	int theirs;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return false;
	if (who.uid != geteuid())
		return false;
	theirs = fx_proc_bonds(who.pid);
	return theirs >= 0 && theirs <= fx_proc_bonds(getpid());
}

static void let_in(struct fx_door *d)
{
	d->guest = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (d->guest >= 0 && !is_welcome(d->guest))
		let_go(d);
}

json_t *fx_door_hear(struct fx_door *d)
{
	char text[PACKET_MAX];
	json_t *question;
	ssize_t n;

	if (d->fd < 0)
		return NULL;
	if (d->guest < 0)
		let_in(d);
	if (d->guest < 0)
		return NULL;
	n = recv(d->guest, text, sizeof text, 0);
	if (n < 0)
		return NULL;
	question = n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
	if (!json_is_object(question)) { /* it has gone, or is no command of ours */
		json_decref(question);
		let_go(d);
		return NULL;
	}
	return question;
}

void fx_door_answer(struct fx_door *d, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	if (text && d->guest >= 0)
		send(d->guest, text, strlen(text), MSG_NOSIGNAL);
	free(text);
	json_decref(answer);
	let_go(d);
}

void fx_door_close(struct fx_door *d)
{
	let_go(d);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
}

static json_t *hear_answer(int fd, int seconds, struct fx_error *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[PACKET_MAX];
	json_t *answer = NULL;
	ssize_t n = -1;

	if (poll(&p, 1, seconds * 1000) == 1)
		n = recv(fd, text, sizeof text, 0);
	if (n > 0)
		answer = json_loadb(text, (size_t)n, 0, NULL);
	if (!answer)
		fx_error_set(err, FX_EIO, "%s",
			     n == 0 ? "the run has ended, or does not answer this process" :
				      "the run does not answer");
	return answer;
}

json_t *fx_door_ask(const char *dir, json_t *question, int seconds, struct fx_error *err)
{
	char *text = question ? json_dumps(question, JSON_COMPACT) : NULL;
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un a;
	json_t *answer = NULL;

	json_decref(question);
	if (!text || fd < 0)
		fx_error_set(err, FX_EIO, "cannot ask the run");
	else if (address_of(&a, dir, err) < 0)
		;
	else if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0 ||
		 send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		fx_error_set(err, FX_EIO, "cannot ask the run: %s: %s", a.sun_path,
			     strerror(errno));
	else
		answer = hear_answer(fd, seconds, err);
	if (fd >= 0)
		close(fd);
	free(text);
	return answer;
}
