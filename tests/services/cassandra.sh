#!/usr/bin/env bash
# Apache Cassandra, one node, put together from the artifacts of Maven Central. Data centre `datacenter1`.
#
#   CASSANDRA_PORT   where CQL is spoken (19042); the three ports behind it are for nodes and for JMX
#   CASSANDRA_HEAP   memory of the server (512m)
#   CASSANDRA_LOGIN  `true`: asks for a login; the first is `cassandra` with the password `cassandra`
NAME=cassandra
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${CASSANDRA_VERSION:-5.0.9}
PORT=${CASSANDRA_PORT:-19042}

install() { mvn_jars "cassandra-$VERSION" "org.apache.cassandra:cassandra-all:$VERSION"; }

configure() {
  mkdir -p "$RUN/conf"
  local authenticator=AllowAllAuthenticator
  if [[ ${CASSANDRA_LOGIN:-} == true ]]; then authenticator=PasswordAuthenticator; fi
  cat >"$RUN/conf/cassandra.yaml" <<YAML
cluster_name: tailrace
num_tokens: 1
partitioner: org.apache.cassandra.dht.Murmur3Partitioner
authenticator: $authenticator
endpoint_snitch: SimpleSnitch
listen_address: 127.0.0.1
rpc_address: 127.0.0.1
native_transport_port: $PORT
storage_port: $((PORT + 1))
ssl_storage_port: $((PORT + 2))
seed_provider:
  - class_name: org.apache.cassandra.locator.SimpleSeedProvider
    parameters: [{seeds: "127.0.0.1:$((PORT + 1))"}]
data_file_directories: [$RUN/data]
commitlog_directory: $RUN/commitlog
saved_caches_directory: $RUN/saved_caches
hints_directory: $RUN/hints
cdc_raw_directory: $RUN/cdc_raw
commitlog_sync: batch
memtable_heap_space: 128MiB
file_cache_size: 32MiB
concurrent_compactors: 1
auto_snapshot: false
YAML
  cat >"$RUN/conf/logback.xml" <<'XML'
<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%d %-5level %logger{20} - %msg%n</pattern></encoder>
  </appender>
  <root level="WARN"><appender-ref ref="OUT"/></root>
</configuration>
XML
}

# A CQL v4 OPTIONS frame is answered by SUPPORTED (opcode 6).
ready() {
  python3 - "$PORT" <<'PYTHON'
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
s.settimeout(2)
s.sendall(bytes([4, 0, 0, 0, 5, 0, 0, 0, 0]))
sys.exit(s.recv(9)[4] != 6)
PYTHON
}

launch_server() {
  local opens=() p
  ports_free "$PORT" $((PORT + 1)) $((PORT + 2)) $((PORT + 3))
  configure
  for p in java.io java.lang java.lang.module java.lang.reflect java.math java.net java.nio \
    java.util java.util.concurrent java.util.concurrent.atomic jdk.internal.loader jdk.internal.math jdk.internal.module \
    jdk.internal.ref jdk.internal.reflect jdk.internal.util.jar sun.nio.ch; do
    opens+=("--add-opens=java.base/$p=ALL-UNNAMED" "--add-exports=java.base/$p=ALL-UNNAMED")
  done
  for p in jdk.management/com.sun.management.internal java.management.rmi/com.sun.jmx.remote.internal.rmi \
    java.management/com.sun.jmx.remote.security java.rmi/sun.rmi.registry java.rmi/sun.rmi.server \
    java.rmi/sun.rmi.transport.tcp java.sql/java.sql jdk.unsupported/sun.misc jdk.attach/sun.tools.attach; do
    opens+=("--add-exports=$p=ALL-UNNAMED")
  done
  opens+=(--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED
    --add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED)
  launch java -Xms256m "-Xmx${CASSANDRA_HEAP:-512m}" -XX:MaxDirectMemorySize=256m -XX:+UseSerialGC -Xss512k \
    -Djdk.attach.allowAttachSelf=true -Djava.net.preferIPv4Stack=true -Dio.netty.tryReflectionSetAccessible=true \
    "${opens[@]}" "-Dcassandra.config=file://$RUN/conf/cassandra.yaml" \
    "-Dlogback.configurationFile=$RUN/conf/logback.xml" "-Dcassandra.storagedir=$RUN" -Dcassandra-foreground=yes \
    "-Dcassandra.jmx.local.port=$((PORT + 3))" -Dcassandra.skip_wait_for_gossip_to_settle=0 -Dcassandra.ring_delay_ms=100 \
    -Dcassandra.superuser_setup_delay_ms=0 \
    -cp "$RUN/conf:$SERVICES_HOME/cassandra-$VERSION/libs/*" org.apache.cassandra.service.CassandraDaemon
  wait_ready 240 ready
}

connection() { echo "127.0.0.1:$PORT"; }

main "$@"
