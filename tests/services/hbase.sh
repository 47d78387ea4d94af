#!/usr/bin/env bash
# Apache HBase, alone: master, region server and ZooKeeper in one process with its data on the local disk, and the Thrift server
# in a second one; put together from the artifacts of Maven Central.
#
#   HBASE_PORT  where the Thrift server listens (19090); ZooKeeper is on the next port
#   HBASE_HEAP  memory of the server (512m)
NAME=hbase
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${HBASE_VERSION:-2.6.1}
PORT=${HBASE_PORT:-19090}
DIST=$SERVICES_HOME/hbase-$VERSION

install() { mvn_jars "hbase-$VERSION" "org.apache.hbase:hbase-server:$VERSION" "org.apache.hbase:hbase-thrift:$VERSION"; }

property() { echo "<property><name>$1</name><value>$2</value></property>"; }

configure() {
  mkdir -p "$RUN/conf"
  {
    echo '<configuration>'
    property hbase.rootdir "file://$RUN/data"
    property hbase.tmp.dir "$RUN/tmp"
    property hbase.cluster.distributed false
    property hbase.unsafe.stream.capability.enforce false # the local file system has no hflush
    property hbase.wal.provider filesystem
    property hbase.zookeeper.quorum 127.0.0.1
    property hbase.zookeeper.property.clientPort $((PORT + 1))
    property hbase.zookeeper.property.dataDir "$RUN/zookeeper"
    property hbase.master.hostname 127.0.0.1
    property hbase.regionserver.hostname 127.0.0.1
    property hbase.master.ipc.address 127.0.0.1
    property hbase.regionserver.ipc.address 127.0.0.1
    property hbase.master.port 0
    property hbase.regionserver.port 0
    property hbase.master.info.port -1
    property hbase.regionserver.info.port -1
    property hbase.thrift.info.port -1
    property hbase.regionserver.handler.count 8
    echo '</configuration>'
  } >"$RUN/conf/hbase-site.xml"
  printf '%s\n' 'status = warn' 'appender.out.type = Console' 'appender.out.name = out' \
    'appender.out.layout.type = PatternLayout' 'appender.out.layout.pattern = %d %p %c{1} %m%n' \
    'rootLogger.level = warn' 'rootLogger.appenderRef.out.ref = out' >"$RUN/conf/log4j2.properties"
}

# The Thrift 1 call getTableNames is answered without an exception once the master is up.
ready() {
  python3 - "$PORT" <<'PYTHON'
import socket, struct, sys
name = b"getTableNames"
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
s.settimeout(8)
s.sendall(struct.pack(">II", 0x80010001, len(name)) + name + struct.pack(">IB", 1, 0))
head = b""
want = 8 + len(name) + 4 + 3
while len(head) < want:
    head += s.recv(want - len(head)) or sys.exit(1)
kind, field, number = head[3], head[-3], struct.unpack(">h", head[-2:])[0]
sys.exit(not (kind == 2 and field == 15 and number == 0))
PYTHON
}

# What is launched is a shell that has both processes, and ends both when it is told to, or when one ends.
launch_server() {
  local opens=() p
  ports_free "$PORT" $((PORT + 1))
  configure
  for p in java.lang java.lang.reflect java.io java.net java.nio java.util java.util.concurrent jdk.internal.ref sun.nio.ch; do
    opens+=("--add-opens=java.base/$p=ALL-UNNAMED")
  done
  opens+=(--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED --add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED)
  # shellcheck disable=SC2016  the inner shell expands these
  launch bash -c '
    heap=$1 port=$2; shift 2
    "$@" "-Xmx$heap" org.apache.hadoop.hbase.master.HMaster start & pids=($!)
    "$@" -Xmx192m org.apache.hadoop.hbase.thrift.ThriftServer --bind 127.0.0.1 -p "$port" -threadpool start & pids+=($!)
    trap '\''kill "${pids[@]}" 2>/dev/null; wait; exit 0'\'' TERM INT
    wait -n; kill "${pids[@]}" 2>/dev/null; wait; exit 1
  ' hbase "${HBASE_HEAP:-512m}" "$PORT" java -XX:+UseSerialGC "${opens[@]}" -Djava.net.preferIPv4Stack=true \
    -Dio.netty.tryReflectionSetAccessible=true -cp "$RUN/conf:$DIST/libs/*"
  wait_ready 240 ready
}

connection() { echo "127.0.0.1:$PORT"; }

main "$@"
