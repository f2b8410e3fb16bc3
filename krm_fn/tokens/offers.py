"""What the operator of a runner offers: the only module that reads a variable or a file which a configuration names.

The function may run where the operator's credentials are available, on configurations of people who are not trusted with
them (SECURITY.md). So a configuration names a variable or a file, and here it is decided whether that one was offered:
variables by the prefix `CLUSTERNET_`, files by being in one folder. Messages name the variable or the path as the
configuration gave it, and reveal nothing of a place that was not offered, not even whether it exists.
"""

from __future__ import annotations

import os
import re

from krm_fn.base import late
from krm_fn.krm.results import Errors
from krm_fn.kube.secrets import Secret, looks_like_token
from krm_fn.tokens import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.model import Config

PREFIX = "CLUSTERNET_"
TOKEN_DIR = "CLUSTERNET_TOKEN_DIR"  # noqa: S105 - the name of a variable
PARENT_URLS = "CLUSTERNET_PARENT_URLS"
DEFAULT_TOKEN_DIR = "/run/secrets/clusternet"  # noqa: S105 - a folder
SOURCE_DATE_EPOCH = "SOURCE_DATE_EPOCH"
MAX_FILE = 64 * 1024

_MISSING = "does not exist where this function runs"
_SETTINGS = frozenset({TOKEN_DIR, PARENT_URLS})
_NAME = late(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_OFFERED_NAME = late(r"CLUSTERNET_[A-Za-z0-9_]+\Z")
_EPOCH = late(r"[0-9]{1,15}\Z")
_URL = late(r"([^:/?#]+)://([^/?#]*)(.*)\Z", re.DOTALL)


class Offers:
    """The environment and the folder of token files of one run."""

    def __init__(self, environment: Mapping[str, str], token_dir: str = DEFAULT_TOKEN_DIR) -> None:
        """Take the environment and the folder that counts where `CLUSTERNET_TOKEN_DIR` is not set."""
        self._environment = environment
        self._token_dir = environment.get(TOKEN_DIR, token_dir)

    def __repr__(self) -> str:
        """Show nothing of the environment."""
        return "Offers(…)"

    def tokens(self) -> list[Secret]:
        """Return what is offered by environment, asked for or not, so that nothing shows it."""
        offered = {name: value for name, value in self._environment.items() if name.startswith(PREFIX)}
        return [Secret(value) for value in offered.values() if looks_like_token(value)]

    def env(self, name: str, **where: Any) -> Secret:
        """Return the value of an environment variable `CLUSTERNET_…`.

        Raises:
            Errors: The name was not offered, or the variable is not set or empty.
        """
        rule = ""
        if not _OFFERED_NAME.match(name):
            # what is no name of a variable may be the token itself, put into the wrong field
            shown = f"variable {name}" if _NAME.match(name) else "variable"
            message = f"environment {shown} is not offered: only names that begin with {PREFIX} are"
        elif name in _SETTINGS:
            message = f"environment variable {name} is a setting of this runner, not a token: name another"
        elif value := self._environment.get(name):
            return Secret(value)
        else:
            problem = "is empty" if name in self._environment else "is not set"
            message, rule = f"environment variable {name} {problem} where this function runs: set it there", ABSENT
        raise Errors.of(message, rule=rule, **where)

    def file(self, name: str, **where: Any) -> Secret:
        """Return the text of a file below the offered folder, named by a relative path or an absolute one below it.

        Links are followed as long as they end in the folder, which is how the kubelet mounts a Secret. What is opened
        is the resolved path, part by part and without following links again, so that nothing can be swapped in between.

        Raises:
            Errors: The path is outside, missing, no regular file, too big, not readable or not text.
        """
        folder = self._folder(where)
        relative = _below(folder, self._token_dir, name)
        if relative is None:
            message = (
                f"file {name!r} is not offered: only files below {self._token_dir} are "
                f"(the operator of this runner sets {TOKEN_DIR})"
            )
            raise Errors.of(message, **where)
        shown = f"{self._token_dir.rstrip('/')}/{relative}"
        target = os.path.realpath(os.path.join(folder, relative))  # noqa: PTH118 - pathlib costs start-up time
        if not target.startswith(folder + "/"):
            message = f"file {shown} is not offered: it is a link that leaves {self._token_dir}"
            raise Errors.of(message, **where)
        text, reason = _read(folder, target[len(folder) + 1 :])
        if reason:
            message = f"file {shown} {reason}"
            raise Errors.of(message, rule=ABSENT if reason == _MISSING else "", **where)
        return Secret(text)

    def check_parent_url(self, config: Config, *, own_token: bool, **where: Any) -> None:
        """Refuse a parent that the operator's list lacks.

        Without this a tenant could send the operator's token (`own_token`) to a server of its own; so there the list must
        be set. `*` in it allows every parent. The list is not printed: it may name parents that are none of the tenant's
        business.

        Raises:
            Errors: `CLUSTERNET_PARENT_URLS` does not list `spec.parentURL`, or has to be set and is not.
        """
        listed = self._environment.get(PARENT_URLS)
        if listed is None:
            if own_token:
                message = (
                    f"registrationToken.{config.token.kind} takes a token of this runner, and its operator has not said which "
                    f"parents may get it: set {PARENT_URLS} to their URLs, or to * if the runner renders its owner's "
                    "repository alone"
                )
                raise Errors.of(message, rule=ABSENT, **where)
            return
        allowed = {_normal(url) for url in re.split(r"[\s,]+", listed) if url}
        if "*" not in allowed and _normal(config.parent_url) not in allowed:
            message = f"parentURL is not one that this runner may use: ask its operator to add it to {PARENT_URLS}"
            raise Errors.of(message, **{**where, "field": "spec.parentURL"})

    def epoch(self) -> int | None:
        """Return the time of reproducible builds (`SOURCE_DATE_EPOCH`, seconds); None when it is not set.

        Raises:
            Errors: It is set and is no whole number.
        """
        value = self._environment.get(SOURCE_DATE_EPOCH, "")
        if not value:
            return None
        if not _EPOCH.match(value):
            message = f"environment variable {SOURCE_DATE_EPOCH} must be a whole number of seconds since 1970"
            raise Errors.of(message)
        return int(value)

    def _folder(self, where: Mapping[str, Any]) -> str:
        """Return the resolved folder of token files."""
        given = self._token_dir
        folder = os.path.realpath(given) if given.startswith("/") and "\0" not in given else ""
        if not given:
            message = f"environment variable {TOKEN_DIR} is set and empty: this runner offers no files"
        elif not folder:
            # a relative one would begin where the host started us: in a tenant's checkout
            message = f"environment variable {TOKEN_DIR} must be an absolute path, not {given!r}"
        elif folder == "/":
            message = f"environment variable {TOKEN_DIR} must name a folder of token files, not the root of the machine"
        elif os.path.isdir(folder):  # noqa: PTH112 - pathlib costs start-up time
            return folder
        else:
            message = (
                f"folder {given} does not exist where this function runs: mount the token there, "
                f"or have the operator set {TOKEN_DIR}"
            )
            raise Errors.of(message, rule=ABSENT, **where)
        raise Errors.of(message, **where)


def _below(folder: str, given: str, name: str) -> str | None:
    """Return a path relative to the folder, decided on the text alone; None when it leads or could lead outside."""
    if not name or not name.isprintable():  # NUL and half surrogate pairs are no part of any path
        return None
    if name.startswith("/"):
        for base in (given.rstrip("/"), folder):
            if name.startswith(base + "/"):
                name = name[len(base) :]
                break
        else:
            return None
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return None if not parts or ".." in parts else "/".join(parts)


def _read(folder: str, relative: str) -> tuple[str, str]:
    """Read a regular file by walking down from the folder, following no link; or return why not."""
    import stat  # noqa: PLC0415 - only a token file needs it

    from krm_fn.files.reading import open_below  # noqa: PLC0415 - the same

    try:
        handle = open_below(folder, relative.split("/"))
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                return "", "is not a regular file"
            with os.fdopen(os.dup(handle), "rb") as stream:
                content = stream.read(MAX_FILE + 1)
        finally:
            os.close(handle)
        if len(content) > MAX_FILE:
            return "", f"is bigger than {MAX_FILE // 1024} KiB, so it holds no token"
        return content.decode(), ""
    except OSError as error:
        denied = f"is not readable by the user that this function runs as (uid {os.getuid()})"
        known = {FileNotFoundError: _MISSING, PermissionError: denied}
        return "", known.get(type(error), f"can't be read: {os.strerror(error.errno or 0)}")
    except UnicodeDecodeError:
        return "", "is not UTF-8 text, so it holds no token"


def _normal(url: str) -> str:
    """Return a URL in the form in which two are compared: scheme and host in lower case, no port 443, no last slash."""
    match = _URL.match(url)
    if match is None:
        return url
    scheme, host, rest = match.groups()
    return f"{scheme.lower()}://{host.lower().removesuffix(':443')}{rest.rstrip('/')}"
