// SPDX-License-Identifier: Apache-2.0
/* template.h: the files of tools/template, as texts. @ROLE@, @METHOD@, @VERSION@ are to be put in.
 */
#ifndef FX_TOOLS_TEMPLATE_H
#define FX_TOOLS_TEMPLATE_H

extern const char template_node_c[], template_test_yaml[], template_CMakeLists_txt[];

#endif
