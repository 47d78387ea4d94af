-- differs: Flink 2.2 has -1 for the sample variance of one constant; of one value there is none, as Flink has it for columns
CREATE TABLE t (id BIGINT, g INT, p DECIMAL(10, 2), d DOUBLE, k STRING) WITH ('connector' = 'filesystem', 'path' = '${DATA}', 'format' = 'json');
SELECT k, VAR_SAMP(CAST(-0.25 AS DOUBLE)) AS v, STDDEV_SAMP(CAST(2 AS DOUBLE)) AS s, VAR_POP(CAST(3 AS DOUBLE)) AS p, COUNT(*) AS n FROM t GROUP BY k;
