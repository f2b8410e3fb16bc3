"""Writing files so that an interruption leaves the old state or the new one, never a mix that looks whole.

A file is written beside its place, forced to disk and renamed over it. A folder of ours (it holds a list of what we wrote
there, and nothing else) is built anew beside its place and exchanged with the old one in one step. A folder that also
holds files of others keeps them: ours are staged inside it and moved into place one by one, and moved back if that
fails; while it goes on, and after a kill that nothing can catch, the folder `.clusternet-capi-fn.unfinished` shows it.
"""

# File descriptors, links and renames are the matter here, and os names them.
# ruff: noqa: PTH101, PTH103, PTH104, PTH105, PTH106, PTH108, PTH110, PTH112, PTH113, PTH114, PTH116, PTH118, PTH119, PTH120, PTH123

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile

from krm_fn.krm.results import ERROR, Faults, Result, fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INVENTORY = ".clusternet-capi-fn"
UNFINISHED = INVENTORY + ".unfinished"

_HEAD = (
    "# Written by clusternet-capi-fn render: the files below are its own, and replaced or removed by the next run.\n"
)
_NEW, _OLD = "new", "old"  # below UNFINISHED: what is to come, what was there
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


def replace_file(path: str, pieces: Iterable[bytes]) -> None:
    """Replace a file, or make it; a pipe or device is written to.

    Raises:
        Faults: It can't be written; then it is as it was.
    """
    path = os.path.realpath(path)
    try:
        if os.path.exists(path) and not os.path.isfile(path):
            with open(path, "wb") as file:
                file.writelines(pieces)
            return
        handle, temporary = tempfile.mkstemp(prefix=INVENTORY + ".", dir=os.path.dirname(path))
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fchmod(handle, _mode_of(path))
                os.fsync(handle)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise _fault(path, error) from None


def replace_tree(folder: str, contents: Mapping[str, bytes]) -> bool:
    """Make a folder hold these files, and remove those that an earlier call wrote and this one does not.

    Args:
        folder: Made if missing, with its parents.
        contents: Paths below the folder, with `/`, and what is to stand there.

    Returns:
        Whether anything had to be written.

    Raises:
        Faults: A file of somebody else stands where one of ours belongs, or something can't be written; then the folder
            is as it was.
    """
    folder = os.path.realpath(folder)
    try:
        return _replace_tree(folder, contents)
    except OSError as error:
        raise _fault(folder, error) from None


def _replace_tree(folder: str, contents: Mapping[str, bytes]) -> bool:
    if os.path.exists(folder) and not os.path.isdir(folder):
        message = f"can't write {folder}: it is a file, not a folder"
        raise fault(message, file_path=folder)
    present = _files_below(folder) if os.path.isdir(folder) else set()
    ours = _inventory(folder) | _inventory(os.path.join(folder, UNFINISHED, _NEW))
    foreign = present - ours - {INVENTORY}
    _refuse(folder, foreign, contents)
    new = {**contents, INVENTORY: (_HEAD + "".join(f"{path}\n" for path in sorted(contents))).encode()}
    if _holds(folder, present, new):
        return False
    if foreign - set(contents) or _must_stay(folder):
        _move_in(folder, new, present & ours)
    else:
        _exchange_tree(folder, new)
    return True


def _must_stay(folder: str) -> bool:
    """Tell whether a folder can't be exchanged for another: a mount, where somebody stands, or left unfinished."""
    here = os.path.realpath(os.curdir) + os.sep
    unfinished = os.path.exists(os.path.join(folder, UNFINISHED))
    return unfinished or os.path.ismount(folder) or here.startswith(folder + os.sep)


def _fault(path: str, error: OSError) -> Faults:
    where = error.filename if isinstance(error.filename, str) and error.filename.startswith(path) else path
    reason = {errno.ENOSPC: "no space left on the device", errno.EROFS: "the file system is read-only"}.get(
        error.errno or 0, error.strerror or "unknown reason"
    )
    return fault(f"can't write {where}: {reason}; nothing was changed", file_path=path)


