#!/usr/bin/env bash
# Builds the NuGet packages NinCudnn and NinCudnn.Interop with their symbol packages into artifacts/packages.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
rm -rf artifacts/packages
for project in NinCudnn.Interop NinCudnn; do
    dotnet pack "managed/$project" --configuration Release --nologo --verbosity quiet
done
(cd artifacts/packages && stat --format '%n: %s bytes' -- *)
