"""Building by kustomize, with a stand-in for the program; tests/hosts/test_kustomize_roots.py drives the real ones."""

from __future__ import annotations

import base64
import json
import os
import sys
import tempfile
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from krm_fn.files import copying, kustomize, reading
from krm_fn.krm.results import Errors
from krm_fn.yaml.read import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

ANNOTATION = "config.kubernetes.io/function"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a kustomization, a PATH with nothing on it, and a place for temporary files."""
    for name in ("bin", "tmp"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "kustomization.yaml").write_text("resources: []\n")
    return root


def program(folder: Path, script: str, name: str = "kustomize") -> None:
    path = folder.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


class Answers:
    """What is answered, and what was asked."""

    def __init__(self, code: int = 0, output: bytes = b"made\n", errors: str = "") -> None:
        self.given = (code, output, errors)
        self.asked: list[bytes] = []

    def __call__(self, data: bytes, files: Sequence[tuple[str, bytes]]) -> tuple[int, bytes, str]:
        del files
        self.asked.append(data)
        return self.given


def left(folder: Path) -> list[str]:
    return [path.name for path in (folder.parent / "tmp").iterdir()]


RUN = "echo in | docker run --rm -i --network none -e A=b "


def test_without_a_program_it_is_said_how_to_do_without(folder: Path) -> None:
    with pytest.raises(Errors, match="neither kustomize nor kubectl is on PATH: install one of them") as found:
        kustomize.build(str(folder), Answers())
    assert "or give the manifests themselves as PATH" in found.value.results[0].message


def test_kustomize_is_taken_before_kubectl(folder: Path) -> None:
    program(folder, 'echo "kubectl $*"', "kubectl")
    assert kustomize.build(str(folder), Answers()).output.startswith(b"kubectl kustomize --enable-alpha-plugins /")
    program(folder, 'echo "kustomize $*"')
    assert kustomize.build(str(folder), Answers()).output.startswith(b"kustomize build --enable-alpha-plugins /")
    with_leave = kustomize.build(str(folder), Answers(), enable_exec=True).output
    assert with_leave.startswith(b"kustomize build --enable-alpha-plugins --enable-exec --enable-helm /")
    assert left(folder) == []


@pytest.mark.parametrize("image", ["clusternet-capi-fn", "a.example.com:5000/b/clusternet-capi-fn:v1@sha256:00"])
def test_our_image_is_answered_here(folder: Path, image: str) -> None:
    program(folder, RUN + image)
    answers = Answers()
    assert kustomize.build(str(folder), answers).output == b"made\n"
    assert answers.asked == [b"in\n"]


def test_several_calls_are_answered_one_after_the_other(folder: Path) -> None:
    program(folder, f"docker version --format x\n{RUN}clusternet-capi-fn\n{RUN}clusternet-capi-fn:v2")
    answers = Answers()
    assert kustomize.build(str(folder), answers).output == b"made\nmade\n"
    assert len(answers.asked) == 2


def test_large_inputs_and_outputs_pass(folder: Path) -> None:
    large = b"x" * 10_000_000 + b"\n"
    program(folder, "/usr/bin/head -c 5000000 /dev/zero | docker run clusternet-capi-fn")
    answers = Answers(output=large)
    assert kustomize.build(str(folder), answers).output == large
    assert len(answers.asked[0]) == 5_000_000


@pytest.mark.parametrize("python", ["with a space", "x" * 120])
def test_the_path_of_the_interpreter_may_be_anything(
    folder: Path, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder.parent / python).symlink_to(sys.executable)
    monkeypatch.setattr(sys, "executable", str(folder.parent / python))
    program(folder, RUN + "clusternet-capi-fn")
    assert kustomize.build(str(folder), Answers()).output == b"made\n"


def test_a_long_path_for_temporary_files_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = folder.parent / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    program(folder, RUN + "clusternet-capi-fn")
    assert kustomize.build(str(folder), Answers()).output == b"made\n"
    assert list(deep.iterdir()) == []


@pytest.mark.parametrize("image", ["busybox", "function.invalid/0", "function.invalid/x", "clusternet-capi-fn/x", ""])
def test_any_other_image_is_refused(folder: Path, image: str) -> None:
    program(folder, f"{RUN}'{image}'")
    with pytest.raises(
        Errors, match=r"the build asks for the image .*, which is not run unless you pass --enable-exec"
    ):
        kustomize.build(str(folder), Answers())
    assert left(folder) == []


def test_helm_is_refused(folder: Path) -> None:
    program(folder, "helm version")
    with pytest.raises(Errors, match="the build asks for the program helm, which is not run"):
        kustomize.build(str(folder), Answers())


def test_an_error_of_the_answer_is_raised_here(folder: Path) -> None:
    def broken(*_: object) -> tuple[int, bytes, str]:
        raise ZeroDivisionError

    program(folder, RUN + "clusternet-capi-fn")
    with pytest.raises(ZeroDivisionError):
        kustomize.build(str(folder), broken)
    assert left(folder) == []


def test_a_failing_answer_ends_the_build(folder: Path) -> None:
    program(folder, f"{RUN}clusternet-capi-fn || exit 1")
    with pytest.raises(kustomize.Unbuilt, match=r"kustomize can't build .*: the build failed") as found:
        kustomize.build(str(folder), Answers(1, b"", "because"))
    assert found.value.output == "because"


def test_a_build_that_takes_too_long_is_ended_with_its_children(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kustomize, "SECONDS", 0.5)
    program(folder, "/bin/sleep 60 & /bin/sleep 60")
    before = time.monotonic()
    with pytest.raises(Errors, match="it took longer than"):
        kustomize.build(str(folder), Answers())
    assert time.monotonic() - before < 20


def test_a_build_that_prints_too_much_is_ended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kustomize, "_LARGEST_OUTPUT", 2_000_000)
    program(folder, "exec /usr/bin/head -c 500000000 /dev/zero")
    with pytest.raises(Errors, match="it built more than"):
        kustomize.build(str(folder), Answers())


def test_what_kustomize_says_has_the_users_paths(folder: Path) -> None:
    program(folder, 'for last; do :; done; echo "Error: in $last/x.yaml, $last/../a and ${last%/*}/b" >&2; exit 3')
    with pytest.raises(kustomize.Unbuilt) as found:
        kustomize.build(str(folder), Answers())
    assert found.value.output == f"in {folder}/x.yaml, {folder}/../a and {folder.parent}/b"


OUTSIDE = (
    "is not in the folder that names it, and kustomize reads it only with --load-restrictor LoadRestrictionsNone: build with"
    " that, and pipe the output in (-)"
)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            "Error: unable to find plugin root - tried: ('<no value>'; homed in $HOME)",
            "a file under transformers or generators has no annotation config.kubernetes.io/function, so kustomize takes it for one of its own plugins: add the annotation",
            id="plugin root",
        ),
        pytest.param(
            "Error: accumulating resources: accumulation err='accumulating resources from '../base': open /x/base: no such"
            " file or directory': must build at directory: not a valid directory: evalsymlink failure on '/x/base' : lstat"
            " /x/base: no such file or directory",
            "there is no /x/base (../base): correct that entry of the kustomization, or add the missing file",
            id="a base that is not there",
        ),
        pytest.param(
            "Error: accumulating resources: accumulation err='accumulating resources from 'https://a.example/x.yaml': Get"
            ' "https://a.example/x.yaml": dial tcp: lookup a.example: no such host\': must build at directory: not a valid'
            " directory: evalsymlink failure on '/k/https:/a.example/x.yaml' : lstat /k/https:: no such file or directory",
            "can't fetch https://a.example/x.yaml: dial tcp: lookup a.example: no such host",
            id="a URL that can't be fetched",
        ),
        pytest.param(
            "Error: accumulating resources: accumulation err='accumulating resources from '../b/c.yaml': security; file"
            " '/x/b/c.yaml' is not in or below '/x/a'': must build at directory: '/x/b/c.yaml': file is not directory",
            f"../b/c.yaml {OUTSIDE}",
            id="a file of another folder",
        ),
        pytest.param(
            "Error: accumulating resources: accumulation err='accumulating resources from '../b/c.yaml': evalsymlink failure"
            " on '/usr' : lstat /usr: no such file or directory': must build at directory",
            f"../b/c.yaml {OUTSIDE}",
            id="a file of another folder that has no kustomization",
        ),
        pytest.param(
            "Error: trouble configuring builtin PatchTransformer with config: `path: ../p.yaml `: failed to get the patch"
            " file from path(../p.yaml): security; file '/x/p.yaml' is not in or below '/x/a'",
            f"/x/p.yaml {OUTSIDE}",
            id="a patch of another folder",
        ),
        pytest.param('E1126 18:24:50.404437 19770 run.go:72] "command failed" err="no such field"', "no such field", id="kubectl"),
    ],
)  # fmt: skip
def test_what_kustomize_says_is_put_in_words(folder: Path, words: str, said: str) -> None:
    program(folder, f"/bin/cat >&2 <<'END'\n{words}\nEND\nexit 1")
    with pytest.raises(kustomize.Unbuilt) as found:
        kustomize.build(str(folder), Answers())
    assert found.value.output == said


def test_with_leave_another_image_goes_to_the_callers_docker(folder: Path) -> None:
    program(folder, 'echo "docker $*"; /bin/cat', "docker")
    program(folder, RUN + "busybox")
    built = kustomize.build(str(folder), Answers(), enable_exec=True)
    assert built.output == b"docker run --rm -i --network none -e A=b busybox\nin\n"


def test_with_leave_and_no_docker_the_image_is_refused(folder: Path) -> None:
    program(folder, RUN + "busybox")
    with pytest.raises(Errors, match="which can't be run here: install kustomize and docker"):
        kustomize.build(str(folder), Answers(), enable_exec=True)


# --- the copy --------------------------------------------------------------------------------------------------------


def copied(folder: Path, *, keep_programs: bool = False) -> copying.Copy:
    copy = copying.Copy(str(folder), str(folder.parent / "copy"), keep_programs=keep_programs)
    copy.make()
    return copy


def text(copy: copying.Copy, folder: Path, name: str) -> str:
    with open(copy.place(str(folder / name)), encoding="utf-8") as file:  # noqa: PTH123 - a path of the copy
        return file.read()


NUMBER = r'"{\"container\": {\"image\": \"function.invalid/0\"}}"'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(f"a: {{{ANNOTATION}: 'exec: {{path: x}}'}}\nb: 1e3 # c\n", f"a: {{{ANNOTATION}: {NUMBER}}}\nb: 1e3 # c\n", id="flow"),
        pytest.param(f"a:\n  {ANNOTATION}: |\n    exec:\n      path: x\nb: on\n", None, id="block"),
        pytest.param(f"a:\n  {ANNOTATION}: |\n    starlark: {{path: x}}\n", None, id="starlark"),
        pytest.param("metadata:\n  configFn:\n    exec: {path: x}\n", None, id="the old field"),
    ],
)  # fmt: skip
def test_a_program_becomes_a_number_and_nothing_else_changes(folder: Path, before: str, after: str | None) -> None:
    (folder / "f.yaml").write_text(before)
    copy = copied(folder)
    assert [(one.path, one.file) for one in copy.programs] == [("x", f"{folder}/f.yaml")]
    found = text(copy, folder, "f.yaml")
    assert "function.invalid/0" in found
    if after is not None:
        assert found == after
    old, new = load(before), load(found)
    assert {key: value for key, value in old.items() if key not in {"a", "metadata"}} == {
        key: value for key, value in new.items() if key not in {"a", "metadata"}
    }


@pytest.mark.parametrize(
    "unchanged",
    [
        pytest.param("spec: {livenessProbe: {exec: {command: [x]}}}\n", id="a probe"),
        pytest.param(f"a: {{{ANNOTATION}: 'container: {{image: x}}'}} # exec\n", id="an image"),
        pytest.param(f"a: {{{ANNOTATION}: 'exec: ['}}\n", id="broken"),
        pytest.param(f"data:\n  doc: |\n    metadata: {{annotations: {{{ANNOTATION}: 'exec: {{path: x}}'}}}}\n", id="text of a ConfigMap"),
        pytest.param('#!/bin/sh\nexec "$@" {\n', id="a script"),
    ],
)  # fmt: skip
def test_what_is_no_program_stays_byte_for_byte(folder: Path, unchanged: str) -> None:
    (folder / "f.yaml").write_text(unchanged)
    copy = copied(folder)
    assert text(copy, folder, "f.yaml") == unchanged
    assert copy.programs == []


def test_a_function_that_kustomize_would_fetch_counts_as_a_program(folder: Path) -> None:
    fetched, built = "https://example.com/f.yaml?x=1", "https://example.com/repository//base?ref=v1"
    (folder / "kustomization.yaml").write_text(
        f"resources: [{fetched}]\ntransformers: [f.yaml, {fetched}, {built}] # c\n"
    )
    copy = copied(folder)
    assert [(one.path, one.file) for one in copy.programs] == [(fetched, f"{folder}/kustomization.yaml")]
    found = load(text(copy, folder, "kustomization.yaml"))
    assert found["resources"] == [fetched]
    assert "function.invalid/0" in found["transformers"].pop(1)
    assert found["transformers"] == ["f.yaml", built]


def test_with_leave_other_programs_stay_and_can_be_run(folder: Path) -> None:
    (folder / "f.yaml").write_text(f"a: {{{ANNOTATION}: 'exec: {{path: ./x.sh}}'}}\n")
    (folder / "x.sh").write_text("#!/bin/sh\n")
    (folder / "x.sh").chmod(0o755)
    (folder / "kustomization.yaml").write_text("transformers: [https://example.com/f.yaml]\n")
    copy = copied(folder, keep_programs=True)
    assert copy.programs == []
    assert os.access(copy.place(str(folder / "x.sh")), os.X_OK)


def test_no_file_of_the_copy_can_be_run_without_leave(folder: Path) -> None:
    (folder / "x.sh").write_text("#!/bin/sh\n")
    (folder / "x.sh").chmod(0o755)
    assert os.stat(copied(folder).place(str(folder / "x.sh"))).st_mode & 0o777 == 0o600  # noqa: PTH116 - as above


def test_links_within_the_repository_are_copied_as_what_they_lead_to(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "real/a.yaml").write_text("a: 1\n")
    (folder / "link").symlink_to("real")
    (folder / "real/circle").symlink_to("..")
    copy = copied(folder)
    assert text(copy, folder, "link/a.yaml") == "a: 1\n"


def test_the_repository_bounds_what_is_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = folder / "overlays/x"
    overlay.mkdir(parents=True)
    (overlay / "kustomization.yaml").write_text("resources: [../../base, '../../my base', ../missing]\n")
    for name in ("base", "my base"):
        (folder / name).mkdir()
        (folder / name / "kustomization.yaml").write_text("resources: []\n")
    made = copied(overlay)
    assert made.bound == str(folder)
    assert text(made, folder, "base/kustomization.yaml")
    assert text(made, folder, "my base/kustomization.yaml")
    (folder / ".git").rmdir()
    monkeypatch.chdir(folder)
    assert copying.Copy(str(overlay), "x", keep_programs=False).bound == str(folder)
    monkeypatch.chdir(folder.parent)
    assert copying.Copy("repository", "x", keep_programs=False).bound == str(folder.parent)
    monkeypatch.chdir("/")
    assert copying.Copy(str(overlay), "x", keep_programs=False).bound == str(overlay)


def test_more_than_there_may_be_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        (folder / f"{number}.yaml").write_text("a: 1\n")
    monkeypatch.setattr(copying, "_MOST_FILES", 3)
    with pytest.raises(Errors, match="more than 3 files"):
        copied(folder)
    monkeypatch.undo()
    monkeypatch.setattr(copying, "_LARGEST_COPY", 10)
    with pytest.raises(Errors, match="in total"):
        copied(folder.parent / "repository")


def test_folders_whose_links_lead_to_one_another_are_not_walked_forever(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"d{number}" for number in range(12)]  # 12! ways
    for name in names:
        (folder / name).mkdir()
        for other in names:
            (folder / name / f"to-{other}").symlink_to(f"../{other}")
    monkeypatch.setattr(copying, "_MOST_FILES", 500)
    with pytest.raises(Errors, match="more than 500 files and folders"):
        copied(folder)


@pytest.mark.parametrize("entry", ["x" * 600_000 + "..", "'" + "..' '" * 100_000], ids=["a long word", "many quotes"])
def test_a_long_line_of_a_kustomization_takes_no_time(folder: Path, entry: str) -> None:
    base, overlay = folder / "base", folder / "overlay"
    for one in (base, overlay):
        one.mkdir()
        (one / "kustomization.yaml").write_text(f"resources:\n- ../base\n# {entry}\n")
    assert text(copied(overlay), base, "kustomization.yaml")  # by the square of its length, it would take many minutes


UP = "../" * 40  # from wherever the copy is, to the root of the machine


@pytest.mark.parametrize(
    "spelt",
    [
        pytest.param(lambda path: f"resources: [{path}]", id="as it is"),
        pytest.param(lambda path: f"Resources: [a/../{path}/]", id="through a folder"),
        pytest.param(lambda path: "resources: ['{}']".format(path.replace("/o", "/./o")), id="in quotes"),
        pytest.param(
            lambda path: 'x: {{y: [{{z: "{}"}}]}}'.format(path.replace("..", "\\x2e\\u002E")), id="by escapes"
        ),
        pytest.param(lambda path: f"{{? {path} : x}}", id="as a key"),
        pytest.param(lambda path: f"resources:\n- >-\n  {path}", id="folded"),
        pytest.param(lambda path: f"resources: [!!binary {base64.b64encode(path.encode()).decode()}]", id="in base64"),
        pytest.param(lambda path: f"---\na: &a {path}\n---\nresources: [x]", id="in another document"),
        pytest.param(lambda path: f"resources:\n- {path}\nx: [", id="not YAML to its end"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_way_out_of_the_copy_is_given_to_kustomize(folder: Path, spelt: Any, encoding: str) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "kustomization.yaml").write_text("resources: []\n")
    (folder / "base").mkdir()
    written = spelt(f"{UP}{str(outside).lstrip('/')}") + "\n"
    (folder / "base/kustomization.yaml").write_text(written, encoding)
    copy = copied(folder)
    assert not os.path.lexists(copy.place(str(folder / "base/kustomization.yaml")))
    assert any("base/kustomization.yaml" in note and "is not read: " in note for note in copy.notes)


def test_a_broken_kustomization_that_leads_upwards_is_named_with_line_and_cause(folder: Path) -> None:
    (folder / "kustomization.yaml").write_text("resources:\n- ../base\nnamePrefix: a-\n  labels: b\n")
    (note,) = copied(folder).notes
    assert "kustomization.yaml:4:3 is not read: invalid YAML: this line is indented further" in note


def test_pipes_and_large_files_are_not_copied_and_said_where_the_build_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(folder / "pipe.yaml")
    (folder / "large.bin").write_bytes(b"x" * 2_000_000)
    monkeypatch.setattr(copying, "_LARGEST_FILE", 1_000_000)
    program(folder, "echo missing >&2; exit 1")
    with pytest.raises(kustomize.Unbuilt, match=r"large\.bin.*; the build failed"):
        kustomize.build(str(folder), Answers())


def test_the_names_of_the_kustomization_are_those_of_kustomize(tmp_path: Path) -> None:
    assert reading.kustomization(str(tmp_path)) == ""
    for name in reading.KUSTOMIZATIONS:
        (tmp_path / name).mkdir()
        assert reading.kustomization(str(tmp_path)) == name
        (tmp_path / name).rmdir()


FETCHED = json.dumps(
    {"apiVersion": "a/v1", "kind": "A", "metadata": {"name": "a", "annotations": {ANNOTATION: "exec: {path: ./evil}"}}}
)


def test_a_program_that_is_fetched_by_git_is_refused_by_name(folder: Path) -> None:
    program(folder, f"case $1 in checkout) echo '{FETCHED}' > f.yaml; echo other > o.yaml;; esac", "git")
    build = "cd $TMPDIR; /bin/mkdir kustomize-1; cd kustomize-1; git init; git checkout FETCH_HEAD\n"
    program(folder, f"{build}/bin/cat f.yaml o.yaml")
    output = kustomize.build(str(folder), Answers()).output
    assert b"exec" not in output
    assert copying.NUMBERED.encode() + b"0" in output
    assert output.endswith(b"other\n")
    program(folder, f"{build}echo in | docker run {copying.NUMBERED}0")
    with pytest.raises(Errors, match=r"f\.yaml asks for the program \./evil, which is not run unless"):
        kustomize.build(str(folder), Answers())
    assert left(folder) == []


def test_git_that_fails_fails_and_looks_nowhere_else(folder: Path) -> None:
    program(folder, "exit 7", "git")
    program(folder, "git checkout x; echo $?")
    assert kustomize.build(str(folder), Answers()).output == b"7\n"
    program(folder, "exit 0", "git")
    (folder / "f.yaml").write_text(FETCHED)
    program(folder, f"cd {folder}; git checkout x; echo $?")
    assert kustomize.build(str(folder), Answers()).output == b"0\n"
    assert (folder / "f.yaml").read_text() == FETCHED


@pytest.mark.parametrize("end", ["", "---\na: b\n", "...\n"])
def test_a_file_whose_aliases_multiply_is_not_given_to_kustomize(folder: Path, end: str) -> None:
    levels = "".join(f"  {b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in pairwise("abcdefgh"))
    bomb = (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  a: &a [{', '.join('x' * 9)}]\n{levels}{end}"
    )
    (folder / "bomb.yaml").write_text(bomb)
    (folder / "fair.yaml").write_text("a: &a [1]\nb: *a\n")
    (folder / "text.md").write_text("a & b, 2 *b\n: [")
    program(folder, 'for last; do :; done; echo "$last"/*; exit 0')
    assert b"bomb" not in kustomize.build(str(folder), Answers()).output
    program(folder, 'for last; do :; done; echo "no bomb.yaml here" >&2; exit 1')
    with pytest.raises(
        Errors, match=r"repository: .*bomb\.yaml is not read: aliases stand for more than 2000000 values; "
    ):
        kustomize.build(str(folder), Answers())
    assert b"fair.yaml" in build_of(folder)


@pytest.mark.parametrize(
    "annotation",
    [
        '"ex\\\n      ec: {path: x}"',
        '"ex\\\r      ec: {path: x}"',
        "!!binary ZXhlYzoge3BhdGg6IHh9",
        "|\n      exec: {path: x}\n      ---\n      a: b",
        "|\n      exec: {path: x}\n      ...\n      a: b",
        "|\n      # a comment\n      ---\n      exec: {path: x}",
        '"\\n\\n---\\nexec: {path: x}"',
        '"%YAML 1.1\\n---\\nexec: {path: x}"',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_program_is_seen_however_its_configuration_is_spelt(folder: Path, annotation: str, encoding: str) -> None:
    written = f"kind: F\nmetadata:\n  annotations:\n    {ANNOTATION}: {annotation}\n"
    (folder / "f.yaml").write_bytes(written.encode(encoding))
    copy = copied(folder)
    assert [one.path for one in copy.programs] == ["x"]
    assert "function.invalid/0" in text(copy, folder, "f.yaml")


def test_a_text_of_another_encoding_stays_byte_for_byte(folder: Path) -> None:
    data = "kind: F\ndata: exec\n".encode("utf-16")
    (folder / "f.yaml").write_bytes(data)
    copy = copied(folder)
    with open(copy.place(str(folder / "f.yaml")), "rb") as file:  # noqa: PTH123 - a place is a string
        assert file.read() == data


DEEP = f"data: {'[' * 251}{']' * 251}\n"


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("f.yaml", f"metadata:\n  annotations:\n    {ANNOTATION}: 'exec: {{path: x}}'\n{DEEP}"),
        ("base/kustomization.yaml", f"transformers:\n- |\n  {ANNOTATION}: 'exec: {{path: x}}'\n  {DEEP}"),
        ("base/kustomization.yaml", f"transformers: [https://example.com/f.yaml]\n{DEEP}"),
    ],
)
def test_a_program_in_a_file_that_is_nested_too_deep_is_not_left_out_without_a_word(
    folder: Path, name: str, held: str
) -> None:
    (folder / "base").mkdir()
    (folder / name).write_text(held)
    program(folder, f'for last; do :; done; echo "lstat $last/{name}: no such file or directory" >&2; exit 1')
    with pytest.raises(kustomize.Unbuilt, match=rf"{name} is not read: nested deeper than 250 levels; ") as raised:
        kustomize.build(str(folder), Answers())
    assert raised.value.output == ""


def build_of(folder: Path) -> bytes:
    program(folder, 'for last; do :; done; echo "$last"/*; exit 0')
    return kustomize.build(str(folder), Answers()).output
