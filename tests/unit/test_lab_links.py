"""Links of a lab as a graph: what a cut of a site, a zone, or one way of a pair lets through."""

import pytest

from holdfast.lab.links import Links, UnknownLink

SITES = ("west", "east", "witness", "outside")
ZONES = {"west-a": "west", "west-b": "west", "east-a": "east", "east-b": "east"}


def links() -> Links:
    return Links(SITES, ZONES)


def carried(of: Links) -> set[tuple[str, str]]:
    return {(one, other) for one in of.places for other in of.places if of.between(one, other).open}


def everything() -> set[tuple[str, str]]:
    return carried(links())


def test_a_cut_zone_reaches_only_itself_and_all_others_each_other() -> None:
    made = links()
    made.cut("west", "west-a")
    made.cut("west-a", "west")
    assert everything() - carried(made) == {pair for pair in everything() if "west-a" in pair and pair != ("west-a", "west-a")}


def test_a_cut_region_keeps_its_zones_together() -> None:
    made = links()
    for other in ("east", "witness", "outside"):
        made.cut("west", other)
        made.cut(other, "west")
    inside = {"west", "west-a", "west-b"}
    assert everything() - carried(made) == {(one, other) for one, other in everything() if (one in inside) != (other in inside)}


def test_one_way_of_any_pair_is_one_way_of_that_pair_alone() -> None:
    made = links()
    made.cut("west-a", "west-b")
    made.cut("west", "witness")
    gone = everything() - carried(made)
    assert gone == {("west-a", "west-b"), ("west", "witness"), ("west-a", "witness"), ("west-b", "witness")}


def test_healing_a_region_leaves_its_cut_zone_cut_and_healing_the_zone_leaves_the_region_cut() -> None:
    made = links()
    for pair in (("west", "east"), ("west-a", "west"), ("west", "west-a")):
        made.cut(*pair)
    made.heal_place("west")
    assert made.between("west-b", "east-a").open
    assert not made.between("west-a", "west").open
    made.cut("west", "east")
    made.heal_place("west-a")
    assert made.between("west-a", "west-b").open
    assert not made.between("west-a", "east").open
    made.heal()
    assert carried(made) == everything()


def test_delays_on_the_way_add_up_and_a_listener_hears_of_every_link_on_it() -> None:
    made, heard = links(), []
    path = made.between("west-a", "east-b")
    path.subscribe(lambda: heard.append(path.delay_seconds))
    for pair in (("west-a", "west"), ("west", "east"), ("east", "east-b"), ("east", "west")):
        made.delay(*pair, 0.1)
    assert heard == pytest.approx([0.1, 0.2, 0.3])


def test_status_shows_links_between_neighbours_and_what_else_is_cut() -> None:
    made = links()
    assert len(made.status()) == 12 + 8
    made.cut("west-a", "witness")
    assert [(link["from"], link["to"]) for link in made.status() if not link["open"]] == [("west-a", "witness")]


def test_a_name_that_is_none_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownLink, match=r"no place is called 'mars'.*west-a"):
        links().heal_place("mars")
    with pytest.raises(UnknownLink, match="no link to itself"):
        links().cut("west", "west")
