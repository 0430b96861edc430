"""The unit strings that declarations and data may carry.

Rates are per day in every declaration, for data of any interval.
"""

__all__ = ["DECLARED_UNITS", "check_unit"]

DECLARED_UNITS = (
    "1",
    "mm",
    "d",
    "1/d",
    "mm/d",
    "degC",
    "degC/d",
    "mm/(degC d)",
    "1/mm",
    "1/(mm d)",
    "mm2/d",
)


def check_unit(owner: str, unit: str) -> None:
    """Raise ValueError if `unit` is not one that a declaration may use."""
    if unit not in DECLARED_UNITS:
        raise ValueError(
            f"{owner}: unknown unit {unit!r}; expected one of {', '.join(DECLARED_UNITS)} "
            "(dimensionless is '1', rates are per day)"
        )
