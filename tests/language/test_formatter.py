"""The one layout: every construct as it is written, from a careless text, and the command."""

from __future__ import annotations

import io
import re
import stat
from pathlib import Path
from textwrap import dedent

import pytest

from engine.cli import main
from engine.language.formatter import HasMistakes, format_source
from engine.language.source import Source

ROOT = Path(__file__).parents[2]
SAMPLES = sorted((ROOT / "strategies").glob("*.strategy"))
EXAMPLES = re.findall(
    r"```strategy\n(.*?)```", (ROOT / "strategies" / "README.md").read_text("utf-8"), re.DOTALL
)


def formatted(text: str) -> str:
    tidy = format_source(Source(name="a.strategy", text=text))
    assert format_source(Source(name="a.strategy", text=tidy)) == tidy
    return tidy


def written(text: str, wanted: str) -> None:
    assert formatted(dedent(text).lstrip("\n")) == dedent(wanted).lstrip("\n")


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.name)
def test_the_sample_book_is_in_the_one_layout(file: Path) -> None:
    text = file.read_text("utf-8")
    assert formatted(text) == text


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_of_the_guide_are_in_the_one_layout(text: str) -> None:
    assert formatted(text) == text


def test_a_rule() -> None:
    written(
        """
        strategy "GMS chat"
           priority 80 group Invitations
          limit 1  per visit
         on PageEntered in Checkout, per page,stays 30   s, within 5 min
           when (latest(AddToCart.cartTotal,this visit)>=100)
           and (count(PageEntered in Products,last 10 min)>=3 and x.y)
           unless visitor.dislikesChat or visitor.state = "authenticated" and visitor.vip
           or seen(PageEntered in ThankYou, this visit)
           send InviteToGmsChat attach{reason:"hesitant buyer",}
         on InvitationRejected set visitor.dislikesChat=true
        """,
        """
        strategy "GMS chat"
          priority 80
          group    Invitations
          limit 1 per visit
          on PageEntered in Checkout, stays 30 s, within 5 min, per page
            when   latest(AddToCart.cartTotal, this visit) >= 100
              and  (count(PageEntered in Products, last 10 min) >= 3 and x.y)
            unless visitor.dislikesChat
              or   (visitor.state = "authenticated" and visitor.vip)
              or   seen(PageEntered in ThankYou, this visit)
            send   InviteToGmsChat
            attach { reason: "hesitant buyer" }

          on InvitationRejected
            set visitor.dislikesChat = true
        """,
    )


def test_declarations_of_one_line_stand_in_columns() -> None:
    written(
        """
        fact visitor.vip boolean=false from UserInfo,SignIn
        fact visit.stage   text
        fact visitor.dislikesChat number = 0
        category Home is url "/"
        category Products is ((url "/p/**") or not (title has "Phone"))

        category A is url "/a"
        medium "video"   "With picture"
        zone "Europe/Madrid"
        """,
        """
        fact visitor.vip          boolean = false from UserInfo, SignIn
        fact visit.stage          text
        fact visitor.dislikesChat number  = 0

        category Home     is url "/"
        category Products is url "/p/**" or not (title has "Phone")

        category A is url "/a"

        medium "video" "With picture"

        zone "Europe/Madrid"
        """,
    )


def test_events_hours_groups_channels_messages_and_guarantees() -> None:
    written(
        """
        event AddToCart "In the cart" productName text from text of "h1"
          price number from attribute "data-price" of ".buy" tags list of text
          capture on click of "button" capture on scroll to 90 %
        hours Office is Mon-Fri 9:00 - 18:00 and 19:00-20:00,Sat 10:00-14:00
         in "Europe/Madrid" except 2026-12-25
        group Invitations one  at a time limit 3 in 7 d per visit
        channel shop.banner{html:text,seconds:number,}
        message Offer(medium,reason) is shop.banner{html:reason,"seconds":30,
          more:{list:["a long text","another text"],
          long:"a long text, which does not fit"}}
        guarantee "Never twice" enforced never(2 times sent Invitations,per visitor,within 30 min)
        """,
        """
        event AddToCart "In the cart"
          productName text   from text of "h1"
          price       number from attribute "data-price" of ".buy"
          tags        list of text
          capture on click of "button"
          capture on scroll to 90%

        hours Office is Mon-Fri 09:00-18:00 and 19:00-20:00, Sat 10:00-14:00
          in "Europe/Madrid"
          except 2026-12-25

        group Invitations
          one at a time
          limit 3 in 7 d per visit

        channel shop.banner { html: text, seconds: number }

        message Offer(medium, reason) is shop.banner {
          html: reason,
          seconds: 30,
          more: { list: ["a long text", "another text"], long: "a long text, which does not fit" }
        }

        guarantee "Never twice" enforced
          never (2 times sent Invitations, within 30 min, per visitor)
        """.replace("enforced\n          never", "enforced never"),
    )


def test_scenarios() -> None:
    written(
        """
        scenario "A visitor hesitates" given 1 agents ready for "chat" start at 2026-11-23 9:00
          enters "/a"

          after 10 s
          visitor enters "/b" titled "B"
          after 5 s

          leaves
          after 1 s  # a pause
          visitor enters "/c"
          AddToCart{price:-3}
          expect sent Invite to page "/a"   expect nothing else
        """,
        """
        scenario "A visitor hesitates"
          given 1 agents ready for "chat"
          start at 2026-11-23 09:00
          visitor enters "/a"

          after 10 s enters "/b" titled "B"
          after 5 s

          visitor leaves
          after 1 s  # a pause
          visitor enters "/c"
          AddToCart { price: -3 }
          expect sent Invite to page "/a"
          expect nothing else
        """,
    )


