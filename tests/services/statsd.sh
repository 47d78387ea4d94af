#!/usr/bin/env bash
# Prometheus' statsd_exporter, built from its Go module (2-3 minutes the first time): takes StatsD and DogStatsD over UDP, and
# shows at GET /metrics what it understood.
#
#   STATSD_PORT  UDP for StatsD and TCP for HTTP (19464)
NAME=statsd
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=v0.31.0
PORT=${STATSD_PORT:-19464}
URL=http://127.0.0.1:$PORT/metrics

install() { go_build github.com/prometheus/statsd_exporter "$VERSION" . statsd_exporter; }

launch_server() {
  ports_free "$PORT"
  launch "$SERVICES_HOME/go/statsd_exporter-$VERSION" "--web.listen-address=127.0.0.1:$PORT" \
    "--statsd.listen-udp=127.0.0.1:$PORT" --statsd.listen-tcp= --log.level=warn
  wait_ready 30 http_ok "$URL"
}

connection() { echo "statsd=127.0.0.1:$PORT metrics=$URL"; }

main "$@"
