"""The connector `alert`: each row is something that people are to be told."""

from __future__ import annotations

from tailrace.connectors.alert.board import Manners
from tailrace.connectors.alert.channels import channels
from tailrace.connectors.alert.options import OPTIONS
from tailrace.connectors.alert.sink import AlertSink, Shape
from tailrace.connectors.alert.templates import check
from tailrace.connectors.base import Connector, Context
from tailrace.errors import ConfigError, did_you_mean
from tailrace.options import Values
from tailrace.plan.catalog import Table


class AlertConnector(Connector):
    """Messages to Slack, Teams, PagerDuty, mail and webhooks."""

    name = "alert"
    doc = "A sink that tells people of rows: by Slack, Microsoft Teams, PagerDuty, mail or any webhook."
    options = OPTIONS
    formats = False

    def refuses_updates(self, table: Table) -> str:
        return ""

    def sink(self, table: Table, options: Values, context: Context) -> AlertSink:
        manners = Manners(options["alert.cool-down"], options["alert.repeat"], options["alert.max-rate"])
        return AlertSink(
            table.written,
            shape(table, options),
            manners,
            channels(options),
            keep=options["alert.keep"],
            folder=context.folder,
            clock=context.clock,
        )


def shape(table: Table, options: Values) -> Shape:
    """
    Give how rows of a table become alerts.

    Raises:
        ConfigError: an option names a column that there is not.
    """
    columns = table.written.names
    key = tuple(k.strip() for k in (options["alert.key"] or "").split(";") if k.strip())
    found = Shape(
        key or table.primary_key or tuple(columns),
        options["alert.title"] or ", ".join(f"{c}={{{c}}}" for c in columns),
        options["alert.text"],
        options["alert.link"] or "",
        options["alert.severity"],
        options["alert.severity.column"],
    )
    named = [("alert.key", k) for k in found.key]
    named += [("alert.severity.column", c) for c in (found.severity_column,) if c]
    for option, column in named:
        if column not in columns:
            hint = did_you_mean(column, columns) or f"the columns are: {', '.join(columns)}"
            raise ConfigError(f"'{option}' names no column '{column}'", hint=hint, location=table.location)
    for option, template in (("alert.title", found.title), ("alert.text", found.text), ("alert.link", found.link)):
        check(template, columns, option, table.location)
    return found


CONNECTOR = AlertConnector()
