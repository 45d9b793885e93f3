"""Messages of two languages, and dates, numbers and durations as their readers expect them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cat_engine.foundation.refusals import Refusal
from web.assets import UnknownAsset, build_assets
from web.formats import Formats, Zone
from web.language import (
    LANGUAGES,
    Language,
    MissingMessage,
    choose_language,
    load_catalogue,
    load_translators,
)

AT_MS = 1_691_993_107_000  # 14 August 2023, 06:05:07 UTC


def test_both_languages_have_the_same_messages_with_the_same_places() -> None:
    first, second = load_catalogue("id"), load_catalogue("en")
    assert set(first.messages) == set(second.messages)
    assert [key for key in first.messages if first.places(key) != second.places(key)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_empty_or_shouts(language: Language) -> None:
    for key, message in load_catalogue(language).messages.items():
        assert message == message.strip(), key
        assert message, key
        assert "!" not in message, key


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_its_words(language: Language) -> None:
    t = load_translators()[language]
    for code in Refusal:
        assert t(f"refusals.{code.value}.title")
        assert t(f"refusals.{code.value}.sentence").endswith(".")


def write(folder: Path, language: str, text: str) -> None:
    (folder / language).mkdir()
    (folder / language / "candidate.toml").write_text(text, encoding="utf-8")


def test_a_message_is_filled_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "id", '[item]\nordinal = "Butir {ordinal} dari {most}"\nonly = "hanya di sini"\n')
    write(tmp_path, "en", '[item]\nordinal = "Item {ordinal} of {most}"\n')
    t = load_translators(tmp_path)["en"]
    assert t.language == "en"
    assert t("candidate.item.ordinal", ordinal=3, most="40") == "Item 3 of 40"
    assert not t.has("candidate.item.only")
    with pytest.raises(MissingMessage, match=r"candidate\.item\.only"):
        t("candidate.item.only")
    with pytest.raises(MissingMessage, match="most"):
        t("candidate.item.ordinal", ordinal=3)


def test_the_running_service_falls_back_instead_of_failing(tmp_path: Path) -> None:
    write(tmp_path, "id", '[item]\nonly = "hanya di sini"\nordinal = "Butir {ordinal}"\n')
    write(tmp_path, "en", '[item]\nordinal = "Item {ordinal}"\n')
    t = load_translators(tmp_path, strict=False)["en"]
    assert t("candidate.item.only") == "hanya di sini"
    assert t("candidate.item.nowhere") == "candidate.item.nowhere"
    assert t("candidate.item.ordinal") == "Item "


def test_a_value_cannot_bring_a_place_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "id", '[item]\nhello = "{name}, {most}"\n')
    write(tmp_path, "en", "")
    t = load_translators(tmp_path)["id"]
    assert t("candidate.item.hello", name="{most}", most=1) == "{most}, 1"


@pytest.mark.parametrize("text", ['loose = "text"', "[item]\nordinal = 3", "[item.deep]\nordinal = 'x'"])
def test_a_catalogue_holds_only_text_in_sections(tmp_path: Path, text: str) -> None:
    write(tmp_path, "id", text)
    with pytest.raises(TypeError):
        load_catalogue("id", tmp_path)


@pytest.mark.parametrize(
    ("asked", "remembered", "accepts", "chosen"),
    [
        ("en", "id", "id", "en"),
        ("fr", "en", "id", "en"),
        (None, None, "en-GB,en;q=0.9,id;q=0.5", "en"),
        (None, None, "fr-FR, ID;q=0.4", "id"),
        (None, None, None, "id"),
        (None, None, "fr", "id"),
    ],
)
def test_the_language_of_a_request(
    asked: str | None, remembered: str | None, accepts: str | None, chosen: str
) -> None:
    assert choose_language(asked, remembered, accepts) == chosen


ID, EN = Formats("id", Zone.WIB), Formats("en", Zone.WIB)


def test_dates_and_times() -> None:
    assert ID.date(AT_MS) == "Senin, 14 Agustus 2023"
    assert EN.date(AT_MS) == "14 August 2023"
    assert ID.time(AT_MS) == "13.05 WIB"
    assert EN.time(AT_MS) == "13:05 WIB"
    assert ID.exact_time(AT_MS) == "13.05.07"
    assert EN.exact_time(AT_MS) == "13:05:07"
    assert ID.date_time(AT_MS) == "Senin, 14 Agustus 2023, 13.05 WIB"
    assert ID.short_date_time(AT_MS) == "14 Agu 2023, 13.05 WIB"
    assert ID.machine_time(AT_MS) == "2023-08-14T13:05:07+07:00"


@pytest.mark.parametrize(
    ("zone", "time"), [(Zone.WIB, "13.05 WIB"), (Zone.WITA, "14.05 WITA"), (Zone.WIT, "15.05 WIT")]
)
def test_the_three_times_of_indonesia(zone: Zone, time: str) -> None:
    assert Formats("id", zone).time(AT_MS) == time


def test_the_zone_decides_the_day() -> None:
    late_ms = AT_MS + 10 * 3_600_000  # 23.05 in Jakarta, the next day in Jayapura
    assert ID.date(late_ms) == "Senin, 14 Agustus 2023"
    assert Formats("id", Zone.WIT).date(late_ms) == "Selasa, 15 Agustus 2023"


@pytest.mark.parametrize(
    ("days", "said"),
    [
        (0, "14 Agustus 2023"),
        (4, "14 – 18 Agustus 2023"),
        (20, "14 Agustus – 3 September 2023"),
        (200, "14 Agustus 2023 – 1 Maret 2024"),
    ],
)
def test_a_range_says_what_both_ends_share_once(days: int, said: str) -> None:
    assert ID.date_range(AT_MS, AT_MS + days * 86_400_000) == said


def test_numbers() -> None:
    assert ID.number(78_314) == "78.314"
    assert EN.number(78_314) == "78,314"
    assert ID.number(335.5, 1) == "335,5"
    assert EN.number(335.5, 1) == "335.5"
    assert ID.number(-0.42, 2) == "−0,42"
    assert ID.percent(0.85) == "85%"
    assert ID.percent(0.8532, 1) == "85,3%"
    assert ID.money(200_000_000) == "Rp200.000.000"
    assert ID.file_size(812) == "812 B"
    assert ID.file_size(1_430_000) == "1,4 MB"


@pytest.mark.parametrize(
    ("duration_s", "indonesian", "english"),
    [
        (3900, "1 jam 5 menit", "1 hour 5 minutes"),
        (3600, "1 jam", "1 hour"),
        (2527, "42 menit", "42 minutes"),
        (61, "1 menit 1 detik", "1 minute 1 second"),
        (0, "0 detik", "0 seconds"),
        (-5, "0 detik", "0 seconds"),
    ],
)
def test_durations(duration_s: int, indonesian: str, english: str) -> None:
    assert ID.duration(duration_s) == indonesian
    assert EN.duration(duration_s) == english


def test_running_clocks() -> None:
    assert ID.clock(2527) == "42.07"
    assert EN.clock(2527) == "42:07"
    assert ID.clock(3909) == "1.05.09"
    assert ID.clock(-3) == "00.00"


def test_assets_are_named_after_their_content(tmp_path: Path) -> None:
    for folder in ("css/components", "css/candidate", "js/site", "fonts"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("layers", "tokens", "base", "layout"):
        (tmp_path / "css" / f"{name}.css").write_text(
            f"/* about {name} */\n  .{name} {{ color: red; }}\n", encoding="utf-8"
        )
    (tmp_path / "fonts" / "face.woff2").write_bytes(b"face")
    (tmp_path / "css" / "candidate" / "item.css").write_text(
        'a { src: url("asset:fonts/face.woff2"); }', encoding="utf-8"
    )
    (tmp_path / "js" / "site" / "guard.js").write_text("// why\nconst one = 1;\n", encoding="utf-8")
    table = build_assets(tmp_path)
    assert table.names() == ("candidate.css", "fonts/face.woff2", "site.css", "site.js")
    face = table.get("fonts/face.woff2")
    assert face.url in table.get("candidate.css").content.decode()
    assert table.find(face.url) is face
    assert face.compressed is None
    style = table.get("site.css")
    assert style.content.decode().split("\n")[0] == ".layers { color: red; }"
    assert table("site.js") == table.get("site.js").url
    assert "why" not in table.get("site.js").content.decode()
    (tmp_path / "fonts" / "face.woff2").write_bytes(b"another face")
    assert build_assets(tmp_path)("candidate.css") != table("candidate.css")
    with pytest.raises(UnknownAsset):
        table("nothing.css")


def test_a_style_sheet_cannot_name_a_file_that_is_not_there(tmp_path: Path) -> None:
    for folder in ("css/components", "js"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("layers", "tokens", "base", "layout"):
        (tmp_path / "css" / f"{name}.css").write_text(
            'a { src: url("asset:fonts/none.woff2"); }', encoding="utf-8"
        )
    with pytest.raises(UnknownAsset, match="none"):
        build_assets(tmp_path)
