# What the tests of Kerberos share: a KDC, an Apache with mod_auth_gssapi that asks for a ticket or
# NTLM, and a script behind it that tells what arrived. To be sourced.
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

dir=$(mktemp -d /tmp/exsyncd-kerberos-XXXXXX)
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
client_config() { # PORT [LIBDEFAULT]... : a krb5.conf for a KDC at that port
    local port=$1
    shift
    cat <<EOF
[libdefaults]
    default_realm = EXSYNCD.TEST
    dns_lookup_kdc = false
    dns_lookup_realm = false
    qualify_shortname = ""
$(printf '    %s\n' "$@")
[realms]
    EXSYNCD.TEST = {
        kdc = 127.0.0.1:$port
    }
[domain_realm]
    localhost = EXSYNCD.TEST
EOF
}
client_config "$kdc_port" "dns_canonicalize_hostname = false" "rdns = false" >"$dir/krb5.conf"
cat >"$dir/kdc.conf" <<EOF
[realms]
    EXSYNCD.TEST = {
        database_name = $dir/principal
        key_stash_file = $dir/stash
        kdc_listen = 127.0.0.1:$kdc_port
        kdc_tcp_listen = 127.0.0.1:$kdc_port
        max_life = 1h
        default_principal_flags = +preauth
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
start_apache() { # EXTRA : with these lines in its configuration, too
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
$1
EOF
    # In a session of its own: when it stops, Apache ends its whole process group.
    NTLM_USER_FILE=$dir/ntlm-users KRB5CCNAME=FILE:$dir/run/none KRB5_KTNAME=$dir/http.keytab \
        setsid apache2 -f "$dir/apache.conf" -D FOREGROUND >"$dir/apache.log" 2>&1 &
    pids+=($!)
    wait_for $! bash -c "exec 3<>/dev/tcp/127.0.0.1/$web_port" ||
        { not_ok "Apache starts" "$(cat "$dir/apache.log" "$dir/error.log")"; exit 1; }
}

# --- requests ----------------------------------------------------------------------------------

tell=http://localhost:$web_port/tell
head -c 300 /dev/urandom >"$dir/small"
head -c 3000000 /dev/urandom >"$dir/large"

drive() { # ARGUMENT... : $out is what the driver says
    # On a busy machine a loop may seem held when it only waited for its turn; one that really is held
    # is held again.
    local try
    for try in 1 2 3; do
        : >"$dir/access.log"
        out=$("$build/http_driver" "$@" 2>&1)
        grep -q "^loop blocked" <<<"$out" || return 0
    done
    not_ok "the loop is never held, tried $try times: $*" "$out"
}
answers() { grep -c "^status=200 failure= in_doubt=0" <<<"$out"; }
arrived() { # FILE COUNT USER : so many answers, each about the whole file
    local told="user=$3 length=$(stat -c %s "$1") sum=$(sha256sum <"$1" | cut -d' ' -f1)"
    [ "$(answers)" = "$2" ] && [ "$(grep -cF "$told" <<<"$out")" = "$2" ]
}
is() { [ "$1" "$2" "$3" ]; }
# What went through Apache: requests that it answered with 401.
challenges() { grep -c '^401' "$dir/access.log"; }
