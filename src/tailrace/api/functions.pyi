"""The functions of SQL's catalogue, as `functions.py` gives them. Written by scripts/docs."""

from typing import Any

from tailrace.api.expr import Expr, IntoExpr

def array(*elements: IntoExpr) -> Expr: ...
def row(*fields: IntoExpr) -> Expr: ...
def map_(entries: dict[Any, Any]) -> Expr: ...
def trim(text: IntoExpr, characters: IntoExpr = None, side: str = "BOTH") -> Expr: ...
def abs(a: IntoExpr, /) -> Expr:
    """ABS(a): Without its sign."""

def acos(a: IntoExpr, /) -> Expr:
    """ACOS(a): The arc cosine."""

def array_agg(*arguments: IntoExpr) -> Expr:
    """ARRAY_AGG([DISTINCT] x): an array of all values in the order they came, NULLs too"""

def array_append(a: IntoExpr, x: IntoExpr, /) -> Expr:
    """ARRAY_APPEND(a, x): With x behind the elements of a."""

def array_concat(*arguments: IntoExpr) -> Expr:
    """ARRAY_CONCAT(a, ...): The elements of all arrays; NULL if one is."""

def array_contains(a: IntoExpr, x: IntoExpr, /) -> Expr:
    """ARRAY_CONTAINS(a, x): Whether x is one of its elements; NULL can be one too."""

def array_distinct(a: IntoExpr, /) -> Expr:
    """ARRAY_DISTINCT(a): Without elements that come again."""

def array_except(a: IntoExpr, b: IntoExpr, /) -> Expr:
    """ARRAY_EXCEPT(a, b): The elements of a that are not in b, each once."""

def array_intersect(a: IntoExpr, b: IntoExpr, /) -> Expr:
    """ARRAY_INTERSECT(a, b): The elements of a that are in b too, each once."""

def array_join(a: IntoExpr, separator: IntoExpr, instead: IntoExpr = ..., /) -> Expr:
    """ARRAY_JOIN(a, separator[, instead]): The texts with a separator between them; NULLs are left out, or written as `instead`."""

def array_max(a: IntoExpr, /) -> Expr:
    """ARRAY_MAX(a): The greatest element; NULLs do not count."""

def array_min(a: IntoExpr, /) -> Expr:
    """ARRAY_MIN(a): The least element; NULLs do not count."""

def array_position(a: IntoExpr, x: IntoExpr, /) -> Expr:
    """ARRAY_POSITION(a, x): Where x comes first, from 1; 0 if it is not in a."""

def array_prepend(a: IntoExpr, x: IntoExpr, /) -> Expr:
    """ARRAY_PREPEND(a, x): With x before the elements of a."""

def array_remove(a: IntoExpr, x: IntoExpr, /) -> Expr:
    """ARRAY_REMOVE(a, x): Without the elements that are x."""

def array_reverse(a: IntoExpr, /) -> Expr:
    """ARRAY_REVERSE(a): Backwards."""

def array_slice(a: IntoExpr, start: IntoExpr, end: IntoExpr = ..., /) -> Expr:
    """ARRAY_SLICE(a, start[, end]): The elements from one place up to another, counted from 1; negative places count from the end."""

def array_sort(a: IntoExpr, ascending: IntoExpr = ..., nulls_first: IntoExpr = ..., /) -> Expr:
    """ARRAY_SORT(a[, ascending[, nulls_first]]): Sorted; NULLs come first where it ascends and last where it descends, unless said otherwise."""

def array_union(a: IntoExpr, b: IntoExpr, /) -> Expr:
    """ARRAY_UNION(a, b): The elements of both, each once."""

def ascii(a: IntoExpr, /) -> Expr:
    """ASCII(a): The first byte of its first character, -128 to 127; 0 for an empty text."""

def asin(a: IntoExpr, /) -> Expr:
    """ASIN(a): The arc sine."""

def atan(a: IntoExpr, /) -> Expr:
    """ATAN(a): The arc tangent."""

def atan2(y: IntoExpr, x: IntoExpr, /) -> Expr:
    """ATAN2(y, x): The angle of the point (x, y)."""

def avg(*arguments: IntoExpr) -> Expr:
    """AVG([DISTINCT] x): the average; that of integers is cut to an integer"""

def bin(a: IntoExpr, /) -> Expr:
    """BIN(a): A whole number in binary digits; negative ones in 64."""

