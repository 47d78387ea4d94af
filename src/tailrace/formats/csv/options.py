"""The options of the format `csv`, under Flink's names."""

from __future__ import annotations

from dataclasses import dataclass

from tailrace.errors import ConfigError
from tailrace.options import Option, OptionSet, Values, boolean, string

_NAMED = {"\\t": "\t", "\\\\": "\\"}


def _character(text: str) -> str:
    r"""
    Read one ASCII character; a tab may be written `\t`.

    Raises:
        ValueError: it is none.
    """
    found = _NAMED.get(text, text)
    if len(found) != 1 or not found.isascii() or found in "\r\n\0":
        raise ValueError("expected one ASCII character that is no line end, as ';' or '\\t'")
    return found


OPTIONS = OptionSet(
    "format 'csv'",
    (
        Option("field-delimiter", _character, ",", "what stands between fields; a tab may be written `\\t`"),
        Option("disable-quote-character", boolean, False, "quotes have no meaning"),
        Option("quote-character", _character, '"', "what encloses fields with delimiters, quotes or line ends"),
        Option("allow-comments", boolean, False, "rows that begin with `#` are left out"),
        Option(
            "ignore-parse-errors",
            boolean,
            False,
            "a value that can't be read, or is missing, is NULL, and a row of too many fields is left out; else the row is an error",
        ),
        Option("array-element-delimiter", string, ";", "what stands between the elements of ARRAY and ROW"),
        Option("escape-character", _character, doc="the character behind it stands for itself; none by default"),
        Option("null-literal", string, doc="the text of NULL; none by default: an empty field is an empty text"),
        Option(
            "write-bigdecimal-in-scientific-notation",
            boolean,
            True,
            "write decimals below a millionth as `2.7E-8` and not `0.000000027`",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The characters that make fields; None where there is no such character."""

    delimiter: str
    quote: str | None
    escape: str | None
    comment: str | None
    null: str | None
    element_delimiter: str

    @classmethod
    def of(cls, options: Values) -> Dialect:
        """
        Take the dialect from options.

        Raises:
            ConfigError: options contradict each other.
        """
        quote = None if options["disable-quote-character"] else options["quote-character"]
        found = cls(
            options["field-delimiter"],
            quote,
            options["escape-character"] or None,
            "#" if options["allow-comments"] else None,
            options["null-literal"],
            options["array-element-delimiter"],
        )
        if found.delimiter in (quote, found.escape):
            raise ConfigError(
                "'csv.field-delimiter' must not be the quote or escape character",
                location=options.location("field-delimiter"),
            )
        if not found.element_delimiter:
            raise ConfigError(
                "'csv.array-element-delimiter' must not be empty", location=options.location("array-element-delimiter")
            )
        return found
