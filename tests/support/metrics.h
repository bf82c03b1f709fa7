// SPDX-License-Identifier: Apache-2.0
/* metrics.h: asks a run that is under way for its metrics. */
#ifndef FX_TESTS_METRICS_H
#define FX_TESTS_METRICS_H

#include "support/run.h"

/** What /metrics answers, with the head of HTTP (free()); NULL when nothing answers. @p url is
 * "http://127.0.0.1:PORT/metrics". */
char *test_http_get(const char *url);
/** Waits for the line on stderr that tells where the metrics are; free(). */
char *test_metrics_url(struct test_run *r);
/** Waits until the metric @p name (with its labels) is at least @p least. Fails the test when the
 * run ends before. */
void test_metrics_await(struct test_run *r, const char *name, double least);

#endif
