"""Metrics, traces and logs on their way out: OTLP, Zipkin, DogStatsD, OpenSearch."""
