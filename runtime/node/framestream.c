// SPDX-License-Identifier: Apache-2.0
/* framestream.c: frames that come once become a stream of sections that survives its process. */
#include "node/framestream.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "node/bands.h"

int fx_framestream_init(struct fx_framestream *s, struct fx_node *node)
{
	const char *const folder = fx_state_dir(node);
	char *path = folder ? fx_path_join(folder, "begun") : NULL;

	s->begun_fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666) : -1;
	free(path);
	if (s->begun_fd < 0)
		return fx_fail(node, FX_EIO, "no file for how far the stream is");
	if (fx_pread_all(s->begun_fd, &s->begun, sizeof s->begun, 0) != 0 || s->begun < 0 ||
	    s->begun > INT64_C(1) << 41)
		s->begun = 0;
	return fx_decided_open(&s->decided, node);
}

void fx_framestream_fini(struct fx_framestream *s)
{
	fx_frame_queue_fini(&s->queue);
	fx_decided_close(&s->decided);
	if (s->begun_fd > 0)
		close(s->begun_fd);
	s->begun_fd = 0;
	free(s->voxels);
	s->voxels = NULL;
}

static int stream_mark_section(struct fx_node *node, const struct fx_framestream *s, unsigned port,
			       enum fx_mark_kind kind, int64_t section, const char *reason)
{
	struct fx_mark m = s->open;

	m.kind = kind;
	m.region.lo[0] = section - s->open.region.lo[0];
	m.region.hi[0] = m.region.lo[0] + 1;
	if (kind == FX_MARK_OPEN)
		m.region = (struct fx_region){ { 0, 0, 0 },
					       { s->count, m.region.hi[1], m.region.hi[2] } };
	snprintf(m.reason, sizeof m.reason, "%s", reason);
	return fx_send_mark(node, port, &m);
}

static bool stream_room(struct fx_framestream *s)
{
	const int64_t *hi = s->open.region.hi;

	free(s->voxels);
	s->voxels = malloc((size_t)hi[1] * (size_t)hi[2] * fx_dtype_size(s->open.dtype));
	return s->voxels != NULL;
}

/* Takes over what the stream is, as decided. */
static int stream_reopen(struct fx_node *node, struct fx_framestream *s, const struct fx_mark *m)
{
	int result;

	s->open = *m;
	s->open.region.lo[1] = s->open.region.lo[2] = 0;
	memcpy(s->open.voxel_nm, s->voxel_nm, sizeof s->voxel_nm);
	s->queue.next = s->queue.highest = m->region.lo[0];
	s->end = s->count ? m->region.lo[0] + s->count : INT64_MAX;
	s->opened = true;
	if (!stream_room(s))
		return fx_fail(node, FX_ENOMEM, "no memory for a section");
	result = stream_mark_section(node, s, s->image, FX_MARK_OPEN, 0, "");
	return result < 0 ? result : stream_mark_section(node, s, s->attempts, FX_MARK_OPEN, 0, "");
}

static int stream_nothing(void *from, size_t rows, void *voxels, struct fx_error *err)
{
	const struct fx_framestream *s = from;

	(void)err;
	memset(voxels, 0, rows * (size_t)s->open.region.hi[2] * fx_dtype_size(s->open.dtype));
	return FX_OK;
}

/* Sections before @p behind are begun: a process that is killed leaves that to the next. */
static int stream_begins(struct fx_node *node, struct fx_framestream *s, int64_t behind)
{
	if (behind <= s->begun)
		return FX_OK;
	s->begun = behind;
	return fx_pwrite_all(s->begun_fd, &behind, sizeof behind, 0) == 0 ?
		       FX_OK :
		       fx_fail(node, FX_EIO, "cannot write down how far the stream is");
}

/* The tiles of a section; NULL: zeros. */
static int stream_tiles(struct fx_node *node, struct fx_framestream *s, unsigned port,
			int64_t section, const void *voxels)
{
	struct fx_bands b = { .role = FX_IMAGE,
			      .dtype = s->open.dtype,
			      .z = section - s->open.region.lo[0],
			      .height = (size_t)s->open.region.hi[1],
			      .width = (size_t)s->open.region.hi[2],
			      .voxels = voxels,
			      .rows = stream_nothing,
			      .from = s };

	memcpy(b.voxel_nm, s->voxel_nm, sizeof b.voxel_nm);
	if (port == s->image && stream_begins(node, s, section + 1) < 0)
		return FX_EIO;
	return fx_bands_send(node, port, &b, s->tile);
}

