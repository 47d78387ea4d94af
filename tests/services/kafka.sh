#!/usr/bin/env bash
# Apache Kafka: one KRaft node, put together from the artifacts of Maven Central.
#
#   KAFKA_PORT           plain listener (19092); on the next ports SASL_PLAINTEXT, SASL_SSL; five after the first SSL with
#                        certificates of clients, six after it the controller
#   KAFKA_PROXY_PORT     a plain listener more, three ports after the first, that tells clients to come to this port: there a
#                        proxy stands that breaks the network (none)
#   KAFKA_SASL_PASSWORD  the password of user `tailrace` on the SASL listeners (tailrace-secret)
#   KAFKA_HEAP           memory of the server (512m)
#   KAFKA_AUTO_CREATE    whether topics create themselves (true)
#
# The SASL listeners know PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER; the plain one is that of the administrator, the
# others keep to ACLs where a topic or group has some. In $RUN/tls: ca.pem, client.pem (certificate and key; its password
# is `client-secret` in client-locked.pem) and token-key.pem, the key that tokens are signed with.
NAME=kafka
# shellcheck source=tests/services/common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
VERSION=${KAFKA_VERSION:-4.4.0}
PORT=${KAFKA_PORT:-19092}
PASSWORD=${KAFKA_SASL_PASSWORD:-tailrace-secret}
DIST=$SERVICES_HOME/kafka-$VERSION
TLS=$RUN/tls
EVENT_HUBS="Endpoint=sb://tailrace.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=dGVzdC1vbmx5LWtleQ=="

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

# signed NAME SUBJECT EXTENSION: a key and a certificate by our own authority.
signed() {
  openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$TLS/$1-key.pem" -out "$TLS/$1.csr"
  openssl x509 -req -in "$TLS/$1.csr" -CA "$TLS/ca.pem" -CAkey "$TLS/ca-key.pem" -CAcreateserial -days 3650 \
    -extfile <(echo "$3") -out "$TLS/$1-cert.pem"
  cat "$TLS/$1-key.pem" "$TLS/$1-cert.pem" >"$TLS/$1.pem"
}

certificates() {
  [[ -f $TLS/.done ]] && return
  mkdir -p "$TLS"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Test authority" -keyout "$TLS/ca-key.pem" -out "$TLS/ca.pem"
  signed server /CN=localhost "subjectAltName=DNS:localhost,IP:127.0.0.1"
  signed client /CN=tailrace "extendedKeyUsage=clientAuth"
  openssl pkcs8 -topk8 -in "$TLS/client-key.pem" -passout pass:client-secret -out "$TLS/client-locked-key.pem"
  cat "$TLS/client-locked-key.pem" "$TLS/client-cert.pem" >"$TLS/client-locked.pem"
  openssl genrsa -out "$TLS/token-key.pem" 2048
  python3 - "$(openssl rsa -in "$TLS/token-key.pem" -noout -modulus | cut -d= -f2)" >"$TLS/jwks.json" <<'PYTHON'
import base64, json, sys
number = base64.urlsafe_b64encode(bytes.fromhex(sys.argv[1])).decode().rstrip("=")
print(json.dumps({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "test", "n": number, "e": "AQAB"}]}))
PYTHON
  touch "$TLS/.done"
} 2>/dev/null

# login LISTENER: who may log in on a SASL listener, and how.
login() {
  local module=org.apache.kafka.common.security
  cat <<PROPERTIES
listener.name.$1.plain.sasl.jaas.config=$module.plain.PlainLoginModule required user_tailrace="$PASSWORD" user_guest="guest-secret" user_\$ConnectionString="$EVENT_HUBS";
listener.name.$1.scram-sha-256.sasl.jaas.config=$module.scram.ScramLoginModule required;
listener.name.$1.scram-sha-512.sasl.jaas.config=$module.scram.ScramLoginModule required;
listener.name.$1.oauthbearer.sasl.jaas.config=$module.oauthbearer.OAuthBearerLoginModule required;
listener.name.$1.oauthbearer.sasl.server.callback.handler.class=$module.oauthbearer.OAuthBearerValidatorCallbackHandler
listener.name.$1.oauthbearer.sasl.oauthbearer.jwks.endpoint.url=file://$TLS/jwks.json
listener.name.$1.oauthbearer.sasl.oauthbearer.expected.audience=kafka
listener.name.$1.oauthbearer.sasl.oauthbearer.expected.issuer=https://issuer.test
listener.name.$1.oauthbearer.connections.max.reauth.ms=3600000
PROPERTIES
}

# One broker, so every internal topic has one replica. Sessions and expired transactions end soon, so that tests of them are
# quick. Who comes without a login may do anything, others may until an ACL says otherwise.
properties() {
  local via="" told=""
  if [[ -n ${KAFKA_PROXY_PORT:-} ]]; then
    via=",VIA://127.0.0.1:$((PORT + 3))" told=",VIA://127.0.0.1:$KAFKA_PROXY_PORT"
  fi
  local controller="127.0.0.1:$((PORT + 6))"
  local outside="PLAIN://127.0.0.1:$PORT,SASL://127.0.0.1:$((PORT + 1)),SSL://127.0.0.1:$((PORT + 2)),MUTUAL://127.0.0.1:$((PORT + 5))"
  cat >"$RUN/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@$controller
controller.listener.names=CTL
listeners=$outside,CTL://$controller$via
advertised.listeners=$outside$told
listener.security.protocol.map=PLAIN:PLAINTEXT,SASL:SASL_PLAINTEXT,SSL:SASL_SSL,MUTUAL:SSL,CTL:PLAINTEXT,VIA:PLAINTEXT
inter.broker.listener.name=PLAIN
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER
$(login sasl)
$(login ssl)
ssl.keystore.type=PEM
ssl.keystore.location=$TLS/server.pem
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.truststore.type=PEM
listener.name.mutual.ssl.truststore.location=$TLS/ca.pem
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
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
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=500
PROPERTIES
}

launch_server() {
  local cluster
  local java=(java -Xms256m "-Xmx${KAFKA_HEAP:-512m}" -XX:+UseG1GC
    -Dorg.apache.logging.log4j.level=WARN -cp "$DIST/libs/*"
    "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://$TLS/jwks.json"
    "-Dorg.apache.kafka.sasl.oauthbearer.allowed.files=$TLS/jwks.json")
  ports_free "$PORT" $((PORT + 1)) $((PORT + 2)) $((PORT + 5)) $((PORT + 6)) ${KAFKA_PROXY_PORT:+$((PORT + 3))}
  certificates
  properties
  if [[ ! -f $RUN/data/meta.properties ]]; then
    cluster=$(python3 -c 'import base64, uuid; print(base64.urlsafe_b64encode(uuid.uuid4().bytes)[:22].decode().replace("-", "A"))')
    "${java[@]}" kafka.tools.StorageTool format -t "$cluster" -c "$RUN/server.properties" \
      -S "SCRAM-SHA-256=[name=tailrace,password=$PASSWORD]" -S "SCRAM-SHA-512=[name=tailrace,password=$PASSWORD]" \
      >>"$LOG" 2>&1
  fi
  launch "${java[@]}" kafka.Kafka "$RUN/server.properties"
  wait_ready 90 ready
}

connection() { echo "bootstrap.servers=127.0.0.1:$PORT"; }

[[ ${BASH_SOURCE[0]} != "$0" ]] || main "$@"
