#!/usr/bin/env bash
# Prometheus, Debian's package unpacked into a folder of its own, scraping one target.
#
#   PROMETHEUS_PORT      where it listens (19095)
#   PROMETHEUS_TARGET    what it scrapes, each second (127.0.0.1:9249)
#   PROMETHEUS_RULES     a file of rules (none)
#   PROMETHEUS_ALERTMANAGER   where alerts go, as host:port (nowhere)
#   PROMETHEUS_TOKEN     a file with the token of the target (none)
NAME=prometheus
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
PORT=${PROMETHEUS_PORT:-19095}
DIST=$SERVICES_HOME/deb/prometheus
URL=http://127.0.0.1:$PORT

install() { deb prometheus; }

configure() {
  local rules="" token="" alerting=""
  [[ -z ${PROMETHEUS_RULES:-} ]] || rules="\"$(realpath -e -- "$PROMETHEUS_RULES")\""
  [[ -z ${PROMETHEUS_TOKEN:-} ]] || token="authorization: {credentials_file: \"$PROMETHEUS_TOKEN\"}"
  [[ -z ${PROMETHEUS_ALERTMANAGER:-} ]] ||
    alerting="alerting: {alertmanagers: [{static_configs: [{targets: [\"$PROMETHEUS_ALERTMANAGER\"]}]}]}"
  cat >"$RUN/prometheus.yml" <<YML
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [$rules]
scrape_configs:
  - job_name: tailrace
    static_configs: [{targets: ["${PROMETHEUS_TARGET:-127.0.0.1:9249}"]}]
    $token
$alerting
YML
  "$DIST/usr/bin/promtool" check config "$RUN/prometheus.yml" >&2
}

ready() {
  python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=2)' "$URL/-/ready"
}

launch_server() {
  ports_free "$PORT"
  configure
  launch "$DIST/usr/bin/prometheus" "--config.file=$RUN/prometheus.yml" "--storage.tsdb.path=$RUN/data" \
    "--web.listen-address=127.0.0.1:$PORT" --web.enable-lifecycle
  wait_ready 30 ready
}

connection() { echo "prometheus=$URL promtool=$DIST/usr/bin/promtool"; }

main "$@"
