// SPDX-License-Identifier: Apache-2.0
/* trust.c: whom the processes of a run let in, and what they may touch. */
#include <arpa/inet.h>
#include <string.h>

#include "conduct/run.h"

static int check_bind(const struct fx_run_options *o, struct fx_error *err)
{
	struct in_addr a;

	if (!o->bind)
		return FX_OK;
	if (inet_pton(AF_INET, o->bind, &a) != 1)
		return fx_error_set(err, FX_EINVAL,
				    "--bind %.100s: is not an IPv4 address, such as 192.168.1.5 or "
				    "0.0.0.0",
				    o->bind);
	if (o->transport != FX_TRANSPORT_TCP)
		return fx_error_set(err, FX_EINVAL, "--bind %s needs --transport tcp", o->bind);
	if (ntohl(a.s_addr) >> 24 != 127 && !o->keys)
		return fx_error_set(
			err, FX_EINVAL,
			"--bind %s can be reached by others: give --keys DIR, with keys "
			"made by fornix keygen NAME --out DIR",
			o->bind);
	return FX_OK;
}

int fx__trust_begin(struct fx_run *r, struct fx_error *err)
{
	const struct fx_run_options *o = r->options;

	if (check_bind(o, err) < 0)
		return FX_EINVAL;
	r->guard.confine = !o->unconfined;
	r->guard.has_keys = o->keys != NULL;
	if (o->keys && fx_keys_read(&r->guard.keys, o->keys, err) < 0)
		return fx_error_prefix(err, "--keys");
	return FX_OK;
}

int fx__trust_give(struct fx_run *r, struct fx_error *err)
{
	const struct fx_sandbox *s = r->options->sandbox;
	struct fx_guard g = r->guard; /* what it borrows here is copied */
	bool ok = true;

	g.out = (char *)(uintptr_t)(r->options->out ? r->options->out : "");
	if (s) {
		g.sandbox = true;
		g.readable = s->readable;
		g.readable_len = s->readable_len;
	}
	for (size_t i = 0; i < r->plan->instances_len; i++)
		ok = fx_guard_copy(&r->plan->instances[i].wiring.guard, &g) && ok;
	explicit_bzero(&g, sizeof g);
	return ok ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory for the plan");
}

const char *fx__trust_text(const struct fx_run *r)
{
	const char *text = "";

	for (size_t i = 0; i < r->plan->instances_len; i++) {
		const char *one = r->stats.instances[i].confined;

		if (!*text || (*one && strcmp(one, "landlock+seccomp") != 0))
			text = one;
	}
	return text;
}
