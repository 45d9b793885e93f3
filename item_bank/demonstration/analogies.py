"""Verbal analogies: one pair of words stands in a relation; which other pair stands in the same one?

The words live in a small database of relations, written for this bank. A wrong option is a pair that holds
*another* relation of the database, or the right relation backwards, so every distractor has a name.
Relations that a careful reader could defend as one and the same (`UNCLEAR`) never meet in an item.

Difficulty follows the relation, not rare words: how far it is from what one can point at, how many
distractors look alike on the surface (a person and a thing, say), and whether the right pair also appears
backwards (Sternberg 1977).
"""

from __future__ import annotations

from dataclasses import dataclass

from item_bank.demonstration import (
    Parameters,
    difficulty,
    draw,
    key_position,
    keyed_item,
    place_key,
    shuffled,
    slope,
)
from item_bank.demonstration.drafts import DraftItem, ItemBody

FAMILY = "analogy"
OPTION_COUNT = 5
LANGUAGES = ("id", "en")


@dataclass(frozen=True)
class Pair:
    """Two words in two languages; `words[language]` is (first, second)."""

    words: dict[str, tuple[str, str]]

    def printed(self, language: str, backwards: bool = False) -> str:
        first, second = self.words[language]
        return f"{second} : {first}" if backwards else f"{first} : {second}"


@dataclass(frozen=True)
class Relation:
    """A named relation between a first and a second word.

    `surface` is what the pair looks like before one asks how its words belong together; `abstraction` runs
    from 1 (one can point at it) to 3 (one must define it).
    """

    name: str
    surface: str
    abstraction: int
    two_way: bool
    pairs: tuple[Pair, ...]


def _relation(name: str, surface: str, abstraction: int, table: str, two_way: bool = False) -> Relation:
    """Reads a table `satu:dua = one:two; ...`."""
    pairs = []
    for row in table.split(";"):
        sides = [tuple(word.strip() for word in side.split(":")) for side in row.split("=")]
        (first, second), (one, two) = sides
        pairs.append(Pair({"id": (first, second), "en": (one, two)}))
    return Relation(name, surface, abstraction, two_way, tuple(pairs))


