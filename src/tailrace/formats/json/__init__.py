"""The format `json`: one object a row."""
