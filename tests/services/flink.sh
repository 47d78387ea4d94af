#!/usr/bin/env bash
# Apache Flink: a session cluster (JobManager, one TaskManager) and its SQL Gateway.
# Most jars come from the Python package apache-flink-libraries (Maven Central lacks flink-dist); Maven adds the gateway and Kafka.
#
#   FLINK_REST_PORT     REST of the JobManager (18082)
#   FLINK_GATEWAY_PORT  REST of the SQL Gateway (18083)
#   FLINK_RPC_PORT      RPC of the JobManager (18081)
#   FLINK_SLOTS         how many tasks run at once (8)
NAME=flink
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${FLINK_VERSION:-2.2.1}
KAFKA_CONNECTOR=${FLINK_KAFKA_CONNECTOR:-5.0.0-2.2}
REST_PORT=${FLINK_REST_PORT:-18082}
GATEWAY_PORT=${FLINK_GATEWAY_PORT:-18083}
RPC_PORT=${FLINK_RPC_PORT:-18081}
SLOTS=${FLINK_SLOTS:-8}
DIST=$SERVICES_HOME/flink-$VERSION

# dependency ARTIFACT VERSION: one jar of org.apache.flink, without its dependencies (they are inside of it).
dependency() {
  echo "<dependency><groupId>org.apache.flink</groupId><artifactId>$1</artifactId><version>$2</version><exclusions>" \
    "<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions></dependency>"
}

unpack_jars() {
  python3 - "$DIST"/*.whl "$DIST/lib" <<'PYTHON'
import pathlib, sys, zipfile
wheel, lib = sys.argv[1], pathlib.Path(sys.argv[2])
lib.mkdir(exist_ok=True)
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith("pyflink/lib/") and "flink-scala" not in name:
            (lib / name.rsplit("/", 1)[1]).write_bytes(archive.read(name))
PYTHON
  rm "$DIST"/*.whl
}

install() {
  [[ -f $DIST/.done ]] && return
  command -v mvn >/dev/null && command -v java >/dev/null || die "needs Maven and Java 17"
  mkdir -p "$DIST"
  rm -rf "$DIST"/*.whl "$DIST/lib"
  python3 -m pip download -q --no-deps --no-cache-dir -d "$DIST" "apache-flink-libraries==$VERSION" >&2
  unpack_jars
  cat >"$DIST/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>services</groupId><artifactId>flink</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    $(dependency flink-sql-gateway "$VERSION")
    $(dependency flink-sql-connector-kafka "$KAFKA_CONNECTOR")
  </dependencies>
</project>
POM
  mvn -q -B -f "$DIST/pom.xml" dependency:copy-dependencies -DoutputDirectory="$DIST/lib" >&2
  touch "$DIST/.done"
}

configure() {
  mkdir -p "$RUN"/{conf,tmp,savepoints,checkpoints}
  cat >"$RUN/conf/config.yaml" <<YAML
jobmanager.rpc.address: localhost
jobmanager.rpc.port: $RPC_PORT
jobmanager.bind-host: localhost
rest.address: localhost
rest.bind-address: localhost
rest.port: $REST_PORT
taskmanager.host: localhost
taskmanager.bind-host: localhost
taskmanager.numberOfTaskSlots: $SLOTS
# The start scripts of a full distribution work these out; without them the TaskManager wants each to be given.
taskmanager.cpu.cores: $SLOTS.0
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 128m
taskmanager.memory.task.heap.size: 512m
taskmanager.memory.task.off-heap.size: 0m
taskmanager.memory.managed.size: 512m
taskmanager.memory.network.min: 96m
taskmanager.memory.network.max: 96m
taskmanager.memory.jvm-metaspace.size: 256m
taskmanager.memory.jvm-overhead.min: 192m
taskmanager.memory.jvm-overhead.max: 192m
io.tmp.dirs: $RUN/tmp
parallelism.default: 1
# finished jobs are kept in memory: few of them, and not for long
jobstore.max-capacity: 50
jobstore.expiration-time: 600
execution.checkpointing.savepoint-dir: file://$RUN/savepoints
execution.checkpointing.dir: file://$RUN/checkpoints
sql-gateway.endpoint.rest.address: localhost
sql-gateway.endpoint.rest.bind-address: localhost
sql-gateway.endpoint.rest.port: $GATEWAY_PORT
sql-gateway.session.max-num: 1000
YAML
  cat >"$RUN/conf/log4j.properties" <<'LOG4J'
rootLogger.level = WARN
rootLogger.appenderRef.console.ref = Console
appender.console.type = Console
appender.console.name = Console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{HH:mm:ss,SSS} %-5p %-60c %x - %m%n
LOG4J
}

# part NAME MAIN_CLASS JVM_OPTION... [-- ARGUMENT...]: one process of the cluster, with a log of its own.
part() {
  local part=$1 main=$2 jvm=() package
  shift 2
  while (($#)) && [[ $1 != -- ]]; do jvm+=("$1") && shift; done
  (($#)) && shift
  for package in lang net io nio lang.reflect text time util util.concurrent util.concurrent.atomic \
    util.concurrent.locks; do jvm+=("--add-opens=java.base/java.$package=ALL-UNNAMED"); done
  jvm+=(--add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED)
  for package in api file parser tree util; do
    jvm+=("--add-exports=jdk.compiler/com.sun.tools.javac.$package=ALL-UNNAMED")
  done
  FLINK_CONF_DIR=$RUN/conf FLINK_LIB_DIR=$DIST/lib java "${jvm[@]}" -Djava.io.tmpdir="$RUN/tmp" \
    -Dlog4j.configurationFile="file:$RUN/conf/log4j.properties" \
    -cp "$DIST/lib/*" "$main" "$@" >"$RUN/$part.log" 2>&1 &
}

# The process that `launch` starts: it runs the three parts, and ends all of them when it is told to or when one has ended.
supervise() {
  trap 'exit 0' TERM INT
  trap end_parts EXIT
  part jobmanager org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint \
    -Xmx512m -XX:MaxMetaspaceSize=256m -- --configDir "$RUN/conf" --executionMode cluster
  part taskmanager org.apache.flink.runtime.taskexecutor.TaskManagerRunner \
    -Xmx640m -XX:MaxDirectMemorySize=224m -XX:MaxMetaspaceSize=256m -- --configDir "$RUN/conf"
  part gateway org.apache.flink.table.gateway.SqlGateway -Xmx768m -XX:MaxMetaspaceSize=384m --
  wait -n || true
  echo "a part of the cluster has ended, see $RUN/*.log" >&2
}

end_parts() {
  local parts
  mapfile -t parts < <(jobs -p)
  ((${#parts[@]})) || return 0
  kill "${parts[@]}" 2>/dev/null || true
  for _ in $(seq 75); do
    [[ -n $(jobs -pr) ]] || return 0
    sleep 0.2
  done
  kill -9 "${parts[@]}" 2>/dev/null || true
}

get() { curl -sf --noproxy '*' -m 5 "http://localhost:$1"; }

ready() { get "$REST_PORT/overview" | grep -q '"taskmanagers":[1-9]' && get "$GATEWAY_PORT/v3/info" | grep -q Flink; }

launch_server() {
  ports_free "$REST_PORT" "$GATEWAY_PORT" "$RPC_PORT"
  configure
  launch bash "${BASH_SOURCE[0]}" supervise
  wait_ready 120 ready
}

connection() { echo "gateway=http://localhost:$GATEWAY_PORT jobmanager=http://localhost:$REST_PORT"; }

if [[ ${1:-} == supervise ]]; then supervise; else main "$@"; fi
