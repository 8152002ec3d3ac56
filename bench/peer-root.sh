#!/usr/bin/env bash
# Makes artifacts/bench/debian, a minimal Debian 13, for a peer whose native libraries need a newer C++ library than this system's.
# Uses this system's own package mirror. Needs root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=artifacts/bench/debian

[ -f "$target/complete" ] && exit 0
[ "$(id -u)" -eq 0 ] || { echo "making a root directory needs root" >&2; exit 1; }
if ! command -v debootstrap >/dev/null; then
    { apt-get update && apt-get install --yes debootstrap; } >/dev/null || { echo "debootstrap can't be installed" >&2; exit 1; }
fi
mirror=$({ grep -hsE '^URIs:' /etc/apt/sources.list.d/*.sources | awk '{ print $2 }'
           grep -hsE '^deb ' /etc/apt/sources.list /etc/apt/sources.list.d/*.list | grep -oE 'https?://[^ ]+' || true; } | grep -m1 -E '/debian/?$') ||
    { echo "the system's package sources name no Debian mirror" >&2; exit 1; }
rm -rf "$target"
mkdir -p "$target"
debootstrap --variant=minbase trixie "$target" "$mirror" >artifacts/bench/debian.log 2>&1 ||
    { echo "debootstrap failed; see artifacts/bench/debian.log" >&2; exit 1; }
touch "$target/complete"
