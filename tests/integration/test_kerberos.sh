#!/bin/bash
# Negotiate with a user's name and password: signing in at a real KDC, what a KDC refuses, KDCs that
# cannot be reached or say nothing, and tickets that end. kerberos.sh says what is needed.
# shellcheck source=tests/integration/kerberos.sh
. "$(dirname "$0")/kerberos.sh"

add() { kadmin.local -q "addprinc $*" >>"$dir/kdb.log" 2>&1; }
add -pw s3cret +requires_preauth sync
add -pw s3cret +requires_preauth -pwexpire yesterday expired
add -pw s3cret +requires_preauth -allow_tix locked
add -pw s3cret +requires_preauth -expire yesterday past
add -randkey keyed
kadmin.local -q "ktadd -k $dir/client.keytab keyed" >>"$dir/kdb.log" 2>&1
start_apache "Alias /open $dir/password
<Location /open>
    AuthType None
    Require all granted
</Location>"
open=http://127.0.0.1:$web_port/open
KRB5CCNAME=FILE:$dir/no-tickets

drive_as() { # USER PASSWORD-FILE ARGUMENT...
    : >"$dir/kdc.log"
    drive --auth negotiate --user "$1" --password-file "$2" "${@:3}"
}
asked() { grep -c "$1" "$dir/kdc.log"; } # TEXT : lines of the KDC's log
# CODE WORDS : all requests failed so, and none went out
failed_with() {
    [ "$(grep -c "^status=0 failure=$1 in_doubt=0 sent=0 .*$2" <<<"$out")" = "$(grep -c ^status= <<<"$out")" ] &&
        [ ! -s "$dir/access.log" ]
}

# --- signing in --------------------------------------------------------------------------------

drive_as sync "$dir/password" --count 20 --connections 4 "$tell" "$dir/small"
check "a password signs in" arrived "$dir/small" 20 sync@EXSYNCD.TEST
check "a password signs in once" is "$(asked 'AS_REQ.*ISSUE')" -eq 1
check "one ticket serves all requests" is "$(asked 'TGS_REQ.*ISSUE')" -eq 1
check "no challenge is needed" is "$(challenges)" -eq 0
drive_as 'CONTOSO\sync' "$dir/password" "$tell" "$dir/small"
check "DOMAIN\\NAME is NAME of the default realm" arrived "$dir/small" 1 sync@EXSYNCD.TEST
drive_as sync@EXSYNCD.TEST "$dir/password" --changes "$tell" "$dir/large"
check "NAME@REALM is that principal" arrived "$dir/large" 1 sync@EXSYNCD.TEST
drive_as sync@contoso.example "$dir/password" "$tell" "$dir/small"
check "NAME@domain is asked for as a user principal name of the default realm" is \
    "$(asked 'sync\\@contoso.example@EXSYNCD.TEST')" -ge 1
KRB5_CLIENT_KTNAME=$dir/client.keytab drive --auth negotiate "$tell" "$dir/small"
check "the client key table signs in" arrived "$dir/small" 1 keyed@EXSYNCD.TEST
printf '%s\n' "addent -password -p sync@EXSYNCD.TEST -k 1 -f" s3cret "wkt $dir/made.keytab" quit |
    ktutil >"$dir/ktutil.log" 2>&1
check "a key table made of the password, as the manual page says, is good" \
    kinit -c MEMORY: -k -t "$dir/made.keytab" sync@EXSYNCD.TEST
KRB5_CLIENT_KTNAME=$dir/made.keytab drive --auth negotiate "$tell" "$dir/small"
check "a key table made of the password signs in" arrived "$dir/small" 1 sync@EXSYNCD.TEST
KRB5CCNAME=FILE:$dir/tickets
kinit sync <"$dir/password" >/dev/null
drive --auth negotiate "$tell" "$dir/small"
check "the ticket cache signs in" arrived "$dir/small" 1 sync@EXSYNCD.TEST
klist >"$dir/klist"
check "the ticket cache is left as it was" is "$(grep -c HTTP/ "$dir/klist")" -eq 0
KRB5CCNAME=FILE:$dir/no-tickets

# --- what the KDC refuses ------------------------------------------------------------------------

drive_as sync "$dir/wrong" --count 5 --connections 4 "$tell" "$dir/small"
check "a wrong password is told" failed_with KRB5KDC_ERR_PREAUTH_FAILED "password"
check "a wrong password costs one sign-in" is "$(asked PREAUTH_FAILED:)" -eq 1
drive_as sync "$dir/wrong" --count 3 --idle 50 "$tell" "$dir/small"
check "a wrong password is not tried again" is "$(asked PREAUTH_FAILED:)" -eq 1
drive_as expired "$dir/password" "$tell" "$dir/small"
check "an expired password is told" failed_with KRB5KDC_ERR_KEY_EXP "password has expired"
drive_as locked "$dir/password" "$tell" "$dir/small"
check "a locked account is told" failed_with KRB5KDC_ERR_CLIENT_REVOKED "locked"
drive_as past "$dir/password" "$tell" "$dir/small"
check "an expired account is told" failed_with KRB5KDC_ERR_NAME_EXP "account has expired"
drive_as nobody "$dir/password" "$tell" "$dir/small"
check "an unknown account is told" failed_with KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN "know the account"
drive_as sync "$dir/password" "http://127.0.0.1:$web_port/tell" "$dir/small"
check "an unknown server is told" failed_with KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN "by this name"
printf 'no key table\n' >"$dir/garbage.keytab"
KRB5_CLIENT_KTNAME=$dir/garbage.keytab drive --auth negotiate "$tell" "$dir/small"
check "a key table that is none is told" failed_with KRB5_KEYTAB_BADVNO "key table"
: >"$dir/empty.keytab"
KRB5_CLIENT_KTNAME=$dir/empty.keytab drive --auth negotiate "$tell" "$dir/small"
check "an empty key table is told" failed_with 'KRB5_[A-Z_]*' "key table"
drive --auth negotiate "$tell" "$dir/small"
check "no password, no ticket and no key table are told" failed_with KRB5_FCC_NOFILE "no key table"

