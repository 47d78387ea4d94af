"""What connectors of AWS share: how it is reached and logged into, what its errors mean, and the shards of a stream."""
