"""`tailrace run --replicas`: processes that share out the replicas of one pipeline, by locks in a folder that all see."""
