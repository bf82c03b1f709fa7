// SPDX-License-Identifier: Apache-2.0
/* Tests runtime/link/spool.c and spool_disk.c: an inlet that writes what comes to disk. */
#include "support/test.h"

#include "link/spool.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/clock.h"
#include "base/file.h"
#include "link/outlet.h"

enum { PATIENCE_MS = 60000 };
enum { CREDIT = 4, SIDE = 64 /* a block has SIDE * SIDE voxels of 4 bytes: 16 KiB */ };

struct rig {
	void *zmq;
	char *dir, *spool, endpoint[100];
	struct fx_lane_stats stats;
	struct fx_outlet_lane out_lane;
	struct fx_outlet_edge edge;
	struct fx_inlet_lane in_lane;
	_Atomic uint64_t floor;
	struct fx_pool *pool; /* of the producer, or NULL */
	struct fx_outlet *outlet;
	struct fx_inlet *inlet;
	uint64_t bytes; /* that the spool may take */
	uint64_t acked; /* by the consumer's spool */
	char warned[4][256];
	size_t warned_len;
};

static void note_acked(void *context, uint64_t seq)
{
	struct rig *r = context;

	(void)seq;
	r->acked++;
}

static void note_warning(void *context, const char *text)
{
	struct rig *r = context;

	if (r->warned_len < 4)
		snprintf(r->warned[r->warned_len++], sizeof r->warned[0], "%s", text);
}

static void outlet_start(struct rig *r, unsigned epoch)
{
	r->outlet = fx_outlet_new(&(struct fx_outlet_config){ .zmq = r->zmq,
							      .node = "from",
							      .port = "out",
							      .epoch = epoch,
							      .endpoint = r->endpoint,
							      .pool = r->pool,
							      .listen_fd = -1,
							      .edges_len = 1,
							      .edges = &r->edge,
							      .acked = note_acked,
							      .context = r },
				  NULL);
	assert_non_null(r->outlet);
}

static void inlet_start(struct rig *r, unsigned epoch)
{
	struct fx_error err = { 0 };

	r->inlet = fx_inlet_new(&(struct fx_inlet_config){ .zmq = r->zmq,
							   .node = "to",
							   .port = "in",
							   .epoch = epoch,
							   .ordered = true,
							   .credit_messages = CREDIT,
							   .credit_bytes = 1 << 20,
							   .spool_dir = r->spool,
							   .spool_bytes = r->bytes,
							   .warned = note_warning,
							   .context = r,
							   .floor = &r->floor,
							   .lanes_len = 1,
							   .lanes = &r->in_lane },
				&err);
	if (!r->inlet)
		fail_msg("%s", err.text);
}

/* @p spool: where, or NULL: in a folder that is removed at the end. @p pool_fd: of a pool, or -1.
 */
static struct rig *rig_new_in(uint64_t bytes, const char *spool, int pool_fd)
{
	struct rig *r = calloc(1, sizeof *r);

	r->zmq = zmq_ctx_new();
	r->dir = test_tmp_dir();
	r->spool = fx_path_join(spool ? spool : r->dir, "spool");
	r->bytes = bytes;
	snprintf(r->endpoint, sizeof r->endpoint, "ipc://%s/socket", r->dir);
	r->out_lane = (struct fx_outlet_lane){ 1, &r->stats };
	r->in_lane = (struct fx_inlet_lane){ r->endpoint, pool_fd, 1, &r->stats };
	r->pool = pool_fd < 0 ? NULL : fx_pool_map(pool_fd, true, NULL);
	r->edge = (struct fx_outlet_edge){
		"to", "in", 1, &r->out_lane, FX_DROP_NONE, FX_WAY_AUTO, 0
	};
	outlet_start(r, 0);
	inlet_start(r, 0);
	return r;
}

static struct rig *rig_new(uint64_t bytes, const char *spool)
{
	return rig_new_in(bytes, spool, -1);
}

static void rig_free(struct rig *r)
{
	fx_inlet_free(r->inlet);
	fx_outlet_free(r->outlet);
	fx_pool_unmap(r->pool);
	zmq_ctx_term(r->zmq);
	fx_remove_tree(r->dir, NULL);
	free(r->spool);
	free(r->dir);
	free(r);
}

static void pump(struct rig *r, int ms)
{
	struct fx_error err = { 0 };

	for (int i = 0; i < ms; i++) {
		fx_outlet_pump(r->outlet);
		fx_inlet_pump(r->inlet, &err);
		fx_sleep_ms(1);
	}
	if (err.code)
		fail_msg("%s", err.text);
}

