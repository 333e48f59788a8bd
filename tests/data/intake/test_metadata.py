from pathlib import Path

import pytest

from ctexp.core.errors import DataError
from ctexp.data.intake.layout import FoundImage
from ctexp.data.intake.listed import ImageNames
from ctexp.data.intake.metadata import match, read, snake

TOP = Path("/set")
IMAGES = [
    FoundImage(TOP / "train" / "normal" / name, f"train/normal/{name}", "train", "normal")
    for name in ("a.png", "b  (2).png", "c.png")
]
NAMES = ImageNames(IMAGES, TOP, TOP)


def table(folder: Path, text: str | bytes) -> Path:
    file = folder / "T.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


def problems(folder: Path, text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(DataError) as failure:
        read(table(folder, text))
    return failure.value.problems


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_table_is_read_whatever_parts_its_cells(tmp_path: Path, delimiter: str, mark: str) -> None:
    lines = [
        ["Image", "Patient", "acquired", "Scanner name"],
        ["a.png", "P 1", "20210304", '"Force; Siemens, ""CT"""'],
        ["", "", "", ""],
        ["b  (2).png", "", "2021-03-05", "a  b"],
    ]
    text = mark + "".join(delimiter.join(cells) + "\r\n" for cells in lines)

    read_table = read(table(tmp_path, text))
    told, mismatches = match(read_table, NAMES)

    assert mismatches == []
    assert read_table.columns == {
        "patient": "Patient",
        "acquired": "acquired",
        "scanner_name": "Scanner name",
    }
    assert told == {
        "train/normal/a.png": {
            "patient": "P 1",
            "acquired": "2021-03-04",
            "scanner_name": 'Force; Siemens, "CT"',
        },
        "train/normal/b  (2).png": {"acquired": "2021-03-05", "scanner_name": "a b"},
    }


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Patient ID", "patient_id"),
        (" Âge (Jahre) ", "age_jahre"),
        ("kVp", "kvp"),
        ("__x--y", "x_y"),
        ("日付", ""),
    ],
)
def test_columns_are_called_in_snake_case(name: str, called: str) -> None:
    assert snake(name) == called


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ("T.csv: empty",)),
        ("\n\n", ("T.csv: empty",)),
        ("file,age\na.png,3\n", ("T.csv: no column 'image' (columns found: file, age)",)),
        ("image\na.png\n", ("T.csv: no column besides 'image'",)),
        (
            "image,Age,age,,日付\na.png,3,4,5,6\n",
            (
                "T.csv: column 4 ('') has no name in letters a to z and digits",
                "T.csv: column 5 ('日付') has no name in letters a to z and digits",
                "T.csv: 2 columns are called 'age' (columns found: image, Age, age, , 日付)",
            ),
        ),
        (
            "image,acquired,age\na.png,2021-13-01,3\nb.png,03/04/2021,4\nc.png,2021-03\n,2021,5\n",
            (
                "T.csv:2: '2021-13-01' is no date; write 2021-03-04 or 20210304",
                "T.csv:3: '03/04/2021' is no date; write 2021-03-04 or 20210304",
                "T.csv:5: '2021' is no date; write 2021-03-04 or 20210304",
                "T.csv:4: 2 cells, the header has 3",
                "T.csv:5: names no image",
            ),
        ),
    ],
)
def test_every_problem_of_a_table_is_told(tmp_path: Path, text: str, said: tuple[str, ...]) -> None:
    assert problems(tmp_path, text) == said


@pytest.mark.parametrize("patient", ["PatientID", "Patient ID", "patient_id", "Subject", "Patient"])
@pytest.mark.parametrize("acquired", ["AcquisitionDate", "study date"])
def test_other_names_of_patient_and_date_are_known(tmp_path: Path, patient: str, acquired: str) -> None:
    read_table = read(table(tmp_path, f"image,{patient},{acquired}\na.png,0,20210304\n"))

    assert read_table.columns == {"patient": patient, "acquired": acquired}
    assert read_table.lines[0].values == {"patient": "0", "acquired": "2021-03-04"}


def test_two_columns_of_one_meaning_are_refused(tmp_path: Path) -> None:
    assert problems(tmp_path, "image,patient,PatientID\na.png,1,2\n") == (
        "T.csv: 2 columns are called 'patient' (columns found: image, patient, PatientID)",
    )


def test_one_complaint_of_many_lines_is_told_once(tmp_path: Path) -> None:
    text = "image,acquired\n" + "a.png,03/04/2021\n" * 100 + "b.png\n"
    assert problems(tmp_path, text) == (
        "T.csv:2, T.csv:3, T.csv:4 and 97 more: '03/04/2021' is no date; write 2021-03-04 or 20210304",
        "T.csv:102: 1 cells, the header has 2",
    )


def test_what_is_no_csv_is_refused(tmp_path: Path) -> None:
    assert "not UTF-8 text" in problems(tmp_path, b"image,age\na.png,\xff\n")[0]
    assert "not a text file" in problems(tmp_path, b"image,age\na.png,\0\n")[0]
    (problem,) = problems(tmp_path, 'image,age\na.png,"3\nb.png,4\n')
    assert problem.startswith("T.csv:3: not CSV (")
    (problem,) = problems(tmp_path, "image," + "x" * 200_000 + "\na.png,3\n")
    assert problem.startswith("T.csv:1: not CSV (")
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "gone.csv")


def test_a_line_number_is_the_lines_own_although_a_cell_spans_several(tmp_path: Path) -> None:
    text = 'image,remark,acquired\na.png,"one\ntwo",\nc.png,,never\n'
    assert problems(tmp_path, text) == ("T.csv:4: 'never' is no date; write 2021-03-04 or 20210304",)


def test_images_that_do_not_fit_are_all_told(tmp_path: Path) -> None:
    text = "image,age\na.png,3\ntrain/normal/a.png,3\nnormal/a.png,4\nnowhere.png,5\nc.png,6\nc.png,\n"

    told, mismatches = match(read(table(tmp_path, text)), NAMES)

    assert mismatches == [
        "T.csv:4: train/normal/a.png stands in T.csv:2 with other values",
        "T.csv:5: no image is called 'nowhere.png'",
        "T.csv:7: train/normal/c.png stands in T.csv:6 with other values",
    ]
    assert told["train/normal/a.png"] == {"age": "3"}
