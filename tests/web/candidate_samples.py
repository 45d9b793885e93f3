"""What the candidate's pages are shown with in tests, the templates as rendered by the service, and a server.

The server is a real one on a free port: it answers pages and static files, keeps what was posted to it, and
can be told to break connections, as a bad cable does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jinja2
from markupsafe import Markup, escape

from web.assets import AssetTable, build_assets
from web.candidate import result_views, views
from web.formats import Formats, Zone
from web.language import LANGUAGES, Frame, Language, LanguageChoice, load_translators

AT_MS = 1_692_000_300_000  # Monday 14 August 2023, 15.05 in Jakarta
TEMPLATES = Path(__file__).parents[2] / "web" / "templates"

TIME = views.TimeView(remaining_ms=2_527_000, expired_url="/sittings/s1/expired")
STEM = Markup(
    "<p>Sebuah kantor pelayanan menerima <strong>78.314</strong> permohonan selama satu tahun. Pada triwulan "
    "pertama diterima 18.204 permohonan, dan setiap triwulan berikutnya bertambah dengan jumlah yang sama."
    "</p>"
    "<p>Berapa permohonan yang diterima pada triwulan keempat?</p>"
)
OPTIONS = tuple(
    views.OptionView(id=f"o{number}", letter=letter, text=escape(text))
    for number, letter, text in (
        (4, "A", "19.578"),
        (1, "B", "20.953"),
        (5, "C", "21.266 permohonan, karena pertambahan dihitung dari rata-rata tiga triwulan terakhir"),
        (2, "D", "20.266"),
        (3, "E", "22.704"),
    )
)
STIMULUS = Markup(
    "<table><caption>Permohonan yang diterima tiap loket</caption><thead><tr><th>Loket</th><th>Januari</th>"
    "<th>Februari</th></tr></thead><tbody><tr><th>Kependudukan</th><td>1.204</td><td>1.377</td></tr>"
    "<tr><th>Perizinan</th><td>842</td><td>790</td></tr></tbody></table>"
)


def item(**changes: Any) -> views.ItemView:
    """An adaptive item in the middle of a sitting."""
    given: dict[str, Any] = {
        "sitting_id": "s1",
        "respond_url": "/sittings/s1/responses",
        "presentation": "p12",
        "ordinal": 12,
        "most": 40,
        "stem": STEM,
        "options": OPTIONS,
        "time": TIME,
        "saved_at_ms": AT_MS,
        "candidate_name": "Ni Luh Sekar Arumdati, S.Sos., M.A.P.",
        "candidate_number": "ST-2026-0147",
        "seat": "A-07",
        "test_name": "Potensi dan kompetensi manajerial",
    }
    return views.ItemView(**(given | changes))


PALETTE = tuple(
    views.PaletteCell(
        position=number, answered=number < 9 or number == 14, flagged=number in {4, 11}, current=number == 9
    )
    for number in range(1, 31)
)
COMPETENCIES = tuple(
    result_views.CompetencyResult(name=name, level=level, required=required, meaning=meaning)
    for name, level, required, meaning in (
        ("Integritas", 4, 3, "Mampu menjadi teladan dan menciptakan lingkungan kerja yang menjunjung etika."),
        ("Kerja sama", 3, 3, "Mampu membangun kerja tim lintas bagian dan menyelesaikan perbedaan."),
        (
            "Pengambilan keputusan",
            2,
            3,
            "Mampu menganalisis masalah yang jelas batasnya dan menimbang akibatnya.",
        ),
    )
)
BAND = views.ErrorBand(
    id="band",
    title="Nilai 612 pada skala 200 sampai 800",
    description="Rentang 574 sampai 650; nilai ambang batas 550.",
    low=62.4,
    point=68.7,
    high=75.0,
    point_label="612",
    ticks=tuple(
        views.Tick(at=share, label=str(label))
        for share, label in ((0, 200), (25, 350), (50, 500), (75, 650), (100, 800))
    ),
    cuts=(views.Tick(at=58.3, label="NAB 550"),),
)

SECTIONS = (
    result_views.SectionResult(
        id="potential",
        title="Potensi",
        aspect="Potensi",
        scale_score=612,
        standard_error=19,
        low=574,
        high=650,
        band=BAND,
        points=None,
        points_maximum=None,
        items=24,
        level=4,
        level_name="mumpuni",
        level_share=0.81,
        passed=True,
        ended="Bagian ini berakhir karena nilai sudah cukup teliti.",
    ),
    result_views.SectionResult(
        id="knowledge",
        title="Pengetahuan peraturan",
        aspect="Pengetahuan",
        scale_score=17,
        standard_error=None,
        low=None,
        high=None,
        band=None,
        points=17,
        points_maximum=20,
        items=20,
        level=0,
        level_name="",
        level_share=None,
        passed=None,
        ended="",
    ),
)
AREAS = (
    result_views.AreaPicture(
        name="Integritas",
        points=17,
        points_maximum=20,
        items=4,
        mean=4.25,
        meaning="Hampir selalu memilih tindakan yang paling tepat.",
    ),
    result_views.AreaPicture(
        name="Pelindungan data pribadi", points=5, points_maximum=6, items=6, mean=None, meaning=""
    ),
)

PAGES: dict[str, tuple[str, views.View]] = {
    "sign_in": ("candidate/sign_in.html", views.SignInView(sign_in_url="/sign-in", staff_url="/staff")),
    "sign_in_refused": (
        "candidate/sign_in.html",
        views.SignInView(
            sign_in_url="/sign-in",
            candidate_number="ST-2026-0147",
            room_token_asked=True,
            errors=(views.FieldError(field="pin", sentence="PIN ini sudah dipakai. Mintalah PIN baru."),),
        ),
    ),
    "identity": (
        "candidate/identity.html",
        views.IdentityView(
            confirm_url="/identity/confirm",
            reject_url="/identity/reject",
            name="Ni Luh Sekar Arumdati, S.Sos., M.A.P.",
            candidate_number="ST-2026-0147",
            post="Kepala Bidang Pelayanan Perizinan",
            agency="Pemerintah Kabupaten Tirta Kencana",
            session_name="Sesi 2, gelombang pagi",
            session_at_ms=AT_MS,
            room="Ruang Melati",
            seat="A-07",
        ),
    ),
    "rules": (
        "candidate/rules.html",
        views.RulesView(
            accept_url="/rules/accept",
            decline_url="/rules/decline",
            rules=(
                views.RuleSection(
                    heading="Selama ujian",
                    sentences=(
                        "Peserta mengerjakan ujian sendiri dan tidak berkomunikasi dengan peserta lain.",
                        "Telepon, jam tangan, dan catatan disimpan di loker di luar ruang ujian.",
                        "Peserta tidak menyebarkan butir soal dengan cara apa pun.",
                    ),
                ),
                views.RuleSection(
                    heading="Bila terjadi gangguan", sentences=("Peserta tetap duduk dan mengangkat tangan.",)
                ),
            ),
            pledge=("Saya menyatakan akan mengikuti seleksi ini dengan jujur dan menerima akibatnya.",),
            consent="Saya bersedia jawaban butir uji coba dipakai untuk kalibrasi bank soal.",
            text_version="2026-1",
            text_hash="7f4c1a9b02de",
            remaining_ms=176_000,
            expired_url="/rules/expired",
            refused=True,
        ),
    ),
    "device_check": (
        "candidate/device_check.html",
        views.DeviceCheckView(
            continue_url="/device", probe_url="/probe", lockdown="done", lockdown_required=True
        ),
    ),
    "practice": (
        "candidate/practice.html",
        item(practice=True, ordinal=1, most=2, time=None, saved_at_ms=None, skip_practice_url="/skip"),
    ),
    "waiting": (
        "candidate/waiting.html",
        views.WaitingView(
            poll_url="/waiting/state",
            refresh_url="/waiting",
            steps=(
                views.WaitingStep(label="Identitas diperiksa", state="done"),
                views.WaitingStep(label="Pengawas ruang mengizinkan Saudara", state="done"),
                views.WaitingStep(
                    label="Pengawas ruang membuka sesi", state="open", note="14 dari 16 peserta sudah siap."
                ),
            ),
            name="Ni Luh Sekar Arumdati",
            room="Ruang Melati",
            seat="A-07",
            session_name="Sesi 2, gelombang pagi",
            starts_at_ms=AT_MS,
            checked_at_ms=AT_MS,
        ),
    ),
    "item": ("candidate/item.html", item(chosen="o1")),
    "item_missing": ("candidate/item.html", item(missing=True, item_language="en")),
    "item_confirm": ("candidate/item.html", item(step="confirm", chosen="o5")),
    "item_stimulus": ("candidate/item.html", item(stimulus=STIMULUS, chosen="o2")),
    "fixed_form": (
        "candidate/fixed_form.html",
        views.FixedFormView(item=item(ordinal=9, most=30, chosen="o1"), palette=PALETTE, flagged=True),
    ),
    "review": (
        "candidate/review.html",
        views.ReviewView(
            sitting_id="s1",
            return_url="/items",
            finish_url="/finish",
            palette=PALETTE,
            time=TIME,
            candidate_name="Ni Luh Sekar Arumdati",
            candidate_number="ST-2026-0147",
            seat="A-07",
            test_name="Pengetahuan",
        ),
    ),
    "review_asked": (
        "candidate/review.html",
        views.ReviewView(
            sitting_id="s1", return_url="/items", finish_url="/finish", palette=PALETTE, asked=True
        ),
    ),
    "interrupted": (
        "candidate/interrupted.html",
        views.InterruptedView(
            cause="proctor",
            since_at_ms=AT_MS,
            answered_count=11,
            remaining_s=2527,
            clock_stopped=True,
            retry_url="/sittings/s1",
            poll_url="/sittings/s1/state",
        ),
    ),
    "finished": (
        "candidate/finished.html",
        views.FinishedView(
            measured=("Potensi intelektual", "Kompetensi manajerial", "Kompetensi sosial kultural"),
            answered_count=32,
            started_at_ms=AT_MS - 3_905_000,
            ended_at_ms=AT_MS,
            receipt_code="7QKD-M4XA-92TB",
            results_at_ms=AT_MS + 86_400_000,
            results_place="laman resmi Pemerintah Kabupaten Tirta Kencana",
            leave_url="/sign-out",
        ),
    ),
    "result": (
        "candidate/result.html",
        result_views.ResultView(
            name="Ni Luh Sekar Arumdati, S.Sos., M.A.P.",
            candidate_number="ST-2026-0147",
            test_name="Potensi dan kompetensi manajerial",
            taken_at_ms=AT_MS,
            released_at_ms=AT_MS + 86_400_000,
            valid_until_ms=AT_MS + 3 * 31_557_600_000,
            confidence=0.95,
            sections=SECTIONS,
            competencies=COMPETENCIES,
            post="Kepala Bidang Pelayanan Perizinan",
            areas=AREAS,
            report_number="800/3200/II.09/2026",
            receipt_code="7QKD-M4XA-92TB",
            verification_url="/verify/7QKDM4XA92TBKLMN",
            verification_code="7QKD-M4XA-92TB-KLMN",
            my_data_url="/my-data",
        ),
    ),
    "my_data": (
        "candidate/my_data.html",
        views.MyDataView(
            name="Ni Luh Sekar Arumdati",
            request_url="/my-data/requests",
            classes=(
                views.DataClass(
                    name="Identitas dan jabatan",
                    purpose="Menyelenggarakan seleksi",
                    basis="UU 20/2023",
                    kept_until_ms=AT_MS + 3 * 31_557_600_000,
                ),
                views.DataClass(
                    name="Foto wajah",
                    purpose="Mencocokkan peserta di ruang ujian",
                    basis="Persetujuan",
                    kept_until_ms=AT_MS + 7_776_000_000,
                ),
                views.DataClass(
                    name="Jawaban dan nilai",
                    purpose="Menilai dan menjawab sanggahan",
                    basis="PP 11/2017",
                    kept_until_ms=None,
                ),
            ),
            accesses=(
                views.DataAccess(
                    at_ms=AT_MS,
                    reader="Made Wiratama",
                    role="pengawas ruang",
                    what="Identitas, foto",
                    why="Pemeriksaan peserta",
                ),
            ),
            requests=(
                views.DataRequest(
                    at_ms=AT_MS,
                    kind="copy",
                    state="done",
                    due_at_ms=AT_MS + 259_200_000,
                    download_url="/my-data/copy",
                ),
                views.DataRequest(
                    at_ms=AT_MS, kind="correction", state="open", due_at_ms=AT_MS + 259_200_000
                ),
            ),
            protection_officer="Bagian Hukum, hukum@tirtakencana.example",
        ),
    ),
    "refusal": (
        "errors/refusal.html",
        views.RefusalView(code="not_found", action_url="/", reference="r-20260814-0031"),
    ),
}
FRAGMENTS: dict[str, tuple[str, views.View]] = {
    "item": ("candidate/item_fragment.html", PAGES["item"][1]),
    "item_confirm": ("candidate/item_fragment.html", PAGES["item_confirm"][1]),
    "fixed_form": ("candidate/fixed_form_fragment.html", PAGES["fixed_form"][1]),
    "review": ("candidate/review_fragment.html", PAGES["review"][1]),
    "waiting": ("candidate/waiting_fragment.html", PAGES["waiting"][1]),
    "refusal": ("errors/refusal_fragment.html", PAGES["refusal"][1]),
}


class Renderer:
    """The templates with everything the running service gives them."""

    def __init__(self) -> None:
        self.assets: AssetTable = build_assets()
        self._translators = load_translators()
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )

    def render(self, template: str, view: views.View, language: Language) -> str:
        """One page as a browser would get it."""
        choices = tuple(
            LanguageChoice(language=one, url=f"?language={one}", chosen=one == language) for one in LANGUAGES
        )
        frame = Frame(
            agency_name="Pemerintah Kabupaten Tirta Kencana",
            languages=choices,
            privacy_url="/privacy",
            accessibility_url="/accessibility",
            demonstration=True,
        )
        return self._environment.get_template(template).render(
            view=view,
            frame=frame,
            t=self._translators[language],
            language=language,
            formats=Formats(language, Zone.WIB),
            asset=self.assets,
            csrf_token="c" * 43,
            csp_nonce="nonce",
        )


Answer = tuple[int, dict[str, str], str]


class Site:
    """Pages by path, answers to forms by a function, and what was posted, in order."""

    def __init__(self, assets: AssetTable) -> None:
        self.assets = assets
        self.pages: dict[str, str] = {}
        self.posts: list[dict[str, str]] = []
        self.broken = False
        self.answer: Callable[[dict[str, str]], Answer] = lambda form: (204, {}, "")
        self.url = ""

    def page(self, path: str) -> Answer:
        """What a GET gets."""
        if path == "/probe":
            return 200, {"Content-Type": "text/plain"}, str(AT_MS)
        if path in self.pages:
            return 200, HTML_HEADERS, self.pages[path]
        return 204, {}, ""


HTML_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self'; form-action 'self'",
}


@contextmanager
def serve(assets: AssetTable) -> Iterator[Site]:
    """A site on a free port until the block ends."""
    site = Site(assets)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing: the test asserts on what was received."""

        def do_GET(self) -> None:
            asset = site.assets.find(self.path)
            if asset is not None:
                self.give(200, asset.headers, asset.content)
                return
            status, headers, body = site.page(self.path.split("?")[0])
            self.give(status, headers, body.encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            if site.broken:
                self.close_connection = True
                self.connection.close()
                return
            form = {name: values[-1] for name, values in parse_qs(body, keep_blank_values=True).items()}
            site.posts.append(form)
            status, headers, text = site.answer(form)
            self.give(status, headers, text.encode())

        def give(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
