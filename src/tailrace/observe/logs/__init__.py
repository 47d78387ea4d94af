"""Log lines: as text for people, as JSON in the Elastic Common Schema, bounded in number, and on their way to other systems."""
