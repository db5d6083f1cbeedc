"""Own keys, own columns, own theme: what was set holds, what cannot hold is told, and garbage harms nobody."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.stage.drive import stage
from tui import palette
from tui.columns import ALWAYS, COLUMNS, Shown, heading, layout
from tui.commands import BY_ID, COMMANDS, EVERYWHERE
from tui.history import History, Place
from tui.keymap import DEFAULT, key_name, parse_keymap, shown
from tui.lines import line_width
from tui.memory import Memory, Remembered
from tui.screens.column_dialog import ColumnDialog
from tui.screens.menu import Menu
from tui.screens.plan_dialog import PlanDialog
from tui.screens.problems import ProblemsDialog
from tui.settings import Settings, parse_settings, read_settings
from tui.theme import GROUNDS, NoColours
from tui.widgets.lines import Lines

PATH = Path("dashboard.yaml")

# Keys


def test_a_key_is_written_as_a_name_or_as_its_character() -> None:
    for text, name in (
        ("R", "R"), ("/", "slash"), ("?", "question_mark"), ("*", "asterisk"), ("f5", "f5"), ("esc", "escape"),
        ("ctrl+r", "ctrl+r"), ("[", "left_square_bracket"), ("-", "minus"), ("pgdn", "pagedown"), (".", "full_stop"),
    ):  # fmt: skip
        assert key_name(text) == name
    for text in ("", "f99", "hyper+r", "\x1b", "two words"):
        assert key_name(text) is None, text
    for command in COMMANDS:
        for key in command.keys:
            assert key_name(shown(key)) == key, key


def test_an_override_replaces_every_key_of_the_command_on_all_its_screens() -> None:
    keymap, problems = parse_keymap({"renew": "f5", "update-certificates": ["f6", "ctrl+u"]})
    assert problems == []
    assert keymap.key(BY_ID["renew"]) == "f5"
    assert keymap.bindings["fleet.renew"] == "f5"
    assert keymap.bindings["timeline.renew"] == "f5"
    assert keymap.bindings["clusters.update_certificates"] == "f6,ctrl+u"
    assert keymap.key(BY_ID["repair"]) == "S"


def test_two_commands_may_swap_their_keys() -> None:
    keymap, problems = parse_keymap({"renew": "T", "rotate_token": "R"})
    assert problems == []
    assert (keymap.key(BY_ID["renew"]), keymap.key(BY_ID["rotate_token"])) == ("T", "R")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"renew": "d"}, "renew: d is detail on the fleet screen; it keeps R"),
        ({"renew": "f5", "repair": "f5"}, "f5 is repair on the"),
        ({"renw": "f5"}, "there is no command 'renw'"),
        ({"renew": "f99"}, "'f99' is no key"),
        ({"renew": "ctrl+c"}, "always ends the program"),
        ({"renew": []}, "no key is given"),
        ({"renew": True}, "is no key"),
        (["renew"], "expected a mapping"),
    ],
)
def test_what_cannot_hold_is_told_and_keeps_its_own_key(values: object, said: str) -> None:
    keymap, problems = parse_keymap(values)
    assert any(said in problem for problem in problems), problems
    assert keymap.key(BY_ID["renew"]) == "R"
    assert not keymap.overrides


@given(st.dictionaries(st.sampled_from([c.id for c in COMMANDS]), st.sampled_from("abcRTSXdjk/?.")))
def test_whatever_is_overridden_no_screen_has_two_commands_on_one_key(values: dict[str, str]) -> None:
    keymap, _ = parse_keymap(values)
    for scope in EVERYWHERE:
        keys = [key for command in keymap.of_screen(scope) for key in command.keys]
        assert len(keys) == len(set(keys))


async def test_an_own_key_works_is_shown_and_frees_the_old_one() -> None:
    keymap, _ = parse_keymap({"renew": "f5"})
    async with stage((140, 40), settings=Settings(keymap=keymap)) as made:
        await made.choose("nodeagent-07")
        assert "f5 renew" in made.text
        await made.press("R")
        assert not isinstance(made.app.screen, PlanDialog)
        await made.press("f5")
        assert isinstance(made.app.screen, PlanDialog)
        await made.press("escape", "question_mark")
        assert "your key; R as shipped" in made.text


async def test_a_command_without_a_key_can_be_given_one() -> None:
    keymap, problems = parse_keymap({"theme": "f9", "readonly": "f8"})
    assert problems == []
    async with stage(settings=Settings(keymap=keymap)) as made:
        await made.press("f8")
        assert not made.app.write_mode
        await made.press("f9")
        assert isinstance(made.app.screen, Menu)
        await made.press("m")
        assert made.app.looks.theme == "mono"


# The settings file


def test_a_settings_file_holds_what_it_says() -> None:
    text = b"theme: light\nmouse: false\nconfirm: undo\nkeymap:\n  renew: f5\n"
    found = parse_settings(text, PATH)
    assert (found.theme, found.mouse, found.asks_for_one, found.problems) == ("light", False, False, ())
    assert found.keymap.key(BY_ID["renew"]) == "f5"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"theme: pink\n", "'pink' is none of"),
        (b"mouse: maybe\n", "neither true nor false"),
        (b"colour: red\n", "there is no setting 'colour'"),
        (b"- a\n", "expected a mapping"),
        (b"\xff\xfe", "not valid YAML"),
        (b"a: [", "not valid YAML"),
        (b"keymap: {renew: d}", "renew: d is detail"),
    ],
)
def test_a_mistake_in_the_settings_is_told_and_the_rest_holds(text: bytes, said: str) -> None:
    found = parse_settings(text, PATH)
    assert any(said in problem and problem.startswith("dashboard.yaml") for problem in found.problems)
    assert found.theme == ""


@given(st.binary(max_size=200))
def test_no_settings_file_keeps_the_dashboard_from_starting(data: bytes) -> None:
    assert isinstance(parse_settings(data, PATH), Settings)


def test_no_settings_file_is_no_problem(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "dashboard.yaml") == Settings()
    (tmp_path / "dashboard.yaml").mkdir()
    assert "cannot be read" in read_settings(tmp_path / "dashboard.yaml").problems[0]


async def test_problems_are_told_at_the_start_and_leave_with_one_key() -> None:
    found = parse_settings(b"keymap: {renew: d, repair: f99}", PATH)
    async with stage(settings=found) as made:
        assert isinstance(made.app.screen, ProblemsDialog)
        assert "renew: d is detail" in made.text
        assert "'f99' is no key" in made.text
        await made.press("escape")
        assert not isinstance(made.app.screen, ProblemsDialog)


@pytest.mark.parametrize(("tag", "asked"), [("", False), ("PROD", True)])
async def test_whoever_set_it_renews_one_without_a_question_except_in_production(tag: str, asked: bool) -> None:
    async with stage(settings=Settings(asks_for_one=False), site_tag=tag) as made:
        await made.choose("nodeagent-07")
        await made.press("R")
        assert isinstance(made.app.screen, PlanDialog) is asked
        assert bool(made.app.outbox.holding) is not asked
        assert made.agent.asked == []


# Memory


def test_what_is_remembered_is_private_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "state" / "dashboard.json"
    kept = Remembered(sort="name", columns=("state", "client"), wide=True, theme="mono", filter="kms")
    Memory(path).keep("bonn", kept)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Memory(path).of("bonn") == kept
    assert Memory(path).of("oslo") == Remembered()


LEAVES = st.none() | st.booleans() | st.integers() | st.text()
FIELDS = st.sampled_from(["sort", "columns", "wide", "theme", "filter", "more"])
SITES = st.dictionaries(st.sampled_from(["bonn", "oslo"]), LEAVES | st.dictionaries(FIELDS, LEAVES | st.lists(LEAVES)))


@given(st.binary(max_size=300) | (LEAVES | st.lists(LEAVES) | SITES).map(lambda value: json.dumps(value).encode()))
def test_garbage_in_the_memory_counts_as_never_written(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "dashboard.json"
        path.write_bytes(data)
        assert isinstance(Memory(path).of("bonn"), Remembered)


def test_a_memory_that_cannot_be_written_bothers_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = Memory(tmp_path / "file" / "dashboard.json")
    memory.keep("bonn", Remembered(sort="name"))
    assert memory.of("bonn").sort == "name"


async def test_order_columns_and_theme_come_back_and_the_filter_only_when_kept(tmp_path: Path) -> None:
    memory = tmp_path / "dashboard.json"
    async with stage(memory=Memory(memory)) as made:
        await made.press("s", "n")
        await made.press("colon", *"theme light", "enter")
        await made.press("w")
        await made.press("slash", *"kms", "enter")
    async with stage(memory=Memory(memory)) as made:
        assert made.app.model.sort.id == "name"
        assert made.app.looks.theme == "light"
        assert made.app.looks.shown.wide
        assert made.app.model.filter_text == ""
        await made.press("slash", *"csi", "enter")
        await made.press("colon", *"keep-filter", "enter")
    async with stage(memory=Memory(memory)) as made:
        assert made.app.model.filter_text == "csi"
        assert "kept filter csi" in made.text


# Themes and columns


@pytest.mark.parametrize("name", list(palette.THEMES))
async def test_a_theme_changes_while_the_dashboard_runs(name: str) -> None:
    async with stage() as made:
        await made.press("colon", *f"theme {name}", "enter")
        assert made.app.looks.theme == name
        assert made.app.palette is palette.THEMES[name]
        assert any(isinstance(one, NoColours) for one in made.app._filters) is (name == "mono")
        assert made.app.theme == GROUNDS[name]


async def test_an_unknown_theme_names_those_there_are() -> None:
    async with stage() as made:
        await made.press("colon", *"theme pink", "enter")
        assert "known are dark, light, ansi, mono" in made.app.notice_text
        assert made.app.looks.theme == "dark"


def test_every_role_is_drawn_by_every_theme() -> None:
    for name, theme in palette.THEMES.items():
        assert set(theme) == set(palette.DARK), name


@given(
    st.integers(40, 220),
    st.builds(Shown, ids=st.lists(st.sampled_from([c.id for c in COLUMNS]), max_size=9).map(tuple), wide=st.booleans()),
)
def test_whatever_columns_are_chosen_the_line_fits_and_the_client_is_named(width: int, chosen: Shown) -> None:
    ids = [column.id for column, _ in layout(width, chosen)]
    assert set(ALWAYS) <= set(ids)
    assert ids == [column.id for column in COLUMNS if column.id in ids]
    assert line_width(heading(width, "worst", chosen)) == max(width, 43) or width < 43


async def test_columns_are_chosen_in_a_dialog_and_seen_at_once() -> None:
    async with stage((140, 24)) as made:
        await made.press("C")
        assert isinstance(made.app.screen, ColumnDialog)
        await made.press(*["j"] * 11, "space")
        assert "ca" in made.app.looks.shown.ids
        await made.press("g", "escape")
        title = made.app.deck.query_one("#table", Lines).text.splitlines()[0]
        assert " CA " in title
        await made.press("C", "space")
        assert "always stays" in made.text
        await made.press("r")
        assert made.app.looks.shown.ids == ()


# History


def test_history_goes_back_and_on_and_a_new_way_forgets_what_was_ahead() -> None:
    history = History()
    first, second, third = Place(view="a"), Place(view="b"), Place(view="c")
    history.leave(first)
    history.leave(second)
    assert history.back(third) == second
    assert history.back(second) == first
    assert history.back(first) is None
    assert history.on(first) == second
    history.leave(second)
    assert history.on(third) is None


async def test_brackets_lead_back_to_view_and_filter() -> None:
    async with stage() as made:
        await made.press("slash", *"kms", "enter")
        await made.press("3", "5", "left_square_bracket")
        assert made.app.deck.scope == "clusters"
        await made.press("left_square_bracket")
        assert (made.app.deck.scope, made.app.model.filter_text) == ("fleet", "kms")
        await made.press("left_square_bracket")
        assert made.app.model.filter_text == ""
        await made.press("right_square_bracket")
        assert made.app.model.filter_text == "kms"
        await made.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        assert made.app.deck.scope == "jobs"
        assert "nothing after this" in made.text


def test_the_shipped_keys_clash_nowhere() -> None:
    for values in (None, {}):
        keymap, problems = parse_keymap(values)
        assert problems == []
        assert keymap.bindings == DEFAULT.bindings == {}


async def test_without_colour_a_warning_underlines_its_words_and_not_the_blanks_around_them() -> None:
    async with stage((80, 40), theme="mono") as made:
        table = made.app.deck.query_one("#table", Lines)
        underlined = [
            segment.text
            for y in range(table.size.height)
            for segment in table.render_line(y)
            if segment.style is not None and segment.style.underline
        ]
        assert any("OVERDUE" in text for text in underlined)
        assert all(text == text.strip() for text in underlined)
        for y in range(table.size.height):
            assert table.render_line(y).cell_length == 80
