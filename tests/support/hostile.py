"""Everything bad that a person, a broken pipe or an attacker can send to the function: one table."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.support.lists import cluster, config, document, named

LEVELS = 20_000
HEAD = b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
JSON_HEAD = b'{"apiVersion":"config.kubernetes.io/v1","kind":"ResourceList",'
CONFIG = config(registrationToken={"existingSecret": {"name": "reg"}})
FUNCTION_CONFIG = (
    b"functionConfig: {apiVersion: fn.clusternet.io/v1alpha1, kind: ClusternetCAPIConfig, metadata: {name: fleet},"
    b" spec: {parentURL: 'https://parent.example.com', registrationToken: {existingSecret: {name: reg}},"
    b" clusterSelector: {matchLabels: {env: prod}}}}\n"
)
CLUSTER = b"""\
- apiVersion: cluster.x-k8s.io/v1beta2
  kind: Cluster
  metadata:
    name: a
    namespace: team-a
    labels:
      env: prod
"""
MAP = b"- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: keep\n"
GOOD = document([cluster("a"), named("ConfigMap", "keep", data={"k": "v"})], CONFIG)


class Case(NamedTuple):
    """A bad input.

    Attributes:
        data: What is sent.
        says: A pattern of the one line that it gets.
        kept: Whether its items can be read, and so have to come out as they came.
    """

    data: bytes
    says: str
    kept: bool = False


def listed(items: bytes, rest: bytes = FUNCTION_CONFIG) -> bytes:
    """A ResourceList with items written by hand."""
    return HEAD + rest + b"items:\n" + items


def bomb(indent: bytes) -> bytes:
    """Ten lines of aliases that stand for a thousand million values."""
    lines = [b"l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n"]
    for level in range(1, 9):
        inner = b", ".join([b"*l%d" % (level - 1)] * 10)
        lines.append(b"l%d: &l%d [%s]\n" % (level, level, inner))
    return b"".join(indent + line for line in lines)


_NOT_A_LIST = r"the input is not a ResourceList \(.+\): expected a ResourceList .+; for plain manifests use: .+ render"
_EMPTY = r"the input is empty: expected a ResourceList"
_SCALAR = r"the document is not a mapping; give an object with apiVersion and kind"
_CONTROL = r"control characters are not allowed; "
_TWICE = r"[a-z]+ appears twice: remove one of them \(first: stdin:[0-9]+:[0-9]+\)"
_CLUSTER = r"Cluster a: "

# What can't be read as a ResourceList: nothing comes out.
DOCUMENTS: dict[str, Case] = {
    "empty": Case(b"", _EMPTY),
    "blank": Case(b" \n\n  \n", _EMPTY),
    "a comment": Case(b"# nothing here\n", _EMPTY),
    "a mark alone": Case(b"---\n", r"the document is not a mapping; "),
    "a scalar": Case(b"hello\n", _SCALAR),
    "null": Case(b"null\n", _SCALAR),
    "a list": Case(b"- a\n", _SCALAR),
    "a JSON list": Case(b"[]", _SCALAR),
    "every byte": Case(bytes(range(256)), r"not valid UTF-8; save it as UTF-8"),
    "gzip": Case(b"\x1f\x8b\x08\x00\x00\x00\x00\x00", r"not valid UTF-8; save it as UTF-8"),
    "zeros": Case(bytes(1000), _CONTROL + "remove them"),
    "a zero": Case(GOOD.replace(b"keep", b"ke\0ep"), _CONTROL + "remove them"),
    "an escape character": Case(GOOD.replace(b"keep", b"ke\x1bep"), _CONTROL + "remove them"),
    "UTF-16": Case(GOOD.decode().encode("utf-16"), r"it is UTF-16: save it as UTF-8"),
    "UTF-16 without a mark": Case(GOOD.decode().encode("utf-16-be"), _CONTROL + "it is UTF-16: save it as UTF-8"),
    "UTF-16, the other way round": Case(GOOD.decode().encode("utf-16-le"), _CONTROL + "it is UTF-16: save it as UTF-8"),
    "UTF-32": Case(GOOD.decode().encode("utf-32"), r"it is UTF-32: save it as UTF-8"),
    "UTF-32 without a mark": Case(GOOD.decode().encode("utf-32-le"), _CONTROL + "it is UTF-32: save it as UTF-8"),
    "Latin-1": Case(GOOD.replace(b"keep", b"k\xe4ep"), r"not valid UTF-8; save it as UTF-8"),
    "a surrogate": Case(GOOD.replace(b"keep", b"k\xed\xa0\x80p"), r"not valid UTF-8; save it"),
    "an overlong form": Case(GOOD.replace(b"keep", b"k\xc0\x80p"), r"not valid UTF-8; save it"),
    "a List": Case(b"apiVersion: v1\nkind: List\nitems: []\n", _NOT_A_LIST),
    "a manifest": Case(CLUSTER[2:].replace(b"\n  ", b"\n"), _NOT_A_LIST),
    "a version of the future": Case(HEAD.replace(b"io/v1", b"io/v9") + b"items: []\n", _NOT_A_LIST),
    "an apiVersion of another type": Case(b"apiVersion: [a]\nkind: ResourceList\n", _NOT_A_LIST),
    "an apiVersion with a line end": Case(b'apiVersion: "a\\nb"\nkind: ResourceList\n', _NOT_A_LIST),
    "items as a map": Case(HEAD + b"items: {a: b}\n", r"items is not a list but a mapping; begin each object"),
    "items as text": Case(HEAD + b"items: abc\n", r"items is not a list but a scalar; begin each object"),
    "an item of text": Case(listed(CLUSTER + b"- abc\n"), r"items\[1\] is not an object; .+ or remove it"),
    "an item of null": Case(listed(CLUSTER + b"- null\n"), r"items\[1\] is not an object; .+ or remove it"),
    "an item without anything": Case(listed(CLUSTER + b"-\n"), r"items\[1\] is not an object; .+ or remove it"),
    "an item that is a list": Case(listed(b"- - a\n"), r"items\[0\] is not an object; .+ or remove it"),
    "a JSON item of a number": Case(JSON_HEAD + b'"items":[1]}', r"items\[0\] is not an object; "),
    "a tab": Case(
        GOOD.replace(b"  metadata", b"\tmetadata", 1), r"a tab where YAML wants spaces; replace it with spaces"
    ),
    "two documents": Case(
        GOOD + b"---\n" + GOOD, r"a second document follows the ResourceList at stdin:1:1: a function takes one"
    ),
    "text behind the end": Case(GOOD + b"...\nfoo\n", r"text follows the end of the document"),
    "JSON and more": Case(JSON_HEAD + b'"items":[]} x', r"fix the syntax there"),
    "an open bracket": Case(GOOD + b"x: [\n", r"a value is missing, or brackets are not closed"),
    "a YAML of the future": Case(b"%YAML 9.9\n---\n" + GOOD, r"use YAML 1.1 or 1.2"),
    "items twice": Case(GOOD + b"items: []\n", _TWICE),
    "kind twice": Case(GOOD + b"kind: ResourceList\n", _TWICE),
    "a JSON key twice": Case(JSON_HEAD + b'"items":[],"items":[]}', _TWICE),
    "an alias to nothing": Case(
        listed(MAP + b"  data: *m\n"), r"items\[0\] has an alias to an anchor outside of it; write", kept=True
    ),
    "an alias to another object": Case(
        listed(
            CLUSTER
            + b"- apiVersion: v1\n  kind: ConfigMap\n  metadata: &m\n    name: x\n    namespace: team-z\n"
            + b"- apiVersion: v1\n  kind: Secret\n  metadata: *m\n"
        ),
        r"items\[2\] has an alias to an anchor outside of it; write",
        kept=True,
    ),
    "an alias to itself": Case(HEAD + b"items: &a\n- *a\n", r"items\[0\] is not an object; give one"),
    "a tag of Python": Case(listed(b"- !!python/object/apply:os.system ['id']\n"), r"items\[0\] is not an object"),
    "a functionConfig that is a list": Case(
        HEAD + b"items: []\nfunctionConfig: []\n",
        r"functionConfig is not an object but a sequence; give the function's configuration",
    ),
    "a functionConfig of text": Case(
        HEAD + b"items: []\nfunctionConfig: x\n",
        r"functionConfig is not an object but a scalar; give the function's configuration",
    ),
    "a functionConfig with a key twice": Case(
        listed(CLUSTER, b"functionConfig:\n  a: 1\n  a: 2\n"),
        r"functionConfig can't be read: " + _TWICE,
    ),
    "a bomb in the functionConfig": Case(
        listed(CLUSTER, b"functionConfig:\n" + bomb(b"  ")),
        r"aliases stand for more than \d+ values; ",
    ),
    "a bomb for a list": Case(bomb(b""), _NOT_A_LIST),
    "deep flow": Case(HEAD + b"items: " + b"[" * LEVELS + b"]" * LEVELS, r"nested too deep; "),
    "deep flow, cut off": Case(HEAD + b"items: " + b"[" * LEVELS, r"nested too deep; write it"),
    "deep flow in an item": Case(
        listed(MAP + b"  x: " + b"{a: " * LEVELS + b"}" * LEVELS), r"nested too deep; write it with"
    ),
    "deep block": Case(listed(b"- " * LEVELS + b"x\n"), r"items\[0\] is not an object; "),
    "deep JSON": Case(JSON_HEAD + b'"items":' + b"[" * LEVELS + b"]" * LEVELS + b"}", r"nested too deep.*; write it"),
    "deep JSON, cut off": Case(b'{"a":' * LEVELS, r"nested too deep.*; write it with fewer levels"),
    "a deep JSON item": Case(
        JSON_HEAD + b'"items":[{"x":' + b'{"a":' * LEVELS + b"1" + b"}" * LEVELS + b"}]}",
        r"nested too deep.*; write it",
    ),
    "a deep functionConfig": Case(
        HEAD + b"items: []\nfunctionConfig: {spec: " + b"[" * LEVELS + b"]" * LEVELS + b"}\n",
        r"nested too deep; write it with fewer levels",
    ),
}

# What can be read and is wrong all the same: the items come out as they came.
OBJECTS: dict[str, Case] = {
    "no items": Case(HEAD, "there is no configuration: give a ClusternetCAPIConfig", kept=True),
    "null items": Case(HEAD + b"items: null\n", "there is no configuration: give", kept=True),
    "null items beside a config": Case(
        HEAD + FUNCTION_CONFIG + b"items: null\n",
        "the input has no Cluster for .+; add the Clusters to the input",
        kept=True,
    ),
    "a functionConfig of null": Case(
        listed(CLUSTER, b"functionConfig: null\n"), "there is no configuration: give", kept=True
    ),
    "a functionConfig without anything": Case(
        listed(CLUSTER, b"functionConfig: {}\n"), 'kind must be ClusternetCAPIConfig .+, not "" of ""', kept=True
    ),
    "a functionConfig of another kind": Case(
        listed(CLUSTER, b"functionConfig: {apiVersion: v1, kind: Pod}\n"),
        'kind must be ClusternetCAPIConfig .+, not "Pod" of "v1"',
        kept=True,
    ),
    "an unknown field": Case(
        listed(CLUSTER, FUNCTION_CONFIG.replace(b"parentURL", b"parentUrl: 'https://a.example', parentURL")),
        r"spec\.parentUrl is not a known field: .*parentURL",
        kept=True,
    ),
    "two Clusters of one name": Case(
        listed(CLUSTER + CLUSTER), "Cluster team-a/a appears twice in the input", kept=True
    ),
    "a label twice": Case(listed(CLUSTER + b"      env: dev\n"), _TWICE, kept=True),
    "labels twice": Case(listed(CLUSTER + b"    labels:\n      env: dev\n"), _TWICE, kept=True),
    "spec twice": Case(
        listed(CLUSTER + b"  spec: {}\n  spec:\n    topology: {}\n"),
        _TWICE,
        kept=True,
    ),
    "a bomb in a Cluster's labels": Case(
        listed(CLUSTER + bomb(b"      ")), r"aliases stand for more than \d+ values; ", kept=True
    ),
    "deep labels": Case(
        listed(CLUSTER + b"      x:\n      " + b"- " * LEVELS + b"x\n"),
        r"nested deeper than 250 levels; write it with fewer levels",
        kept=True,
    ),
    "a key that is null": Case(
        listed(CLUSTER + b"      ~: y\n"),
        r"a mapping key must be a string; put",
        kept=True,
    ),
    "a version that is gone": Case(
        listed(CLUSTER.replace(b"v1beta2", b"v1alpha4")),
        _CLUSTER + "apiVersion .+ was last served by Cluster API v1.5; upgrade the object",
        kept=True,
    ),
    "a version of the future for a Cluster": Case(
        listed(CLUSTER.replace(b"v1beta2", b"v7")),
        _CLUSTER + "apiVersion .+ is not supported; use",
        kept=True,
    ),
    "a Cluster without metadata": Case(
        listed(b"- apiVersion: cluster.x-k8s.io/v1beta2\n  kind: Cluster\n"),
        r"Cluster \(without a name\): metadata.name is missing; give the Cluster a name",
        kept=True,
    ),
    "an object of ours with a bomb": Case(
        listed(
            CLUSTER + b"- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: clusternet-cluster-api-agent\n"
            b"    namespace: team-a\n    labels: {app.kubernetes.io/managed-by: clusternet-capi-fn}\n"
            b"    annotations: {fn.clusternet.io/owner: fleet}\n  data:\n" + bomb(b"    ")
        ),
        r"aliases stand for more than \d+ values; ",
        kept=True,
    ),
}

BAD = {**DOCUMENTS, **OBJECTS}

# What is wrong in an object that is none of ours: it goes through as it came, and the run succeeds.
FOREIGN: dict[str, bytes] = {
    "a key twice": MAP + b"  data:\n    a: b\n    a: c\n",
    "an unknown tag": MAP + b"  data: !foo {a: b}\n",
    "a key that is a list": MAP + b"  ? [a, b]\n  : c\n",
    "a key that is a number": MAP + b"  1: c\n",
    "binary": MAP + b"  data: !!binary aaaa\n",
    "an alias to itself": b"- &a\n  apiVersion: v1\n  kind: ConfigMap\n  x: *a\n",
    "a bomb": MAP + bomb(b"  "),
    "deep": MAP + b"  x:\n  " + b"- " * LEVELS + b"x\n",
    "nothing in it": b"- {}\n",
    "two of one name": MAP + MAP,
    "a name that is a list": MAP.replace(b"keep", b"[keep]"),
    "a kind that is a map": MAP.replace(b"ConfigMap", b"{a: b}"),
    "a Cluster of somebody else": CLUSTER.replace(b"cluster.x-k8s.io/v1beta2", b"postgresql.cnpg.io/v1")
    + b"  spec: 1\n",
}

WRONG: dict[str, Any] = {
    "null": None,
    "a boolean": True,
    "a number": 1,
    "a fraction": 1.5,
    "text": "x",
    "no text": "",
    "a list": [],
    "a map": {},
    "a list of null": [None],
    "a map of numbers": {"a": 1},
}
ILLEGAL: dict[str, Any] = {
    "a path": "../../x",
    "capitals": "A_b",
    "a line end": "a\nb",
    "too long": "a" * 300,
    "a control character": "a\x1b[31mb",
}