def test_tables() -> None:
    written(
        """
        table "Which widget" for strategy "GMS"
         on PageEntered in ?|when latest(AddToCart.cartTotal,this visit)|send
         # the dear ones
         Checkout|>=100|Invite  # first

         -||Offer("a",-1)
        """,
        """
        table "Which widget" for strategy "GMS"
          on PageEntered in ? | when latest(AddToCart.cartTotal, this visit) | send
          # the dear ones
          Checkout            | >= 100                                       | Invite  # first

          -                   | -                                            | Offer("a", -1)
        """,
    )


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("a or b and c", "a or (b and c)"),
        ("(a and b) and c", "(a and b) and c"),
        ("((a)) = ((3))", "a = 3"),
        ("not (a = 3)", "not (a = 3)"),
        ("not (not a)", "not not a"),
        ("not(seen(A,ever))", "not seen(A, ever)"),
        ("(a + b) * c > a+(b*c)", "(a + b) * c > a + b * c"),
        ("a - (b - c) = (a - b) - c", "a - (b - c) = a - b - c"),
        ("-(a + b) < - 3", "-(a + b) < -3"),
        ("(a = b) = true", "(a = b) = true"),
        ('"\\u00e9\\u00a0" = a', '"é\\u00a0" = a'),
        ('"""plain""" = a', '"plain" = a'),
        ('"""a "quote" \\d""" = a', '"""a "quote" \\d""" = a'),
        ("a in((1),2) and event in(A,B)", "a in (1, 2) and event in (A, B)"),
        ("count(A where a or (b and c),last 5  min) > 3", None),
    ],
)
def test_conditions(condition: str, wanted: str | None) -> None:
    tidy = wanted or "count(A where a or (b and c), last 5 min) > 3"
    assert formatted(f"category X is {condition}") == f"category X is {tidy}\n"


def test_comments_stay_where_they_belong() -> None:
    written(
        """
        # The file.

        # Of the event.
        event A  # behind the head
          # of the field
          price number # behind
            # the end of the event


        # Of the strategy.
        strategy "s"
          on A # the cart
            # why
            when a and # first
               # second, above
               b
            send M
            # attach { a: 1 }

          # Of the rule.
          on A set # odd
            visit.x = { 1 }
        # The end.
        """.replace("{ 1 }", "1"),
        """
        # The file.

        # Of the event.
        event A  # behind the head
          # of the field
          price number  # behind
          # the end of the event

        # Of the strategy.
        strategy "s"
          on A  # the cart
            # why
            when a  # first
              # second, above
              and b
            send M
            # attach { a: 1 }

          # Of the rule.
          on A
            set visit.x = 1  # odd
        # The end.
        """,
    )


def test_comments_between_sorted_clauses_move_before_the_first() -> None:
    written(
        """
        strategy "s"
          on A, then B, per page, # p
             # w
             within 5 min # end
            send M
        """,
        """
        strategy "s"
          on A,
             then B,
             # p
             # w
             within 5 min,
             per page  # end
            send M
        """,
    )


def test_lines_of_windows_and_a_byte_order_mark_go() -> None:
    assert formatted('\ufeffzone  "UTC"\r\n\r\n\r\nmedium a\r\n') == 'zone "UTC"\n\nmedium a\n'


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n\n\n\n# comments"])
def test_a_file_without_a_declaration(text: str) -> None:
    assert formatted(text) == "\n\n".join(re.findall("#.*", text)) + "\n" * ("#" in text)


def test_a_text_with_mistakes_is_not_formatted() -> None:
    with pytest.raises(HasMistakes) as caught:
        format_source(Source(name="a", text="zone Madrid\nmedium video\n"))
    assert caught.value.found.diagnostics


# ---------------------------------------------------------------- the command

BAD = 'zone   "UTC"\n'
GOOD = 'zone "UTC"\n'


def test_the_command_rewrites_only_what_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good, broken = (tmp_path / f"{name}.strategy" for name in ("bad", "good", "broken"))
    bad.write_text(BAD)
    bad.chmod(0o640)
    good.write_text(GOOD)
    before = good.stat()
    assert main(["fmt", str(tmp_path)]) == 0
    assert bad.read_text() == GOOD
    assert stat.S_IMODE(bad.stat().st_mode) == 0o640
    assert (good.stat().st_ino, good.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert capsys.readouterr().out == f"{bad}\n"
    broken.write_text("zone UTC\n")
    bad.write_text(BAD)
    assert main(["fmt", str(tmp_path)]) == 1
    assert broken.read_text() == "zone UTC\n"
    assert bad.read_text() == GOOD
    assert "stays as it is" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        path.name for path in (bad, good, broken)
    )


def test_the_command_checks_and_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.strategy"
    file.write_text(BAD)
    assert main(["fmt", "--check", str(file)]) == 1
    assert capsys.readouterr().out == f"{file}\n"
    assert main(["fmt", "--diff", str(file)]) == 0
    shown = capsys.readouterr().out
    assert shown.endswith('@@ -1 +1 @@\n-zone   "UTC"\n+zone "UTC"\n')
    assert main(["fmt", "--check", "--diff", str(file)]) == 1
    assert capsys.readouterr().out == shown
    assert file.read_text() == BAD
    file.write_text(GOOD)
    assert main(["fmt", "--check", str(file)]) == 0
    assert capsys.readouterr().out == ""


def test_the_command_reads_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(BAD.encode())))
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == GOOD


def test_the_command_says_what_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fmt", str(tmp_path / "nothing")]) == 2
    assert "There is no folder or file" in capsys.readouterr().err
