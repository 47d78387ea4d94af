#!/usr/bin/env bash
# A stand-in for Google Cloud Storage: fake-gcs-server, built from its Go module. Its buckets are folders of $RUN/data; it looks at no login.
#
#   GCS_PORT  HTTP (19559)
NAME=gcs
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=v1.56.1
PORT=${GCS_PORT:-19559}
URL=http://127.0.0.1:$PORT

install() { go_build github.com/fsouza/fake-gcs-server "$VERSION" . fake-gcs-server; }

launch_server() {
  ports_free "$PORT"
  launch "$SERVICES_HOME/go/fake-gcs-server-$VERSION" -scheme http -host 127.0.0.1 -port "$PORT" -public-host "127.0.0.1:$PORT" \
    -external-url "$URL" -backend filesystem -filesystem-root "$RUN/data" -log-level error
  wait_ready 60 http_ok "$URL/_internal/healthcheck"
}

connection() { echo "gs.endpoint=$URL"; }

main "$@"
