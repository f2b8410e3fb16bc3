"""Fuzz every target: coverage-guided with atheris where it installs, and by mutation of the seeds.

    python fuzz/run.py [--seconds N | --runs N --seed N] [--target NAME]

By time it goes by chance. A number of runs from a seed is the same run each time, so that a change is judged by what it
changed and not by how fast the machine was.

Each target runs in a process of its own. What breaks an oracle is written to fuzz/found/<target>/ and becomes a test by
lying there (tests/unit/test_fuzz_found.py). The number of executions is printed for each target.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import importlib.util
import json
import os
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


# A token, whole, in other forms and in part, for the targets that must not show it
PLANTED = ("configuration", "live", "whole")
TOKEN = b"q7xv2j.w8kq4zj9vhxq2zkn"
PIECES = (
    TOKEN,
    TOKEN[7:],
    TOKEN[:-1],
    TOKEN[-9:],
    TOKEN.upper(),
    TOKEN.hex().encode(),
    base64.b64encode(TOKEN),
    base64.b64encode(TOKEN)[9:-5],
    base64.b64encode(b"token: " + TOKEN),
    b"".join(b"%%%02x" % one for one in TOKEN),
)
OLD = (b"plantd.0123456789abcdef", b"q7x2mp.k3v9c1z8w5t4r6n0")  # the tokens of the seeds


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
    if target in PLANTED:
        texts += [made for text in texts if (made := planted(text)) != text]
    return [text for text in texts if len(text) <= SEED_SIZE] or [b""]


def planted(text: bytes) -> bytes:
    """Return a seed with the token that must not be seen in place of its own."""
    for old in OLD:
        text = text.replace(old, TOKEN).replace(base64.b64encode(old), base64.b64encode(TOKEN))
    return text


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


def mutate(data: bytes, other: bytes, chance: random.Random, pieces: tuple[bytes, ...] = ()) -> bytes:
    """Return data with a few random changes: bytes, lines, tokens of YAML, parts of another seed."""
    made = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(7)
        if kind == 0 and made:
            del made[at : at + chance.randint(1, 20)]
        elif kind == 1:
            made[at:at] = chance.choice(pieces if pieces and chance.random() < 0.5 else TOKENS)
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


def by_mutation(target: str, seed: int, *, seconds: float = 0, runs: int = 0) -> int:
    """Run mutated seeds, for some seconds or so many times; return the exit code."""
    from fuzz import targets

    chance = random.Random(seed)
    known = seeds(target)
    pieces = PIECES if target in PLANTED else ()
    end, count, broken = time.monotonic() + seconds, 0, 0
    while count < runs if runs else time.monotonic() < end:
        data = mutate(chance.choice(known), chance.choice(known), chance, pieces)
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


def by_coverage(target: str, seed: int, *, seconds: float = 0, runs: int = 0) -> int:
    """Run atheris over a target; return the exit code."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, data in enumerate(seeds(target)):
            files.append(pathlib.Path(folder) / str(number))
            files[-1].write_bytes(data)
        listed = pathlib.Path(folder) / "seeds"
        listed.write_text(",".join(map(str, files)))  # in this order, which a folder does not promise
        words = pathlib.Path(folder) / "words"
        pieces = (*TOKENS, *(PIECES if target in PLANTED else ()))
        words.write_text("".join('"' + "".join(f"\\x{one:02x}" for one in piece) + '"\n' for piece in pieces))
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
        limit = f"-runs={runs}" if runs else f"-max_total_time={max(1, int(seconds))}"
        command = [sys.executable, "-c", program, f"-seed_inputs=@{listed}", f"-dict={words}", limit]
        command += [
            f"-artifact_prefix={prefix}",
            "-max_len=20000",
            "-timeout=120",
            "-rss_limit_mb=2048",
            "-verbosity=1",
        ]
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
    parser.add_argument(
        "--runs", type=int, default=0, help="so many executions of each target and way, in place of a time"
    )
    parser.add_argument("--target", choices=TARGETS, help="one target only")
    parser.add_argument(
        "--seed", type=int, default=None, help="for a run that goes the same way each time; else by chance"
    )
    given = parser.parse_args()
    if given.seed is not None and os.environ.get("PYTHONHASHSEED") != "0":
        again = {**os.environ, "PYTHONHASHSEED": "0"}
        return subprocess.run([sys.executable, *sys.argv], env=again, check=False).returncode
    chosen = [given.target] if given.target else list(TARGETS)
    ways = [by_mutation, *([by_coverage] if importlib.util.find_spec("atheris") else [])]
    seconds = given.seconds / len(chosen) / len(ways)
    failed = 0
    for target in chosen:
        seed = random.randrange(2**32) if given.seed is None else given.seed
        for way in ways:
            failed |= way(target, seed, seconds=seconds, runs=given.runs)
    return failed


if __name__ == "__main__":
    sys.exit(main())
