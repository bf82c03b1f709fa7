// SPDX-License-Identifier: Apache-2.0
/* deadletter.h: a message that its node could not take, given to the node once more. */
#ifndef FX_TOOLS_DEADLETTER_H
#define FX_TOOLS_DEADLETTER_H

#define DEADLETTER_FILE "letter.json"

/** Gives the message of the dead letter @p dir to its node in this process. The folder holds
 * letter.json {node, type, port, options: {name: text}, ...}, message (the bytes of one letter,
 * link/letter.h), and may hold open (a letter too: the mark that opened the stream). Prints what
 * the node sends. Exit code: CMD_DONE when the node takes it, CMD_FAILED when it fails, CMD_WRONG
 * when the folder cannot be read. */
int deadletter_replay(const char *dir);

#endif
