"""The connector `kafka`: topics of Apache Kafka as tables."""
