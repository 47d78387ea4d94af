#!/usr/bin/env bash
# A schema registry with the HTTP API of Confluent's: Apicurio Registry, from Maven Central. It keeps what it has in memory, so that
# every start is an empty one, unless REGISTRY_KEEP is set.
#
#   REGISTRY_PORT  where it listens (18081)
#   REGISTRY_HEAP  memory of the server (384m)
#   REGISTRY_KEEP  `true`: what it has is in a file of its folder, and survives a stop
NAME=registry
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${REGISTRY_VERSION:-3.0.9}
PORT=${REGISTRY_PORT:-18081}
DIST=$SERVICES_HOME/apicurio-registry-$VERSION
URL=http://127.0.0.1:$PORT/apis/ccompat/v7

install() {
  [[ -f $DIST/.done ]] && return
  command -v mvn >/dev/null && command -v java >/dev/null || die "needs Maven and Java 17"
  mkdir -p "$DIST"
  cd "$DIST" # without a pom Maven leaves marks in the current folder
  mvn -q -B dependency:copy -Dmdep.useBaseVersion=true -DoutputDirectory="$DIST" \
    -Dartifact="io.apicurio:apicurio-registry-app:$VERSION:tar.gz:all" >&2
  tar -xzf "$DIST"/*-all.tar.gz -C "$DIST"
  rm "$DIST"/*-all.tar.gz
  touch "$DIST/.done"
}

ready() {
  python3 -c 'import json, sys, urllib.request as u; json.load(u.urlopen(sys.argv[1], timeout=5))' "$URL/subjects"
}

launch_server() {
  local keep=()
  ports_free "$PORT"
  if [[ ${REGISTRY_KEEP:-} == true ]]; then
    keep=("-Dapicurio.datasource.url=jdbc:h2:file:$RUN/data/registry")
  fi
  launch java -Xms64m "-Xmx${REGISTRY_HEAP:-384m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -Dquarkus.http.host=127.0.0.1 "-Dquarkus.http.port=$PORT" -Dquarkus.log.level=WARN "${keep[@]}" \
    -jar "$DIST"/*-runner.jar
  wait_ready 120 ready
}

connection() { echo "schema.registry.url=$URL"; }

main "$@"
