// SPDX-License-Identifier: Apache-2.0
/* messages.h: messages copied and compared as the journal would keep them. */
#ifndef FX_TESTS_MESSAGES_H
#define FX_TESTS_MESSAGES_H

#include "support/node_test.h"

/** A copy of a message, the caller's. NULL for none. Fails the test when it cannot be. */
void *test_copy(enum fx_kind kind, const void *message);
/** Fails unless two things that were sent, the @p i-th, are the same byte for byte. */
void test_same_sent(const struct sent *a, const struct sent *b, size_t i);

#endif
