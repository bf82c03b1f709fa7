// SPDX-License-Identifier: Apache-2.0
/* stats.c: counters of a run in shared memory. */
#include "link/stats.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t stats_size(size_t instances, size_t lanes)
{
	return instances * sizeof(struct fx_instance_stats) + lanes * sizeof(struct fx_lane_stats) +
	       1;
}

int fx_stats_create(size_t instances, size_t lanes, struct fx_error *err)
{
	const int fd = memfd_create("fornix-stats", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)stats_size(instances, lanes)) != 0) {
		fx_error_set(err, FX_EIO, "cannot make shared counters: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return FX_EIO;
	}
	return fd;
}

int fx_stats_map(struct fx_stats *s, int fd, size_t instances, size_t lanes, struct fx_error *err)
{
	const size_t size = stats_size(instances, lanes);
	void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

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

void fx_stats_unmap(struct fx_stats *s)
{
	if (s->base)
		munmap(s->base, s->size);
	memset(s, 0, sizeof *s);
}
