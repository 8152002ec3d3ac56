#!/usr/bin/env bash
# Looks into the NuGet packages of artifacts/packages, and follows docs/library.md with them in a fresh project. 77: skipped.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packages=$root/artifacts/packages
version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")
[ -d "$packages" ] || { echo "skipped: there are no packages, make pack builds them"; exit 77; }
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 NIN_DATA=${NIN_DATA:-$root/data}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "$*" >&2; exit 1; }

# ---- what is inside
holds() { [ -s "$work/content/$1/$2" ] || fail "$1 lacks $2"; }
says() { grep --quiet --fixed-strings "$2" "$work/content/$1/$1.nuspec" || fail "$1.nuspec does not say $2"; }
for id in NinCudnn NinCudnn.Interop; do
    mkdir -p "$work/content/$id"
    for file in "$id.$version.snupkg" "$id.$version.nupkg"; do # both have a nuspec; the package's is left
        (cd "$work/content/$id" && cmake -E tar xf "$packages/$file")
    done
    for file in README.md LICENSE icon.png "lib/net10.0/$id."{dll,xml,pdb}; do holds $id "$file"; done
    says $id '<license type="expression">MIT</license>'
    says $id '<readme>README.md</readme>'
    says $id '<icon>icon.png</icon>'
    says $id '<tags>'
    says $id '<repository type="git"'
done
says NinCudnn "<dependency id=\"NinCudnn.Interop\" version=\"$version\""
native=$work/content/NinCudnn.Interop/runtimes/linux-x64/native
for library in libnin_host.so libdnnl.so.2 libgomp.so.1 libstdc++.so.6 libgcc_s.so.1; do
    holds NinCudnn.Interop "runtimes/linux-x64/native/$library"
    [ $library = libnin_host.so ] || holds NinCudnn.Interop "licenses/$library.txt"
done
holds NinCudnn.Interop THIRD-PARTY-NOTICES.txt
for library in "$native"/*; do
    name=$(basename "$library")
    [ "$name" = libnin_host.so ] || grep --quiet --fixed-strings "$name" "$work/content/NinCudnn.Interop/THIRD-PARTY-NOTICES.txt" || fail "nothing says whose $name is"
done
for kernels in "$root"/native/kernels/*.cu; do
    grep --quiet --text --fixed-strings "$(basename "$kernels" .cu).ptx" "$work/content/NinCudnn/lib/net10.0/NinCudnn.dll" || fail "the PTX of $kernels is missing"
done
! grep --recursive --files-with-matches --text --fixed-strings "$root" "$work/content" || fail "these name a directory of the machine that built them"
bytes=$(stat -c %s "$packages/NinCudnn.Interop.$version.nupkg")
[ "$bytes" -lt $((20 << 20)) ] || fail "NinCudnn.Interop has $bytes bytes, 20 MiB are the limit"

# ---- what the host library needs: nothing that is neither in the package nor in the C library
unresolved=$(env -i LD_TRACE_LOADED_OBJECTS=1 /lib64/ld-linux-x86-64.so.2 "$native/libnin_host.so" |
    awk -v own="$native/" '/=> / && index($3, own) != 1 && $1 !~ /^(libc|libm|libpthread|libdl|librt)\.so\./')
[ -z "$unresolved" ] || fail "taken from outside the package: $unresolved"

# ---- symbols: a debugger finds every source, and by SourceLink where the repository is on a host that it knows
symbols=$root/artifacts/bin/PackageSymbols/release/PackageSymbols
[ -x "$symbols" ] || dotnet build "$root/tests/PackageSymbols" --configuration Release --verbosity quiet
"$symbols" "$work"/content/*/lib/net10.0/*.pdb
if [ -e "$root/.git" ]; then
    git clone --quiet "$root" "$work/clone"
    git -C "$work/clone" remote set-url origin https://github.com/owner/repository
    dotnet build "$work/clone/managed/NinCudnn.Interop" --configuration Release --verbosity quiet -p:SkipNativeBuild=true
    "$symbols" "$work/clone/artifacts/bin/NinCudnn.Interop/release/NinCudnn.Interop.pdb" |
        grep --fixed-strings "\"https://raw.githubusercontent.com/owner/repository/$(git -C "$work/clone" rev-parse HEAD)/*\""
fi

# ---- docs/library.md, command by command. The packages' own folder has everything but ours from the usual one.
usual=$(dotnet nuget locals global-packages --list | cut -d' ' -f2)
export NUGET_PACKAGES=$work/packages
mkdir "$NUGET_PACKAGES"
find "$usual" -mindepth 1 -maxdepth 1 -not -iname 'nincudnn*' -exec ln -s -t "$NUGET_PACKAGES" {} +
ln -s "$root" "$work/NinCudnn"

# The n-th block of a language in a page.
block() { awk -v opening="^\`\`\`$2( norun .*)?\$" -v n="$3" '/^```$/ { inside = 0 } inside { print } $0 ~ opening { inside = ++count == n }' "$root/$1"; }
program=$(block docs/library.md csharp 1)
for page in README.md managed/NinCudnn/README.md; do
    [ "$(block $page csharp 1)" = "$program" ] || fail "the program in $page is not that of docs/library.md"
done
cd "$work"
eval "$(block docs/library.md sh 1)" # ends in the project's folder
printf '%s\n' "$program" >Program.cs
output=$(eval "$(block docs/library.md sh 2)")
echo "$output"
[ -s model.safetensors ] || fail "it saved no model"
for id in nincudnn nincudnn.interop; do [ -d "$NUGET_PACKAGES/$id/$version" ] || fail "$id did not come from $packages"; done
accuracy=$(sed -nE 's/^test accuracy ([0-9.]+) on .*/\1/p' <<<"$output")
awk -v accuracy="$accuracy" 'BEGIN { exit !(accuracy > 0.3) }' || fail "it has not learnt: test accuracy $accuracy" # a guess is right in 0.1
grep --quiet '^the first test image is of the class Ankle boot and taken for [A-Z]' <<<"$output" || fail "it predicted nothing"

# The program of the other package's page.
block managed/NinCudnn.Interop/README.md csharp 1 >Program.cs
dotnet run --configuration Release | tee output
grep --quiet '^cuDNN [0-9]*$' output
