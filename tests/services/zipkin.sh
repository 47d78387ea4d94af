#!/usr/bin/env bash
# Zipkin, from Maven Central; spans are kept in memory.
#
#   ZIPKIN_PORT  where it takes spans (POST /api/v2/spans) and shows traces (GET /api/v2/trace/ID) (19411)
NAME=zipkin
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${ZIPKIN_VERSION:-3.5.1}
PORT=${ZIPKIN_PORT:-19411}
DIST=$SERVICES_HOME/zipkin-$VERSION
URL=http://127.0.0.1:$PORT

install() {
  [[ -f $DIST/.done ]] && return
  command -v mvn >/dev/null && command -v java >/dev/null || die "needs Maven and Java 17"
  mkdir -p "$DIST"
  cd "$DIST" # without a pom Maven leaves marks in the current folder
  mvn -q -B dependency:copy -DoutputDirectory="$DIST" -Dartifact="io.zipkin:zipkin-server:$VERSION:jar:exec" >&2
  touch "$DIST/.done"
}

launch_server() {
  ports_free "$PORT"
  launch env QUERY_PORT="$PORT" STORAGE_TYPE=mem java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -jar "$DIST/zipkin-server-$VERSION-exec.jar"
  wait_ready 120 http_ok "$URL/health"
}

connection() { echo "zipkin=$URL"; }

main "$@"
