#!/bin/bash
# Signing in with NTLM and with Negotiate (Kerberos, and NTLM inside it) to a real Apache with
# mod_auth_gssapi and a real KDC: with bodies that are small, and large enough that they have to go
# out again after the challenge. Behind Apache stand a script that tells what arrived, and the
# Exchange simulator.
#
# Needs apache2, libapache2-mod-auth-gssapi, gss-ntlmssp, krb5-kdc, krb5-admin-server, krb5-user.
# BUILD names the folder of the build. Everything runs on loopback ports that are free, out of a
# folder of its own.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "$root" && cd "${BUILD:-build/release}" && pwd)
PATH=$PATH:/usr/sbin:/sbin
failed=0
pids=()

ok() { echo "ok - $1"; }
not_ok() {
    echo "not ok - $1"
    [ $# -lt 2 ] || echo "$2" | head -n 6 | cut -c 1-300 | sed 's/^/# /'
    failed=1
}
check() { # NAME CONDITION... : what stands in $out is told when it does not hold
    local name=$1
    shift
    if "$@"; then ok "$name"; else not_ok "$name" "$out"; fi
}

for program in apache2 krb5kdc kdb5_util kadmin.local kinit; do
    if ! command -v $program >/dev/null; then
        echo "not ok - $program is not installed (scripts/install-deps check)"
        exit 1
    fi
done

dir=$(mktemp -d /tmp/exsyncd-negotiate-XXXXXX)
chmod 755 "$dir"
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null; done
    rm -rf "$dir"
}
trap cleanup EXIT

