"""A run leaves JSON that says the same as its table, and the paper's categories are counted as the paper counts them."""

from pathlib import Path

from benchmarks.figures import category, late, losses, published
from benchmarks.measure import Task, measure
from benchmarks.paper_instances import Cell, find
from benchmarks.record import Answer, Measurement, Report, read_report, this_machine
from benchmarks.tables import BEGIN, END, put_between_marks, render

STANDING = (3, 5)


def answer(placed: tuple[int, ...], proven: bool = False, seconds: float = 0.5, **changes: object) -> Answer:
    return Answer(placed, proven, proven, moves=1, evictions=0, seconds=seconds, **changes)  # type: ignore[arg-type]


def measurement(berth: Answer, paper: Answer | None = None) -> Measurement:
    return Measurement("cell", 1, 4, 4, 2, 0.95, 1.0, 10, 2, 1, STANDING, berth, paper)


def test_categories_are_the_papers() -> None:
    m = measurement(answer(STANDING))

    assert category(m, answer((4, 1), proven=True)) == "better & optimal"
    assert category(m, answer((3, 6))) == "better"
    assert category(m, answer(STANDING, proven=True)) == "KWOK optimal"
    assert category(m, answer(STANDING)) == "failure"


def test_as_published_an_unanswered_stage_loses_the_plan() -> None:
    m = measurement(answer(STANDING))
    thrown = answer((4, 5), status="UNKNOWN", accepted=False)

    assert published(m, thrown).placed == STANDING
    assert published(m, answer((4, 5), status="FEASIBLE")).placed == (4, 5)


def test_losses_and_late_answers_are_listed() -> None:
    worse = measurement(answer((3, 6), seconds=1.5), answer((4, 0)))
    same = measurement(answer((4, 0), seconds=1.059), answer((4, 0)))

    assert len(losses(Report("paper-1s", 1, 2, this_machine(), (worse, same)))) == 1
    assert len(late(Report("paper-1s", 1, 2, this_machine(), (worse, same)))) == 1


def test_report_survives_its_file(tmp_path: Path) -> None:
    found = find(Cell(4, 4, 2, 0.95), base_seed=3)
    assert found.instance is not None
    task = Task("cell", found.instance, 0.5, 4, 2, 0.95, 4, found.attempts, with_paper=True)
    report = Report("paper-1s", 3, 2, this_machine(), (measure(task, 2, berth_first=True),))

    read = read_report(report.write(tmp_path))

    assert read == report
    assert read.measurements[0].paper is not None
    assert read.measurements[0].faults == ()
    assert "paper's model, as published" in render(read)


def test_tables_go_between_the_marks_of_a_document_and_replace_older_ones() -> None:
    once = put_between_marks(f"before\n{BEGIN}\n{END}\nafter\n", "| 1 |\n")
    twice = put_between_marks(once, "| 2 |\n")

    assert "| 2 |" in twice
    assert "| 1 |" not in twice
    assert twice.startswith("before\n")
    assert twice.endswith("after\n")
