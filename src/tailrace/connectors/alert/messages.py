"""What each channel is sent: its own form of a notice. Values of rows are text in all of them, never markup."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

from tailrace.connectors.alert.board import Notice

_TEAMS_COLORS = {"info": "Accent", "warning": "Warning", "error": "Attention", "critical": "Attention"}
_TITLE = 150
"""Slack's limit of a header."""
_TEXT = 2900
_FIELDS = 10
_MARKUP = re.compile(r"([\\`*_\[\]()#+\-!|<>])")


def head(notice: Notice) -> str:
    """
    Give the first line of a notice.

    >>> from tailrace.connectors.alert.board import Alert
    >>> head(Notice("1", 0, Alert("k", "critical", "card 7", "", "", {}), resolved=True))
    'Resolved: card 7'
    """
    word = "Resolved" if notice.resolved else notice.alert.severity.capitalize()
    return f"{word}: {notice.alert.title}"


def quiet(notice: Notice) -> str:
    """Say what was not told of."""
    parts = [f"{notice.same} more of the same"] * bool(notice.same)
    parts += [f"{notice.others} other alerts"] * bool(notice.others)
    return f"not told of meanwhile: {', '.join(parts)}" if parts else ""


def _lines(notice: Notice) -> list[str]:
    return [line for line in (notice.alert.text, quiet(notice)) if line]


def slack(notice: Notice) -> dict[str, Any]:
    """Give Slack's blocks, made by Slack's own models."""
    from slack_sdk.models.blocks import (  # noqa: PLC0415  an extra
        ActionsBlock,
        ButtonElement,
        ContextBlock,
        HeaderBlock,
        MarkdownTextObject,
        PlainTextObject,
        SectionBlock,
    )

    blocks: list[Any] = [HeaderBlock(text=PlainTextObject(text=_cut(head(notice), _TITLE), emoji=False))]
    blocks += [SectionBlock(text=PlainTextObject(text=_cut(line, _TEXT), emoji=False)) for line in _lines(notice)]
    pairs = list(notice.alert.values.items())[:_FIELDS]
    if pairs:
        fields = [PlainTextObject(text=_cut(f"{k}: {v}", _TITLE), emoji=False) for k, v in pairs]
        blocks.append(SectionBlock(fields=fields))
    if notice.alert.link:
        blocks.append(ActionsBlock(elements=[ButtonElement(text="Look", url=notice.alert.link, action_id="look")]))
    blocks.append(ContextBlock(elements=[MarkdownTextObject(text=_time(notice))]))
    return {"text": _slack_escaped(head(notice)), "blocks": [b.to_dict() for b in blocks]}


def _slack_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams(notice: Notice) -> dict[str, Any]:
    """Give an adaptive card, as a workflow of Teams takes it; its text blocks know Markdown, so values are escaped."""
    color = "Good" if notice.resolved else _TEAMS_COLORS[notice.alert.severity]
    title = {"type": "TextBlock", "text": _escaped(head(notice)), "wrap": True, "weight": "Bolder", "color": color}
    body: list[dict[str, Any]] = [title | {"size": "Medium"}]
    body += [{"type": "TextBlock", "text": _escaped(line), "wrap": True} for line in _lines(notice)]
    if notice.alert.values:
        facts = [{"title": k, "value": _escaped(v)} for k, v in notice.alert.values.items()]
        body.append({"type": "FactSet", "facts": facts})
    body.append({"type": "TextBlock", "text": _escaped(_time(notice)), "isSubtle": True, "wrap": True})
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if notice.alert.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Look", "url": notice.alert.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def pagerduty(notice: Notice, routing_key: str) -> dict[str, Any]:
    """Give an event of PagerDuty's Events API 2; its key is the alert's, so that a repeated one opens nothing new."""
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "resolve" if notice.resolved else "trigger",
        "dedup_key": _cut(notice.alert.key, 255),
    }
    if notice.resolved:
        return event
    details = dict(notice.alert.values) | {"text": "\n".join(_lines(notice))}
    payload = {
        "summary": _cut(notice.alert.title, 1024),
        "source": "tailrace",
        "severity": notice.alert.severity,
        "timestamp": _time(notice),
        "custom_details": details,
    }
    links = [{"href": notice.alert.link, "text": "Look"}] if notice.alert.link else []
    return event | {"payload": payload} | ({"links": links} if links else {})


def webhook(notice: Notice) -> dict[str, Any]:
    """Give a notice as JSON for any receiver."""
    alert = notice.alert
    return {
        "id": notice.id,
        "state": "resolved" if notice.resolved else "firing",
        "key": alert.key,
        "severity": alert.severity,
        "title": alert.title,
        "text": alert.text,
        "link": alert.link or None,
        "values": dict(alert.values),
        "at": _time(notice),
        "not_told": {"same": notice.same, "others": notice.others},
    }


def email(notice: Notice, sender: str, receivers: list[str]) -> EmailMessage:
    """Give a mail of plain text."""
    message = EmailMessage()
    message["Subject"] = " ".join(head(notice).split())
    message["From"], message["To"] = sender, ", ".join(receivers)
    message["Message-ID"] = f"<{notice.id}@tailrace>"
    values = [f"{k}: {v}" for k, v in notice.alert.values.items()]
    parts = [*_lines(notice), "\n".join(values), notice.alert.link, _time(notice)]
    message.set_content("\n\n".join(p for p in parts if p) + "\n")
    return message


def _time(notice: Notice) -> str:
    return datetime.fromtimestamp(notice.at / 1000, UTC).isoformat(timespec="seconds")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _escaped(text: str) -> str:
    """Have Markdown show a text as it is."""
    return _MARKUP.sub(r"\\\1", text)
