#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh PAGE WORK SOURCE BUILD: does what a page of the documentation says, in the fresh folder WORK.
#   ```sh run            the block is run; it must succeed
#   ```text output       must be what the block before it printed (stdout and stderr)
#   ```yaml file=NAME    the block is written to NAME (any language in place of yaml)
# Blocks run in order, as a reader would in the source folder: graphs/ and build/release/ are there.
# Links to other files of the repository must lead somewhere.
set -eu
page=$1 work=$2 source=$3 build=$4

rm -rf "$work"
mkdir -p "$work/build" "$work/home" "$work/.steps"
ln -s "$source/graphs" "$work/graphs"
ln -s "$build" "$work/build/release"

awk -v dir="$work/.steps" '
function begin(name) { to = sprintf("%s/%04d%s", dir, n, name); printf "" >to }
/^```/ && inside {
	if (file) print "FX_END_OF_FILE" >to
	if (to) close(to)
	inside = 0
	next
}
/^```/ {
	inside = 1
	file = to = ""
	if ($0 == "```sh run") { n++; last = FNR; begin(".sh"); print "# line " FNR >to }
	if ($0 == "```text output") { begin(".out"); if (!n) exit 1 }
	if ($2 ~ /^file=/) {
		n++
		file = substr($2, 6)
		begin(".sh")
		print "# line " FNR "\ncat >" file " <<\"FX_END_OF_FILE\"" >to
	}
	next
}
inside && to { print >to }
' "$page"

# hung: what runs in the folder, and what it waits for; it is ended.
hung() {
	for p in /proc/[0-9]*; do
		[ "$(readlink "$p/cwd")" = "$work" ] && [ "${p#/proc/}" != $$ ] || continue
		echo "$(tr '\0' ' ' <"$p/cmdline"): $(sed -n 's/^State:.//p' "$p/status"), $(cat "$p/wchan")"
		kill -9 "${p#/proc/}"
	done
}

status=0
cd "$work"
work=$(pwd -P)
HOME=$work/home
TMPDIR=$(mktemp -d) # short: sockets lie in it
trap 'rm -rf "$TMPDIR"' EXIT
export HOME TMPDIR
for step in .steps/*.sh; do
	[ -e "$step" ] || break
	began=$(date +%s)
	sh -eu "$step" >"$step.log" 2>&1 &
	while kill -0 $! 2>/dev/null; do
		if [ $(($(date +%s) - began)) -ge 1200 ]; then
			echo "after 20 minutes there are still:"
			hung 2>/dev/null || :
			break
		fi
		sleep 0.05
	done
	if ! wait $!; then
		echo "$page: the block at$(sed -n '1s/^#//p' "$step") fails:"
		cat "$step" "$step.log"
		exit 1
	fi
	wanted=${step%.sh}.out
	if [ -e "$wanted" ] && ! diff -u "$wanted" "$step.log"; then
		echo "$page: the block at$(sed -n '1s/^#//p' "$step") prints something else"
		status=1
	fi
done

grep -o '](\([^)#: ]*\)[^):]*)' "$page" | sed 's/^](//; s/[#)].*//' >.links
cd "$(dirname "$page")"
while read -r target; do
	if [ ! -e "$target" ]; then
		echo "$page: the link to $target leads nowhere"
		status=1
	fi
done <"$work/.links"
[ $status -ne 0 ] || rm -rf "$work"
exit $status
