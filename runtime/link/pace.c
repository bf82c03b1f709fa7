// SPDX-License-Identifier: Apache-2.0
/* pace.c: how fast a link is, and whether it would carry more if payloads were coded harder. */
#include "link/pace.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

#define WINDOW_NS INT64_C(250000000)   /* between two looks */
#define FORGET_NS INT64_C(30000000000) /* what coding brings may be different by then */

static const double speed_guess = 400e6, ratio_guess = 1.4;
static const double used_on = 0.7, used_off = 0.4; /* share of the time that the link works */
static const double gain_on = 1.1, gain_off = 1.0; /* payload that it would carry by what it does */
static const double least_bytes = 65536;	   /* in a window: fewer tell no rate */

bool fx__pace_ask(int fd, struct fx__sent *sent)
{
	struct tcp_info info;
	socklen_t size = sizeof info;

	memset(&info, 0, sizeof info);
	if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
	    size < offsetof(struct tcp_info, tcpi_sndbuf_limited))
		return false;
	sent->acked = info.tcpi_bytes_acked;
	sent->busy_us = info.tcpi_busy_time > info.tcpi_rwnd_limited ?
				info.tcpi_busy_time - info.tcpi_rwnd_limited :
				0;
	return true;
}

static double smooth(double before, double now)
{
	return before > 0 ? 0.5 * before + 0.5 * now : now;
}

/* Whether coding harder pays: a link carries more payload then, as far as coding keeps up, while
 * the link is busy with what was coded before. Half of the time is left to the node's own work. */
static bool decide(const struct fx__pace *p, const struct fx__effort *e, int64_t now_ns)
{
	const bool known = e->speed > 0 && now_ns - e->at_ns < FORGET_NS;
	const double speed = known ? e->speed : speed_guess, ratio = known ? e->ratio : ratio_guess;
	const double coded = speed / 2 < ratio * p->rate ? speed / 2 : ratio * p->rate;

	return p->rate > 0 && p->offered > (p->harder ? used_off : used_on) * p->rate &&
	       coded > (p->harder ? gain_off : gain_on) * p->rate;
}

void fx__pace_note(struct fx__pace *p, int fd, const struct fx__sent *sent, int64_t now_ns,
		   const struct fx__effort *e)
{
	const bool same =
		p->at_ns && p->fd == fd && sent->acked >= p->acked && sent->busy_us >= p->busy_us;
	const double ns = (double)(now_ns - p->at_ns),
		     busy_us = (double)(sent->busy_us - p->busy_us),
		     acked = (double)(sent->acked - p->acked);

	if (same && now_ns - p->at_ns < WINDOW_NS)
		return;
	if (same) {
		p->offered = smooth(p->offered, (double)(p->raw - p->raw_then) / ns * 1e9);
		if (acked >= least_bytes && busy_us * 1000 > ns / 10)
			p->rate = smooth(p->rate, acked / busy_us * 1e6);
		p->harder = decide(p, e, now_ns);
	}
	p->fd = fd;
	p->at_ns = now_ns;
	p->acked = sent->acked;
	p->busy_us = sent->busy_us;
	p->raw_then = p->raw;
}

void fx__pace_look(struct fx__pace *p, int fd, const struct fx__effort *e)
{
	const int64_t now = fx_now_ns();
	struct fx__sent sent;

	if (p->at_ns && p->fd == fd && now - p->at_ns < WINDOW_NS)
		return;
	if (fx__pace_ask(fd, &sent))
		fx__pace_note(p, fd, &sent, now, e);
}

void fx__effort_note(struct fx__effort *e, size_t raw, size_t coded, int64_t ns, int64_t now_ns)
{
	const bool known = now_ns - e->at_ns < FORGET_NS;

	e->speed = smooth(known ? e->speed : 0, (double)raw / (double)(ns > 0 ? ns : 1) * 1e9);
	e->ratio = smooth(known ? e->ratio : 0, (double)raw / (double)(coded ? coded : 1));
	e->at_ns = now_ns;
}
