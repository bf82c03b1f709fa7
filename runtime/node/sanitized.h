// SPDX-License-Identifier: Apache-2.0
/* sanitized.h: built with a sanitizer? Its reports need what no release needs: to trace itself, and
 * to run a program that knows the names of functions. */
#ifndef FX_NODE_SANITIZED_H
#define FX_NODE_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FX_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define FX_SANITIZED 1
#endif
#endif
#ifndef FX_SANITIZED
#define FX_SANITIZED 0
#endif

#endif
