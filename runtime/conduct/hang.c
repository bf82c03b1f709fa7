// SPDX-License-Identifier: Apache-2.0
/* hang.c: whether a process hangs, from samples of what it does. */
#include "conduct/hang.h"

enum { GAP_SHARE = 4, CPU_SHARE = 100, IO_BYTES = 64 << 10 };

static void begin(struct fx_hang *h, const struct fx_hang_sample *s, int64_t limit_ns)
{
	*h = (struct fx_hang){
		.begun = true,
		.moved = s->moved,
		.now_ns = s->now_ns,
		.warn_ns = FX_HANG_WARN * limit_ns,
		.cpu_ns = s->cpu_ns,
		.io_bytes = s->io_bytes,
	};
}

/* It computes, or would with more processors, or moves bytes. */
static bool at_work(const struct fx_hang *h, const struct fx_hang_sample *s, int64_t limit_ns)
{
	return s->state == 'R' || s->cpu_ns - h->cpu_ns >= limit_ns / CPU_SHARE ||
	       s->io_bytes - h->io_bytes >= IO_BYTES;
}

static enum fx_hang_verdict hung(char state)
{
	switch (state) {
	case 'T':
		return FX_HANG_STOPPED;
	case 'D':
		return FX_HANG_STUCK;
	default:
		return FX_HANG_BLOCKED;
	}
}

enum fx_hang_verdict fx_hang_judge(struct fx_hang *h, const struct fx_hang_sample *s,
				   int64_t limit_ns)
{
	const int64_t gap = s->now_ns - h->now_ns, most = limit_ns / GAP_SHARE;
	const int64_t step = gap < most ? gap : most;

	if (!h->begun || s->moved != h->moved || s->state == 't') {
		begin(h, s, limit_ns);
		return FX_HANG_NONE;
	}
	h->now_ns = s->now_ns;
	h->quiet_ns += step;
	h->idle_ns += s->state == 'D' ? step / FX_HANG_DISK : step;
	if (at_work(h, s, limit_ns)) {
		h->idle_ns = 0;
		h->cpu_ns = s->cpu_ns;
		h->io_bytes = s->io_bytes;
	}
	if (h->idle_ns >= limit_ns)
		return hung(s->state);
	if (h->quiet_ns >= FX_HANG_BUSY * limit_ns)
		return FX_HANG_SPINS;
	if (h->quiet_ns < h->warn_ns)
		return FX_HANG_NONE;
	h->warn_ns *= 2;
	return FX_HANG_SLOW;
}
