#!/bin/bash
# scripts/install-deps keeps packages from starting services while it installs, and no longer than
# that, whatever ends it. Nothing is installed here: programs of this test stand for apt's.
folder=$(mktemp -d "${TMPDIR:-/tmp}/exsyncd-dependencies-XXXXXX")
trap 'rm -rf "$folder"' EXIT
failed=0

# WHAT_HOLDS FOUND WANTED
check() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: found $2, wanted $3"
        failed=1
    fi
}

# NAME: a program that comes before the one of this name, with the text that is given as its input.
stand_in() {
    { echo '#!/bin/sh'; cat; } >"$folder/bin/$1"
    chmod 755 "$folder/bin/$1"
}

mkdir "$folder/bin"
policy=$folder/policy-rc.d
sed "s,^policy=.*,policy=$policy," scripts/install-deps >"$folder/install-deps"
echo 'exit 1' | stand_in dpkg-query
echo 'echo 0' | stand_in id
export PATH="$folder/bin:$PATH"

stand_in apt-get <<EOF
test -x "$policy" && echo held back >>"$folder/seen"
EOF
sh "$folder/install-deps" >/dev/null 2>&1
check "services are held back while packages are installed" "$? $(sort -u "$folder/seen")" "0 held back"
check "and no longer" "$(ls "$policy" 2>/dev/null)" ""

echo 'exit 1' | stand_in apt-get
sh "$folder/install-deps" >/dev/null 2>&1
check "nor when the installation fails" "$? $(ls "$policy" 2>/dev/null)" "1 "

# As Ctrl-C and a lost terminal do: to all of its group.
stand_in apt-get <<EOF
echo \$PPID >"$folder/runs.new"
mv "$folder/runs.new" "$folder/runs"
exec sleep 60
EOF
for signal in INT TERM HUP; do
    rm -f "$folder/runs"
    setsid --wait env --default-signal=INT sh "$folder/install-deps" >/dev/null 2>&1 &
    waits=$!
    until [ -e "$folder/runs" ]; do
        kill -0 "$waits" 2>/dev/null || break
        sleep 0.1
    done
    kill -"$signal" -- "-$(cat "$folder/runs")"
    wait "$waits" 2>/dev/null
    check "nor when SIG$signal ends it" "$(ls "$folder/runs" "$policy" 2>/dev/null)" "$folder/runs"
    rm -f "$policy"
done
exit $failed
