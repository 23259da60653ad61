#!/bin/bash
# What `make install` puts below DESTDIR, and that `make uninstall` takes it away again and leaves
# the configuration. Nothing is built here: the program is the one of the build under test.
build=${EXSYNC_BUILD:-build/release}
folder=$(mktemp -d "${TMPDIR:-/tmp}/exsyncd-install-XXXXXX")
trap 'rm -rf "$folder"' EXIT
failed=0

# WHAT_HOLDS FOUND WANTED
check() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: found $(echo $2), wanted $(echo $3)"
        failed=1
    fi
}

# The make that runs the tests tells its options to those below it.
run_make() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make --no-print-directory \
        --assume-old="$build/exsyncd" --assume-old="$build/exsync-submit" \
        --assume-old="$build/exsyncctl" BUILD="$build" DESTDIR="$folder" PREFIX=/opt/exsyncd "$@"
}

found() {
    (cd "$folder" && find . -mindepth 1 -type f -printf '%m %P\n' | LC_ALL=C sort -k 2)
}

wanted="640 etc/exsyncd/exsyncd.conf
644 opt/exsyncd/lib/systemd/catalog/exsyncd.catalog
644 opt/exsyncd/lib/systemd/system/exsyncd.service
644 opt/exsyncd/lib/sysusers.d/exsyncd.conf
644 opt/exsyncd/lib/tmpfiles.d/exsyncd.conf
755 opt/exsyncd/sbin/exsync-submit
755 opt/exsyncd/sbin/exsyncctl
755 opt/exsyncd/sbin/exsyncd
644 opt/exsyncd/share/bash-completion/completions/exsyncctl
644 opt/exsyncd/share/doc/exsyncd/LICENSE
644 opt/exsyncd/share/doc/exsyncd/README.md
644 opt/exsyncd/share/doc/exsyncd/exsyncd.conf
644 opt/exsyncd/share/man/man5/exsyncd.conf.5
644 opt/exsyncd/share/man/man8/exsync-submit.8
644 opt/exsyncd/share/man/man8/exsyncctl.8
644 opt/exsyncd/share/man/man8/exsyncd.8"
run_make install >/dev/null 2>&1
check "install puts the programs, their pages and documents and a first configuration in place" \
    "$(found)" "$wanted"

echo "# mine" >"$folder/etc/exsyncd/exsyncd.conf"
run_make install >/dev/null 2>&1
check "a second install leaves the configuration alone" \
    "$(cat "$folder/etc/exsyncd/exsyncd.conf")" "# mine"
check "the installed program runs" \
    "$("$folder/opt/exsyncd/sbin/exsyncd" --version)" "$("$build/exsyncd" --version)"
check "the unit starts the program that was installed" \
    "$(sed -n 's/^ExecStart=//p' "$folder/opt/exsyncd/lib/systemd/system/exsyncd.service")" \
    "/opt/exsyncd/sbin/exsyncd"

said=$(run_make uninstall 2>&1)
check "uninstall leaves nothing but the configuration" "$(found)" "640 etc/exsyncd/exsyncd.conf"
check "uninstall says in one line where the configuration is" \
    "$(grep -c "stays: $folder/etc/exsyncd\$" <<<"$said")" 1
check "uninstall removes the folder of the documents" \
    "$(find "$folder/opt" -name exsyncd -path '*/doc/*')" ""

rm -r "$folder/etc"
run_make uninstall >/dev/null 2>&1
check "uninstall where nothing is installed is no mistake" "$?" 0
exit $failed
