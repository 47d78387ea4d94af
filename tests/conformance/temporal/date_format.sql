CREATE TABLE t (
  id INT, ts TIMESTAMP(3), tn TIMESTAMP(9), lz TIMESTAMP_LTZ(3), d DATE, t TIME, n INT, s STRING, u TIMESTAMP(3), e DATE, z TIMESTAMP(0)
) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT
  id,
  DATE_FORMAT(ts, 'yyyy-MM-dd HH:mm:ss.SSS') AS c1,
  DATE_FORMAT(ts, 'yyyyMMdd') AS c2,
  DATE_FORMAT(ts, 'E, EEE EEEE d M MMM MMMM yy') AS c3,
  DATE_FORMAT(ts, 'h hh a K k H HH m s S SS SSSS SSSSSS') AS c4,
  DATE_FORMAT(ts, 'D DDD F w W u') AS c5,
  DATE_FORMAT(ts, 'G YYYY e ee ww Q QQ') AS c6,
  DATE_FORMAT(ts, '''at'' yyyy ''''') AS c7,
  DATE_FORMAT(ts, 'yyyy [MM] ') AS c8,
  DATE_FORMAT(lz, 'yyyy-MM-dd HH:mm:ss') AS c9,
  DATE_FORMAT(tn, 'ss.SSSSSSSSS nnn N A') AS c10,
  DATE_FORMAT(s, 'yyyy/MM/dd HH') AS c11,
  DATE_FORMAT(ts, 'y yyy L LLL c') AS c12,
  DATE_FORMAT('2024-02-29 10:20:30', 'yyyy/MM/dd') AS c13,
  DATE_FORMAT('2024-2-9 1:2:3', 'yyyy/MM/dd HH:mm:ss') AS c14,
  DATE_FORMAT('2024-02-29 10:20:30.123', 'SSS') AS c15,
  DATE_FORMAT('2024-02-29', 'yyyy') AS c16,
  DATE_FORMAT('bad', 'yyyy') AS c17,
  DATE_FORMAT('2024-13-45 30:00:00', 'yyyy-MM-dd HH') AS c18,
  DATE_FORMAT(TIMESTAMP '2024-02-29 10:20:30', CAST(NULL AS STRING)) AS c19,
  DATE_FORMAT(TIMESTAMP '2024-02-29 10:20:30', 'yyyyyy y yyy MMMMM EEEEE QQQ QQQQ qq') AS c20,
  DATE_FORMAT(TIMESTAMP '2024-02-29 10:20:30', '') AS c21,
  DATE_FORMAT(TIMESTAMP '2024-02-29 10:20:30', 'yyyy年MM月dd日') AS c22,
  DATE_FORMAT(TIMESTAMP '2024-02-29 10:20:30', '%Y %% yyyy') AS c23
FROM t;
