#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# calls: functions that no code of ours uses; in kernels and nodes also none whose result varies.
set -eu
word='(^|[^_[:alnum:]])'
wrong=$(
	grep -rnE --include='*.[ch]' "$word(gets|sprintf|vsprintf|strcpy|strcat|strtok|atoi|atol|atof|alloca) *\(" \
		runtime nodes tools || :
	grep -rnE --include='*.[ch]' "$word(rand|srand|random|drand48|time|clock|gettimeofday) *\(" \
		runtime/kernels runtime/formats nodes || :
)
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
