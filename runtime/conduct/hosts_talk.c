// SPDX-License-Identifier: Apache-2.0
/* hosts_talk.c: what the conductor and the agents say to each other. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "conduct/hosts.h"

void fx__host_tell(struct fx_host *h, json_t *message)
{
	char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
	struct fx_error err = { 0 };

	if (text) {
		fx_channel_send(&h->channel, FX_CHANNEL_JSON, text, strlen(text));
		explicit_bzero(text, strlen(text));
	}
	free(text);
	json_decref(message);
	fx_channel_pump(&h->channel, &err);
}

/* A process has ended there. */
static void take_exit(struct fx_run *r, const struct fx_host *h, json_t *o)
{
	json_int_t i = -1;
	const char *killed = "", *words = "";
	int status = 0, hopeless = 0;
	struct fx_process *p;

	if (json_unpack(o, "{s:I, s:i, s:b, s:s, s:s}", "instance", &i, "status", &status,
			"hopeless", &hopeless, "killed", &killed, "words", &words) != 0 ||
	    i < 0 || (size_t)i >= r->plan->instances_len ||
	    &r->hosts->hosts[r->plan->instances[i].host] != h)
		return;
	p = &r->processes[i];
	p->status = status;
	p->hopeless = hopeless != 0;
	snprintf(p->killed, sizeof p->killed, "%s", killed);
	snprintf(p->words, sizeof p->words, "%s", words);
	p->away = false;
	p->ended = true;
}

static void take_json(struct fx_run *r, struct fx_host *h, const char *bytes, size_t size)
{
	struct fx_hosts *hs = r->hosts;
	json_t *o = json_loadb(bytes, size, JSON_ALLOW_NUL, NULL);
	json_t *exit = json_object_get(o, "exit");
	const char *warning = json_string_value(json_object_get(o, "warning"));

	if (exit && r->processes)
		take_exit(r, h, exit);
	else if (warning)
		fx_log(FX_LOG_WARN, "host %s: %s", h->graph->name, warning);
	else if (o && !exit) {
		json_decref(hs->answer);
		hs->answer = o;
		return;
	}
	json_decref(o);
}

/* All that has come. */
static int take(struct fx_run *r, struct fx_host *h, struct fx_error *err)
{
	const int result = fx_channel_pump(&h->channel, err);
	enum fx_channel_kind kind;
	const char *bytes;
	size_t size;

	while (result == FX_OK && fx_channel_next(&h->channel, &kind, &bytes, &size)) {
		h->heard_ns = fx_now_ns();
		if (kind == FX_CHANNEL_JSON)
			take_json(r, h, bytes, size);
		else if (kind == FX_CHANNEL_COUNTERS && r->processes)
			fx_counters_take(&r->stats, bytes, size, r->plan,
					 (unsigned)(h - r->hosts->hosts), err);
	}
	return result;
}

void fx__host_listen(struct fx_run *r, struct fx_host *h)
{
	struct fx_error err = { 0 };

	if (take(r, h, &err) == FX_ETYPE && !h->channel.closed) {
		fx_log(FX_LOG_WARN, "host %s: %s", h->graph->name, err.text);
		h->channel.closed = true;
		if (h->pid)
			kill(h->pid, SIGTERM);
	}
}

int fx__host_silent(struct fx_host *h, const char *what, struct fx_error *err)
{
	char words[320] = "";

	if (h->pid && waitpid(h->pid, &h->status, WNOHANG) == h->pid)
		h->pid = 0;
	if (h->log)
		fx__last_words(h->log, words, sizeof words);
	return fx_error_set(err, FX_EIO, "host %s %s%s%s", h->graph->name, what,
			    *words ? ": " :
				     ": its launcher says nothing; try it by hand: see "
				     "fornix plan",
			    words);
}

const json_t *fx__host_ask(struct fx_run *r, struct fx_host *h, const char *key, int seconds,
			   struct fx_error *err)
{
	const int64_t until = fx_now_ns() + seconds * INT64_C(1000000000);
	struct fx_hosts *hs = r->hosts;

	json_decref(hs->answer);
	hs->answer = NULL;
	while (fx_now_ns() < until) {
		const int result = take(r, h, err);
		const char *error = json_string_value(json_object_get(hs->answer, "error"));
		const json_t *value = json_object_get(hs->answer, key);

		if (value)
			return value;
		if (error) {
			fx_error_set(err, FX_EIO, "host %s: %s", h->graph->name, error);
			return NULL;
		}
		if (result == FX_ETYPE) {
			fx_error_prefix(err, "host %s", h->graph->name);
			return NULL;
		}
		if (result == FX_END) {
			fx_sleep_ms(50); /* for its last words */
			fx__host_silent(h, h->there ? "has gone" : "does not come", err);
			return NULL;
		}
		fx_sleep_ms(1);
	}
	fx__host_silent(h, "does not answer", err);
	return NULL;
}
