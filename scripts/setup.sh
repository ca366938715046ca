#!/usr/bin/env bash
# Makes .venv ready, from the versions in requirements.lock. Does nothing when it is ready already.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=$( (pwd; cat pyproject.toml requirements.lock scripts/setup.sh) | cksum)
[ "$(cat .venv/.ready 2>/dev/null)" != "$stamp" ] || exit 0

fail() { printf 'setup: %s\n' "$@" >&2; exit 1; }

python=
for candidate in python3.11 python3; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$candidate
    break
  fi
done
[ -n "$python" ] || fail "Python 3.11 or newer is needed, and neither python3.11 nor python3 is one."

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  rm -rf .venv
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then  # Debian keeps it in a package of its own
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
      fail "$python cannot make virtual environments. On Debian or Ubuntu:  sudo apt-get install $package" \
        "Then run the same command again."
    fi
    echo "setup: installing $package"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null
  fi
  "$python" -m venv .venv
fi

echo "setup: installing into .venv (once, until the pinned versions change)"
export PIP_DISABLE_PIP_VERSION_CHECK=1
# uv does not read pip's configuration; wheels that lie on this machine are looked for where pip looks
UV_FIND_LINKS=${UV_FIND_LINKS-$(.venv/bin/python -m pip config get global.find-links 2>/dev/null || true)}
export UV_FIND_LINKS
if .venv/bin/python -m pip install -q uv && .venv/bin/uv pip install -q -p .venv -r requirements.lock; then
  .venv/bin/uv pip install -q -p .venv --no-deps -e .
else
  echo "setup: uv does not work here, going on with pip (slower)"
  .venv/bin/python -m pip install -q -r requirements.lock
  .venv/bin/python -m pip install -q --no-deps -e .
fi
echo "$stamp" >.venv/.ready
