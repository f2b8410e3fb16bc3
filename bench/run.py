"""Measures the function beside its peers; `python bench/run.py [--quick] [--hosts] [--commands] [--out FILE]`.

Streams: a ResourceList of 60, 6,000 and 60,000 resources, kustomize style and kpt style, through `cat`, this function,
a round trip with PyYAML's C loader and with ruamel.yaml (small sizes), and a no-op on the official Go SDK if Go is
there. Cold start: the same at 60 resources beside a bare interpreter and one that has PyYAML. Hosts (`--hosts`): whole
runs of kustomize and kpt over folders, and `render` on the same. Commands (`--commands`): `plan`, `status` and `migrate`
over 10,000 Clusters. `--only hosts` and `--only commands` measure nothing else. What matters are ratios in one run: absolute times
belong to the machine. Figures go to a JSON file, from which `bench/report.py` makes the page and the plot.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import generate
import yaml
from measure import Figure, Variant, instructions, python, race, script, table

if TYPE_CHECKING:
    from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
TOOLS = ROOT / ".cache" / "tools"
SIZES = (60, 1_000, 6_000, 60_000)
QUICK_SIZES = (60, 600, 6_000)
ROUNDS = {60: 25, 600: 15, 1_000: 15, 6_000: 11, 60_000: 5}
HOST_SIZES = (100, 1_000, 5_000)

OURS = "clusternet-capi-fn"
C_LOADER = "import yaml; yaml.CSafeLoader"
C_LOADER_NAME = "python + PyYAML (C)"
RAW_PARSE = "import gc, sys, yaml; gc.disable(); yaml.cyaml.CParser(sys.stdin.buffer.read()).raw_parse()"
RUAMEL = """\
import sys
from ruamel.yaml import YAML
yaml = YAML()
yaml.dump(yaml.load(sys.stdin.buffer), sys.stdout.buffer)
"""


def ours() -> str:
    """Return the installed command beside this interpreter."""
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(ROOT / "krm_fn")], check=True)  # as a wheel is
    found = shutil.which(OURS, path=str(Path(sys.executable).parent)) or shutil.which(OURS)
    if found is None:
        message = f"{OURS} is not installed beside {sys.executable}: pip install -e ."
        raise SystemExit(message)
    return found


def go_noop(folder: Path) -> str | None:
    """Build the no-op on the official Go SDK; None with a word on stderr where that is not possible."""
    if shutil.which("go") is None:
        print("no go: the Go SDK is left out", file=sys.stderr)
        return None
    target = folder / "go-noop"
    built = subprocess.run(
        ["go", "build", "-o", str(target), "."], cwd=HERE / "go-noop", capture_output=True, text=True, check=False
    )
    if built.returncode:
        print(f"go build failed, the Go SDK is left out: {built.stderr.strip()[:300]}", file=sys.stderr)
        return None
    return str(target)


def generated(folder: Path, size: int, style: str) -> Path:
    """Make a ResourceList in another process, so that this one stays small."""
    target = folder / f"{style}-{size}.yaml"
    code = f"import generate, pathlib; pathlib.Path({str(target)!r}).write_bytes(generate.resource_list({size}, {style!r}))"
    subprocess.run(python(code, sys.executable), cwd=HERE, check=True)
    return target


def stream_variants(size: int, go: str | None) -> list[Variant]:
    """Return what is measured at a size; what takes minutes there gets few rounds or none."""
    found = [
        Variant("cat", ["cat"]),
        Variant(OURS, [ours()]),
        Variant("libyaml parse alone", python(RAW_PARSE, sys.executable)),
        Variant("PyYAML (C) load + dump", [sys.executable, str(HERE / "naive.py")], rounds=1 if size > 10_000 else 3),
    ]
    if size < 1_000:
        found.append(Variant("ruamel.yaml round trip", python(RUAMEL, sys.executable), rounds=3))
    if go:
        found.append(Variant("Go SDK no-op", [go], rounds=1 if size > 10_000 else None))
    return found


def cold_variants(go: str | None) -> list[Variant]:
    """Return what is measured for the cold start."""
    found = [
        Variant(C_LOADER_NAME, python(C_LOADER, sys.executable)),
        Variant("python -c pass", python("pass", sys.executable)),
        Variant("cat", ["cat"]),
        Variant(OURS, [ours()]),
        Variant("click + PyYAML (C) load + dump", [sys.executable, str(HERE / "naive.py")]),
    ]
    return [*found, Variant("Go SDK no-op", [go])] if go else found


def host_variants(folder: Path, size: int, *, long: bool) -> list[Variant]:
    """Return whole host runs over a folder of plain manifests; what takes minutes runs once."""
    package = folder / f"package-{size}"
    names = generate.write_folder(package, size)
    config = generate.CONFIG
    noop = script(folder, "noop.sh", "#!/bin/sh\nexec cat\n")
    naive = script(folder, "naive.sh", f"#!/bin/sh\nexec {sys.executable} {HERE / 'naive.py'}\n")
    functions = {"no-op function": noop, "click + PyYAML": naive, OURS: ours()}
    found = []
    kustomize = next((path for path in (TOOLS / "kustomize-newest",) if path.exists()), shutil.which("kustomize"))
    if kustomize:
        rounds = None if size <= 1_000 else 1
        wanted: dict[str, str | None] = {"no function": None, **functions}
        if size > 1_000 and not long:  # kustomize takes minutes there once it calls any function
            wanted = {"no function": None}
        for name, function in wanted.items():
            layer = folder / f"layer-{size}-{name.replace(' ', '-').replace('+', '')}"
            layer.mkdir(exist_ok=True)
            text = "resources:\n" + "".join(f"- ../{package.name}/{one}\n" for one in names)
            if function:
                text += "transformers:\n- fn.yaml\n"
                exec_lines = f"    config.kubernetes.io/function: |\n      exec:\n        path: {function}\n"
                (layer / "fn.yaml").write_text(config.replace("  annotations:\n", "  annotations:\n" + exec_lines))
            (layer / "kustomization.yaml").write_text(text)
            command = [str(kustomize), "build", "--enable-alpha-plugins", "--enable-exec", "--load-restrictor",
                       "LoadRestrictionsNone", str(layer)]  # fmt: skip
            found.append(Variant(f"kustomize build, {name}", command, rounds=rounds))
    kpt = shutil.which("kpt")
    if kpt:
        (package / "Kptfile").write_text("apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: bench\n")
        (folder / "fn-config.yaml").write_text(config)
        for name, function in functions.items():
            command = [kpt, "fn", "eval", str(package), "-o", "unwrap", "--exec", function, "--fn-config",
                       str(folder / "fn-config.yaml")]  # fmt: skip
            found.append(Variant(f"kpt fn eval, {name}", command, rounds=1 if size > 1_000 else None))
    render = [ours(), "render", str(package), "-c", str(folder / "fn-config.yaml")]
    (folder / "fn-config.yaml").write_text(config)
    found.append(Variant(f"{OURS} render", render))
    return found


def write_fleet(folder: Path, count: int) -> None:
    """Write what the commands read: Clusters, configurations, rendered trees, dumps of a delivered fleet and of the hub's."""
    clusters = folder / "clusters.yaml"
    clusters.write_text(generate.fleet(count))
    texts = {
        "shared.yaml": generate.CONFIG,
        "image.yaml": generate.CONFIG + "  agent:\n    image: ghcr.io/clusternet/clusternet-agent:v0.18.0\n",
        "names.yaml": generate.per_cluster(),
        "names-image.yaml": generate.per_cluster("ghcr.io/clusternet/clusternet-agent:v0.18.0"),
        "waves.yaml": generate.many_configs(200),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    for mode in ("shared", "names"):
        command = [ours(), "render", str(clusters), str(folder / f"{mode}.yaml"), "-o", str(folder / mode)]
        subprocess.run(command, check=True, capture_output=True)
    rendered = subprocess.run(
        [ours(), "render", str(clusters), str(folder / "names.yaml")], check=True, capture_output=True
    )
    (folder / "live.json").write_text(generate.dump(yaml.load_all(rendered.stdout, yaml.CSafeLoader)))
    one_namespace = [
        item
        for path in sorted((ROOT / "tests/fixtures/live/hub").glob("*.yaml"))
        for item in yaml.load(path.read_bytes(), yaml.CSafeLoader)["items"]
        if item["metadata"].get("namespace") == "default"
    ]
    (folder / "hub.json").write_text(generate.hub_dump(one_namespace, count))


def command_variants(folder: Path, count: int) -> tuple[list[Variant], Path]:
    """Return the commands for people over a fleet, beside libyaml's parse of its Clusters; and the file of Clusters.

    Another process writes the fleet, so that this one stays small.
    """
    code = f"import pathlib, run; run.write_fleet(pathlib.Path({str(folder)!r}), {count})"
    subprocess.run(python(code, sys.executable), cwd=HERE, check=True)
    clusters = folder / "clusters.yaml"

    def plan(config: str, *more: str) -> list[str]:
        return [ours(), "plan", str(clusters), str(folder / config), "-o", "markdown", *more]

    return [
        Variant("libyaml parse of the Clusters", python(RAW_PARSE, sys.executable)),
        Variant("plan, Shared", plan("shared.yaml")),
        Variant("plan, Shared, against a baseline", plan("image.yaml", "--baseline", str(folder / "shared"))),
        Variant("plan, PerCluster", plan("names.yaml")),
        Variant("plan, PerCluster, against a baseline", plan("names-image.yaml", "--baseline", str(folder / "names"))),
        Variant("plan, 200 configurations", plan("waves.yaml")),
        # the agents of this fleet have not reported, so it would exit with 1
        Variant(
            "status, PerCluster", ["sh", "-c", f'"{ours()}" status -f "{folder / "live.json"}" -o json || [ $? = 1 ]']
        ),
        Variant("migrate", [ours(), "migrate", str(folder / "hub.json")]),
    ], clusters


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller sizes, fewer rounds: about a minute")
    parser.add_argument("--hosts", action="store_true", help="kustomize and kpt too: some minutes")
    parser.add_argument("--commands", action="store_true", help="plan, status and migrate of 10,000 Clusters")
    parser.add_argument("--only", choices=("hosts", "commands"), help="nothing but these")
    parser.add_argument("--long", action="store_true", help="kustomize with functions at 5,000 too: ten minutes more")
    parser.add_argument("--sizes", type=int, nargs="*", help="sizes instead of the usual ones")
    parser.add_argument("--out", type=Path, default=ROOT / ".cache" / "bench.json", help="where the figures go")
    options = parser.parse_args()
    report: dict[str, Any] = json.loads(options.out.read_text()) if options.out.exists() else {}
    report["machine"] = machine()
    options.out.parent.mkdir(parents=True, exist_ok=True)

    def keep(key: str, figures: dict[str, Figure], size: int, base: str) -> None:
        nonlocal load
        print(f"\n## {key} ({size / 1e6:.1f} MB)\n\n{table(figures, base, size)}", flush=True)
        report[key] = {"bytes": size, "load": load, "figures": {name: one._asdict() for name, one in figures.items()}}
        options.out.write_text(json.dumps(report, indent=2) + "\n")
        load = os.getloadavg()[0]

    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        go = go_noop(folder)
        if not options.only:
            sizes = options.sizes or (QUICK_SIZES if options.quick else SIZES)
            small = generated(folder, 60, "kustomize")
            figures = race(cold_variants(go), small, 9 if options.quick else 41)
            keep("cold start", figures, small.stat().st_size, C_LOADER_NAME)
            base, own = (instructions(one, small) for one in cold_variants(None) if one.name in {C_LOADER_NAME, OURS})
            if base and own:
                print(
                    f"\nby instructions: {own / 1e6:.1f} M, {own / base:.3f} times the {base / 1e6:.1f} M of {C_LOADER_NAME}"
                )
            for style in ("kustomize", "kpt"):
                for size in sizes:
                    source = generated(folder, size, style)
                    rounds = max(3, ROUNDS.get(size, 5) // (3 if options.quick else 1))
                    figures = race(stream_variants(size, go), source, rounds)
                    keep(f"{style} {size}", figures, source.stat().st_size, "cat")
                    source.unlink()
        if options.commands or options.only == "commands":
            count = 1_000 if options.quick else 10_000
            variants, clusters = command_variants(folder, count)
            figures = race(variants, clusters, 3)
            keep(f"commands {count}", figures, clusters.stat().st_size, "libyaml parse of the Clusters")
        if options.hosts or options.only == "hosts":
            for size in options.sizes or (HOST_SIZES[:2] if options.quick else HOST_SIZES):
                variants = host_variants(folder, size, long=options.long)
                figures = race(variants, Path(os.devnull), 3)
                keep(f"hosts {size}", figures, 0, f"{OURS} render")


def machine() -> dict[str, str]:
    """Say where this is."""
    return {
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main()
