from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

from mirix.errors import SealError
from mirix.memory.envelope import Keyring, Sealed

ITEM = UUID("0198c1de-0000-7000-8000-000000000001")
KEYRING = Keyring(bytes(range(32)))
FILE_HEADER = 1 + 12 + 48 + 12  # format, nonce, wrapped data key, nonce

posix_only = pytest.mark.skipif(os.name != "posix", reason="permission bits are POSIX")


class BoxKeyring(KeyringBackend):
    """A system's keyring in a dictionary."""

    priority = 1.0

    def __init__(self, *, locked: bool = False, forgetful: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = locked
        self.forgetful = forgetful

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("locked")
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if self.locked:
            raise KeyringLocked("locked")
        if not self.forgetful:
            self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


def seal(value: str = "Plover-Ledge-1907") -> Sealed:
    return KEYRING.seal(value, user_id=7, item_id=ITEM, version=1)


def with_part(sealed: Sealed, part: str, content: bytes) -> Sealed:
    return replace(sealed, **{part: content})  # type: ignore[arg-type]


@given(value=st.text(), user_id=st.integers(0, 2**31 - 1), item_id=st.uuids(), version=st.integers(1, 10_000))
def test_a_value_comes_back_as_it_was(value: str, user_id: int, item_id: UUID, version: int) -> None:
    sealed = KEYRING.seal(value, user_id=user_id, item_id=item_id, version=version)
    assert KEYRING.open(sealed, user_id=user_id, item_id=item_id, version=version) == value


@given(data=st.data())
def test_any_flipped_bit_is_noticed(data: st.DataObject) -> None:
    sealed = seal()
    part = data.draw(st.sampled_from(["ciphertext", "nonce", "wrapped_key"]))
    content = bytearray(getattr(sealed, part))
    content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError, match="changed or moved"):
        KEYRING.open(with_part(sealed, part, bytes(content)), user_id=7, item_id=ITEM, version=1)


@given(length=st.integers(0, 40))
def test_a_value_cut_short_does_not_open(length: int) -> None:
    sealed = seal()
    for part in ("ciphertext", "nonce", "wrapped_key"):
        content = getattr(sealed, part)
        if length < len(content):
            with pytest.raises(SealError):
                KEYRING.open(with_part(sealed, part, content[:length]), user_id=7, item_id=ITEM, version=1)


@pytest.mark.parametrize(("user_id", "item_id", "version"), [(8, ITEM, 1), (7, uuid4(), 1), (7, ITEM, 2)])
def test_a_row_moved_to_another_user_item_or_version_does_not_open(user_id: int, item_id: UUID, version: int) -> None:
    with pytest.raises(SealError, match="changed or moved"):
        KEYRING.open(seal(), user_id=user_id, item_id=item_id, version=version)


def test_a_data_key_does_not_open_another_item() -> None:
    other = KEYRING.seal("other", user_id=7, item_id=uuid4(), version=1)
    with pytest.raises(SealError):
        KEYRING.open(replace(seal(), wrapped_key=other.wrapped_key), user_id=7, item_id=ITEM, version=1)


def test_a_wrong_key_is_told_plainly() -> None:
    other = Keyring(bytes(32))
    with pytest.raises(SealError, match=f"sealed with key {KEYRING.key_id}, the key at memory is {other.key_id}"):
        other.open(seal(), user_id=7, item_id=ITEM, version=1)


def test_a_forged_key_id_does_not_help() -> None:
    other = Keyring(bytes(32))
    with pytest.raises(SealError):
        other.open(replace(seal(), key_id=other.key_id), user_id=7, item_id=ITEM, version=1)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(SealError, match="format 2"):
        KEYRING.open(replace(seal(), format_version=2), user_id=7, item_id=ITEM, version=1)


def test_the_same_value_never_looks_the_same() -> None:
    one, two = seal(), seal()
    assert len({one.ciphertext, two.ciphertext}) == len({one.nonce, two.nonce}) == 2
    assert one.wrapped_key != two.wrapped_key


def test_nothing_secret_shows_in_repr() -> None:
    sealed = seal("hunter2")
    for shown in (repr(KEYRING), repr(sealed), str(sealed)):
        assert "hunter2" not in shown
        assert bytes(range(32)).hex() not in shown
        assert sealed.ciphertext.hex() not in shown
        assert repr(sealed.ciphertext) not in shown


@given(content=st.binary(max_size=2_000))
def test_a_file_comes_back_as_it_was(content: bytes) -> None:
    sealed = KEYRING.seal_bytes(content, user_id=7, item_id=ITEM)
    assert len(sealed) == FILE_HEADER + len(content) + 16
    assert KEYRING.open_bytes(sealed, user_id=7, item_id=ITEM) == content


