"""The options of a table of alerts."""

from __future__ import annotations

from tailrace.options import Option, OptionSet, choice, duration, integer, string

SEVERITIES = ("info", "warning", "error", "critical")

OPTIONS = OptionSet(
    "connector 'alert'",
    (
        Option("slack.url", string, doc="an incoming webhook of Slack", secret=True),
        Option("teams.url", string, doc="a workflow webhook of Microsoft Teams", secret=True),
        Option(
            "pagerduty.routing-key",
            string,
            doc="the integration key of a PagerDuty service (Events API 2)",
            secret=True,
        ),
        Option("pagerduty.url", string, "https://events.pagerduty.com/v2/enqueue", "where PagerDuty takes events"),
        Option("webhook.url", string, doc="any HTTP address: a POST with the alert as JSON", secret=True),
        Option("webhook.secret", string, doc="signs the body: header `X-Tailrace-Signature`, HMAC-SHA256", secret=True),
        Option("email.url", string, doc="`smtp://[user:password@]host[:port]`, or `smtps://`", secret=True),
        Option("email.from", string, doc="the sender of mails"),
        Option("email.to", string, doc="who gets mails; several with `;` between"),
        Option(
            "alert.title", string, doc="one line, with `{column}` for the values of the row; all columns if left out"
        ),
        Option("alert.text", string, "", "more lines, with `{column}` too"),
        Option("alert.severity", choice(*SEVERITIES), "warning", f"one of {', '.join(f'`{s}`' for s in SEVERITIES)}"),
        Option("alert.severity.column", string, doc="the column with the severity, where rows differ in it"),
        Option(
            "alert.key",
            string,
            doc="the columns that make rows one alert, with `;` between; the PRIMARY KEY, or all if left out",
        ),
        Option(
            "alert.link", string, doc="an address to look further at, with `{column}` too, whose values are encoded"
        ),
        Option("alert.cool-down", duration, 300_000, "so long a key is not told of again"),
        Option("alert.repeat", duration, 0, "a standing alert is told of again after so long; `0`: never"),
        Option(
            "alert.max-rate",
            integer,
            30,
            "at most so many messages a minute; what is beyond is counted in the next one",
        ),
        Option("alert.keep", duration, 3_600_000, "so long a message is kept for a channel that does not answer"),
    ),
)
