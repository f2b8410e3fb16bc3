"""docs/troubleshooting.md has every code of a reason that `status` gives."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parents[2]
CONSTANT = re.compile(r'^[A-Z_]+ = "([a-z]+(?:-[a-z]+)+)"', re.MULTILINE)


def test_every_code_of_a_reason_is_explained() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "krm_fn/status").glob("*.py")]
    codes = {code for text in sources for code in re.findall(r'code="([a-z-]+)"', text)}
    codes.update(CONSTANT.findall((ROOT / "krm_fn/status/report.py").read_text(encoding="utf-8")))
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    assert len(codes) > 30
    assert sorted(code for code in codes if f"`{code}`" not in page) == []
