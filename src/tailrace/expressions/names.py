"""Hidden columns that time functions read; the engine gives them."""

NOW = "$now"
"""The wall clock at the batch: Datetime(ms, UTC)."""

WATERMARK = "$watermark"
"""The watermark before the row: Int64 milliseconds, NULL before the first."""
