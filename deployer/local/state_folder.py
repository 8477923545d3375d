"""The state folder: everything that the local AWS writes lies in it, and no other user can look into it.

    credentials   the secret of this local AWS, as an AWS credentials file
    running       who uses the folder: {"pid": …, "port": …, "ready": …}, locked by that process for as long as it lives
    data/         what is kept (with PERSIST_STATE=1): environment variables of functions, items of tables, …
    tmp/          the code of functions and their temporary files; emptied at each start and stop

The lock is the kernel's (`fcntl`): it names the process that holds it, so a record that a killed process left behind is
never taken for a running one, whatever process has its number now.
"""

import base64
import configparser
import fcntl
import json
import os
import pathlib
import secrets
import shutil
import stat

ACCOUNT = "000000000000"  # whose credentials are written to the file

_CREDENTIALS = """\
# Made by the local AWS. Whoever has this secret may do everything in it, and run code as you; no other AWS knows it.
# To have another one, remove this file while the local AWS is stopped.
[default]
aws_access_key_id = {account}
aws_secret_access_key = {secret}
"""


class NotPrivate(Exception):
    """Another user could read or change what is in the folder."""


class InUse(Exception):
    """Another process uses the folder."""


class StateFolder:
    """The folder at an absolute path, made and closed to other users."""

    def __init__(self, path: str):
        self.path = pathlib.Path(path)
        self.data, self.temporary = self.path / "data", self.path / "tmp"
        self._record: int | None = None
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(self.path)
        self.path.chmod(0o700)
        for found in self.path.iterdir():
            _check_owner(found)

    def claim(self) -> None:
        """Claims the folder for the life of this process, whichever way it ends. Raises `InUse`."""
        # One descriptor for all time: closing any other one of this file would give up the lock.
        self._record = os.open(self.path / "running", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(self._record, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InUse(f"the state in {self.path} is in use by another local AWS") from None
        os.truncate(self._record, 0)
        self.empty_temporary()
        self.temporary.mkdir(mode=0o700)
        self.data.mkdir(mode=0o700, exist_ok=True)
        self._close_to_others()

    def record(self, port: int, ready: bool) -> None:
        """Says where this process listens, and whether it answers already."""
        text = json.dumps({"pid": os.getpid(), "port": port, "ready": ready}).encode()
        os.pwrite(self._record, text, 0)
        os.truncate(self._record, len(text))

    def secret(self) -> str:
        """The secret; a new one if there is none yet, or if others could have read it."""
        path = self.path / "credentials"
        try:
            if stat.S_IMODE(path.stat(follow_symlinks=False).st_mode) & 0o077 == 0:
                return _read_secret(path)
            path.unlink()
        except FileNotFoundError:
            pass
        secret = base64.urlsafe_b64encode(secrets.token_bytes(30)).decode()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "w") as file:
            file.write(_CREDENTIALS.format(account=ACCOUNT, secret=secret))
        return secret

    def empty_temporary(self) -> None:
        """Removes the temporary files."""
        shutil.rmtree(self.temporary, ignore_errors=True)

    def _close_to_others(self) -> None:
        """Older versions made files that everybody could read."""
        for folder, _folders, files in os.walk(self.data):
            os.chmod(folder, 0o700)
            for file in files:
                path = pathlib.Path(folder, file)
                if not path.is_symlink():
                    path.chmod(0o600)


def _check_owner(path: pathlib.Path) -> None:
    owner = path.stat(follow_symlinks=False).st_uid
    if owner != os.geteuid():
        raise NotPrivate(f"{path} belongs to another user (number {owner})")


def _read_secret(path: pathlib.Path) -> str:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text())
        secret = parser.get("default", "aws_secret_access_key")
    except (configparser.Error, UnicodeDecodeError):
        secret = ""
    if len(secret) < 20:
        raise NotPrivate(f"{path} holds no secret of a local AWS: remove it to get a new one")
    return secret
