#!/usr/bin/env bash
# Chromium for the tests of the dashboard: the one on the PATH, or Debian's with what it needs, unpacked into a folder of its own.
#
# It is no server: `start` only makes it ready, and prints where it is and where its libraries and fonts are.
NAME=chromium
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
DIST=$SERVICES_HOME/chromium

# packages: what is missing on this machine for Chromium to run
packages() {
  apt-get -q -s -o APT::Sandbox::User=root install --no-install-recommends chromium fonts-dejavu-core | awk '/^Inst/ { print $2 }'
}

install() {
  command -v chromium >/dev/null && return
  mkdir -p "$SERVICES_HOME"
  locked "$SERVICES_HOME/chromium.lock"
  [[ -d $DIST ]] && return
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || die "needs apt-get and dpkg-deb (Debian, Ubuntu), or chromium on the PATH"
  local tmp names
  tmp=$(mktemp -d --tmpdir="$SERVICES_HOME")
  (
    cd "$tmp"
    names=$(packages) || { apt-get -q update && names=$(packages); }
    # shellcheck disable=SC2086
    apt-get -q -o APT::Sandbox::User=root download $names || { apt-get -q update && apt-get -q -o APT::Sandbox::User=root download $names; }
    for file in ./*.deb; do dpkg-deb -x "$file" tree; done
    [[ -x tree/usr/lib/chromium/chromium ]]
  ) >&2 || { rm -rf "$tmp"; die "the packages can't be had"; }
  mv "$tmp/tree" "$DIST" && rm -rf "$tmp"
}

launch_server() { :; }

connection() {
  if command -v chromium >/dev/null; then
    echo "chromium=$(command -v chromium)"
  else
    local libraries
    libraries=$(echo "$DIST"/usr/lib/*-linux-gnu)
    echo "chromium=$DIST/usr/lib/chromium/chromium libraries=$libraries:$libraries/pulseaudio data=$DIST/usr/share"
  fi
}

main "$@"
