// SPDX-License-Identifier: Apache-2.0
/* framestream.h: frames that come once become a stream of sections that survives its process.
 *
 * A section is always as many tiles and one mark, unless it was decided to be missing, which is
 * written down before it is sent (decided.h); how far tiles were sent is written to a file. So a
 * later life, which cannot have the frames again, still knows the number of each message: it sends
 * zeros and MISSING for what may have been lost, and consumers drop the messages that they have
 * had. */
#ifndef FX_NODE_FRAMESTREAM_H
#define FX_NODE_FRAMESTREAM_H

#include "base/pack.h"
#include "node/decided.h"
#include "node/frames.h"

enum { FX_FRAME_JUMP = 1 << 20 }; /**< sections that a stream may run ahead at once, or have */

/** Set the first members; the rest is zero at first. */
struct fx_framestream {
	unsigned image, attempts; /**< output ports */
	double voxel_nm[3];
	double tile;		     /**< MiB */
	int64_t first;		     /**< number of the first section; -1: the first that comes */
	int64_t count;		     /**< sections; 0: up to the end */
	struct fx_frame_queue queue; /**< owned; hold and reorder are set by the caller */

	struct fx_decided decided;  /**< owned; DONE is an attempt, its hi[0] the version */
	struct fx_mark open;	    /**< as decided; reason is the series */
	void *voxels;		    /**< owned; a decoded section */
	int64_t frame, end;	    /**< number of the next frame; behind the last section */
	int64_t begun;		    /**< behind the last section whose tiles a life began to send */
	int begun_fd;		    /**< owned; the file that says so */
	double came, lost, refused; /**< frames */
	bool opened, ending, counted;
	bool live;     /**< what former lives decided is carried out */
	bool returned; /**< what they took is not known: until a section comes */
	bool plain;    /**< sections are frames so far */
};

/** For init(). Fails by fx_fail(), as all of these. */
int fx_framestream_init(struct fx_framestream *s, struct fx_node *node);
void fx_framestream_fini(struct fx_framestream *s);
/** Carries out one thing that former lives decided; sets live when there is none. */
int fx_framestream_replay(struct fx_framestream *s, struct fx_node *node);
/** Sends the next section, or that it is missing. FX_IDLE: wait for frames; FX_END. */
int fx_framestream_next(struct fx_framestream *s, struct fx_node *node);
/** Takes an image (what is owned in @p f may be moved): sends it as an attempt, keeps it until
 * its section is sent. The first one opens the stream. */
int fx_framestream_image(struct fx_framestream *s, struct fx_node *node, struct fx_frame *f);
/** No more will come; @p frames of them there were, -1 when that is not known. */
int fx_framestream_ends(struct fx_framestream *s, struct fx_node *node, int64_t frames);
/** For drain(): no section from now on. */
int fx_framestream_drain(struct fx_framestream *s, struct fx_node *node);
void fx_framestream_save(const struct fx_framestream *s, struct fx_pack *to);
int fx_framestream_load(struct fx_framestream *s, struct fx_unpack *from);

#endif
