"""Every form of a query comes back from its text, and forms that mean the same are one tree."""

import pytest

from tailrace.sql.dialect import generate, parse
from tailrace.sql.dialect import nodes as n
from tailrace.sql.source import Source

FORMS = [
    "SELECT * FROM a, b, c",
    "SELECT * FROM a JOIN b ON a.x = b.x LEFT OUTER JOIN c AS d (y) USING (x, y) FULL JOIN e ON TRUE RIGHT JOIN f ON a",
    "SELECT * FROM a CROSS JOIN (b JOIN c ON TRUE), (SELECT 1) AS d, (VALUES (1, 2)) e (x, y)",
    "SELECT * FROM ((a JOIN b ON TRUE) JOIN ((SELECT 1) UNION ALL (SELECT 2)) AS c ON TRUE)",
    "SELECT * FROM ((SELECT 1) AS x JOIN b ON TRUE)",
    "SELECT * FROM a LEFT JOIN b FOR SYSTEM_TIME AS OF a.ts - INTERVAL '1' DAY AS c ON a.x = c.x",
    "SELECT * FROM a CROSS JOIN UNNEST(a.xs) WITH ORDINALITY AS t (x, i) LEFT JOIN UNNEST(a.m, ARRAY[1]) ON TRUE",
    "SELECT * FROM a, LATERAL TABLE(f(a.x, 1)) AS t (y, z) LEFT JOIN LATERAL TABLE(`my f`(b => 1, `OFFSET` => x)) ON TRUE",
    "SELECT * FROM a, LATERAL (SELECT MAX(x) FROM b WHERE b.y = a.y) AS t, TABLE(f()), g(1) AS u, d.c.h(x) i (y)",
    "SELECT * FROM f(r => TABLE t PARTITION BY k, uid => 'x'), TABLE(g(TABLE t PARTITION BY (a, b) ORDER BY (ts, c DESC), 1))",
    "SELECT * FROM f((SELECT * FROM t) PARTITION BY k, on_time => DESCRIPTOR(ts))",
    "SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) AS w (a, b) JOIN u ON TRUE",
    "SELECT * FROM TABLE(SESSION(TABLE t PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' MINUTE))",
    "SELECT * FROM SESSION(DATA => TABLE t PARTITION BY (k, l), TIMECOL => DESCRIPTOR(ts), GAP => INTERVAL '5' MINUTE)",
    "SELECT * FROM HOP(DATA => TABLE t, TIMECOL => DESCRIPTOR(ts), SLIDE => a, SIZE => b, `OFFSET` => c)",
    "SELECT a FROM t ORDER BY a ASC, b DESC NULLS LAST, c + 1 NULLS FIRST LIMIT 3 OFFSET 2 ROWS",
    "(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL (SELECT 2) ORDER BY 1",
    "WITH a AS (SELECT 1 ORDER BY 1) SELECT * FROM a ORDER BY x FETCH NEXT 5 ROWS ONLY",
    "SELECT 1 UNION SELECT 2 EXCEPT ALL SELECT 3 INTERSECT SELECT 4 UNION ALL SELECT 5 INTERSECT ALL (SELECT 6)",
    "SELECT SUM(a) FILTER (WHERE b) OVER (PARTITION BY c, d ORDER BY ts ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM t",
    "SELECT SUM(a) OVER w, MAX(b) OVER (w RANGE INTERVAL '1' HOUR PRECEDING), COUNT(*) OVER () FROM t WINDOW w AS (ORDER BY ts)",
    "SELECT LAG(a, 1, 0) IGNORE NULLS OVER w, FIRST_VALUE(a) RESPECT NULLS OVER w FROM t WINDOW w AS (PARTITION BY a), v AS (w)",
    "SELECT AVG(a) OVER (ORDER BY b RANGE BETWEEN UNBOUNDED PRECEDING AND x + 1 FOLLOWING) FROM t",
    "SELECT AVG(a) OVER (ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) FROM t",
    "SELECT ROW_NUMBER() OVER (PARTITION BY a ORDER BY ts) + 1 AS rn FROM t QUALIFY RANK() OVER w = 1",
    "SELECT LISTAGG(DISTINCT a, ',') WITHIN GROUP (ORDER BY b DESC), ARRAY_AGG(a ORDER BY b), ARRAY_AGG(a IGNORE NULLS) FROM t",
    "SELECT JSON_ARRAYAGG(a ORDER BY b DESC NULL ON NULL), JSON_ARRAYAGG(a ABSENT ON NULL) WITHIN GROUP (ORDER BY b) FROM t",
    "SELECT f(x => 1, y => (SELECT 2)), (a, b) OVERLAPS (c, INTERVAL '1' DAY) AND d FROM t",
    "SELECT COUNT(DISTINCT a, b), GROUPING(a, b), GROUPING_ID(a), GROUP_ID() FROM t GROUP BY CUBE (a, b)",
    "SELECT a FROM t GROUP BY GROUPING SETS ((a, b), (a), b, (), ROLLUP (a, (b, c)), GROUPING SETS ((), a)), a + 1, (), (a, b)",
    "SELECT a FROM t GROUP BY DISTINCT a, ROLLUP (b) HAVING COUNT(*) > 1",
    "SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) FROM t GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE), SESSION(ts, INTERVAL '1' DAY)",
    "SELECT (SELECT MAX(a) FROM t) + 1, ((SELECT 1)), ((SELECT 1) + 1), COALESCE((SELECT 1), 2), ((SELECT 1), 2) FROM t",
    "SELECT a FROM t WHERE a IN (SELECT b FROM u) AND (a, b) NOT IN (SELECT 1, 2) OR NOT EXISTS (SELECT 1) AND a IN ((SELECT 1), 2)",
    "SELECT a > ALL (SELECT 1), a = ANY (SELECT 1), a <> SOME (1, 2), (a IN (SELECT 1)) IS TRUE, EXISTS (SELECT 1) = TRUE FROM t",
    "SELECT /*+ BROADCAST(t, u), STATE_TTL('a' = '1d', b = '2d'), x, NUM(1, 'y') */ DISTINCT a FROM t /*+ OPTIONS('a'='it''s') */ AS u",
    "TABLE a UNION ALL TABLE b ORDER BY 1",
    "SELECT * FROM a NATURAL JOIN b NATURAL LEFT JOIN c WHERE x IN (TABLE d)",
    """SELECT * FROM t AS q MATCH_RECOGNIZE (PARTITION BY a, b ORDER BY ts, c DESC MEASURES A.x AS x, FINAL LAST(B.y, 1) AS y,
       AVG(A.x + 1) AS av, COUNT(B.*) AS n, CLASSIFIER() AS c ALL ROWS PER MATCH AFTER MATCH SKIP TO FIRST B
       PATTERN (^ A B+ C* D? E{2} F{2,} G{2,4} H{,5} I+? J?? K{2,3}? $) WITHIN INTERVAL '1' HOUR SUBSET U = (A, B), V = (C)
       DEFINE A AS A.x > 1, B AS PREV(B.x, 1) < B.x AND NEXT(x) > 2) AS T (p, q) JOIN u ON TRUE""",
    "SELECT * FROM (SELECT 1) MATCH_RECOGNIZE (PATTERN (A (B | C D)+ (E F){2} ((G)?)+ {- H -} PERMUTE(I, J K)) DEFINE A AS TRUE)",
    "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP PAST LAST ROW PATTERN (A (B | C) D | E) DEFINE A AS TRUE, B AS FALSE)",
    "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO NEXT ROW PATTERN (FIRST LAST) DEFINE FIRST AS TRUE)",
    "SELECT * FROM t MATCH_RECOGNIZE (AFTER MATCH SKIP TO LAST PATTERN (A LAST) DEFINE A AS MATCH_ROWTIME() > ts)",
    "SELECT * FROM a JOIN b /*+ OPTIONS('x'='y') */ FOR SYSTEM_TIME AS OF a.p AS c ON TRUE",
]