static void queue(struct rig *r, uint64_t seq, enum fx_mark_kind mark)
{
	struct fx_envelope e = { .seq = seq, .mark = { .kind = mark, .dtype = FX_U32 } };

	e.mark.voxel_nm[0] = e.mark.voxel_nm[1] = e.mark.voxel_nm[2] = 8;
	if (!mark) {
		struct fx_block *b = fx_block_new(FX_U32, 1, SIDE, SIDE);
		uint64_t seed = seq + 1;

		for (size_t i = 0; i < SIDE * SIDE; i++)
			((uint32_t *)b->data)[i] = (uint32_t)test_random(&seed);
		e.kind = FX_BLOCK;
		e.message = b;
	}
	assert_int_equal(fx_outlet_queue(r->outlet, &e, NULL), FX_OK);
}

static bool has_warned(const struct rig *r, const char *text)
{
	for (size_t i = 0; i < r->warned_len; i++)
		if (strstr(r->warned[i], text))
			return true;
	return false;
}

/* OPEN is 0, then blocks from..to-1 as room is given, until a warning says @p until (may be NULL).
 * Where it stopped. */
static uint64_t send_until(struct rig *r, uint64_t from, uint64_t to, const char *until)
{
	for (uint64_t seq = from; seq < to; seq++) {
		int ms = 0;

		while (!fx_outlet_room(r->outlet, seq) && !(until && has_warned(r, until))) {
			assert_true(ms++ < PATIENCE_MS);
			pump(r, 1);
		}
		if (until && has_warned(r, until))
			return seq;
		queue(r, seq, seq ? 0 : FX_MARK_OPEN);
	}
	return to;
}

static void send_blocks(struct rig *r, uint64_t from, uint64_t to)
{
	send_until(r, from, to, NULL);
}

/* Takes the next message, which must be number @p seq, and checks what is in it. */
static void take(struct rig *r, uint64_t seq, bool ack)
{
	struct fx_envelope e;
	uint64_t seed = seq + 1;

	for (int i = 0; i < PATIENCE_MS && !fx_inlet_peek(r->inlet); i++)
		pump(r, 1);
	assert_true(fx_inlet_pop(r->inlet, &e));
	assert_int_equal(e.seq, seq);
	for (size_t i = 0; e.kind && i < SIDE * SIDE; i++)
		assert_int_equal(((uint32_t *)((struct fx_block *)e.message)->data)[i],
				 (uint32_t)test_random(&seed));
	fx_envelope_fini(&e);
	if (ack)
		fx_inlet_ack(r->inlet, seq);
}

static void await_acked(struct rig *r, uint64_t least)
{
	for (int i = 0; i < PATIENCE_MS && r->acked < least; i++)
		pump(r, 1);
	assert_true(r->acked >= least);
}

static uint64_t folder_bytes(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	struct stat st;
	uint64_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
			n += (uint64_t)st.st_size;
	closedir(d);
	return n;
}

/* The producer is done before the consumer has taken anything. */
static void a_slow_consumer_holds_no_one_up(void **unused)
{
	struct rig *r = rig_new(64 << 20, NULL);

	(void)unused;
	send_blocks(r, 0, 100);
	queue(r, 100, FX_MARK_END);
	await_acked(r, 101);
	assert_true(fx_outlet_settled(r->outlet));
	for (uint64_t seq = 0; seq < 101; seq++)
		take(r, seq, true);
	assert_int_equal(r->stats.sent, 99);
	assert_int_equal(r->stats.acked, 99);
	assert_int_equal(r->stats.delivered, 99);
	rig_free(r);
}

static void what_is_done_goes_from_the_disk(void **unused)
{
	struct rig *r = rig_new(1 << 20, NULL);

	(void)unused;
	for (uint64_t seq = 0; seq < 120; seq++) { /* almost 2 MiB pass through 1 */
		send_blocks(r, seq, seq + 1);
		take(r, seq, true);
	}
	for (int i = 0; i < PATIENCE_MS && folder_bytes(r->spool) >= 300 << 10; i++)
		pump(r, 1);
	assert_true(folder_bytes(r->spool) < 300 << 10);
	assert_false(has_warned(r, "has its"));
	rig_free(r);
}

