"""All nodes of queries under one name; each family has a file of its own."""

from tailrace.sql.dialect.expression_nodes import *  # noqa: F403 the tree is one thing to those who read it
from tailrace.sql.dialect.match_nodes import *  # noqa: F403
from tailrace.sql.dialect.query_nodes import *  # noqa: F403