def _mode_of(path: str) -> int:
    """Return the permissions that a file has, or that a new one gets."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


# --- what is there ---------------------------------------------------------------------------------------------------


def _files_below(folder: str) -> set[str]:
    """Return everything below a folder that is no folder, as paths relative to it, and empty folders."""
    found: set[str] = set()
    for path, folders, files in os.walk(folder):
        relative = os.path.relpath(path, folder)
        if os.path.basename(path) == UNFINISHED:
            folders.clear()
            continue
        links = [name for name in folders if os.path.islink(os.path.join(path, name))]
        found.update(os.path.normpath(os.path.join(relative, name)) for name in (*files, *links))
        if not folders and not files and relative != ".":
            found.add(relative)
    return found


def _inventory(folder: str) -> set[str]:
    """Return what an earlier run wrote, as its list says; nothing where there is no list."""
    try:
        with open(os.path.join(folder, INVENTORY), encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return set()
    # a list that somebody edited must not make us remove files outside
    return {line for line in lines if line and not line.startswith(("#", "/")) and ".." not in line.split("/")}


def _refuse(folder: str, foreign: set[str], contents: Mapping[str, bytes]) -> None:
    """Refuse paths that lead out of the folder, and to overwrite files of somebody else.

    Raises:
        Faults: All of them.
    """
    faults = []
    for path in sorted(contents):
        where = os.path.join(folder, path)
        if not {"", os.curdir, os.pardir}.isdisjoint(path.split("/")):
            message = f"can't write {path!r}: it is no path below the folder"
            faults.append(Result(message=message, severity=ERROR, file_path=where))
        elif path in foreign and not _same_bytes(where, contents[path]):
            message = f"{where} exists and was not written by this command: move it away, or give another folder"
            faults.append(Result(message=message, severity=ERROR, file_path=where))
    if faults:
        raise Faults(faults)


def _same_bytes(path: str, data: bytes) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read() == data
    except OSError:
        return False


def _holds(folder: str, present: set[str], new: Mapping[str, bytes]) -> bool:
    """Tell whether a folder holds the new state already."""
    if os.path.exists(os.path.join(folder, UNFINISHED)) or not present.issuperset(new):
        return False
    gone = _inventory(folder) - set(new)
    return not gone & present and all(_same_bytes(os.path.join(folder, path), data) for path, data in new.items())


# --- writing ---------------------------------------------------------------------------------------------------------


def _stage(root: str, contents: Mapping[str, bytes]) -> None:
    """Write files below a folder and force them to disk."""
    for path, data in contents.items():
        where = os.path.join(root, path)
        os.makedirs(os.path.dirname(where), exist_ok=True)
        with open(where, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _exchange_tree(folder: str, contents: Mapping[str, bytes]) -> None:
    """Build a folder beside its place, then put it there in one step."""
    parent = os.path.dirname(folder)
    os.makedirs(parent, exist_ok=True)
    staged = tempfile.mkdtemp(prefix=INVENTORY + ".", dir=parent)
    try:
        os.chmod(staged, _folder_mode(folder))
        _stage(staged, contents)
        if os.path.isdir(folder):
            _exchange(staged, folder)
        else:
            os.rename(staged, folder)
        _sync(parent)
    finally:
        shutil.rmtree(staged, ignore_errors=True)  # the old tree, or the new one if it did not come so far


def _folder_mode(folder: str) -> int:
    try:
        return stat.S_IMODE(os.stat(folder).st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o777 & ~mask


def _exchange(one: str, other: str) -> None:
    """Exchange two folders: in one step where the system can (Linux), else by two renames, undone if the second fails."""
    import ctypes  # noqa: PLC0415 - for this one call

    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is not None:
        if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
            return
        code = ctypes.get_errno()
        if code not in {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}:
            raise OSError(code, os.strerror(code), other)
    aside = one + ".old"
    os.rename(other, aside)
    try:
        os.rename(one, other)
    except BaseException:
        os.rename(aside, other)
        raise
    os.rename(aside, one)


def _move_in(folder: str, contents: Mapping[str, bytes], ours: set[str]) -> None:
    """Put files into a folder beside those of others; what stood there is moved aside, and back if anything fails."""
    work = os.path.join(folder, UNFINISHED)
    new, old = os.path.join(work, _NEW), os.path.join(work, _OLD)
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(old)
    done: list[tuple[str, str]] = []
    try:
        _stage(new, contents)
        for path in sorted(ours - set(contents)):
            _move(os.path.join(folder, path), os.path.join(old, path), done)
        for path in sorted(contents, key=lambda path: (path == INVENTORY, path)):
            place = os.path.join(folder, path)
            if os.path.lexists(place):
                _move(place, os.path.join(old, path), done)
            _move(os.path.join(new, path), place, done)
    except BaseException:  # a signal too
        for source, target in reversed(done):
            if os.path.lexists(target) and not os.path.lexists(source):
                os.rename(target, source)
        shutil.rmtree(work, ignore_errors=True)
        raise
    shutil.rmtree(work, ignore_errors=True)
    _remove_empty(folder, ours - set(contents))
    _sync(folder)


def _move(source: str, target: str, done: list[tuple[str, str]]) -> None:
    os.makedirs(os.path.dirname(target), exist_ok=True)
    done.append((source, target))  # first, as a signal may come right after the rename
    os.rename(source, target)


def _remove_empty(folder: str, gone: set[str]) -> None:
    """Remove folders that held nothing but files of ours that are gone."""
    for path in gone:
        parent = os.path.dirname(path)
        while parent:
            try:
                os.rmdir(os.path.join(folder, parent))
            except OSError:
                break
            parent = os.path.dirname(parent)


def _sync(folder: str) -> None:
    """Force the renames in a folder to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