client_config "$kdc_port" "dns_canonicalize_hostname = true" "rdns = true" >"$dir/krb5-look-up.conf"
KRB5_CONFIG=$dir/krb5-look-up.conf drive_as sync "$dir/password" "http://127.0.0.1:$web_port/tell" \
    "$dir/small"
check "the server's name is not looked up for another one" failed_with \
    KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN "by this name"
grep -v default_realm "$dir/krb5.conf" >"$dir/krb5-no-realm.conf"
KRB5_CONFIG=$dir/krb5-no-realm.conf drive_as sync "$dir/password" "$tell" "$dir/small"
check "a missing realm is told" failed_with KRB5_CONFIG_NODEFREALM "realm"

# --- KDCs that are not there ---------------------------------------------------------------------

# One port where nothing listens, and one that takes everything and never answers.
read -r closed_port < <(python3 -c '
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
python3 -u -c '
import socket, time
tcp = socket.socket(); tcp.bind(("127.0.0.1", 0)); tcp.listen(16)
udp = socket.socket(type=socket.SOCK_DGRAM); udp.bind(tcp.getsockname())
print(udp.getsockname()[1])
time.sleep(300)' >"$dir/silent" &
pids+=($!)
wait_for $! test -s "$dir/silent"

client_config "$closed_port" >"$dir/krb5-closed.conf"
KRB5_CONFIG=$dir/krb5-closed.conf drive_as sync "$dir/password" --count 3 --connections 3 \
    --beside "$open" "$tell" "$dir/small"
check "a KDC that does not run is told" grep -q \
    "^status=0 failure=KRB5_KDC_UNREACH in_doubt=0 sent=0" <<<"$out"
client_config "$(cat "$dir/silent")" >"$dir/krb5-silent.conf"
before=$(date +%s%N)
KRB5_CONFIG=$dir/krb5-silent.conf drive_as sync "$dir/password" --count 3 --connections 3 \
    --beside "$open" "$tell" "$dir/small"
took=$((($(date +%s%N) - before) / 1000000))
check "a KDC that says nothing is told" grep -q \
    "^status=0 failure=KRB5_KDC_UNREACH in_doubt=0 sent=0" <<<"$out"
check "a KDC that says nothing takes its time ($took ms)" is "$took" -gt 1000
check "meanwhile another server is asked" grep -q "^beside status=200 .* first" <<<"$out"
check "meanwhile another server is not kept waiting" is \
    "$(sed -n 's/^beside .*ms=\([0-9]*\) .*/\1/p' <<<"$out")" -lt 1000

# --- time ----------------------------------------------------------------------------------------

# How often depends on how long a busy machine takes for it: once at first in each of up to three tries,
# and then each 15 s.
kadmin.local -q 'modprinc -maxlife "30 seconds" sync' >>"$dir/kdb.log" 2>&1
before=$(date +%s)
drive_as sync "$dir/password" --count 40 --idle 1000 "$tell" "$dir/small"
took=$(($(date +%s) - before))
tickets=$(asked 'AS_REQ.*ISSUE')
check "requests go on beyond the end of a ticket" arrived "$dir/small" 40 sync@EXSYNCD.TEST
check "a ticket of 30 s is renewed before its end ($tickets in $took s)" is "$tickets" -ge 3
check "a ticket of 30 s is used for 15" is "$tickets" -le $((took / 15 + 3))

# The driver's clock alone is set forward, and then back; its monotonic one goes on. So does a ticket
# end while a machine sleeps.
libfaketime=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2>/dev/null)
says="a clock that is set is told as that, no ticket is used that it says has ended, and all goes on"
if [ -z "$libfaketime" ]; then
    echo "ok - $says # SKIP libfaketime is not installed (scripts/install-deps check)"
elif [[ $build == *asan* ]]; then
    echo "ok - $says # SKIP libfaketime and the address sanitizer do not go together"
else
    set_clock() { echo "$1" >"$dir/clock.new" && mv "$dir/clock.new" "$dir/clock"; }
    kadmin.local -q 'modprinc -maxlife "1 hour" sync' >>"$dir/kdb.log" 2>&1
    set_clock +0
    (sleep 3; set_clock +7200; sleep 3; set_clock +0) &
    out=$(LD_PRELOAD=$libfaketime FAKETIME_TIMESTAMP_FILE=$dir/clock FAKETIME_NO_CACHE=1 \
        FAKETIME_DONT_FAKE_MONOTONIC=1 "$build/http_driver" --auth negotiate --user sync \
        --password-file "$dir/password" --count 12 --idle 1000 "$tell" "$dir/small" 2>&1)
    wait $!
    told=$(grep ^status= <<<"$out" | cut -d' ' -f1,2 | uniq | tr '\n' ' ')
    check "$says" is "$told" = "status=200 failure= status=0 failure=KRB5KRB_AP_ERR_SKEW status=200 failure= "
fi

exit $failed
