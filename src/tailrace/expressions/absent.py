"""The functions of Flink that are not here, each with the reason; the page of functions lists them."""

from __future__ import annotations

_BATCH = "Flink has it for batch queries only"

ABSENT = {
    "ML_PREDICT": "it calls a model of CREATE MODEL, and there are none",
    "SOURCE_WATERMARK": "it asks the connector for watermarks, and none gives its own; write the watermark as an expression",
    "APPROX_COUNT_DISTINCT": f"{_BATCH}; COUNT(DISTINCT x) is exact",
    "NTILE": _BATCH,
    "PERCENT_RANK": _BATCH,
    "CUME_DIST": _BATCH,
    "LEAD": "Flink's streams can't look ahead either; LAG looks back",
}
"""By name; whoever calls one is told why it is not there."""
