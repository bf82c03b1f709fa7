// SPDX-License-Identifier: Apache-2.0
/* run.c: the conductor's life: start, watch, drain, end, account. */
#include "conduct/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/spare.h"

enum { TICK_MS = 20, PROGRESS_MS = 500, SPARE_FILES = 16 };

static volatile sig_atomic_t interrupts;

/* SIGTERM comes from schedulers, which kill soon after: it counts as the second Ctrl-C, too. */
static void on_interrupt(int number)
{
	interrupts += number == SIGTERM ? 2 : 1;
}

/* Sources that run: before, a process has no handler yet and the signal would end it. What comes
 * of the run then is not that of a whole one. */
static void stop_sources(struct fx_run *r)
{
	for (size_t i = 0; i < r->plan->instances_len; i++)
		if (!r->plan->instances[i].wiring.inputs_len &&
		    fx__run_state(r, i) == FX_STATE_RUNNING) {
			fx__state_drains(r);
			fx__process_signal(r, i, SIGUSR1);
		}
}

static bool all_finished(const struct fx_run *r)
{
	for (size_t i = 0; i < r->plan->instances_len; i++)
		if (fx__run_state(r, i) != FX_STATE_FINISHED)
			return false;
	return true;
}

/* The first Ctrl-C stops the sources and lets the rest flow out; the second, or SIGTERM, ends all
 * at once. */
static void watch_keyboard(struct fx_run *r)
{
	if (interrupts && !r->interrupted && interrupts < 2)
		fprintf(stderr, "\nstopping: what was acquired flows out and is saved; "
				"again to stop at once\n");
	r->interrupted = r->interrupted || interrupts;
	if (interrupts > 1 && !r->failure[0])
		snprintf(r->failure, sizeof r->failure, "stopped at once, as asked");
	else if (r->interrupted)
		stop_sources(r);
}

static void look_at_lag(struct fx_run *r)
{
	fx_lag_look(&r->lag, (double)(fx_now_ns() - r->start_ns) * 1e-9, fx__run_acquired(r),
		    fx__run_finished(r));
}

static void look_at_start(struct fx_run *r)
{
	for (size_t i = 0; r->started_s <= 0 && i < r->plan->instances_len; i++)
		if (fx__run_state(r, i) < FX_STATE_RUNNING)
			return;
	if (r->started_s <= 0)
		r->started_s = (double)(fx_now_ns() - r->start_ns) * 1e-9;
}

static void watch(struct fx_run *r)
{
	int64_t shown = fx_now_ns();

	while (!r->failure[0] && !all_finished(r)) {
		fx_sleep_ms(TICK_MS);
		fx__processes_reap(r);
		fx__hosts_pump(r);
		fx__hosts_join(r);
		for (size_t i = 0; i < r->plan->instances_len && !r->failure[0]; i++)
			fx__supervise(r, i);
		look_at_start(r);
		look_at_lag(r);
		watch_keyboard(r);
		if (fx_now_ns() - shown < PROGRESS_MS * INT64_C(1000000))
			continue;
		shown = fx_now_ns();
		if (!r->options->quiet)
			fx__progress_show(r, false);
	}
}

static int start_all(struct fx_run *r, struct fx_error *err)
{
	for (size_t i = 0; i < r->plan->instances_len; i++)
		if (fx__process_start(r, i, err) < 0)
			return FX_EIO;
	return FX_OK;
}

static unsigned save_mib(const struct fx_run_options *o)
{
	return o->save_mib < 0 ? 0 : o->save_mib ? (unsigned)o->save_mib : FX_SAVE_MIB;
}

static int prepare(struct fx_run *r, struct fx_error *err)
{
	const struct fx_run_options *o = r->options;

	if (fx__trust_begin(r, err) < 0)
		return FX_EINVAL;
	if (o->out && fx_make_dirs(o->out, err) < 0)
		return fx_error_prefix(err, "out");
	if (fx__run_dir_make(r, err) < 0)
		return FX_EIO;
	if (fx__state_make(r, err) < 0 || fx__hosts_begin(r, err) < 0)
		return err->code;
	r->plan = fx_plan_new(r->graph, o->transport,
			      &(struct fx_plan_places){ .run_dir = r->run_dir,
							.state_dir = r->state_dir,
							.dead_dir = r->dead_dir,
							.keeps = !o->at_most_once,
							.save_mib = save_mib(o),
							.bind = o->bind,
							.hosts = fx__hosts_plan(r) },
			      err);
	if (!r->plan || fx__trust_give(r, err) < 0)
		return FX_EINVAL;
	r->processes = fx_calloc(r->plan->instances_len, sizeof *r->processes);
	if (!r->processes)
		return fx_error_set(err, FX_ENOMEM, "no memory");
	if (fx_stats_map(&r->stats, r->plan->fds[r->plan->fds_len - 1], r->plan->instances_len,
			 r->plan->lanes_len, err) < 0 ||
	    fx__hosts_give(r, err) < 0)
		return FX_EIO;
	return fx__run_file_write(r, err);
}

