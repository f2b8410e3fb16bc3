from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from krm_fn.yaml import BadYaml, edit
from krm_fn.yaml.edit import revise, set_labels
from krm_fn.yaml.nodes import diff
from krm_fn.yaml.read import load

if TYPE_CHECKING:
    from typing import Any

CLUSTER = b"""\
# ours
apiVersion: cluster.x-k8s.io/v1beta1   # old
kind: Cluster
metadata:
    name: a
    labels:
        env: 'on'  # quoted
        # the region
        region: eu

    annotations: {x: y}
spec:
    paused: on
    when: 2020-01-01
    mode: 0o17
"""


def test_a_label_goes_behind_the_last_one_and_nothing_else_moves() -> None:
    before, after = CLUSTER.split(b"region: eu\n")
    assert set_labels(CLUSTER, {"a/b": "true"}) == before + b'region: eu\n        a/b: "true"\n' + after


def test_a_label_that_is_there_already_changes_no_byte() -> None:
    assert set_labels(CLUSTER, {"env": "on"}) is CLUSTER


def test_a_label_with_another_value_keeps_its_quotes_and_comment() -> None:
    assert set_labels(CLUSTER, {"env": "it's"}) == CLUSTER.replace(b"'on'", b"'it''s'")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("kind: A\nmetadata:\n  name: a # c\nspec: 1\n", "kind: A\nmetadata:\n  name: a # c\n  labels:\n    k: v\nspec: 1\n", id="no labels"),
        pytest.param("metadata:\n  labels: {}  # none\n  name: a\n", "metadata:\n  labels:  # none\n    k: v\n  name: a\n", id="empty flow labels"),
        pytest.param("metadata:\n  labels:\n  name: a\n", "metadata:\n  labels:\n    k: v\n  name: a\n", id="null labels"),
        pytest.param("metadata:\n  labels: {a: b}\n", 'metadata:\n  labels: {a: b, "k": "v"}\n', id="flow labels"),
        pytest.param("metadata: {name: a}\n", 'metadata: {name: a, "labels": {"k": "v"}}\n', id="flow metadata"),
        pytest.param("metadata: # c\n", "metadata: # c\n  labels:\n    k: v\n", id="null metadata"),
        pytest.param("kind: A", "kind: A\nmetadata:\n  labels:\n    k: v\n", id="no metadata, no line end"),
        pytest.param("  kind: A\n  metadata:\n    name: a\n", "  kind: A\n  metadata:\n    name: a\n    labels:\n      k: v\n", id="entry of a list"),
        pytest.param("metadata:\r\n  name: a\r\n", "metadata:\r\n  name: a\r\n  labels:\r\n    k: v\r\n", id="CRLF"),
        pytest.param("\ufeffmetadata:\n  name: a\n", "\ufeffmetadata:\n  name: a\n  labels:\n    k: v\n", id="byte order mark"),
        pytest.param('{"metadata": {"name": "a"}}', '{"metadata": {"name": "a", "labels": {"k": "v"}}}', id="JSON"),
        pytest.param(
            '{\n  "metadata": {\n    "name": "a"\n  }\n}\n',
            '{\n  "metadata": {\n    "name": "a",\n    "labels": {"k": "v"}\n  }\n}\n',
            id="JSON of several lines",
        ),
        pytest.param(
            '{"metadata": {"name": "\\ud83d\\ude00\\/"}}',
            '{"metadata": {"name": "\\ud83d\\ude00\\/", "labels": {"k": "v"}}}',
            id="JSON with escapes that YAML lacks",
        ),
        pytest.param(
            "x: &a {b: c}\nmetadata:\n  labels: *a\n",
            "x: &a {b: c}\nmetadata:\n  labels:\n    b: c\n    k: v\n",
            id="labels are an alias",
        ),
        pytest.param(
            "metadata:\n  labels: &a\n    b: c\nspec: *a\n",
            "metadata:\n  labels:\n    b: c\n    k: v\nspec:\n  b: c\n",
            id="labels are an anchor used elsewhere",
        ),
        pytest.param("metadata:\n  labels: &a {b: c}\nspec: *a\n", "metadata:\n  labels:\n    b: c\n    k: v\nspec:\n  b: c\n", id="the same in a flow mapping"),
        pytest.param("metadata: &m\n  name: a\n  x: &l\n  - !!str 1\n", "metadata: &m\n  name: a\n  x: &l\n  - !!str 1\n  labels:\n    k: v\n", id="anchors that nobody uses"),
        pytest.param("- metadata\n", None, id="a list"),
        pytest.param("[a]: b\n", None, id="a list as key"),
    ],
)  # fmt: skip
def test_a_label_is_set_whatever_the_shape(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(BadYaml):
            set_labels(text.encode(), {"k": "v"})
    else:
        assert set_labels(text.encode(), {"k": "v"}).decode() == expected


DEPLOYMENT = """\
kind: Deployment
spec:
  template:
    spec:
      containers:
      - name: manager # main
        args:
          - --a=1
          # keep
          - "--b=2"
        env: [{name: X, value: "1"}]
      volumes:
      - name: v
        secret: {secretName: s}
"""


def changed(text: str, change: str, value: Any) -> dict[str, Any]:
    """Return the value of a text with the field at a dotted path set; `None` as value removes it."""
    root = load(text)
    node = root
    *path, last = [int(part) if part.isdigit() else part for part in change.split(".")]
    for part in path:
        node = node[part]
    if value is None:
        del node[last]
    elif isinstance(node, list) and last == len(node):
        node.append(value)
    else:
        node[last] = value
    return root


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        pytest.param("0.args.1", "--b=on", '"--b=2"', '"--b=on"', id="an argument"),
        pytest.param("0.args.2", "--c", '"--b=2"\n', '"--b=2"\n          - --c\n', id="one more argument"),
        pytest.param("0.args.0", None, "          - --a=1\n", "", id="an argument less"),
        pytest.param("0.name", "on", "manager # main", '"on" # main', id="the name beside a dash"),
        pytest.param("0.name", None, "- name: manager # main\n        args", "- args", id="the first key of an entry removed"),
        pytest.param("0.env.0.value", "2", '"1"', '"2"', id="inside a flow collection"),
        pytest.param("0.env.0.value", None, ', value: "1"', "", id="last of a flow collection removed"),
        pytest.param("0.env.0.name", None, "name: X, ", "", id="first of a flow collection removed"),
        pytest.param("0.env.1", {"name": "Y"}, '"1"}]', '"1"}, {"name": "Y"}]', id="one more in a flow list"),
        pytest.param("0.env", [], '[{name: X, value: "1"}]', "[]", id="a flow list emptied"),
        pytest.param("0.args", [], 'args:\n          - --a=1\n          # keep\n          - "--b=2"', "args: []", id="a block list emptied"),
        pytest.param("0.note", "a\nb\n", '"1"}]\n', '"1"}]\n        note: |\n          a\n          b\n', id="a new field of several lines"),
        pytest.param("0.name", "a\nb", "manager # main", "|- # main\n          a\n          b", id="a value becomes a block"),
        pytest.param("1", {"name": "b", "args": ["x"]}, '"1"}]\n', '"1"}]\n      - name: b\n        args:\n        - x\n', id="one more container"),
    ],
)  # fmt: skip
def test_only_what_differs_is_edited(path: str, value: Any, old: str, new: str) -> None:
    assert DEPLOYMENT.count(old) == 1
    wanted = changed(DEPLOYMENT, "spec.template.spec.containers." + path, value)
    assert revise(DEPLOYMENT.encode(), wanted).decode() == DEPLOYMENT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "new", "expected"),
    [
        pytest.param("a: |\n  x\n\n# c\nb: 1\n", {"a": "z", "b": 1}, "a: z\n\n# c\nb: 1\n", id="a block scalar becomes a line"),
        pytest.param("a: |+\n  x\n\nb: 1\n", {"a": "z", "b": 1}, "a: z\nb: 1\n", id="a block scalar that keeps empty lines"),
        pytest.param("a: |+\r\n  x\r\n\r\nb: 1\r\n", {"a": "z", "b": 1}, "a: z\r\nb: 1\r\n", id="the same with CRLF"),
        pytest.param("a: {b: c,}\n", {"a": {"b": "c", "d": 1}}, 'a: {b: c, "d": 1,}\n', id="a comma at the end"),
        pytest.param("a: [b]\n", {"a": ["x", "b"]}, 'a: ["x", b]\n', id="front of a flow list"),
        pytest.param("a:\n- b # c\n", {"a": ["x", "b"]}, "a:\n- x\n- b # c\n", id="front of a block list"),
        pytest.param("a:\n-\n- b\n", {"a": ["x", "b"]}, "a:\n- x\n- b\n", id="an empty entry gets a value"),
        pytest.param("a: {b}\n", {"a": {"b": 1}}, 'a: {"b": 1}\n', id="a flow key alone"),
        pytest.param("a: [1, 2, 3]\n", {"a": [1, 4]}, "a: [1, 4]\n", id="last of a flow list changed and removed"),
        pytest.param("a: 1 # one\nb: 2\n", {"b": 2}, "b: 2\n", id="a field removed with its comment"),
        pytest.param("a: 1\n", {"a": 1.0}, "a: 1.0\n", id="an integer becomes a float"),
        pytest.param("a: 1\n", {"a": {"b": []}}, "a:\n  b: []\n", id="a scalar becomes a mapping"),
        pytest.param("a: !!str 1 # c\n", {"a": "2"}, 'a: "2" # c\n', id="a tag goes with its value"),
        pytest.param("? a\n: 1\nb: 2\n", {"a": 2, "b": 2}, "a: 2\nb: 2\n", id="an explicit key"),
        pytest.param("a: 1\n? b\n: 2\n", {"a": 1}, "a: 1\n", id="an explicit key removed"),
        pytest.param("x: &x {a: 1}\nz:\n  <<: *x\n  b: 2\n", {"x": {"a": 1}, "z": {"a": 3, "b": 2}}, "x: &x {a: 1}\nz:\n  <<: *x\n  b: 2\n  a: 3\n", id="over a merge key"),
        pytest.param("# c\nx: &x {a: 1}\nz:\n  <<: *x\n", {"x": {"a": 1}, "z": {}}, "# c\nx: &x {a: 1}\nz: {}\n", id="less than a merge key brings"),
        pytest.param("# h\nx: &a k\n*a : v\nb: 1\n", {"x": "k", "k": "v", "b": 2}, "# h\nx: k\nk: v\nb: 2\n", id="an alias as key"),
        pytest.param("# h\na: &x\n- 1 # one\n- 2\n", {"a": [1, 3]}, "# h\na:\n- 1\n- 3\n", id="an anchored list"),
        pytest.param("a:\n- b\x85- c\nd: 1 # d\n", {"a": ["b", "e"], "d": 1}, "a:\n- b\n- e\nd: 1 # d\n", id="a line end of YAML 1.1 alone"),
        pytest.param("a: |+\n  x", {"a": "x", "b": 1}, None, id="a block scalar that keeps, without a line end"),
        pytest.param("a: {b: 1, c: 2, d: 3}\n", {"a": {"b": 1, "c": 2, "e": 4}}, 'a: {"b": 1, "c": 2, "e": 4}\n', id="removed and added at one place"),
        pytest.param("a: {b: 1, c: 2}\n", {"a": {"b": {"x": 1}, "c": None}}, 'a: {b: {"x": 1}, c: null}\n', id="values of a flow mapping"),
        pytest.param("a: {b: , c: 2}\n", {"a": {"b": 1, "c": 2}}, "a: {b: 1, c: 2}\n", id="an empty value of a flow mapping"),
        pytest.param("a: [1, 2, 3]\n", {"a": [3]}, "a: [3]\n", id="several of a flow list removed"),
        pytest.param("a:\n- 1\n- 2\n- 3\n", {"a": [3]}, "a:\n- 3\n", id="several of a block list removed"),
        pytest.param("# head\na: 1\n", {"b": 1}, "# head\nb: 1\n", id="everything differs"),
        pytest.param("{a: 1} # c\n", {"b": 1}, '{"b": 1} # c\n', id="everything differs in a flow mapping"),
        pytest.param('{"a": "\\ud83d\\ude00"}\n', {"a": "x"}, '{"a": "x"}\n', id="JSON with escapes that YAML lacks"),
        pytest.param('{\n"a": "\\ud83d\\ude00"}', {"a": "x"}, '{\n"a": "x"}', id="the same on several lines"),
        pytest.param("a:\n  - - 1\n    - 2\n", {"a": [[2]]}, "a:\n  - - 2\n", id="the first of a nested list removed"),
    ],
)  # fmt: skip
def test_shapes_at_the_edge(text: str, new: dict[str, Any], expected: str | None) -> None:
    result = revise(text.encode(), new).decode()
    assert expected is None or result == expected
    assert load(result) == new


