"""The demonstration's test package: potential and competency adaptively, knowledge of statutes as a fixed
form.
"""

from cat_engine.core.test_package import LevelCut, RuleChoice, Scale, Section, Share
from item_bank.packages import PackageDesign, SectionDesign

LEVELS = (LevelCut(1, 200), LevelCut(2, 400), LevelCut(3, 470), LevelCut(4, 530), LevelCut(5, 600))
T_SCALE = Scale(name="CE-500", slope=100, intercept=500, minimum=200, maximum=800, cuts=LEVELS)

POTENTIAL_AREAS = ("numerik", "verbal", "logika", "figural", "data")
COMPETENCIES = (
    "manajerial.integritas",
    "manajerial.kerja_sama",
    "manajerial.komunikasi",
    "manajerial.orientasi_pada_hasil",
    "manajerial.pelayanan_publik",
    "manajerial.pengembangan_diri_dan_orang_lain",
    "manajerial.mengelola_perubahan",
    "manajerial.pengambilan_keputusan",
    "sosial_kultural.perekat_bangsa",
)


def demonstration_design(
    *,
    version: int = 1,
    code: str = "CONTOH-JPT",
    potential: int = 20,
    competency: int = 18,
    knowledge: int = 10,
) -> PackageDesign:
    """The whole test; the numbers are the most items of each section. Tests ask for shorter ones."""
    return PackageDesign(
        code=code,
        version=version,
        title={
            "id": "Tes kompetensi dan potensi JPT Pratama (CONTOH)",
            "en": "Competency and potential test for senior posts (EXAMPLE)",
        },
        languages=("id", "en"),
        sections=(
            _potential(potential),
            _competency(competency),
            _knowledge(knowledge),
        ),
        time_allowed_s=75 * 60,
    )


def _potential(most: int) -> SectionDesign:
    return SectionDesign(
        competencies=("potensi",),
        section=Section(
            section_id="potensi",
            title={"id": "Potensi: kemampuan berpikir", "en": "Potential: reasoning"},
            aspect="potential",
            mode="adaptive",
            item_ids=(),
            scale=T_SCALE,
            blueprint=tuple(Share(f"potensi.intelektual.{area}", 200) for area in POTENTIAL_AREAS),
            exposure=RuleChoice("randomesque", {"sizes": [10, 8, 6, 5]}),
            stopping=(
                RuleChoice(
                    "standard_error",
                    {"target_millionths": 330_000, "minimum_items": max(1, round(most * 0.6))},
                ),
                RuleChoice("fixed_length", {"items": most}),
            ),
        ),
    )


def _competency(length: int) -> SectionDesign:
    return SectionDesign(
        competencies=("manajerial", "sosial_kultural"),
        section=Section(
            section_id="kompetensi",
            title={
                "id": "Kompetensi manajerial dan sosial kultural",
                "en": "Managerial and socio-cultural competency",
            },
            aspect="competency",
            mode="adaptive",
            item_ids=(),
            scale=T_SCALE,
            blueprint=tuple(
                Share(area, 112 if place == 0 else 111) for place, area in enumerate(COMPETENCIES)
            ),
            exposure=RuleChoice("randomesque", {"sizes": [4]}),
            stopping=(RuleChoice("fixed_length", {"items": length}),),
            interim_estimator=RuleChoice("eap"),
            final_estimator=RuleChoice("posterior_mode"),
        ),
    )


def _knowledge(length: int) -> SectionDesign:
    scale = Scale(
        name="0-100",
        slope=100 // length,
        intercept=0,
        minimum=0,
        maximum=100,
        cuts=(LevelCut(1, 0), LevelCut(2, 40), LevelCut(3, 60), LevelCut(4, 80), LevelCut(5, 95)),
        cut_score=40,
    )
    return SectionDesign(
        competencies=("pengetahuan",),
        form_length=length,
        section=Section(
            section_id="pengetahuan",
            title={"id": "Pengetahuan peraturan", "en": "Knowledge of statutes"},
            aspect="knowledge",
            mode="linear",
            item_ids=(),
            scale=scale,
        ),
    )
