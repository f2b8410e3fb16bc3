"""The golden cases of feature gates and of the hub's set-up: what they are made of, and how they are rewritten.

`python -m tests.unit.reviews.golden` writes `expected.yaml` and `results.yaml` of every case anew; read the
difference before committing it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from krm_fn import featuregate, hub
from krm_fn.config import decode
from krm_fn.krm.changes import Review
from krm_fn.yaml.edit import revise
from tests.support.items import item_of

if TYPE_CHECKING:
    from krm_fn.model import Config

FOLDER = Path(__file__).parents[2] / "golden" / "reviews"
CASES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
SEPARATOR = "---\n"


def review(items: Any, config: Config) -> Review:
    """Ask both packages, as the Plan does."""
    found = [one.review(items, config) for one in (hub, featuregate)]
    return Review(
        revised={position: value for one in found for position, value in one.revised.items()},
        results=tuple(result for one in found for result in one.results),
    )


def run(stream: str, config: str) -> tuple[str, list[dict[str, Any]]]:
    """Return a stream of manifests as both reviews leave it, and its results."""
    texts = stream.split(SEPARATOR)
    numbers = [number for number, text in enumerate(texts) if text.strip()]
    items = [item_of(texts[number].encode(), position) for position, number in enumerate(numbers)]
    found = review(items, decode(item_of(config.encode(), 0)))
    for position, value in found.revised.items():
        texts[numbers[position]] = revise(items[position].text, value).decode()
    return SEPARATOR.join(texts), [
        {"severity": one.severity, "message": one.message, **({"field": one.field} if one.field else {})}
        for one in found.results
    ]


def read(case: str, name: str) -> str:
    """Return the text of one file of a case."""
    return (FOLDER / case / name).read_text()


def rewrite() -> None:
    """Write what every case gives now."""
    for case in CASES:
        stream, results = run(read(case, "input.yaml"), read(case, "config.yaml"))
        (FOLDER / case / "expected.yaml").write_text(stream)
        (FOLDER / case / "results.yaml").write_text(yaml.safe_dump(results, sort_keys=False, width=1000))


if __name__ == "__main__":
    rewrite()