MATCH = "SELECT * FROM t MATCH_RECOGNIZE (PATTERN"
DEFINE = "DEFINE A AS TRUE)"


def tree(text: str) -> n.Node:
    """Give the tree of one statement."""
    (found,) = parse(Source(text, "a.sql"))
    return found


@pytest.mark.parametrize("text", FORMS)
def test_a_query_comes_back(text: str) -> None:
    """Each query, written from its tree, gives the same tree again."""
    assert tree(generate(tree(text))) == tree(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT * FROM a, b", "SELECT * FROM a CROSS JOIN b"),
        ("SELECT * FROM a JOIN b ON c", "SELECT * FROM a INNER JOIN b ON c"),
        ("SELECT * FROM a LEFT JOIN b ON c", "SELECT * FROM a LEFT OUTER JOIN b ON c"),
        ("SELECT * FROM a JOIN b ON c JOIN d ON e", "SELECT * FROM (a JOIN b ON c) JOIN d ON e"),
        ("SELECT * FROM a, b JOIN c ON d", "SELECT * FROM (a CROSS JOIN b) JOIN c ON d"),
        ("SELECT * FROM a JOIN b ON c, d", "SELECT * FROM (a JOIN b ON c) CROSS JOIN d"),
        ("SELECT * FROM a, LATERAL UNNEST(x) AS t", "SELECT * FROM a, UNNEST(x) AS t"),
        ("SELECT * FROM f(1)", "SELECT * FROM TABLE(f(1))"),
        ("SELECT * FROM f(TABLE t PARTITION BY a)", "SELECT * FROM f(TABLE t PARTITION BY (a))"),
        ("SELECT SUM(a) OVER w FROM t", "SELECT SUM(a) OVER (w) FROM t"),
        (
            "SELECT SUM(a) OVER (ROWS 3 PRECEDING) FROM t",
            "SELECT SUM(a) OVER (ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) FROM t",
        ),
        ("SELECT JSON_ARRAYAGG(a ORDER BY b) FROM t", "SELECT JSON_ARRAYAGG(a) WITHIN GROUP (ORDER BY b) FROM t"),
        ("SELECT ARRAY_AGG(a IGNORE NULLS) FROM t", "SELECT ARRAY_AGG(a) IGNORE NULLS FROM t"),
        ("TABLE t", "SELECT * FROM t"),
        (f"{MATCH} ((A (B) C)) {DEFINE}", f"{MATCH} (A B C) {DEFINE}"),
        (f"{MATCH} ((A | B) | C D) {DEFINE}", f"{MATCH} (A | B | (C D)) {DEFINE}"),
        (
            f"{MATCH} (A{{0,}} B{{1,}} C{{0,1}} D{{2,2}} E{{,3}}) {DEFINE}",
            f"{MATCH} (A* B+ C? D{{2}} E{{0,3}}) {DEFINE}",
        ),
        (f"{MATCH} (A{{2}}?) {DEFINE}", f"{MATCH} (A{{2}}) {DEFINE}"),
        (MATCH.replace("PATTERN", "ONE ROW PER MATCH PATTERN") + f" (A) {DEFINE}", f"{MATCH} (A) {DEFINE}"),
        (
            MATCH.replace("PATTERN", "AFTER MATCH SKIP TO A PATTERN") + f" (A) {DEFINE}",
            MATCH.replace("PATTERN", "AFTER MATCH SKIP TO LAST A PATTERN") + f" (A) {DEFINE}",
        ),
        ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a ASC"),
        ("SELECT 1 UNION SELECT 2", "SELECT 1 UNION DISTINCT SELECT 2"),
        ("SELECT a FROM t GROUP BY (a, b)", "SELECT a FROM t GROUP BY ROW(a, b)"),
        ("SELECT a FROM t GROUP BY GROUPING SETS ((a))", "SELECT a FROM t GROUP BY GROUPING SETS (a)"),
        ("SELECT a = ANY (SELECT 1)", "SELECT a = SOME (SELECT 1)"),
        ("SELECT a FROM t LIMIT ALL", "SELECT a FROM t"),
        ("SELECT a FROM t LIMIT 2", "SELECT a FROM t FETCH FIRST 2 ROWS ONLY"),
    ],
)
def test_forms_that_mean_the_same_are_one_tree(one: str, other: str) -> None:
    """Only the meaning is in the tree, not which of two forms was written."""
    assert tree(one) == tree(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT * FROM a, b JOIN c ON d", "SELECT * FROM a CROSS JOIN (b JOIN c ON d)"),
        ("SELECT * FROM a CROSS JOIN b", "SELECT * FROM a INNER JOIN b ON TRUE"),
        ("SELECT * FROM a, LATERAL TABLE(f(x))", "SELECT * FROM a, TABLE(f(x))"),
        ("SELECT 1 UNION SELECT 2", "SELECT 1 UNION ALL SELECT 2"),
        ("SELECT 1 EXCEPT SELECT 2 UNION SELECT 3", "SELECT 1 EXCEPT (SELECT 2 UNION SELECT 3)"),
        ("SELECT a FROM t ORDER BY a", "SELECT a FROM t ORDER BY a NULLS FIRST"),
        ("SELECT a FROM t GROUP BY ROLLUP (a, b)", "SELECT a FROM t GROUP BY ROLLUP ((a, b))"),
        (
            "SELECT SUM(a) OVER (ORDER BY b ROWS 1 PRECEDING) FROM t",
            "SELECT SUM(a) OVER (ORDER BY b RANGE 1 PRECEDING) FROM t",
        ),
        ("SELECT a IN ((SELECT 1), 2)", "SELECT a IN (SELECT 1)"),
        ("SELECT a FROM t /*+ OPTIONS('a'='b') */", "SELECT a FROM t"),
        ("SELECT ARRAY_AGG(a ORDER BY b) FROM t", "SELECT ARRAY_AGG(a) WITHIN GROUP (ORDER BY b) FROM t"),
        ("SELECT * FROM a NATURAL JOIN b", "SELECT * FROM a NATURAL LEFT JOIN b"),
        (f"{MATCH} (A B+) {DEFINE}", f"{MATCH} ((A B)+) {DEFINE}"),
        (f"{MATCH} (A | B C) {DEFINE}", f"{MATCH} ((A | B) C) {DEFINE}"),
        (f"{MATCH} (A+) {DEFINE}", f"{MATCH} (A+?) {DEFINE}"),
        (f"{MATCH} (A?) {DEFINE}", f"{MATCH} (A*) {DEFINE}"),
        (f"{MATCH} (A{{1}}) {DEFINE}", f"{MATCH} (A{{1,}}) {DEFINE}"),
        (f"{MATCH} (A{{,2}}) {DEFINE}", f"{MATCH} (A{{1,2}}) {DEFINE}"),
        (f"{MATCH} (A) {DEFINE}", f"{MATCH} (^ A) {DEFINE}"),
    ],
)
def test_forms_that_differ_are_different_trees(one: str, other: str) -> None:
    """What means something else is another tree."""
    assert tree(one) != tree(other)


