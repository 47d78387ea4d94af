"""What is seen of running jobs: metrics and health."""
