"""Compressed request bodies, bounded."""

from __future__ import annotations

import gzip
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ingest.sources.bodies import BodyError, inflate

ENCODE = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("encoding", ENCODE)
@given(body=st.binary(min_size=1, max_size=2000))
def test_what_was_compressed_comes_back(encoding: str, body: bytes) -> None:
    assert inflate(ENCODE[encoding](body), encoding, 2000) == body


def test_deflate_without_a_header_is_read_too() -> None:
    packer = zlib.compressobj(wbits=-15)
    assert inflate(packer.compress(b"{}") + packer.flush(), "deflate", 100) == b"{}"


def test_gzip_members_one_behind_the_other_are_one_body() -> None:
    assert inflate(gzip.compress(b"[1,") + gzip.compress(b"2]"), "gzip", 100) == b"[1,2]"


@pytest.mark.parametrize("encoding", ENCODE)
def test_one_byte_beyond_the_limit_is_refused(encoding: str) -> None:
    assert len(inflate(ENCODE[encoding](b"x" * 1000), encoding, 1000)) == 1000
    with pytest.raises(BodyError) as refused:
        inflate(ENCODE[encoding](b"x" * 1001), encoding, 1000)
    assert refused.value.status == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_is_refused_before_it_goes_off(encoding: str) -> None:
    bomb = ENCODE[encoding](bytes(50_000_000))
    assert len(bomb) < 100_000
    with pytest.raises(BodyError) as refused:
        inflate(bomb, encoding, 1_000_000)
    assert refused.value.status == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("damage", [lambda body: b"\0" + body, lambda body: b"{}"])
def test_damaged_data_is_a_client_error(encoding: str, damage: object) -> None:
    assert callable(damage)
    with pytest.raises(BodyError) as refused:
        inflate(damage(ENCODE[encoding](b"x" * 1000)), encoding, 1000)
    assert refused.value.status == 400


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_body_that_is_cut_off_is_never_taken_for_whole(encoding: str) -> None:
    body = ENCODE[encoding](bytes(range(256)) * 4)
    for end in range(1, len(body)):
        with pytest.raises(BodyError) as refused:
            inflate(body[:end], encoding, 10_000)
        assert refused.value.status == 400


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "nonsense"])
def test_an_unknown_encoding_is_named_with_the_known_ones(encoding: str) -> None:
    with pytest.raises(BodyError, match="gzip") as refused:
        inflate(b"x", encoding, 10)
    assert refused.value.status == 415