def btrim(a: IntoExpr, c: IntoExpr = ..., /) -> Expr:
    """BTRIM(a[, c]): Without these characters (spaces) at its end."""

def cardinality(a: IntoExpr, /) -> Expr:
    """CARDINALITY(a): How many elements or entries it has."""

def ceil(*arguments: IntoExpr) -> Expr:
    """CEIL(a [TO unit]): The next whole number above, or whole unit of time."""

def ceiling(*arguments: IntoExpr) -> Expr:
    """CEILING(a [TO unit]): The next whole number above, or whole unit of time."""

def char_length(a: IntoExpr, /) -> Expr:
    """CHAR_LENGTH(a): Its length in characters."""

def character_length(a: IntoExpr, /) -> Expr:
    """CHARACTER_LENGTH(a): Its length in characters."""

def chr(n: IntoExpr, /) -> Expr:
    """CHR(n): The character of a code, up to 255 and then from the start; empty below 0."""

def coalesce(*arguments: IntoExpr) -> Expr:
    """COALESCE(a, b, ...): The first that is not NULL."""

def collect(*arguments: IntoExpr) -> Expr:
    """COLLECT([DISTINCT] x): a multiset of the values that are not NULL"""

def concat(*arguments: IntoExpr) -> Expr:
    """CONCAT(a, ...): One behind the other; NULL if one is."""

def concat_ws(*arguments: IntoExpr) -> Expr:
    """CONCAT_WS(separator, a, ...): Joined by a separator; NULLs are left out."""

def convert_tz(*arguments: IntoExpr) -> Expr:
    """CONVERT_TZ(a, from, to): The text `yyyy-MM-dd HH:mm:ss` of a time in one zone as that in another; NULL if it is none."""

def cos(a: IntoExpr, /) -> Expr:
    """COS(a): The cosine."""

def cosh(a: IntoExpr, /) -> Expr:
    """COSH(a): The hyperbolic cosine."""

def cot(a: IntoExpr, /) -> Expr:
    """COT(a): The cotangent."""

def count(*arguments: IntoExpr) -> Expr:
    """COUNT([DISTINCT] x), COUNT(x, y, ...), COUNT(*): how many values that are not NULL (of several columns one may be NULL), or rows"""

def current_database() -> Expr:
    """CURRENT_DATABASE(): The name of the database."""

def current_date() -> Expr:
    """CURRENT_DATE: The day of the wall clock in the session's zone."""

def current_row_timestamp() -> Expr:
    """CURRENT_ROW_TIMESTAMP(): The time of the wall clock."""

def current_time() -> Expr:
    """CURRENT_TIME: The time of day of the wall clock in the session's zone."""

def current_timestamp() -> Expr:
    """CURRENT_TIMESTAMP: The time of the wall clock."""

def current_watermark(t: IntoExpr, /) -> Expr:
    """CURRENT_WATERMARK(t): The watermark before the row; NULL before the first."""

def date_format(t: IntoExpr, pattern: IntoExpr, /) -> Expr:
    """DATE_FORMAT(t, pattern): A timestamp, or a text `yyyy-MM-dd HH:mm:ss`, written by a pattern of Java."""

def dayofmonth(t: IntoExpr, /) -> Expr:
    """DAYOFMONTH(t): EXTRACT(DAY FROM t)."""

def dayofweek(t: IntoExpr, /) -> Expr:
    """DAYOFWEEK(t): EXTRACT(DOW FROM t)."""

def dayofyear(t: IntoExpr, /) -> Expr:
    """DAYOFYEAR(t): EXTRACT(DOY FROM t)."""

def decode(a: IntoExpr, charset: IntoExpr, /) -> Expr:
    """DECODE(a, charset): The text in bytes of a character set."""

def degrees(a: IntoExpr, /) -> Expr:
    """DEGREES(a): Radians in degrees."""

def dense_rank() -> Expr:
    """DENSE_RANK(): The rank of the row, without gaps; needs `over`."""

def e() -> Expr:
    """E(): Euler's number."""

def element(a: IntoExpr, /) -> Expr:
    """ELEMENT(a): The only element of an array; NULL if it is empty, and more than one fails."""

def elt(*arguments: IntoExpr) -> Expr:
    """ELT(n, a, ...): The argument number n, from 1; NULL if there is none."""

