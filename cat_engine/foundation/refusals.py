"""Every expected "no" of the product, with its code.

A refusal is not a bug: somebody asked for a thing that the rules, the clock or the state of things do not
allow. It carries a code for machines and details for the sentence that a person reads; the sentences are in
the message catalogues, the HTTP statuses in the web package. Bugs raise ordinary exceptions.
"""

from enum import StrEnum


class Refusal(StrEnum):
    """The codes, alphabetical within their subject. A code is never given another meaning."""

    # anything
    CONFLICT = "conflict"
    FIELD_INVALID = "field_invalid"
    FIELD_MISSING = "field_missing"
    FORM_EXPIRED = "form_expired"
    FORM_MALFORMED = "form_malformed"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ALLOWED = "not_allowed"
    NOT_FOUND = "not_found"
    NOT_SIGNED_IN = "not_signed_in"
    OVERLOADED = "overloaded"
    TOO_LARGE = "too_large"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    UNEXPECTED = "unexpected"
    # signing in
    ACCOUNT_DISABLED = "account_disabled"
    CREDENTIALS_WRONG = "credentials_wrong"
    PIN_WRONG = "pin_wrong"
    SESSION_NOT_OPEN = "session_not_open"
    SESSION_CLOSED = "session_closed"
    # a sitting
    ALREADY_ANSWERED = "already_answered"
    CONSENT_MISSING = "consent_missing"
    PLEDGE_TEXT_CHANGED = "pledge_text_changed"
    PRESENTATION_NOT_CURRENT = "presentation_not_current"
    PREPARATION_INCOMPLETE = "preparation_incomplete"
    REASON_MISSING = "reason_missing"
    REASON_UNKNOWN = "reason_unknown"
    RESPONSE_MISSING = "response_missing"
    RESPONSE_UNKNOWN = "response_unknown"
    SECTION_NOT_LINEAR = "section_not_linear"
    SITTING_MOVED = "sitting_moved"
    SITTING_STATE = "sitting_state"
    TIME_AMOUNT_INVALID = "time_amount_invalid"
    TIME_IS_UP = "time_is_up"
    # test packages
    PACKAGE_EMPTY_POOL = "package_empty_pool"
    PACKAGE_INVALID = "package_invalid"
    PACKAGE_PARAMETERS = "package_parameters"
    PACKAGE_RULE_UNKNOWN = "package_rule_unknown"
    PACKAGE_TAMPERED = "package_tampered"
    # rosters
    ROSTER_BIRTH_AFTER_APPOINTMENT = "roster_birth_after_appointment"
    ROSTER_COLUMN_MISSING = "roster_column_missing"
    ROSTER_DATE_IMPOSSIBLE = "roster_date_impossible"
    ROSTER_DUPLICATE_NIP = "roster_duplicate_nip"
    ROSTER_EMPTY = "roster_empty"
    ROSTER_ENCODING = "roster_encoding"
    ROSTER_NAME_MISSING = "roster_name_missing"
    ROSTER_NIP_INVALID = "roster_nip_invalid"
    ROSTER_NUMBER_INVALID = "roster_number_invalid"
    ROSTER_POST_UNKNOWN = "roster_post_unknown"
    ROSTER_ROW_WIDTH = "roster_row_width"
    ROSTER_SEAT_TAKEN = "roster_seat_taken"
    ROSTER_SEAT_UNKNOWN = "roster_seat_unknown"
    # results
    CONFLICT_STATEMENT_MISSING = "conflict_statement_missing"
    RESULT_ALREADY_RELEASED = "result_already_released"
    RESULT_NOT_RELEASED = "result_not_released"
    RESULT_NOT_SCORED = "result_not_scored"
    # talent record
    POSTING_NOT_DEAD = "posting_not_dead"


class Refused(Exception):
    """An expected "no": its code and the facts that its sentence needs."""

    def __init__(self, code: Refusal, **details: str | int) -> None:
        super().__init__(f"{code}: {details}" if details else str(code))
        self.code = code
        self.details = details
