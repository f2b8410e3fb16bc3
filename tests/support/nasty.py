"""Makes ResourceLists that are hard to cut: fragments that lie about where things begin, joined and mutated at will."""

from __future__ import annotations

from hypothesis import strategies as st

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"

HEADS = (
    HEAD,
    HEAD,
    HEAD,
    "kind: ResourceList\napiVersion: config.kubernetes.io/v1\n# c\n",
    "",
    f"---\n{HEAD}",
    f'{HEAD}functionConfig:\n  a: "x\nitems:\n- y"\n',
    f"{HEAD}functionConfig: &f\n  a: |\n    x\nresults:\n- message: a\n",
)
LISTS = (
    "items:\n",
    "items:\n",
    "items:\n",
    "items: # c\n",
    "items:\n# c\n\n",
    "items:\n  # d\n",
    "items: &a\n",
    "items: !!seq\n",
    "items: |\n",
    "items: []\n",
    '"items":\n',
    "items: ~\n",
)
RESTS = (
    "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: x\n",
    "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: x\n",
    "",
    "results:\n- message: x\n",
    "functionConfig: {a: b}\nresults: []\n",
    "items:\n- a: b\n",
    "kind: x\n",
    'foo: "\n- x"\n',
    "...\n",
    "---\na: b\n",
    "functionConfig: 'a\n",
    "results: []\nfunctionConfig:\n  apiVersion: v1\n",
)
ENTRIES = (
    "- apiVersion: v1\n  kind: ConfigMap\n  metadata:\n    name: a\n",
    "- apiVersion: v1\n  data:\n    a: b\n  kind: Secret\n",
    # a line that reads `kind:` in quotes, in flow style, in a block scalar
    "- apiVersion: v1\n  data:\n    a: 'it\n  kind: Cluster\n  x'\n  kind: ConfigMap\n",
    '- apiVersion: v1\n  data:\n    a: |\n      "x\n      kind: Foo\n  kind: ConfigMap\n',
    '- apiVersion: v1\n  data: {a: "x\n  kind: Cluster\n  "}\n  kind: ConfigMap\n',
    "- apiVersion: v1\n  data: [\n  kind: Cluster\n  ]\n",
    '- apiVersion: v1\n  metadata:\n    name: "a\n  kind: X"\n',
    "- apiVersion: v1\n  data: |\n   kind: Cluster\n  kind: ConfigMap\n",
    # the form of kustomize and kpt
    (
        "- apiVersion: cluster.x-k8s.io/v1beta1\n  kind: Cluster\n  metadata:\n    annotations:\n      a: 'b'\n      l: |\n"
        '        group: x\n        kind: Cluster\n    labels:\n      on: yes\n      e: "1"\n    name: c1\n    namespace: ns\n'
        '  spec:\n    topology:\n      x: "y"\n    other: 1\n'
    ),
    (
        "- # c\n  apiVersion: v1\n  kind: A # d\n  metadata: # e\n    name: x\n    labels: # f\n      a: b\n"
        "    annotations:   # k: v\n      # g\n      c: d\n  spec:\n    aaaa: b\n"
    ),
    "- # c\n\n  # d\n  apiVersion: v1   # kind: B\n  kind: A\n",
    "- #\n  kind: A\n  apiVersion: v1\n",
    "- # c\n    apiVersion: v1\n    kind: A\n",
    # values that go on in the next line
    "- apiVersion: v1\n  kind: Foo\n      bar\n",
    "- apiVersion: v1\n  kind: Foo\n\n      bar\n",
    "- apiVersion: v1\n    x\n  kind: Foo\n",
    '- apiVersion: v1\n  kind: A\n  d: "x\n# y\n- z"\n',
    "- apiVersion: v1\n  kind: A\n  d: 'x\n\n  y'\n",
    # types, twice, odd keys
    "- apiVersion: on\n  kind: y\n",
    "- kind: Foo\n  apiVersion: v1\n",
    '- apiVersion: v1\n  kind: A\n  "kind": B\n',
    "- apiVersion: v1\n  kind: A\n  kind: B\n",
    "- apiVersion: v1\n  ? kind\n  : A\n",
    "- apiVersion: v1\n  <<: {kind: A}\n",
    '- "apiVersion": v1\n  kind: A\n',
    "- {apiVersion: v1, kind: A}\n",
    # anchors
    "- a: &x 1\n  b: *x\n",
    "- apiVersion: v1\n  kind: A\n  z: *x\n",
    "- apiVersion: v1\n  kind: A\n  y: &x 1\n",
    # no objects, other columns
    "- foo\n",
    "- - a\n",
    "-\n  a: b\n",
    "- !!map\n  apiVersion: v1\n  kind: A\n",
    "  - apiVersion: v1\n    kind: A\n",
    "# comment\n",
    "  # indented\n",
    "\n",
    # metadata and spec that are not what their lines say
    "- apiVersion: v1\n  kind: A\n  metadata:\n    name: 'a\n    labels: x'\n",
    "- apiVersion: v1\n  kind: A\n  metadata:\n    labels:\n    - a\n  spec:\n    a: [\n    b]\n",
    "- apiVersion: v1\n  kind: A\n  metadata:\n    labels:\n      # none\n    name: x\n  spec:\n    aaaa: &a b\n    bbbb: *a\n",
    (
        "- apiVersion: v1\n  kind: A\n  metadata:\n    labels: {}\n    annotations:\n      x: |\n        a\n\n        b\n"
        "    name: 1\n  spec:\n    aaaa:\n    - 'x'\n    bbbb: \"\n    cccc: d\"\n"
    ),
    (
        "- apiVersion: v1\n  kind: A\n  metadata:\n    name: x # c\n    labels:\n      # d\n      k: v\n    # e\n"
        "  spec:\n    topology: {}\n    class: a\n"
    ),
    (
        "- apiVersion: v1\n  kind: A\n  metadata:\n    name: x\n  spec:\n    text: >\n      topology: x\n     y: 'z\n"
        "    kkkk: |2\n       a\n    topo: ? a\n"
    ),
    "- apiVersion: v1\n  kind: A\n  metadata:\n    name: ''\n    labels: ''\n  spec:\n    - 'y: \"z'\n    text: 'a\n    - b'\n",
)
SNIPPETS = (
    *"\n-:'\"[]{}&*|>#?!ab,%.\\\t ",
    "\n- ",
    "\n  ",
    "- apiVersion: v1\n",
    "  kind: A\n",
    "\n# ",
    "'\n",
    '"\n',
    "  metadata:\n",
    "    name: x\n",
    "    labels:\n",
    "      a: b\n",
    "  spec:\n",
    "ä",
    "\u2028",
    "\x85",
    "\r",
    "\r\n",
    "\0",
    "\ufeff",
    "---\n",
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A ResourceList, or what is left of one after some mutations."""
    entries = draw(st.lists(st.sampled_from(ENTRIES), min_size=1, max_size=5))
    text = draw(st.sampled_from(HEADS)) + draw(st.sampled_from(LISTS)) + "".join(entries) + draw(st.sampled_from(RESTS))
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2, 4]))):
        at = draw(st.integers(0, len(text)))
        choice = draw(st.integers(0, 3))
        if choice == 0:
            text = text[:at] + text[at + draw(st.sampled_from([1, 1, 2, 5, 20])) :]
        elif choice == 1:
            source = draw(st.integers(0, len(text)))
            text = text[:at] + text[source : source + draw(st.integers(1, 30))] + text[at:]
        else:
            text = text[:at] + draw(st.sampled_from(SNIPPETS)) + text[at:]
    return text
