"""The same as orjson_sums.py in SQL: duckdb_sums.py DUMP.jsonl THREADS"""
import sys

import duckdb

connection = duckdb.connect(config={"threads": int(sys.argv[2])})
connection.execute(
    """
    CREATE TEMP TABLE spans AS
    WITH blocks AS (SELECT unnest(resourceSpans) AS block FROM read_json(?, format = 'newline_delimited', maximum_object_size = 67108864)),
         scopes AS (SELECT list_filter(block.resource.attributes, lambda a: a.key = 'service.name')[1].value.stringValue AS service, unnest(block.scopeSpans) AS scope FROM blocks),
         spans AS (SELECT service, unnest(scope.spans) AS span FROM scopes)
    SELECT service, span.parentSpanId AS parent,
           CAST(span.endTimeUnixNano AS BIGINT) - CAST(span.startTimeUnixNano AS BIGINT) AS time,
           list_filter(span.attributes, lambda a: a.key = 'gen_ai.response.model')[1].value.stringValue AS model,
           CAST(list_filter(span.attributes, lambda a: a.key = 'gen_ai.usage.input_tokens')[1].value.intValue AS BIGINT) AS input,
           CAST(list_filter(span.attributes, lambda a: a.key = 'gen_ai.usage.output_tokens')[1].value.intValue AS BIGINT) AS output
    FROM spans
    """,
    [sys.argv[1]],
)
for query in (
    "SELECT service, count(*), quantile_cont(time, [0.5, 0.95]) FROM spans WHERE parent IS NULL OR parent = '' GROUP BY service ORDER BY service",
    "SELECT model, count(*), sum(input), sum(output), quantile_cont(time, [0.5, 0.95]) FROM spans WHERE input IS NOT NULL GROUP BY model ORDER BY model",
):
    print(connection.execute(query).fetchall())