# Kept as a table: the formatter would put every word on a line of its own.
RELATIONS: tuple[Relation, ...] = (
    _relation(
        "anggota dan jenisnya", "things", 1,
        "mawar:bunga = rose:flower; elang:burung = eagle:bird; suling:alat musik = flute:musical instrument;"
        "jati:pohon = teak:tree; kopi:minuman = coffee:drink; lumba-lumba:mamalia = dolphin:mammal",
    ),
    _relation(
        "bagian dan keseluruhan", "things", 1,
        "roda:sepeda = wheel:bicycle; atap:rumah = roof:house; layar:perahu = sail:boat;"
        "bab:novel = chapter:novel; sayap:pesawat = wing:aeroplane; akar:pohon = root:tree",
    ),
    _relation(
        "kumpulan dan anggotanya", "things", 2,
        "armada:kapal = fleet:ship; antologi:puisi = anthology:poem; paduan suara:penyanyi = choir:singer;"
        "kabinet:menteri = cabinet:minister; regu:prajurit = squad:soldier;"
        "rasi:bintang = constellation:star",
    ),
    _relation(
        "pelaku dan alatnya", "person", 1,
        "petani:cangkul = farmer:hoe; nelayan:jala = fisherman:net; penjahit:jarum = tailor:needle;"
        "pelukis:kuas = painter:brush; penebang:kapak = lumberjack:axe;"
        "dokter:stetoskop = doctor:stethoscope",
    ),
    _relation(
        "alat dan kegunaannya", "action", 1,
        "gunting:memotong = scissors:cut; pena:menulis = pen:write; kunci:membuka = key:open;"
        "ember:menampung = bucket:hold; palu:memukul = hammer:hit; lem:merekatkan = glue:stick",
    ),
    _relation(
        "pelaku dan tempat kerjanya", "person", 1,
        "guru:sekolah = teacher:school; hakim:pengadilan = judge:court; koki:dapur = cook:kitchen;"
        "montir:bengkel = mechanic:garage; aktor:panggung = actor:stage;"
        "perawat:rumah sakit = nurse:hospital",
    ),
    _relation(
        "pembuat dan karyanya", "person", 1,
        "komponis:lagu = composer:song; pemahat:patung = sculptor:statue; penyair:sajak = poet:verse;"
        "wartawan:berita = journalist:report; arsitek:rancangan = architect:design;"
        "penenun:kain = weaver:cloth",
    ),
    _relation(
        "bahan dan hasil olahannya", "things", 1,
        "kedelai:tahu = soybean:tofu; gandum:roti = wheat:bread; tebu:gula = sugarcane:sugar;"
        "tanah liat:gerabah = clay:pottery; susu:keju = milk:cheese; rotan:kursi = rattan:chair",
    ),
    _relation(
        "sebab dan akibatnya", "events", 2,
        "hujan lebat:banjir = downpour:flood; gesekan:panas = friction:heat;"
        "kelalaian:kecelakaan = negligence:accident;"
        "infeksi:demam = infection:fever; kemarau:kekeringan = dry season:drought;"
        "inflasi:kenaikan harga = inflation:price rise",
    ),
    _relation(
        "kata dan lawannya", "qualities", 1,
        "terang:gelap = bright:dark; boros:hemat = wasteful:thrifty; sempit:luas = narrow:wide;"
        "untung:rugi = profit:loss; maju:mundur = forward:backward; langka:melimpah = scarce:abundant",
        two_way=True,
    ),
    _relation(
        "kata dan padanannya", "qualities", 1,
        "cepat:lekas = swift:quick; cerdas:pandai = clever:smart; sukar:sulit = difficult:hard;"
        "riang:gembira = cheerful:glad; upah:gaji = wage:pay; sahabat:kawan = friend:companion",
        two_way=True,
    ),
    _relation(
        "kadar lemah dan kadar kuat", "qualities", 2,
        "hangat:panas = warm:hot; kesal:murka = annoyed:furious; sejuk:beku = cool:frozen;"
        "retak:hancur = cracked:shattered; lelah:lunglai = tired:exhausted;"
        "gerimis:hujan lebat = drizzle:downpour",
    ),
    _relation(
        "tahap awal dan tahap dewasa", "things", 2,
        "ulat:kupu-kupu = caterpillar:butterfly; kecebong:katak = tadpole:frog; benih:tanaman = seed:plant;"
        "jentik:nyamuk = larva:mosquito; bayi:orang dewasa = infant:adult; kuncup:bunga = bud:flower",
    ),
    _relation(
        "satuan dan besarannya", "measures", 2,
        "meter:panjang = metre:length; kilogram:massa = kilogram:mass; liter:volume = litre:volume;"
        "ampere:arus listrik = ampere:electric current; detik:waktu = second:time; watt:daya = watt:power",
    ),
    _relation(
        "alat ukur dan yang diukurnya", "measures", 2,
        "termometer:suhu = thermometer:temperature; barometer:tekanan udara = barometer:air pressure;"
        "spidometer:kecepatan = speedometer:speed; neraca:berat = scales:weight;"
        "higrometer:kelembapan = hygrometer:humidity; seismograf:getaran bumi = seismograph:earth tremor",
    ),
    _relation(
        "hewan dan suaranya", "action", 1,
        "kucing:mengeong = cat:meow; anjing:menggonggong = dog:bark; sapi:melenguh = cow:moo;"
        "ayam jantan:berkokok = rooster:crow; singa:mengaum = lion:roar; kuda:meringkik = horse:neigh",
    ),
    _relation(
        "penghuni dan tempat tinggalnya", "person", 1,
        "raja:istana = king:palace; tahanan:sel = prisoner:cell; lebah:sarang = bee:hive;"
        "biarawan:biara = monk:monastery; mahasiswa:asrama = student:dormitory; beruang:gua = bear:cave",
    ),
    _relation(
        "pelindung dan yang ditangkalnya", "things", 2,
        "payung:hujan = umbrella:rain; kelambu:nyamuk = netting:mosquito; vaksin:penyakit = vaccine:disease;"
        "tanggul:banjir = levee:flood; perisai:tombak = shield:spear; selimut:hawa dingin = blanket:cold",
    ),
    _relation(
        "keadaan dan hal yang tidak ada padanya", "qualities", 3,
        "hening:suara = silent:sound; gersang:air = arid:water; miskin:harta = poor:wealth;"
        "lapar:makanan = hungry:food; anarki:pemerintahan = anarchy:government; gundul:rambut = bald:hair",
    ),
    _relation(
        "benda dan sifat khasnya", "qualities", 1,
        "gula:manis = sugar:sweet; cuka:asam = vinegar:sour; baja:keras = steel:hard;"
        "kapas:lembut = cotton:soft; kaca:bening = glass:clear; darah:merah = blood:red",
    ),
    _relation(
        "ilmu dan yang dipelajarinya", "measures", 3,
        "botani:tumbuhan = botany:plants; astronomi:benda langit = astronomy:celestial bodies;"
        "linguistik:bahasa = linguistics:language; geologi:batuan = geology:rocks;"
        "entomologi:serangga = entomology:insects; kriminologi:kejahatan = criminology:crime",
    ),
    _relation(
        "pemberi layanan dan yang dilayaninya", "person", 2,
        "dokter:pasien = doctor:patient; pengacara:klien = lawyer:client; guru:murid = teacher:pupil;"
        "pramugari:penumpang = steward:passenger; pemandu:wisatawan = guide:tourist;"
        "pelayan:tamu = waiter:guest",
    ),
    _relation(
        "tindakan dan tujuannya", "action", 3,
        "belajar:memahami = study:understand; berobat:sembuh = seek treatment:recover;"
        "makan:kenyang = eat:be full;"
        "bertanya:mengetahui = ask:know; berlatih:menguasai = practise:master;"
        "berunding:bersepakat = negotiate:agree",
    ),
    _relation(
        "wadah dan isinya", "things", 1,
        "dompet:uang = wallet:money; vas:bunga = vase:flower; lemari:pakaian = wardrobe:clothes;"
        "lumbung:padi = granary:rice; teko:teh = pot:tea; amplop:surat = envelope:letter",
    ),
    _relation(
        "benda dan sumber tenaganya", "things", 2,
        "mobil:bensin = car:petrol; kompor:gas = stove:gas; senter:baterai = torch:battery;"
        "layang-layang:angin = kite:wind; lokomotif uap:batu bara = steam train:coal;"
        "kipas:listrik = fan:electricity",
    ),
    _relation(
        "pemimpin dan yang dipimpinnya", "person", 2,
        "gubernur:provinsi = governor:province; rektor:universitas = rector:university;"
        "nakhoda:kapal = captain:ship;"
        "dirigen:orkestra = conductor:orchestra; panglima:pasukan = commander:troops;"
        "redaktur:surat kabar = editor:newspaper",
    ),
)  # fmt: skip