/* What was not acknowledged comes again, what was does not; OPEN is known from the start. */
static void a_later_life_goes_on_where_it_was(void **unused)
{
	struct rig *r = rig_new(64 << 20, NULL);

	(void)unused;
	send_blocks(r, 0, 50);
	await_acked(r, 50);
	for (uint64_t seq = 0; seq < 20; seq++)
		take(r, seq, true);
	for (uint64_t seq = 20; seq < 25; seq++)
		take(r, seq, false);
	fx_inlet_ack(r->inlet, 22); /* before 20: it may come again */
	fx_inlet_free(r->inlet);
	inlet_start(r, 1);
	assert_non_null(fx_inlet_opened(r->inlet));
	for (uint64_t seq = 20; seq < 40; seq++)
		take(r, seq, true);
	send_blocks(r, 50, 60);
	queue(r, 60, FX_MARK_END);
	for (uint64_t seq = 40; seq < 61; seq++)
		take(r, seq, true);
	for (int i = 0; i < PATIENCE_MS && !fx_outlet_settled(r->outlet); i++)
		pump(r, 1);
	assert_true(fx_outlet_settled(r->outlet));
	fx_inlet_free(r->inlet);
	inlet_start(r, 2); /* killed when it was done: it gets END again, and no more */
	take(r, 60, true);
	pump(r, 50);
	assert_null(fx_inlet_peek(r->inlet));
	assert_int_equal(r->stats.acked, 59);
	rig_free(r);
}

/* The producer's next life sends again what the spool has. */
static void what_is_there_is_not_taken_twice(void **unused)
{
	struct rig *r = rig_new(64 << 20, NULL);

	(void)unused;
	send_blocks(r, 0, 10);
	await_acked(r, 10);
	fx_outlet_free(r->outlet);
	fx_inlet_free(r->inlet);
	outlet_start(r, 1);
	inlet_start(r, 1);
	send_blocks(r, 5, 15);
	for (uint64_t seq = 0; seq < 15; seq++)
		take(r, seq, true);
	pump(r, 50);
	assert_null(fx_inlet_peek(r->inlet));
	assert_int_equal(r->stats.duplicates, 5);
	rig_free(r);
}

/* What the node's host has on its own, or had in a former life, is not handed on. */
static void it_begins_where_its_host_says(void **unused)
{
	struct rig *r = rig_new(64 << 20, NULL);

	(void)unused;
	fx_inlet_begin(r->inlet, 7);
	send_blocks(r, 0, 10);
	await_acked(r, 10);
	for (uint64_t seq = 7; seq < 10; seq++)
		take(r, seq, true);
	rig_free(r);
}

static void its_size_is_bounded(void **unused)
{
	struct rig *r = rig_new(1 << 20, NULL);
	uint64_t sent;

	(void)unused;
	sent = send_until(r, 0, 100, "its 1 MiB"); /* of 1.5 */
	assert_in_range(sent, 60, 75);
	assert_true(folder_bytes(r->spool) <= (1 << 20) + (1 << 16));
	for (uint64_t seq = 0; seq < 100; seq++) {
		take(r, seq, true);
		if (sent < 100 && fx_outlet_room(r->outlet, sent))
			queue(r, sent++, 0);
	}
	await_acked(r, 100);
	rig_free(r);
}

/* One block that is larger than the spool may be passes all the same. */
static void a_large_message_passes(void **unused)
{
	struct rig *r = rig_new(1000, NULL);

	(void)unused;
	for (uint64_t seq = 0; seq < 5; seq++) {
		send_blocks(r, seq, seq + 1);
		take(r, seq, true);
	}
	rig_free(r);
}

/* Told, nothing lost, and it goes on when there is room. */
static void outlives_a_full_disk(void **unused)
{
	const struct rlimit small = { 200 << 10, RLIM_INFINITY };
	struct rig *r = rig_new(64 << 20, NULL);
	struct rlimit usual;
	uint64_t sent;

	(void)unused;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	sent = send_until(r, 0, 50, "disk is full");
	pump(r, 50);
	setrlimit(RLIMIT_FSIZE, &usual);
	assert_in_range(sent, 10, 25);
	assert_true(r->acked < sent);
	send_blocks(r, sent, 50);
	await_acked(r, 50);
	for (uint64_t seq = 0; seq < 50; seq++)
		take(r, seq, true);
	rig_free(r);
}

