"""The rules that need no parameters and that `consolidate` applies too: what the form's fields themselves demand."""

from kpixl.checks.rule import Rule
from kpixl.checks.rules.completeness import no_rows, one_of, required_blank
from kpixl.checks.rules.compliance import computed_mismatch, sum_mismatch, value_unread

BASIC_RULES: tuple[Rule, ...] = (
    value_unread.RULE,
    sum_mismatch.RULE,
    computed_mismatch.RULE,
    required_blank.RULE,
    no_rows.RULE,
    one_of.RULE,
)