/* Sections up to @p section, exclusive, that a former life sent or lost. Consumers know how many
 * messages a section has, and drop what they have had: what is lost ends as missing, not done. */
static int stream_lost(struct fx_node *node, struct fx_framestream *s, int64_t section)
{
	int result = FX_OK;

	while (result == FX_OK && s->queue.next < section) {
		result = stream_tiles(node, s, s->image, s->queue.next, NULL);
		if (result == FX_OK)
			result = stream_mark_section(node, s, s->image, FX_MARK_MISSING,
						     s->queue.next,
						     "was lost when acquire/zmq was killed");
		s->queue.next++;
	}
	return result;
}

static int stream_attempt(struct fx_node *node, struct fx_framestream *s, const struct fx_mark *m,
			  const void *voxels)
{
	const int64_t z = m->region.lo[0] - s->open.region.lo[0];
	struct fx_record *r = fx_record_new("attempt");
	int result = stream_tiles(node, s, s->attempts, m->region.lo[0], voxels);

	if (!r || fx_record_add_number(r, "section", (double)z) < 0 ||
	    fx_record_add_number(r, "version", (double)m->region.hi[0]) < 0 ||
	    (!voxels && fx_record_add_number(r, "lost", 1) < 0)) {
		fx_record_free(r);
		r = NULL;
	}
	if (r) {
		r->region = s->open.region;
		r->region.lo[0] = z;
		r->region.hi[0] = z + 1;
	}
	if (result == FX_OK)
		return fx_send_record(node, s->attempts, r);
	fx_record_free(r);
	return result;
}

int fx_framestream_replay(struct fx_framestream *s, struct fx_node *node)
{
	struct fx_mark m;
	int result = fx_decided_peek(&s->decided, node, &m);

	if (result == FX_END) {
		s->live = true;
		s->plain = !s->returned;
		if (s->returned && !s->ending)
			return stream_lost(node, s, s->begun);
	}
	if (result != FX_OK)
		return result < 0 ? result : FX_OK;
	s->decided.next++;
	s->returned = true;
	if (m.kind == FX_MARK_OPEN)
		return stream_reopen(node, s, &m);
	if (m.kind == FX_MARK_DONE)
		return stream_attempt(node, s, &m, NULL);
	if (m.kind == FX_MARK_END) {
		s->ending = true;
		s->end = m.region.lo[0];
		return FX_OK;
	}
	result = stream_lost(node, s, m.region.lo[0]);
	s->queue.next++;
	if (result < 0)
		return result;
	result = stream_mark_section(node, s, s->image, FX_MARK_MISSING, m.region.lo[0], m.reason);
	return result < 0 ? result :
			    stream_mark_section(node, s, s->attempts, FX_MARK_MISSING,
						m.region.lo[0], m.reason);
}

static int stream_missing(struct fx_node *node, struct fx_framestream *s, const char *reason)
{
	struct fx_mark m = { .kind = FX_MARK_MISSING, .region.lo[0] = s->queue.next };
	int result;

	snprintf(m.reason, sizeof m.reason, "%s", reason);
	if (fx_decided_add(&s->decided, node, &m) < 0)
		return FX_EIO;
	result = stream_mark_section(node, s, s->image, FX_MARK_MISSING, s->queue.next, m.reason);
	if (result == FX_OK)
		result = stream_mark_section(node, s, s->attempts, FX_MARK_MISSING, s->queue.next,
					     m.reason);
	s->queue.next++;
	return result;
}

/* The voxels of a frame: where they came, or decoded to s->voxels. NULL, with why, when damaged. */
static const void *stream_decode(struct fx_framestream *s, const struct fx_frame *f,
				 struct fx_error *err)
{
	size_t size;
	const void *bytes = fx_frame_bytes(f, &size);

	if (f->header.codec == FX_CODEC_NONE && size == fx_frameheader_size(&f->header))
		return bytes;
	return fx_frame_decode(&f->header, bytes, size, s->voxels, err) < 0 ? NULL : s->voxels;
}