@given(data=st.data())
def test_a_changed_file_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(KEYRING.seal_bytes(b"frame", user_id=7, item_id=ITEM))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        KEYRING.open_bytes(bytes(sealed), user_id=7, item_id=ITEM)


def test_a_file_of_another_user_or_key_does_not_open() -> None:
    sealed = KEYRING.seal_bytes(b"frame", user_id=7, item_id=ITEM)
    for keyring, user_id, content in ((KEYRING, 8, sealed), (Keyring(bytes(32)), 7, sealed), (KEYRING, 7, b"")):
        with pytest.raises(SealError):
            keyring.open_bytes(content, user_id=user_id, item_id=ITEM)


def test_digests_tell_users_and_purposes_and_keys_apart() -> None:
    digests = {
        KEYRING.digest(7, "text"),
        KEYRING.digest(8, "text"),
        KEYRING.digest(7, "text", "vault"),
        KEYRING.digest(7, "text2"),
        Keyring(bytes(32)).digest(7, "text"),
    }
    assert len(digests) == 5
    assert KEYRING.digest(7, "text") == Keyring(bytes(range(32))).digest(7, "text")


def test_a_key_file_is_made_once_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "new" / "vault.key"
    first = Keyring.from_config(path, use_os_keyring=False)
    content = path.read_bytes()
    assert len(content) == 32
    assert Keyring.from_config(path, use_os_keyring=False).key_id == first.key_id
    assert Keyring.from_config(path, use_os_keyring=True, backend=BoxKeyring()).key_id == first.key_id
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == ["vault.key"]


@posix_only
def test_a_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    Keyring.from_config(path, use_os_keyring=False)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(SealError, match="chmod 600"):
        Keyring.from_config(path, use_os_keyring=False)


def test_a_damaged_key_file_is_an_error_and_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "vault.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(SealError, match="5 bytes instead of 32"):
        Keyring.from_config(path, use_os_keyring=False)
    assert path.read_bytes() == b"short"


def test_a_place_that_cannot_hold_the_key_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(SealError, match="MIRIX_DATA_DIR"):
        Keyring.from_config(tmp_path / "file" / "vault.key", use_os_keyring=False)


def _key_id(path: Path, use_backend: bool) -> str:
    return Keyring.from_config(path, use_os_keyring=use_backend).key_id


def test_processes_that_start_at_once_agree_on_one_key(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        ids = pool.starmap(_key_id, [(tmp_path / "vault.key", False)] * 12, chunksize=1)
    assert len(set(ids)) == 1


def test_the_key_lives_in_the_keyring_of_the_system_where_there_is_one(tmp_path: Path) -> None:
    box, path = BoxKeyring(), tmp_path / "vault.key"
    first = Keyring.from_config(path, use_os_keyring=True, backend=box)
    ((_, stored),) = box.entries.items()
    assert bytes.fromhex(stored) not in path.read_bytes()
    assert stored.encode() not in path.read_bytes()
    assert Keyring.from_config(path, use_os_keyring=True, backend=box).key_id == first.key_id
    assert first.place == "the system's keyring"


def test_two_databases_have_two_keys_in_the_keyring(tmp_path: Path) -> None:
    box = BoxKeyring()
    one = Keyring.from_config(tmp_path / "one.key", use_os_keyring=True, backend=box)
    two = Keyring.from_config(tmp_path / "two.key", use_os_keyring=True, backend=box)
    assert one.key_id != two.key_id
    assert len(box.entries) == 2


@pytest.mark.parametrize("lost", ["locked", "empty", "damaged"])
def test_a_keyring_that_lost_the_key_is_an_error_and_not_a_second_key(tmp_path: Path, lost: str) -> None:
    box, path = BoxKeyring(), tmp_path / "vault.key"
    Keyring.from_config(path, use_os_keyring=True, backend=box)
    content = path.read_bytes()
    (name,) = box.entries
    replaced: dict[tuple[str, str], str] = {} if lost == "empty" else {name: "no hex"}
    box.locked, box.entries = lost == "locked", replaced
    with pytest.raises(SealError, match="unlock the keyring"):
        Keyring.from_config(path, use_os_keyring=True, backend=box)
    assert path.read_bytes() == content


@pytest.mark.parametrize("box", [BoxKeyring(locked=True), BoxKeyring(forgetful=True)])
def test_without_a_keyring_that_keeps_the_key_is_in_the_file(tmp_path: Path, box: BoxKeyring) -> None:
    made = Keyring.from_config(tmp_path / "vault.key", use_os_keyring=True, backend=box)
    assert made.place == str(tmp_path / "vault.key")
    assert len((tmp_path / "vault.key").read_bytes()) == 32


def test_a_keyring_that_is_required_and_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SealError, match="MIRIX_KEYRING=file"):
        Keyring.from_config(tmp_path / "vault.key", use_os_keyring=True, required=True, backend=BoxKeyring(locked=True))
    assert not (tmp_path / "vault.key").exists()
