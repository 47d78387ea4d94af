-- unsupported: a temporal join with a table whose changes are put right by key: the versions would depend on when they come
SET 'table.exec.source.cdc-events-duplicate' = 'true';
CREATE TABLE plain (id BIGINT, k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts) WITH ('connector' = 'filesystem', 'path' = '${DATA}/plain.json', 'format' = 'json');
CREATE TABLE versions (
  id BIGINT, k STRING, v BIGINT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts, PRIMARY KEY (id) NOT ENFORCED
) WITH ('connector' = 'filesystem', 'path' = '${DATA}/versions.json', 'format' = 'debezium-json');
SELECT plain.v, versions.id, versions.v AS vv FROM plain JOIN versions FOR SYSTEM_TIME AS OF plain.ts ON plain.id = versions.id;
