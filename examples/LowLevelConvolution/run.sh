#!/usr/bin/env bash
set -euo pipefail
output=$("$PROGRAM") # fails by itself where an element differs
echo "$output"
[ "$(grep --count "elements equal to the loops'" <<<"$output")" -eq 5 ]
