#!/usr/bin/env bash
# Apache Druid on one machine, from the artifacts of Maven Central: ZooKeeper, coordinator with overlord (and Derby in it),
# broker, historical, indexer (its tasks are threads) and router: six JVMs with small heaps, 1.8 GB in all. The Kafka
# indexing service is on the class path, and by that loaded.
#
#   DRUID_PORT  where the router listens (18888); the seven ports after it are the others'
NAME=druid
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${DRUID_VERSION:-33.0.0}
PORT=${DRUID_PORT:-18888}
URL=http://127.0.0.1:$PORT
DIST=$SERVICES_HOME/druid-$VERSION

# The native library of sigar is for metrics that nobody reads here, and is not in Maven Central.
install() {
  EXCLUDE=org.hyperic:sigar mvn_jars "druid-$VERSION" "org.apache.druid:druid-services:$VERSION" \
    "org.apache.druid.extensions:druid-kafka-indexing-service:$VERSION"
}

configure() {
  # ZooKeeper would find sessions of processes that were killed, and end them, and what they had announced, when the new ones are there
  rm -rf "$RUN/zookeeper"
  mkdir -p "$RUN/conf" "$RUN/zookeeper" "$RUN/tmp"
  cat >"$RUN/conf/common.runtime.properties" <<PROPERTIES
druid.host=127.0.0.1
druid.bindOnHost=true
druid.extensions.loadList=[]
druid.startup.logging.logProperties=false
druid.zk.service.host=127.0.0.1:$((PORT + 1))
druid.metadata.storage.type=derby
druid.metadata.storage.connector.connectURI=jdbc:derby://127.0.0.1:$((PORT + 2))/metadata.db;create=true
druid.metadata.storage.connector.host=127.0.0.1
druid.metadata.storage.connector.port=$((PORT + 2))
druid.storage.type=local
druid.storage.storageDirectory=$RUN/segments
druid.indexer.logs.type=file
druid.indexer.logs.directory=$RUN/task-logs
druid.selectors.indexing.serviceName=druid/overlord
druid.selectors.coordinator.serviceName=druid/coordinator
druid.lookup.enableLookupSyncOnStartup=false
druid.server.http.numThreads=12
druid.processing.numThreads=1
druid.processing.numMergeBuffers=2
druid.processing.buffer.sizeBytes=16MiB
druid.processing.tmpDir=$RUN/tmp
PROPERTIES
  cat >"$RUN/conf/log4j2.xml" <<'XML'
<Configuration status="WARN"><Appenders><Console name="out"><PatternLayout pattern="%d %p [%t] %c{1} - %m%n"/></Console></Appenders>
<Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers></Configuration>
XML
  printf '%s\n' "dataDir=$RUN/zookeeper" "clientPort=$((PORT + 1))" clientPortAddress=127.0.0.1 tickTime=2000 \
    admin.enableServer=false maxClientCnxns=0 >"$RUN/conf/zoo.cfg"
}

# What is launched is a shell that has all processes, and ends them when it is told to, or when one ends.
servers() {
  local opens=() package pids=()
  for package in java.lang java.io java.nio java.util jdk.internal.ref sun.nio.ch; do
    opens+=("--add-opens=java.base/$package=ALL-UNNAMED")
  done
  opens+=(--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED --add-exports=java.base/jdk.internal.ref=ALL-UNNAMED
    --add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED)
  jvm() { # HEAP ARGUMENT...
    local heap=$1
    shift
    java "-Xmx$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:MaxDirectMemorySize=128m -XX:+ExitOnOutOfMemoryError "${opens[@]}" \
      -Duser.timezone=UTC -Dfile.encoding=UTF-8 -Djava.io.tmpdir="$RUN/tmp" -Dderby.system.home="$RUN" -Djava.net.preferIPv4Stack=true \
      -Djava.util.logging.manager=org.apache.logging.log4j.jul.LogManager -cp "$RUN/conf:$DIST/libs/*" "$@" &
    pids+=($!)
  }
  druid() { # KIND HEAP PORT PROPERTY...
    local kind=$1 heap=$2 port=$3 given=() property
    shift 3
    for property; do given+=("-D$property"); done
    jvm "$heap" "-Ddruid.plaintextPort=$port" "-Ddruid.service=druid/$kind" "${given[@]}" org.apache.druid.cli.Main server "$kind"
  }
  jvm 64m org.apache.zookeeper.server.ZooKeeperServerMain "$RUN/conf/zoo.cfg"
  druid coordinator 320m $((PORT + 3)) druid.coordinator.asOverlord.enabled=true \
    druid.coordinator.asOverlord.overlordService=druid/overlord druid.coordinator.startDelay=PT2S druid.coordinator.period=PT5S \
    druid.coordinator.period.indexingPeriod=PT30S druid.indexer.queue.startDelay=PT1S \
    druid.manager.segments.pollDuration=PT2S druid.indexer.runner.type=httpRemote druid.indexer.storage.type=metadata
  druid broker 256m $((PORT + 4)) druid.broker.http.numConnections=5 druid.sql.planner.metadataRefreshPeriod=PT2S
  druid historical 256m $((PORT + 5)) "druid.segmentCache.locations=[{\"path\":\"$RUN/segment-cache\",\"maxSize\":\"2g\"}]"
  druid indexer 512m $((PORT + 6)) druid.worker.capacity=6 "druid.indexer.task.baseTaskDir=$RUN/task"
  druid router 128m "$PORT" druid.router.managementProxy.enabled=true druid.router.defaultBrokerServiceName=druid/broker \
    druid.router.coordinatorServiceName=druid/coordinator
  trap 'kill "${pids[@]}" 2>/dev/null || true
    for _ in {1..50}; do [[ -n $(jobs -rp) ]] || exit 0; sleep 0.1; done
    kill -9 $(jobs -rp) || true; exit 0' TERM INT
  wait -n
  kill "${pids[@]}" 2>/dev/null || true
  wait
  exit 1
}

# SQL through the router, a historical that can load segments, and a worker to run tasks.
ready() {
  local get=(curl -fsS --max-time 4)
  "${get[@]}" -o /dev/null -H 'Content-Type: application/json' -d '{"query":"SELECT 1"}' "$URL/druid/v2/sql" &&
    "${get[@]}" -o /dev/null "http://127.0.0.1:$((PORT + 5))/druid/historical/v1/readiness" &&
    "${get[@]}" "$URL/druid/indexer/v1/workers" | grep -q ":$((PORT + 6))"
}

launch_server() {
  # shellcheck disable=SC2046
  ports_free $(seq "$PORT" $((PORT + 6)))
  configure
  launch "$BASH" "${BASH_SOURCE[0]}" servers
  wait_ready 300 ready
}

connection() { echo "$URL"; }

case ${1:-} in
  servers) servers ;;
  *) main "$@" ;;
esac
