"""Whole and decimal numbers: which texts they take, what they load, and that short cuts change nothing."""

import json
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tasks.pipeline.fields.integer import exact_integer
from tasks.pipeline.fields.number import exact_number
from tasks.pipeline.fields.steps import Refusal
from tests.tasks.pipeline.deciding import assert_verdicts, decide, verdict

INTEGERS = {
    "0": "0",
    "-0": "0",
    "+0": "0",
    "7": "7",
    "+7": "7",
    "-7": "-7",
    "007": "7",
    "-007": "-7",
    "0" * 5000 + "5": "5",
    "999999999999999999": "999999999999999999",
    "9223372036854775807": "9223372036854775807",
    "-9223372036854775808": "-9223372036854775808",
    "9223372036854775808": "OUT_OF_RANGE",
    "-9223372036854775809": "OUT_OF_RANGE",
    "9" * 4301: "OUT_OF_RANGE",
    "0" * 1_000_000 + "x": "INVALID_INTEGER",
    "1.0": "INVALID_INTEGER",
    "1e3": "INVALID_INTEGER",
    "1_000": "INVALID_INTEGER",
    "1,000": "INVALID_INTEGER",
    "1 000": "INVALID_INTEGER",
    "0x1F": "INVALID_INTEGER",
    "--1": "INVALID_INTEGER",
    "+": "INVALID_INTEGER",
    "- 1": "INVALID_INTEGER",
    "true": "INVALID_INTEGER",
    "٣": "INVALID_INTEGER",
    "5\n6": "INVALID_INTEGER",
}


def test_integer_takes_sign_and_digits() -> None:
    """64 bits, no decimals, no separators, no other digits than 0 to 9."""
    assert_verdicts(INTEGERS, type="INTEGER")


NUMBERS = {
    "0": "0",
    "-0": "-0",
    "12": "12",
    "0.10": "0.10",
    "-0.5": "-0.5",
    "+0.50": "0.50",
    ".5": "0.5",
    "-.5": "-0.5",
    "5.": "5",
    "007.50": "7.50",
    "1e3": "1e3",
    "1E+3": "1e3",
    "1.50e-07": "1.50e-7",
    "+007e+2": "7e2",
    "1e000000000000000000000000005": "1e5",
    "123456789012345678901234567890.123456789": "123456789012345678901234567890.123456789",
    "9" * 308: "9" * 308,
    "9" * 309: "OUT_OF_RANGE",
    "9.99e307": "9.99e307",
    "9.99e308": "OUT_OF_RANGE",
    "-9.9e308": "OUT_OF_RANGE",
    "1.0000000001e308": "OUT_OF_RANGE",
    "-1.00e308": "-1.00e308",
    "10e307": "10e307",
    "0.1e309": "0.1e309",
    "1" + "0" * 308: "1" + "0" * 308,
    "1" + "0" * 307 + "1": "OUT_OF_RANGE",
    "2" + "0" * 308: "OUT_OF_RANGE",
    "1" + "0" * 308 + ".5": "OUT_OF_RANGE",
    "0.9e-308": "OUT_OF_RANGE",
    "-9.99e-309": "OUT_OF_RANGE",
    "9.99e-308": "9.99e-308",
    "1e308": "1e308",
    "1e-308": "1e-308",
    "0." + "0" * 307 + "1": "0." + "0" * 307 + "1",
    "0e999999999999": "0",
    "0.00e-999999999999": "0.00",
    "0.0": "0.0",
    "0" * 2000 + "1": "1",
    "1" * 500 + "e-300": "1" * 500 + "e-300",
    "9" * 310: "OUT_OF_RANGE",
    "1e309": "OUT_OF_RANGE",
    "1e-309": "OUT_OF_RANGE",
    "0." + "0" * 308 + "1": "OUT_OF_RANGE",
    "1e999999999": "OUT_OF_RANGE",
    "-1e999999999999999999999999999": "OUT_OF_RANGE",
    "1e-999999999": "OUT_OF_RANGE",
    "0.5" + "0" * 1000: "OUT_OF_RANGE",
    "9" * 5000: "OUT_OF_RANGE",
    "1" * 1001 + "e-900": "OUT_OF_RANGE",
    "0" * 1_000_000 + "x": "INVALID_NUMBER",
    "1e" + "0" * 1_000_000 + "x": "INVALID_NUMBER",
    "1e-0": "1e0",
    "NaN": "INVALID_NUMBER",
    "Infinity": "INVALID_NUMBER",
    "-inf": "INVALID_NUMBER",
    "1_000": "INVALID_NUMBER",
    "1,5": "INVALID_NUMBER",
    "0x1F": "INVALID_NUMBER",
    "1.2.3": "INVALID_NUMBER",
    ".": "INVALID_NUMBER",
    "e5": "INVALID_NUMBER",
    ".e5": "INVALID_NUMBER",
    "1e": "INVALID_NUMBER",
    "1e+": "INVALID_NUMBER",
    "1e1.5": "INVALID_NUMBER",
    "--1": "INVALID_NUMBER",
    "$5": "INVALID_NUMBER",
    "٣": "INVALID_NUMBER",
    "1\n": "1",
    "1\n2": "INVALID_NUMBER",
}


