#!/usr/bin/env bash
# MariaDB, Debian's packages unpacked into folders of their own; the user is `tailrace`, the database `test`.
#
#   MARIADB_PORT       where it listens (13306)
#   MARIADB_PASSWORD   what clients must give (nothing)
NAME=mariadb
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
PORT=${MARIADB_PORT:-13306}
LIBRARIES=(libaio1 liburing2 libnuma1 libsnappy1v5)
TREE=$SERVICES_HOME/deb/mariadb-server-core/usr
DATA=$RUN/data

install() {
  local package
  for package in mariadb-server-core "${LIBRARIES[@]}"; do deb "$package"; done
}

libraries() {
  local package
  for package in "${LIBRARIES[@]}"; do
    printf '%s/usr/lib/%s:%s/lib/%s:' "$SERVICES_HOME/deb/$package" "$(uname -m)-linux-gnu" \
      "$SERVICES_HOME/deb/$package" "$(uname -m)-linux-gnu"
  done
}

# What the server reads at its first start: its own tables, and a user who may do all.
first() {
  printf "%s\n" "CREATE DATABASE IF NOT EXISTS mysql;" "USE mysql;" # a statement a line
  cat "$TREE/share/mysql/mysql_system_tables.sql" "$TREE/share/mysql/mysql_performance_tables.sql" \
    "$TREE/share/mysql/mysql_system_tables_data.sql"
  echo "CREATE DATABASE test CHARACTER SET utf8mb4;"
  echo "FLUSH PRIVILEGES;"
  echo "CREATE USER tailrace@'%' IDENTIFIED BY '${MARIADB_PASSWORD:-}';"
  echo "GRANT ALL ON *.* TO tailrace@'%' WITH GRANT OPTION;"
}

server() {
  local given=(--no-defaults --datadir="$DATA" --lc-messages-dir="$TREE/share/mysql" --character-set-server=utf8mb4)
  [[ $EUID != 0 ]] || given+=(--user=root)
  printf '%s\n' "${given[@]}"
}

launch_server() {
  local given
  ports_free "$PORT"
  LD_LIBRARY_PATH=$(libraries)
  export LD_LIBRARY_PATH
  mapfile -t given < <(server)
  if [[ ! -f $DATA/.made ]]; then
    rm -rf "$DATA"
    mkdir -p "$DATA"
    first | "$TREE/sbin/mariadbd" "${given[@]}" --bootstrap --skip-networking >>"$LOG" 2>&1 ||
      { tail -n 20 "$LOG" >&2; die "its tables could not be made"; }
    touch "$DATA/.made"
  fi
  launch "$TREE/sbin/mariadbd" "${given[@]}" --bind-address=127.0.0.1 --port="$PORT" --socket="$RUN/socket" \
    --pid-file="$RUN/mariadbd.pid" --innodb-buffer-pool-size=64M --skip-name-resolve --plugin-dir="$TREE/lib/mysql/plugin"
  wait_ready 60 ready
}

# The greeting of the protocol is there when it takes logins.
ready() {
  python3 -c 'import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2) as s:
    s.settimeout(2)
    sys.exit(b"MariaDB" not in s.recv(200))' "$PORT"
}

connection() { echo "mariadb=mysql://tailrace@127.0.0.1:$PORT/test"; }

main "$@"
