"""Text of drawings: Windows-1256 declared or not, UTF-8, escapes, formatting codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from dxf_plans import EAST, NORTH, drawing, read, square

from geoplan.persian import is_destroyed

NAMES = ["قطعه صنعتي 12", "كارگاه نجاري", "پارك چوب گيلان"]
"""Text with Arabic ي and ك, as Windows-1256 has it."""


def plan(folder: Path, encoding: str, version: str = "R2000", names: list[str] = NAMES) -> Path:
    """Write a drawing as programs of its time did: bytes of a code page, no escapes."""
    doc, msp = drawing(version)
    for k in range(len(names)):
        points = square(EAST + 20 * k, NORTH)
        msp.add_polyline2d(points, close=True, dxfattribs={"layer": "LAYERNAME"})
        msp.add_text(f"T{k}X", height=1).set_placement((EAST + 20 * k + 1, NORTH + 5))
    path = folder / "plan.dxf"
    doc.saveas(path)
    raw = path.read_bytes()
    for k, name in enumerate(names):
        raw = raw.replace(b"T%dX" % k, name.encode(encoding))
    path.write_bytes(raw.replace(b"LAYERNAME", "قطعات".encode(encoding)))
    return path


def declare(path: Path, codepage: bytes) -> None:
    path.write_bytes(path.read_bytes().replace(b"ANSI_1252", codepage))


@pytest.mark.parametrize("version", ["R12", "R2000", "R2004"])
def test_windows_1256_declared(tmp_path: Path, version: str) -> None:
    path = plan(tmp_path, "cp1256", version)
    declare(path, b"ANSI_1256")
    found = read(path, tmp_path)
    assert [r["text"] for r in found.rows] == NAMES
    assert found.rows[0]["dxf_layer"] == "قطعات" and "قطعات" in found.info.layers
    assert (found.info.encoding, found.info.encoding_how) == ("cp1256", "declared")
    assert not found.noted("encoding-detected")


@pytest.mark.parametrize("version", ["R12", "R2000", "R2010"])
def test_windows_1256_under_another_name(tmp_path: Path, version: str) -> None:
    """Declared as ANSI_1252, or by the version as UTF-8: what Persian offices send."""
    found = read(plan(tmp_path, "cp1256", version), tmp_path)
    assert [r["text"] for r in found.rows] == NAMES
    assert (found.info.encoding, found.info.encoding_how) == ("cp1256", "detected")
    assert found.noted("encoding-detected")


@pytest.mark.parametrize("version", ["R2000", "R2010"])
def test_utf_8(tmp_path: Path, version: str) -> None:
    names = ["قطعه ۱۲", "کارگاه نجاری", "شهرک‌سازی"]
    found = read(plan(tmp_path, "utf-8", version, names), tmp_path)
    assert [r["text"] for r in found.rows] == names
    how = "declared" if version == "R2010" else "detected"
    assert (found.info.encoding, found.info.encoding_how) == ("utf-8", how)


def test_the_person_wins(tmp_path: Path) -> None:
    path = plan(tmp_path, "cp1256")
    assert read(path, tmp_path, encoding="cp1256").info.encoding_how == "option"
    wrong = read(path, tmp_path, encoding="utf-8")
    assert all(is_destroyed(r["text"]) for r in wrong.rows)


def test_accents_are_no_persian(tmp_path: Path) -> None:
    names = ["Zone d'activité", "Straße 7", "Bahía"]
    doc, msp = drawing("R2000")
    for k, name in enumerate(names):
        msp.add_lwpolyline(square(EAST + 20 * k, NORTH), close=True)
        msp.add_text(name, height=1).set_placement((EAST + 20 * k + 1, NORTH + 5))
    found = read(doc, tmp_path)
    assert [r["text"] for r in found.rows] == names
    assert found.info.encoding == "cp1252"


def test_escapes_and_formatting(tmp_path: Path) -> None:
    doc, msp = drawing()
    texts = {
        r"\U+0642\U+0637\U+0639\U+0647 5": "قطعه 5",
        "%%uزیرخط%%u 20%%d": "زیرخط 20°",
    }
    rich = {
        r"{\fB Nazanin|b0|i0|c178|p0;قطعه}\P\C1;12": "قطعه 12",
        r"\A1;{\H0.7x;\S1/2;} ok": "1/2 ok",
        r"\pxqc;\U+0628\U+0644\U+0648\U+06A9 A": "بلوک A",
    }
    for k, raw in enumerate([*texts, *rich]):
        x = EAST + 50 * k
        msp.add_lwpolyline(square(x, NORTH, 40), close=True)
        if raw in texts:
            msp.add_text("X", height=1).set_placement((x + 5, NORTH + 5)).dxf.text = raw
        else:
            msp.add_mtext(raw, dxfattribs={"insert": (x + 5, NORTH + 20), "char_height": 1})
    found = read(doc, tmp_path)
    assert [r["text"] for r in found.rows] == [*texts.values(), *rich.values()]


def test_escapes_survive_recovery(tmp_path: Path) -> None:
    """A damaged drawing is read in another way; its text must not change."""
    path = plan(tmp_path, "cp1256")
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.rindex(b"ENDSEC")])
    found = read(path, tmp_path)
    assert found.noted("dxf-recovered")
    assert [r["text"] for r in found.rows] == NAMES
    assert found.rows[0]["dxf_layer"] == "قطعات"
