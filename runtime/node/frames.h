// SPDX-License-Identifier: Apache-2.0
/* frames.h: messages of a detector from a ZeroMQ socket, and their sections put in order. */
#ifndef FX_NODE_FRAMES_H
#define FX_NODE_FRAMES_H

#include "formats/frameheader.h"

/** A socket that receives. */
struct fx_frames {
	void *zmq, *socket; /**< owned */
};

/** How to make it. */
struct fx_frames_config {
	const char *endpoint; /**< as ZeroMQ names it: tcp://ADDRESS:PORT, ipc://PATH */
	bool subscribe;	      /**< SUB instead of PULL */
	const char *topic;    /**< SUB: what messages begin with */
	bool bind;	      /**< else connect */
	bool exposed;	      /**< bind also where other machines reach it */
	int queue;	      /**< messages that wait in the socket at most */
	int64_t largest;      /**< bytes of a part at most */
};

/** One message: the parts, borrowed from it. */
struct fx_frame {
	struct fx_frameheader header;
	void *voxels;	   /**< owned: the zmq_msg_t of the voxels, or NULL */
	char refused[160]; /**< why its voxels cannot be had, or "" */
};

/** FX_EINVAL when it would listen to other machines without exposed, FX_EIO. */
int fx_frames_open(struct fx_frames *f, const struct fx_frames_config *c, struct fx_error *err);
/** Takes a zeroed one. */
void fx_frames_close(struct fx_frames *f);
/** Receives the next message, waiting at most @p wait_ms: FX_IDLE when none came. FX_ETYPE and
 * FX_EINVAL for one that cannot be read, which is gone. */
int fx_frames_next(struct fx_frames *f, int wait_ms, struct fx_frame *frame, struct fx_error *err);
/** The bytes of its voxels, and how many. */
const void *fx_frame_bytes(const struct fx_frame *frame, size_t *size);
void fx_frame_fini(struct fx_frame *frame);

/** Sections that came and are not sent yet. Set the first members; the rest is zero at first. */
struct fx_frame_queue {
	int64_t hold;	 /**< newer versions may come until a section is this many behind */
	int64_t reorder; /**< a section is missing when one this much later has come */

	int64_t next;	 /**< the section that is sent next */
	int64_t highest; /**< highest that came, plus 1 */
	size_t len, cap;
	struct fx_frame *held; /**< owned; in order of sections */
};

/** Takes over @p frame (its owned parts; zeroed then), in place of an older version. False when it
 * is dropped: its section was sent, a newer version is there, or there is no memory. */
bool fx_frame_queue_put(struct fx_frame_queue *a, struct fx_frame *frame);
/** What comes next: FX_OK with *frame taken out (fx_frame_fini()); FX_ENOENT: section next is
 * missing; FX_IDLE: not known yet; FX_END with @p ending (no more will come) when there is
 * nothing. Call a->next++ after the first two. */
int fx_frame_queue_next(struct fx_frame_queue *a, bool ending, struct fx_frame *frame);
void fx_frame_queue_fini(struct fx_frame_queue *a);

#endif
