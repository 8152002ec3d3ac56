#!/usr/bin/env bash
# Unpacks the archive into an empty root that has the C library and nothing else, and runs it there. 77: skipped.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
archive=$(find "$root/artifacts/dist" -name 'nin-*-linux-x64.tar.xz' 2>/dev/null | head -1)
[ -n "$archive" ] || { echo "skipped: there is no archive, make dist builds it"; exit 77; }
chroot=$(PATH=$PATH:/usr/sbin command -v chroot)
inside=("$(command -v unshare)" --user --map-root-user "$chroot")
[ "$(id -u)" -ne 0 ] || inside=("$chroot")

bytes=$(stat -c %s "$archive")
[ "$bytes" -lt $((40 << 20)) ] || { echo "the archive has $bytes bytes, 40 MiB are the limit"; exit 1; }

clean=$(mktemp -d)
trap 'rm -rf "$clean"' EXIT
mkdir -p "$clean/lib64" "$clean/lib/x86_64-linux-gnu" "$clean/tmp" "$clean/nin"
for library in ld-linux-x86-64.so.2 libc.so.6 libm.so.6 libpthread.so.0 libdl.so.2 librt.so.1; do
    cp -L "/lib/x86_64-linux-gnu/$library" "$clean/lib/x86_64-linux-gnu/"
done
cp -L /lib64/ld-linux-x86-64.so.2 "$clean/lib64/"
tar --extract --file "$archive" --directory "$clean/nin" --strip-components 1
"${inside[@]}" "$clean" /nin/nin --version >/dev/null || { echo "it does not start in an empty root"; exit 1; }

run() { env -i HOME=/tmp "${inside[@]}" "$clean" /nin/nin "$@"; }
run doctor --device cpu
run bench --device cpu --resize 72 --batch 4 --step-only
run bench --device cpu --resize 72 --batch 1 --repetitions 1 --plot /tmp/bench.png >/dev/null
[ -s "$clean/tmp/bench.png" ] || { echo "nothing was drawn"; exit 1; }
mkdir -p "$clean/tmp/images/"{a,b}
for copy in a/1 a/2 b/1 b/2; do cp "$clean/tmp/bench.png" "$clean/tmp/images/$copy.png"; done
run train --device cpu --images /tmp/images --resize 72 --epochs 1 --batch 2 --output /tmp/run | grep --quiet 'decoded 2 of 2 images'
[ -s "$clean/tmp/run/report.html" ] || { echo "there is no report"; exit 1; }
run predict --device cpu --checkpoint /tmp/run /tmp/images/a | grep --quiet '^/tmp/images/a/1.png: '
run explain --device cpu --checkpoint /tmp/run --output /tmp/why.png /tmp/images/a/1.png >/dev/null 2>&1
run serve --device cpu --checkpoint /tmp/run --port 0 >"$clean/tmp/serve.log" &
server=$!
port=
for _ in $(seq 300); do
    port=$(sed -nE 's#^http://127.0.0.1:([0-9]+) .*#\1#p' "$clean/tmp/serve.log")
    [ -z "$port" ] || break
    sleep 0.1
done
image=$clean/tmp/images/a/1.png
exec 3<>"/dev/tcp/127.0.0.1/$port"
{ printf 'POST /predict?maps=true HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' "$(stat -c %s "$image")"; cat "$image"; } >&3
grep --quiet '^{"predictions":\[{"class":"[ab]",' <&3 || { echo "nin serve gives no prediction"; exit 1; }
kill $(cat "/proc/$server/task/$server/children")
wait "$server" || { echo "nin serve does not end as asked"; exit 1; }
run completion bash | grep --quiet '^complete -F _nin nin'
run summary | grep --quiet '1,992,166'
for file in nin libnin_host.so lib/libdnnl.so.2 licenses/libdnnl.so.2.txt libSkiaSharp.so licenses/libSkiaSharp.so.txt licenses/Google.Protobuf.txt licenses/MIT.txt LICENSE README.md nin.1; do
    [ -s "$clean/nin/$file" ] || { echo "$file is missing"; exit 1; }
done
