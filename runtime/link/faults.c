// SPDX-License-Identifier: Apache-2.0
/* faults.c: a bad network, by chance. */
#include "link/faults.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <zmq.h>

#include "base/alloc.h"
#include "base/chance.h"
#include "base/clock.h"

enum { FRAMES_MAX = 3, HELD_MAX = 64, REORDER_MS = 20 };

/* What may happen. The numbers decide who is met: they never change. */
enum fault { DROP = 1, DUPLICATE, REORDER, CORRUPT, DELAY, FAULTS };

static const char *const names[FAULTS] = {
	[DROP] = "drop",       [DUPLICATE] = "duplicate", [REORDER] = "reorder",
	[CORRUPT] = "corrupt", [DELAY] = "delay",
};

/* A message that is held back; its frames are copies. */
struct held {
	void *socket;
	struct iovec frames[FRAMES_MAX];
	int len;
	int64_t due_ns;
	bool overtaken; /* goes behind the next one on its socket, if that comes before it is due */
};

struct fx_faults {
	double rate[FAULTS];
	uint64_t seed, who, sent; /* sent: counts messages; each has its own luck */
	int64_t delay_ms;
	struct held held[HELD_MAX];
	int len;
};

static int faults_set(struct fx_faults *f, const char *name, const char *text, struct fx_error *err)
{
	char *end;
	const double v = strtod(text, &end);

	if (end == text || *end || v < 0)
		return fx_error_set(err, FX_EINVAL, "FORNIX_FAULT: %s=%s: a number is wanted", name,
				    text);
	if (strcmp(name, "seed") == 0) {
		f->seed = (uint64_t)v;
		return FX_OK;
	}
	if (strcmp(name, "delay_ms") == 0 && v <= 3600000) {
		f->delay_ms = (int64_t)v;
		return FX_OK;
	}
	for (int i = 1; i < FAULTS; i++)
		if (strcmp(name, names[i]) == 0 && v <= 1) {
			f->rate[i] = v;
			return FX_OK;
		}
	return fx_error_set(err, FX_EINVAL,
			    "FORNIX_FAULT: %s=%s: use seed, delay_ms, or drop, duplicate, reorder, "
			    "corrupt, delay from 0 to 1",
			    name, text);
}

static int faults_parse(struct fx_faults *f, char *text, struct fx_error *err)
{
	char *save = NULL;

	for (char *item = strtok_r(text, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		char *value = strchr(item, '=');

		if (value)
			*value++ = 0;
		if (faults_set(f, item, value ? value : "", err) < 0)
			return FX_EINVAL;
	}
	return FX_OK;
}

int fx_faults_new(const char *text, const char *who, struct fx_faults **out, struct fx_error *err)
{
	struct fx_faults *f;
	char *copy;
	int result;

	*out = NULL;
	if (!text || !*text)
		return FX_OK;
	f = calloc(1, sizeof *f);
	copy = fx_strdup(text);
	if (!f || !copy) {
		free(f);
		free(copy);
		return fx_error_set(err, FX_ENOMEM, "no memory");
	}
	f->delay_ms = 50;
	f->who = fx_chance_mix(FX_CHANCE_START, who, strlen(who));
	result = faults_parse(f, copy, err);
	free(copy);
	if (result == FX_OK)
		*out = f;
	else
		free(f);
	return result;
}

static void held_free(struct held *h)
{
	for (int i = 0; i < h->len; i++)
		free(h->frames[i].iov_base);
	h->len = 0;
}

void fx_faults_free(struct fx_faults *f)
{
	for (int i = 0; f && i < f->len; i++)
		held_free(&f->held[i]);
	free(f);
}

static void send_frames(void *socket, const struct iovec *frames, int len)
{
	for (int i = 0; i < len; i++)
		if (zmq_send(socket, frames[i].iov_base, frames[i].iov_len,
			     i + 1 < len ? ZMQ_SNDMORE : ZMQ_DONTWAIT) < 0)
			return;
}

static bool copy_frames(struct held *h, const struct iovec *frames, int len)
{
	for (h->len = 0; h->len < len; h->len++) {
		struct iovec *to = &h->frames[h->len];

		to->iov_len = frames[h->len].iov_len;
		to->iov_base = malloc(to->iov_len ? to->iov_len : 1);
		if (!to->iov_base) {
			held_free(h);
			return false;
		}
		memcpy(to->iov_base, frames[h->len].iov_base, to->iov_len);
	}
	return true;
}

/* Sends those that are due, or that a message on @p socket has just overtaken. */
static void let_go(struct fx_faults *f, const void *socket)
{
	const int64_t now = fx_now_ns();
	int kept = 0;

	for (int i = 0; i < f->len; i++) {
		struct held *h = &f->held[i];

		if (h->due_ns > now && !(h->overtaken && h->socket == socket)) {
			f->held[kept++] = *h;
			continue;
		}
		send_frames(h->socket, h->frames, h->len);
		held_free(h);
	}
	f->len = kept;
}

void fx_faults_pump(struct fx_faults *f)
{
	if (f && f->len)
		let_go(f, NULL);
}

/* One bit of one frame behind the first @p spared. */
static void damage(struct iovec *frames, int len, int spared, uint64_t bits)
{
	const struct iovec *frame = &frames[spared + (int)(bits % (uint64_t)(len - spared))];
	uint8_t *bytes = frame->iov_base;

	if (frame->iov_len)
		bytes[(bits >> 16) % frame->iov_len] ^= (uint8_t)(1U << (bits >> 8 & 7));
}

/* What becomes of a message whose first @p spared frames are for the socket alone. */
static void faults_send(struct fx_faults *f, void *socket, const struct iovec *frames, int len,
			int spared)
{
	const uint64_t whom = f->who + f->sent++;
	bool met[FAULTS];
	struct held *h = &f->held[f->len];

	for (int i = 1; i < FAULTS; i++)
		met[i] = fx_chance(f->seed, (uint64_t)i, whom, f->rate[i]);
	if (met[DROP])
		return;
	if (met[DUPLICATE])
		send_frames(socket, frames, len);
	if (f->len == HELD_MAX || !(met[REORDER] || met[CORRUPT] || met[DELAY]) ||
	    !copy_frames(h, frames, len)) {
		send_frames(socket, frames, len);
		let_go(f, socket);
		return;
	}
	if (met[CORRUPT])
		damage(h->frames, len, spared, fx_chance_bits(f->seed, FAULTS, whom));
	h->socket = socket;
	h->overtaken = met[REORDER];
	h->due_ns = met[REORDER] || met[DELAY] ?
			    fx_now_ns() + (met[DELAY] ? f->delay_ms : REORDER_MS) * 1000000 :
			    0;
	f->len++;
	if (!h->due_ns)
		let_go(f, socket);
}

void fx__faults_send(struct fx_faults *f, void *socket, const void *route, size_t route_size,
		     const struct fx__form *form)
{
	const struct iovec frames[FRAMES_MAX] = {
		{ (void *)(uintptr_t)route, route_size },
		{ form->header, form->header_size },
		{ form->payload, form->payload_size },
	};

	if (f)
		faults_send(f, socket, frames, form->payload ? 3 : 2, 1);
	else if (zmq_send(socket, route, route_size, ZMQ_SNDMORE) >= 0)
		fx__form_send(form, socket);
}

void fx__faults_control(struct fx_faults *f, void *socket, const void *bytes, size_t size)
{
	const struct iovec frame = { (void *)(uintptr_t)bytes, size };

	if (f)
		faults_send(f, socket, &frame, 1, 0);
	else
		zmq_send(socket, bytes, size, ZMQ_DONTWAIT);
}