static int stream_section(struct fx_node *node, struct fx_framestream *s, struct fx_frame *f)
{
	struct fx_error err = { 0 };
	const void *voxels = f->refused[0] ? NULL : stream_decode(s, f, &err);
	int result;

	if (!voxels)
		return stream_missing(node, s, f->refused[0] ? f->refused : err.text);
	result = stream_tiles(node, s, s->image, s->queue.next, voxels);
	if (result == FX_OK)
		result = stream_mark_section(node, s, s->image, FX_MARK_DONE, s->queue.next, "");
	s->queue.next++;
	return result;
}

int fx_framestream_next(struct fx_framestream *s, struct fx_node *node)
{
	struct fx_frame f = { 0 };
	int result;

	if (!s->opened)
		return FX_IDLE;
	if (s->ending && s->returned)
		return stream_lost(node, s, s->end) < 0 ? FX_EIO : FX_END;
	if (s->queue.next >= s->end)
		return FX_END;
	result = fx_frame_queue_next(&s->queue, s->ending, &f);
	if (result == FX_OK)
		result = stream_section(node, s, &f);
	else if (result == FX_ENOENT)
		result = stream_missing(node, s, "its frame did not come");
	else if (result == FX_END)
		result = stream_missing(node, s, "the series ended before it");
	fx_frame_fini(&f);
	return result;
}

static int stream_open_stream(struct fx_node *node, struct fx_framestream *s,
			      const struct fx_frameheader *h)
{
	struct fx_mark m = { .kind = FX_MARK_OPEN, .dtype = h->dtype };

	m.region.lo[0] = s->first < 0 ? h->section : s->first;
	m.region.hi[1] = (int64_t)h->height;
	m.region.hi[2] = (int64_t)h->width;
	snprintf(m.reason, sizeof m.reason, "%s", h->series);
	if (h->dtype != FX_U8 && h->dtype != FX_U16)
		return fx_fail(node, FX_ETYPE, "frames are of %s; uint8 and uint16 are accepted",
			       fx_dtype_name(h->dtype));
	if (fx_decided_add(&s->decided, node, &m) < 0)
		return FX_EIO;
	return stream_reopen(node, s, &m);
}

/* Counts frames: a gap is told. */
static void stream_count_frame(struct fx_node *node, struct fx_framestream *s, int64_t frame)
{
	if (frame > s->frame && (s->counted || s->first >= 0)) {
		s->lost += (double)(frame - s->frame);
		fx_warn(node, "frames %lld to %lld did not come before frame %lld",
			(long long)s->frame, (long long)frame - 1, (long long)frame);
	}
	if (frame >= s->frame)
		s->frame = frame + 1;
	s->counted = true;
	s->came++;
	fx_progress(node, s->came, 0, "frames");
	fx_progress(node, s->lost, 0, "lost frames");
	fx_progress(node, s->refused, 0, "refused frames");
}

/* What is not as the first frame was is refused: its section is missing, with the reason. */
static void stream_check(struct fx_node *node, struct fx_framestream *s, struct fx_frame *f)
{
	const struct fx_frameheader *h = &f->header;
	const int64_t height = s->open.region.hi[1], width = s->open.region.hi[2];
	struct fx_error err = { 0 };

	if ((int64_t)h->height != height || (int64_t)h->width != width || h->dtype != s->open.dtype)
		snprintf(f->refused, sizeof f->refused,
			 "its frame is %zu x %zu %s, the first %lld x %lld %s", h->height, h->width,
			 fx_dtype_name(h->dtype), (long long)height, (long long)width,
			 fx_dtype_name(s->open.dtype));
	else if ((h->codec == FX_CODEC_NONE || fx_connected(node, s->attempts)) &&
		 !stream_decode(s, f, &err))
		snprintf(f->refused, sizeof f->refused, "its frame has %.140s", err.text);
	if (f->refused[0]) {
		s->refused++;
		fx_warn(node, "section %lld: %s", (long long)h->section, f->refused);
	}
}

