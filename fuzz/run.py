"""Fuzz every target for a while: coverage-guided with atheris where it installs, else by mutation of the seeds.

    python fuzz/run.py [--seconds N] [--target NAME]

Each target runs in a process of its own. What breaks an oracle is written to fuzz/found/<target>/ and becomes a test by
lying there (tests/unit/test_fuzz_found.py). The number of executions is printed for each target.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

FOUND = ROOT / "fuzz" / "found"
TARGETS = ("reader", "shortcut", "configuration", "selector", "stream", "live", "whole")
SEED_SIZE = 20_000
TOKENS = (
    b"*a",
    b"&a ",
    b"? ",
    b"|",
    b">-",
    b"'",
    b'"',
    b"\t",
    b"---\n",
    b"...\n",
    b"%YAML 1.1\n",
    b"!!str ",
    b"<<: ",
    b"\0",
)
TOKENS += (
    b"\xff",
    "\u2028".encode(),
    b"\r\n",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b": ",
    b"- ",
    b"#",
    b"\\",
    b"on",
    b"1e3",
    b"\n",
)


def seeds(target: str) -> list[bytes]:
    """Return realistic inputs for a target, none of them large."""
    if target == "selector":
        return [b"env=prod,region in (eu, us),!retired,tier!=gold", b"a", b"x notin (y)", b"a==b"]
    if target == "live":
        found = sorted((ROOT / "tests" / "fixtures" / "live").rglob("*.*"))
    elif target == "stream":
        found = sorted((ROOT / "examples").rglob("*.yaml"))
    else:
        found = sorted((ROOT / "tests" / "golden").glob("*/*/input.yaml")) + sorted(
            (ROOT / "tests" / "corpus").rglob("*.*")
        )
    texts = [path.read_bytes() for path in found if path.is_file()]
    if target == "configuration":
        parts = [re.search(rb"(?ms)^functionConfig:\n(.*?)(?=^\S|\Z)", text) for text in texts]
        texts = [part[1] for part in parts if part]
    if target == "whole":
        texts += [re.sub(rb'value: "?plantd\.0123456789abcdef"?', b"env: CLUSTERNET_TOKEN", text) for text in texts]
    if target in {"reader", "whole"}:
        texts += [form for text in texts for form in other_forms(text)]
    return [text for text in texts if len(text) <= SEED_SIZE] or [b""]


def other_forms(text: bytes) -> list[bytes]:
    """Return a ResourceList as JSON and in flow style, with a shared anchor, and behind and before document markers."""
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return []
    if not isinstance(value, dict) or not isinstance(value.get("items"), list):
        return []
    block = yaml.safe_dump({**value, "items": []}, sort_keys=False).encode()
    listed = yaml.safe_dump(value["items"], sort_keys=False, default_flow_style=True).encode()
    shared = b"- kind: A\n  metadata: &a {name: a, labels: {x: 'y'}}\n- kind: B\n  metadata: *a\n"
    return [
        json.dumps(value, default=str).encode(),
        json.dumps(value, default=str, indent=2).encode(),
        yaml.safe_dump(value, sort_keys=False, default_flow_style=True).encode(),
        block.replace(b"items: []\n", b"items: " + listed.replace(b"\n", b"\n  ").rstrip() + b"\n"),
        block.replace(b"items: []\n", b"items:\n" + shared),
        b"%YAML 1.1\n---\n" + text + b"...\n# end\n",
        b"--- " + json.dumps(value, default=str).encode() + b"\n...\n",
    ]


def mutate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return data with a few random changes: bytes, lines, tokens of YAML, parts of another seed."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(7)
        if kind == 0 and made:
            del made[at : at + chance.randint(1, 20)]
        elif kind == 1:
            made[at:at] = chance.choice(TOKENS)
        elif kind == 2 and made:
            made[at % len(made)] = chance.randrange(256)
        elif kind == 3:
            start = chance.randrange(len(other) + 1)
            made[at:at] = other[start : start + chance.randint(1, 200)]
        else:
            lines = bytes(made).split(b"\n")
            one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
            if kind == 4:
                lines[one], lines[two] = lines[two], lines[one]
            elif kind == 5:
                lines.insert(one, lines[two])
            else:
                lines[one] = b" " * chance.randint(0, 4) + lines[one].lstrip()
            made = bytearray(b"\n".join(lines))
    return bytes(made)


def keep(target: str, data: bytes) -> pathlib.Path:
    """Write what broke an oracle to where it becomes a test."""
    folder = FOUND / target
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(data).hexdigest()[:16]}.txt"
    path.write_bytes(data)
    return path


def by_mutation(target: str, seconds: float, seed: int) -> int:
    """Run mutated seeds; return the exit code."""
    from fuzz import targets

    chance = random.Random(seed)
    known = seeds(target)
    end, count, broken = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        data = mutate(chance.choice(known), chance.choice(known), chance)
        count += 1
        try:
            targets.check(target, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a find
            broken += 1
            print(f"{target}: {type(error).__name__}: {error} in {keep(target, data)}", flush=True)
            if broken >= 10:
                break
    print(f"{target}: {count} executions by mutation, {broken} broken", flush=True)
    return 1 if broken else 0


def by_coverage(target: str, seconds: float, seed: int) -> int:
    """Run atheris over a target; return the exit code."""
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(seeds(target)):
            (pathlib.Path(corpus) / str(number)).write_bytes(data)
        program = f"""
import sys, atheris
sys.path.insert(0, {str(ROOT)!r})
with atheris.instrument_imports(include=["krm_fn"]):
    from fuzz import targets
atheris.Setup(sys.argv, lambda data: targets.check({target!r}, data))
atheris.Fuzz()
"""
        prefix = str(FOUND / target) + "/"
        pathlib.Path(prefix).mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-c", program, corpus, f"-max_total_time={max(1, int(seconds))}"]
        command += [f"-artifact_prefix={prefix}", "-max_len=20000", "-timeout=20", "-rss_limit_mb=2048", "-verbosity=1"]
        command.append(f"-seed={seed % 2**31 or 1}")
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    counts = re.findall(r"Done (\d+) runs|^#(\d+)", done.stderr, re.MULTILINE)
    number = max((int(one or two) for one, two in counts), default=0)
    print(f"{target}: {number} executions guided by coverage, exit {done.returncode}", flush=True)
    if done.returncode:
        print(done.stderr[-3000:])
    return 1 if done.returncode else 0


def main() -> int:
    """Share the time among the targets; half guided by coverage where atheris is there, half by mutation."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300, help="for all targets together")
    parser.add_argument("--target", choices=TARGETS, help="one target only")
    parser.add_argument(
        "--seed", type=int, default=None, help="for a run that begins the same way each time; else by chance"
    )
    given = parser.parse_args()
    chosen = [given.target] if given.target else list(TARGETS)
    share = given.seconds / len(chosen)
    has_atheris = importlib.util.find_spec("atheris") is not None
    failed = 0
    for target in chosen:
        seed = random.randrange(2**32) if given.seed is None else given.seed
        failed |= by_mutation(target, share / 2 if has_atheris else share, seed)
        if has_atheris:
            failed |= by_coverage(target, share / 2, seed)
    return failed


if __name__ == "__main__":
    sys.exit(main())
