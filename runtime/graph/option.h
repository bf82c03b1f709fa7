// SPDX-License-Identifier: Apache-2.0
/* option.h: the text of an option to its field, by the option table: type, range, unit, choices. */
#ifndef FX_GRAPH_OPTION_H
#define FX_GRAPH_OPTION_H

#include <fornix/node.h>

/** Checks @p text against @p o and, when @p state is given, stores the value in its field. A text
 * value is stored as the pointer @p text itself, which must live as long as the state.
 * Texts: bool true|false|on|off|yes|no; numbers with an optional unit ("99.5 %", "120 nm",
 * "0.12 um"); a vec is three numbers z y x (spaces or commas) or one for all. */
int fx_option_set(const struct fx_option *o, const char *text, void *state, struct fx_error *err);
/** Stores the defaults of every option of @p t. */
void fx_option_defaults(const struct fx_node_type *t, void *state);
/** A unit that the option parser knows, so that it can be converted ("um" for "nm"). */
bool fx_unit_known(const char *unit);
/** A graph must set it: a text or a vec without a default. */
bool fx_option_required(const struct fx_option *o);
/** The default as text into @p text; "required" when there is none. */
void fx_option_default_text(const struct fx_option *o, char *text, size_t size);
/** What is accepted, e.g. "0..100 %", "volume|section", "text", into @p text. */
void fx_option_range_text(const struct fx_option *o, char *text, size_t size);

#endif
