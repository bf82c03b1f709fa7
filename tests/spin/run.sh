#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh CC MODEL holds|fails [-DNAME=VALUE...]: spin looks at every order of events of a model.
#   holds    no assertion fails, and every run ends: there is no cycle, and where nothing can happen any more,
#            the model asserts that all is done
#   fails    an assertion fails: the model sees that something is switched off, or is missing
set -eu
cc=$1 model=$2 wanted=$3
shift 3
command -v spin >/dev/null || { echo "skipped: spin is not installed (Debian package spin)"; exit 77; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
spin "$@" -a "$model" >spin.log 2>&1 || { cat spin.log; exit 1; }
case $wanted in
holds) optimise=-O1 ;; # what fails is found soon: then compiling takes longest
*) optimise=-O0 ;;
esac
# NP and -l: as nothing is marked as progress, a cycle of any kind is an error.
"$cc" $optimise -w -DNP -DMEMLIM=1000 -DVECTORSZ=2048 -o pan pan.c
./pan -m100000 -l >pan.log 2>&1 || :
grep -E '^pan:1|errors:|states, stored' pan.log | cut -c1-100 || :
if ! grep -q 'errors: ' pan.log || grep -qE '^error: |^pan: (out of|reached)' pan.log; then
	cat pan.log
	echo "the search did not end"
	exit 1
fi
case $wanted in
holds)
	grep -q 'errors: 0$' pan.log || {
		spin "$@" -t -p "$model" 2>/dev/null | tail -n 100
		exit 1
	}
	;;
*)
	grep -q '^pan:1: assertion violated' pan.log || {
		echo "nothing is found: the model does not see it"
		exit 1
	}
	;;
esac