read -r kdc_port web_port < <(python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
for s in sockets: s.bind(("127.0.0.1", 0))
print(*[s.getsockname()[1] for s in sockets])')

wait_for() { # PID COMMAND... : until the command succeeds, while the process lives
    local pid=$1 _
    shift
    for _ in $(seq 300); do
        "$@" >/dev/null 2>&1 && return 0
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

# --- the KDC -----------------------------------------------------------------------------------

export KRB5_CONFIG=$dir/krb5.conf KRB5_KDC_PROFILE=$dir/kdc.conf KRB5CCNAME=FILE:$dir/tickets
cat >"$dir/krb5.conf" <<EOF
[libdefaults]
    default_realm = EXSYNCD.TEST
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
[realms]
    EXSYNCD.TEST = {
        kdc = 127.0.0.1:$kdc_port
    }
[domain_realm]
    localhost = EXSYNCD.TEST
EOF
cat >"$dir/kdc.conf" <<EOF
[realms]
    EXSYNCD.TEST = {
        database_name = $dir/principal
        key_stash_file = $dir/stash
        kdc_listen = 127.0.0.1:$kdc_port
        kdc_tcp_listen = 127.0.0.1:$kdc_port
        max_life = 1h
    }
[logging]
    kdc = FILE:$dir/kdc.log
EOF
{
    kdb5_util create -s -r EXSYNCD.TEST -P master
    kadmin.local -q "addprinc -pw s3cret svc-sync"
    kadmin.local -q "addprinc -randkey HTTP/localhost"
    kadmin.local -q "ktadd -k $dir/http.keytab HTTP/localhost"
} >"$dir/kdb.log" 2>&1 || { not_ok "a Kerberos database is made" "$(cat "$dir/kdb.log")"; exit 1; }
krb5kdc -n -r EXSYNCD.TEST >"$dir/krb5kdc.log" 2>&1 &
pids+=($!)
echo s3cret >"$dir/password"
echo wrong >"$dir/wrong"
sign_in() { kinit svc-sync <"$dir/password"; }
wait_for $! sign_in
out=$(klist 2>&1; cat "$dir/krb5kdc.log" "$dir/kdc.log" 2>/dev/null)
check "the KDC gives the service a ticket" klist -s

# --- the simulator -----------------------------------------------------------------------------

"$build/exchange-simulator" --trust-proxy-user X-Remote-User --account svc-sync:unused \
    --impersonation svc-sync:all --mailbox ann@example.com --schema "$root/tests/schema" --strict \
    >"$dir/simulator.log" 2>"$dir/simulator.err" &
pids+=($!)
wait_for $! grep -q ^ready "$dir/simulator.log"
simulator=$(awk '/^ready/ { print $2 }' "$dir/simulator.log")
control=$(awk '/^ready/ { print $4 }' "$dir/simulator.log")

# --- Apache ------------------------------------------------------------------------------------

modules=/usr/lib/apache2/modules
mkdir "$dir/cgi"
cat >"$dir/cgi/tell" <<'EOF'
#!/bin/sh
sum=$(sha256sum | cut -d' ' -f1)
printf 'Content-Type: text/plain\r\n\r\nuser=%s length=%s sum=%s' "$REMOTE_USER" "$CONTENT_LENGTH" "$sum"
EOF
chmod 755 "$dir/cgi/tell"
echo "CONTOSO:svc-sync:s3cret" >"$dir/ntlm-users"
user=$(id -un) group=$(id -gn)
if [ "$(id -u)" -eq 0 ]; then
    user=www-data group=www-data
fi
mkdir "$dir/run"
chown "$user:$group" "$dir/http.keytab" "$dir/ntlm-users" "$dir/run"
# libcurl's messages of NTLM have no Version field: the oldest of the forms that MS-NLMP 2.2.1 knows,
# and Windows takes it. gss-ntlmssp 1.2.0 does not: it finds the field missing in the first message,
# and the texts of the third where it believes the field to be. So eight bytes of no version are put
# in on the way, and what is said about the user stays as it was.
cat >"$dir/ntlm.lua" <<'EOF'
local ended = "\0\0\0\0\0\0\0\0"
local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local function decode(text) -- r:base64_decode drops the last byte
    return (text:gsub("=", ""):gsub("(.)(.)(.?)(.?)", function(...)
        local bits, count = 0, 0
        for _, digit in ipairs({...}) do
            if digit ~= "" then
                bits, count = bits << 6 | digits:find(digit, 1, true) - 1, count + 1
            end
        end
        return string.pack(">I4", bits << 6 * (4 - count)):sub(2, count)
    end))
end
local function first(m) return #m == 32 and m .. ended or m end
local function third(m)
    local head = m:sub(1, 12)
    for place = 13, 53, 8 do -- six texts: length, room, offset
        local length, room, offset = string.unpack("<I2I2I4", m, place)
        if offset < 64 then offset = 64 end
        head = head .. string.pack("<I2I2I4", length, room, offset + 8)
    end
    return head .. m:sub(61, 64) .. ended .. m:sub(65)
end
function add_version(r)
    local given = r.headers_in["Authorization"]
    local text = given and given:match("^NTLM (%S+)$")
    if text then
        local m = decode(text)
        local kind = string.unpack("<I4", m, 9)
        m = kind == 1 and first(m) or kind == 3 and third(m) or m
        r.headers_in["Authorization"] = "NTLM " .. r:base64_encode(m)
    end
    return apache2.DECLINED
end
EOF
cat >"$dir/apache.conf" <<EOF
ServerRoot $dir
ServerName localhost
Listen 127.0.0.1:$web_port
PidFile $dir/apache.pid
Mutex file:$dir/run
DefaultRuntimeDir $dir/run
ErrorLog $dir/error.log
LogLevel warn
User $user
Group $group
LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
LoadModule authn_core_module $modules/mod_authn_core.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule authz_user_module $modules/mod_authz_user.so
LoadModule auth_gssapi_module $modules/mod_auth_gssapi.so
LoadModule alias_module $modules/mod_alias.so
LoadModule cgi_module $modules/mod_cgi.so
LoadModule headers_module $modules/mod_headers.so
LoadModule lua_module $modules/mod_lua.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
LogFormat "%s %u %{Authorization}i %k" short
CustomLog $dir/access.log short
KeepAlive On
KeepAliveTimeout 5
MaxKeepAliveRequests 0
StartServers 4
MaxRequestWorkers 16
<Location />
    AuthType GSSAPI
    AuthName "Exchange"
    GssapiAllowedMech krb5
    GssapiAllowedMech ntlmssp
    GssapiConnectionBound On
    Require valid-user
</Location>
ScriptAlias /tell $dir/cgi/tell
ProxyPass /EWS/ ${simulator%Exchange.asmx}
LuaHookTranslateName $dir/ntlm.lua add_version early
RequestHeader set X-Remote-User expr=%{REMOTE_USER}
EOF
# In a session of its own: when it stops, Apache ends its whole process group.
NTLM_USER_FILE=$dir/ntlm-users KRB5CCNAME=FILE:$dir/run/none KRB5_KTNAME=$dir/http.keytab \
    setsid apache2 -f "$dir/apache.conf" -D FOREGROUND >"$dir/apache.log" 2>&1 &
pids+=($!)
wait_for $! bash -c "exec 3<>/dev/tcp/127.0.0.1/$web_port" ||
    { not_ok "Apache starts" "$(cat "$dir/apache.log" "$dir/error.log")"; exit 1; }

# --- requests ----------------------------------------------------------------------------------

tell=http://localhost:$web_port/tell
ews=http://localhost:$web_port/EWS/Exchange.asmx
head -c 300 /dev/urandom >"$dir/small"
head -c 3000000 /dev/urandom >"$dir/large"

drive() { # ARGUMENT... : $out is what the driver says
    : >"$dir/access.log"
    out=$("$build/http_driver" "$@" 2>&1)
    ! grep -q "^loop blocked" <<<"$out" || not_ok "the loop is never held: $*" "$out"
}
answers() { grep -c "^status=200 failure= in_doubt=0" <<<"$out"; }
arrived() { # FILE COUNT USER : so many answers, each about the whole file
    local told="user=$3 length=$(stat -c %s "$1") sum=$(sha256sum <"$1" | cut -d' ' -f1)"
    [ "$(answers)" = "$2" ] && [ "$(grep -cF "$told" <<<"$out")" = "$2" ]
}
refused() { grep -q "^status=401 failure=HTTP 401 in_doubt=0" <<<"$out"; }
# What went through Apache: requests that it answered with 401.
challenges() { grep -c '^401' "$dir/access.log"; }
is() { [ "$1" "$2" "$3" ]; }

ntlm=(--auth ntlm --user 'CONTOSO\svc-sync' --password-file "$dir/password")
for size in small large; do
    for changes in "" --changes; do
        what="a $size body${changes:+ that changes something}"
        drive "${ntlm[@]}" $changes "$tell" "$dir/$size"
        check "NTLM: $what arrives whole" arrived "$dir/$size" 1 'CONTOSO\svc-sync'
        drive "${ntlm[@]}" $changes --count 20 --connections 4 "$tell" "$dir/$size"
        check "NTLM: $what arrives whole 20 times" arrived "$dir/$size" 20 'CONTOSO\svc-sync'
        check "NTLM: connections stay signed in" is "$(challenges)" -le 4

        drive --auth negotiate $changes "$tell" "$dir/$size"
        check "Kerberos: $what arrives whole" arrived "$dir/$size" 1 svc-sync@EXSYNCD.TEST
        drive --auth negotiate $changes --count 20 --connections 4 "$tell" "$dir/$size"
        check "Kerberos: $what arrives whole 20 times" arrived "$dir/$size" 20 \
            svc-sync@EXSYNCD.TEST
        check "Kerberos: no challenge is needed" is "$(challenges)" -eq 0
    done
done

drive --auth ntlm --user 'CONTOSO\svc-sync' --password-file "$dir/wrong" --count 5 \
    --connections 4 "$tell" "$dir/small"
check "NTLM: a wrong password is named" refused
check "NTLM: a wrong password costs one sign-in" is "$(challenges)" -le 2
drive --auth basic --user svc-sync --password-file "$dir/password" "$tell" "$dir/small"
check "a way of signing in that is not offered is named" grep -q \
    "does not offer the way .* the server offers: Negotiate NTLM" <<<"$out"
KRB5CCNAME=FILE:$dir/no-tickets drive --auth negotiate --count 3 "$tell" "$dir/large"
check "Kerberos: a missing ticket is named" refused
check "Kerberos: a missing ticket costs one request" is "$(challenges)" -eq 1

# NTLM inside Negotiate, as on Windows without a KDC: the first leg carries the body in vain.
# gss-ntlmssp 1.2.0 keeps some of OpenSSL's memory for each sign-in; that is not what is looked for.
export NTLM_USER_FILE=$dir/ntlm-users ASAN_OPTIONS=detect_leaks=0
for size in small large; do
    for changes in "" --changes; do
        what="a $size body${changes:+ that changes something}"
        KRB5CCNAME=FILE:$dir/no-tickets drive --auth negotiate --user 'CONTOSO\svc-sync' $changes \
            --count 3 "$tell" "$dir/$size"
        check "NTLM in Negotiate: $what goes out again after the challenge and arrives whole" \
            arrived "$dir/$size" 3 'CONTOSO\svc-sync'
        check "NTLM in Negotiate: there was one challenge" is "$(challenges)" -eq 1
    done
done
unset NTLM_USER_FILE ASAN_OPTIONS

# A connection that Apache has closed meanwhile is no matter.
drive "${ntlm[@]}" --changes --count 2 --idle 6000 "$tell" "$dir/small"
check "NTLM: a connection that was closed while idle is replaced" arrived "$dir/small" 2 \
    'CONTOSO\svc-sync'

# --- the simulator behind it ---------------------------------------------------------------------

padding=$(head -c 2000000 /dev/zero | tr '\0' ' ')
cat >"$dir/request" <<EOF
<?xml version="1.0" encoding="utf-8"?>
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
  xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
  xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">
<soap:Header><t:RequestServerVersion Version="Exchange2013_SP1"/><t:ExchangeImpersonation>
<t:ConnectingSID><t:PrimarySmtpAddress>ann@example.com</t:PrimarySmtpAddress></t:ConnectingSID>
</t:ExchangeImpersonation></soap:Header>
<soap:Body><!--$padding--><m:GetFolder><m:FolderShape><t:BaseShape>IdOnly</t:BaseShape></m:FolderShape>
<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder></soap:Body>
</soap:Envelope>
EOF
for way in ntlm negotiate; do
    arguments=("${ntlm[@]}")
    [ $way = ntlm ] || arguments=(--auth negotiate)
    drive "${arguments[@]}" --count 4 --connections 2 "$ews" "$dir/request"
    check "$way: the simulator answers a large request" is \
        "$(grep -c 'ResponseClass="Success"' <<<"$out")" -eq 4
done
check "the simulator was asked by the account" is \
    "$(curl -s "$control/counters?get=requests.GetFolder")" -eq 8

exit $failed
