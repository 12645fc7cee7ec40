"""The key that signs checkpoints, packs and baselines. It never lies in the database (semantics 25)."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import MeshlineError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SETTING = "MESHLINE_SIGNING_KEY"


class SigningError(MeshlineError):
    """The signing key cannot be read, written or trusted."""


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key (RFC 8032)."""

    seed: bytes  # 32 bytes, secret

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @cached_property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._private.public_key().public_bytes_raw()

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the public key, for people to compare."""
        return fingerprint(self.public)

    def sign(self, data: bytes) -> bytes:
        """Signature of ``data``, 64 bytes."""
        return self._private.sign(data)

    def __repr__(self) -> str:
        return f"SigningKey({self.fingerprint})"


def fingerprint(public: bytes) -> str:
    """SHA-256 of a public key, hexadecimal.

    >>> fingerprint(bytes(32))[:8]
    '66687aad'
    """
    return hashlib.sha256(public).hexdigest()


def verify_signature(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether ``signature`` of ``data`` was made with the private half of ``public``."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_file() -> Path:
    """Where the key is: ``MESHLINE_SIGNING_KEY``, else ``meshline/signing.key`` in the user's configuration folder."""
    named = os.environ.get(SETTING)
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "meshline" / "signing.key"


def signing_key(*, create: bool = True) -> SigningKey:
    """The key of this machine; made at its first use.

    Parameters
    ----------
    create
        make one when there is none.

    Raises
    ------
    SigningError
        when it cannot be read, when others may read it, or when it is no key.
    """
    file = key_file()
    try:
        found = file.stat()
    except FileNotFoundError:
        if not create:
            raise SigningError(f"There is no signing key {file}. Make one with: meshline audit checkpoint") from None
        return _make(file)
    except OSError as error:
        raise SigningError(f"The signing key {file} cannot be read: {error.strerror}.") from None
    if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
        raise SigningError(f"Others may read the signing key {file}. Put that right with: chmod 600 {file}")
    try:
        seed = base64.b64decode(file.read_text("ascii").strip(), validate=True)
    except OSError as error:
        raise SigningError(f"The signing key {file} cannot be read: {error.strerror}.") from None
    except ValueError:
        seed = b""
    if len(seed) != 32:
        raise SigningError(f"{file} is no signing key: 32 bytes in base64 are wanted. Name another with {SETTING}.")
    return SigningKey(seed)


def _make(file: Path) -> SigningKey:
    """Write a new key in one step: whoever looks at the file sees a whole key or none."""
    seed = os.urandom(32)
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=file.parent)  # mode 0600
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(base64.b64encode(seed).decode() + "\n")
        try:
            os.link(name, file)
        finally:
            Path(name).unlink()
    except FileExistsError:  # another process was quicker
        return signing_key(create=False)
    except OSError as error:
        raise SigningError(
            f"No signing key can be kept at {file}: {error.strerror}. Name another place with {SETTING}."
        ) from None
    return SigningKey(seed)
