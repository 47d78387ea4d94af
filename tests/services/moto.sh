#!/usr/bin/env bash
# A stand-in for S3: moto, in an environment of its own. It keeps what it has in memory; any credentials will do.
#
#   MOTO_PORT  where it listens (19555)
#   MOTO_AUTH  `true`: credentials are looked at; nobody has rights but those made by its IAM
NAME=moto
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${MOTO_VERSION:-5.2.5}
PORT=${MOTO_PORT:-19555}
DIST=$SERVICES_HOME/moto-$VERSION
URL=http://127.0.0.1:$PORT

install() {
  [[ -f $DIST/.done ]] && return
  python3 -m venv --clear "$DIST" >&2
  "$DIST/bin/pip" install --quiet --disable-pip-version-check "moto[server,s3]==$VERSION" >&2
  touch "$DIST/.done"
}

ready() {
  python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=5)' "$URL/moto-api/"
}

launch_server() {
  ports_free "$PORT"
  if [[ ${MOTO_AUTH:-} == true ]]; then export INITIAL_NO_AUTH_ACTION_COUNT=0; fi
  launch "$DIST/bin/moto_server" --host 127.0.0.1 --port "$PORT"
  wait_ready 60 ready
}

connection() { echo "s3.endpoint=$URL"; }

main "$@"