int fx_framestream_image(struct fx_framestream *s, struct fx_node *node, struct fx_frame *f)
{
	const struct fx_frameheader h = f->header;
	struct fx_mark m = { .kind = FX_MARK_DONE };
	int result = FX_OK;

	if (h.tile)
		return fx_fail(node, FX_ETYPE,
			       "frame %lld is tile %lld of a section; sections of "
			       "one tile are accepted",
			       (long long)h.frame, (long long)h.tile);
	if (!s->opened)
		result = stream_open_stream(node, s, &h);
	if (result < 0)
		return result;
	stream_count_frame(node, s, h.frame);
	if (h.section - s->queue.highest > FX_FRAME_JUMP || h.section < s->open.region.lo[0])
		return FX_OK; /* no section of this stream */
	s->plain = s->plain && h.section == h.frame;
	stream_check(node, s, f);
	if (s->returned && h.section >= s->queue.next) {
		result = stream_lost(node, s, h.section);
		s->returned = false;
	}
	m.region.lo[0] = h.section;
	m.region.hi[0] = h.version;
	if (result == FX_OK && !f->refused[0] && fx_connected(node, s->attempts)) {
		struct fx_error err = { 0 };

		result = fx_decided_add(&s->decided, node, &m);
		if (result == FX_OK)
			result = stream_attempt(node, s, &m, stream_decode(s, f, &err));
	}
	fx_frame_queue_put(&s->queue, f);
	return result;
}

int fx_framestream_ends(struct fx_framestream *s, struct fx_node *node, int64_t frames)
{
	struct fx_mark m = { .kind = FX_MARK_END };

	if (!s->opened)
		return fx_fail(node, FX_EINVAL, "the series ended before a frame came");
	if (frames > s->frame) {
		s->lost += (double)(frames - s->frame);
		fx_warn(node, "the last %lld of %lld frames did not come",
			(long long)(frames - s->frame), (long long)frames);
		if (s->plain && frames - s->queue.highest < FX_FRAME_JUMP)
			s->queue.highest = frames;
		fx_progress(node, s->lost, 0, "lost frames");
	}
	s->ending = true;
	if (!s->count)
		s->end = s->queue.highest;
	m.region.lo[0] = s->end;
	return fx_decided_add(&s->decided, node, &m);
}

int fx_framestream_drain(struct fx_framestream *s, struct fx_node *node)
{
	struct fx_mark m = { .kind = FX_MARK_END, .region.lo[0] = s->queue.next };

	return s->opened && s->live ? fx_decided_add(&s->decided, node, &m) : FX_OK;
}

void fx_framestream_save(const struct fx_framestream *s, struct fx_pack *to)
{
	fdatasync(s->begun_fd);
	fx_pack_bool(to, s->opened);
	fx_pack_put(to, &s->open, sizeof s->open);
	fx_pack_put(to, &s->queue.next, sizeof s->queue.next);
	fx_pack_put(to, &s->frame, sizeof s->frame);
	fx_pack_put(to, &s->decided.next, sizeof s->decided.next);
}

/* What was saved can be. */
static bool stream_valid(const struct fx_framestream *s)
{
	const struct fx_mark *m = &s->open;
	const int64_t most = INT64_C(1) << 20, number = INT64_C(1) << 41;

	return (m->dtype == FX_U8 || m->dtype == FX_U16) && m->region.hi[1] > 0 &&
	       m->region.hi[1] <= most && m->region.hi[2] > 0 && m->region.hi[2] <= most &&
	       m->region.lo[0] >= 0 && m->region.lo[0] <= number &&
	       s->queue.next >= m->region.lo[0] && s->queue.next <= number && s->frame >= 0 &&
	       s->frame <= number;
}

int fx_framestream_load(struct fx_framestream *s, struct fx_unpack *from)
{
	uint64_t decided;

	if (fx_unpack_bool(from, &s->opened) < 0 ||
	    fx_unpack_get(from, &s->open, sizeof s->open) < 0 ||
	    fx_unpack_get(from, &s->queue.next, sizeof s->queue.next) < 0 ||
	    fx_unpack_get(from, &s->frame, sizeof s->frame) < 0 ||
	    fx_unpack_get(from, &decided, sizeof decided) < 0 ||
	    decided > fx_seglog_next(s->decided.log))
		return FX_ETYPE;
	s->decided.next = decided;
	if (!s->opened)
		return FX_OK;
	s->open.reason[sizeof s->open.reason - 1] = 0;
	if (!stream_valid(s) || !stream_room(s))
		return FX_ETYPE;
	s->queue.highest = s->queue.next;
	s->end = s->count ? s->open.region.lo[0] + s->count : INT64_MAX;
	s->returned = true;
	return FX_OK;
}
