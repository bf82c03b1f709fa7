// SPDX-License-Identifier: Apache-2.0
/* metrics.c: asks a run that is under way for its metrics. */
#include "support/test.h"

#include "support/metrics.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"

static int connect_to(uint16_t port)
{
	const struct sockaddr_in a = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
		return fd;
	close(fd);
	return -1;
}

char *test_http_get(const char *url)
{
	char *request = NULL, *answer = NULL, bytes[4096];
	unsigned port = 0;
	size_t size;
	ssize_t n;
	int fd;
	FILE *f;

	assert_int_equal(sscanf(url, "http://127.0.0.1:%u/metrics", &port), 1);
	fd = connect_to((uint16_t)port);
	if (fd < 0)
		return NULL;
	request = fx_asprintf(
		"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
	assert_non_null(request);
	f = open_memstream(&answer, &size);
	assert_non_null(f);
	if (send(fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request))
		while ((n = read(fd, bytes, sizeof bytes)) > 0)
			fwrite(bytes, 1, (size_t)n, f);
	fclose(f);
	close(fd);
	free(request);
	return answer;
}

char *test_metrics_url(struct test_run *r)
{
	char *said = test_run_await(r, "/metrics\n");
	char *start = strstr(said, "http://"), *url;

	assert_non_null(start);
	start[strcspn(start, "\n")] = 0;
	url = fx_strdup(start);
	free(said);
	assert_non_null(url);
	return url;
}

void test_metrics_await(struct test_run *r, const char *name, double least)
{
	const int64_t start = fx_now_ns();
	char *url = test_metrics_url(r);
	bool reached = false;

	while (!reached) {
		char *text = test_http_get(url), *at = text ? strstr(text, name) : NULL;

		if (!text)
			fail_msg("the run has ended before %s was %g", name, least);
		else if (*text && !at) /* else it was not answered in time */
			fail_msg("no metric %s in: %s", name, text);
		else if (at)
			reached = strtod(at + strlen(name), NULL) >= least;
		free(text);
		if (fx_now_ns() - start > TEST_RUN_PATIENCE_S * INT64_C(1000000000))
			fail_msg("%s did not become %g in %d s", name, least, TEST_RUN_PATIENCE_S);
		if (!reached)
			fx_sleep_ms(5);
	}
	free(url);
}
