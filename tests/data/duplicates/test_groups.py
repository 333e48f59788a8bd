from hypothesis import given
from hypothesis import strategies as st

from ctexp.core.files import sha256_bytes
from ctexp.data.duplicates.groups import group_ids

MOST = 12
SHA256S = [sha256_bytes(bytes([place])) for place in range(MOST)]

places = st.integers(0, MOST - 1)
links = st.lists(st.tuples(places, places), max_size=2 * MOST)
owners = st.lists(st.frozensets(st.sampled_from(["P1", "P2", "study 1"])), min_size=MOST, max_size=MOST)


def test_an_image_without_copies_is_a_group_that_depends_on_no_other() -> None:
    assert group_ids(SHA256S, [], [()] * MOST) == [sha256[:16] for sha256 in SHA256S]


@given(links, owners)
def test_links_and_owners_join_and_nothing_else_does(
    linked: list[tuple[int, int]], known: list[frozenset[str]]
) -> None:
    groups = group_ids(SHA256S, linked, known)

    reached = [{place} for place in range(MOST)]
    joined = [*linked, *((a, b) for a in range(MOST) for b in range(a) if known[a] & known[b])]
    for _ in range(MOST):
        for first, second in joined:
            reached[first] |= reached[second]
            reached[second] |= reached[first]
    for a in range(MOST):
        assert {b for b in range(MOST) if groups[b] == groups[a]} == reached[a]
        assert groups[a] == min(SHA256S[b] for b in reached[a])[:16]


@given(links, owners, st.permutations(range(MOST)))
def test_groups_do_not_depend_on_the_order_of_images_or_links(
    linked: list[tuple[int, int]], known: list[frozenset[str]], order: list[int]
) -> None:
    groups = group_ids(SHA256S, linked, known)

    place_of = {image: place for place, image in enumerate(order)}
    moved = [(place_of[second], place_of[first]) for first, second in reversed(linked)]
    again = group_ids([SHA256S[image] for image in order], moved, [known[image] for image in order])

    assert again == [groups[image] for image in order]


@given(links, owners, st.tuples(places, places))
def test_one_link_more_joins_two_groups_and_leaves_the_others(
    linked: list[tuple[int, int]], known: list[frozenset[str]], more: tuple[int, int]
) -> None:
    before = group_ids(SHA256S, linked, known)
    after = group_ids(SHA256S, [*linked, more], known)

    joined = {before[more[0]], before[more[1]]}
    for old, new in zip(before, after, strict=True):
        assert new == (min(joined) if old in joined else old)
