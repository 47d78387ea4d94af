#!/usr/bin/env bash
# Memcached, Debian's packages unpacked into folders of their own. It keeps nothing over a restart.
#
#   MEMCACHED_PORT       where it listens (21211)
#   MEMCACHED_MEMORY     how many megabytes it keeps at most (64)
#   MEMCACHED_LOGIN      user:password that clients must give (nothing)
NAME=memcached
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
PORT=${MEMCACHED_PORT:-21211}
LIBRARIES=(libevent-2.1-7 libsasl2-2)

install() {
  local package
  for package in memcached "${LIBRARIES[@]}"; do deb "$package"; done
}

launch_server() {
  local library path="" login=()
  for library in "${LIBRARIES[@]}"; do path+=$SERVICES_HOME/deb/$library/usr/lib/$(uname -m)-linux-gnu:; done
  if [[ -n ${MEMCACHED_LOGIN:-} ]]; then
    (umask 077 && echo "$MEMCACHED_LOGIN" >"$RUN/logins")
    login=(-Y "$RUN/logins")
  fi
  ports_free "$PORT"
  LD_LIBRARY_PATH=$path launch "$SERVICES_HOME/deb/memcached/usr/bin/memcached" -u "$(id -un)" -l 127.0.0.1 -U 0 -p "$PORT" \
    -m "${MEMCACHED_MEMORY:-64}" -t 2 "${login[@]}"
  wait_ready 30 ready
}

ready() {
  local line
  { exec 3<>"/dev/tcp/127.0.0.1/$PORT"; } 2>/dev/null || return 1
  printf 'version\r\n' >&3
  read -r -t 2 line <&3
  exec 3>&-
  [[ $line == VERSION* || $line == CLIENT_ERROR* ]]
}

connection() { echo "memcached=127.0.0.1:$PORT"; }

main "$@"
