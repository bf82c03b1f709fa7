// SPDX-License-Identifier: Apache-2.0
/* procfs.c: what the kernel tells of a process. */
#include "conduct/procfs.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

/* The text of /proc/PID/NAME, cut to its place; "" when it cannot be read. */
static void read_text(pid_t pid, const char *name, char text[TEXT_MAX])
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, TEXT_MAX - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = 0;
}

/* The number behind @p key at the start of a line; 0 when there is none. */
static uint64_t number_at(const char *text, const char *key)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, strlen(key)) == 0)
			return strtoull(line + strlen(key), NULL, 10);
	}
	return 0;
}

bool fx_proc_read(pid_t pid, struct fx_proc *p)
{
	char text[TEXT_MAX], *rest;
	uint64_t user, system;

	memset(p, 0, sizeof *p);
	read_text(pid, "stat", text);
	rest = strrchr(text, ')'); /* the name before it may hold anything */
	if (!rest ||
	    sscanf(rest, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64,
		   &p->state, &user, &system) != 3)
		return false;
	p->cpu_ns = (int64_t)((user + system) *
			      (UINT64_C(1000000000) / (uint64_t)sysconf(_SC_CLK_TCK)));
	read_text(pid, "io", text);
	p->io_bytes = number_at(text, "rchar:") + number_at(text, "wchar:") +
		      number_at(text, "read_bytes:") + number_at(text, "write_bytes:");
	return true;
}

uint64_t fx_proc_memory(pid_t pid)
{
	char text[TEXT_MAX];

	read_text(pid, "status", text);
	return (number_at(text, "RssAnon:") + number_at(text, "VmSwap:")) * 1024;
}

int fx_proc_bonds(pid_t pid)
{
	char text[TEXT_MAX];

	read_text(pid, "status", text);
	if (!*text)
		return -1;
	return (int)(number_at(text, "NoNewPrivs:") + number_at(text, "Seccomp:") +
		     number_at(text, "Seccomp_filters:"));
}
