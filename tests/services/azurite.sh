#!/usr/bin/env bash
# A stand-in for Azure Blob Storage: Azurite, from npm. Its account is the one that all its documentation names.
#
#   AZURITE_PORT  where it listens (19556)
NAME=azurite
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${AZURITE_VERSION:-3.37.0}
PORT=${AZURITE_PORT:-19556}
DIST=$SERVICES_HOME/azurite-$VERSION

install() {
  [[ -f $DIST/.done ]] && return
  command -v npm >/dev/null && command -v node >/dev/null || die "needs Node.js with npm"
  mkdir -p "$DIST"
  npm install --silent --no-audit --no-fund --prefix "$DIST" "azurite@$VERSION" >&2
  touch "$DIST/.done"
}

ready() {
  python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)' "$PORT"
}

launch_server() {
  ports_free "$PORT"
  launch node "$DIST/node_modules/.bin/azurite-blob" --blobHost 127.0.0.1 --blobPort "$PORT" --silent \
    --skipApiVersionCheck --disableTelemetry --location "$RUN/data"
  wait_ready 60 ready
}

connection() { echo "azure.endpoint=http://127.0.0.1:$PORT/devstoreaccount1"; }

main "$@"