def encode(a: IntoExpr, charset: IntoExpr, /) -> Expr:
    """ENCODE(a, charset): The bytes of a text: US-ASCII, ISO-8859-1, UTF-8, UTF-16BE, UTF-16LE or UTF-16."""

def endswith(a: IntoExpr, b: IntoExpr, /) -> Expr:
    """ENDSWITH(a, b): Whether it ends with b."""

def exp(a: IntoExpr, /) -> Expr:
    """EXP(a): e to the power of a."""

def extract(*arguments: IntoExpr) -> Expr:
    """EXTRACT(unit FROM t): A part of a time or interval; weeks are those of ISO, DOW is 1 on Sunday."""

def first_value(x: IntoExpr, /) -> Expr:
    """FIRST_VALUE(x): the value that came first and is not NULL"""

def floor(*arguments: IntoExpr) -> Expr:
    """FLOOR(a [TO unit]): The next whole number below, or whole unit of time."""

def from_base64(a: IntoExpr, /) -> Expr:
    """FROM_BASE64(a): The text in base64; a text that is none fails."""

def from_unixtime(n: IntoExpr, pattern: IntoExpr = ..., /) -> Expr:
    """FROM_UNIXTIME(n[, pattern]): The text of the time n seconds after 1970 in the session's zone."""

def greatest(*arguments: IntoExpr) -> Expr:
    """GREATEST(a, b, ...): The greatest; NULL if one is NULL."""

def hex(a: IntoExpr, /) -> Expr:
    """HEX(a): A whole number or text as hexadecimal digits."""

def hour(t: IntoExpr, /) -> Expr:
    """HOUR(t): EXTRACT(HOUR FROM t)."""

def if_(c: IntoExpr, a: IntoExpr, b: IntoExpr, /) -> Expr:
    """IF(c, a, b): a where c is TRUE, else b."""

def ifnull(a: IntoExpr, b: IntoExpr, /) -> Expr:
    """IFNULL(a, b): b where a is NULL."""

def initcap(a: IntoExpr, /) -> Expr:
    """INITCAP(a): Each word of ASCII letters and digits with a capital."""

def instr(a: IntoExpr, b: IntoExpr, start: IntoExpr = ..., n: IntoExpr = ..., /) -> Expr:
    """INSTR(a, b[, start[, n]]): Where b stands in a for the nth time, from 1; 0 if it does not. A negative start counts from the end, backwards."""

def is_alpha(a: IntoExpr, /) -> Expr:
    """IS_ALPHA(a): Whether all characters are letters. FALSE for NULL."""

def is_decimal(a: IntoExpr, /) -> Expr:
    """IS_DECIMAL(a): Whether the text is a number. FALSE for NULL."""

def is_digit(a: IntoExpr, /) -> Expr:
    """IS_DIGIT(a): Whether all characters are digits. FALSE for NULL."""

def json(a: IntoExpr, /) -> Expr:
    """JSON(a): A JSON text as a value of JSON_OBJECT or JSON_ARRAY, not quoted again; a text that is none fails."""

def json_array(*arguments: IntoExpr) -> Expr:
    """JSON_ARRAY(a, ... [{NULL | ABSENT} ON NULL]): An array of these values; a NULL is left out unless it is to be written as null."""

def json_arrayagg(*arguments: IntoExpr) -> Expr:
    """JSON_ARRAYAGG(x [{NULL | ABSENT} ON NULL]): a JSON array of the values in the order they came; NULLs are left out, unless it says otherwise"""

def json_exists(*arguments: IntoExpr) -> Expr:
    """JSON_EXISTS(a, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR]): Whether there is something other than null at a path; FALSE on an error. A strict path (the default) that finds nothing is an error, a lax one is empty."""

def json_object(*arguments: IntoExpr) -> Expr:
    """JSON_OBJECT([KEY] key VALUE a, ... [{NULL | ABSENT} ON NULL]): An object of these members, sorted by key; a NULL is written as null unless it is to be absent."""

def json_objectagg(*arguments: IntoExpr) -> Expr:
    """JSON_OBJECTAGG([KEY] k VALUE x [{NULL | ABSENT} ON NULL]): a JSON object of keys and values, sorted by key; a key that comes twice fails"""

