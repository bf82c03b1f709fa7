#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# clock: the clock that can be set, and may jump, is only told to people: in the log and in provenance.
set -eu
calls='time|gettimeofday|timespec_get|ftime|alarm|setitimer|(pthread_cond|sem)_timedwait|pthread_mutex_timedlock'
wrong=$(grep -rnE --include='*.[ch]' "(^|[^_[:alnum:]])(CLOCK_REALTIME|CLOCK_TAI|($calls) *\()" runtime nodes tools |
	grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)' |
	grep -vE '^runtime/base/log\.c:[0-9]+:.*clock_gettime\(CLOCK_REALTIME, &now\);$' |
	grep -vE '^runtime/conduct/receipt\.c:[0-9]+:.*const time_t now = time\(NULL\);$' || :)
[ -z "$wrong" ] || {
	echo "a clock that may jump decides something (runtime/base/clock.h has one that does not):" >&2
	echo "$wrong" >&2
	exit 1
}
