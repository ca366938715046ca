#!/usr/bin/env bash
# Unpacks documentation sites from Debian packages into .cache/sites/NAME. Installs nothing, needs no root.
# Without names it takes five small ones; `scripts/sites.sh NAME...` takes others (see `make sites-large`).
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null; then
  echo "sites: this needs apt-get and dpkg (Debian or Ubuntu); everything else works without these sites" >&2
  exit 1
fi
mkdir -p .cache/sites
[ $# -gt 0 ] || set -- python3.11-doc sqlite3-doc git-doc debian-policy debian-reference-zh-cn
for name in "$@"; do
  [ ! -d ".cache/sites/$name" ] || continue
  work=$(mktemp -d .cache/sites/.new.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  if ! (cd "$work" && apt-get -qq download "$name" 2>apt.log); then
    sed 's/^/sites: apt-get: /' "$work/apt.log" >&2
    echo "sites: $name cannot be downloaded; 'apt-get update' (as root) may help" >&2
    exit 1
  fi
  dpkg -x "$work"/*.deb "$work/root"
  mv "$work/root" ".cache/sites/$name"
  rm -rf "$work"
  echo "sites: .cache/sites/$name"
done
