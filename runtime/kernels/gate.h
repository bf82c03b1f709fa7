// SPDX-License-Identifier: Apache-2.0
/* gate.h: lets good sections pass in order, asks for bad ones again, and gives them up in time. It
 * counts in sections, never in seconds: the same verdicts in the same order, the same decisions. */
#ifndef FX_KERNELS_GATE_H
#define FX_KERNELS_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>

#include "base/pack.h"

struct fx_gate_rules {
	unsigned attempts; /**< a section is asked for at most so often */
	int64_t deadline;  /**< and never when so many sections came after the first time */
	int64_t patience;  /**< it is asked for again when so many came without an answer */
	int64_t hold;	   /**< sections behind one that is waited for, at most */
	bool pass;	   /**< what is given up passes as it is, if any image came */
};

enum fx_gate_state { FX_GATE_AWAITED, FX_GATE_GOOD, FX_GATE_BAD, FX_GATE_LOST };

enum { FX_GATE_REASON = 256 };

/** What is known of a section that has not passed. */
struct fx_gate_section {
	unsigned state;		    /**< enum fx_gate_state */
	unsigned asked, versions;   /**< how often it was asked for; images that were judged */
	uint64_t kept;		    /**< the image that would pass; meaningless without versions */
	double badness;		    /**< of it */
	int64_t deadline, asked_at; /**< section numbers; when it was asked for */
	struct fx_region region;    /**< what is bad of it */
	char reason[FX_GATE_REASON];
};

/** Zero-initialise; fx_gate_fini(). */
struct fx_gate {
	struct fx_gate_rules rules;
	int64_t next;	/**< the section that passes next */
	int64_t latest; /**< the highest that came, or was lost; next - 1 before */
	size_t len, cap;
	struct fx_gate_section *sections; /**< owned; next to latest */
};

/** Prepares for a stream that begins at section @p first. */
void fx_gate_init(struct fx_gate *g, const struct fx_gate_rules *rules, int64_t first);
void fx_gate_fini(struct fx_gate *g);

/** The verdict on an image. */
struct fx_gate_verdict {
	uint64_t image; /**< names it */
	bool good;
	double badness;
	struct fx_region region; /**< lo[0] is the section */
	const char *reason;
};
/** An image was judged. One of a section that has passed changes nothing. FX_EINVAL for a section
 * more than 2^20 behind the latest, FX_ENOMEM. */
int fx_gate_judged(struct fx_gate *g, const struct fx_gate_verdict *v);
/** Section @p z will not come. Errors as above. */
int fx_gate_lost(struct fx_gate *g, int64_t z, const char *reason);

enum fx_gate_act { FX_GATE_WAIT, FX_GATE_ASK, FX_GATE_PASS, FX_GATE_CLOSE };

/** What is to be done. */
struct fx_gate_move {
	enum fx_gate_act act;
	int64_t z;
	struct fx_gate_section section; /**< as it is now */
	const char *why;		/**< CLOSE: static words; the section's reason says more */
};
/** The next thing to be done, which then counts as done: ask for a section again, let the next one
 * pass with the image that is kept, or close it as missing. WAIT: nothing before the next verdict;
 * when @p ended, no more verdicts come and all is closed. */
struct fx_gate_move fx_gate_step(struct fx_gate *g, bool ended);
/** Image @p image of section @p z would still pass. */
bool fx_gate_keeps(const struct fx_gate *g, int64_t z, uint64_t image);
/** For save() and load(), the latter into one of the same rules. FX_ETYPE, FX_ENOMEM. */
void fx_gate_pack(const struct fx_gate *g, struct fx_pack *to);
int fx_gate_unpack(struct fx_gate *g, struct fx_unpack *from);

#endif
