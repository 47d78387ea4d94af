#!/usr/bin/env bash
# Apache Kafka: one KRaft node, put together from the artifacts of Maven Central.
#
#   KAFKA_PORT           plain listener (19092); SASL_PLAINTEXT is on the next port, SASL_SSL on the one after
#   KAFKA_PROXY_PORT     a plain listener more, three ports after the first, that tells clients to come to this port: there a
#                        proxy stands that breaks the network (none)
#   KAFKA_SASL_PASSWORD  the password of user `tailrace` on the SASL listeners (tailrace-secret)
#   KAFKA_HEAP           memory of the server (512m)
#   KAFKA_AUTO_CREATE    whether topics create themselves (true)
NAME=kafka
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${KAFKA_VERSION:-4.4.0}
PORT=${KAFKA_PORT:-19092}
PASSWORD=${KAFKA_SASL_PASSWORD:-tailrace-secret}
DIST=$SERVICES_HOME/kafka-$VERSION

install() {
  [[ -f $DIST/.done ]] && return
  command -v mvn >/dev/null && command -v java >/dev/null || die "needs Maven and Java 17"
  mkdir -p "$DIST"
  cat >"$DIST/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>services</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$VERSION</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.5</version></dependency>
  </dependencies>
</project>
POM
  mvn -q -B -f "$DIST/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$DIST/libs" >&2
  touch "$DIST/.done"
}

# A Metadata request (version 1) must name at least one broker: it does so once the broker is unfenced.
ready() {
  python3 - "$PORT" <<'PYTHON'
import socket, struct, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 2)
s.settimeout(5)
s.sendall(struct.pack(">ihhihi", 14, 3, 1, 7, -1, 0))
data = b""
while len(data) < 12:
    data += s.recv(4096) or sys.exit(1)
sys.exit(struct.unpack(">iii", data[:12])[2] < 1)
PYTHON
}

certificate() {
  [[ -f $RUN/server.pem ]] && return
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$RUN/key.pem" -out "$RUN/ca.pem" 2>/dev/null
  cat "$RUN/key.pem" "$RUN/ca.pem" >"$RUN/server.pem"
}

# properties CONTROLLER_PORT: one broker, so every internal topic has one replica.
properties() {
  local login="org.apache.kafka.common.security.plain.PlainLoginModule required user_tailrace=\"$PASSWORD\";"
  local via="" told=""
  if [[ -n ${KAFKA_PROXY_PORT:-} ]]; then
    via=",VIA://127.0.0.1:$((PORT + 3))" told=",VIA://127.0.0.1:$KAFKA_PROXY_PORT"
  fi
  cat >"$RUN/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$1
controller.listener.names=CTL
listeners=PLAIN://127.0.0.1:$PORT,SASL://127.0.0.1:$((PORT + 1)),SSL://127.0.0.1:$((PORT + 2)),CTL://127.0.0.1:$1$via
advertised.listeners=PLAIN://127.0.0.1:$PORT,SASL://127.0.0.1:$((PORT + 1)),SSL://127.0.0.1:$((PORT + 2))$told
listener.security.protocol.map=PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,SSL:SASL_SSL,CTL:PLAINTEXT,VIA:PLAINTEXT
inter.broker.listener.name=PLAIN
sasl.enabled.mechanisms=PLAIN
listener.name.sasl.plain.sasl.jaas.config=$login
listener.name.ssl.plain.sasl.jaas.config=$login
ssl.keystore.type=PEM
ssl.keystore.location=$RUN/server.pem
log.dirs=$RUN/data
num.partitions=1
auto.create.topics.enable=${KAFKA_AUTO_CREATE:-true}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=8
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=8
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
PROPERTIES
}

launch_server() {
  local controller cluster
  local java=(java -Xms256m "-Xmx${KAFKA_HEAP:-512m}" -XX:+UseG1GC
    -Dorg.apache.logging.log4j.level=WARN -cp "$DIST/libs/*")
  ports_free "$PORT" $((PORT + 1)) $((PORT + 2)) ${KAFKA_PROXY_PORT:+$((PORT + 3))}
  # the controller talks to itself alone: any free port will do
  controller=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  certificate
  properties "$controller"
  if [[ ! -f $RUN/data/meta.properties ]]; then
    cluster=$(python3 -c 'import base64, uuid; print(base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode().replace("-", "A"))')
    "${java[@]}" kafka.tools.StorageTool format -t "$cluster" -c "$RUN/server.properties" >>"$LOG" 2>&1
  fi
  launch "${java[@]}" kafka.Kafka "$RUN/server.properties"
  wait_ready 90 ready
}

connection() { echo "bootstrap.servers=127.0.0.1:$PORT"; }

main "$@"
