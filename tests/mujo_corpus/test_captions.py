"""Captions beside a video: both formats, scrolling lines, languages, damage; clips cut by them."""

import json

import pytest

from mujo.corpus.captions import MOST_WORDS, captions_of, parse_captions, said_between, stretches
from mujo.corpus.sources import jobs

VTT = """WEBVTT
Kind: captions

NOTE made by hand

intro
00:00.500 --> 00:03.000 align:start position:0%
Ten <c.colorE5E5E5>squats</c>, &amp; keep your back straight

00:03.000 --> 00:06.000
Ten squats, & keep your back straight
now<00:00:04.000><c> push</c> through the heels

00:06.000 --> 00:07.000
[Music]

00:00:20.000 --> 00:00:18.000
backwards in time
"""
SRT = """1
00:00:00,500 --> 00:00:03,000
{\\an8}Ten squats

2
00:01:03,250 --> 00:01:06,000
and rest
"""


def test_a_vtt_is_read_without_marks_scrolled_lines_and_sounds():
    cues = parse_captions(VTT)
    assert [(c.start_s, c.end_s) for c in cues] == [(0.5, 3.0), (3.0, 6.0)]
    assert cues[0].text == "Ten squats, & keep your back straight"
    assert cues[1].text == "now push through the heels"


def test_an_srt_is_read_with_either_line_ending():
    for text in (SRT, SRT.replace("\n", "\r\n")):
        cues = parse_captions(text)
        assert [(c.start_s, c.text) for c in cues] == [(0.5, "Ten squats"), (63.25, "and rest")]


@pytest.mark.parametrize(
    "text", ["", "WEBVTT", "nothing of the kind", "00:01 --> 00:02\nno fractions", "\x00\x01 --> \x02"]
)
def test_what_is_no_caption_file_gives_no_cue(text):
    assert parse_captions(text) == []


def test_words_belong_to_the_clip_that_holds_the_middle_of_their_cue_and_are_not_endless():
    cues = parse_captions(SRT)
    assert said_between(cues, 0.0, 1.0) == ""
    assert said_between(cues, 0.0, 60.0) == "Ten squats"
    assert said_between(cues, 60.0, float("inf")) == "and rest"
    many = parse_captions("00:00.000 --> 00:01.000\n" + "word " * 500)
    assert len(said_between(many, 0, 10).split()) == MOST_WORDS


def test_stretches_end_at_pauses_and_after_twenty_seconds():
    def cue(a, b):
        return f"00:{a:02d}.000 --> 00:{b:02d}.000\nx{a}\n\n"

    paused = parse_captions(cue(0, 5) + cue(5, 10) + cue(15, 20))
    assert stretches(paused) == [(0.0, 10.0), (15.0, 20.0)]
    short = parse_captions(cue(0, 3) + cue(10, 14))
    assert stretches(short) == [(0.0, 14.0)]
    endless = parse_captions("".join(cue(k, k + 4) for k in range(0, 56, 4)))
    assert stretches(endless) == [(0.0, 20.0), (20.0, 40.0), (40.0, 56.0)]


def test_the_language_is_chosen_and_damage_is_said(tmp_path):
    video = tmp_path / "a.b.mp4"
    video.write_bytes(b"")
    assert captions_of(video) == ([], "")
    (tmp_path / "a.b.de.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nKniebeugen\n")
    (tmp_path / "a.bc.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nof another video\n")
    assert captions_of(video)[0][0].text == "Kniebeugen"
    (tmp_path / "a.b.en-US.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nsquats\n")
    assert captions_of(video)[0][0].text == "squats"
    (tmp_path / "a.b.en-US.vtt").write_bytes(b"\xff\xfe\x00\xd8")
    cues, note = captions_of(video)
    assert cues == []
    assert "damaged" in note


def test_captions_are_one_phrasing_more_and_cut_what_has_no_chapters(tmp_path):
    (tmp_path / "plain.mp4").write_bytes(b"")
    (tmp_path / "plain.vtt").write_text(VTT)
    (tmp_path / "cut.mp4").write_bytes(b"")
    (tmp_path / "cut.srt").write_text(SRT)
    chapters = [
        {"start_time": 0, "end_time": 30, "title": "1. Squats x10"},
        {"start_time": 30, "end_time": 40, "title": "Rest"},
    ]
    (tmp_path / "cut.info.json").write_text(json.dumps({"chapters": chapters}))
    (tmp_path / "mute.mp4").write_bytes(b"")
    (tmp_path / "list.csv").write_text("clip,start_s,end_s,text,label\nplain.mp4,3,,heels,push\n")
    cut, mute, plain = jobs(tmp_path)
    assert [s.text for s in cut.spans] == [("1. Squats x10", "squats", "Ten squats"), ("Rest", "rest")]
    assert mute.spans[0].text == ()
    (span,) = plain.spans
    assert (span.start_s, span.end_s, span.label) == (0.5, 6.0, "")
    assert span.text == ("Ten squats, & keep your back straight now push through the heels",)
    assert "captions" in plain.note
    (listed,) = jobs(tmp_path / "list.csv")
    assert listed.spans[0].text == ("heels", "now push through the heels")