def test_a_rewrite_that_would_not_read_as_the_value_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edit, "_rewrite", lambda *_: "a: [")
    assert revise(b"# head\na: 1\n", {"b": 1}) == b"b: 1\n"


def test_what_is_not_yaml_is_refused() -> None:
    with pytest.raises(BadYaml):
        revise(b"a: [", {"a": 1})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param([1, 2, 3], [1, 3], ([(0, 0), (2, 1)], [1], {}), id="one removed"),
        pytest.param([1, 3], [1, 2, 3], ([(0, 0), (1, 2)], [], {0: [1]}), id="one inserted"),
        pytest.param([1, 2], [3, 1, 2], ([(0, 1), (1, 2)], [], {-1: [0]}), id="one at the front"),
        pytest.param([1, 2, 3], [1, 9, 3], ([(0, 0), (1, 1), (2, 2)], [], {}), id="one changed"),
        pytest.param([1, 2, 3, 4], [9, 2, 4, 5], ([(0, 0), (1, 1), (3, 2)], [2], {3: [3]}), id="a mixture"),
        pytest.param([0, *range(600)], [*range(600, 1200), 9], ([*((i, i) for i in range(601))], [], {}), id="too long for a table"),
    ],
)  # fmt: skip
def test_lists_are_matched_so_that_little_changes(old: list[int], new: list[int], expected: Any) -> None:
    assert diff(old, new) == expected
