"""Tests of the sections that benchmarks write into a document."""

from pathlib import Path

from benchmarks.tables import table, write_section


def test_a_table_has_a_head_and_a_row_for_each_measurement() -> None:
    assert table(("a", "b"), [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_section_takes_the_place_of_its_own_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "speed.md"
    write_section(path, "One (1)", "old")
    write_section(path, "Two", "kept")
    write_section(path, "One (1)", "new\n")
    text = path.read_text()
    assert text.startswith("# How fast it is\n")
    assert text.count("## One (1)\n\nnew\n") == 1
    assert text.endswith("\n\n## Two\n\nkept\n")
    assert "old" not in text
