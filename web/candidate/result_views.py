"""What the candidate's own result shows: measured scores with their error, and descriptions without one."""

from markupsafe import Markup

from web.candidate.views import ErrorBand, View


class SectionResult(View, frozen=True, kw_only=True):
    """One measured section: a fixed form has points and no error, an adaptive section an error."""

    id: str
    title: str
    aspect: str
    scale_score: float
    standard_error: float | None
    low: float | None
    high: float | None
    band: ErrorBand | None
    points: int | None
    points_maximum: int | None
    items: int
    level: int
    level_name: str
    level_share: float | None
    passed: bool | None
    ended: str


class CompetencyResult(View, frozen=True, kw_only=True):
    """The measured level of a section, against the level the post asks."""

    name: str
    level: int
    required: int
    highest: int = 5
    meaning: str = ""

    @property
    def met(self) -> bool:
        """Whether the required level was reached."""
        return self.level >= self.required


class AreaPicture(View, frozen=True, kw_only=True):
    """What the answers of one content area looked like: a description from few items, no measured level.

    `mean` is points per item on 1..5, None where the items give 0 or 1 and the points themselves are said.
    """

    name: str
    points: int
    points_maximum: int
    items: int
    mean: float | None
    meaning: str


class ResultView(View, frozen=True, kw_only=True):
    """A released result, as its owner reads it."""

    name: str
    candidate_number: str
    test_name: str
    taken_at_ms: int
    released_at_ms: int
    valid_until_ms: int
    is_expired: bool = False
    is_partial: bool = False
    passed: bool | None = None
    confidence: float
    sections: tuple[SectionResult, ...]
    competencies: tuple[CompetencyResult, ...] = ()
    areas: tuple[AreaPicture, ...] = ()
    post: str = ""
    report_number: str
    receipt_code: str
    verification_url: str
    verification_code: str
    verification_picture: Markup = Markup()
    my_data_url: str = ""
