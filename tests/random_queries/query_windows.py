"""Windows as relations: in Flink by table functions, in the oracle by plain arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from query_nodes import Column, Dialect, Expr, Item, Relation, Type, Writer, hidden, where

PROPERTIES = ("window_start", "window_end", "window_time")


@dataclass(frozen=True, slots=True)
class Window:
    """A window table function; `size`, `step` and `offset` in milliseconds."""

    kind: str
    size: int
    step: int
    offset: int = 0

    def flink(self, table: str, column: str) -> str:
        """Write the table function."""
        lengths = [self.size] if self.kind == "TUMBLE" else [self.step, self.size]
        lengths += [self.offset] if self.offset else []
        arguments = ", ".join(_interval(x) for x in lengths)
        return f"TABLE({self.kind}(TABLE {table}, DESCRIPTOR({column}), {arguments}))"

    def duck(self, source: str, column: str) -> str:
        """Write the rows, once for each window that they are in, with its bounds in `__s` and `__e`."""
        time = f"epoch_ms({column})"
        cut = self.size if self.kind == "CUMULATE" else self.step
        last = f"(({time} - {self.offset}) // {cut}) * {cut} + {self.offset}"
        if self.kind == "CUMULATE":
            start, end = last, f"{last} + (i + 1) * {self.step}"
        else:
            start, end = f"{last} - i * {self.step}", f"{last} - i * {self.step} + {self.size}"
        count = self.size // self.step
        inner = f"SELECT *, {start} AS __s, {end} AS __e FROM {source} CROSS JOIN range({count}) AS r(i)"
        return f"(SELECT * FROM ({inner}) WHERE {time} >= __s AND {time} < __e)"


def _interval(milliseconds: int) -> str:
    seconds, rest = divmod(abs(milliseconds), 1000)
    return f"INTERVAL '{'-' if milliseconds < 0 else ''}{seconds}{f'.{rest:03d}' if rest else ''}' SECOND"


_BOUNDS = {
    "window_start": "epoch_ms(__s)",
    "window_end": "epoch_ms(__e)",
    "window_time": "epoch_ms(__e - 1)",
}


@dataclass(frozen=True, slots=True)
class WindowRows(Relation):
    """A window table function without an aggregate: no row is late."""

    input: Relation
    window: Window
    items: tuple[Item, ...]
    properties: tuple[tuple[str, str], ...]
    where: Expr | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        items = [Column(i.name, i.value.type) for i in self.items]
        return (*items, *(Column(alias, Type.TIME, whole=True) for _, alias in self.properties))

    @property
    def updating(self) -> bool:
        return self.input.updating

    def sql(self, to: Writer) -> str:
        items = [i.sql(to.to) for i in self.items]
        items += [f"{_property(p, to.to)} AS {alias}" for p, alias in self.properties]
        return f"SELECT {', '.join(items)} FROM {_windowed(self.input, self.window, to)}{where(self.where, to)}"


@dataclass(frozen=True, slots=True)
class WindowGroup(Relation):
    """GROUP BY keys and window. The hidden watermark of its rows is none: they are never late for a next window."""

    input: Relation
    window: Window
    keys: tuple[Item, ...]
    aggregates: tuple[Item, ...]
    properties: tuple[tuple[str, str], ...]
    having: Expr | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        items = [Column(i.name, i.value.type) for i in (*self.keys, *self.aggregates)]
        times = [Column(alias, Type.TIME, time=p == "window_time", whole=True) for p, alias in self.properties]
        return (*items, *times)

    @property
    def updating(self) -> bool:
        return False

    def sql(self, to: Writer) -> str:
        items = [i.sql(to.to) for i in (*self.keys, *self.aggregates)]
        items += [f"{_property(p, to.to)} AS {alias}" for p, alias in self.properties]
        bounds = ["window_start", "window_end"] if to.to is Dialect.FLINK else ["__s", "__e"]
        if to.to is Dialect.FLINK and any(p == "window_time" for p, _ in self.properties):
            bounds.append("window_time")
        by = ", ".join([*(k.value.sql(to.to) for k in self.keys), *bounds])
        having = f" HAVING {self.having.sql(to.to)}" if self.having else ""
        late = " WHERE __wm IS NULL OR __e - 1 > __wm" if to.to is Dialect.DUCK else ""
        source = _windowed(self.input, self.window, to)
        none = hidden(self, to, "CAST(NULL AS BIGINT)")
        return f"SELECT {', '.join(items)}{none} FROM {source}{late} GROUP BY {by}{having}"


@dataclass(frozen=True, slots=True)
class SessionGroup(Relation):
    """GROUP BY of session windows; the input has no late rows, so that sessions are islands between gaps."""

    input: Relation
    keys: tuple[Column, ...]
    gap: int
    aggregates: tuple[Item, ...]
    names: tuple[str, str]

    @property
    def columns(self) -> tuple[Column, ...]:
        items = [Column(i.name, i.value.type) for i in self.aggregates]
        return (*(Column(c.name, c.type) for c in self.keys), *items, *(Column(n, Type.TIME) for n in self.names))

    @property
    def updating(self) -> bool:
        return False

    def sql(self, to: Writer) -> str:
        if self.input.time is None:
            raise ValueError("a session needs a row time")
        keys = "".join(f"{c.name}, " for c in self.keys)
        calls = "".join(f"{i.sql(to.to)}, " for i in self.aggregates)
        bounds = ("window_start", "window_end") if to.to is Dialect.FLINK else ("__s", "__e")
        shown = ", ".join(f"{_property(p, to.to)} AS {name}" for p, name in zip(PROPERTIES, self.names, strict=False))
        source = self._flink(to) if to.to is Dialect.FLINK else self._duck(to, self.input.time.name)
        return f"SELECT {keys}{calls}{shown} FROM {source} GROUP BY {keys}{', '.join(bounds)}"

    def _flink(self, to: Writer) -> str:
        assert self.input.time is not None
        by = f" PARTITION BY ({', '.join(c.name for c in self.keys)})" if self.keys else ""
        table = to.table(self.input)
        return f"TABLE(SESSION(TABLE {table}{by}, DESCRIPTOR({self.input.time.name}), {_interval(self.gap)}))"

    def _duck(self, to: Writer, time: str) -> str:
        by = f"PARTITION BY {', '.join(c.name for c in self.keys)} " if self.keys else ""
        at = f"epoch_ms({time})"
        steps = f"SELECT *, {at} AS __t, LAG({at}) OVER ({by}ORDER BY {time}) AS __l FROM {to.source(self.input)}"
        islands = f"SELECT *, SUM(CASE WHEN __t - __l <= {self.gap} THEN 0 ELSE 1 END) OVER ({by}ORDER BY __t) AS __n FROM ({steps})"
        within = f"OVER (PARTITION BY {''.join(f'{c.name}, ' for c in self.keys)}__n)"
        return f"(SELECT *, MIN(__t) {within} AS __s, MAX(__t) {within} + {self.gap} AS __e FROM ({islands}))"


def _windowed(rel: Relation, window: Window, to: Writer) -> str:
    if rel.time is None:
        raise ValueError("a window needs a row time")
    if to.to is Dialect.FLINK:
        return window.flink(to.table(rel), rel.time.name)
    return window.duck(to.source(rel), rel.time.name)


def _property(name: str, to: Dialect) -> str:
    return name if to is Dialect.FLINK else _BOUNDS[name]
