#!/usr/bin/env bash
# A stand-in for the Kafka endpoint of Azure Event Hubs: the SASL_SSL listener of kafka.sh, with a login by a connection
# string. It is the same broker, so to stop one is to stop both. There is nothing that speaks Event Hubs' AMQP.
# shellcheck source=tests/services/kafka.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/kafka.sh"

connection() {
  echo "bootstrap.servers=127.0.0.1:$((PORT + 2)) ssl.ca.location=$TLS/ca.pem connection-string=$EVENT_HUBS"
}

main "$@"
