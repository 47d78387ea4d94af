#!/usr/bin/env bash
# An OpenTelemetry collector: the one that Jaeger 2 is built as (see jaeger.sh), run without any part of Jaeger. It takes OTLP and
# writes what arrives, in full, into its log.
#
#   OTELCOL_PORT       OTLP over HTTP (14328)
#   OTELCOL_GRPC_PORT  OTLP over gRPC (the port after that)
#   OTELCOL_USER       `name:password` that requests must have (none)
#   OTELCOL_API_KEY    drop what comes without this header `api-key`; the sender is answered with 200 all the same (none)
NAME=otelcol
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=v1.76.0
PORT=${OTELCOL_PORT:-14328}
GRPC_PORT=${OTELCOL_GRPC_PORT:-$((PORT + 1))}
URL=http://127.0.0.1:$PORT

install() { go_build github.com/jaegertracing/jaeger "$VERSION" ./cmd/jaeger jaeger; }

configure() {
  local extensions="" login="" auth="" processors="" keys=""
  if [[ -n ${OTELCOL_API_KEY:-} ]]; then
    local bad="attributes[\"api_key\"] != \"$OTELCOL_API_KEY\""
    processors=", processors: [attributes, filter]"
    auth=", include_metadata: true"
    keys="processors:
  attributes: {actions: [{key: api_key, from_context: metadata.api-key, action: upsert}]}
  filter:
    traces: {span: ['$bad']}
    metrics: {datapoint: ['$bad']}
    logs: {log_record: ['$bad']}"
  fi
  if [[ -n ${OTELCOL_USER:-} ]]; then
    extensions="extensions: [basicauth]"
    login="extensions: {basicauth: {htpasswd: {inline: \"$OTELCOL_USER\"}}}"
    auth+=", auth: {authenticator: basicauth}"
  fi
  cat >"$RUN/otelcol.yml" <<YML
$login
$keys
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "127.0.0.1:$GRPC_PORT"$auth}
      http: {endpoint: "127.0.0.1:$PORT"$auth}
exporters:
  debug: {verbosity: detailed}
service:
  $extensions
  telemetry: {metrics: {level: none}}
  pipelines:
    traces: {receivers: [otlp]$processors, exporters: [debug]}
    metrics: {receivers: [otlp]$processors, exporters: [debug]}
    logs: {receivers: [otlp]$processors, exporters: [debug]}
YML
}

# any answer will do: it has no page of its own
ready() { python3 -c 'import socket, sys; socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)' "$PORT"; }

launch_server() {
  ports_free "$PORT" "$GRPC_PORT"
  configure
  launch "$SERVICES_HOME/go/jaeger-$VERSION" --config "$RUN/otelcol.yml"
  wait_ready 30 ready
}

connection() { echo "otlp.http=$URL otlp.grpc=http://127.0.0.1:$GRPC_PORT log=$LOG"; }

main "$@"