/* A run whose receipt cannot be written has failed. */
static void write_file(struct fx_run *r, const char *folder, const char *name, const char *text)
{
	char *path = folder ? fx_path_join(folder, name) : fx_strdup(name);
	struct fx_error err = { 0 };

	if (!path || !text)
		fx_error_set(&err, FX_ENOMEM, "no memory for %s", name);
	else
		fx_file_write(path, text, strlen(text), &err);
	if (err.code && !r->failure[0])
		snprintf(r->failure, sizeof r->failure, "%s", err.text);
	free(path);
}

/* Why the run is not complete, in one sentence. */
static void explain(const struct fx_run *r)
{
	char *missing = r->failure[0] || r->interrupted ? NULL : fx__missing_text(r);

	if (r->failure[0])
		fprintf(stderr, "fornix: %s\n", r->failure);
	else if (missing)
		fprintf(stderr, "fornix: %s\n", missing);
	else if (!r->interrupted)
		fprintf(stderr,
			"fornix: the counts in the receipt do not add up: messages were lost\n");
	free(missing);
}

/* Receipt, provenance and summary; true when the run is complete. */
static bool account(struct fx_run *r, char **receipt)
{
	const struct fx_run_options *o = r->options;
	bool complete;
	char *text = fx__receipt_text(r, &complete);
	char *provenance = fx__provenance_text(r);

	if (o->receipt)
		write_file(r, NULL, o->receipt, text);
	else if (o->out)
		write_file(r, o->out, "receipt.json", text);
	if (o->out)
		write_file(r, o->out, "provenance", provenance);
	complete = complete && !r->failure[0];
	if (!o->quiet && !r->failure[0]) /* a failure is told in its own words alone */
		fx__summary_show(r, complete);
	if (!complete)
		explain(r);
	fx__dead_letters_show(r);
	free(provenance);
	if (receipt)
		*receipt = text;
	else
		free(text);
	return complete;
}

static void fini(struct fx_run *r)
{
	fx_stats_unmap(&r->stats);
	fx_lag_fini(&r->lag);
	fx_plan_free(r->plan);
	fx_guard_fini(&r->guard);
	free(r->processes);
	free(r->poisons);
	free(r->dead_dir);
}

static struct fx_http *serve(struct fx_run *r)
{
	struct fx_error err = { 0 };
	struct fx_http *h = NULL;

	if (r->options->http_port != FX_HTTP_OFF)
		h = fx__http_start(r, r->options->http_port, &err);
	if (h && !r->options->quiet)
		fprintf(stderr, "metrics: http://127.0.0.1:%d/metrics\n", fx__http_port(h));
	if (!h && r->options->http_port != FX_HTTP_OFF)
		fx_log(FX_LOG_WARN, "no metrics: %s", err.text);
	return h;
}

static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_interrupt };

	interrupts = 0;
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	a.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &a, NULL);
	a.sa_handler = SIG_DFL; /* ignored by who started us, there would be no one to wait for */
	sigaction(SIGCHLD, &a, NULL);
}

/* Descriptors 0 to 2 are taken, so that none of the run's own gets such a number: in its processes
 * these three are /dev/null and the log. */
static int standard_files(struct fx_error *err)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 3);
	if (fd < 0)
		return fx_error_set(err, FX_EIO, "cannot open /dev/null: %s", strerror(errno));
	close(fd);
	return FX_OK;
}

int fx_run_graph(const struct fx_graph *g, const struct fx_run_options *options, char **receipt,
		 struct fx_error *err)
{
	struct fx_run r = { .graph = g, .options = options, .start_ns = fx_now_ns() };
	struct fx_http *http = NULL;
	bool complete = false, keeps;
	int result = standard_files(err);

	catch_signals();
	if (result == FX_OK) /* to begin, and to clear up after a run that ends at once */
		result = fx_spare_files(SPARE_FILES, err);
	if (result == FX_OK)
		result = prepare(&r, err);
	if (result == FX_OK)
		result = start_all(&r, err);
	if (result == FX_OK) {
		http = serve(&r);
		watch(&r);
		r.seconds = (double)(fx_now_ns() - r.start_ns) * 1e-9;
		if (!options->quiet && !r.failure[0])
			fx__progress_show(&r, true);
	}
	if (r.processes)
		fx__processes_end(&r);
	fx__hosts_end(&r);
	fx__http_stop(http);
	fx_plan_close(r.plan);
	if (result == FX_OK)
		complete = account(&r, receipt);
	keeps = r.failure[0] && options->out && !options->at_most_once && !r.drains &&
		fx__run_voxels(&r) > 0;
	if (keeps && !options->quiet)
		fprintf(stderr, "what was done is kept: the same command with --resume goes on\n");
	fx__state_clean(&r, keeps);
	fx__run_dir_clean(&r, r.failure[0] || r.set_aside);
	fini(&r);
	if (result != FX_OK)
		return result;
	return complete ? FX_OK : FX_END;
}