UNCLEAR: frozenset[frozenset[str]] = frozenset(
    frozenset(both.split(" | "))
    for both in (
        "kumpulan dan anggotanya | wadah dan isinya",
        "kumpulan dan anggotanya | bagian dan keseluruhan",
        "pelaku dan tempat kerjanya | penghuni dan tempat tinggalnya",
        "pelaku dan tempat kerjanya | pemimpin dan yang dipimpinnya",
        "penghuni dan tempat tinggalnya | pemimpin dan yang dipimpinnya",
        "bahan dan hasil olahannya | tahap awal dan tahap dewasa",
        "bahan dan hasil olahannya | sebab dan akibatnya",
        "bahan dan hasil olahannya | pembuat dan karyanya",
        "pembuat dan karyanya | sebab dan akibatnya",
        "pembuat dan karyanya | hewan dan suaranya",
        "tahap awal dan tahap dewasa | sebab dan akibatnya",
        "tahap awal dan tahap dewasa | bagian dan keseluruhan",
        "tahap awal dan tahap dewasa | kadar lemah dan kadar kuat",
        "sebab dan akibatnya | tindakan dan tujuannya",
        "sebab dan akibatnya | kadar lemah dan kadar kuat",
        "sebab dan akibatnya | benda dan sifat khasnya",
        "kata dan lawannya | keadaan dan hal yang tidak ada padanya",
        "kata dan lawannya | kadar lemah dan kadar kuat",
        "kata dan padanannya | kadar lemah dan kadar kuat",
        "alat dan kegunaannya | alat ukur dan yang diukurnya",
        "alat dan kegunaannya | tindakan dan tujuannya",
        "alat dan kegunaannya | hewan dan suaranya",
        "pelindung dan yang ditangkalnya | alat dan kegunaannya",
        "pelaku dan alatnya | benda dan sumber tenaganya",
        "wadah dan isinya | benda dan sumber tenaganya",
        "bagian dan keseluruhan | benda dan sumber tenaganya",
        "pemberi layanan dan yang dilayaninya | pemimpin dan yang dipimpinnya",
        "benda dan sifat khasnya | anggota dan jenisnya",
        "kata dan padanannya | anggota dan jenisnya",
        "satuan dan besarannya | anggota dan jenisnya",
        "ilmu dan yang dipelajarinya | alat ukur dan yang diukurnya",
    )
)


