#!/usr/bin/env bash
# Builds artifacts/dist/nin-VERSION-linux-x64.tar.xz: nin as native code, libnin_host and the libraries that it needs. It runs on a
# Linux x86-64 machine with a glibc no older than this one's, without .NET and without oneDNN.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' Directory.Build.props)
name="nin-$version-linux-x64"
stage="artifacts/dist/$name"
rm -rf artifacts/dist
mkdir -p "$stage/lib" "$stage/licenses"

dotnet publish cli/nin.csproj --configuration Release --runtime linux-x64 --nologo --verbosity quiet -p:PublishAot=true \
    --output artifacts/dist/publish
cp artifacts/dist/publish/{nin,libSkiaSharp.so,libHarfBuzzSharp.so} "$stage/"
strip "$stage/nin"
scripts/bundle-native.sh "$stage" "$stage/lib" "$stage/licenses"
rm -rf artifacts/dist/publish

# Drawing: SkiaSharp and what is built into it, HarfBuzz, ScottPlot. Their packages bring their licences.
packages=$(dotnet nuget locals global-packages --list --force-english-output | cut -d' ' -f2)
version_of() { sed -nE "s/.*Include=\"$1\" Version=\"([^\"]+)\".*/\1/p" Directory.Packages.props; }
skia=$packages/skiasharp.nativeassets.linux.nodependencies/$(version_of SkiaSharp.NativeAssets.Linux.NoDependencies)
cat "$skia/LICENSE.txt" "$skia/THIRD-PARTY-NOTICES.txt" >"$stage/licenses/libSkiaSharp.so.txt"
cat "$packages"/harfbuzzsharp/*/LICENSE.txt | head -200 >"$stage/licenses/libHarfBuzzSharp.so.txt"
cp -r "$packages/scottplot/$(version_of ScottPlot)/Notices" "$stage/licenses/ScottPlot"

cp docs/licenses/*.txt "$stage/licenses/" # of what is compiled into nin and asks for it
cp LICENSE README.md docs/doctor.md docs/bench.md docs/data.md docs/serving.md "$stage/"
"$stage/nin" reference --format man >"$stage/nin.1"

tar --create --directory artifacts/dist --owner 0 --group 0 --sort name --file - "$name" | xz --threads 0 -6 >"artifacts/dist/$name.tar.xz"
rm -rf "$stage"
echo "artifacts/dist/$name.tar.xz: $(stat -c %s "artifacts/dist/$name.tar.xz") bytes"
