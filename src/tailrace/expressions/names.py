"""Hidden columns that time functions read; the engine gives them."""

NOW = "$now"
"""The wall clock at the batch: Datetime(ms, UTC)."""

WATERMARK = "$watermark"
"""The watermark before the row: Int64 milliseconds, NULL before the first."""

USER_CALL = "$user"
"""How the columns begin that hold what functions of the user gave."""
