// SPDX-License-Identifier: Apache-2.0
/* turn.h: the order of messages of a node whose work is parted by a key.
 *
 * Each part sends its messages, and all parts the same marks. The one stream that consumers see is:
 * what the first part sent before its first mark, with that mark, then the second part's, ... then
 * what the first part sent before its second mark, and so on; of equal marks only the last part's
 * counts. The number of a message says its place in it: its round (marks that its part had sent
 * before), part, index in that round, and whether it ends the round of its part. So numbers grow in
 * the order of the stream, and each tells what comes behind it. Where nothing is parted (@p parts
 * is 0 or 1), numbers count from 0. */
#ifndef FX_LINK_TURN_H
#define FX_LINK_TURN_H

#include <stdbool.h>
#include <stdint.h>

/** The first place of @p part. */
uint64_t fx_turn_first(unsigned part, unsigned parts);
/** The number of what is sent at @p place: a mark or something else. */
uint64_t fx_turn_number(uint64_t place, bool mark, unsigned parts);
/** The place behind @p seq at which its own part goes on. */
uint64_t fx_turn_own(uint64_t seq, unsigned parts);
/** The place behind @p seq in the stream of all parts. */
uint64_t fx_turn_after(uint64_t seq, unsigned parts);
/** @p seq is the number of what lies at @p place. */
bool fx_turn_is(uint64_t seq, uint64_t place, unsigned parts);
/** The part that sent @p seq is the last: its marks count. True where nothing is parted. */
bool fx_turn_counts(uint64_t seq, unsigned parts);

#endif
