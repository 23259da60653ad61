#!/bin/bash
# What the package's postrm counts and says when it is purged and mail is left. Only its function is
# run, on folders of this test's own; tests/machine purges the package itself.
folder=$(mktemp -d "${TMPDIR:-/tmp}/exsyncd-purge-XXXXXX")
trap 'rm -rf "$folder"' EXIT
failed=0
. <(sed -n '/^keep_files_of() {$/,/^}$/p' debian/exsyncd.postrm)

# WHAT_HOLDS FOUND WANTED
check() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: found $2, wanted $3"
        failed=1
    fi
}

outbox=$folder/outbox
mkdir -p "$outbox"/{new,intake,queue,kept,failed} "$folder/mail/ann"/{new,cur}
touch "$outbox"/queue/1.eml "$outbox"/kept/1 "$outbox"/failed/2.{eml,reason}
said=$(keep_files_of "$outbox" "messages that were not sent")
check "a message that waits counts once, and one that has failed" \
    "$(head -n 1 <<<"$said")" "exsyncd: kept: $outbox (messages that were not sent: 2)"
check "the command that sends what waits is named" \
    "$(grep -c 'exsyncctl verify --all --repair' <<<"$said")" 1

rm "$outbox"/{queue,kept}/1*
check "nothing is said of it where nothing waits" \
    "$(keep_files_of "$outbox" "messages that were not sent")" \
    "exsyncd: kept: $outbox (messages that were not sent: 1)"

touch "$folder"/mail/ann/{new,cur}/1
check "all files of a Maildir count" "$(keep_files_of "$folder/mail" files)" \
    "exsyncd: kept: $folder/mail (files: 2)"

mkdir -p "$folder/mail/kept/ann/new"
mv "$folder/mail/ann/new/1" "$folder/mail/kept/ann/new"
check "a Maildir of a domain named kept is no outbox" "$(keep_files_of "$folder/mail" files)" \
    "exsyncd: kept: $folder/mail (files: 2)"

rm "$outbox"/failed/2.eml "$folder/mail/ann/cur/1" "$folder/mail/kept/ann/new/1"
check "a folder without messages goes without a word" \
    "$(keep_files_of "$outbox" files; keep_files_of "$folder/mail" files; ls "$folder")" ""
exit $failed
