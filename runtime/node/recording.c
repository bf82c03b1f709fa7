// SPDX-License-Identifier: Apache-2.0
/* recording.c: a recording of the stream of one output. */
#include "node/recording.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/map64.h"
#include "base/seglog.h"
#include "link/letter.h"
#include "link/turn.h"

enum { VERSION = 1, FILE_MAX = 4 << 20, TIME_SIZE = 8, PARTS_MAX = 4 };

struct fx_recorder {
	char *dir; /* owned */
	json_t *about;
	struct fx_seglog *log;
	struct fx_map64 had; /* numbers */
	unsigned parts;
	struct fx_recording_sum sum;
	uint64_t highest, lowest; /* lowest: but for OPEN */
	int64_t first_ns, last_ns;
	bool any;
};

struct fx_recording_entry {
	uint64_t seq, number; /* number: of its record in the log */
	int64_t ns;
};

static bool is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *e;
	bool empty = true;

	while (d && empty && (e = readdir(d)))
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (d)
		closedir(d);
	return empty;
}

/* Of what is there only an earlier recording is removed; anything else is not touched. */
static int clear_dir(const char *dir, const char *messages, struct fx_error *err)
{
	char *file = fx_path_join(dir, FX_RECORDING_FILE);
	const bool recording = file && access(file, F_OK) == 0;
	int result = file ? FX_OK : fx_error_set(err, FX_ENOMEM, "no memory");

	if (result == FX_OK && !recording && fx_is_dir(dir) && !is_empty(dir))
		result = fx_error_set(err, FX_EINVAL,
				      "%s holds something else than a recording: name another "
				      "folder",
				      dir);
	if (result == FX_OK && recording)
		result = fx_remove_tree(messages, err);
	free(file);
	return result == FX_OK ? fx_make_dirs(dir, err) : result;
}

static int write_about(const struct fx_recorder *r, bool closed, struct fx_error *err)
{
	const struct fx_recording_sum s = fx_recorder_sum(r);
	char *path = fx_path_join(r->dir, FX_RECORDING_FILE), *text = NULL;
	json_t *j = json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:b, s:b, s:f}", "version", VERSION,
			      "wire", FX_WIRE_VERSION, "messages", (json_int_t)s.messages, "bytes",
			      (json_int_t)s.bytes, "missed_before", (json_int_t)s.missed_before,
			      "missed", (json_int_t)s.missed, "ended", s.ended, "complete",
			      closed && s.ended && !s.missed, "seconds",
			      (double)(r->last_ns - r->first_ns) * 1e-9);
	int result;

	if (j && json_object_update_missing(j, r->about) == 0)
		text = json_dumps(j, JSON_INDENT(2));
	if (path && text)
		result = fx_file_write(path, text, strlen(text), err);
	else
		result = fx_error_set(err, FX_ENOMEM, "no memory for %s", FX_RECORDING_FILE);
	json_decref(j);
	free(text);
	free(path);
	return result;
}

struct fx_recorder *fx_recorder_new(const char *dir, unsigned parts, const char *about,
				    struct fx_error *err)
{
	struct fx_recorder *r = calloc(1, sizeof *r);
	char *messages = fx_path_join(dir, "messages");
	int result = FX_OK;

	if (r) {
		r->parts = parts;
		r->dir = fx_strdup(dir);
		r->about = *about ? json_loads(about, 0, NULL) : json_object();
	}
	if (!r || !messages || !r->dir)
		result = fx_error_set(err, FX_ENOMEM, "no memory for a recording");
	else if (!json_is_object(r->about))
		result = fx_error_set(err, FX_EINVAL,
				      "what is told about a recording must be a "
				      "JSON object");
	if (result == FX_OK)
		result = clear_dir(dir, messages, err);
	if (result == FX_OK)
		result = write_about(r, false, err);
	if (result == FX_OK) {
		r->log = fx_seglog_open(messages, 0, err);
		result = r->log ? FX_OK : FX_EIO;
	}
	free(messages);
	if (result == FX_OK)
		return r;
	fx_recorder_free(r);
	return NULL;
}

void fx_recorder_free(struct fx_recorder *r)
{
	if (!r)
		return;
	if (r->log)
		fx_seglog_close(r->log);
	fx_map64_fini(&r->had);
	json_decref(r->about);
	free(r->dir);
	free(r);
}

