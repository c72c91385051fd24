"""A page keeps what people wrote in it."""

from mujo.files import write_section

BEGIN, END = "<!-- begin -->", "<!-- end -->"


def test_only_what_is_between_the_markers_changes(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"# Mine\n\nbefore\n{BEGIN}\nold\n{END}\nafter\n")
    write_section(page, "Title", BEGIN, END, "new")
    assert page.read_text() == f"# Mine\n\nbefore\n{BEGIN}\n\nnew\n{END}\nafter\n"


def test_a_page_without_markers_keeps_its_text_once(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# Mine\n\ntext\n")
    for _ in range(2):
        write_section(page, "Title", BEGIN, END, "new")
    assert page.read_text() == f"# Mine\n\ntext\n\n{BEGIN}\n\nnew\n{END}\n"


def test_a_new_page_has_a_title(tmp_path):
    write_section(tmp_path / "page.md", "Title", BEGIN, END, "new")
    assert (tmp_path / "page.md").read_text() == f"# Title\n\n{BEGIN}\n\nnew\n{END}\n"
