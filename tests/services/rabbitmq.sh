#!/usr/bin/env bash
# RabbitMQ with streams, Debian's packages unpacked into a folder of their own. Users: guest.
#
#   RABBITMQ_PORT              where it listens for AMQP (15673); Erlang's ports are the two behind it
#   RABBITMQ_MAX_MESSAGE_SIZE  how many bytes a message has at most (128 MB)
NAME=rabbitmq
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
PORT=${RABBITMQ_PORT:-15673}
DIST=$SERVICES_HOME/rabbitmq-debian
ERLANG=$DIST/root/usr/lib/erlang

install() {
  [[ -f $DIST/.done ]] && return
  locked_install
}

locked_install() {
  local packages package
  mkdir -p "$DIST/packages"
  apt-cache show rabbitmq-server >/dev/null 2>&1 || apt-get update -qq >&2
  # Erlang and RabbitMQ alone: the other dependencies serve the system's service
  packages=$(apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances rabbitmq-server | grep -E '^(rabbitmq-server|erlang-[a-z0-9-]+|libsctp1)$') || die "needs apt-get (Debian, Ubuntu)"
  # shellcheck disable=SC2086  a list
  (cd "$DIST/packages" && apt-get download -qq -o APT::Sandbox::User=root $packages >&2)
  for package in "$DIST"/packages/*.deb; do dpkg-deb -x "$package" "$DIST/root"; done
  sed -i "s|ROOTDIR=/usr/lib/erlang|ROOTDIR=$ERLANG|" "$ERLANG"/bin/erl "$ERLANG"/erts-*/bin/erl
  rm -r "$DIST/packages"
  touch "$DIST/.done"
}

environment() {
  RABBITMQ_HOME=$(echo "$DIST"/root/usr/lib/rabbitmq/lib/rabbitmq_server-*)
  export RABBITMQ_HOME ERL_ROOTDIR=$ERLANG PATH=$ERLANG/bin:$RABBITMQ_HOME/sbin:$PATH
  export LD_LIBRARY_PATH=$DIST/root/usr/lib/$(uname -m)-linux-gnu
  export HOME=$RUN RABBITMQ_NODENAME=tailrace$PORT@localhost
  export RABBITMQ_CONFIG_FILE=$RUN/rabbitmq RABBITMQ_ENABLED_PLUGINS_FILE=$RUN/enabled_plugins
  export RABBITMQ_MNESIA_BASE=$RUN/data RABBITMQ_LOG_BASE=$RUN/logs RABBITMQ_LOGS=-
  export RABBITMQ_DIST_PORT=$((PORT + 1)) ERL_EPMD_PORT=$((PORT + 2)) ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}"
  export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_PID_FILE=$RUN/beam.pid
}

launch_server() {
  environment
  end_names
  ports_free "$PORT" $((PORT + 1)) $((PORT + 2))
  cat >"$RUN/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$PORT
stream.listeners.tcp = none
vm_memory_high_watermark.absolute = 512MiB
disk_free_limit.absolute = 100MB
log.console.level = warning
max_message_size = ${RABBITMQ_MAX_MESSAGE_SIZE:-134217728}
CONF
  echo '[rabbitmq_stream].' >"$RUN/enabled_plugins"
  launch rabbitmq-server
  wait_ready 90 ready
}

# the greeting of AMQP is Connection.Start: class 10, method 10
ready() {
  python3 - "$PORT" <<'PYTHON'
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2) as s:
    s.settimeout(5)
    s.sendall(b"AMQP\0\0\x09\x01")
    sys.exit(s.recv(11)[7:11] != b"\0\n\0\n")
PYTHON
}

# Erlang's own name server outlives a broker, and is not ended before it has seen that the broker is gone.
end_names() {
  for _ in $(seq 50); do
    epmd -kill >/dev/null 2>&1 || true
    epmd -names >/dev/null 2>&1 || return 0
    sleep 0.1
  done
}

# the broker ends with its script's session
stop() {
  local pid
  environment
  if alive; then
    pid=$(<"$PIDFILE")
    kill "$(<"$RUN/beam.pid")" 2>/dev/null || kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
      alive || break
      sleep 0.2
    done
    ! alive || kill -9 -- "-$pid" 2>/dev/null || true
  fi
  end_names
  rm -f "$PIDFILE"
}

connection() { echo "rabbitmq=amqp://guest:guest@127.0.0.1:$PORT/"; }

main "$@"
