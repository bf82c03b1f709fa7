// SPDX-License-Identifier: Apache-2.0
/* version.h: what a node is compiled against. */
#ifndef FORNIX_VERSION_H
#define FORNIX_VERSION_H

#define FX_VERSION_MAJOR 0
#define FX_VERSION_MINOR 1
#define FX_VERSION_PATCH 0

/** Version of the node contract in node.h. A node of another number is refused at load. */
#define FX_NODE_ABI 3

/** Version of the messages in proto/. A peer of another number is refused at the handshake. */
#define FX_WIRE_VERSION 1

/* Marks what libfornix exports to nodes outside the tree. */
#define FX_API __attribute__((visibility("default")))

#endif
