#!/usr/bin/env bash
# Alertmanager, Debian's package unpacked into a folder of its own; every alert goes to one web address.
#
#   ALERTMANAGER_PORT      where it listens (19096)
#   ALERTMANAGER_WEBHOOK   where alerts go (needed)
NAME=alertmanager
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
PORT=${ALERTMANAGER_PORT:-19096}
DIST=$SERVICES_HOME/deb/prometheus-alertmanager
TEMPLATES=/usr/share/prometheus/alertmanager
URL=http://127.0.0.1:$PORT

install() {
  [[ -n ${ALERTMANAGER_WEBHOOK:-} ]] || die "set ALERTMANAGER_WEBHOOK to the address that gets the alerts"
  deb prometheus-alertmanager
  # Debian's build reads its templates from this place, and from nowhere else
  if [[ ! -e $TEMPLATES/default.tmpl || ! -e $TEMPLATES/email.tmpl ]]; then
    { mkdir -p "$TEMPLATES" && cp "$DIST$TEMPLATES/"*.tmpl "$TEMPLATES/"; } || die "can't write $TEMPLATES (run once as root)"
  fi
}

launch_server() {
  ports_free "$PORT"
  cat >"$RUN/alertmanager.yml" <<YML
route: {receiver: hook, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: hook
    webhook_configs: [{url: "$ALERTMANAGER_WEBHOOK", send_resolved: true}]
YML
  # without an address of a cluster there is no second port
  launch "$DIST/usr/bin/prometheus-alertmanager" "--config.file=$RUN/alertmanager.yml" "--storage.path=$RUN/data" \
    "--web.listen-address=127.0.0.1:$PORT" --cluster.listen-address=
  wait_ready 30 ready
}

ready() {
  python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=2)' "$URL/-/ready"
}

connection() { echo "alertmanager=$URL"; }

main "$@"
