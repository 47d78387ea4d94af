#!/usr/bin/env bash
# Redis, Debian's packages unpacked into folders of their own (the server is in redis-tools).
#
#   REDIS_PORT       where it listens (16379)
#   REDIS_PASSWORD   what clients must give (nothing)
#   REDIS_APPEND     yes: what was written outlives a restart (no)
#   REDIS_MEMORY     how much it keeps at most (256mb)
NAME=redis
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
PORT=${REDIS_PORT:-16379}
LIBRARIES=(libjemalloc2 liblua5.1-0 liblzf1 libhiredis0.14 lua-cjson lua-bitop libatomic1)

install() {
  local package
  for package in redis-tools "${LIBRARIES[@]}"; do deb "$package"; done
}

launch_server() {
  local library path=""
  for library in "${LIBRARIES[@]}"; do path+=$SERVICES_HOME/deb/$library/usr/lib/$(uname -m)-linux-gnu:; done
  ports_free "$PORT"
  LD_LIBRARY_PATH=$path launch bash -c 'exec -a redis-server "$@"' launch \
    "$SERVICES_HOME/deb/redis-tools/usr/bin/redis-check-rdb" --bind 127.0.0.1 --port "$PORT" --dir "$RUN" --save "" \
    --appendonly "${REDIS_APPEND:-no}" --appendfsync always --maxmemory "${REDIS_MEMORY:-256mb}" \
    --requirepass "${REDIS_PASSWORD:-}" --set-proc-title no # which would overwrite the mark in its environment
  wait_ready 30 ready
}

ready() {
  local line
  { exec 3<>"/dev/tcp/127.0.0.1/$PORT"; } 2>/dev/null || return 1
  printf 'PING\r\n' >&3
  read -r -t 2 line <&3
  exec 3>&-
  [[ $line == +PONG* || $line == -NOAUTH* ]]
}

connection() { echo "redis=redis://127.0.0.1:$PORT/0"; }

main "$@"
