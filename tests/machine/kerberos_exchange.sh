#!/bin/bash
# A KDC, and an Apache that asks for its tickets before a simulated Exchange, until standard input ends.
#
#   kerberos_exchange.sh URL     of the simulated Exchange, which trusts X-Remote-User
#
# Prints "ready FOLDER URL": the folder has krb5.conf, kdc.log, password and client.keytab (of svc-sync,
# whose tickets are good for 18 s) and old.keytab (of a password that it had before). kerberos.sh says
# what is needed.
# shellcheck source=tests/integration/kerberos.sh
. "$(dirname "$0")/../integration/kerberos.sh"

kadmin() { kadmin.local -q "$*" >>"$dir/kdb.log" 2>&1; }
kadmin ktadd -k "$dir/old.keytab" svc-sync
kadmin cpw -pw s3cret svc-sync
kadmin ktadd -norandkey -k "$dir/client.keytab" svc-sync
kadmin 'modprinc -maxlife "18 seconds" svc-sync'
start_apache "
LoadModule headers_module $modules/mod_headers.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
ProxyPass /EWS/ ${1%Exchange.asmx}
RequestHeader set X-Remote-User expr=%{REMOTE_USER}"
echo "ready $dir http://localhost:$web_port/EWS/Exchange.asmx"
cat >/dev/null
exit $failed
