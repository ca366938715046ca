#!/usr/bin/env bash
# Installs Chromium and a font with Chinese characters; needs root on Debian or Ubuntu.
set -euo pipefail

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "chromium: on Debian or Ubuntu:  sudo apt-get install chromium fonts-wqy-microhei" >&2
  exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-wqy-microhei >/dev/null
