CREATE TABLE other (id BIGINT, v BIGINT) WITH ('connector' = 'datagen');
SELECT id, v FROM other /*+ OPTIONS('connector' = 'filesystem', path = '${DATA}', 'format' = 'json'), STATE_TTL('x' = '1 d') */ WHERE v IS NULL OR v < 2;
