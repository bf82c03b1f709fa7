// SPDX-License-Identifier: Apache-2.0
/* messages.c: messages copied and compared as the journal would keep them. */
#include "support/test.h"

#include "support/messages.h"

#include <stdlib.h>
#include <string.h>

#include "link/letter.h"

/* By way of a letter: as the journal keeps it. */
void *test_copy(enum fx_kind kind, const void *message)
{
	struct fx_envelope e = { .kind = kind, .message = (void *)(uintptr_t)message },
			   copy = { 0 };
	struct fx_error err = { 0 };
	struct fx_letter l;
	unsigned char *bytes;
	size_t size = 0;

	if (!kind)
		return NULL;
	if (fx_letter_write(&l, &e, &err) < 0)
		fail_msg("%s", err.text);
	for (int i = 0; i < l.parts_len; i++)
		size += l.parts[i].iov_len;
	bytes = malloc(size);
	size = 0;
	for (int i = 0; i < l.parts_len; i++) {
		memcpy(bytes + size, l.parts[i].iov_base, l.parts[i].iov_len);
		size += l.parts[i].iov_len;
	}
	if (fx_letter_read(bytes, size, &copy, &err) < 0)
		fail_msg("%s", err.text);
	fx_letter_fini(&l);
	free(bytes);
	return copy.message;
}

void test_same_sent(const struct sent *a, const struct sent *b, size_t i)
{
	const struct fx_envelope x = { .kind = a->kind, .message = a->message, .mark = a->mark };
	const struct fx_envelope y = { .kind = b->kind, .message = b->message, .mark = b->mark };
	struct fx_error err = { 0 };
	struct fx_letter l, m;
	bool same;

	if (fx_letter_write(&l, &x, &err) < 0 || fx_letter_write(&m, &y, &err) < 0)
		fail_msg("%s", err.text);
	same = a->port == b->port && l.parts_len == m.parts_len;
	for (int p = 0; p < l.parts_len && same; p++)
		same = l.parts[p].iov_len == m.parts[p].iov_len &&
		       memcmp(l.parts[p].iov_base, m.parts[p].iov_base, l.parts[p].iov_len) == 0;
	fx_letter_fini(&l);
	fx_letter_fini(&m);
	if (!same)
		fail_msg("message %zu is another", i);
}
