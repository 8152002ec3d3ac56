#!/usr/bin/env bash
# Finds what the build needs beyond the .NET SDK, g++, cmake and make, and installs it with apt where it may (as root, or
# by sudo without a password). With the argument "tests", what only they use as well. Does nothing, quickly, when nothing is missing.
set -euo pipefail

as_root=()
can_install=false
if command -v apt-get >/dev/null; then
    if [ "$(id -u)" -eq 0 ]; then
        can_install=true
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        can_install=true
        as_root=(sudo -n)
    fi
fi

missing=() # "what it is for|package"
need() { # need 'what' package command-that-succeeds-when-present...
    local what=$1 package=$2
    shift 2
    "$@" >/dev/null 2>&1 || missing+=("$what|$package")
}
find_clang() { compgen -c clang++- | grep -qxE 'clang\+\+-(1[6-9]|2[0-9])' || command -v clang++; }
find_dataset() {
    local name=fashion-mnist file=train-images-idx3-ubyte.gz
    local place
    for place in "${NIN_DATA:-}" "${NIN_DATA:-}/$name" "data/$name" data "/usr/share/datasets/$name"; do
        [ -f "$place/$file" ] && return 0
    done
    return 1
}
header() { echo "#include <$1>" | c++ -E -x c++ - ; }

for tool in dotnet c++ cmake make; do
    command -v "$tool" >/dev/null || { echo "bootstrap: $tool is missing. NinCudnn needs the .NET 10 SDK, g++, cmake and make to begin with." >&2; exit 1; }
done
need "oneDNN, the CPU arithmetic of the host provider" libdnnl-dev header dnnl.hpp
need "clang, which compiles the CUDA kernels to PTX" clang-19 find_clang
need "ninja, the native build" ninja-build command -v ninja
need "GoogleTest, the native tests" libgtest-dev header gtest/gtest.h
need "a JSON reader, the native tests" nlohmann-json3-dev header nlohmann/json.hpp
need "xz, the archive that make dist builds" xz-utils command -v xz
need "Fashion-MNIST, the data set" dataset-fashion-mnist find_dataset
# Where it can't be installed, the tests of pages are skipped.
if [ "${1:-}" = tests ] && $can_install; then
    need "Chromium, the tests of pages" chromium command -v chromium
fi
[ ${#missing[@]} -eq 0 ] && exit 0

packages=("${missing[@]##*|}")
install="apt-get install -y ${packages[*]}"
if $can_install; then
    echo "bootstrap: installing ${packages[*]}"
    log=$(mktemp)
    if DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get update >"$log" 2>&1 &&
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" $install >>"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log" >&2
    echo "bootstrap: installing failed; the whole output is in $log" >&2
    exit 1
fi
{
    echo "bootstrap: this is missing:"
    for entry in "${missing[@]}"; do
        echo "  ${entry##*|}: ${entry%%|*}"
    done
    echo "On Debian: sudo apt-get update && sudo $install"
} >&2
exit 1