def json_query(*arguments: IntoExpr) -> Expr:
    """JSON_QUERY(a, path [RETURNING t] [{WITHOUT | WITH [CONDITIONAL]} [ARRAY] WRAPPER] [{NULL | EMPTY ARRAY | EMPTY OBJECT | ERROR} ON EMPTY] [... ON ERROR]): The object or array at a path as text, or as ARRAY<STRING>; NULL if there is none. A strict path (the default) that finds nothing is an error, a lax one is empty."""

def json_quote(a: IntoExpr, /) -> Expr:
    """JSON_QUOTE(a): A text in double quotes, with what JSON can't hold, `/` and other characters than ASCII escaped."""

def json_string(a: IntoExpr, /) -> Expr:
    """JSON_STRING(a): A value written as JSON; keys of rows and maps are sorted."""

def json_unquote(a: IntoExpr, /) -> Expr:
    """JSON_UNQUOTE(a): A JSON text in double quotes without them and its escapes; any other text as it is."""

def json_value(*arguments: IntoExpr) -> Expr:
    """JSON_VALUE(a, path [RETURNING t] [{NULL | ERROR | DEFAULT x} ON EMPTY] [{NULL | ERROR | DEFAULT x} ON ERROR]): The scalar at a path as STRING, BOOLEAN, INT or DOUBLE; NULL if there is none. A strict path (the default) that finds nothing is an error, a lax one is empty."""

def last_value(x: IntoExpr, /) -> Expr:
    """LAST_VALUE(x): the value that came last and is not NULL"""

def least(*arguments: IntoExpr) -> Expr:
    """LEAST(a, b, ...): The least; NULL if one is NULL."""

def left(a: IntoExpr, n: IntoExpr, /) -> Expr:
    """LEFT(a, n): The first n characters."""

def listagg(*arguments: IntoExpr) -> Expr:
    """LISTAGG([DISTINCT] text [, separator]): the texts in the order they came, with a separator (`,`) between them"""

def ln(a: IntoExpr, /) -> Expr:
    """LN(a): The natural logarithm."""

def localtime() -> Expr:
    """LOCALTIME: The time of day of the wall clock in the session's zone."""

def localtimestamp() -> Expr:
    """LOCALTIMESTAMP: The time of the wall clock in the session's zone."""

def locate(a: IntoExpr, b: IntoExpr, start: IntoExpr = ..., /) -> Expr:
    """LOCATE(a, b[, start]): Where a stands in b, from 1 (looked for from `start` on); 0 if it does not."""

def log(*arguments: IntoExpr) -> Expr:
    """LOG([base,] a): The logarithm; natural without a base."""

def log10(a: IntoExpr, /) -> Expr:
    """LOG10(a): The logarithm to base 10."""

def log2(a: IntoExpr, /) -> Expr:
    """LOG2(a): The logarithm to base 2."""

def lower(a: IntoExpr, /) -> Expr:
    """LOWER(a): Lower case."""

def lpad(a: IntoExpr, n: IntoExpr, c: IntoExpr, /) -> Expr:
    """LPAD(a, n, c): Filled on the left, or cut, to n characters."""

def ltrim(a: IntoExpr, c: IntoExpr = ..., /) -> Expr:
    """LTRIM(a[, c]): Without these characters (spaces) at its end."""

def map_entries(m: IntoExpr, /) -> Expr:
    """MAP_ENTRIES(m): The entries as an array of rows (key, value), in no certain order."""

def map_from_arrays(keys: IntoExpr, values: IntoExpr, /) -> Expr:
    """MAP_FROM_ARRAYS(keys, values): A map of an array of keys and one of values; arrays of different lengths fail."""

def map_keys(m: IntoExpr, /) -> Expr:
    """MAP_KEYS(m): The keys as an array, in no certain order."""

def map_union(*arguments: IntoExpr) -> Expr:
    """MAP_UNION(m, ...): All entries; of the same key the value in the last map counts."""

def map_values(m: IntoExpr, /) -> Expr:
    """MAP_VALUES(m): The values as an array, in no certain order."""

def max(x: IntoExpr, /) -> Expr:
    """MAX(x): the greatest value"""

def md5(a: IntoExpr, /) -> Expr:
    """MD5(a): The MD5 hash of a text or bytes as hexadecimal digits."""

def min(x: IntoExpr, /) -> Expr:
    """MIN(x): the least value"""

def minute(t: IntoExpr, /) -> Expr:
    """MINUTE(t): EXTRACT(MINUTE FROM t)."""

