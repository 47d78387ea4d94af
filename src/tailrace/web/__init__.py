"""What is seen of running jobs, over HTTP: metrics, health and the dashboard."""
