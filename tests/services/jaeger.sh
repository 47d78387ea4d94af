#!/usr/bin/env bash
# Jaeger 2, built from its Go module (10-20 minutes the first time), without its web page; spans are kept in memory.
#
#   JAEGER_PORT       queries: GET /api/services, /api/traces?service=S, /api/traces/ID (16686)
#   JAEGER_GRPC_PORT  OTLP over gRPC (14317)
#   JAEGER_HTTP_PORT  OTLP over HTTP (14318)
NAME=jaeger
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=v1.76.0 # this one holds the command of Jaeger 2
PORT=${JAEGER_PORT:-16686}
GRPC_PORT=${JAEGER_GRPC_PORT:-14317}
HTTP_PORT=${JAEGER_HTTP_PORT:-14318}
URL=http://127.0.0.1:$PORT

install() { go_build github.com/jaegertracing/jaeger "$VERSION" ./cmd/jaeger jaeger; }

configure() {
  cat >"$RUN/jaeger.yml" <<YML
service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {receivers: [otlp], exporters: [jaeger_storage_exporter]}
  telemetry: {metrics: {level: none}}
extensions:
  jaeger_storage: {backends: {mem: {memory: {max_traces: 10000}}}}
  jaeger_query:
    storage: {traces: mem}
    http: {endpoint: "127.0.0.1:$PORT"}
    grpc: {endpoint: "127.0.0.2:$PORT"} # a second loopback address, and no further port
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:$GRPC_PORT"}
      http: {endpoint: "127.0.0.1:$HTTP_PORT"}
exporters:
  jaeger_storage_exporter: {trace_storage: mem}
YML
}

launch_server() {
  ports_free "$PORT" "$GRPC_PORT" "$HTTP_PORT"
  configure
  launch "$SERVICES_HOME/go/jaeger-$VERSION" --config "$RUN/jaeger.yml"
  wait_ready 60 http_ok "$URL/api/services"
}

connection() { echo "jaeger=$URL otlp.grpc=http://127.0.0.1:$GRPC_PORT otlp.http=http://127.0.0.1:$HTTP_PORT"; }

main "$@"
