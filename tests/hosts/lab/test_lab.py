"""The lab itself: nothing that it starts or writes outlives it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from tests.hosts.lab import lab as labs
from tests.hosts.lab.api import wait
from tests.hosts.programs import REPOSITORY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.lab import Lab

START = """
import time
from tests.hosts.lab import lab as labs, pki, servers
place = labs.claim()
etcd = servers.etcd(place.folder, place.ports)
etcd.start()
(place.folder / "left").touch()
print(place.folder / "left", etcd.pid, flush=True)
time.sleep(600)
"""


def test_the_servers_of_a_killed_lab_end_and_the_next_lab_removes_its_files(lab: Lab) -> None:
    killed = subprocess.Popen([sys.executable, "-c", START], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    left, pid = killed.stdout.readline().split()
    assert not left.startswith(str(lab.folder))
    wait(lambda: runs(pid), "etcd")  # the kernel shows a command line a moment after a program was started
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    wait(lambda: not runs(pid), "the end of etcd")
    labs.claim().release()
    assert not Path(left).exists()


def runs(pid: str) -> bool:
    """Whether a process runs; one that ended and was not collected yet has no command line."""
    path = Path(f"/proc/{pid}/cmdline")
    return path.exists() and path.read_bytes() != b""
