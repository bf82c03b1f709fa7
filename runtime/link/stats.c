// SPDX-License-Identifier: Apache-2.0
/* stats.c: counters of a run in shared memory. */
#include "link/stats.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static size_t stats_size(size_t instances, size_t lanes)
{
	return instances * sizeof(struct fx_instance_stats) + lanes * sizeof(struct fx_lane_stats) +
	       1;
}

/* The file has @p size bytes that are there: a full disk is an error here, not a signal later. */
static int stats_reserve(int fd, off_t size)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || (st.st_size != size && ftruncate(fd, 0) != 0))
		return -errno;
	return -posix_fallocate(fd, 0, size);
}

int fx_stats_open(const char *path, size_t instances, size_t lanes, struct fx_error *err)
{
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	const int failed = fd < 0 ? -errno : stats_reserve(fd, (off_t)stats_size(instances, lanes));

	if (!failed)
		return fd;
	if (fd >= 0)
		close(fd);
	return fx_error_set(err, FX_EIO, "%s: cannot make the run's counters: %s", path,
			    strerror(-failed));
}

static int stats_map(struct fx_stats *s, int fd, int protection, size_t instances, size_t lanes,
		     struct fx_error *err)
{
	const size_t size = stats_size(instances, lanes);
	void *base = mmap(NULL, size, protection, MAP_SHARED, fd, 0);

	memset(s, 0, sizeof *s);
	if (base == MAP_FAILED)
		return fx_error_set(err, FX_EIO, "cannot map shared counters: %s", strerror(errno));
	s->base = base;
	s->size = size;
	s->instances_len = instances;
	s->lanes_len = lanes;
	s->instances = base;
	s->lanes = (void *)(s->instances + instances);
	return FX_OK;
}

int fx_stats_map(struct fx_stats *s, int fd, size_t instances, size_t lanes, struct fx_error *err)
{
	return stats_map(s, fd, PROT_READ | PROT_WRITE, instances, lanes, err);
}

int fx_stats_view(struct fx_stats *s, const char *path, size_t instances, size_t lanes,
		  struct fx_error *err)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int result;

	memset(s, 0, sizeof *s);
	if (fd < 0 || fstat(fd, &st) != 0)
		result = fx_error_set(err, FX_EIO, "cannot open the counters %s: %s", path,
				      strerror(errno));
	else if (st.st_size < 0 || (size_t)st.st_size != stats_size(instances, lanes))
		result = fx_error_set(err, FX_ETYPE, "%s holds no counters of such a run", path);
	else
		result = stats_map(s, fd, PROT_READ, instances, lanes, err);
	if (fd >= 0)
		close(fd);
	return result;
}

void fx_stats_unmap(struct fx_stats *s)
{
	if (s->base)
		munmap(s->base, s->size);
	memset(s, 0, sizeof *s);
}

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr(" +-/%.", c));
}

void fx_lane_reach(struct fx_lane_stats *s, const char *endpoint)
{
	snprintf(s->reach, sizeof s->reach, "%s", endpoint);
	atomic_fetch_add(&s->moves, 1);
}

bool fx_lane_moved(const struct fx_lane_stats *s, uint32_t *moves, char endpoint[FX_STATS_REACH])
{
	uint32_t seen = atomic_load(&s->moves);

	if (seen == *moves)
		return false;
	do {
		*moves = seen;
		memcpy(endpoint, s->reach, FX_STATS_REACH);
		seen = atomic_load(&s->moves);
	} while (seen != *moves);
	endpoint[FX_STATS_REACH - 1] = 0;
	return true;
}

struct fx_gauge *fx_gauge_of(struct fx_instance_stats *s, const char *unit)
{
	const uint32_t len = atomic_load(&s->gauges_len);
	char plain[FX_STATS_UNIT];

	snprintf(plain, sizeof plain, "%s", unit);
	for (char *c = plain; *c; c++)
		if (!is_plain(*c))
			*c = '_';
	for (uint32_t i = 0; i < len; i++)
		if (strcmp(s->gauges[i].unit, plain) == 0)
			return &s->gauges[i];
	if (len >= FX_STATS_GAUGES)
		return NULL;
	memcpy(s->gauges[len].unit, plain, sizeof plain);
	atomic_store(&s->gauges_len, len + 1); /* who looks at it sees a whole unit */
	return &s->gauges[len];
}

void fx_gauge_set(struct fx_gauge *g, double done, double total, int64_t now_ns)
{
	if (!g)
		return;
	atomic_store(&g->total, isfinite(total) ? total : 0);
	atomic_store(&g->done, atomic_load(&g->base) + (isfinite(done) ? done : 0));
	if (!atomic_load(&g->first_ns)) {
		atomic_store(&g->first, atomic_load(&g->done));
		atomic_store(&g->first_ns, now_ns);
	}
}

void fx_gauges_read(const struct fx_instance_stats *s, double done[FX_STATS_GAUGES])
{
	memset(done, 0, FX_STATS_GAUGES * sizeof *done);
	for (uint32_t i = 0; i < atomic_load(&s->gauges_len); i++)
		done[i] = atomic_load(&s->gauges[i].done);
}

void fx_gauges_keep(struct fx_instance_stats *s, const double done[FX_STATS_GAUGES])
{
	for (uint32_t i = 0; i < atomic_load(&s->gauges_len); i++)
		atomic_store(&s->gauges[i].kept, done[i]);
}

void fx_gauges_begin(struct fx_instance_stats *s)
{
	for (uint32_t i = 0; i < atomic_load(&s->gauges_len); i++) {
		const double kept = atomic_load(&s->gauges[i].kept);

		atomic_store(&s->gauges[i].base, kept);
		atomic_store(&s->gauges[i].done, kept);
	}
}
