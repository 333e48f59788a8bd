import pytest

from ctexp.core.classes import CLASSES
from ctexp.data.intake.people import Known, owners, put_together


def known(
    tags: list[dict[str, str]],
    told: list[dict[str, str] | None] | None = None,
    classes: list[str] | None = None,
) -> Known:
    return put_together(classes or ["normal"] * len(tags), tags, told or [None] * len(tags))


def test_the_table_wins_and_contradictions_are_counted() -> None:
    result = known(
        [{"patient": "A", "age": "63", "sex": "F"}, {"patient": "B", "age": "40"}, {"patient": "C"}],
        [{"patient": "P1", "age": "63"}, {"patient": "P2"}, None],
    )

    assert result.meta == [
        {"patient": "P1", "age": "63", "sex": "F"},
        {"patient": "P2", "age": "40"},
        {"patient": "C"},
    ]
    assert result.warnings == [
        "patient: the table contradicts the DICOM tags, and is believed: 2 of 3 images"
    ]
    assert result.notes == ["patients, kept on one side of a split each: 3, of 3 of 3 images"]


@pytest.mark.parametrize("nobody", ["ANONYMOUS", "anonymized", "Unknown", "n/a", "-", "De-Identified"])
def test_a_name_for_nobody_is_taken_for_unknown(nobody: str) -> None:
    result = known([{"patient": nobody}, {"patient": "P1"}, {"patient": nobody, "age": "3"}])

    assert result.meta == [{}, {"patient": "P1"}, {"age": "3"}]
    assert result.warnings == [f"patient {nobody!r} names nobody, taken for unknown: 2 of 3 images"]


def test_only_zeros_are_nobody_in_a_tag_and_a_number_in_a_table() -> None:
    assert known([{"patient": "000000"}]).meta == [{}]
    assert known([{}] * 2, [{"patient": "0"}, {"patient": "1"}]).meta == [{"patient": "0"}, {"patient": "1"}]


def test_a_name_in_every_class_is_taken_for_unknown_wherever_it_comes_from() -> None:
    from_tags = known([{"patient": "X17"}] * 4, classes=list(CLASSES))
    from_table = known([{}] * 4, [{"patient": "X17"}] * 4, classes=list(CLASSES))

    for result in (from_tags, from_table):
        assert result.meta == [{}] * 4
        assert result.warnings == ["patient 'X17' stands in every class, taken for unknown: 4 of 4 images"]


def test_a_patient_with_a_normal_and_a_cancerous_image_is_a_patient() -> None:
    result = known([{"patient": "P1"}] * 2, classes=["normal", "adenocarcinoma"])

    assert result.meta == [{"patient": "P1"}] * 2
    assert result.warnings == []


def test_the_study_stands_for_a_patient_whom_nobody_names() -> None:
    result = known([{"patient": "anonymous", "study": "1.2"}, {"study": "1.2"}, {"study": "1.3"}, {}])

    assert [one.get("patient") for one in result.meta] == ["study 1.2", "study 1.2", "study 1.3", None]
    assert "patient unknown, the DICOM study stands for one: 3 of 4 images" in result.notes


def test_slices_without_a_patient_are_of_the_patient_of_their_study() -> None:
    result = known([{"patient": "P1", "study": "1.2"}, {"study": "1.2"}, {"study": "1.3"}])

    assert [one["patient"] for one in result.meta] == ["P1", "P1", "study 1.3"]
    assert result.notes == [
        "patient unknown, that of the other images of the DICOM study taken: 1 of 3 images",
        "patient unknown, the DICOM study stands for one: 1 of 3 images",
        "patients, kept on one side of a split each: 2, of 3 of 3 images",
    ]


def test_an_image_belongs_to_its_patient_and_its_study() -> None:
    assert owners({"patient": "P1", "study": "P1", "age": "3"}) == ["patient P1", "study P1"]
    assert owners({"age": "3"}) == []


def test_a_study_of_a_table_that_every_image_claims_joins_nothing() -> None:
    assert known([{}] * 4, [{"study": "LIDC"}] * 4, classes=list(CLASSES)).meta == [{}] * 4


def test_a_study_that_every_image_claims_stands_for_nobody() -> None:
    result = known([{"study": "1.2"}] * 4, classes=list(CLASSES))

    assert result.meta == [{}] * 4
    assert result.warnings == ["study '1.2' stands in every class, taken for unknown: 4 of 4 images"]


def test_it_is_said_where_much_is_known_but_no_patient() -> None:
    assert known([{}], [{"patient_id": "P1"}]).notes == [
        "nothing is called 'patient': only copies are kept on one side of a split"
    ]
    assert known([{}]).notes == []


def test_images_the_table_forgets_go_with_the_others_of_their_study_or_patient() -> None:
    result = known(
        [
            {"patient": "A", "study": "1.1"},
            {"patient": "A", "study": "1.2"},
            {"study": "1.1"},
            {"patient": "B", "study": "2.1"},
            {"patient": "C", "study": "3.1"},
            {"patient": "C", "study": "3.1"},
            {"patient": "C", "study": "3.1"},
        ],
        [{"patient": "P1"}, None, {"age": "3"}, None, {"patient": "P2"}, {"patient": "P3"}, None],
    )

    assert [one["patient"] for one in result.meta] == ["P1", "P1", "P1", "B", "P2", "P3", "C"]
    assert (
        "patient as the table says it of others of the same DICOM study or patient: 2 of 7 images"
        in result.notes
    )


def test_nobody_leads_no_images() -> None:
    result = known([{"patient": "ANON"}, {"patient": "ANON"}], [{"patient": "P1"}, None])

    assert result.meta == [{"patient": "P1"}, {}]
