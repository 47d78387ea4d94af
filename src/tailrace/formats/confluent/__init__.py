"""What the formats of a schema registry share: its client, the header of messages, the names of subjects."""