def mod(*arguments: IntoExpr) -> Expr:
    """a % b: Arithmetic; integers wrap and divide toward zero, decimals are exact."""

def month(t: IntoExpr, /) -> Expr:
    """MONTH(t): EXTRACT(MONTH FROM t)."""

def now() -> Expr:
    """NOW(): The time of the wall clock."""

def nullif(a: IntoExpr, b: IntoExpr, /) -> Expr:
    """NULLIF(a, b): NULL where both are equal."""

def object_of(*arguments: IntoExpr) -> Expr:
    """OBJECT_OF(class, name, a, ...): A row of these fields, of the type STRUCTURED; the class is a name that tells such types apart."""

def object_update(*arguments: IntoExpr) -> Expr:
    """OBJECT_UPDATE(object, name, a, ...): A value of OBJECT_OF with other values for these fields."""

def overlay(*arguments: IntoExpr) -> Expr:
    """OVERLAY(a PLACING b FROM start [FOR length]): With b in place of `length` characters (as many as b has) from `start`."""

def parse_json(a: IntoExpr, duplicates: IntoExpr = ..., /) -> Expr:
    """PARSE_JSON(a[, duplicates]): A JSON text as a VARIANT; of a key that comes twice the last value counts, if the second argument is TRUE, else the row fails, as for a text that is no JSON."""

def parse_url(a: IntoExpr, part: IntoExpr, key: IntoExpr = ..., /) -> Expr:
    """PARSE_URL(a, part[, key]): HOST, PATH, QUERY, REF, PROTOCOL, FILE, AUTHORITY or USERINFO of an address, or one key of its QUERY; NULL without."""

def percentile(x: IntoExpr, percentage: IntoExpr, /) -> Expr:
    """PERCENTILE(x, percentage): the exact percentile, between two values by their distance; for an array of percentages an array"""

def pi() -> Expr:
    """PI(): The circle's constant."""

def position(*arguments: IntoExpr) -> Expr:
    """POSITION(a IN b): Where a stands in b, from 1 (looked for from `start` on); 0 if it does not."""

def power(a: IntoExpr, b: IntoExpr, /) -> Expr:
    """POWER(a, b): a to the power of b."""

def printf(*arguments: IntoExpr) -> Expr:
    """PRINTF(format, a, ...): The values written by a format of Java; NULL if it does not fit them."""

def proctime() -> Expr:
    """PROCTIME(): The time of the wall clock."""

def quarter(t: IntoExpr, /) -> Expr:
    """QUARTER(t): EXTRACT(QUARTER FROM t)."""

def radians(a: IntoExpr, /) -> Expr:
    """RADIANS(a): Degrees in radians."""

def rand(*arguments: IntoExpr) -> Expr:
    """RAND([seed]): A random number from 0 up to 1; with a constant seed the same sequence in each run."""

def rand_integer(*arguments: IntoExpr) -> Expr:
    """RAND_INTEGER([seed,] bound): A random whole number from 0 up to the bound; with a constant seed the same sequence in each run."""

def rank() -> Expr:
    """RANK(): The rank of the row, with gaps behind equal ones; needs `over`."""

def regexp(a: IntoExpr, regex: IntoExpr, /) -> Expr:
    """REGEXP(a, regex): Whether a part matches; FALSE if it is no expression."""

def regexp_count(a: IntoExpr, regex: IntoExpr, /) -> Expr:
    """REGEXP_COUNT(a, regex): How many parts match. NULL if it is no expression."""

def regexp_extract(a: IntoExpr, regex: IntoExpr, n: IntoExpr = ..., /) -> Expr:
    """REGEXP_EXTRACT(a, regex[, n]): Group n (0: all) of the first match. NULL if it is no expression."""

def regexp_extract_all(a: IntoExpr, regex: IntoExpr, n: IntoExpr = ..., /) -> Expr:
    """REGEXP_EXTRACT_ALL(a, regex[, n]): Group n (1, if not given) of each match; NULL without one. NULL if it is no expression."""

def regexp_instr(a: IntoExpr, regex: IntoExpr, /) -> Expr:
    """REGEXP_INSTR(a, regex): Where the first match is, from 1; or 0. NULL if it is no expression."""

def regexp_replace(a: IntoExpr, regex: IntoExpr, b: IntoExpr, /) -> Expr:
    """REGEXP_REPLACE(a, regex, b): With b in place of every match."""

