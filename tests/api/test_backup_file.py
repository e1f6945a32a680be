"""The file of a backup by itself: whole or not there, and nothing changed in it goes unnoticed."""

from __future__ import annotations

import contextlib
import hashlib
import stat
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.backups import archive
from api.backups.archive import DamagedBackup
from gis.errors import CityGridError, Conflict, Unavailable

DUMP = bytes(range(256)) * 3
PHOTOS = [b"\xff\xd8 first", b"\xff\xd8 second"]


def write(path):
    with archive.writing(path) as writing:
        with writing.dump() as part:
            part.write(DUMP[:100])
            part.write(DUMP[100:])
        for jpeg in PHOTOS:
            writing.photo(hashlib.sha256(jpeg).hexdigest(), jpeg)
        return writing.finish(
            product="0.1.0", revision="0013", made_at="2026-11-25T10:00:00+08:00", postgres=15,
            rows={"incident": 3}, seal="ab", dump_sha256=part.sha256, dump_bytes=part.bytes, photos_missing=0,
        )  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("backup") / "city.backup"
    write(path)
    return path


def read(path):
    """(manifest, dump, photographs) of a file that says it is whole."""
    with archive.opened(path) as backup:
        backup.check(lambda more: None)
        return backup.manifest, b"".join(backup.chunks()), [jpeg for _, jpeg in backup.photos()]


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / "city.backup"
    manifest = write(path)
    assert read(path) == (manifest, DUMP, PHOTOS)
    assert (manifest.dump_bytes, manifest.photos) == (768, 2)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_every_byte_that_is_checked_is_heard_of(written):
    heard = []
    with archive.opened(written) as backup:
        backup.check(heard.append)
        assert sum(heard) == backup.size == len(DUMP) + sum(map(len, PHOTOS))


@given(at=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed_or_means_nothing(written, tmp_path_factory, at, bit):
    data = bytearray(written.read_bytes())
    data[at % len(data)] ^= 1 << bit
    bad = tmp_path_factory.getbasetemp() / "flipped.backup"
    bad.write_bytes(data)
    with contextlib.suppress(CityGridError):
        assert read(bad) == read(written)


@given(share=st.floats(0, 0.999))
def test_a_cut_file_is_never_whole(written, tmp_path_factory, share):
    data = written.read_bytes()
    cut = tmp_path_factory.getbasetemp() / "cut.backup"
    cut.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DamagedBackup):
        read(cut)


@pytest.mark.parametrize("changed", ["added", "taken out", "dump", "photograph"])
def test_a_file_put_together_anew_is_refused(written, tmp_path, changed):
    """The ZIP itself is sound; the manifest knows better."""
    bad = tmp_path / "bad.backup"
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if changed == "taken out" and name.startswith("photos/"):
                continue
            if (changed, name) == ("dump", archive.DUMP) or (changed == "photograph" and "photos/" in name):
                data = data[::-1]
            target.writestr(name, data)
        if changed == "added":
            target.writestr("photos/../../evil.jpg", b"x")
    with pytest.raises(DamagedBackup) as refused:
        read(bad)
    assert "Nothing was changed" in refused.value.remedy_en


def test_any_other_file_is_told_from_a_backup(tmp_path):
    other = tmp_path / "other.zip"
    other.write_text("hello")
    with pytest.raises(DamagedBackup):
        read(other)


def test_nothing_half_written_is_left(tmp_path):
    path = tmp_path / "city.backup"
    with pytest.raises(ZeroDivisionError), archive.writing(path) as writing, writing.dump() as part:
        part.write(DUMP)
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_draft_left_by_a_killed_backup_is_written_over(tmp_path):
    path = tmp_path / "city.backup"
    (tmp_path / "city.backup.part").write_bytes(b"x" * 100_000)
    write(path)
    assert read(path)[1] == DUMP and list(tmp_path.iterdir()) == [path]


def test_a_backup_replaces_no_other_and_two_do_not_mix(tmp_path):
    path = tmp_path / "city.backup"
    with archive.writing(path), pytest.raises(Conflict, match="being written"), archive.writing(path):
        pass
    write(tmp_path / "other.backup")
    with pytest.raises(Conflict, match="there already"):
        write(tmp_path / "other.backup")


def test_a_folder_that_is_not_there_is_told_with_the_remedy(tmp_path):
    with pytest.raises(Unavailable) as refused:
        write(tmp_path / "nowhere" / "city.backup")
    assert "room" in refused.value.remedy_en
