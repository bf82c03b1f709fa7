// SPDX-License-Identifier: Apache-2.0
/* channel.c: messages between the conductor and the agent of another host. */
#include "conduct/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { HEAD = 4, PIECE = 64 << 10 };

static bool append(uint8_t **to, size_t *len, size_t *cap, const void *bytes, size_t size)
{
	if (!fx_grow(to, cap, *len + size, 1))
		return false;
	memcpy(*to + *len, bytes, size);
	*len += size;
	return true;
}

static int no_wait(int fd, struct fx_error *err)
{
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
		return fx_error_set(err, FX_EIO, "descriptor %d: %s", fd, strerror(errno));
	return FX_OK;
}

int fx_channel_open(struct fx_channel *c, int in, int out, struct fx_error *err)
{
	*c = (struct fx_channel){ .in = in, .out = out };
	if (no_wait(in, err) < 0 || no_wait(out, err) < 0)
		return FX_EIO;
	if (!append(&c->due, &c->due_len, &c->due_cap, FX_CHANNEL_HELLO, strlen(FX_CHANNEL_HELLO)))
		return fx_error_set(err, FX_ENOMEM, "no memory for a channel");
	return FX_OK;
}

void fx_channel_close(struct fx_channel *c)
{
	if (c->in > 0)
		close(c->in);
	if (c->out > 0 && c->out != c->in)
		close(c->out);
	free(c->got);
	if (c->due)
		explicit_bzero(c->due, c->due_cap); /* it may hold a secret key */
	free(c->due);
	*c = (struct fx_channel){ .closed = true };
}

bool fx_channel_send(struct fx_channel *c, enum fx_channel_kind kind, const void *bytes,
		     size_t size)
{
	const uint32_t n = (uint32_t)size + 1;
	const uint8_t head[HEAD + 1] = { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16),
					 (uint8_t)(n >> 24), (uint8_t)kind };

	if (c->closed || size >= FX_CHANNEL_MAX ||
	    !append(&c->due, &c->due_len, &c->due_cap, head, sizeof head) ||
	    !append(&c->due, &c->due_len, &c->due_cap, bytes, size))
		c->closed = true;
	return !c->closed;
}

static void write_due(struct fx_channel *c)
{
	size_t done = 0;

	while (done < c->due_len) {
		const ssize_t n = write(c->out, c->due + done, c->due_len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			c->closed = true;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	memmove(c->due, c->due + done, c->due_len - done);
	c->due_len -= done;
}

static void read_some(struct fx_channel *c)
{
	uint8_t piece[PIECE];

	while (c->got_len < FX_CHANNEL_MAX) {
		const ssize_t n = read(c->in, piece, sizeof piece);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (n < 0 && errno != EAGAIN))
			c->closed = true;
		if (n <= 0)
			return;
		if (!append(&c->got, &c->got_len, &c->got_cap, piece, (size_t)n)) {
			c->closed = true;
			return;
		}
	}
}

static void forget_taken(struct fx_channel *c)
{
	if (c->taken)
		memmove(c->got, c->got + c->taken, c->got_len - c->taken);
	c->got_len -= c->taken;
	c->taken = 0;
}

/* Skips to behind the greeting. */
static int find_greeting(struct fx_channel *c, struct fx_error *err)
{
	const size_t len = strlen(FX_CHANNEL_HELLO);
	const uint8_t *at = c->got_len ? memmem(c->got, c->got_len, FX_CHANNEL_HELLO, len) : NULL;

	if (at) {
		c->greeted = true;
		c->taken = (size_t)(at - c->got) + len;
		forget_taken(c);
	} else if (c->got_len > FX_CHANNEL_BANNER) {
		return fx_error_set(err, FX_ETYPE, "what answers is no agent of fornix");
	}
	return FX_OK;
}

/* Bytes of the message that begins at got + taken; 0: its length has not come whole. */
static size_t next_size(const struct fx_channel *c)
{
	const uint8_t *h = c->got + c->taken;

	if (c->got_len - c->taken < HEAD)
		return 0;
	return (size_t)h[0] | (size_t)h[1] << 8 | (size_t)h[2] << 16 | (size_t)h[3] << 24;
}

int fx_channel_pump(struct fx_channel *c, struct fx_error *err)
{
	size_t size;

	if (!c->closed)
		write_due(c);
	forget_taken(c);
	if (!c->closed)
		read_some(c);
	if (!c->greeted && find_greeting(c, err) < 0)
		return FX_ETYPE;
	size = c->greeted ? next_size(c) : 0;
	if (size > FX_CHANNEL_MAX)
		return fx_error_set(err, FX_ETYPE, "a message of %zu bytes", size);
	return c->closed && (!size || c->got_len < size + HEAD) ? FX_END : FX_OK;
}

bool fx_channel_next(struct fx_channel *c, enum fx_channel_kind *kind, const char **bytes,
		     size_t *size)
{
	const size_t n = c->greeted ? next_size(c) : 0;

	if (!n || n > FX_CHANNEL_MAX || c->got_len - c->taken - HEAD < n)
		return false;
	*kind = (enum fx_channel_kind)c->got[c->taken + HEAD];
	*size = n - 1;
	/* the kind is read: its byte and the length make room to end the text with a NUL */
	memmove(c->got + c->taken, c->got + c->taken + HEAD + 1, *size);
	c->got[c->taken + *size] = 0;
	*bytes = (const char *)c->got + c->taken;
	c->taken += HEAD + n;
	return true;
}
