"""Work in blocks on threads."""

from __future__ import annotations

import pytest

from geoplan.raster.kernel import over_blocks


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("block", [0, 1, 3, 100])
@pytest.mark.parametrize("count", [0, 1, 10])
def test_blocks_cover_everything_once_and_in_order(threads: int, block: int, count: int) -> None:
    parts = over_blocks(lambda a, b: list(range(a, b)), count, threads=threads, block=block)
    assert [i for part in parts for i in part] == list(range(count))


def test_an_error_in_a_block_is_raised() -> None:
    def work(start: int, _stop: int) -> None:
        if start >= 4:
            raise ValueError("block 4")

    with pytest.raises(ValueError, match="block 4"):
        over_blocks(work, 10, threads=2, block=2)
