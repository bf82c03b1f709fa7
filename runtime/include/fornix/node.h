// SPDX-License-Identifier: Apache-2.0
/* node.h: the contract of a node. A node is one const table with its options, ports and callbacks;
 * the host runs it in a process of its own and owns sockets, credits, acknowledgements. */
#ifndef FORNIX_NODE_H
#define FORNIX_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fornix/block.h>
#include <fornix/error.h>
#include <fornix/log.h>
#include <fornix/version.h>

#ifdef __cplusplus
extern "C" {
#endif

enum fx_dir { FX_IN = 1, FX_OUT };

/** Kinds of message. Each is one bit, so that a port can name a set. */
enum fx_kind { FX_NOTHING = 0, FX_BLOCK = 1, FX_TREE = 2, FX_RECORD = 4 };

struct fx_port {
	const char *name;
	enum fx_dir dir;
	unsigned kinds;	 /**< set of enum fx_kind */
	unsigned dtypes; /**< set of enum fx_dtype of its blocks; 0 when it has none */
	unsigned roles;	 /**< set of 1 << enum fx_role of its blocks; 0 is any */
	bool optional;	 /**< an input that may stay unconnected */
	const char *help;
};

enum fx_opt_type { FX_OPT_BOOL = 1, FX_OPT_INT, FX_OPT_REAL, FX_OPT_STR, FX_OPT_VEC };

/** What a text option names. A node writes files nowhere but where its FX_PATH_WRITE options and
 * fx_scratch_dir() say, and in the output folder of the run: the system holds it to that. */
enum fx_path {
	FX_PATH_NONE,  /**< no file or folder */
	FX_PATH_READ,  /**< a file or folder to read */
	FX_PATH_WRITE, /**< a file or folder to write, in place or as a name with an ending beside
			  it */
	FX_PATH_NAME,  /**< the name of a file in a folder that another option names */
};

/** Three numbers, z y x. */
struct fx_vec {
	double v[3];
};

struct fx_option {
	const char *name, *help;
	const char *unit; /**< "nm", "voxel", "%", "s", "MiB", ...; NULL for a plain number */
	enum fx_opt_type type;
	size_t offset;	     /**< of the field in the node's state */
	double def;	     /**< default; for choices, an index */
	const char *def_str; /**< default of a text or of a vec ("8 8 8"); NULL means required */
	double min, max;     /**< both inclusive; ignored when equal; for each number of a vec */
	const char *const *choices; /**< NULL-terminated; the field is then an int */
	enum fx_path path;	    /**< of a text */
};

/** Name, type and offset of an option all come from the field: they cannot disagree. */
#define FX_FIELD(T, m)                                                                             \
	.name = #m, .offset = offsetof(T, m),                                                      \
	.type = _Generic(((T *)0)->m,                                                              \
			 bool: FX_OPT_BOOL,                                                        \
			 int: FX_OPT_INT,                                                          \
			 double: FX_OPT_REAL,                                                      \
			 const char *: FX_OPT_STR,                                                 \
			 struct fx_vec: FX_OPT_VEC)

/** How the work of a node that keeps state may be parted among processes. */
enum fx_key {
	FX_KEY_NONE = 0,
	FX_KEY_REGION = 1, /**< each has a part of the volume ... */
	FX_KEY_ID = 2,	   /**< ... or some of the segments */
};

struct fx_node;	  /**< one running instance; opaque to its own code */
struct fx_pack;	  /**< what save() puts values into */
struct fx_unpack; /**< what load() gets them from */

struct fx_node_type {
	uint32_t abi;
	const char *name, *summary;
	const struct fx_port *ports;	 /**< ends with a zeroed entry; inputs first */
	const struct fx_option *options; /**< ends with a zeroed entry; may be NULL */
	size_t state_size;
	/** Keeps nothing between messages: at most one message on each output for every message
	 * that arrives, and the same for the same. Has exactly one input and no mark(). Such a
	 * node may have workers, and a killed one is started again without loss. */
	bool stateless;

	/** Options are set and in range; the rest of @p state is zero. */
	int (*init)(struct fx_node *node, void *state);
	/** A source (no inputs): emit a bounded piece, e.g. one section; FX_END after the last.
	 * Others: one message waits, on the input where fx_waiting() is not FX_NOTHING; take it.
	 * What is not taken is dropped. */
	int (*process)(struct fx_node *node, void *state);
	/** A mark arrived on input @p port (never END or SKIP). NULL: it is passed on to every
	 * output. A node that has this sends on what it wants to by fx_send_mark(). */
	int (*mark)(struct fx_node *node, void *state, unsigned port, const struct fx_mark *m);
	/** Every input has ended, or the source was asked to stop: emit what is left. The host
	 * sends END after it. May be NULL. */
	int (*drain)(struct fx_node *node, void *state);
	/** Called once, also after a failed init(). Must accept a zeroed state. May be NULL. */
	void (*finish)(void *state);
	/** For nodes that keep something between messages. A node that was killed is given all its
	 * messages once more, from the journal that its host keeps. With these two (both or none)
	 * it goes on from its last save(): then the journal stays short. */
	/** Puts what the node knows between two messages: the same bytes for the same knowledge.
	 * Files in fx_state_dir() that it needs for it must be durable by now, and later writes
	 * must not change what load() reads. Not called any more once every input has ended. */
	int (*save)(struct fx_node *node, void *state, struct fx_pack *to);
	/** Called behind init() in a later life: gets what save() put, in the same order.
	 * fx_opened() is as it was. FX_ETYPE when that cannot be. */
	int (*load)(struct fx_node *node, void *state, struct fx_unpack *from);
	/** A set of enum fx_key: with one of them as `key` in a graph the node may have workers
	 * although it keeps state. Each is given every message and mark, and sends what is its own
	 * (fx_part()) of what one alone would send, and every mark that one alone would. What is
	 * not a mark it sends in mark() and drain() only: in process() that fails, as it could
	 * wait for ever for room that comes when the other parts are as far. Who reads its outputs
	 * gets between two marks what the first part sent, then what the second did, and so on,
	 * and each mark once. 0: none. */
	unsigned keys;
};

/** Declares and defines the one symbol of a node: fx_node_ROLE_METHOD. */
#define FX_NODE(id)                                                                                \
	extern FX_API const struct fx_node_type fx_node_##id;                                      \
	FX_API const struct fx_node_type fx_node_##id

/** The kind of message that waits on input @p port, or FX_NOTHING. Ports count from 0 in the
 * order of the table. */
FX_API enum fx_kind fx_waiting(const struct fx_node *node, unsigned port);
/** Moves the waiting message out of the port: the caller owns it. NULL when another kind waits.
 * A block's voxels lie in memory shared with the sender: copy what is kept after process(). */
FX_API struct fx_block *fx_take(struct fx_node *node, unsigned port);
FX_API struct fx_tree *fx_take_tree(struct fx_node *node, unsigned port);
FX_API struct fx_record *fx_take_record(struct fx_node *node, unsigned port);
/** True when the graph connects @p port. Sending to an unconnected output is allowed. */
FX_API bool fx_connected(const struct fx_node *node, unsigned port);
/** The OPEN mark of input @p port; NULL before it came. */
FX_API const struct fx_mark *fx_opened(const struct fx_node *node, unsigned port);

/** A block of the given type and shape (origin 0, no halo, voxel size 1 nm, role image) whose
 * voxels (not zeroed) lie where output @p port will send them from: filling it and sending it costs
 * no copy. May wait for credit. NULL without memory, with an empty shape, above 256 MiB, or when
 * the run was ended: pass it to fx_send(), which tells. */
FX_API struct fx_block *fx_new_block(struct fx_node *node, unsigned port, enum fx_dtype dtype,
				     uint32_t channels, const size_t shape[3]);
/** Sends. Consumes the message, also on failure. May wait for credit. Fails with FX_ENOMEM when
 * given NULL, so that a failed allocation can be passed straight in. */
FX_API int fx_send(struct fx_node *node, unsigned port, struct fx_block *b);
FX_API int fx_send_tree(struct fx_node *node, unsigned port, struct fx_tree *t);
FX_API int fx_send_record(struct fx_node *node, unsigned port, struct fx_record *r);
FX_API int fx_send_mark(struct fx_node *node, unsigned port, const struct fx_mark *m);

/** Records why, and returns @p err, so that a node can say `return fx_fail(...)`. */
FX_API int fx_fail(struct fx_node *node, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** fx_fail() with the code and text of @p e. */
FX_API int fx_fail_error(struct fx_node *node, const struct fx_error *e);
/** Tells the user something that does not stop the run; goes to the log and the run's report. */
FX_API void fx_warn(struct fx_node *node, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Tells how far this node is: @p done of @p total; 0: no one knows. @p unit is a word or two,
 * copied ("steps", "voxels", at most 23 letters). The run shows it with the time left, and /metrics
 * and the receipt have it. From within a long process() or drain() call it about every second, or
 * more often: it is cheap, and handles acknowledgements as well.
 * Of its units (at most 6) the first is the main one, and the others are shown as numbers.
 * @p done is what this process has done since it began, over all messages. What the workers of a
 * node have done is added up, and @p total is that of all of them. */
FX_API void fx_progress(struct fx_node *node, double done, double total, const char *unit);
/** The graph's name of this node. */
FX_API const char *fx_node_name(const struct fx_node *node);
/** A folder for scratch files of this node, made on first use, removed when the run ends;
 * NULL when it cannot be made. */
FX_API const char *fx_scratch_dir(struct fx_node *node);
/** A folder for files that a later life of this node needs: it is kept when the process is killed,
 * and removed when the run has ended well. NULL when it cannot be made. */
FX_API const char *fx_state_dir(struct fx_node *node);
/** True in init() when load() will be called behind it: what lies in fx_state_dir() and in the
 * output is of a former life and needed. */
FX_API bool fx_returns(const struct fx_node *node);
/** Number of the message or mark in hand, counted over all inputs and lives. */
FX_API uint64_t fx_message(const struct fx_node *node);
/** For save(), of a node that holds much of what it was given: messages from number @p first on
 * come once more behind load(), so that it need not put what they hold. They count as known: what
 * is sent meanwhile is dropped. The journal is kept from there on. */
FX_API void fx_needs(struct fx_node *node, uint64_t first);
/** True when the message or mark in hand is one of those. */
FX_API bool fx_again(const struct fx_node *node);
/** For save(). Failures are noticed when all is put. @p size and @p len may be 0. */
FX_API void fx_pack_put(struct fx_pack *to, const void *bytes, size_t size);
/** @p len items of @p size bytes each, and how many they are. */
FX_API void fx_pack_array(struct fx_pack *to, const void *items, size_t len, size_t size);
/** For load(). FX_ETYPE when there are not so many bytes. */
FX_API int fx_unpack_get(struct fx_unpack *from, void *bytes, size_t size);
/** An array of fx_pack_array() with items of @p size bytes: *items (free(), never NULL on success)
 * and *len. FX_ETYPE, FX_ENOMEM. */
FX_API int fx_unpack_array(struct fx_unpack *from, void **items, size_t *len, size_t size);
/** Which of how many (*parts, at least 1; may be NULL) parts of its work this process has, from 0:
 * of a node with `key`. Else the first of one. From init() on. */
FX_API unsigned fx_part(const struct fx_node *node, unsigned *parts);
/** Blocks that lie outside of @p region are of no use to this process: from now on they need not be
 * sent to input @p port, though some may come. For a node with `key`, which knows its part once the
 * stream is open; nothing else may depend on it. */
FX_API void fx_want(struct fx_node *node, unsigned port, struct fx_region region);
/** True once the run is asked to stop early: long loops of a source should return. */
FX_API bool fx_stopping(const struct fx_node *node);

#ifdef __cplusplus
}
#endif
#endif
