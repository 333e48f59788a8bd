"""Text that wants to be more than text."""

from hypothesis import strategies as st

PAYLOADS = (
    "$(touch canary)",
    "`touch canary`",
    "'; touch canary; '",
    '"; touch canary; "',
    "\ntouch canary\n",
    ";;\nesac\ntouch canary",
    "${IFS}touch${IFS}canary",
    "$((canary))",
    "\\",
    "\\'",
    "$'\\047'",
    "@jobs@",
    "@plan@",
    "# seal    ",
    "-rf",
    "--help",
    "!!",
    "{a,b}",
    "*",
    "~",
    "%s%n",
    "\r\n",
    "\t",
    "\x1b[2J",
    "\x7f",
    "\u202e",
    "\u2019",
    "\u00a0",
    "é",
    "e\u0301",
    "\U0001fac1",
    "x" * 2_000,
)

TEXT = st.lists(
    st.one_of(
        st.sampled_from(PAYLOADS), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    ),
    max_size=4,
).map("".join)
