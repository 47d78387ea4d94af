#!/usr/bin/env bash
# Kinesis Data Streams: the stand-in kinesis-mock in its npm packaging. Streams live in memory.
#
#   KINESIS_PORT     where it listens (15000); TLS is on the next port
#   KINESIS_PERSIST  true: streams outlive a kill, as they are saved every second (false)
NAME=kinesis
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
VERSION=${KINESIS_VERSION:-0.6.2}
PORT=${KINESIS_PORT:-15000}
DIST=$SERVICES_HOME/kinesis-local-$VERSION

install() {
  [[ ! -f $DIST/.done ]] || return 0
  command -v npm >/dev/null || die "needs Node.js and npm"
  mkdir -p "$DIST"
  npm install --prefix "$DIST" --ignore-scripts --no-fund --no-audit --silent "kinesis-local@$VERSION" >&2
  touch "$DIST/.done"
}

ready() {
  python3 - "$PORT" <<'PYTHON'
import sys, urllib.request as u
auth = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=x"
u.urlopen(u.Request(f"http://127.0.0.1:{sys.argv[1]}/", b"{}", {
    "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "Kinesis_20131202.ListStreams",
    "X-Amz-Date": "20260101T000000Z", "Authorization": auth}), timeout=5).read()
PYTHON
}

launch_server() {
  ports_free "$PORT" $((PORT + 1))
  cd "$DIST/node_modules/kinesis-local"
  # told to end, it waits for clients to close their connections: what is launched is a shell that does not
  # shellcheck disable=SC2016  the inner shell expands these
  KINESIS_MOCK_PLAIN_PORT=$PORT KINESIS_MOCK_TLS_PORT=$((PORT + 1)) LOG_LEVEL=WARN \
    SHOULD_PERSIST_DATA=${KINESIS_PERSIST:-false} PERSIST_PATH=$RUN/data PERSIST_INTERVAL=1s launch bash -c '
    node --require "$1" --max-old-space-size=512 main.js & pid=$!
    trap '\''kill -9 $pid 2>/dev/null; exit 0'\'' TERM INT
    wait "$pid"
  ' kinesis "$HERE/kinesis_accepting.js"
  wait_ready 60 ready
}

connection() { echo "kinesis=http://127.0.0.1:$PORT"; }

main "$@"
