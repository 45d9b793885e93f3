"""What a released score report says: the document that is stored, printed and verified.

Decimal numbers are text as they are printed. Theta is not in it: a person gets the reporting scale with its
error, and whoever audits has the sitting's log.
"""

import base64
import hashlib

import msgspec
import rfc8785

CODE_LENGTH = 16


class ReportedSection(msgspec.Struct, frozen=True):
    """One section. `scale_error` is None for a fixed form, whose points carry no estimate of error."""

    section_id: str
    mode: str
    aspect: str
    scale_score: str
    scale_error: str | None
    level: int
    passed: bool | None
    points: int | None
    points_maximum: int | None
    items: int
    stop_reason: str


class ReportedArea(msgspec.Struct, frozen=True):
    """Points gathered in one content area: a description without error, not a measurement."""

    section_id: str
    area: str
    points: int
    points_maximum: int
    items: int


class Validity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The policy by which the report expires: so many years after the measurement."""

    version: int
    years: int
    is_example: bool

    def __post_init__(self) -> None:
        if not 1 <= self.years <= 10:
            raise ValueError("a result is valid for one to ten years")


class ReportDocument(msgspec.Struct, frozen=True):
    """The reported scores with what they were measured by and how long they are valid."""

    completeness: str
    passed: bool | None
    sections: tuple[ReportedSection, ...]
    areas: tuple[ReportedArea, ...]
    measured_at_ms: int
    validity: Validity


class ReleasedReport(msgspec.Struct, frozen=True):
    """One row of the score reports with its document decoded, and whom it is about."""

    id: str
    agency_id: str
    sitting_id: str
    person_id: str
    person_nip: str | None
    is_simulated: bool
    report_number: str
    verification_code: str
    package_hash: str
    sitting_chain: str
    document: ReportDocument
    released_at_ms: int
    released_by: str
    expires_at_ms: int

    @property
    def sections(self) -> tuple[ReportedSection, ...]:
        """The sections of the document."""
        return self.document.sections

    @property
    def measured_at_ms(self) -> int:
        """When the sitting was scored."""
        return self.document.measured_at_ms


def document_text(document: ReportDocument) -> str:
    """Canonical JSON (RFC 8785): what the database keeps and the verification code covers."""
    return rfc8785.dumps(msgspec.to_builtins(document)).decode()


def read_document(text: str) -> ReportDocument:
    """The document of a stored report."""
    return msgspec.json.decode(text, type=ReportDocument)


def verification_code(sitting_chain: str, report_number: str, person_id: str, text: str) -> str:
    """16 base32 characters (80 bits) of SHA-256 over chain, number, person and document.

    Whoever changes a stored score, number or owner must also change the code, which is printed on paper in
    the candidate's hands; 80 bits cannot be guessed at the public page that looks reports up by it.
    """
    digest = hashlib.sha256(
        rfc8785.dumps(
            {
                "sitting_chain": sitting_chain,
                "report_number": report_number,
                "person_id": person_id,
                "document": text,
            }
        )
    ).digest()
    return base64.b32encode(digest).decode()[:CODE_LENGTH]
