#!/usr/bin/env bash
# MinIO, built from its Go module (up to 20 minutes the first time): a real S3 server, conditional writes included. Its buckets are folders of
# $RUN/data; login tailrace / tailrace-secret, any region.
#
#   MINIO_PORT  HTTP (19001)
NAME=minio
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
PORT=${MINIO_PORT:-19001}
URL=http://127.0.0.1:$PORT

install() { go_build github.com/minio/minio "$VERSION" . minio; }

launch_server() {
  ports_free "$PORT"
  export MINIO_ROOT_USER=tailrace MINIO_ROOT_PASSWORD=tailrace-secret GOMEMLIMIT=384MiB
  export MINIO_BROWSER=off MINIO_UPDATE=off MINIO_CALLHOME_ENABLE=off
  launch "$SERVICES_HOME/go/minio-$VERSION" server --quiet --address "127.0.0.1:$PORT" "$RUN/data"
  wait_ready 60 http_ok "$URL/minio/health/ready"
}

connection() { echo "s3=$URL user=tailrace password=tailrace-secret"; }

main "$@"