static int append(struct fx_recorder *r, const struct fx_envelope *e, struct fx_error *err)
{
	const uint64_t ns = (uint64_t)(r->last_ns - r->first_ns);
	unsigned char time[TIME_SIZE];
	struct iovec parts[PARTS_MAX] = { { time, sizeof time } };
	struct fx_letter letter;
	int result = fx_letter_write(&letter, e, err);

	if (result < 0)
		return result;
	for (int i = 0; i < TIME_SIZE; i++)
		time[i] = (unsigned char)(ns >> (8 * i));
	for (int i = 0; i < letter.parts_len; i++)
		parts[1 + i] = letter.parts[i];
	result = fx_seglog_append(r->log, parts, 1 + letter.parts_len, err);
	fx_letter_fini(&letter);
	return result;
}

static bool is_mark(const struct fx_envelope *e, enum fx_mark_kind kind)
{
	return e->kind == FX_NOTHING && e->mark.kind == kind;
}

int fx_recorder_put(struct fx_recorder *r, const struct fx_envelope *e, struct fx_error *err)
{
	int result = FX_OK;

	if (fx_map64_find(&r->had, e->seq))
		return FX_OK;
	r->last_ns = fx_now_ns();
	r->first_ns = r->any ? r->first_ns : r->last_ns;
	r->any = true;
	if (e->kind || fx_turn_counts(e->seq, r->parts))
		result = append(r, e, err);
	if (result < 0)
		return result;
	if (!fx_map64_at(&r->had, e->seq))
		return fx_error_set(err, FX_ENOMEM, "no memory for the numbers of a recording");
	if (!e->kind && !fx_turn_counts(e->seq, r->parts))
		return FX_OK; /* all parts tell the same marks */
	if (!is_mark(e, FX_MARK_OPEN) && (r->sum.messages < 1 || !r->lowest || e->seq < r->lowest))
		r->lowest = e->seq;
	r->highest = e->seq > r->highest ? e->seq : r->highest;
	r->sum.messages++;
	r->sum.bytes += e->kind ? fx_wire_payload_size(e->kind, e->message) : 0;
	r->sum.ended = r->sum.ended || is_mark(e, FX_MARK_END);
	return FX_OK;
}