def shape(node: n.Node) -> str:
    """Give a tree of set operations with all its parentheses."""
    if isinstance(node, n.Query):
        return shape(node.args["body"])
    if isinstance(node, n.SetOperation):
        return f"({shape(node.args['left'])} {node.args['kind'][0].lower()} {shape(node.args['right'])})"
    return str(node.args["items"][0].this.this)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("SELECT 1 UNION SELECT 2 UNION SELECT 3", "((1 u 2) u 3)"),
        ("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "(1 u (2 i 3))"),
        ("SELECT 1 INTERSECT SELECT 2 UNION SELECT 3", "((1 i 2) u 3)"),
        ("SELECT 1 EXCEPT SELECT 2 UNION SELECT 3", "((1 e 2) u 3)"),
        ("SELECT 1 UNION SELECT 2 EXCEPT SELECT 3", "((1 u 2) e 3)"),
        ("SELECT 1 EXCEPT (SELECT 2 UNION SELECT 3)", "(1 e (2 u 3))"),
        ("(SELECT 1 UNION SELECT 2) INTERSECT SELECT 3", "((1 u 2) i 3)"),
    ],
)
def test_intersect_binds_tighter(text: str, meant: str) -> None:
    """UNION and EXCEPT go from left to right; INTERSECT comes first."""
    assert shape(tree(text)) == meant