def regexp_substr(a: IntoExpr, regex: IntoExpr, /) -> Expr:
    """REGEXP_SUBSTR(a, regex): The first match. NULL if it is no expression."""

def repeat(a: IntoExpr, n: IntoExpr, /) -> Expr:
    """REPEAT(a, n): n times."""

def replace(a: IntoExpr, old: IntoExpr, new: IntoExpr, /) -> Expr:
    """REPLACE(a, old, new): With every `old` replaced."""

def reverse(a: IntoExpr, /) -> Expr:
    """REVERSE(a): Backwards."""

def right(a: IntoExpr, n: IntoExpr, /) -> Expr:
    """RIGHT(a, n): The last n characters."""

def round(a: IntoExpr, digits: IntoExpr = ..., /) -> Expr:
    """ROUND(a[, digits]): Rounded half up to so many digits behind the point (0)."""

def row_number() -> Expr:
    """ROW_NUMBER(): The number of the row in its partition, from 1; needs `over`."""

def rpad(a: IntoExpr, n: IntoExpr, c: IntoExpr, /) -> Expr:
    """RPAD(a, n, c): Filled on the right, or cut, to n characters."""

def rtrim(a: IntoExpr, c: IntoExpr = ..., /) -> Expr:
    """RTRIM(a[, c]): Without these characters (spaces) at its end."""

def second(t: IntoExpr, /) -> Expr:
    """SECOND(t): EXTRACT(SECOND FROM t)."""

def sha1(a: IntoExpr, /) -> Expr:
    """SHA1(a): The SHA1 hash of a text or bytes as hexadecimal digits."""

def sha2(a: IntoExpr, bits: IntoExpr, /) -> Expr:
    """SHA2(a, bits): The hash of the SHA-2 family with 224, 256, 384 or 512 bits; another number fails."""

def sha224(a: IntoExpr, /) -> Expr:
    """SHA224(a): The SHA224 hash of a text or bytes as hexadecimal digits."""

def sha256(a: IntoExpr, /) -> Expr:
    """SHA256(a): The SHA256 hash of a text or bytes as hexadecimal digits."""

def sha384(a: IntoExpr, /) -> Expr:
    """SHA384(a): The SHA384 hash of a text or bytes as hexadecimal digits."""

def sha512(a: IntoExpr, /) -> Expr:
    """SHA512(a): The SHA512 hash of a text or bytes as hexadecimal digits."""

def sign(a: IntoExpr, /) -> Expr:
    """SIGN(a): -1, 0 or 1, in the type of a."""

def sin(a: IntoExpr, /) -> Expr:
    """SIN(a): The sine."""

def sinh(a: IntoExpr, /) -> Expr:
    """SINH(a): The hyperbolic sine."""

def split(a: IntoExpr, separator: IntoExpr, /) -> Expr:
    """SPLIT(a, separator): Its parts as an array; each character for an empty separator."""

def split_index(a: IntoExpr, separator: IntoExpr, n: IntoExpr, /) -> Expr:
    """SPLIT_INDEX(a, separator, n): The part number n, from 0; NULL if there is none. An empty separator means white space."""

def sqrt(a: IntoExpr, /) -> Expr:
    """SQRT(a): The square root; NaN below 0."""

def startswith(a: IntoExpr, b: IntoExpr, /) -> Expr:
    """STARTSWITH(a, b): Whether it begins with b."""

def stddev(x: IntoExpr, /) -> Expr:
    """STDDEV(x): as STDDEV_SAMP"""

def stddev_pop(x: IntoExpr, /) -> Expr:
    """STDDEV_POP(x): the standard deviation of all values"""

def stddev_samp(x: IntoExpr, /) -> Expr:
    """STDDEV_SAMP(x): the standard deviation of a sample; NULL for one value"""

def str_to_map(a: IntoExpr, between: IntoExpr = ..., inside: IntoExpr = ..., /) -> Expr:
    """STR_TO_MAP(a[, between, inside]): A map of a text `k=v,k=v`; the delimiters between (`,`) and inside (`=`) its pairs are regular expressions."""

def substr(a: IntoExpr, start: IntoExpr, length: IntoExpr = ..., /) -> Expr:
    """SUBSTR(a, start[, length]): A part; the first character is number 1, negative numbers count from the end; NULL for a negative length."""

