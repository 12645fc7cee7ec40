"""A signing key of its own for every test."""

from __future__ import annotations

from pathlib import Path

import pytest

from lineage.audit.signing import SETTING, SigningKey, signing_key


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SigningKey:
    monkeypatch.setenv(SETTING, str(tmp_path / "keys" / "signing.key"))
    return signing_key()
