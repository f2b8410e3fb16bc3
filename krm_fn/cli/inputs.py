"""Folders and files as the function's input, for the commands that run without kustomize or kpt."""

from __future__ import annotations

from krm_fn.model import GROUP
from krm_fn.sdk import documents
from krm_fn.sdk.records import Record
from krm_fn.sdk.results import WARNING, Result, fault, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from krm_fn.sdk.documents import Tree
    from krm_fn.sdk.items import Item

FUNCTION_ANNOTATION = "config.kubernetes.io/function"

# Fields of a kustomization.yaml that change nothing that is read here, or that name what is read here anyway.
_HARMLESS = frozenset(
    {
        "apiVersion",
        "kind",
        "metadata",
        "resources",
        "configurations",
        "generators",
        "transformers",
        "validators",
        "sortOptions",
        "buildMetadata",
        "openapi",
    }
)


class Input(Record):
    """What a command was given.

    Attributes:
        tree: The manifests; their items are the function's input.
        function_config: The config given apart from them; None to take those among the items.
        results: Warnings about what is not done with the input.
    """

    tree: Tree
    function_config: Item | None
    results: tuple[Result, ...]


def read(paths: Sequence[str], config: str | None = None, skip: Collection[str] = ()) -> Input:
    """Read manifests and, if it is given apart, the config.

    Args:
        paths: Folders, files, or `-` for stdin.
        config: File with one ClusternetCAPIConfig (or its ConfigMap form).
        skip: Real paths not to be read where they lie in a folder, such as the one to be written to.

    Raises:
        Faults: What can't be read, or a config file that holds not exactly one config.
    """
    warnings: list[Result] = []
    named: set[str] = set()

    def wanted(path: str, item: Item) -> bool:
        if item.group == "kustomize.config.k8s.io":
            warnings.extend(_not_done(path, item))
            named.update(_named(path, item))
            return False
        if item.group == "kpt.dev":
            return False
        annotations = item.metadata().get("annotations")
        foreign_function = isinstance(annotations, dict) and FUNCTION_ANNOTATION in annotations and item.group != GROUP
        if foreign_function:
            warnings.append(_function_not_run(path, item))
        return not foreign_function

    tree = documents.Tree.read(paths, skip=skip, wanted=wanted)
    function_config = None
    if config is not None:
        found = documents.Tree.read([config]).items
        if len(found) != 1:
            message = f"{config} holds {len(found)} objects; give a file with one ClusternetCAPIConfig"
            raise fault(message, file_path=config, tags=tagged(rule="config-file"))
        function_config = found[0]
    # what a kustomization.yaml names as its own settings is no object, and need not be
    passed_over = [one for one in tree.results if one.file_path not in named]
    return Input(tree=tree, function_config=function_config, results=(*passed_over, *warnings))


def baseline(folder: str | None) -> Sequence[Item] | None:
    """Read an earlier rendered tree; None where none was given."""
    return None if folder is None else documents.Tree.read([folder]).items


def _not_done(path: str, item: Item) -> list[Result]:
    """Warn of a kustomization.yaml that asks for more than reading files."""
    asked = sorted(key for key, value in item.value().items() if key not in _HARMLESS and value)
    if not asked:
        return []
    message = (
        f"{path} asks for {', '.join(asked)}, which this command does not do: it reads the files as they are. Use"
        " `kustomize build` with the function, or give the built output as -"
    )
    return [Result(message=message, severity=WARNING, file_path=path, tags=tagged(rule="kustomization-ignored"))]


def _named(path: str, item: Item) -> set[str]:
    """Return the files that a kustomization.yaml names, in any of its lists."""
    folder = path.rpartition("/")[0]
    found = set()
    for value in item.value().values():
        for one in value if isinstance(value, list) else ():
            name = one.get("path") if isinstance(one, dict) else one
            if isinstance(name, str):
                found.add(f"{folder}/{name}" if folder else name)
    return found


def _function_not_run(path: str, item: Item) -> Result:
    message = f"{path}: {item.kind} {item.name} configures another function, which is not run here"
    return Result(message=message, severity=WARNING, file_path=path, tags=tagged(rule="function-ignored"))
