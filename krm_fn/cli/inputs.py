"""Folders and files as the function's input, for the commands that run without kustomize or kpt."""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.cli import kustomizations
from krm_fn.files import documents
from krm_fn.krm.results import WARNING, Result, fault, tagged
from krm_fn.surface import GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from krm_fn.files.documents import Tree
    from krm_fn.krm.items import Item

SETTINGS_GROUPS = ("kustomize.config.k8s.io", "kpt.dev")
FUNCTION_ANNOTATION = "config.kubernetes.io/function"


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
    settings = kustomizations.scan([path for path in paths if path != documents.STDIN])
    warnings: list[Result] = list(settings.results)

    def wanted(path: str, item: Item) -> bool:
        if item.group in SETTINGS_GROUPS:
            return False
        if not item.contains(FUNCTION_ANNOTATION.encode()):
            return True
        annotations = item.metadata().get("annotations")
        foreign_function = isinstance(annotations, dict) and FUNCTION_ANNOTATION in annotations and item.group != GROUP
        if foreign_function:
            warnings.append(_function_not_run(path, item))
        return not foreign_function

    tree = documents.Tree.read(paths, skip={*skip, *settings.skip}, wanted=wanted)
    function_config = None
    if config is not None:
        found = documents.Tree.read([config]).items
        if len(found) != 1:
            message = f"{config} holds {len(found)} objects; give a file with one ClusternetCAPIConfig"
            raise fault(message, file_path=config, tags=tagged(rule="config-file"))
        function_config = found[0]
    return Input(tree=tree, function_config=function_config, results=(*tree.results, *warnings))


def baseline(folder: str | None) -> Sequence[Item] | None:
    """Read an earlier rendered tree; None where none was given."""
    return None if folder is None else documents.Tree.read([folder]).items


def _function_not_run(path: str, item: Item) -> Result:
    message = f"{path}: {item.kind} {item.name} configures another function, which is not run here"
    return Result(message=message, severity=WARNING, file_path=path, tags=tagged(rule="function-ignored"))
