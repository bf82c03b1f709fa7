// SPDX-License-Identifier: Apache-2.0
/* instance.h: one node with its options set, apart from what connects it: the host gives it links,
 * a test gives it memory. */
#ifndef FX_NODE_INSTANCE_H
#define FX_NODE_INSTANCE_H

#include <fornix/node.h>

/** How an instance reaches the outside. All functions take the io context first. Messages are
 * passed as struct fx_block, fx_tree or fx_record by their kind. */
struct fx_node_io {
	enum fx_kind (*waiting)(const void *io, unsigned port);
	void *(*take)(void *io, unsigned port);
	bool (*connected)(const void *io, unsigned port);
	const struct fx_mark *(*opened)(const void *io, unsigned port);
	/** 64-byte aligned voxels for a block that will be sent on @p port: sets data, release,
	 * owner. */
	int (*voxels)(void *io, unsigned port, size_t size, struct fx_block *b);
	/** Consumes @p message also on failure. */
	int (*send)(void *io, unsigned port, enum fx_kind kind, void *message,
		    struct fx_error *err);
	int (*send_mark)(void *io, unsigned port, const struct fx_mark *m, struct fx_error *err);
	void (*warn)(void *io, const char *text);
	void (*progress)(void *io, double done, double total, const char *unit);
	const char *(*scratch)(void *io);
	const char *(*state_dir)(void *io);
	bool (*stopping)(const void *io);
	void (*want)(void *io, unsigned port, struct fx_region region);
};

struct fx_node {
	const struct fx_node_type *type;
	char *name;  /* owned */
	void *state; /* owned, type->state_size bytes */
	bool finished, returns;
	unsigned part, parts;	 /* fx_part() */
	bool again;		 /* the message in hand is in the save as well */
	uint64_t message, needs; /* its number; the first that load() will not do without */
	const struct fx_node_io *io;
	void *io_context;      /* borrowed */
	struct fx_error error; /* of the last fx_fail() */
	char **texts;	       /* owned option texts that the state points into */
	size_t texts_len, texts_cap;
};

/** Prepares an instance with default options. Free with fx_node_fini(), which takes zeroed ones. */
int fx_node_init(struct fx_node *n, const struct fx_node_type *type, const char *name,
		 const struct fx_node_io *io, void *io_context);
/** Calls the type's finish() and frees. */
void fx_node_fini(struct fx_node *n);
/** Sets one option from text (copied). Unknown names are errors. */
int fx_node_set(struct fx_node *n, const char *option, const char *text, struct fx_error *err);
/** Calls the type's init() after checking that required options are set. */
int fx_node_start(struct fx_node *n);
/** Frees a message of @p kind. Takes NULL. */
void fx_message_free(enum fx_kind kind, void *message);

#endif
