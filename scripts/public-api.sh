#!/usr/bin/env bash
# Writes PublicAPI.Unshipped.txt of the packages anew: every public symbol that PublicAPI.Shipped.txt does not list. On a release the
# lines move from the one file to the other by hand.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
export DOTNET_CLI_UI_LANGUAGE=en

for project in NinCudnn.Interop NinCudnn; do
    file=managed/$project/PublicAPI.Unshipped.txt
    echo '#nullable enable' >"$file"
    # The analyser names each symbol that the files lack, spelt as they need it.
    log=$(dotnet build "managed/$project" --configuration Release --nologo --no-incremental --verbosity minimal \
        -p:TreatWarningsAsErrors=false -p:WarningsNotAsErrors=RS0016) || { echo "$log" >&2; exit 1; }
    sed -nE "s/.*warning RS0016: Symbol '(.*)' is not part of the declared public API.*/\1/p" <<<"$log" | LC_ALL=C sort --unique >>"$file"
    echo "$file: $(($(wc -l <"$file") - 1)) symbols"
done