static int by_number(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* How often the next number of a stream in parts is not there. Behind OPEN, which always comes, and
 * up to the first of the last part that is what each had sent before. Nothing is missed as far as
 * no memory can tell. */
static void count_gaps(const struct fx_recorder *r, struct fx_recording_sum *s)
{
	uint64_t *seq = fx_calloc(r->had.len + 1, sizeof *seq), place = 0;
	bool early = true;
	size_t n = 0;

	for (size_t i = 0; seq && i < r->had.cap; i++)
		if (r->had.slots[i].used)
			seq[n++] = r->had.slots[i].key;
	if (seq)
		qsort(seq, n, sizeof *seq, by_number);
	for (size_t i = 0; i < n; i++) {
		const bool gap = !fx_turn_is(seq[i], place, r->parts);

		early = early && (i <= r->parts || !fx_turn_counts(seq[i - 1], r->parts));
		s->missed += gap;
		s->missed_before += gap && early;
		place = fx_turn_after(seq[i], r->parts);
	}
	free(seq);
}

/* OPEN is number 0, and comes also to those who come late. */
struct fx_recording_sum fx_recorder_sum(const struct fx_recorder *r)
{
	struct fx_recording_sum s = r->sum;

	if (r->parts > 1) {
		count_gaps(r, &s);
	} else if (r->had.len) {
		s.missed = r->highest + 1 - r->had.len;
		s.missed_before = r->lowest > 1 ? r->lowest - 1 : 0;
		s.missed_before = s.missed_before < s.missed ? s.missed_before : s.missed;
	}
	return s;
}

int fx_recorder_close(struct fx_recorder *r, struct fx_error *err)
{
	const int result = fx_seglog_sync(r->log, err);

	return result < 0 ? result : write_about(r, true, err);
}

static int by_seq(const void *a, const void *b)
{
	const struct fx_recording_entry *x = a, *y = b;

	if (x->seq != y->seq)
		return x->seq < y->seq ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* Time and letter of record @p number. */
static int read_record(struct fx_seglog *log, uint64_t number, struct fx_recording_entry *entry,
		       struct fx_envelope *e, struct fx_error *err)
{
	void *bytes = NULL;
	size_t size = 0;
	uint64_t ns = 0;
	int result = fx_seglog_get(log, number, &bytes, &size, err);

	if (result != FX_OK)
		return result;
	for (int i = TIME_SIZE - 1; i >= 0 && size >= TIME_SIZE; i--)
		ns = ns << 8 | ((const unsigned char *)bytes)[i];
	if (size < TIME_SIZE || ns > INT64_MAX)
		result = fx_error_set(err, FX_ETYPE, "record %llu is damaged",
				      (unsigned long long)number);
	else
		result = fx_letter_read((const char *)bytes + TIME_SIZE, size - TIME_SIZE, e, err);
	free(bytes);
	*entry = (struct fx_recording_entry){ .number = number, .ns = (int64_t)ns };
	entry->seq = result == FX_OK ? e->seq : 0;
	return result;
}

static int look_through(struct fx_recording *r, struct fx_error *err)
{
	const uint64_t first = fx_seglog_first(r->log), next = fx_seglog_next(r->log);
	size_t kept = 0;

	for (uint64_t n = first; n < next; n++) {
		struct fx_envelope e;
		struct fx_recording_entry entry;
		const int result = read_record(r->log, n, &entry, &e, err);

		if (result != FX_OK)
			return result < 0 ? result : fx_error_set(err, FX_ETYPE, "cut short");
		fx_envelope_fini(&e);
		if (!fx_grow(&r->entries, &r->cap, r->len + 1, sizeof *r->entries))
			return fx_error_set(err, FX_ENOMEM, "no memory");
		r->entries[r->len++] = entry;
	}
	if (r->len)
		qsort(r->entries, r->len, sizeof *r->entries, by_seq);
	for (size_t i = 0; i < r->len; i++)
		if (!kept || r->entries[kept - 1].seq != r->entries[i].seq)
			r->entries[kept++] = r->entries[i];
	r->len = kept;
	for (size_t i = 1; i < r->len; i++)
		if (r->entries[i].ns < r->entries[i - 1].ns)
			r->entries[i].ns = r->entries[i - 1].ns;
	return FX_OK;
}

static int read_about(struct fx_recording *r, const char *dir, struct fx_error *err)
{
	char *path = fx_path_join(dir, FX_RECORDING_FILE);
	void *text = NULL;
	size_t size = 0;
	int result = path ? fx_file_read(path, FILE_MAX, &text, &size, err) :
			    fx_error_set(err, FX_ENOMEM, "no memory");

	if (result == FX_OK) {
		r->file = json_loadb(text, size, 0, NULL);
		if (json_integer_value(json_object_get(r->file, "version")) != VERSION)
			result = fx_error_set(err, FX_ETYPE, "%s is not of version %d", path,
					      VERSION);
		else if (json_integer_value(json_object_get(r->file, "wire")) != FX_WIRE_VERSION)
			result = fx_error_set(err, FX_ETYPE,
					      "%s was recorded in another wire version than %d",
					      path, FX_WIRE_VERSION);
	}
	r->complete = json_is_true(json_object_get(r->file, "complete"));
	free(text);
	free(path);
	return result;
}

int fx_recording_open(struct fx_recording *r, const char *dir, struct fx_error *err)
{
	char *messages = fx_path_join(dir, "messages");
	int result = messages ? read_about(r, dir, err) : fx_error_set(err, FX_ENOMEM, "no memory");

	if (result == FX_OK) {
		r->log = fx_seglog_read_only(messages, err);
		result = r->log ? look_through(r, err) : FX_EIO;
	}
	if (result < 0)
		fx_error_prefix(err, "recording %s", dir);
	free(messages);
	if (result < 0)
		fx_recording_close(r);
	return result;
}

void fx_recording_close(struct fx_recording *r)
{
	if (r->log)
		fx_seglog_close(r->log);
	json_decref(r->file);
	free(r->entries);
	memset(r, 0, sizeof *r);
}

int64_t fx_recording_ns(const struct fx_recording *r, size_t i)
{
	return r->entries[i].ns - r->entries[0].ns;
}

int fx_recording_get(struct fx_recording *r, size_t i, struct fx_envelope *e, struct fx_error *err)
{
	struct fx_recording_entry entry;
	const int result = read_record(r->log, r->entries[i].number, &entry, e, err);

	return result == FX_END ? fx_error_set(err, FX_ETYPE, "the recording is cut short") :
				  result;
}