/* A disk of 2 MiB: it is told that it becomes full, then that it is. */
static void a_small_disk(void **unused)
{
	char *disk = test_tmp_dir();
	struct rig *r;
	uint64_t sent;

	(void)unused;
	if (mount("tmpfs", disk, "tmpfs", 0, "size=2m") != 0) {
		print_message("skipped: mounting a small disk: %s\n", strerror(errno));
		rmdir(disk);
		free(disk);
		skip();
	}
	r = rig_new(64 << 20, disk);
	sent = send_until(r, 0, 300, "disk is full");
	assert_in_range(sent, 80, 140);
	assert_int_equal(r->warned_len, 2);
	assert_non_null(strstr(r->warned[0], "nearly full"));
	assert_non_null(strstr(r->warned[1], "disk is full"));
	for (uint64_t seq = 0; seq < 60; seq++)
		take(r, seq, true);
	fx_inlet_free(r->inlet);
	inlet_start(r, 1);
	for (uint64_t seq = 60; seq < 300; seq++) {
		take(r, seq, true);
		if (sent < 300 && fx_outlet_room(r->outlet, sent))
			queue(r, sent++, 0);
	}
	await_acked(r, 300);
	rig_free(r);
	assert_int_equal(umount(disk), 0);
	fx_remove_tree(disk, NULL);
	free(disk);
}

static void damage_is_told(void **unused)
{
	struct rig *r = rig_new(64 << 20, NULL);
	struct fx_error err = { 0 };
	char *path;
	FILE *f;

	(void)unused;
	send_blocks(r, 0, 20);
	await_acked(r, 20);
	fx_inlet_free(r->inlet);
	inlet_start(r, 1); /* has looked at the files */
	path = fx_path_join(r->spool, "00000000000000000000.seg");
	f = fopen(path, "r+b");
	assert_non_null(f);
	fseek(f, 10 * (16 << 10), SEEK_SET);
	fputs("damage", f);
	fclose(f);
	free(path);
	for (uint64_t n = 0; n < 20 && !err.code; n++) {
		struct fx_envelope e;

		fx_inlet_pump(r->inlet, &err);
		if (fx_inlet_pop(r->inlet, &e)) {
			assert_int_equal(e.seq, n);
			fx_envelope_fini(&e);
		}
	}
	assert_int_equal(err.code, FX_ETYPE);
	assert_non_null(strstr(err.text, "damaged"));
	rig_free(r);
}

static void spoil_segments(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	assert_non_null(d);
	while ((e = readdir(d)))
		if (strstr(e->d_name, ".seg")) {
			char *path = fx_path_join(folder, e->d_name);

			assert_int_equal(truncate(path, 0), 0);
			free(path);
		}
	closedir(d);
}

/* What is durable is handed on from memory when the consumer is near, and from the disk when it is
 * not; few slots of the producer wait for that. */
static void a_near_consumer_needs_no_disk(void **unused)
{
	const int fd = fx_pool_create(FX_POOL_SLOTS, NULL);
	struct rig *r = rig_new_in(64 << 20, NULL, fd);
	struct fx_error err = { 0 };
	uint64_t taken = 0;

	(void)unused;
	for (uint64_t seq = 0; seq < 10; seq++) {
		send_blocks(r, seq, seq + 1);
		await_acked(r, seq + 1);
		take(r, seq, true);
	}
	send_blocks(r, 10, 60);
	await_acked(r, 60);
	assert_in_range(fx_pool_used(r->pool), CREDIT, CREDIT + 1); /* or one that is ready */
	for (uint64_t seq = 10; seq < 40; seq++)
		take(r, seq, true);
	for (uint64_t seq = 40; seq < 60; seq++)
		take(r, seq, true);
	assert_int_equal(fx_pool_used(r->pool), 0);
	send_blocks(r, 60, 70);
	await_acked(r, 70);
	spoil_segments(r->spool);
	for (int i = 0; i < 1000 && !err.code; i++) {
		struct fx_envelope e;

		fx_inlet_pump(r->inlet, &err);
		if (fx_inlet_pop(r->inlet, &e)) {
			assert_int_equal(e.seq, 60 + taken++);
			fx_envelope_fini(&e);
		}
	}
	assert_in_range(taken, CREDIT, CREDIT + 1);
	assert_int_equal(err.code, FX_ETYPE);
	rig_free(r);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_consumer_holds_no_one_up),
		cmocka_unit_test(what_is_done_goes_from_the_disk),
		cmocka_unit_test(a_later_life_goes_on_where_it_was),
		cmocka_unit_test(what_is_there_is_not_taken_twice),
		cmocka_unit_test(it_begins_where_its_host_says),
		cmocka_unit_test(its_size_is_bounded),
		cmocka_unit_test(a_large_message_passes),
		cmocka_unit_test(outlives_a_full_disk),
		cmocka_unit_test(a_small_disk),
		cmocka_unit_test(damage_is_told),
		cmocka_unit_test(a_near_consumer_needs_no_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
