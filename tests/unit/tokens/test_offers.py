"""What a configuration may read of the machine: variables by prefix, files by folder, parents by list."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from krm_fn.krm.results import Errors
from krm_fn.kube.secrets import Secret
from krm_fn.model import Config
from krm_fn.tokens import offers as module
from krm_fn.tokens.offers import MAX_FILE, Offers
from krm_fn.tokens.sources import EnvSource, ValueSource

TOKEN = "q2w3e4.r5t6y7u8i9o0p1a2"
PLANTED = "p1anted-and-never-to-be-seen"


@pytest.fixture
def offered(tmp_path: Path) -> Path:
    """Return a folder that the operator offers, beside a file that it does not."""
    folder = tmp_path / "offered"
    folder.mkdir()
    (folder / "regToken").write_text(TOKEN)
    (tmp_path / "private").write_text(PLANTED)
    return folder


def reading(folder: Path, name: str, **more: str) -> Secret:
    """Read a file with a folder offered by the variable."""
    return Offers({"CLUSTERNET_TOKEN_DIR": str(folder), **more}).file(name, field="spec.registrationToken.file")


def message(caught: pytest.ExceptionInfo[Errors]) -> str:
    (result,) = caught.value.results
    return result.message


# --- environment -----------------------------------------------------------------------------------------------------


def test_a_variable_with_the_prefix_is_read() -> None:
    assert Offers({"CLUSTERNET_TOKEN": TOKEN}).env("CLUSTERNET_TOKEN") == Secret(TOKEN)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("AWS_SECRET_ACCESS_KEY", "variable AWS_SECRET_ACCESS_KEY is not offered", id="another prefix"),
        pytest.param("HOME", "variable HOME is not offered", id="a common one"),
        pytest.param("CLUSTERNET_", "variable CLUSTERNET_ is not offered", id="the prefix alone"),
        pytest.param("clusternet_token", "variable clusternet_token is not offered", id="lower case"),
        pytest.param("XCLUSTERNET_TOKEN", "variable XCLUSTERNET_TOKEN is not offered", id="prefix inside"),
        pytest.param("CLUSTERNET_A\n", "environment variable is not offered", id="a line break"),
        pytest.param("CLUSTERNET_É", "environment variable is not offered", id="not ASCII"),
        pytest.param("", "environment variable is not offered", id="empty"),
        pytest.param("CLUSTERNET_TOKEN_DIR", "is a setting of this runner", id="the setting of the folder"),
        pytest.param("CLUSTERNET_PARENT_URLS", "is a setting of this runner", id="the setting of the parents"),
        pytest.param("CLUSTERNET_GONE", "CLUSTERNET_GONE is not set", id="unset"),
        pytest.param("CLUSTERNET_EMPTY", "CLUSTERNET_EMPTY is empty", id="set and empty"),
    ],
)
def test_any_other_variable_is_refused_and_no_value_is_shown(name: str, reason: str) -> None:
    environment = dict.fromkeys(
        ["AWS_SECRET_ACCESS_KEY", "HOME", "CLUSTERNET_", "clusternet_token", "XCLUSTERNET_TOKEN", "CLUSTERNET_A\n"],
        PLANTED,
    )
    environment |= {"CLUSTERNET_EMPTY": "", "CLUSTERNET_TOKEN_DIR": PLANTED, "CLUSTERNET_PARENT_URLS": PLANTED}
    with pytest.raises(Errors) as caught:
        Offers(environment).env(name)
    assert reason in message(caught)
    assert PLANTED not in message(caught)


def test_a_token_in_the_field_of_the_name_is_not_repeated() -> None:
    with pytest.raises(Errors) as caught:
        Offers({}).env(TOKEN)
    assert TOKEN not in message(caught)


def test_offers_show_nothing_of_the_environment() -> None:
    assert repr(Offers({"CLUSTERNET_TOKEN": TOKEN})) == "Offers(…)"


# --- files that are offered ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["regToken", "./regToken", ".//regToken"])
def test_a_file_in_the_folder_is_read(offered: Path, name: str) -> None:
    assert reading(offered, name) == Secret(TOKEN)


def test_an_absolute_path_below_the_folder_is_read(offered: Path) -> None:
    assert reading(offered, f"{offered}/regToken") == Secret(TOKEN)


def test_a_folder_given_with_a_slash_at_its_end_is_the_same(offered: Path) -> None:
    offers = Offers({"CLUSTERNET_TOKEN_DIR": f"{offered}/"})
    assert offers.file(f"{offered}/regToken") == Secret(TOKEN)


def test_the_default_folder_holds_where_the_variable_is_not_set(offered: Path) -> None:
    assert Offers({}, token_dir=str(offered)).file("regToken") == Secret(TOKEN)


def test_the_default_folder_is_where_container_engines_mount_secrets() -> None:
    with pytest.raises(Errors, match="folder /run/secrets/clusternet does not exist"):
        Offers({}).file("regToken")


def test_a_file_in_a_folder_below_is_read(offered: Path) -> None:
    (offered / "team" / "a").mkdir(parents=True)
    (offered / "team" / "a" / "token").write_text(TOKEN)
    assert reading(offered, "team/a/token") == Secret(TOKEN)


def test_the_links_of_a_mounted_secret_are_followed(offered: Path) -> None:
    stamped = offered / "..2026_11_23"
    stamped.mkdir()
    (stamped / "token").write_text(TOKEN)
    (offered / "..data").symlink_to("..2026_11_23")
    (offered / "token").symlink_to("..data/token")
    assert reading(offered, "token") == Secret(TOKEN)


def test_the_folder_itself_may_be_a_link(offered: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(offered)
    assert reading(link, "regToken") == Secret(TOKEN)
    assert reading(link, f"{link}/regToken") == Secret(TOKEN)
    assert reading(link, f"{offered}/regToken") == Secret(TOKEN)


def test_a_file_of_the_greatest_size_is_read(offered: Path) -> None:
    (offered / "big").write_text("a" * MAX_FILE)
    assert reading(offered, "big") == Secret("a" * MAX_FILE)


# --- files that are not ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("../private", id="up"),
        pytest.param("team/../../private", id="down and up"),
        pytest.param("team/../regToken", id="up inside"),
        pytest.param("..", id="the folder above"),
        pytest.param(".", id="the folder itself"),
        pytest.param("/", id="the root"),
        pytest.param("", id="empty"),
        pytest.param("/etc/passwd", id="a file of the system"),
        pytest.param("/proc/self/environ", id="the environment as a file"),
        pytest.param("/dev/zero", id="a device"),
        pytest.param("reg\0Token", id="NUL"),
        pytest.param("../gone", id="up to nothing"),
        pytest.param("reg\ud800Token", id="half a surrogate pair"),
        pytest.param("regToken\n", id="a line break"),
    ],
)
def test_a_path_that_leaves_the_folder_is_refused(offered: Path, name: str) -> None:
    with pytest.raises(Errors) as caught:
        reading(offered, name)
    assert f"is not offered: only files below {offered} are" in message(caught)


def test_a_path_that_only_begins_like_the_folder_is_refused(offered: Path, tmp_path: Path) -> None:
    (tmp_path / "offered-not").mkdir()
    (tmp_path / "offered-not" / "token").write_text(PLANTED)
    with pytest.raises(Errors, match="is not offered"):
        reading(offered, f"{offered}-not/token")


@pytest.mark.parametrize("target", ["../private", "/etc/passwd", "../gone", "..", "/proc/self/environ"])
def test_a_link_that_leaves_the_folder_is_refused(offered: Path, target: str) -> None:
    (offered / "link").symlink_to(target)
    with pytest.raises(Errors, match="link that leaves"):
        reading(offered, "link")


def test_a_linked_folder_that_leaves_is_refused(offered: Path) -> None:
    (offered / "team").symlink_to("..")
    with pytest.raises(Errors, match="link that leaves"):
        reading(offered, "team/private")


def test_what_lies_outside_is_refused_in_the_same_words_whether_it_exists_or_not(offered: Path) -> None:
    said = []
    for name in ("../private", "../missing"):
        with pytest.raises(Errors) as caught:
            reading(offered, name)
        said.append(message(caught).replace(name, "X"))
    assert said[0] == said[1]


def swap(monkeypatch: pytest.MonkeyPatch, change: Callable[[], None]) -> None:
    """Make a change between the moment a path is judged and the moment it is opened."""
    real = os.path.realpath

    def judged(path: str) -> str:
        found = real(path)
        if path.endswith("token"):
            change()
        return found

    monkeypatch.setattr(module.os.path, "realpath", judged)


def test_a_file_swapped_for_a_link_after_the_check_is_not_followed(
    offered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (offered / "token").write_text(TOKEN)

    def change() -> None:
        (offered / "token").unlink()
        (offered / "token").symlink_to("../private")

    swap(monkeypatch, change)
    with pytest.raises(Errors, match="can't be read"):
        reading(offered, "token")


def test_a_folder_swapped_for_a_link_after_the_check_is_not_followed(
    offered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (offered / "team").mkdir()
    (offered / "team" / "token").write_text(TOKEN)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "token").write_text(PLANTED)

    def change() -> None:
        (offered / "team" / "token").unlink()
        (offered / "team").rmdir()
        (offered / "team").symlink_to("../other")

    swap(monkeypatch, change)
    with pytest.raises(Errors, match="can't be read"):
        reading(offered, "team/token")


def fifo(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/null")


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(Path.mkdir, "is not a regular file", id="a folder"),
        pytest.param(fifo, "is not a regular file", id="a pipe without a writer"),
        pytest.param(unix_socket, "can't be read", id="a socket"),
        pytest.param(device, "link that leaves", id="a link to a device"),
        pytest.param(lambda path: path.symlink_to(path.name), "can't be read", id="a link to itself"),
        pytest.param(lambda path: path.write_bytes(b"\xff\xfe"), "is not UTF-8 text", id="no text"),
        pytest.param(lambda path: path.write_bytes(b"a" * (MAX_FILE + 1)), "is bigger than 64 KiB", id="too big"),
        pytest.param(lambda _path: None, "does not exist", id="missing"),
    ],
)
def test_what_is_no_token_file_is_refused(offered: Path, make: Callable[[Path], None], reason: str) -> None:
    make(offered / "thing")
    with pytest.raises(Errors) as caught:
        reading(offered, "thing")
    assert reason in message(caught)
    assert f"{offered}/thing" in message(caught)


def test_a_file_without_permission_is_named_with_the_user(offered: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open

    def closed(path: str, flags: int, *, dir_fd: int | None = None) -> int:
        if path == "regToken":
            raise PermissionError(13, "denied", path)
        return real(path, flags, dir_fd=dir_fd)

    monkeypatch.setattr(module.os, "open", closed)
    with pytest.raises(Errors, match=rf"is not readable by the user that this function runs as \(uid {os.getuid()}\)"):
        reading(offered, "regToken")


def test_no_handle_stays_open(offered: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - pathlib opens a handle of its own
    reading(offered, "regToken")
    with pytest.raises(Errors):
        reading(offered, "gone")
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 - the same


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        pytest.param("", "is set and empty: this runner offers no files", id="empty"),
        pytest.param("tokens", "must be an absolute path", id="relative"),
        pytest.param("/tok\0ens", "must be an absolute path", id="NUL"),
        pytest.param("/", "not the root of the machine", id="the root"),
        pytest.param("//", "not the root of the machine", id="the root twice"),
        pytest.param("/nowhere/at/all", "folder /nowhere/at/all does not exist", id="missing"),
        pytest.param("/etc/passwd", "folder /etc/passwd does not exist", id="a file"),
    ],
)
def test_a_folder_setting_that_offers_too_much_or_nothing_is_refused(folder: str, reason: str) -> None:
    with pytest.raises(Errors) as caught:
        Offers({"CLUSTERNET_TOKEN_DIR": folder}).file("regToken")
    assert reason in message(caught)


# --- parents ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        pytest.param("https://a.example:6443", "https://a.example:6443", id="the same"),
        pytest.param("https://a.example:6443/", "https://a.example:6443", id="slash in the list"),
        pytest.param("https://a.example:6443", "https://a.example:6443/", id="slash in the config"),
        pytest.param("HTTPS://A.Example", "https://a.example:443", id="case and default port"),
        pytest.param("https://b.example,https://a.example", "https://a.example", id="with a comma"),
        pytest.param("https://b.example\n  https://a.example\n", "https://a.example", id="with line breaks"),
        pytest.param("https://a.example/k8s/clusters/c1", "https://a.example/k8s/clusters/c1", id="with a path"),
        pytest.param("*", "https://a.example", id="a star alone"),
        pytest.param("https://b.example *", "https://a.example", id="a star beside others"),
    ],
)
@pytest.mark.parametrize("own_token", [True, False])
def test_a_listed_parent_is_allowed(
    make_config: Callable[..., Config], listed: str, url: str, *, own_token: bool
) -> None:
    config = make_config(source=EnvSource(variable="CLUSTERNET_TOKEN"), parent_url=url)
    Offers({"CLUSTERNET_PARENT_URLS": listed}).check_parent_url(config, own_token=own_token)


def test_a_token_of_the_configuration_itself_may_go_anywhere_without_a_list(make_config: Callable[..., Config]) -> None:
    Offers({}).check_parent_url(make_config(source=ValueSource(value=Secret("x"))), own_token=False)


def test_a_token_of_the_operator_goes_nowhere_without_a_list(make_config: Callable[..., Config]) -> None:
    with pytest.raises(Errors) as caught:
        Offers({}).check_parent_url(make_config(source=EnvSource(variable="CLUSTERNET_TOKEN")), own_token=True)
    (result,) = caught.value.results
    assert "registrationToken.env takes a token of this runner" in result.message
    assert "set CLUSTERNET_PARENT_URLS to their URLs, or to *" in result.message


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        pytest.param("", "https://a.example", id="an empty list"),
        pytest.param(" , ", "https://a.example", id="a list of nothing"),
        pytest.param("https://a.example", "https://b.example", id="another host"),
        pytest.param("https://a.example", "https://a.example.evil.example", id="a longer host"),
        pytest.param("https://a.example", "https://a.example:6443", id="another port"),
        pytest.param("https://a.example", "https://a.example/path", id="another path"),
        pytest.param("https://a.example/Path", "https://a.example/path", id="a path in another case"),
        pytest.param("https://a.example", "https://a.example@evil.example", id="user info"),
        pytest.param("https://a.example", "https://a.example?x", id="a query"),
        pytest.param("https://a.example", "http://a.example", id="another scheme"),
        pytest.param("a.example", "https://a.example", id="no scheme in the list"),
        pytest.param("https://*.example", "https://a.example", id="a star is no pattern"),
    ],
)
def test_a_parent_that_is_not_listed_is_refused_without_showing_the_list(
    make_config: Callable[..., Config], listed: str, url: str
) -> None:
    config = make_config(source=EnvSource(variable="CLUSTERNET_TOKEN"), parent_url=url)
    with pytest.raises(Errors) as caught:
        Offers({"CLUSTERNET_PARENT_URLS": f"{listed} https://secret.example"}).check_parent_url(
            config, own_token=True, file_path="f"
        )
    (result,) = caught.value.results
    assert "ask its operator to add it to CLUSTERNET_PARENT_URLS" in result.message
    assert "secret.example" not in result.message
    assert (result.field, result.file_path) == ("spec.parentURL", "f")


# --- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        pytest.param({}, None, id="unset"),
        pytest.param({"SOURCE_DATE_EPOCH": ""}, None, id="empty"),
        pytest.param({"SOURCE_DATE_EPOCH": "1700000000"}, 1_700_000_000, id="set"),
    ],
)
def test_the_time_of_reproducible_builds_is_read(environment: dict[str, str], expected: int | None) -> None:
    assert Offers(environment).epoch() == expected


@pytest.mark.parametrize("value", ["yesterday", "-1", "1.5", "1" * 16, " 1"])
def test_a_time_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(Errors, match="SOURCE_DATE_EPOCH must be a whole number"):
        Offers({"SOURCE_DATE_EPOCH": value}).epoch()
