#!/usr/bin/env bash
# PostgreSQL, Debian's packages unpacked into folders of their own; the user is `postgres`.
#
#   POSTGRES_PORT       where it listens (15432)
#   POSTGRES_PASSWORD   what clients must give (nothing)
NAME=postgres
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
PORT=${POSTGRES_PORT:-15432}
PACKAGES=(postgresql-15 postgresql-client-15 libpq5 libicu72 libxml2 libllvm14)
BIN=$SERVICES_HOME/deb/postgresql-15/usr/lib/postgresql/15/bin
DATA=$RUN/data

install() {
  local package
  for package in "${PACKAGES[@]}"; do deb "$package"; done
}

# The server refuses to be root, and another user may not reach its files: root becomes somebody in a namespace of its own.
as_user() {
  if [[ $EUID == 0 ]]; then unshare --user --map-user=1000 --map-group=1000 "$@"; else "$@"; fi
}

libraries() {
  local package
  for package in "${PACKAGES[@]}"; do printf '%s:' "$SERVICES_HOME/deb/$package/usr/lib/$(uname -m)-linux-gnu"; done
}

launch_server() {
  local password=$RUN/password login=trust
  ports_free "$PORT"
  LD_LIBRARY_PATH=$(libraries)
  export LD_LIBRARY_PATH
  if [[ ! -f $DATA/PG_VERSION ]]; then
    printf '%s' "${POSTGRES_PASSWORD:-unused}" >"$password"
    [[ -z ${POSTGRES_PASSWORD:-} ]] || login=scram-sha-256
    as_user "$BIN/initdb" -D "$DATA" -U postgres -A "$login" --pwfile="$password" -E UTF8 --locale=C.UTF-8 \
      -L "$SERVICES_HOME/deb/postgresql-15/usr/share/postgresql/15" >&2
    rm -f "$password"
  fi
  rm -f "$DATA/postmaster.pid" # that of one that was killed: its port is free, but its process may not be gone yet
  launch $([[ $EUID != 0 ]] || echo unshare --user --map-user=1000 --map-group=1000) \
    "$BIN/postgres" -D "$DATA" -p "$PORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c shared_buffers=64MB -c max_connections=100 -c wal_level=logical
  wait_ready 60 "$SERVICES_HOME/deb/postgresql-client-15/usr/lib/postgresql/15/bin/pg_isready" -q -h 127.0.0.1 -p "$PORT"
}

# SIGINT is the server's quick end; at SIGTERM it waits for each client to leave.
stop() {
  ! alive || kill -INT "$(<"$PIDFILE")" 2>/dev/null || true
  for _ in $(seq 50); do
    alive || break
    sleep 0.2
  done
  ! alive || kill -QUIT "$(<"$PIDFILE")" 2>/dev/null || true
  rm -f "$PIDFILE"
}

connection() { echo "postgres=postgresql://postgres@127.0.0.1:$PORT/postgres"; }

main "$@"
