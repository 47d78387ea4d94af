#!/usr/bin/env bash
# DynamoDB Local, the stand-in that AWS publishes, from the artifacts of Maven Central. Any credentials and region do.
#
#   DYNAMODB_PORT   where it listens (18000); on all interfaces, as it has no option for that
#   DYNAMODB_DISK   `yes`: tables are kept in files, and are there again after a restart; else in memory
#   DYNAMODB_HEAP   memory of the server (384m)
NAME=dynamodb
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${DYNAMODB_VERSION:-2.6.1}
PORT=${DYNAMODB_PORT:-18000}

# the native library of SQLite is an artifact of its own
install() {
  mvn_jars "dynamodb-$VERSION" "com.amazonaws:DynamoDBLocal:$VERSION" \
    com.almworks.sqlite4java:libsqlite4java-linux-amd64:1.0.392:so
}

# A request that is not signed is answered by 400.
ready() {
  python3 - "$PORT" <<'PYTHON'
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/", timeout=2)
except urllib.error.HTTPError as error:
    sys.exit(error.code != 400)
sys.exit(1)
PYTHON
}

launch_server() {
  local libs=$SERVICES_HOME/dynamodb-$VERSION/libs store=(-inMemory)
  ports_free "$PORT"
  if [[ ${DYNAMODB_DISK:-} == yes ]]; then
    mkdir -p "$RUN/data"
    store=(-dbPath "$RUN/data")
  fi
  launch java "-Xmx${DYNAMODB_HEAP:-384m}" -XX:+UseSerialGC "-Dsqlite4java.library.path=$libs" -DDDB_LOCAL_TELEMETRY=0 \
    -cp "$libs/*" com.amazonaws.services.dynamodbv2.local.main.ServerRunner \
    -disableTelemetry -sharedDb -port "$PORT" "${store[@]}"
  wait_ready 120 ready
}

connection() { echo "127.0.0.1:$PORT"; }

main "$@"
