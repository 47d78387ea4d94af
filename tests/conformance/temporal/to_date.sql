CREATE TABLE t (
  id INT, ts TIMESTAMP(3), tn TIMESTAMP(9), lz TIMESTAMP_LTZ(3), d DATE, t TIME, n INT, s STRING, u TIMESTAMP(3), e DATE, z TIMESTAMP(0)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  TO_DATE(s) AS c1,
  TO_DATE('2024/03/01', 'yyyy/MM/dd') AS c2,
  TO_DATE('2024') AS c3,
  TO_DATE('2024-2-9') AS c4,
  TO_DATE('2024-02-29 10:00:00') AS c5,
  TO_DATE(' 2024-02-29') AS c6,
  TO_DATE('2023-02-29') AS c7,
  TO_DATE('') AS c8,
  TO_DATE('20240229') AS c9,
  TO_DATE('2024-02-29', 'yyyy-MM-dd') AS c10,
  TO_DATE('29/2/24', 'd/M/yy') AS c11,
  TO_DATE('20240229', 'yyyyMMdd') AS c12,
  TO_DATE('2024-02-29xyz', 'yyyy-MM-dd') AS c13,
  TO_DATE(' 2024-02-29', 'yyyy-MM-dd') AS c14,
  TO_DATE('Feb 29, 2024', 'MMM d, yyyy') AS c15,
  TO_DATE('February 29 2024', 'MMMM d yyyy') AS c16,
  TO_DATE('2024-60', 'yyyy-DDD') AS c17,
  TO_DATE('2024-02', 'yyyy-MM') AS c18,
  TO_DATE('2024', 'yyyy') AS c19,
  TO_DATE('2024-02-29', CAST(NULL AS STRING)) AS c20
FROM t;