def substring(a: IntoExpr, start: IntoExpr, length: IntoExpr = ..., /) -> Expr:
    """SUBSTRING(a, start[, length]): A part; the first character is number 1, negative numbers count from the end; NULL for a negative length."""

def sum(*arguments: IntoExpr) -> Expr:
    """SUM([DISTINCT] x): the sum; NULL without a value. Integers keep their type and wrap"""

def tan(a: IntoExpr, /) -> Expr:
    """TAN(a): The tangent."""

def tanh(a: IntoExpr, /) -> Expr:
    """TANH(a): The hyperbolic tangent."""

def timestampadd(unit: str, n: IntoExpr, t: IntoExpr, /) -> Expr:
    """TIMESTAMPADD(unit, n, t): The time n units later; hours added to a DATE give a TIMESTAMP."""

def timestampdiff(unit: str, a: IntoExpr, b: IntoExpr, /) -> Expr:
    """TIMESTAMPDIFF(unit, a, b): The whole units from a to b, as INT."""

def to_base64(a: IntoExpr, /) -> Expr:
    """TO_BASE64(a): A text or bytes as base64."""

def to_date(a: IntoExpr, pattern: IntoExpr = ..., /) -> Expr:
    """TO_DATE(a[, pattern]): A DATE from text, `yyyy-MM-dd` or by a pattern; NULL if it is none."""

def to_timestamp(a: IntoExpr, pattern: IntoExpr = ..., /) -> Expr:
    """TO_TIMESTAMP(a[, pattern]): A TIMESTAMP(3) from text, `yyyy-MM-dd HH:mm:ss.SSS` or by a pattern; NULL if it is none."""

def to_timestamp_ltz(*arguments: IntoExpr) -> Expr:
    """TO_TIMESTAMP_LTZ(n[, 0|3]), TO_TIMESTAMP_LTZ(a[, pattern[, zone]]): A TIMESTAMP_LTZ(3) from milliseconds (3) or seconds (0) since 1970, or from text in a zone (UTC)."""

def translate(a: IntoExpr, old: IntoExpr, new: IntoExpr, /) -> Expr:
    """TRANSLATE(a, old, new): Each character of `old` replaced by that at its place in `new`, or taken out."""

def truncate(a: IntoExpr, digits: IntoExpr = ..., /) -> Expr:
    """TRUNCATE(a[, digits]): Cut off behind so many digits behind the point (0)."""

def try_parse_json(a: IntoExpr, duplicates: IntoExpr = ..., /) -> Expr:
    """TRY_PARSE_JSON(a[, duplicates]): A JSON text as a VARIANT; of a key that comes twice the last value counts, if the second argument is TRUE, else the result is NULL, as for a text that is no JSON."""

def typeof(a: IntoExpr, serializable: IntoExpr = ..., /) -> Expr:
    """TYPEOF(a[, serializable]): The type of an expression, as text."""

def unhex(a: IntoExpr, /) -> Expr:
    """UNHEX(a): The bytes that hexadecimal digits mean; NULL for other characters."""

def unix_timestamp(*arguments: IntoExpr) -> Expr:
    """UNIX_TIMESTAMP([a[, pattern]]): The seconds since 1970: now, or of a text in the session's zone; the least BIGINT for a text that is no time."""

def upper(a: IntoExpr, /) -> Expr:
    """UPPER(a): Upper case."""

def url_decode(a: IntoExpr, /) -> Expr:
    """URL_DECODE(a): The text that was so encoded; NULL if it was not."""

def url_encode(a: IntoExpr, /) -> Expr:
    """URL_ENCODE(a): As application/x-www-form-urlencoded, in UTF-8."""

def uuid() -> Expr:
    """UUID(): A random UUID (type 4), another one for each row."""

def var_pop(x: IntoExpr, /) -> Expr:
    """VAR_POP(x): the variance of all values"""

def var_samp(x: IntoExpr, /) -> Expr:
    """VAR_SAMP(x): the variance of a sample; NULL for one value"""

def variance(x: IntoExpr, /) -> Expr:
    """VARIANCE(x): as VAR_SAMP"""

def week(t: IntoExpr, /) -> Expr:
    """WEEK(t): EXTRACT(WEEK FROM t)."""

def year(t: IntoExpr, /) -> Expr:
    """YEAR(t): EXTRACT(YEAR FROM t)."""