def test_number_keeps_every_digit() -> None:
    """Exact decimals within 10^±308, as JSON numbers; nothing goes through a float or writes out an exponent."""
    assert_verdicts(NUMBERS, type="NUMBER")


DIGITS = st.text("0123456789", max_size=25)
INTEGER_TEXTS = st.builds(
    "".join, st.tuples(st.sampled_from(["", "-", "+", "--"]), DIGITS, st.sampled_from(["", "", ".0", "x"]))
)
NUMBER_TEXTS = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", "-", "+"]),
        DIGITS,
        st.sampled_from(["", ".", "_"]),
        DIGITS,
        st.one_of(
            st.just(""), st.integers(-320, 320).map("e{}".format), st.sampled_from(["e", "E+05", "e-0"])
        ),
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(INTEGER_TEXTS, min_size=1, max_size=5))
@example(["0", "-0"])
@example(["9223372036854775807", "9223372036854775808"])
def test_integer_fast_path_agrees_with_the_exact_one(texts: list[str]) -> None:
    """Whether Rust or Python decides, alone or in a column, verdict and value are those of int()."""
    loaded, refusals = decide(texts, type="INTEGER", null_values=[])
    for position, text in enumerate(texts):
        exact = exact_integer(text)

        assert exact == refusals.get(position, loaded[position])
        assert isinstance(exact, Refusal) or int(exact) == int(text)


@settings(deadline=None, max_examples=500)
@given(st.lists(NUMBER_TEXTS, min_size=1, max_size=5))
@example(["1", "0.10", "+1", "1e-308"])
def test_number_fast_path_agrees_with_the_exact_one(texts: list[str]) -> None:
    """Whether Rust or Python decides, alone or in a column, verdict and value are those of Decimal."""
    loaded, refusals = decide(texts, type="NUMBER", null_values=[])
    for position, text in enumerate(texts):
        exact = exact_number(text)

        assert exact == refusals.get(position, loaded[position])
        if not isinstance(exact, Refusal):
            assert (
                Decimal(text) == Decimal(exact) == json.loads(exact, parse_float=Decimal, parse_int=Decimal)
            )
        elif exact.code == "OUT_OF_RANGE":
            assert not Decimal("1e-308") <= abs(Decimal(text)) <= Decimal("1e308")


@settings(deadline=None, max_examples=300)
@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=20, min_value=-2, max_value=2),
    st.floats(-2, 2).map(lambda bound: round(bound, 20)),
)
def test_number_bounds_compare_exactly(value: Decimal, bound: float) -> None:
    """The float filter never changes what decimals say."""
    exact = Decimal(repr(bound))

    assert (value >= exact) == (verdict(str(value), type="NUMBER", min=bound) != "TOO_SMALL")
    assert (value <= exact) == (verdict(str(value), type="NUMBER", max=bound) != "TOO_LARGE")
