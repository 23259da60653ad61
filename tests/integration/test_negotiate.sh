#!/bin/bash
# Signing in with NTLM and with Negotiate (Kerberos, and NTLM inside it) to a real Apache with
# mod_auth_gssapi and a real KDC: with bodies that are small, and large enough that they have to go
# out again after the challenge. Behind Apache stand a script that tells what arrived, and the
# Exchange simulator. kerberos.sh says what is needed.
# shellcheck source=tests/integration/kerberos.sh
. "$(dirname "$0")/kerberos.sh"

# --- the simulator -----------------------------------------------------------------------------

"$build/exchange-simulator" --trust-proxy-user X-Remote-User --account svc-sync:unused \
    --impersonation svc-sync:all --mailbox ann@example.com --schema "$root/tests/schema" --strict \
    >"$dir/simulator.log" 2>"$dir/simulator.err" &
pids+=($!)
wait_for $! grep -q ^ready "$dir/simulator.log"
simulator=$(awk '/^ready/ { print $2 }' "$dir/simulator.log")
control=$(awk '/^ready/ { print $4 }' "$dir/simulator.log")

# --- Apache ------------------------------------------------------------------------------------

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
start_apache "
LoadModule headers_module $modules/mod_headers.so
LoadModule lua_module $modules/mod_lua.so
LoadModule proxy_module $modules/mod_proxy.so
LoadModule proxy_http_module $modules/mod_proxy_http.so
ProxyPass /EWS/ ${simulator%Exchange.asmx}
LuaHookTranslateName $dir/ntlm.lua add_version early
RequestHeader set X-Remote-User expr=%{REMOTE_USER}"

# --- requests ----------------------------------------------------------------------------------

ews=http://localhost:$web_port/EWS/Exchange.asmx

refused() { grep -q "^status=401 failure=HTTP 401 in_doubt=0" <<<"$out"; }

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
    "does not offer the way .* WWW-Authenticate: Negotiate NTLM" <<<"$out"
KRB5CCNAME=FILE:$dir/no-tickets drive --auth negotiate --count 3 "$tell" "$dir/large"
check "Kerberos: a missing ticket is named" grep -q "^status=0 failure=KRB5_FCC_NOFILE" <<<"$out"
check "Kerberos: a missing ticket costs no request" is "$(challenges)" -eq 0

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