@dataclass(frozen=True)
class Option:
    pair: Pair
    backwards: bool
    note: str


def _words(pair: Pair) -> set[str]:
    return {word for both in pair.words.values() for text in both for word in text.split()}


def _other_relations(own: Relation, index: int, hard: bool) -> tuple[Relation, ...]:
    """Relations that may lend a distractor; a hard item asks those that look like its own first."""
    usable = [
        other for other in RELATIONS if other is not own and frozenset((own.name, other.name)) not in UNCLEAR
    ]
    mixed = shuffled(FAMILY, index, "relations", usable)
    if not hard:
        return tuple(sorted(mixed, key=lambda other: other.surface == own.surface))
    return tuple(sorted(mixed, key=lambda other: other.surface != own.surface))


def _wrong(own: Relation, used: tuple[Pair, ...], index: int, hard: bool) -> tuple[Option, ...]:
    """Distractors that share no word with the stem, the key or each other."""
    found: list[Option] = []
    taken = set().union(*(_words(pair) for pair in used))
    if hard and not own.two_way:
        found.append(Option(used[2], True, "membalik arah hubungan"))
    for other in _other_relations(own, index, hard):
        for pair in shuffled(FAMILY, index, other.name, other.pairs):
            if taken.isdisjoint(_words(pair)) and len(found) < OPTION_COUNT - 1:
                found.append(Option(pair, False, f"terkecoh hubungan {other.name}"))
                taken |= _words(pair)
                break
    return shuffled(FAMILY, index, "wrong", found)


STEMS = {
    "id": "<p><strong>{pair}</strong></p>"
    "<p>Pasangan kata manakah yang hubungannya paling setara dengan hubungan pasangan kata di atas?</p>",
    "en": "<p><strong>{pair}</strong></p>"
    "<p>Which pair of words is related in most nearly the same way as the pair above?</p>",
}


def _parameters(features: dict[str, float], index: int) -> Parameters:
    """Slope and difficulty, h and g hash draws in 0..6 that stand for the spread a calibration would show.

    b = -2.7 + 0.85 abstraction + 0.3 look_alikes + 0.7 backwards + 0.08 g
    a = 0.8 + 0.1 abstraction + 0.06 look_alikes + 0.05 h
    """
    b = -2.7 + 0.85 * features["abstraction"] + 0.3 * features["look_alikes"] + 0.7 * features["backwards"]
    a = 0.8 + 0.1 * features["abstraction"] + 0.06 * features["look_alikes"]
    b += 0.08 * draw(FAMILY, index, "difficulty", 7)
    return slope(a + 0.05 * draw(FAMILY, index, "slope", 7)), difficulty(b), features


def _item(own: Relation, hard: bool, index: int) -> DraftItem:
    used = own.pairs[3:] if hard else own.pairs[:3]
    wrong = _wrong(own, used, index, hard)
    position = key_position(FAMILY, index, OPTION_COUNT)
    options = place_key(Option(used[1], False, ""), wrong, position)
    surfaces = {other.name: other.surface for other in RELATIONS}
    names = [option.note.removeprefix("terkecoh hubungan ") for option in wrong]
    features = {
        "abstraction": float(own.abstraction),
        "look_alikes": float(sum(surfaces.get(name) == own.surface for name in names)),
        "backwards": float(any(option.backwards for option in wrong)),
    }
    bodies = {
        language: ItemBody(
            stem=STEMS[language].format(pair=used[0].printed(language)),
            options=tuple(option.pair.printed(language, option.backwards) for option in options),
        )
        for language in LANGUAGES
    }
    return keyed_item(
        f"CONTOH-AN-{index + 1:03d}",
        FAMILY,
        ("potensi.intelektual.verbal", f"Mengenali hubungan {own.name}"),
        _parameters(features, index),
        bodies,
        tuple(option.note for option in options),
        expected_time_s=35 + 5 * own.abstraction,
    )


def items() -> tuple[DraftItem, ...]:
    """Two items per relation: first every relation once, then once more with look-alikes and the pair
    backwards."""
    return tuple(
        _item(relation, hard, index)
        for index, (hard, relation) in enumerate((h, r) for h in (False, True) for r in RELATIONS)
    )
