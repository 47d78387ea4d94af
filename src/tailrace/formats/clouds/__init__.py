"""The schema registries of AWS and Azure: their headers, and how they are asked."""
