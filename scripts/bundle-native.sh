#!/usr/bin/env bash
# bundle-native.sh HOST LIBRARIES LICENSES: copies libnin_host.so to the directory HOST, the libraries that it needs to LIBRARIES (it finds
# them in its own directory or in lib below it), and their licences to LICENSES. The C library is the system's.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
host=$1 libraries=$2 licenses=$3
mkdir -p "$host" "$libraries" "$licenses"

cp "$root/artifacts/native/libnin_host.so" "$host/"
strip "$host/libnin_host.so"

ldd "$root/artifacts/native/libnin_host.so" | awk '/=> \// { print $1, $3 }' | while read -r soname path; do
    case $soname in libc.so.* | libm.so.* | libpthread.so.* | libdl.so.* | librt.so.*) continue ;; esac
    cp -L "$path" "$libraries/$soname"
    strip "$libraries/$soname"
    # By its name: dpkg knows some files under /lib that lie in /usr/lib by now.
    package=$({ dpkg-query --search "*/$(basename "$(readlink -f "$path")")" 2>/dev/null || true; } | head -1 | cut -d: -f1)
    [ -n "$package" ] || { echo "no Debian package holds $path, so its licence is not known" >&2; exit 1; }
    copyright=/usr/share/doc/$package/copyright
    {
        dpkg-query --show --showformat "$soname is part of the Debian package \${binary:Package} \${Version}, built from the source package \${source:Package} \${source:Version}. Debug symbols were removed.\n\n" "$package" | head -2
        cat "$copyright"
    } >"$licenses/$soname.txt"
    # Debian leaves out the text of widespread licences, which a machine without Debian lacks.
    { grep --only-matching --no-filename '/usr/share/common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' "$copyright" || true; } | sort --unique |
        while read -r text; do [ ! -f "$text" ] || cp -L "$text" "$licenses/$(basename "$text").txt"; done
done
