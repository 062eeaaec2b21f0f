"""The parser of ratings on the executors; these tests need neither pyspark nor Java."""

import pyarrow as pa

from movietui.data.cluster.lines import parse

ORDER = ("user_id", "movie_id", "stars", "time")


def parsed(lines: list[bytes]) -> list[dict[str, object]]:
    columns = {"value": lines, "file": [7] * len(lines), "row": list(range(len(lines)))}
    kinds = pa.schema([("value", pa.binary()), ("file", pa.int64()), ("row", pa.int64())])
    (batch,) = parse(iter([pa.record_batch(columns, kinds)]), ORDER, ",")
    return batch.to_pylist()


def test_each_line_keeps_its_position() -> None:
    first, wrong, last = parsed([b"1,2,3.5,4", b"1,2", b",,,"])
    assert first == {"user_id": 1, "movie_id": 2, "stars": 3.5, "time": 4, "file": 7, "row": 0, "reason": None}
    assert (wrong["row"], wrong["reason"]) == (1, "it should have 4 fields, not 2")
    assert (last["user_id"], last["movie_id"], last["time"], last["row"], last["reason"]) == (-1, -1, -1, 2, None)
    assert last["stars"] != last["stars"]


def test_a_quote_does_not_join_lines() -> None:
    assert [row["reason"] for row in parsed([b'1,2,3,"4', b'"', b"5,6,3,7"])] == [
        "its quotes do not match",
        "its quotes do not match",
        None,
    ]
