// SPDX-License-Identifier: Apache-2.0
/* commands.h: the commands, one line each: X(identifier, "name", "summary"). The function is
 * cmd_IDENTIFIER() in tools/cmd_IDENTIFIER.c. */
#ifndef FX_TOOLS_COMMANDS_H
#define FX_TOOLS_COMMANDS_H

#define FX_COMMANDS(X)                                                                             \
	X(run, "run", "run a graph")                                                               \
	X(check, "check", "read a graph and tell everything that is wrong with it")                \
	X(draw, "draw", "draw a graph: GraphViz, SVG or JSON")                                     \
	X(plan, "plan", "show what of a graph would run where")                                    \
	X(nodes, "nodes", "list the node types, or describe one")                                  \
	X(join, "join", "let a host join a run that goes on")                                      \
	X(top, "top", "watch a run: what its nodes do, what its edges carry")                      \
	X(tap, "tap", "watch the messages of an edge of a run, or save its blocks")                \
	X(simulate, "simulate", "play a volume as a microscope, with all that goes wrong")         \
	X(record, "record", "record an edge of a run into a folder")                               \
	X(replay, "replay", "play a recording into a graph, or a dead letter into its node")       \
	X(score, "score", "score a label volume against the truth")                                \
	X(skeletonize, "skeletonize", "skeletons of a label volume")                               \
	X(bench, "bench", "measure links and graphs on this machine")                              \
	X(keygen, "keygen", "make a key pair, for runs that others can reach")                     \
	X(convert, "convert", "convert volumes, skeletons and models to other formats")            \
	X(new_node, "new-node", "write the files of a new node type")                              \
	X(node, "node", "run one node of a graph (started by fornix run)")                         \
	X(agent, "agent", "start processes of a run on this host (started by fornix run)")

#endif
