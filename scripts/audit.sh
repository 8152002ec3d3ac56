#!/usr/bin/env bash
# Asks the registry for known vulnerabilities of every package that the solution uses, directly or not, and fails on any. With an argument, writes the
# outcome as one test into that JUnit file. Skipped where the registry has no such data: silence would look like safety.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit 1
junit=${1:-}

# The outcome: passed, failed or skipped, and why.
report() {
    local outcome=$1 text=${2:-} element=''
    text=$(sed 's/&/\&amp;/g; s/</\&lt;/g; s/"/\&quot;/g' <<<"$text")
    [ "$outcome" = passed ] || element="<${outcome/failed/failure} message=\"$text\"/>"
    [ -z "$junit" ] || cat >"$junit" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<testsuite name="audit" tests="1" failures="$([ "$outcome" = failed ]; echo $((1 - $?)))" skipped="$([ "$outcome" = skipped ]; echo $((1 - $?)))">
  <testcase name="packages" classname="audit">$element</testcase>
</testsuite>
XML
    echo "audit: $outcome${2:+: $2}"
    [ "$outcome" != failed ]
    exit
}

# The list, or why there is none.
list=$(dotnet package list --project NinCudnn.sln --vulnerable --include-transitive --format json --no-restore 2>&1) ||
    report skipped "dotnet package list: $(head -n 1 <<<"$list")"
grep -q '"vulnerabilities"' <<<"$list" && { echo "$list" >&2; report failed "packages with known vulnerabilities, listed above"; }

# An empty list may also mean that the registry tells nothing. Only a restore with the registry as an audit source says so (NU1905).
probe=$(mktemp -d)
trap 'rm -rf "$probe"' EXIT
cat >"$probe/probe.csproj" <<XML # with a package of ours, since there is nothing to audit without
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework></PropertyGroup>
  <ItemGroup>$(sed -n '/Include="Spectre.Console"/s/PackageVersion/PackageReference/p' Directory.Packages.props)</ItemGroup>
</Project>
XML
{
    echo '<configuration><auditSources><clear />'
    sed -n '/"sources": \[/,/\]/{s/^ *"\(http[^"]*\)",\{0,1\}$/<add key="\1" value="\1" \/>/p}' <<<"$list"
    echo '</auditSources></configuration>'
} >"$probe/nuget.config"
restored=$(dotnet restore "$probe/probe.csproj" 2>&1) || report skipped "the registry did not answer: $(grep -m 1 'error' <<<"$restored")"
grep -q NU1905 <<<"$restored" && report skipped "the registry has no data on vulnerabilities (NU1905)"
report passed
