#!/bin/bash
# The daemon's functions stay its own: a shared library that has one of the same name (libkrb5 has
# profile_release) must never be led to ours.
build=${EXSYNC_BUILD:-build/release}
seen=$(nm -D --defined-only "$build/exsyncd" | awk '$2 == "T" || $2 == "D" { print $3 }' |
    grep -vE '@|^(_init|_fini|_start|__.*|data_start|_IO_.*)$')
if [ -z "$seen" ]; then
    echo "ok - the program shows none of its functions to shared libraries"
else
    echo "not ok - the program shows none of its functions to shared libraries: $(echo $seen)"
    exit 1
fi
