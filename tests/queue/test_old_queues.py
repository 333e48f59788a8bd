"""A queue of every version stays readable for ever: these specimens are never rewritten."""

from pathlib import Path

from ctexp.core.files import sha256_file
from ctexp.queue.folder import QueueDir
from ctexp.queue.journal import Journal
from ctexp.queue.looking.status import look
from ctexp.queue.morning.documents import NightReport
from ctexp.queue.orders import Orders
from ctexp.queue.state import fold

SPECIMENS = Path(__file__).parents[1] / "old_records"
V1 = SPECIMENS / "queue_v1" / "survive_20261121-192645"


def test_the_specimen_is_as_it_was_put_there() -> None:
    folder = SPECIMENS / "queue_v1"
    sums = dict(line.split("  ", 1)[::-1] for line in (folder / "sha256sums").read_text().splitlines())
    assert {name: sha256_file(folder / name) for name in sums} == sums


def test_version_1_is_read_whole() -> None:
    queue = QueueDir(V1)
    night = fold(Orders.read(queue.orders), Journal(queue.journal).read())
    states = {name: (job.state, job.kind, len(job.attempts)) for name, job in night.jobs.items()}
    assert states["plain-s3"] == ("done", None, 2)
    assert states["nan-s1"] == ("failed", "diverged", 1)
    assert states["gated-s1"] == ("skipped", "gate", 0)
    assert night.jobs["memory-s1"].deviations == ["oom: data.batch_size=8 instead of 24"]
    assert (len(night.begins), [close["exit_code"] for close in night.closes]) == (3, [5, 12])
    assert look(queue).totals["done"] == 9


def test_the_morning_of_version_1_is_read_by_the_program_of_today() -> None:
    report = NightReport.model_validate_json(QueueDir(V1).night_json.read_bytes())
    assert report.exit_code == 12
