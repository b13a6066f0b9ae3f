"""The form of free answers: measured where they have one, left as the prompts ask where they have none."""

import pytest

from veraretouch.export.dialogue import RETOUCH_TOKENS
from veraretouch.official.skeleton import FEWEST, LONGEST, MOST, Skeleton, measured_skeleton, read_answer
from veraretouch.official.synthetic import write_tokenizer
from veraretouch.official.tokens import read_tokenizer

PLANS = ("light", "globalcolor", "specificcolor")
FIELDS = ("plan.light", "plan.globalColor", "plan.specificColor")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return read_tokenizer(folder)


def answer(text: str, between: str = "", last: str = "", tags: tuple[str, ...] = PLANS) -> str:
    sections = between.join(f"<plan_{tag}_start>{text}<plan_{tag}_end>" for tag in tags)
    return f"{sections}{last}{''.join(RETOUCH_TOKENS)}<|im_end|>"


def ids(tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False).ids


def test_an_answer_is_read_as_its_form_and_lengths(tokenizer):
    form, lengths = read_answer(ids(tokenizer, answer("warm, faded", "\n", " so: ")), tokenizer)
    assert form.fields == FIELDS and form.separators == ("", "\n", "\n", " so: ")
    assert lengths == [len(ids(tokenizer, "warm, faded"))] * 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "warm, faded",
        "".join(RETOUCH_TOKENS),
        answer("warm").replace("<plan_light_end>", ""),
        answer("warm").replace("<plan_light_end>", "<plan_globalcolor_end>"),
        answer("warm").replace("<retouch_light>", "<retouch_light> "),
        answer("warm", tags=("light", "light")),
        answer("warm", between="<Auto_Retouch_Task>"),
        answer("warm").replace("<retouch_colormixer>", ""),
    ],
)
def test_what_cannot_be_held_has_no_form(tokenizer, text):
    assert read_answer(ids(tokenizer, text), tokenizer) is None


def test_the_most_frequent_form_is_taken_and_the_rest_stays_as_asked(tokenizer):
    free = {
        "style": [ids(tokenizer, answer("warm", "\n")), ids(tokenizer, answer("faded")), ids(tokenizer, answer("warm", "\n"))],
        "param": [ids(tokenizer, answer("warm")), ids(tokenizer, "warm")],
        "auto": [ids(tokenizer, "warm")],
    }
    skeleton, counts = measured_skeleton(free, tokenizer)
    assert counts == {"auto": 0, "style": 2, "param": 1}
    assert skeleton.separators == {"style": ["", "\n", "\n", ""]}
    assert skeleton.fields == Skeleton().fields and skeleton.longest == FEWEST
    dialogue = skeleton.dialogue(tokenizer, tokenizer.get_vocab_size())
    assert [section.max_tokens for section in dialogue.answer["style"]] == [FEWEST] * 3
    assert dialogue.separator_ids("style", 1) == ids(tokenizer, "\n") and dialogue.separator_ids("param", 1) == []


def test_lengths_get_room_within_bounds(tokenizer):
    for words, room in ((1, FEWEST), (40, 60), (4000, MOST)):
        text = answer("!" * words)
        length = read_answer(ids(tokenizer, text), tokenizer)[1][0]
        assert length == words
        assert measured_skeleton({"style": [ids(tokenizer, text)]}, tokenizer)[0].longest == room
    assert measured_skeleton({}, tokenizer)[0].longest == LONGEST


def test_other_orders_and_fewer_sections_are_kept(tokenizer):
    text = answer("warm", tags=("specificcolor", "light"))
    skeleton, _ = measured_skeleton({"param": [ids(tokenizer, text)]}, tokenizer)
    assert skeleton.fields["param"] == ("plan.specificColor", "plan.light")
    assert skeleton.fields["style"] == FIELDS
