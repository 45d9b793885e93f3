"""The catalogue of the library's methods: what each computes, from which literature, and when to use it.

Pure data; docs/methods.md is printed from it. A test walks the package and fails on anything public that
computes something and stands nowhere here, so that a method cannot be added without saying what it is.
"""

from psychometrics.methods.abilities import ABILITIES, TESTLETS
from psychometrics.methods.catalogue import Group, Method
from psychometrics.methods.compatibility import ABOUT_CATR, CATR, COMPATIBILITY, Compatibility
from psychometrics.methods.criteria import CHOICE, CONTENT, CRITERIA_OF_SELECTION
from psychometrics.methods.estimation import ESTIMATORS, QUADRATURE, STANDARD_ERRORS
from psychometrics.methods.models import INFORMATION, MODELS
from psychometrics.methods.results import CLASSICAL, CLASSIFICATION, DECISIONS, EXPOSURE, SCALING, TIMES

CATALOGUE: tuple[Group, ...] = (
    MODELS,
    INFORMATION,
    QUADRATURE,
    ESTIMATORS,
    STANDARD_ERRORS,
    CRITERIA_OF_SELECTION,
    CONTENT,
    CHOICE,
    ABILITIES,
    TESTLETS,
    TIMES,
    DECISIONS,
    CLASSIFICATION,
    SCALING,
    EXPOSURE,
    CLASSICAL,
)

__all__ = ["ABOUT_CATR", "CATALOGUE", "CATR", "COMPATIBILITY", "Compatibility", "Group", "Method"]
