// SPDX-License-Identifier: Apache-2.0
/* door.h: by which commands of its user ask something of a run that lasts.
 *
 * A socket in the folder of the run, which is its user's alone: one question, one answer, each a
 * JSON object. Processes of nodes, which are the same user's, are turned away: what is asked may
 * start programs. */
#ifndef FX_CONDUCT_DOOR_H
#define FX_CONDUCT_DOOR_H

#include <jansson.h>
#include <stdbool.h>

#include <fornix/error.h>

#define FX_DOOR "door"

/** The conductor's side. fx_door_init() first. */
struct fx_door {
	int fd;	   /**< -1: it has none */
	int guest; /**< who waits for an answer; -1: no one */
};

void fx_door_init(struct fx_door *d);
/** Opens it in the folder @p dir. FX_EIO. */
int fx_door_open(struct fx_door *d, const char *dir, struct fx_error *err);
/** What is asked, when someone does (json_decref()); NULL when no one does now, or the last has no
 * answer yet. Never waits. */
json_t *fx_door_hear(struct fx_door *d);
/** Answers the one that asked last, with @p answer, which it takes. Nothing when no one waits. */
void fx_door_answer(struct fx_door *d, json_t *answer);
/** Takes one that is not open. */
void fx_door_close(struct fx_door *d);

/** Asks @p question, which it takes, of the run whose folder is @p dir: the answer
 * (json_decref()). NULL when there is no such door, or no answer within @p seconds. */
json_t *fx_door_ask(const char *dir, json_t *question, int seconds, struct fx_error *err);

#endif
