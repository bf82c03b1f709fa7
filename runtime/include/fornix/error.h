// SPDX-License-Identifier: Apache-2.0
/* error.h: result codes, and an error text that travels on the caller's stack. */
#ifndef FORNIX_ERROR_H
#define FORNIX_ERROR_H

#include <fornix/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Every fallible function returns one of these: zero is success, below zero failure. */
enum fx_err {
	FX_OK = 0,
	FX_EINVAL = -1, /**< an argument, option or file content is wrong */
	FX_ENOMEM = -2, /**< no memory, or a stated limit of memory is reached */
	FX_EIO = -3,	/**< the system refused to read, write, map or connect */
	FX_ETYPE = -4,	/**< data of a kind, dtype or shape that is not accepted here */
	FX_ENOENT = -5, /**< a name, file or key does not exist */
	FX_END = 1,	/**< from a source's process(): nothing more will come */
	FX_IDLE = 2,	/**< from a source's process(): nothing now, call again in a while */
};

/** Why something failed. Zero-initialise; the functions that take one accept NULL. */
struct fx_error {
	int code;	/**< enum fx_err */
	char text[512]; /**< one sentence: what, where, what is valid; no newline */
};

/** Records @p code and the formatted text in @p e (may be NULL), and returns @p code. */
FX_API int fx_error_set(struct fx_error *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Puts "prefix: " before the text of @p e, and returns its code; FX_EINVAL when @p e is NULL. */
FX_API int fx_error_prefix(struct fx_error *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#ifdef __cplusplus
}
#endif
#endif
