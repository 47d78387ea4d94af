#!/usr/bin/env bash
# A small stand-in for Azure Cosmos DB, from npm: https with a certificate that it signs itself, any account key, all in memory.
#
#   COSMOSDB_PORT  where it listens (19585)
NAME=cosmosdb
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${COSMOSDB_VERSION:-1.0.1}
PORT=${COSMOSDB_PORT:-19585}
DIST=$SERVICES_HOME/cosmosdb-$VERSION

install() {
  [[ ! -f $DIST/.done ]] || return 0
  command -v npm >/dev/null && command -v node >/dev/null || die "needs Node.js with npm"
  mkdir -p "$DIST"
  npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$DIST" "@vercel/cosmosdb-server@$VERSION" >&2
  touch "$DIST/.done"
}

ready() {
  python3 - "https://127.0.0.1:$PORT/" <<'PYTHON'
import ssl, sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], timeout=2, context=ssl._create_unverified_context())
except urllib.error.HTTPError:
    pass
PYTHON
}

launch_server() {
  ports_free "$PORT"
  # not by its own command, which ends each connection after one answer
  launch node --max-old-space-size=512 -e \
    'require(process.argv[1]).createHttpsServer({keepAlive: true}).listen(Number(process.argv[2]), "127.0.0.1")' \
    "$DIST/node_modules/@vercel/cosmosdb-server" "$PORT"
  wait_ready 60 ready
}

connection() { echo "cosmosdb=https://127.0.0.1:$PORT"; }

main "$@"
