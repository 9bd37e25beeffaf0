import tomllib

from hypothesis import given
from hypothesis import strategies as st

from rover.config.toml_lines import key_lines

TEXT = '''\
# a comment
profile = "osr"

[motion]          # line 4
max_speed_mps = 1
[wheels.left_front]
motor = { address = 0x80, channel = 1 }
names = [
  "# not a comment",
  "]",
]
note = """
[motion]
turbo_speed_mps = 3
"""
after = 1
[[list]]
x = 1
"a.b" = 2
a . b = 3
'''


def test_every_key_has_the_line_it_stands_on():
    assert key_lines(TEXT) == {
        ("profile",): 2,
        ("motion",): 4,
        ("motion", "max_speed_mps"): 5,
        ("wheels",): 6,
        ("wheels", "left_front"): 6,
        ("wheels", "left_front", "motor"): 7,
        ("wheels", "left_front", "motor", "address"): 7,
        ("wheels", "left_front", "motor", "channel"): 7,
        ("wheels", "left_front", "names"): 8,
        ("wheels", "left_front", "note"): 12,
        ("wheels", "left_front", "after"): 16,
        ("list",): 17,
        ("list", "x"): 18,
        ("list", "a.b"): 19,
        ("list", "a"): 20,
        ("list", "a", "b"): 20,
    }


def test_lines_end_at_newlines_and_at_nothing_else():
    assert key_lines('a = "\u2028"\nb = 1')[("b",)] == 2


def test_a_statement_without_end_costs_the_lines_after_it_and_no_more():
    text = "a = 1\nb = [\n" + "1,\n" * 5000 + "]\nc = 1\n"
    assert key_lines(text) == {("a",): 1}


def test_keys_nested_out_of_reason_are_not_followed():
    text = ".".join(["a"] * 5000) + " = 1\nb = 2"
    found = key_lines(text)
    assert found[("b",)] == 2
    assert max(map(len, found)) == 8


@given(
    st.lists(
        st.sampled_from(
            ["", "# x", "k{} = 1", "k{} = [1,\n 2]", "[t{}]", "k{} = '''\n[x]\n'''", "k{}.a = {{}}"]
        ),
        max_size=12,
    )
)
def test_each_line_named_is_where_the_key_is_written(statements):
    text = "\n".join(line.format(i) for i, line in enumerate(statements))
    written = text.split("\n")
    found = key_lines(text)
    for path, line in found.items():
        assert written[line - 1].lstrip("[").startswith(path[0] if len(path) == 1 else "k")
    assert {path[0] for path in found} == set(tomllib.loads(text))
