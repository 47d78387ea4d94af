CREATE TABLE t (
  id INT, a STRING, b STRING, c STRING, n INT, m INT
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  MD5(a) AS c1,
  SHA1(a) AS c2,
  SHA224(a) AS c3,
  SHA256(a) AS c4,
  SHA384(a) AS c5,
  SHA512(a) AS c6,
  SHA2(a, 224) AS c7,
  SHA2(a, 256) AS c8,
  SHA2(a, 384) AS c9,
  SHA2(a, 512) AS c10,
  SHA2(a, CAST(NULL AS INT)) AS c11,
  MD5(ENCODE(a, 'UTF-16LE')) AS c12,
  SHA256(X'00ff') AS c13,
  MD5('') AS c14,
  TYPEOF(MD5(a)) AS c15,
  TYPEOF(SHA256('a')) AS c16,
  TYPEOF(SHA2(a, 256)) AS c17
FROM t;
