// SPDX-License-Identifier: Apache-2.0
/* keys.h: CURVE key pairs as files, and the list of those who may connect.
 *
 * NAME.public and NAME.secret hold one line each, "fornix-public-1 KEY" and "fornix-secret-1 KEY",
 * with the key in Z85. The folder of a run's keys holds one NAME.secret, the own pair, and a folder
 * "allowed" with the public files of all others. */
#ifndef FX_LINK_KEYS_H
#define FX_LINK_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <fornix/error.h>

enum {
	FX_KEY_TEXT = 41,	/**< bytes of a key in Z85 with its NUL */
	FX_KEY_BYTES = 32,	/**< bytes of a key */
	FX_KEYS_ALLOWED = 1024, /**< most that may be allowed */
	FX_KEY_NAME_MAX = 63,	/**< bytes of the name of a pair */
};

/** Own pair and those who may connect, all in Z85. Zero-initialise; fx_keys_fini(). */
struct fx_keys {
	char public_key[FX_KEY_TEXT], secret_key[FX_KEY_TEXT];
	char (*allowed)[FX_KEY_TEXT]; /**< owned; the own key is not in it, and is allowed too */
	size_t allowed_len;
};

/** Makes a pair: DIR/NAME.public and DIR/NAME.secret, the secret readable by its owner alone from
 * the first moment. @p dir is made when it is not there. Nothing that is there is touched, which
 * is FX_EINVAL, unless @p force. The public key to @p public_key. */
int fx_key_pair_make(const char *dir, const char *name, bool force, char public_key[FX_KEY_TEXT],
		     struct fx_error *err);
/** Reads the keys of a run from @p dir. FX_EINVAL with one sentence when there is not exactly one
 * pair, when others than the owner can read the secret, or when a file is not a key. */
int fx_keys_read(struct fx_keys *k, const char *dir, struct fx_error *err);
/** A new pair that is written nowhere, to a zeroed one: for the processes of one run. FX_EIO when
 * this ZeroMQ knows no CURVE. */
int fx_keys_fresh(struct fx_keys *k, struct fx_error *err);
/** Wipes and frees. Takes a zeroed one. */
void fx_keys_fini(struct fx_keys *k);
/** A text is a key in Z85. */
bool fx_key_valid(const char *text);

#endif
